"""A long page in parts, for a model that reads only so much at a time. Pure.

A part is a page of its own: the rows that it owns, a row before and behind them, so that a number that a cut divides is
whole on one side, the page's heading, which may date everything below it, and the day above it in a list by days. A
number counts for the part that owns its row, and for no other; rows of other parts that hold a whole number are not
shown, for a model would answer them in vain. Cuts are made where blocks end: where the widest gaps between rows are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

from extraction.layout import Layout
from extraction.page import Box, Line, Page
from extraction.visits.moments import MONTHS, WEEKDAYS, is_date_alone

_HEADING = 4
"""Rows at the top of a page that every part begins with, or those above the first number if they are fewer."""
_AROUND = 1
"""Rows before and behind a part's own ones, so that a number on two lines is whole; more would be read for little."""
_BLOCK = 3
"""Rows above and below a number that is asked about on its own."""
WHOLE = re.compile(r"(?<![a-z])[a-z]{4}(?:[^\w\n]{0,3}[0-9]){6}[^\w\n]{0,3}[0-9a-z][^\w\n]{0,3}[0-9]")
"""A number as it is printed: nothing of it is on another row. A weekday before a date is longer than its letters."""
_WORD = re.compile("[a-z]+")
_SEARCHED = 0.4
"""The share of a part, at its end, in which the widest gap is looked for."""
_SHORTEST, _STRETCHED = 0.25, 1.3
"""The least and the most of a part's usual length at which it ends early or late where something new begins."""


@dataclass(frozen=True, slots=True)
class Part:
    """What is asked about at once: `rows` of the layout, as a page.

    It owns what lies from `top` to above `bottom`, in fractions of the page.
    """

    page: Page
    rows: tuple[int, ...]
    top: float
    bottom: float

    def owns(self, box: Box) -> bool:
        return self.top <= box.middle[1] < self.bottom


def parts(layout: Layout, longest: int) -> list[Part]:
    """The page as parts of about `longest` characters, heading and overlap not counted; one part if it is no longer."""
    if len(layout.printed) <= longest:
        return [Part(layout.page, tuple(range(len(layout.rows))), float("-inf"), float("inf"))]
    starts = list(_starts(layout, longest))
    ends = [*starts[1:], len(layout.rows)]
    edges = [_edge(layout, start) for start in starts[1:]]
    tops, bottoms = [float("-inf"), *edges], [*edges, float("inf")]
    shown = [_shown(layout, start, end) for start, end in zip(starts, ends, strict=True)]
    return [
        Part(_page(layout, rows), rows, top, bottom) for rows, top, bottom in zip(shown, tops, bottoms, strict=True)
    ]


def excerpts(layout: Layout, rows: Sequence[int], longest: int) -> list[Part]:
    """Some rows with a number each, asked about without the page's other numbers: parts of up to `longest` characters.

    Each row comes with the rows above and below it that stand between it and other numbers, for its name or time may be
    there.
    """
    groups: list[list[int]] = []
    length = 0
    for row in rows:
        size = layout.rows[row].end - layout.rows[row].start
        if not groups or length + size > longest:
            groups.append([])
            length = 0
        groups[-1].append(row)
        length += size
    return [_excerpt(layout, group) for group in groups]


def _excerpt(layout: Layout, rows: Sequence[int]) -> Part:
    shown = set(_heading(layout, rows[0]))
    for row in rows:
        shown.update(_block(layout, row))
    ordered = tuple(sorted(shown))
    return Part(_page(layout, ordered), ordered, float("-inf"), float("inf"))


def _block(layout: Layout, row: int) -> Iterator[int]:
    """A row with a number, and the rows around it down to the next ones with numbers."""
    yield row
    for rows in (range(row - 1, row - 1 - _BLOCK, -1), range(row + 1, row + 1 + _BLOCK)):
        yield from takewhile(lambda near: 0 <= near < len(layout.rows) and not _has_number(layout, near), rows)


def _starts(layout: Layout, longest: int) -> Iterator[int]:
    """The first row of each part."""
    rows = layout.rows
    beginnings = [row for row in range(len(rows)) if _begins(layout, row)]
    start = 0
    while True:
        yield start
        end = _reach(layout, start, longest)
        if end == len(rows):
            return
        earliest, latest = (_reach(layout, start, round(share * longest)) for share in (_SHORTEST, _STRETCHED))
        start = max(
            (row for row in beginnings if earliest <= row <= latest),
            default=_widest(layout, max(start + 1, end - round(_SEARCHED * (end - start))), end),
        )


def _begins(layout: Layout, row: int) -> bool:
    """Whether something new begins at a row: it states a day, or prints the page's first row again, and none above."""
    return _says_so(layout, row) and not (row and _says_so(layout, row - 1))


def _says_so(layout: Layout, row: int) -> bool:
    text = _text(layout, row)
    return text == _text(layout, 0) or is_date_alone(text)


def _reach(layout: Layout, start: int, length: int) -> int:
    """The row behind the last one that `length` characters from `start` on hold; one row at least is."""
    rows = layout.rows
    return next(
        (row for row in range(start + 1, len(rows)) if rows[row].end - rows[start].start > length),
        len(rows),
    )


def _widest(layout: Layout, first: int, last: int) -> int:
    """The row, of those from `first` to `last`, that most space parts from the one above it.

    The last of equal ones, so that parts are not shorter than they must be.
    """
    rows = layout.rows
    return max(range(first, last + 1), key=lambda row: (round(rows[row].top - rows[row - 1].bottom, 4), row))


def _edge(layout: Layout, row: int) -> float:
    """The height between a row and the one above it."""
    return (layout.rows[row - 1].middle + layout.rows[row].middle) / 2


def _heading(layout: Layout, start: int) -> Iterator[int]:
    """What says where the row `start` stands: the rows at the top that are nobody's own, and the day above it.

    The top is the page's, or the last row above that prints the page's first one again, as forms on a sheet do. A day
    at the top is left out where another one follows that is called the same.
    """
    top = next(row for row in range(start, -1, -1) if _text(layout, row) == _text(layout, 0))
    day = next((row for row in range(start, top - 1, -1) if is_date_alone(_text(layout, row))), None)
    for row in range(top, min(top + _HEADING, start)):
        if _has_number(layout, row):
            break
        if row == day or not (is_date_alone(_text(layout, row)) and day and _name(layout, row) == _name(layout, day)):
            yield row
    if day is not None:
        yield day


def _name(layout: Layout, row: int) -> list[str]:
    """What a row with a date calls it: its words but days and months."""
    return [word for word in _WORD.findall(_text(layout, row)) if word not in WEEKDAYS and word not in MONTHS]


def _shown(layout: Layout, start: int, end: int) -> tuple[int, ...]:
    """The rows of a part: its own ones from `start` to before `end`, the useful ones around them, and its heading."""
    before = () if _begins(layout, start) else range(max(0, start - _AROUND), start)
    behind = range(end, min(len(layout.rows), end + _AROUND))
    around = (row for row in (*before, *behind) if not _has_number(layout, row) and not _begins(layout, row))
    return tuple(sorted({*_heading(layout, start), *around, *range(start, end)}))


def _has_number(layout: Layout, row: int) -> bool:
    return row < len(layout.rows) and WHOLE.search(_text(layout, row)) is not None


def _text(layout: Layout, row: int) -> str:
    return layout.folded[layout.rows[row].start : layout.rows[row].end]


def _page(layout: Layout, rows: Sequence[int]) -> Page:
    """Some rows as a page."""
    lines = tuple(Line(layout.words_in(layout.rows[row].start, layout.rows[row].end)) for row in rows)
    page = layout.page
    return Page(page.number, page.width, page.height, lines, page.reader)
