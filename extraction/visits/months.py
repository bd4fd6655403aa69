"""Days whose month or year stands elsewhere on the page. Pure.

A register may state its month once, "Février 2026" above a column of days. Such a column says the day where it changes,
so that a row without one is of the day above. It must have a head that asks for days: numbers that go up beside people
are more often their rank. A notebook has its year in the title, and a narrow cell under the day.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from datetime import date
from typing import NamedTuple

from extraction.layout import Layout, plain
from extraction.page import Box
from extraction.visits.moments import MONTHS, DateMatch

_NAMES = "|".join(sorted(MONTHS, key=len, reverse=True))
_MONTH = re.compile(
    r"(?:(?<=[\n\t])|\A)(?:mois[ ](?:de[ ]|d')|month[ ]of[ ])?"
    rf"(?P<name>{_NAMES})\.?,?[ ](?P<year>20[0-9]{{2}})"
    r"(?:[ ]\(?(?:suite|cont)[a-z'.]*\)?)?(?=[\t\n])"
)
_DAY = re.compile(
    rf"(?:(?<=[\n\t])|\A)(?:[a-z]{{3,8}}\.?,?[ ])?(?P<day>[0-9]{{1,2}})(?:er)?[ ]?(?P<name>{_NAMES})\.?"
    r"(?=[ ]?[\n\t]|[ ][0-9]{1,2}[ ]?[h:])"
)
_YEAR = re.compile(r"(?<![a-z0-9/.\-])20[0-9]{2}(?![a-z0-9/.\-])")
_DAY_HEADS = frozenset(("le", "j", "jr", "jour", "date", "quantieme", "day"))
_EDGE = 0.02
"""Cells that start within this part of the page's width stand below each other."""
_HEAD_ROWS = 4
"""The head stands within so many rows above the first number."""


class DayOfMonth(NamedTuple):
    """The day of a row, and where it is written: there or further up."""

    row: int
    value: date
    box: Box


def days_of_year(layout: Layout, *, alone: bool) -> list[DateMatch]:
    """The days without a year that begin their cells ("14 août"), in the year that stands in the cell below, or, where
    they are the only dates of the page (`alone`), in the only year that stands there.
    """
    found = list(_DAY.finditer(layout.folded))
    if not found:
        return []
    years = [each.span() for each in _YEAR.finditer(layout.folded)]
    only = {layout.folded[slice(*span)] for span in years} if alone else set()
    days = []
    for each in found:
        year = _year_below(layout, each.start("day"), years) or (only.copy().pop() if len(only) == 1 else None)
        try:
            value = date(int(year), MONTHS[each["name"]], int(each["day"])) if year else None
        except ValueError:
            continue
        if value is not None:
            days.append(DateMatch(each.start("day"), each.end(), value))
    return days


def _year_below(layout: Layout, start: int, years: list[tuple[int, int]]) -> str | None:
    """The year that stands alone in the cell under what begins at `start`."""
    row, left = layout.row_at(start), layout.left(layout.cell(start)[0])
    for span in years:
        below = layout.row_at(span[0]) in (row + 1, row + 2) and layout.cell(span[0]) == span
        if below and abs(layout.left(span[0]) - left) < _EDGE:
            return layout.folded[slice(*span)]
    return None


def days_of_month(layout: Layout, taken: Collection[int]) -> list[DayOfMonth]:
    """The days of the rows `taken` by numbers; none where the page is not set so, or its days do not go up."""
    first = min(taken, default=0)
    start = layout.rows[first].start if first else 0
    months = {(int(found["year"]), MONTHS[found["name"]]) for found in _MONTH.finditer(layout.folded, 0, start)}
    head = _head(layout, first) if len(months) == 1 else None
    if head is None:
        return []
    (year, month), row = months.pop(), head[0]
    days: list[DayOfMonth] = []
    day: tuple[date, Box] | None = None
    for number, text, box in _column(layout, row, head[1]):
        if text is not None and box is not None:
            day = _date(year, month, text, box)
            if day and days and day[0] < days[-1].value:
                return []
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


def _date(year: int, month: int, text: str, box: Box) -> tuple[date, Box] | None:
    try:
        return date(year, month, int(text)), box
    except ValueError:
        return None
