"""Words into printed lines, for every reader that gets words without an order of their own. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from operator import attrgetter
from statistics import median
from typing import NamedTuple

from extraction.page import Box, Line, Word

SAME_LINE = 0.5  # how far middles of one line may lie apart, in heights of a word
LOWEST = 0.6  # of the usual height of a word on the page


def in_lines(words: Iterable[Word], *, slope: float = 0.0) -> tuple[Line, ...]:
    """Words that are read from left to right, as lines from top to bottom; `slope` as for `join_pieces`."""
    return join_pieces(((word,) for word in words), slope=slope)


def join_pieces(pieces: Iterable[Sequence[Word]], *, slope: float = 0.0) -> tuple[Line, ...]:
    """Pieces of lines, each one or more words that stay together, as lines from top to bottom.

    `slope` is how far lines of a crooked page sink on their way across it: a change in y for one in x, both in
    fractions. Columns side by side make one line, because a time on the left belongs to the number on the right.
    """
    levels = sorted((_Piece.of(words, slope) for words in pieces if words), key=attrgetter("level"))
    lowest = LOWEST * median(piece.height for piece in levels) if levels else 0.0
    rows: list[list[_Piece]] = []
    total = height = 0.0
    for piece in levels:
        # A dash is hardly higher than the pen is wide: no letter counts as lower than most of a usual one.
        near = rows and piece.level - total / len(rows[-1]) <= SAME_LINE * max(min(height, piece.height), lowest)
        # Two lines of one narrow cell stay two.
        if near and not any(piece.box.is_over(other.box) for other in rows[-1]):
            rows[-1].append(piece)
            total, height = total + piece.level, max(height, piece.height)
        else:
            rows.append([piece])
            total, height = piece.level, piece.height
    return tuple(
        Line(tuple(word for piece in sorted(row, key=attrgetter("left")) for word in piece.words)) for row in rows
    )


class _Piece(NamedTuple):
    """Words that stay together: the height of their middle at the left edge of the page, and how high they are."""

    level: float
    height: float
    box: Box
    words: Sequence[Word]

    @property
    def left(self) -> float:
        return self.box.x0

    @classmethod
    def of(cls, words: Sequence[Word], slope: float) -> _Piece:
        single = len(words) == 1  # Text layers come word by word, many thousands of them.
        box = words[0].box if single else Box.around(word.box for word in words)
        height = box.height if single else median(word.box.height for word in words)
        return cls((box.y0 + box.y1 - slope * (box.x0 + box.x1)) / 2, height, box, words)


def in_directions(words: Iterable[tuple[Word, int]]) -> tuple[Line, ...]:
    """The same for words that go right, down, left or up (0 to 3 quarter turns): what goes right comes first."""
    return join_directions(((word,), direction) for word, direction in words)


def join_directions(pieces: Iterable[tuple[Sequence[Word], int]]) -> tuple[Line, ...]:
    """The same for pieces of lines."""
    groups: defaultdict[int, list[Sequence[Word]]] = defaultdict(list)
    for words, direction in pieces:
        groups[direction].append(words)
    lines: list[Line] = []
    for direction in sorted(groups):
        level = (_turned(words, direction) for words in groups[direction])
        lines += (Line(_turned(line.words, (4 - direction) % 4)) for line in join_pieces(level))
    return tuple(lines)


def _turned(words: Sequence[Word], quarters: int) -> tuple[Word, ...]:
    return tuple(word._replace(box=word.box.turned(quarters)) for word in words) if quarters else tuple(words)
