"""An enrolment form of one character a box, for three people of a household."""

from __future__ import annotations

from datetime import date, time

from extraction.corpus.layouts.sheet import Sheet
from extraction.corpus.wording import CARD, DATE_STYLES, TIME_STYLES, NamStyle, cut, printed_nam

PEOPLE, TOP, HIGH, PITCH = 3, 118.0, 212.0, 14.4
LEFT = 44.0


def draw(sheet: Sheet) -> None:
    """Each part asks for the name, the NAM, the birth and the visit; the head shows how, with an example."""
    sheet.letterhead(44)
    sheet.bold(576, 44, "INSCRIPTION AU GROUPE", 12, align="right")
    sheet.text(576, 57, "Une lettre ou un chiffre par case, en majuscules", 7.5, align="right")
    example = printed_nam(sheet.specimen(), NamStyle(CARD, " "))
    sheet.text(36, 92, f"Exemple de numéro d'assurance maladie : {example}", 8)
    gaps = sheet.rng.choice(((4, 8), (4, 8), (4,), (4, 10), ()))
    for place in range(sheet.wanted(PEOPLE, PEOPLE)):
        _part(sheet, TOP + HIGH * place, "ABC"[place], gaps)
    sheet.foot("GMF-22 (2024-06)")


def _part(sheet: Sheet, top: float, letter: str, gaps: tuple[int, ...]) -> None:
    person, day, moment = sheet.patient(), sheet.setting.day, sheet.moment()
    sheet.frame(36, top - 12, 576, top + HIGH - 24, 0.8)
    sheet.bold(LEFT, top + 2, f"Partie {letter}", 9)
    _row(sheet, top + 30, "Nom", _plain(person.surname)[:22])
    _row(sheet, top + 62, "Prénom", _plain(person.given_name)[:22])
    sheet.text(LEFT, top + 80, "Numéro d'assurance maladie", 7)
    box = sheet.comb(LEFT, top + 96, person.nam, 11, pitch=PITCH, gaps=gaps)
    sheet.know(person, box, " ".join(cut(person.nam, (4, 4, 4))), day, moment)
    sheet.text(330, top + 80, "Naissance (AAAA MM JJ)", 7)
    sheet.comb(330, top + 96, f"{person.birth:%Y%m%d}", 11, pitch=PITCH, gaps=(4, 6))
    _visit(sheet, top + 132, day, moment)
    sheet.text(LEFT, top + 166, "Signature", 7)
    sheet.line(LEFT + 40, top + 168, 330, top + 168, 0.5)
    sheet.scribble(LEFT + 60, top + 162)


def _row(sheet: Sheet, y: float, caption: str, words: str) -> None:
    sheet.text(LEFT, y - 16, caption, 7)
    sheet.comb(LEFT, y, words.ljust(22), 11, pitch=PITCH)


def _visit(sheet: Sheet, y: float, day: date, moment: time) -> None:
    """The visit in boxes too, or typed on a line."""
    if sheet.rng.random() < 1 / 2:
        sheet.text(LEFT, y - 16, "Date de la visite (AAAA MM JJ)", 7)
        sheet.comb(LEFT, y, f"{day:%Y%m%d}", 11, pitch=PITCH, gaps=(4, 6))
        sheet.text(330, y - 16, "Heure de la visite (HH MM)", 7)
        sheet.comb(330, y, f"{moment:%H%M}", 11, pitch=PITCH, gaps=(2,))
        return
    said = sheet.rng.choice(DATE_STYLES)(day), sheet.rng.choice(TIME_STYLES)(moment)
    sheet.text(LEFT, y, f"Date de la visite : {said[0]}", 10)
    sheet.text(330, y, f"Heure : {said[1]}", 10)


def _plain(name: str) -> str:
    return name.upper()
