"""Intake cards that people fill in themselves, four a page: the labels stand below the lines."""

from __future__ import annotations

from datetime import date, time

from extraction.corpus.layouts.held_out.wording import bare_french_date, padded_tight_time, spaced_iso_date
from extraction.corpus.layouts.sheet import Sheet
from extraction.corpus.people import Person, invent_telephone
from extraction.corpus.wording import CARD, SHORT, NamStyle, colon_time, hour_time, iso_date, long_date

CARDS, TOP, HIGH = 4, 26.0, 186.0
FIRST, SECOND, END = 52.0, 322.0, 566.0
SIZE = 12.0


def draw(sheet: Sheet) -> None:
    """Every card has a writer of its own."""
    for place in range(sheet.wanted(CARDS, CARDS)):
        sheet.take_up_pen()
        top = TOP + HIGH * place
        _printed(sheet, top)
        _written(sheet, top, sheet.patient(), (sheet.setting.day, sheet.moment(8, 18, 5)))


def _printed(sheet: Sheet, top: float) -> None:
    sheet.frame(38, top, 580, top + HIGH - 12, 0.5)
    sheet.bold(52, top + 18, "BIENVENUE - carte d'accueil", 10)
    sheet.text(566, top + 18, sheet.setting.clinic.name, 8.5, align="right")
    lines = (
        (52, FIRST, 296, "prénom et nom"), (52, SECOND, END, "numéro d'assurance maladie (carte soleil)"),
        (92, FIRST, 178, "date d'aujourd'hui"), (92, 196, 296, "heure d'arrivée"), (92, SECOND, END, "né(e) le"),
        (132, FIRST, 296, "téléphone"), (132, SECOND, END, "raison de la visite"),
    )  # fmt: skip
    for y, left, right, caption in lines:
        sheet.line(left, top + y, right, top + y, 0.5)
        sheet.text(left, top + y + 8, caption, 6.5)


def _written(sheet: Sheet, top: float, person: Person, visit: tuple[date, time]) -> None:
    rng, (day, moment) = sheet.rng, visit
    said = rng.choice((bare_french_date, spaced_iso_date, iso_date, long_date))(day)
    clock = rng.choice((padded_tight_time, colon_time, hour_time))(moment)
    values = (
        (52, FIRST, person.full_name, 236), (92, FIRST, said, 122), (92, 200, clock, 92),
        (92, SECOND, iso_date(person.birth), 150), (132, FIRST, invent_telephone(rng), 200),
        (132, SECOND, rng.choice(("fatigue", "suivi", "mal d'oreille", "toux", "vaccin", "papiers", "genou")), 200),
    )  # fmt: skip
    for y, x, words, room in values:
        sheet.fill(x + rng.uniform(2, 8), top + y - 4 + rng.uniform(-2, 2), words, SIZE, room=room)
    style = NamStyle(*rng.choice(((CARD, " "), (CARD, " "), (SHORT, ""), (CARD, "-"))))
    line = top + 48 + rng.uniform(-2, 2)
    sheet.nam(SECOND + rng.uniform(2, 10), line, person, 13, day=day, moment=moment, style=style, room=225)
