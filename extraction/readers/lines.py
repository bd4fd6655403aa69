"""Words into printed lines, for every reader that gets words without an order of their own. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from operator import itemgetter
from statistics import median

from extraction.page import Box, Line, Word

SAME_LINE = 0.5  # how far middles of one line may lie apart, in heights of a word
LOWEST = 0.6  # of the usual height of a word on the page


def in_lines(words: Iterable[Word], *, slope: float = 0.0) -> tuple[Line, ...]:
    """Words that are read from left to right, as lines from top to bottom.

    `slope` is how far lines of a crooked page sink on their way across it: a change in y for one in x, both in
    fractions. Columns side by side make one line, because a time on the left belongs to the number on the right.
    """
    levels = sorted(((_level(word.box, slope), word) for word in words), key=itemgetter(0))
    lowest = LOWEST * median(word.box.height for _, word in levels) if levels else 0.0
    rows: list[list[Word]] = []
    total = height = 0.0
    for level, word in levels:
        own = word.box.height
        # A dash is hardly higher than the pen is wide: no letter counts as lower than most of a usual one.
        if rows and level - total / len(rows[-1]) <= SAME_LINE * max(min(height, own), lowest):
            rows[-1].append(word)
            total, height = total + level, max(height, own)
        else:
            rows.append([word])
            total, height = level, own
    return tuple(Line(tuple(sorted(row, key=_left))) for row in rows)


def in_directions(words: Iterable[tuple[Word, int]]) -> tuple[Line, ...]:
    """The same for words that go right, down, left or up (0 to 3 quarter turns): what goes right comes first."""
    groups: defaultdict[int, list[Word]] = defaultdict(list)
    for word, direction in words:
        groups[direction].append(word)
    lines: list[Line] = []
    for direction in sorted(groups):
        if not direction:
            lines.extend(in_lines(groups[direction]))
            continue
        level = [word._replace(box=turned(word.box, direction)) for word in groups[direction]]
        back = (4 - direction) % 4
        for line in in_lines(level):
            lines.append(Line(tuple(word._replace(box=turned(word.box, back)) for word in line.words)))
    return tuple(lines)


def turned(box: Box, quarters: int) -> Box:
    """Where a box lies once its page was turned by quarters against the clock."""
    for _ in range(quarters % 4):
        box = Box(box.y0, 1 - box.x1, box.y1, 1 - box.x0)
    return box


def _level(box: Box, slope: float) -> float:
    x0, y0, x1, y1 = box
    return (y0 + y1 - slope * (x0 + x1)) / 2


def _left(word: Word) -> float:
    return word.box[0]
