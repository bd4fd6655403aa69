"""Dates whose parts stand apart: in columns of their own, the month above the days, the year elsewhere. Pure.

A register that states its month once, "Février 2026", says the day where it changes, so that a row without one is of
the day above, unless its hour is an earlier one: then a day was not read. Its column must have a head that asks for
days: numbers that go up beside people are more often their rank.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence
from datetime import date, time
from itertools import pairwise
from typing import NamedTuple

from extraction.layout import Layout, Row, plain
from extraction.page import Box
from extraction.visits.moments import LONE_YEAR, MONTH_NAMES, MONTHS, DateMatch, TimeMatch

_MONTH = re.compile(
    r"(?:(?<=[\n\t])|\A)(?:mois[ ](?:de[ ]|d')|month[ ]of[ ])?"
    rf"(?P<name>{MONTH_NAMES})\.?,?[ ](?P<year>20[0-9]{{2}})"
    r"(?:[ ]\(?(?:suite|cont)[a-z'.]*\)?)?(?=[\t\n])"
)
_NO_YEAR = re.compile(
    rf"(?:(?P<d1>[0-9]{{1,2}})(?:er)?[ ](?P<n1>{MONTH_NAMES})"
    rf"|(?P<n2>{MONTH_NAMES})\.?[ ](?P<d2>[0-9]{{1,2}})(?:st|nd|rd|th)?)[.,]?"
)
_YEAR = re.compile(r"20[0-9]{2}(?=[\t\n])")
_DAY = re.compile(
    rf"(?:(?<=[\n\t])|\A)(?:[a-z]{{3,8}}\.?,?[ ])?(?P<day>[0-9]{{1,2}})(?:er)?[ ]?(?P<name>{MONTH_NAMES})\.?"
    r"(?=[ ]?[\n\t]|[ ][0-9]{1,2}[ ]?[h:])"
)
_DAY_AND_MONTH = re.compile(r"(?<=[\n\t])(?P<day>[0-3]?[0-9])[ ]?/[ ]?\.?(?P<month>[01]?[0-9])(?=[\n\t])")
_MONTHS_OF_A_YEAR = 12
_YEAR_OF = re.compile(r"\b(?:annee|year|exercice)[ ]?:?[ ](?P<of>20[0-9]{2})(?![a-z0-9/.\-])")
_NAMED_PARTS = re.compile(
    r"\bannee[ :\t]{1,3}(?P<year>2[ .]?0[ .]?[0-9][ .]?[0-9])[ \t]{1,2}mois[ :\t]{1,3}(?P<month>[01]?[ .]?[0-9])"
    r"[ \t]{1,2}jo[ ]?u[ ]?r[ :\t]{1,3}(?P<day>[0-3]?[ .]?[0-9])(?![0-9])"
)
_ANY_YEAR = re.compile(r"20[0-9]{2}(?=[ \t\n])")
_YEAR_ALONE = re.compile(r"20[0-9]{2}")
_YEAR_PART, _DAY_PART = "annee|an|aaaa|year|yyyy", "jours?|jr|jj|j|days?|dd"
_FIRST_PART = re.compile(rf"(?<![a-z])(?:(?P<year>{_YEAR_PART})|{_DAY_PART})\.?[ \t]\Z")
_PARTS = re.compile(rf"m(?:ois|onth|o|m)\.?[ \t](?:(?P<year>{_YEAR_PART})|{_DAY_PART})(?![a-z])\.?")
_CLOCK_PARTS = re.compile(r"[ \t](?:h|hr|hre|heure|hour)s?\.?[ \t](?:min|mn|minutes?)(?![a-z])")
_CLOCK = re.compile(r"(?:[01]?[0-9]|2[0-3]):[0-5][0-9]")
_FULL_HOUR = re.compile(r"([012]?[0-9])[ \t.:]{1,2}(00)(?![^ \t\n])")
_MINUTES = re.compile(r"([0-5][05])(?![^ \t\n])")
_HOURS_OF_A_DAY, _FEWEST_HOURS = 24, 3
_LONGEST_PART = 8
"""Characters of the head of a part, as in "AN MO JR H MIN"."""
_SAME_COLUMN = 0.02
_DAY_HEADS = frozenset(("le", "j", "jr", "jour", "date", "quantieme", "day"))
_HEAD_ROWS = 4
"""The head stands within so many rows above the first number."""


class DayOfMonth(NamedTuple):
    """The day of a row, and where it is written: there or further up."""

    row: int
    value: date
    box: Box


def over_their_years(layout: Layout) -> Iterator[DateMatch]:
    """The dates of narrow cells, which have their year in the next line: "28 juillet" over "2025"."""
    for year in _YEAR.finditer(layout.folded):
        row = layout.row_at(year.start())
        if not row or layout.folded[year.start() - 1] not in "\n\t":
            continue
        left = layout.left(year.start())
        for start, end in layout.cells(row - 1):
            found = _NO_YEAR.fullmatch(layout.folded, start, end)
            if found and abs(layout.left(start) - left) < _SAME_COLUMN:
                value = _date(int(year[0]), MONTHS[found["n1"] or found["n2"]], found["d1"] or found["d2"])
                if value is not None:
                    yield DateMatch(start, end, value)


def in_named_parts(layout: Layout) -> Iterator[DateMatch]:
    """The dates whose parts a form asks for one by one: "Année 2025 Mois 09 Jour 11", as a hand fills its boxes."""
    for found in _NAMED_PARTS.finditer(layout.folded) if "annee" in layout.folded else ():
        year, month, day = ("".join(filter(str.isdecimal, part)) for part in found.group("year", "month", "day"))
        value = _date(int(year), int(month), day)
        if value is not None:
            yield DateMatch(found.start("year"), found.end(), value)


def days_of_year(layout: Layout) -> Iterator[DateMatch]:
    """The days without a year that begin their cells ("14 août"), of the year that the page says it is of, or the only
    one that stands on it: for notebooks that have it in their title, and no other dates.
    """
    years = {found["of"] for found in _YEAR_OF.finditer(layout.folded)}
    years = years or set(LONE_YEAR.findall(layout.folded))
    if len(years) != 1:
        return
    days = [(found, MONTHS[found["name"]]) for found in _DAY.finditer(layout.folded)]
    cells = list(_DAY_AND_MONTH.finditer(layout.folded))
    # One day beyond the twelfth tells which of the two is the month.
    if any(int(found["day"]) > _MONTHS_OF_A_YEAR for found in cells):
        days += [(found, int(found["month"])) for found in cells]
    year = int(years.pop())
    for found, month in days:
        value = _date(year, month, found["day"])
        if value is not None:
            yield DateMatch(found.start("day"), found.end(), value)


def in_columns_of_parts(layout: Layout) -> tuple[list[DateMatch], list[TimeMatch]]:
    """The dates and times of a table that has a column for each part: year, month and day, hour and minutes."""
    dates: list[DateMatch] = []
    times: list[TimeMatch] = []
    for found in _PARTS.finditer(layout.folded):
        first = _FIRST_PART.search(layout.folded, max(0, found.start() - _LONGEST_PART), found.start())
        if first is None or (first["year"] is None) == (found["year"] is None):
            continue
        clock = _CLOCK_PARTS.match(layout.folded, found.end())
        heads = layout.words_in(first.start(), clock.end() if clock else found.end())
        if len(heads) != (5 if clock else 3):
            continue
        for number in sorted({layout.row_at(year.start()) for year in _ANY_YEAR.finditer(layout.folded, found.end())}):
            spans = [_under(layout, layout.rows[number], head.box) for head in heads]
            parts = [layout.folded[slice(*span)] if span else "" for span in spans]
            day = _of_parts(parts[:3] if first["year"] else parts[2::-1])
            if day is not None and spans[0] and spans[2]:
                dates.append(DateMatch(spans[0][0], spans[2][1], day))
            if day is not None and clock and spans[3] and spans[4] and _CLOCK.fullmatch(":".join(parts[3:5])):
                times.append(TimeMatch(spans[3][0], spans[4][1], time(int(parts[3]), int(parts[4]))))
    return dates, times


def in_an_agenda(layout: Layout) -> list[TimeMatch]:
    """The times of an agenda that prints each hour once and behind it only minutes: 9 00, then 20 and 40 below."""
    times: list[TimeMatch] = []
    hours: list[int] = []
    for row in layout.rows:
        found = _FULL_HOUR.match(layout.folded, row.start, row.end) or _MINUTES.match(layout.folded, row.start, row.end)
        if found is None:
            continue
        if found.re is _FULL_HOUR:
            hours.append(int(found[1]))
        if hours and hours[-1] < _HOURS_OF_A_DAY:
            times.append(TimeMatch(*found.span(), time(hours[-1], int(found[found.re.groups]))))
    goes_on = all(above.value < below.value for above, below in pairwise(times))
    return times if len(hours) >= _FEWEST_HOURS and len(times) >= 2 * len(hours) and goes_on else []


def _under(layout: Layout, row: Row, head: Box) -> tuple[int, int] | None:
    """The span of the word of a row that stands below a head."""
    for at in range(bisect_left(layout.starts, row.start), bisect_left(layout.starts, row.end)):
        box = layout.words[at].box
        if box.x0 > head.x1:
            return None
        if box.is_over(head):
            start = layout.starts[at]
            return start, (*layout.starts[at + 1 : at + 2], row.end + 1)[0] - 1
    return None


def _of_parts(parts: Sequence[str]) -> date | None:
    """The date of a year, a month and a day, if they are written as these."""
    year, month, day = parts
    return _date(int(year), int(month), day) if _YEAR_ALONE.fullmatch(year) and month.isdecimal() else None


def days_of_month(layout: Layout, taken: Collection[int], times: Sequence[TimeMatch]) -> list[DayOfMonth]:
    """The days of the rows `taken` by numbers; none where the page is not set so, or its days do not go up.

    `times` are those of the page, in reading order.
    """
    first = min(taken, default=0)
    start = layout.rows[first].start if first else 0
    months = {(int(found["year"]), MONTHS[found["name"]]) for found in _MONTH.finditer(layout.folded, 0, start)}
    head = _head(layout, first) if len(months) == 1 else None
    if head is None:
        return []
    (year, month), row = months.pop(), head[0]
    days: list[DayOfMonth] = []
    day: tuple[date, Box] | None = None
    clocks = {layout.row_at(match.start): match.value for match in reversed(times)}
    before = time.min
    for number, text, box in _column(layout, row, head[1]):
        clock = clocks.get(number, before)
        if text is not None and box is not None:
            value = _date(year, month, text)
            day = (value, box) if value else None
            if day and days and day[0] < days[-1].value:
                return []
        elif clock < before:
            day = None
        before = clock
        if day and number in taken:
            days.append(DayOfMonth(number, *day))
    return days


def _head(layout: Layout, first: int) -> tuple[int, Box] | None:
    """The row and the box of the head of a column of days above the row `first`: the first word of its row."""
    for number in range(first - 1, max(-1, first - 1 - _HEAD_ROWS), -1):
        row = layout.rows[number]
        word = layout.words_in(row.start, row.end)[0]
        if plain(word.text).lower().rstrip(".:") in _DAY_HEADS:
            return number, word.box
    return None


def _column(layout: Layout, head_row: int, head: Box) -> Iterator[tuple[int, str | None, Box | None]]:
    """Each row below a head with the word that begins it in the column, if one does."""
    for number in range(head_row + 1, len(layout.rows)):
        row = layout.rows[number]
        word = layout.words_in(row.start, row.end)[0]
        yield (number, word.text, word.box) if word.box.is_over(head) else (number, None, None)


def _date(year: int, month: int, day: str) -> date | None:
    try:
        return date(year, month, int(day))
    except ValueError:
        return None
