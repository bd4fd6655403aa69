"""A list in sections by day: the day stands alone in the line that opens its section, in one column or in two."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, time, timedelta

from extraction.corpus.layouts.sheet import Sheet
from extraction.corpus.people import Person, invent_telephone
from extraction.corpus.wording import (
    TIME_STYLES,
    day_first,
    english_date,
    full_date,
    full_english_date,
    iso_date,
    long_date,
    slashed_day_first,
    weekday_date,
)

NAMS, TOP, FOOT = 20, 116.0, 752.0
TITLES = ("Carnet de rendez-vous", "Liste de rappel", "Horaire des soins", "Appointment book", "Suivis de la semaine")
SERVICES = ("Ergothérapie", "Nutrition", "Soins courants", "Orthophonie", "Santé mentale", "Audiologie")
WITHOUT_TIME = 0.08


def _upper_date(day: date) -> str:
    """LUNDI 6 OCTOBRE 2025."""
    return full_date(day).upper()


def _capital_date(day: date) -> str:
    """Lundi, le 6 octobre 2025."""
    name, _, rest = full_date(day).partition(" ")
    return f"{name.capitalize()}, le {rest}"


DAYS: tuple[Callable[[date], str], ...] = (
    full_date, long_date, iso_date, _upper_date, _capital_date, weekday_date, day_first, slashed_day_first,
    full_english_date, english_date,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Style:
    """How a page sets its sections: `lefts` are the edges of the columns, `wide` the width of one."""

    lefts: tuple[float, ...]
    wide: float
    say_day: Callable[[date], str]
    say_time: Callable[[time], str] | None
    look: str
    step: float
    two_lines: bool
    again: bool


def draw(sheet: Sheet) -> None:
    """Two to six days of a week or two. A section may run over to the next column, with its day repeated or not."""
    style = _style(sheet)
    sheet.letterhead(44)
    sheet.bold(36, 92, f"{sheet.rng.choice(TITLES)} – {sheet.rng.choice(SERVICES)}", 12)
    rows = _rows(sheet, style)
    for x in style.lefts:
        y, first = TOP, True
        while y < FOOT - 2 * style.step and (row := next(rows, None)) is not None:
            day, opens = row
            if opens or (first and style.again and x > style.lefts[0]):
                y = _heading(sheet, style, (x, y), day if opens else None, day)
            _entry(sheet, style, (x, y), day)
            y += style.step * (2 if style.two_lines else 1)
            first = False
    sheet.foot(f"Produit le {iso_date(sheet.setting.day - timedelta(days=2))} 06:30")


def _style(sheet: Sheet) -> _Style:
    rng = sheet.rng
    double = rng.random() < 1 / 2
    return _Style(
        (36.0, 312.0) if double else (36.0,),
        264.0 if double else 540.0,
        rng.choice(DAYS),
        rng.choice((*TIME_STYLES, None)),
        rng.choice(("plain", "bold", "boxed", "underlined", "centred", "right", "shaded", "labelled")),
        rng.choice((13.0, 15.0, 18.0)),
        double or rng.random() < 1 / 3,
        rng.random() < 1 / 2,
    )


def _rows(sheet: Sheet, style: _Style) -> Iterator[tuple[date, bool]]:
    """The day of each person, and whether they are the first of it."""
    day, left = sheet.setting.day, sheet.wanted(NAMS, 22)
    while left > 0:
        section = min(left, sheet.rng.randint(2, 8))
        yield from ((day, place == 0) for place in range(section))
        left -= section
        day += timedelta(days=sheet.rng.choice((1, 1, 2, 5)))


def _heading(sheet: Sheet, style: _Style, at: tuple[float, float], opens: date | None, day: date) -> float:
    """The line with the day; gives the baseline of the first entry below it."""
    (x, y), wide, look = at, style.wide, style.look
    y += 6
    said = style.say_day(day) + ("" if opens else " (suite)")
    said = f"Date : {said}" if look == "labelled" else said
    right = x + wide
    if look == "shaded":
        sheet.shade(x, y - 10, right, y + 4, 0.87)
    if look == "boxed":
        sheet.frame(x, y - 11, right, y + 4, 0.6)
    place = {"centred": ((x + right) / 2, "centre"), "right": (right, "right")}.get(look, (x + 2, "left"))
    put = sheet.text if look in ("plain", "underlined") else sheet.bold
    box = put(place[0], y, said, 10, align=place[1])
    if look == "underlined":
        sheet.line(box.x0 * 612, y + 2, box.x1 * 612, y + 2, 0.6)
    return y + style.step


def _entry(sheet: Sheet, style: _Style, at: tuple[float, float], day: date) -> None:
    (x, y), rng, person = at, sheet.rng, sheet.patient()
    moment = sheet.moment() if style.say_time and rng.random() > WITHOUT_TIME else None
    if style.say_time:
        sheet.text(x + 2, y, style.say_time(moment) if moment else "–", 8.5)
    if style.two_lines:
        sheet.text(x + 54, y, sheet.fit(person.index_name, 8.5, style.wide - 60), 8.5)
        sheet.nam(x + 54, y + style.step - 3, person, 8.5, day=day, moment=moment)
        sheet.text(x + 156, y + style.step - 3, _rest(sheet, person), 8)
    else:
        sheet.text(x + 54, y, sheet.fit(person.index_name, 8.5, 170), 8.5)
        sheet.nam(x + 236, y, person, 8.5, day=day, moment=moment)
        sheet.text(x + 350, y, _rest(sheet, person), 8)
        sheet.text(x + wide_of(style), y, f"Dos. {rng.randint(1_000, 99_999)}", 8, align="right")


def wide_of(style: _Style) -> float:
    return style.wide - 2


def _rest(sheet: Sheet, person: Person) -> str:
    """A telephone or a birth date."""
    return invent_telephone(sheet.rng) if sheet.rng.random() < 1 / 2 else iso_date(person.birth)
