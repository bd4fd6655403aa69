"""Slips of a walk-in clinic, three a page: the form is printed, and what it asks for is written by hand."""

from __future__ import annotations

from datetime import time
from typing import NamedTuple

from extraction.corpus.layouts.sheet import Sheet
from extraction.corpus.people import Person, invent_telephone
from extraction.corpus.wording import CARD, DATE_STYLES, NamStyle, hour_time, iso_date, tight_time, usual_style

SLIPS, TOP, HIGH = 3, 30.0, 244.0
LEFT, RIGHT = 40.0, 572.0
SIZE = 12.5
REASONS = (
    "toux depuis 1 semaine", "mal de gorge", "renouv. Rx", "entorse cheville D", "suivi TA", "éruption bras",
    "otite ?", "douleur dos", "formulaire CNESST", "vaccin grippe", "résultats labo",
)  # fmt: skip


class Visit(NamedTuple):
    """Who came and when; `top` is the upper edge of the slip."""

    person: Person
    moment: time
    top: float


def draw(sheet: Sheet) -> None:
    """Three people at most, each written down by whoever was at the desk."""
    for place in range(sheet.wanted(SLIPS, SLIPS)):
        sheet.take_up_pen()
        visit = Visit(sheet.patient(), sheet.moment(), TOP + HIGH * place)
        _printed(sheet, visit.top)
        _written(sheet, visit)
        _nam(sheet, visit)


def _printed(sheet: Sheet, top: float) -> None:
    sheet.frame(LEFT - 8, top, RIGHT + 8, top + HIGH - 14, 0.8)
    sheet.bold(LEFT, top + 18, sheet.setting.clinic.name, 10.5)
    sheet.text(LEFT, top + 28, f"Tél. {sheet.setting.clinic.telephone}", 7)
    sheet.bold(RIGHT, top + 18, "FICHE DE VISITE", 10.5, align="right")
    sheet.text(RIGHT, top + 28, "Écrire lisiblement en lettres moulées", 7, align="right")
    lines = (
        (58, LEFT, "Nom :", 330), (58, 340, "Prénom :", RIGHT), (128, LEFT, "Date :", 220), (128, 232, "Heure :", 350),
        (128, 362, "Né(e) le :", RIGHT), (160, LEFT, "Téléphone :", 262), (160, 274, "Raison :", RIGHT),
        (192, LEFT, "Notes :", RIGHT),
    )  # fmt: skip
    for y, x, caption, end in lines:
        box = sheet.text(x, top + y, caption, 8.5)
        sheet.line(box.x1 * 612 + 4, top + y + 2, end, top + y + 2, 0.5)
    sheet.line(LEFT, top + 214, RIGHT, top + 214, 0.5)


def _written(sheet: Sheet, visit: Visit) -> None:
    rng, top, person = sheet.rng, visit.top, visit.person
    day, clock = rng.choice(DATE_STYLES), rng.choice((hour_time, tight_time, tight_time))
    values = (
        (58, LEFT + 30, person.surname.upper() if rng.random() < 1 / 2 else person.surname, 255),
        (58, 382, person.given_name, 180), (128, LEFT + 32, day(sheet.setting.day), 145),
        (128, 270, clock(visit.moment), 78), (128, 408, iso_date(person.birth), 150),
        (160, LEFT + 54, invent_telephone(rng), 165), (160, 312, rng.choice(REASONS), 250),
    )  # fmt: skip
    for y, x, words, room in values:
        sheet.fill(x + rng.uniform(0, 6), top + y + rng.uniform(-3, 1.5), words, SIZE, room=room)


def _nam(sheet: Sheet, visit: Visit) -> None:
    """On a line, in three boxes, or one character a box."""
    y, day, moment = visit.top + 94, sheet.setting.day, visit.moment
    sheet.bold(LEFT, y, "Nº d'assurance maladie", 8)
    form = sheet.rng.choices(("line", "boxes", "comb"), weights=(5, 2, 3))[0]
    if form == "line":
        sheet.line(LEFT + 122, y + 2, 414, y + 2, 0.5)
        style = usual_style(sheet.rng, NamStyle(CARD, " "))
        sheet.nam(LEFT + 128, y - 2, visit.person, 14, day=day, moment=moment, style=style, room=270)
    elif form == "boxes":
        cells = [(LEFT + 128 + 84 * place, LEFT + 206 + 84 * place) for place in range(3)]
        for left, right in cells:
            sheet.frame(left, y - 16, right, y + 5, 0.5)
        sheet.nam_in_cells(cells, CARD, y, visit.person, 14, day=day, moment=moment)
    else:
        box = sheet.comb(LEFT + 128, y, visit.person.nam, 13, pitch=21, gaps=(4, 8))
        sheet.know(visit.person, box, visit.person.nam, day, moment)
