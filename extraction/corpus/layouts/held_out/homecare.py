"""A nurse's round of home visits, written on a clipboard: two lines a person, the NAM on the second."""

from __future__ import annotations

from collections.abc import Callable
from datetime import time

from extraction.corpus.layouts.held_out.wording import bare_french_date, day_dotted_date, padded_tight_time
from extraction.corpus.layouts.sheet import Sheet
from extraction.corpus.people import invent_street
from extraction.corpus.wording import CARD, NamStyle, iso_date, tight_time, usual_style

NAMS, ROWS, TOP, ROW = 9, 10, 118.0, 62.0
CARE = ("pansement", "injection", "prise de sang", "sonde", "TA + glycémie", "soins de plaie", "INR")
UNKNOWN = 0.1


def draw(sheet: Sheet) -> None:
    """One writer for the whole page; a few people have no time yet."""
    rng = sheet.rng
    sheet.bold(306, 40, "SOINS À DOMICILE - TOURNÉE", 14, align="centre")
    sheet.text(40, 70, f"Secteur {rng.randint(1, 9)}", 9)
    sheet.text(40, 88, "Tournée du", 9)
    sheet.line(94, 90, 300, 90, 0.5)
    sheet.text(330, 88, "Infirmière", 9)
    sheet.line(378, 90, 572, 90, 0.5)
    sheet.take_up_pen()
    sheet.fill(100, 87, rng.choice((bare_french_date, day_dotted_date, iso_date))(sheet.setting.day), 13, room=190)
    sheet.scribble(400, 84)
    clock = rng.choice((tight_time, padded_tight_time))
    moments = sorted(sheet.moment(8, 16, 15) for _ in range(sheet.wanted(NAMS, ROWS)))
    for row, moment in enumerate(moments):
        _visit(sheet, TOP + ROW * row, None if rng.random() < UNKNOWN else moment, clock)
    for row in range(ROWS + 1):
        sheet.line(40, TOP + ROW * row, 572, TOP + ROW * row, 0.4)


def _visit(sheet: Sheet, top: float, moment: time | None, clock: Callable[[time], str]) -> None:
    rng, person = sheet.rng, sheet.patient()
    sheet.text(40, top + 10, "hre", 6.5)
    sheet.text(110, top + 10, "nom", 6.5)
    sheet.text(110, top + 40, "NAM", 6.5)
    if moment:
        sheet.fill(44, top + 28 + rng.uniform(-3, 3), clock(moment), 13, room=62)
    sheet.fill(128, top + 24 + rng.uniform(-3, 3), person.full_name, 12.5, room=190)
    style = usual_style(rng, NamStyle(CARD, " "))
    sheet.nam(
        138, top + 51 + rng.uniform(-3, 3), person, 13, day=sheet.setting.day, moment=moment, style=style, room=180
    )
    sheet.fill(346, top + 24 + rng.uniform(-3, 3), invent_street(rng), 11, room=215)
    sheet.fill(350, top + 51 + rng.uniform(-3, 3), rng.choice(CARE), 12, room=190)
