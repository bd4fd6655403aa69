"""Entries that stand side by side on a page: from where to where each one reaches, and its blocks of lines. Pure.

Entries of one page are set alike, so they repeat across it at the distance of their numbers, from the left edge of the
first one. Columns of a table are no entries: those have a number each.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from statistics import median

from extraction.layout import Layout
from extraction.page import Box

_INDENT = 0.015
"""What belongs to an entry may begin so far left of its edge, in parts of the page's width."""
_APART = 0.15
"""Columns of entries stand so far apart."""
_CROSSINGS = 20
"""One row of so many may run across the space between columns."""
_BLOCK_GAP = 1.35
"""Rows that stand apart by more than this many of the column's usual steps belong to different blocks."""


@dataclass(slots=True)
class Columns:
    """The left edges of the entries that stand side by side, in parts of the page's width; one where they do not."""

    edges: list[float]

    @classmethod
    def of(
        cls,
        layout: Layout,
        numbers: Sequence[tuple[int, Box]],
        moments: Callable[[], Iterable[tuple[Sequence[Box], float]]],
    ) -> Columns:
        """The columns of a page with `numbers` (row and box). `moments` gives the boxes of its times and of
        its dates, each with how many of them a number in a column must have at least.
        """
        edges = _side_by_side(layout, numbers) or _staggered(layout, numbers, moments)
        return cls(edges or [0.0])

    def at(self, box: Box) -> int:
        """In which of the entries side by side `box` begins, from 0."""
        return bisect_right(self.edges, box.x0, 1) - 1

    def reach(self, box: Box) -> tuple[float, float]:
        """From where to where the entry of a number at `box` reaches across the page."""
        at = self.at(box)
        return self.edges[at] if at else 0.0, (*self.edges, 2.0)[at + 1]

    def blocks(self, layout: Layout) -> list[dict[int, int]]:
        """For each column the block of each row: rows that follow each other as closely as most rows there do."""
        blocks = []
        for rows in self.rows(layout):
            steps = [layout.rows[below].middle - layout.rows[above].middle for above, below in pairwise(rows)]
            usual = median(steps) if steps else 0.0
            numbers = accumulate((step > _BLOCK_GAP * usual for step in steps), initial=0)
            blocks.append(dict(zip(rows, numbers, strict=False)))
        return blocks

    def rows(self, layout: Layout) -> Sequence[Sequence[int]]:
        """For each column the rows that have words in it."""
        if len(self.edges) == 1:
            return [range(len(layout.rows))]
        columns: list[list[int]] = [[] for _ in self.edges]
        for number, row in enumerate(layout.rows):
            for column in {self.at(word.box) for word in layout.words_in(row.start, row.end)}:
                columns[column].append(number)
        return columns


def _side_by_side(layout: Layout, numbers: Sequence[tuple[int, Box]]) -> list[float]:
    """The left edges of entries that share their rows; none where most numbers have a row to themselves."""
    rows: dict[int, list[float]] = {}
    for row, box in numbers:
        rows.setdefault(row, []).append(box.x0)
    several = {row: sorted(xs) for row, xs in rows.items() if len(xs) > 1}
    if not several or 2 * sum(map(len, several.values())) < len(numbers):
        return []
    lead = median(xs[0] for xs in several.values()) - _leftmost(layout, list(several))
    widest = max(map(len, several.values()))
    full = [xs for xs in several.values() if len(xs) == widest]
    return [median(xs[k] for xs in full) - lead - _INDENT for k in range(widest)]


def _staggered(
    layout: Layout, numbers: Sequence[tuple[int, Box]], moments: Callable[[], Iterable[tuple[Sequence[Box], float]]]
) -> list[float]:
    """The left edges of entries side by side that begin at different heights.

    There is such an edge only where nothing is printed across it, and moments stand on either side of it.
    """
    xs = sorted(box.x0 for _, box in numbers)
    groups = [xs[start:end] for start, end in _parted(xs)]
    if len(groups) == 1 or min(map(len, groups)) == 1:
        return []
    rows = sorted({row for row, _ in numbers})
    left = _leftmost(layout, rows)
    columns = Columns([median(group) - median(groups[0]) + left - _INDENT for group in groups])
    words = layout.words_in(layout.rows[rows[0]].start, layout.rows[rows[-1]].end)
    crossed = sum(word.box.x0 < edge < word.box.x1 for word in words for edge in columns.edges[1:])
    if crossed * _CROSSINGS > rows[-1] - rows[0] + 1:
        return []
    for boxes, fewest in moments():
        counts = Counter(columns.at(box) for box in boxes)
        if counts:
            # Where there are times, dates tell nothing: one may head what flows on into the next column.
            apart = all(counts[k] >= max(1, fewest * len(group)) for k, group in enumerate(groups))
            return columns.edges if apart else []
    return columns.edges


def _leftmost(layout: Layout, rows: Sequence[int]) -> float:
    """Where entries begin on the left: most lines from the first to the last of `rows` begin there or further in.

    An entry may begin further left in a line above or below that of its number.
    """
    lefts = sorted(_left(layout, row) for row in range(min(rows), max(rows) + 1))
    return lefts[len(lefts) // 10]


def _left(layout: Layout, row: int) -> float:
    """The left edge of a row."""
    start = layout.rows[row].start
    return layout.box(start, start + 1).x0


def _parted(xs: Sequence[float]) -> Iterator[tuple[int, int]]:
    """The stretches of sorted numbers that stand apart from each other."""
    start = 0
    for end in range(1, len(xs) + 1):
        if end == len(xs) or xs[end] - xs[end - 1] > _APART:
            yield start, end
            start = end
