"""A list of hard cases: numbers that are wrong, cut, doubled or typed with look-alikes, beside what they should be.

What a person would enter is the truth. A look-alike (the letter O for a zero) is one NAM, since the name, the birth
date and the check character say which; a number that lacks or exceeds characters, or holds a sign that nothing
explains, is no NAM at all.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import time

from extraction.corpus.layouts.sheet import Sheet
from extraction.corpus.people import Person, misprint
from extraction.corpus.wording import NAM_STYLES, colon_time, full_date, iso_date, printed_nam

TOP, ROW = 130.0, 30.0
CONFUSABLE = {"0": "O", "1": "I", "5": "S", "8": "B", "2": "Z", "6": "G"}
X_NAM = 300.0


def draw(sheet: Sheet) -> None:
    """Ten NAMs and eight numbers that are none, in an order that changes."""
    sheet.letterhead(46)
    sheet.bold(36, 96, f"Visites du {full_date(sheet.setting.day)} : numéros à vérifier", 12)
    for x, title in ((36, "Heure"), (86, "Patient"), (218, "Naissance"), (X_NAM, "Numéro"), (460, "Remarque")):
        sheet.bold(x, TOP - 12, title, 8.5)
    rows = [*_TRUE, *_FALSE]
    sheet.rng.shuffle(rows)
    for place, row in enumerate(rows):
        y, person = TOP + ROW * place + 12, sheet.patient()
        moment = time(8 + place // 3, place % 3 * 20)
        sheet.text(36, y, colon_time(moment), 9)
        sheet.text(86, y, sheet.fit(person.index_name, 9, 126), 9)
        sheet.text(218, y, iso_date(person.birth), 9)
        row(sheet, y, person, moment)
        sheet.line(36, y + 13, 576, y + 13, 0.25)
    sheet.foot("Liste de vérification LV-3")


def _say(sheet: Sheet, y: float, printed: str, note: str, known: tuple[Person, time] | None = None) -> None:
    box = sheet.text(X_NAM, y, printed, 9.5, font=sheet.setting.face.figures)
    sheet.text(460, y, note, 8)
    if known is not None:
        sheet.know(known[0], box, printed, sheet.setting.day, known[1])


def _look_alike(sheet: Sheet, y: float, person: Person, moment: time) -> None:
    """One digit typed as the letter that looks like it."""
    places = [place for place in range(4, 10) if person.nam[place] in CONFUSABLE]
    value = person.nam
    if places:
        place = sheet.rng.choice(places)
        value = f"{value[:place]}{CONFUSABLE[value[place]]}{value[place + 1 :]}"
    _say(sheet, y, f"{value[:4]} {value[4:8]} {value[8:]}", "saisi à la main", (person, moment))


def _lower_case(sheet: Sheet, y: float, person: Person, moment: time) -> None:
    _say(sheet, y, person.nam.lower(), "", (person, moment))


def _odd_style(sheet: Sheet, y: float, person: Person, moment: time) -> None:
    printed = printed_nam(person.nam, sheet.rng.choice(NAM_STYLES[3:]))
    _say(sheet, y, printed, "", (person, moment))


def _spaced(sheet: Sheet, y: float, person: Person, moment: time) -> None:
    _say(sheet, y, " ".join(person.nam), "", (person, moment))


def _glued(sheet: Sheet, y: float, person: Person, moment: time) -> None:
    left = sheet.text(X_NAM, y, "NAM:", 9.5, font=sheet.setting.face.figures)
    printed = person.nam
    box = sheet.text(left.x1 * 612, y, printed, 9.5, font=sheet.setting.face.figures)
    sheet.know(person, box, printed, sheet.setting.day, moment)


def _two_lines(sheet: Sheet, y: float, person: Person, moment: time) -> None:
    sheet.nam_in_lines(X_NAM, y - 4, person, 9.5, day=sheet.setting.day, moment=moment)


def _with_expiry(sheet: Sheet, y: float, person: Person, moment: time) -> None:
    """The number runs on into the card's expiry, year and month."""
    box = sheet.text(X_NAM, y, person.nam, 9.5, font=sheet.setting.face.figures)
    sheet.text(box.x1 * 612 + 4, y, "2027-04", 9.5, font=sheet.setting.face.figures)
    sheet.know(person, box, person.nam, sheet.setting.day, moment)


def _wrong_check(sheet: Sheet, y: float, person: Person, moment: time) -> None:
    """A check character that fails: the truth is what is printed, for a person to look at."""
    wrong = Person(person.surname, person.given_name, person.birth, person.female, misprint(person.nam))
    _say(sheet, y, wrong.nam, "lu au téléphone", (wrong, moment))


def _twice(sheet: Sheet, y: float, person: Person, moment: time) -> None:
    _say(sheet, y, f"{person.nam}", "", (person, moment))
    note = sheet.text(460, y, "idem ", 8)
    box = sheet.text(note.x1 * 612, y, person.nam, 8, font=sheet.setting.face.figures)
    sheet.know(person, box, person.nam, sheet.setting.day, moment)


def _too_short(sheet: Sheet, y: float, person: Person, moment: time) -> None:
    _say(sheet, y, person.nam[:8], "incomplet")


def _too_long(sheet: Sheet, y: float, person: Person, moment: time) -> None:
    _say(sheet, y, f"{person.nam[:10]}{sheet.rng.randint(100, 999)}", "trop long")


def _digits_for_letters(sheet: Sheet, y: float, person: Person, moment: time) -> None:
    _say(sheet, y, f"{sheet.rng.choice('3479')}{sheet.rng.choice('3479')}{person.nam[2:]}", "lettres manquantes")


def _letters_for_digits(sheet: Sheet, y: float, person: Person, moment: time) -> None:
    _say(sheet, y, f"{person.nam[:4]}XX{person.nam[6:]}", "année manquante")


def _masked(sheet: Sheet, y: float, person: Person, moment: time) -> None:
    _say(sheet, y, f"{person.nam[:4]} •••• ••{person.nam[10:]}", "masqué")


def _wrong_sign(sheet: Sheet, y: float, person: Person, moment: time) -> None:
    _say(sheet, y, f"{person.nam[:6]}?{person.nam[7:9]}??{person.nam[11]}", "illisible")


def _impossible_day(sheet: Sheet, y: float, person: Person, moment: time) -> None:
    _say(sheet, y, f"{person.nam[:6]}1342{person.nam[10:]}", "date impossible")


def _invoice(sheet: Sheet, y: float, person: Person, moment: time) -> None:
    _say(sheet, y, sheet.decoy(), "nº de facture")


Row = Callable[[Sheet, float, Person, time], None]
_TRUE: tuple[Row, ...] = (
    _look_alike, _lower_case, _odd_style, _spaced, _glued, _two_lines, _with_expiry, _wrong_check, _twice,
)  # fmt: skip
_FALSE: tuple[Row, ...] = (
    _too_short, _too_long, _digits_for_letters, _letters_for_digits, _masked, _wrong_sign, _impossible_day, _invoice,
)  # fmt: skip
