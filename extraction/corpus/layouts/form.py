"""The form of one visit: ruled boxes with their captions, one patient a page."""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import NamedTuple

from extraction.corpus.layouts.sheet import Sheet
from extraction.corpus.people import (
    TOWNS,
    Person,
    invent_decoy,
    invent_person,
    invent_postal_code,
    invent_street,
    invent_telephone,
)
from extraction.corpus.wording import DATE_STYLES, TIME_STYLES, iso_date
from extraction.page import Box

LEFT, RIGHT, TOP, ROW = 36.0, 576.0, 132.0, 36.0
MIDDLE = (LEFT + RIGHT) / 2

COMPLAINTS = (
    "Toux productive depuis 5 jours, sans dyspnée.", "Lombalgie mécanique, irradiation à gauche.",
    "Suivi de tension artérielle, bien toléré.", "Éruption cutanée aux avant-bras depuis 3 semaines.",
    "Céphalées en fin de journée, vision normale.", "Renouvellement d'ordonnance, aucun effet secondaire.",
)  # fmt: skip
PLANS = (
    "Repos, hydratation, revoir si fièvre > 38,5 °C.", "Physiothérapie 2 fois par semaine, réévaluer dans 6 semaines.",
    "Poursuivre la médication, bilan sanguin dans 3 mois.", "Hydrocortisone 1 % BID x 10 jours.",
)  # fmt: skip


class Field(NamedTuple):
    """A ruled box: row counted from 0, edges in points, the caption at its top and what is typed in it."""

    row: float
    x0: float
    x1: float
    caption: str
    value: str


def draw(sheet: Sheet) -> None:
    """One visit of one person; the page holds one NAM."""
    rng = sheet.rng
    person, moment = sheet.patient(), time(rng.randint(8, 16), rng.choice((0, 5, 10, 15, 20, 30, 40, 45, 50)))
    _head(sheet)
    for field in _fields(sheet, person, moment):
        _field(sheet, field)
    _nam_field(sheet, person, moment)
    _notes(sheet)
    _signature(sheet)
    sheet.foot("Formulaire CM-114 (rév. 2023-04)")


def _head(sheet: Sheet) -> None:
    sheet.letterhead(50)
    sheet.bold(RIGHT, 50, "FORMULAIRE DE CONSULTATION", 11, align="right")
    sheet.text(RIGHT, 63, f"Dossier : {sheet.rng.randint(10_000, 999_999)}", 9, align="right")
    sheet.line(LEFT, 84, RIGHT, 84, 1.2)
    sheet.bold(LEFT, 104, "1. Identification de l'usager", 10)
    sheet.text(LEFT, 120, "Écrire en lettres moulées. Ne pas plier.", 7.5)


def _fields(sheet: Sheet, person: Person, moment: time) -> list[Field]:
    rng, setting = sheet.rng, sheet.setting
    written_day, written_time = rng.choice(DATE_STYLES)(setting.day), rng.choice(TIME_STYLES)(moment)
    third = (RIGHT - LEFT) / 3
    return [
        Field(0, LEFT, MIDDLE, "Nom à la naissance", person.surname),
        Field(0, MIDDLE, RIGHT, "Prénom usuel", person.given_name),
        Field(1, MIDDLE, MIDDLE + third / 2, "Expiration", _expiry(sheet)),
        Field(1, MIDDLE + third / 2, MIDDLE + third, "Date de naissance", iso_date(person.birth)),
        Field(1, MIDDLE + third, RIGHT, "Sexe", "F" if person.female else "M"),
        Field(2, LEFT, LEFT + 2 * third, "Adresse", f"{invent_street(rng)}, {rng.choice(TOWNS)}"),
        Field(2, LEFT + 2 * third, RIGHT, "Code postal", invent_postal_code(rng)),
        Field(3, LEFT, LEFT + third, "Téléphone", invent_telephone(rng)),
        Field(3, LEFT + third, RIGHT, "Personne à joindre", f"{invent_person(rng, setting.day).full_name} (famille)"),
        Field(4.6, LEFT, LEFT + third, "Date de la visite", written_day),
        Field(4.6, LEFT + third, MIDDLE + third / 2, "Heure", written_time),
        Field(4.6, MIDDLE + third / 2, RIGHT, "Médecin", setting.physician.full_name),
        Field(5.6, LEFT, MIDDLE, "Nº de permis", setting.physician.licence),
        Field(5.6, MIDDLE, RIGHT, "Nº de facture", invent_decoy(rng, setting.day)),
    ]


def _expiry(sheet: Sheet) -> str:
    later: date = sheet.setting.day + timedelta(days=sheet.rng.randint(30, 2_800))
    return later.strftime("%Y-%m")


def _field(sheet: Sheet, field: Field) -> None:
    top = TOP + ROW * field.row
    sheet.frame(field.x0, top, field.x1, top + ROW, 0.7)
    sheet.text(field.x0 + 3, top + 9, field.caption, 6.8)
    room = field.x1 - field.x0 - 12
    sheet.text(field.x0 + 7, top + 27, sheet.fit(field.value, 11, room, font=_typed(sheet)), 11, font=_typed(sheet))


def _typed(sheet: Sheet) -> str:
    """What is typed into a form stands in the face of the numbers."""
    return sheet.setting.face.figures


def _nam_field(sheet: Sheet, person: Person, moment: time) -> None:
    """The NAM: typed in one piece, in three boxes of four, or one character a box."""
    top, day = TOP + ROW, sheet.setting.day
    sheet.frame(LEFT, top, MIDDLE, top + ROW, 0.7)
    sheet.bold(LEFT + 3, top + 9, "Numéro d'assurance maladie", 6.8)
    pieces = sheet.rng.choices((1, 3, 12), weights=(6, 3, 1))[0]
    if pieces == 1:
        sheet.nam(LEFT + 7, top + 28, person, 12, day=day, moment=moment)
        return
    size = 12 // pieces
    groups = [person.nam[start : start + size] for start in range(0, 12, size)]
    box = _comb(sheet, groups, top, room=(MIDDLE - LEFT - 20) / pieces)
    printed = f"{person.nam[:4]} {person.nam[4:8]} {person.nam[8:]}"
    sheet.know(person, box, printed, day, moment)


def _comb(sheet: Sheet, groups: list[str], top: float, *, room: float) -> Box:
    """Print each group in the middle of its own box; gives the box around all of them."""
    boxes = []
    for place, group in enumerate(groups):
        left = LEFT + 10 + place * room
        sheet.frame(left, top + 13, left + room, top + 32, 0.4)
        boxes.append(sheet.text(left + room / 2, top + 27, group, 12, font=_typed(sheet), align="centre"))
    return Box.around(boxes)


def _notes(sheet: Sheet) -> None:
    rng, top = sheet.rng, TOP + ROW * 7.2
    sheet.bold(LEFT, TOP + ROW * 4.6 - 6, "2. Visite", 10)
    sheet.bold(LEFT, top + 12, "3. Notes cliniques", 10)
    vitals = (
        f"TA {rng.randint(105, 150)}/{rng.randint(60, 95)}   FC {rng.randint(56, 98)}   "
        f"T {36 + rng.random() * 2:.1f} °C   SpO2 {rng.randint(94, 100)} %   Poids {rng.randint(48, 110)} kg"
    ).replace(".", ",")
    lines = (rng.choice(COMPLAINTS), vitals, rng.choice(PLANS))
    for number in range(9):
        y = top + 36 + 24 * number
        sheet.line(LEFT, y + 4, RIGHT, y + 4, 0.3)
        if number < len(lines):
            sheet.text(LEFT + 4, y, lines[number], 10, font=_typed(sheet))


def _signature(sheet: Sheet) -> None:
    y = 726.0
    sheet.line(LEFT, y, LEFT + 230, y, 0.6)
    sheet.text(LEFT, y + 10, "Signature du professionnel", 7)
    sheet.text(RIGHT, y + 10, f"Permis {sheet.setting.physician.licence}", 7, align="right")
    sheet.scribble(LEFT + 30, y - 8)
