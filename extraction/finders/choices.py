"""What an answer about a page may say: the page's own numbers, each with the dates and times that it may have. Pure.

A small model that copies twelve characters gets one in ten wrong: it writes DESCO for DESO, or begins a number with the
end of the one before. Held to a list of what the page prints, it can only choose, and what it never saw it cannot say.
Everything that has roughly a number's shape is on the list, whatever the page calls it: telling numbers from what looks
like them is the model's part. What it says is traced back to the page all the same (`finders.model`).

A time in the row of one number is not another one's, nor is one in another number's block. So a number has one of the
times of its own row, else one of those around it in its block, or may have one that stands with no number. It has the
date of its own row if there is one, else it may have one of those in rows without a number: days stand above lists.
A date that a number says itself is somebody's birth date.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import inf
from typing import NamedTuple

from extraction import nam
from extraction.finders import pattern
from extraction.finders.repair import LETTERS
from extraction.layout import Layout, block_starts
from extraction.llm.prompts import visible
from extraction.visits.moments import (
    DateMatch,
    TimeMatch,
    bare_times_in,
    dates_in,
    puts_month_first,
    stays_in,
    times_in,
)

_RUN = re.compile(r"[a-z]+|[0-9]+")
_FARTHEST = 3
"""Characters between two groups of a number."""
_REST = re.compile("[0-9oqdilszbga]{6}[0-9a-z][0-9oqdilszbga]")
"""Digits, or what readers make of them; the sequence character may be a letter."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A number as an answer writes it, and the dates and times that it may have; "" stands for none.

    `repeats` says that its date may be the one of the number before.
    """

    number: str
    dates: tuple[str, ...] = ("",)
    times: tuple[str, ...] = ("",)
    repeats: bool = True


class _Printed(NamedTuple):
    """A text and the row that it stands in."""

    row: int
    text: str


def choices(layout: Layout) -> list[Choice]:
    """What there is to choose on a page, in reading order."""
    places = _places(layout)
    numbers = [_Printed(layout.row_at(start), text) for start, _, text in places]
    if not numbers:
        return []
    nearby = _Nearby(layout, sorted({number.row for number in numbers}))
    births = {nam.birth_date(nam.normalise(number.text)) for number in numbers}
    dates, times = _dates(layout, births), _times(layout, places)
    found: list[Choice] = []
    for row, text in numbers:
        own = nearby.dates(dates, row)
        repeats = not found or "" in own or own == found[-1].dates
        found.append(Choice(text, own, nearby.times(times, row), repeats))
    return found


def rows_of(layout: Layout) -> set[int]:
    """The rows in which something stands that there is to choose, a date that a number says itself included."""
    places = _places(layout)
    times = _times(layout, places)
    return {layout.row_at(start) for start, _, _ in places} | {each.row for each in (*_dates(layout, ()), *times)}


class _Nearby:
    """Whose what is on a page with numbers in these rows, in order."""

    def __init__(self, layout: Layout, rows: Sequence[int]) -> None:
        self.rows = rows
        self.blocks = sorted(block_starts(layout))
        self.taken = {self._block(row) for row in rows}

    def times(self, printed: Sequence[_Printed], row: int) -> tuple[str, ...]:
        """The times of the number in this row: those of its row, else of its block, else those of nobody or none."""
        own = _in_row(printed, row) or self._around(printed, row)
        return own or ("", *_once(text for at, text in printed if self._block(at) not in self.taken))

    def dates(self, printed: Sequence[_Printed], row: int) -> tuple[str, ...]:
        """Its dates: that of its row, else those of rows without a number or none."""
        own = _in_row(printed, row)
        return own if len(own) == 1 else ("", *(own or _once(text for at, text in printed if at not in self.rows)))

    def _around(self, printed: Sequence[_Printed], row: int) -> tuple[str, ...]:
        """What stands between the numbers above and below it in its block."""
        place = bisect_left(self.rows, row)
        above = self.rows[place - 1] if place else -1
        below = self.rows[place + 1] if place + 1 < len(self.rows) else inf
        block = self._block(row)
        return _once(text for at, text in printed if above < at < below and self._block(at) == block)

    def _block(self, row: int) -> int:
        return bisect_right(self.blocks, row)


def _in_row(printed: Sequence[_Printed], row: int) -> tuple[str, ...]:
    return _once(text for at, text in printed if at == row)


def spans_in(folded: str) -> Iterator[tuple[int, int]]:
    """Twelve letters and digits of a row that may be a number's, in whatever groups, begun where their kind changes."""
    runs = [found.span() for found in _RUN.finditer(folded)]
    for first, (start, end) in enumerate(runs):
        glyphs = folded[start:end]
        for begin, stop in runs[first + 1 :]:
            if len(glyphs) >= nam.LENGTH or begin - end > _FARTHEST or "\n" in folded[end:begin]:
                break
            glyphs += folded[begin:stop]
            end = stop  # noqa: PLW2901 - the span grows with its characters
        if len(glyphs) == nam.LENGTH and _is_like(glyphs):
            yield start, end


def _is_like(glyphs: str) -> bool:
    return pattern.has_letters(glyphs) and pattern.has_digits(glyphs) and _REST.fullmatch(glyphs[LETTERS:]) is not None


_Place = tuple[int, int, str]
"""Start and end of a number in the layout's text, in its first row if it has several, and what it says."""


def _places(layout: Layout) -> list[_Place]:
    """Everything with roughly the shape of a number, in reading order, each once."""
    days = [(date.start, date.end) for date in dates_in(layout.folded)]
    in_rows = ((start, end, layout.printed[start:end], False) for start, end in spans_in(layout.folded))
    shapes = ((*shape.span[:2], shape.text, bool(shape.valid)) for shape in pattern.shapes(layout))
    found = {
        (start, end, _shown(text))
        for start, end, text, valid in (*in_rows, *shapes)
        if valid or not any(begin < end and start < stop for begin, stop in days)
    }
    return sorted(place for place in found if place[2])


def _dates(layout: Layout, births: Iterable[object]) -> list[_Printed]:
    """Dates but those that are a number's own."""
    folded, known = layout.folded, set(births)
    found = [*dates_in(folded, month_first=puts_month_first(folded), ranges=True), *stays_in(folded)]
    return _printed(layout, [date for date in found if date.value not in known])


def _times(layout: Layout, places: Sequence[_Place]) -> list[_Printed]:
    """Times of day; four bare digits only on a page that prints no other time, and not out of a number or a date."""
    taken = [*((start, end) for start, end, _ in places), *((date.start, date.end) for date in dates_in(layout.folded))]
    times = times_in(layout.folded) or [
        bare
        for bare in bare_times_in(layout.folded)
        if not any(start < bare.end and bare.start < end for start, end in taken)
    ]
    return _printed(layout, times)


def _printed(layout: Layout, found: Iterable[DateMatch | TimeMatch]) -> list[_Printed]:
    return [_Printed(layout.row_at(each.start), _shown(layout.printed[each.start : each.end])) for each in found]


def _shown(text: str) -> str:
    """A text as the model sees it, with one space for every gap."""
    return visible(" ".join(text.split()))


def _once(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for text in texts if text))
