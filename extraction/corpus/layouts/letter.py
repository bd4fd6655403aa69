"""A consultant's letter: the NAM and the visit stand in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time, timedelta

from extraction.corpus.layouts.sheet import WIDTH, Sheet
from extraction.corpus.people import Person, invent_physician
from extraction.corpus.wording import hour_time, long_date, tight_time

LEFT, RIGHT, SIZE, LEADING = 72.0, 540.0, 11.0, 15.5
SECOND_PERSON = 0.3
"""The share of letters that also name somebody else's NAM."""

HISTORY = (
    "Les antécédents sont sans particularité, hormis une allergie à la pénicilline notée au dossier en 2019.",
    "La médication actuelle comprend le ramipril 5 mg et la metformine 850 mg deux fois par jour.",
    "Aucun antécédent chirurgical. Le dernier bilan sanguin remonte à plus d'un an.",
)
FINDINGS = (
    "L'examen est rassurant : tension artérielle de 128/76, auscultation normale, abdomen souple et indolore.",
    "À l'examen, je note une sensibilité à la palpation de L4-L5, sans déficit neurologique.",
    "L'échographie du 2e trimestre est dans les limites de la normale. Le poids est stable à 68 kg.",
)
ADVICE = (
    "Je suggère de poursuivre le traitement et de répéter le bilan dans trois mois. Je demeure à votre disposition.",
    "Une résonance magnétique a été demandée; je communiquerai les résultats à vos bureaux dès leur réception.",
    "Je n'ai pas prévu d'autre visite, sauf indication contraire de votre part ou apparition de nouveaux symptômes.",
)

Piece = str | tuple[Person, time]
"""A word, or a NAM with the time of its visit."""


def draw(sheet: Sheet) -> None:
    """One letter about one person, sometimes two."""
    person, moment = sheet.patient(), _moment(sheet)
    y = _head(sheet, person)
    for paragraph in _paragraphs(sheet, person, moment):
        y = _flow(sheet, paragraph, y) + 9
    _close(sheet, y + 12)


def _moment(sheet: Sheet) -> time:
    return time(sheet.rng.randint(8, 16), sheet.rng.choice((0, 15, 30, 45)))


def _head(sheet: Sheet, person: Person) -> float:
    setting, written = sheet.setting, sheet.setting.day + timedelta(days=sheet.rng.randint(2, 9))
    sheet.letterhead(60)
    sheet.line(36, 94, 576, 94, 1)
    sheet.text(RIGHT, 126, f"{setting.clinic.town}, le {long_date(written)}", SIZE, align="right")
    colleague = invent_physician(sheet.rng)
    sheet.text(LEFT, 160, colleague.full_name, SIZE)
    sheet.text(LEFT, 175, f"Permis {colleague.licence}", SIZE)
    born = "née" if person.female else "né"
    sheet.bold(LEFT, 212, f"Objet : {person.full_name}, {born} le {long_date(person.birth)}", SIZE)
    dear = "Chère consœur," if colleague.female else "Cher confrère,"
    sheet.text(LEFT, 240, dear, SIZE)
    return 266


def _paragraphs(sheet: Sheet, person: Person, moment: time) -> list[list[Piece]]:
    rng, day = sheet.rng, long_date(sheet.setting.day)
    said = rng.choice((hour_time, tight_time))(moment)
    title = "Mme" if person.female else "M."
    first = _sentence(
        f"J'ai vu {title} {person.surname} à la clinique le {day} à {said} à votre demande. "
        "Son numéro d'assurance maladie est le",
        (person, moment),
        "et sa carte est valide.",
    )
    body: list[list[Piece]] = [list(rng.choice(choices).split()) for choices in (HISTORY, FINDINGS, ADVICE)]
    if rng.random() < SECOND_PERSON:
        body.insert(2, _companion(sheet, moment))
    return [first, *body]


def _companion(sheet: Sheet, moment: time) -> list[Piece]:
    """Somebody of the same household, seen half an hour later."""
    later = time(moment.hour + (moment.minute + 30) // 60, (moment.minute + 30) % 60)
    other, day = sheet.patient(), long_date(sheet.setting.day)
    seen = "vue" if other.female else "vu"
    return _sentence(
        f"{other.full_name}, de la même famille, a été {seen} le {day} à {hour_time(later)}. Son NAM est",
        (other, later),
        "et une lettre distincte vous parviendra.",
    )


def _sentence(before: str, nam: tuple[Person, time], after: str) -> list[Piece]:
    return [*before.split(), nam, *after.split()]


def _flow(sheet: Sheet, pieces: Sequence[Piece], y: float) -> float:
    """Set the pieces in lines from `y` down; gives the baseline after the last. A NAM stays on one line."""
    x, gap = LEFT, sheet.width(" ", SIZE)
    for piece in pieces:
        if x + _room(sheet, piece) > RIGHT:
            x, y = LEFT, y + LEADING
        if isinstance(piece, str):
            box = sheet.text(x, y, piece, SIZE)
        else:
            box = sheet.nam(x, y, piece[0], SIZE, day=sheet.setting.day, moment=piece[1])
        x = box.x1 * WIDTH + gap
    return y + LEADING


def _room(sheet: Sheet, piece: Piece) -> float:
    """The width of a word, or of the widest NAM, in points."""
    if isinstance(piece, str):
        return sheet.width(piece, SIZE)
    return sheet.width("MMMM-00-00-00-00", SIZE, font=sheet.setting.face.figures)


def _close(sheet: Sheet, y: float) -> None:
    physician = sheet.setting.physician
    sheet.text(LEFT, y, "Veuillez agréer mes salutations distinguées.", SIZE)
    sheet.scribble(LEFT + 10, y + 40)
    sheet.text(LEFT, y + 62, physician.full_name, SIZE)
    sheet.text(LEFT, y + 76, f"Permis {physician.licence}", 9)
    sheet.text(LEFT, y + 104, f"c. c. Archives, {sheet.setting.clinic.name}", 8)
