"""A page as rows of cells: one text to search, and the way back from a span of it to words and boxes. Pure.

Readers cut lines as they like: one line may be a whole table row or a single cell. What stands at the same height is
put into one row here, so that "left of", "above" and "in the same row" mean the same for every reader. In the text,
rows end with a newline, words are parted by a space, and by a tab where the gap is wider than a space can be.

Rows are level here: `extraction.stance` rights the pages that are not.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf
from statistics import median
from typing import NamedTuple

from extraction.page import Box, Page, Word

_SAME_ROW = 0.5
"""Two lines share a row when their middles differ by less than this part of the lower one's height."""
_SIDEWAYS = 2  # height to width from which a line of more than a letter runs up or down
_CELL_GAP = 1.5
"""A gap wider than this many word heights parts two cells: one space of a typewriter face is about 1.1 of the height
that a reader measures, and columns stand at least two apart."""
_APART, _WIDER = 0.35, 1.5
"""The least distance between rows of two blocks, in heights of a usual row, and as a multiple of the usual distance."""


class Row(NamedTuple):
    """One row: its span in the layout's text, and its top, bottom and middle in fractions of the page."""

    start: int
    end: int
    top: float
    bottom: float
    middle: float


class _Plain(dict[int, str]):
    """Maps each character to one character: its base letter if it has one, dashes to "-", and × to X."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        base = unicodedata.normalize("NFKD", character)
        if unicodedata.category(character) == "Pd":
            base = "-"
        elif character in "’‘ʼ":
            base = "'"
        elif character == "×":
            base = "X"
        elif character.isspace():
            base = " "
        plain = base[0] if base[0].isascii() else character
        self[code] = plain
        return plain


_PLAIN = _Plain()
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")


def plain(text: str) -> str:
    """`text` without accents, dashes as "-", at the same length, so that offsets keep their meaning."""
    if text.isascii():
        return text
    # A page has a handful of different ones, so that replacing these is four times as fast as translating all of it.
    for character in set(_NOT_ASCII.findall(text)):
        text = text.replace(character, _PLAIN[ord(character)])
    return text


@dataclass(frozen=True, slots=True)
class Layout:
    """The rows of a page. `printed`, `plain` and `folded` have equal length; offsets count characters in any of them.

    `printed` is the text as read (Unicode's composed form), `plain` has no accents, `folded` is plain in lower case.
    `starts[i]` is the offset of `words[i]`.
    """

    page: Page
    printed: str
    plain: str
    folded: str
    words: tuple[Word, ...]
    starts: tuple[int, ...]
    rows: tuple[Row, ...]
    row_starts: tuple[int, ...]

    @classmethod
    def of(cls, page: Page) -> Layout:
        parts: list[str] = []
        words: list[Word] = []
        starts: list[int] = []
        rows: list[Row] = []
        offset = 0
        gap = cell_gap(page)
        for middle, row_words in _rows(page):
            first = offset
            top, bottom, right, widest = inf, -inf, 0.0, 0.0
            for word in row_words:
                text, (x0, y0, x1, y1), _ = word
                if not (text.isascii() and text.isprintable() and " " not in text):
                    text = _text(text)
                if offset > first:
                    parts.append("\t" if x0 - right > widest else " ")
                parts.append(text)
                starts.append(offset)
                offset += len(text) + 1
                right, widest = x1, gap * (y1 - y0)
                # Twice as fast as min and max.
                top, bottom = y0 if y0 < top else top, y1 if y1 > bottom else bottom
            words += row_words
            parts.append("\n")
            rows.append(Row(first, offset - 1, top, bottom, middle))
        printed = "".join(parts)
        bare = plain(printed)
        folded = bare.lower()
        row_starts = tuple(row.start for row in rows)
        return cls(page, printed, bare, folded, tuple(words), tuple(starts), tuple(rows), row_starts)

    def row_at(self, offset: int) -> int:
        """The index of the row that holds the character at `offset`."""
        return (bisect_right(self.row_starts, offset) or 1) - 1

    def rows_near(self, box: Box) -> int:
        """The index of the row whose middle is nearest to the middle of `box`. Raises ValueError on an empty page."""
        if not self.rows:
            raise ValueError("no rows on this page")
        middle = (box.y0 + box.y1) / 2
        at = bisect_left(self.rows, middle, key=_row_middle)
        if at == len(self.rows) or (at and middle - self.rows[at - 1].middle <= self.rows[at].middle - middle):
            return at - 1
        return at

    def words_in(self, start: int, end: int) -> tuple[Word, ...]:
        """The words that have a character in `start..end`."""
        return self.words[(bisect_right(self.starts, start) or 1) - 1 : bisect_left(self.starts, end)]

    def box(self, start: int, end: int) -> Box:
        """The box around the characters `start..end`; a word that they share with others is cut in proportion."""
        first = (bisect_right(self.starts, start) or 1) - 1
        last = bisect_left(self.starts, end, first) - 1
        box = self._cut(first, start, end)
        if last <= first:
            return box
        between = [word.box for word in self.words[first + 1 : last]]
        return Box.around((box, *between, self._cut(last, start, end)))

    def left(self, offset: int) -> float:
        """The left edge of the character at `offset`; that of the word before it if it parts two words."""
        index = (bisect_right(self.starts, offset) or 1) - 1
        if offset == self.starts[index]:
            return self.words[index].box.x0
        return self._cut(index, offset, offset + 1).x0

    def cell(self, offset: int) -> tuple[int, int]:
        """The span of the cell that holds the character at `offset`."""
        row = self.rows[self.row_at(offset)]
        start = self.printed.rfind("\t", row.start, offset) + 1 or row.start
        end = self.printed.find("\t", offset, row.end)
        return start, row.end if end < 0 else end

    def cells(self, row: int) -> Iterator[tuple[int, int]]:
        """The spans of the cells of a row, left to right."""
        start, end = self.rows[row].start, self.rows[row].end
        while start <= end:
            stop = self.printed.find("\t", start, end)
            stop = end if stop < 0 else stop
            yield start, stop
            start = stop + 1

    def _cut(self, index: int, start: int, end: int) -> Box:
        box, offset = self.words[index].box, self.starts[index]
        stop = (self.starts[index + 1] if index + 1 < len(self.starts) else len(self.printed)) - 1
        if (start <= offset and end >= stop) or end <= offset or start >= stop:
            return box
        x0, y0, x1, y1 = box
        pitch = (x1 - x0) / (stop - offset)
        left = x0 + pitch * (start - offset) if start > offset else x0
        return Box(left, y0, x0 + pitch * ((end if end < stop else stop) - offset), y1)


def block_starts(layout: Layout) -> frozenset[int]:
    """The rows that stand apart from the one above: by more than most rows do, as an eye sees blocks of rows."""
    distances = [below.top - above.bottom for above, below in pairwise(layout.rows)]
    if not distances:
        return frozenset()
    height = median(row.bottom - row.top for row in layout.rows)
    least = max(_APART * height, _WIDER * median(distances))
    return frozenset(row for row, distance in enumerate(distances, start=1) if distance > least)


def _row_middle(row: Row) -> float:
    return row.middle


def _text(text: str) -> str:
    pieces = (text if text.isascii() else unicodedata.normalize("NFC", text)).split()
    return pieces[0] if len(pieces) == 1 else " ".join(pieces)


def cell_gap(page: Page) -> float:
    """The width of a gap between two cells, in fractions of the page's width, for each fraction of height of a word."""
    return _CELL_GAP * page.height / page.width if page.width else _CELL_GAP


def _rows(page: Page) -> list[tuple[float, Sequence[Word]]]:
    """The words of a level page by row from top to bottom, each row left to right, with the row's middle."""
    ratio = page.height / page.width
    pieces = sorted((*_middle_and_height(line.words, ratio), line.words) for line in page.lines if line.words)
    rows: list[tuple[float, list[list[Word]]]] = []
    height = 0.0
    for middle, own_height, words in pieces:
        kept = [word for word in words if word.text and not word.text.isspace()]
        if not kept:
            continue
        near = rows and middle - rows[-1][0] < _SAME_ROW * min(height, own_height)
        if near and not any(word.box.is_over(other.box) for word in kept for line in rows[-1][1] for other in line):
            rows[-1][1].append(kept)
        else:
            rows.append((middle, [kept]))
            height = own_height
    return [(middle, lines[0] if len(lines) == 1 else _side_by_side(lines)) for middle, lines in rows]


def _side_by_side(lines: list[list[Word]]) -> list[Word]:
    """The words of a row's lines from left to right.

    A line is only taken apart where another one stands in a gap of it: its reader knows the order of its words, even
    where the box of a 7 or a 5 begins a hair behind the letters that follow it.
    """
    lines.sort(key=_left_end)
    words = lines[0]
    for line in lines[1:]:
        stands_behind = words[-1].box.x0 <= line[0].box.x0
        words = words + line if stands_behind else sorted(words + line, key=_left)
    return words


def runs(words: Sequence[Word], gap: float) -> Iterator[Sequence[Word]]:
    """The stretches of a line that no wide gap parts; `gap` as `cell_gap` gives it."""
    start = 0
    for end in range(1, len(words)):
        before = words[end - 1].box
        if words[end].box.x0 - before.x1 > gap * (before.y1 - before.y0):
            yield words[start:end]
            start = end
    yield words[start:]


def _middle_and_height(words: Sequence[Word], ratio: float) -> tuple[float, float]:
    """Middle and height of a line, from its first and last word: enough, and cheap; `ratio` is the page's of its sides.

    A line that is set sideways has no height, so that it stands in no row but its own.
    """
    first, last = words[0].box, words[-1].box
    middle, height = (first.y0 + first.y1 + last.y0 + last.y1) / 4, (first.y1 - first.y0 + last.y1 - last.y0) / 2
    high = max(first.y1, last.y1) - min(first.y0, last.y0)
    if high * ratio > _SIDEWAYS * (max(first.x1, last.x1) - min(first.x0, last.x0)) and len(words[0].text) > 1:
        return middle, 0.0
    return middle, height


def _left(word: Word) -> float:
    return word.box.x0


def _left_end(line: Sequence[Word]) -> float:
    return line[0].box.x0
