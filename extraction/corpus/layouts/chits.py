"""Small chits with printed captions that a clerk fills in by hand: two lines each, down the page or two across."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, time

from extraction.corpus.layouts.sheet import WIDTH, Sheet
from extraction.corpus.wording import (
    CARD,
    NamStyle,
    colon_time,
    day_first,
    hour_time,
    iso_date,
    long_date,
    short_date,
    slashed,
    tight_time,
    usual_style,
)

NAMS, TOP, HIGH, SIZE = 6, 86.0, 104.0, 12.0
NO_TIME = 0.1
DAYS: tuple[Callable[[date], str], ...] = (iso_date, long_date, short_date, day_first, slashed)
TIMES: tuple[Callable[[time], str], ...] = (colon_time, hour_time, tight_time)


def draw(sheet: Sheet) -> None:
    """Six people at most, all written by one clerk."""
    rng, day = sheet.rng, sheet.setting.day
    sheet.letterhead(40)
    sheet.bold(
        576, 40, rng.choice(("COUPONS D'ACCUEIL", "BILLETS DE PASSAGE", "REGISTRATION CHITS")), 11, align="right"
    )
    sheet.take_up_pen()
    pen, below = sheet.hand, rng.random() < 1 / 3
    own_day, say_day, say_time = rng.random() < 2 / 3, rng.choice(DAYS), rng.choice(TIMES)
    if not own_day:
        _field(sheet, (300, 68), 560, "Date :", say_day(day), below=False)
    order = rng.choice((("nam", "day", "clock"), ("day", "clock", "nam"), ("clock", "nam", "day")))
    for place in range(sheet.wanted(NAMS, NAMS)):
        sheet.hand, top = pen, TOP + HIGH * place
        person, moment = sheet.patient(), None if rng.random() < NO_TIME else sheet.moment()
        sheet.frame(36, top, 576, top + HIGH - 12, 0.6)
        name = person.surname.upper() + ", " + person.given_name
        _field(sheet, (44, top + 30), 330, "Nom", name, below=below)
        _field(sheet, (342, top + 30), 568, "Né(e) le", iso_date(person.birth), below=below)
        x = 44.0
        for key in order:
            if key == "nam":
                caption, box = _caption(sheet, (x, top + 68), x + 230, "NAM", below=below)
                style = usual_style(rng, NamStyle(CARD, " "))
                sheet.nam(
                    caption, top + 67, person, SIZE + 0.5, day=day, moment=moment, style=style, room=box - caption
                )
                x += 242
            elif key == "clock":
                _field(sheet, (x, top + 68), x + 100, "Heure", say_time(moment) if moment else "", below=below)
                x += 112
            elif own_day:
                _field(sheet, (x, top + 68), x + 160, "Date", say_day(day), below=below)
                x += 172


def _caption(sheet: Sheet, at: tuple[float, float], end: float, words: str, *, below: bool) -> tuple[float, float]:
    """A printed caption before its line or below it; gives where the value may stand, from and to."""
    x, y = at
    left = x + 2 if below else sheet.text(x, y, words, 8).x1 * WIDTH + 4
    if below:
        sheet.text(x, y + 10, words, 6.5)
    sheet.line(left - 2, y + 2, end, y + 2, 0.4)
    return left + sheet.rng.uniform(0, 3), end - 4


def _field(sheet: Sheet, at: tuple[float, float], end: float, words: str, value: str, *, below: bool) -> None:
    left, right = _caption(sheet, at, end, words, below=below)
    if value:
        sheet.fill(left, at[1] + sheet.rng.uniform(-2.5, 1), value, SIZE, room=right - left)
