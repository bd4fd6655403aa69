"""A page as rows of cells: one text to search, and the way back from a span of it to words and boxes. Pure.

Readers cut lines as they like: one line may be a whole table row or a single cell. What stands at the same height is
put into one row here, so that "left of", "above" and "in the same row" mean the same for every reader. In the text,
rows end with a newline, words are parted by a space, and by a tab where the gap is wider than a space can be.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from math import inf
from statistics import median
from typing import NamedTuple

from extraction.page import Box, Line, Page, Word

_SAME_ROW = 0.5
"""Two lines share a row when their middles differ by less than this part of the lower one's height."""
_LONG_LINE = 0.06
"""Only print longer than this part of the page's width tells its slope."""
_UPRIGHT = 0.001
"""Lines that sink by less than this part of the page's height, from edge to edge, are level."""
_TYPED = 0.0001
"""Stretches of typed print have one size each; only lines of several sizes seem to sink."""
_FEWEST_CHAINS = 5
_ASKEW, _CLEARLY, _VERY_CLEARLY = 0.02, 0.006, 0.012
"""With so many stretches of print in each half of a page, slopes that differ by so much are different. A page
that is no more askew than paper lies in a scanner is hardly a photograph: there they must differ by more."""
_LONGEST_GAP = 0.25
_ROUNDS = 3
"""The slant tells which stretches stand in one row, and these tell the slant better than each by itself."""
_CELL_GAP = 1.5
"""A gap wider than this many word heights parts two cells: one space of a typewriter face is about 1.1 of the height
that a reader measures, and columns stand at least two apart."""


class Row(NamedTuple):
    """One row: its span in the layout's text, and its top and bottom in fractions of the page.

    `middle` is the height of its middle at the left edge of the page, which tells rows apart on a slanted page too.
    """

    start: int
    end: int
    top: float
    bottom: float
    middle: float


class Slant(NamedTuple):
    """How far print sinks from the left to the right edge of the page: `head` at its head, `more` down to its foot.

    A scan is askew by the same angle everywhere; the lines of a photograph may converge.
    """

    head: float = 0.0
    more: float = 0.0

    def level(self, box: Box) -> float:
        """The height of the middle of `box`, followed along its line to the left edge of the page."""
        y = (box.y0 + box.y1) / 2
        return y - (self.head + self.more * y) * (box.x0 + box.x1) / 2


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


_PLAIN = _Plain({code: chr(code) for code in range(128)})


def plain(text: str) -> str:
    """`text` without accents, dashes as "-", at the same length, so that offsets keep their meaning."""
    return text if text.isascii() else text.translate(_PLAIN)


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
    slant: Slant

    @classmethod
    def of(cls, page: Page) -> Layout:
        parts: list[str] = []
        words: list[Word] = []
        starts: list[int] = []
        rows: list[Row] = []
        offset = 0
        cell_gap = _CELL_GAP * page.height / page.width if page.width else _CELL_GAP
        slant = _slant(page.lines, cell_gap)
        for middle, row_words in _rows(page, slant, cell_gap):
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
                right, widest = x1, cell_gap * (y1 - y0)
                # Twice as fast as min and max.
                top, bottom = y0 if y0 < top else top, y1 if y1 > bottom else bottom
            words += row_words
            parts.append("\n")
            rows.append(Row(first, offset - 1, top, bottom, middle))
        printed = "".join(parts)
        bare = plain(printed)
        folded = bare.lower()
        row_starts = tuple(row.start for row in rows)
        return cls(page, printed, bare, folded, tuple(words), tuple(starts), tuple(rows), row_starts, slant)

    def row_at(self, offset: int) -> int:
        """The index of the row that holds the character at `offset`."""
        return (bisect_right(self.row_starts, offset) or 1) - 1

    def rows_near(self, box: Box) -> int:
        """The index of the row whose middle is nearest to the middle of `box`. Raises ValueError on an empty page."""
        if not self.rows:
            raise ValueError("no rows on this page")
        middle = self.slant.level(box)
        at = bisect_left(self.rows, middle, key=_row_middle)
        around = range(max(0, at - 1), min(len(self.rows), at + 1))
        return min(around, key=lambda i: abs(self.rows[i].middle - middle))

    def words_in(self, start: int, end: int) -> tuple[Word, ...]:
        """The words that have a character in `start..end`."""
        return self.words[(bisect_right(self.starts, start) or 1) - 1 : bisect_left(self.starts, end)]

    def box(self, start: int, end: int) -> Box:
        """The box around the characters `start..end`; a word that they share with others is cut in proportion."""
        first = (bisect_right(self.starts, start) or 1) - 1
        last = max(first, bisect_left(self.starts, end) - 1)
        box = self._cut(first, start, end)
        if last == first:
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
        following = self.starts[index + 1] if index + 1 < len(self.starts) else len(self.printed)
        stop = following - 1
        if (start <= offset and end >= stop) or end <= offset or start >= stop:
            return box
        x0, y0, x1, y1 = box
        pitch = (x1 - x0) / (stop - offset)
        return Box(x0 + pitch * max(0, start - offset), y0, x0 + pitch * (min(end, stop) - offset), y1)


def _row_middle(row: Row) -> float:
    return row.middle


def _text(text: str) -> str:
    pieces = (text if text.isascii() else unicodedata.normalize("NFC", text)).split()
    return pieces[0] if len(pieces) == 1 else " ".join(pieces)


def _rows(page: Page, slant: Slant, cell_gap: float) -> list[tuple[float, list[Word]]]:
    """The words of the page by row from top to bottom, each row left to right, with the row's middle."""
    lines: Iterable[Sequence[Word]] = (line.words for line in page.lines if line.words)
    if slant != _LEVEL:
        # Who put these lines together may have known the slant less well.
        lines = chain.from_iterable(_runs(line, cell_gap) for line in lines)
    pieces = sorted((*_middle_and_height(words, slant), words) for words in lines)
    rows: list[tuple[float, list[Word]]] = []
    height = 0.0
    for middle, own_height, words in pieces:
        kept = [word for word in words if word.text and not word.text.isspace()]
        if not kept:
            continue
        near = rows and middle - rows[-1][0] < _SAME_ROW * min(height, own_height)
        if near and not any(word.box.is_over(other.box) for word in kept for other in rows[-1][1]):
            rows[-1][1].extend(kept)
            rows[-1][1].sort(key=_left)
        else:
            rows.append((middle, kept))
            height = own_height
    return rows


_LEVEL = Slant()


def _slant(lines: Sequence[Line], cell_gap: float) -> Slant:
    """How print sinks on a page: the middle of its longer stretches, told apart by height if there are enough.

    Whole lines only tell whether a page is level: one may be put together from stretches of different rows.
    """
    ends = []
    for line in lines:
        if len(line.words) > 1:
            # As `_Chain.of` does, but fast: most pages are level.
            (x0, y0, _, y1), (x2, y2, _, y3) = line.words[0].box, line.words[-1].box
            if x2 - x0 > _LONG_LINE:
                ends.append(abs(y2 + y3 - y0 - y1) / (2 * (x2 - x0)))
    if not ends or median(ends) < _UPRIGHT:
        return _LEVEL
    runs = [words for line in lines for words in _runs(line.words, cell_gap)]
    alone = [_Chain.of(words[0].box, words[-1].box) for words in runs]
    long = [chain for chain in alone if chain.width > _LONG_LINE]
    if not long or median(abs(chain.slope) for chain in long) < _TYPED:
        return _LEVEL
    slant = Slant(_weighted_median(long))
    for _ in range(_ROUNDS):
        slant = _fitted([*alone, *_links(runs, slant)])
    return slant


class _Chain(NamedTuple):
    """A stretch of print, or two that follow each other in one row: its height, its slope and its width."""

    y: float
    slope: float
    width: float

    @classmethod
    def of(cls, left: Box, right: Box) -> _Chain:
        (x0, y0), (x1, y1) = left.middle, right.middle
        return cls(y0, (y1 - y0) / (x1 - x0) if x1 > x0 else 0.0, max(0.0, x1 - x0))


def _links(runs: Sequence[Sequence[Word]], slant: Slant) -> Iterator[_Chain]:
    """From each stretch of print to the next one on its right that stands in its row, if print is slanted so."""
    ordered = sorted((slant.level(words[0].box), words) for words in runs)
    levels = [level for level, _ in ordered]
    for _, words in ordered:
        box = words[-1].box
        reach = _SAME_ROW * (box.y1 - box.y0)
        end = slant.level(box)
        mates = ordered[bisect_left(levels, end - reach) : bisect_left(levels, end + reach)]
        right = [other for _, other in mates if box.x1 < other[0].box.x0 < box.x1 + _LONGEST_GAP]
        if right:
            yield _Chain.of(words[0].box, min(right, key=lambda other: other[0].box.x0)[-1].box)


def _fitted(chains: Iterable[_Chain]) -> Slant:
    """The slant that most print has: one for the page, or one at its head and another one at its foot."""
    long = sorted(chain for chain in chains if chain.width > _LONG_LINE)
    upper, lower = long[: len(long) // 2], long[len(long) // 2 :]
    if len(upper) < _FEWEST_CHAINS:
        return Slant(_weighted_median(long))
    high, low = (median(chain.y for chain in half) for half in (upper, lower))
    at_high, at_low = _weighted_median(upper), _weighted_median(lower)
    askew = max(abs(at_high), abs(at_low)) > _ASKEW
    if abs(at_low - at_high) < (_CLEARLY if askew else _VERY_CLEARLY) or low <= high:
        return Slant(_weighted_median(long))
    more = (at_low - at_high) / (low - high)
    return Slant(at_high - more * high, more)


def _runs(words: Sequence[Word], cell_gap: float) -> Iterator[Sequence[Word]]:
    """The stretches of a line that no wide gap parts."""
    start = 0
    for end in range(1, len(words)):
        before = words[end - 1].box
        if words[end].box.x0 - before.x1 > cell_gap * (before.y1 - before.y0):
            yield words[start:end]
            start = end
    yield words[start:]


def _weighted_median(chains: Sequence[_Chain]) -> float:
    """The middle one of the slopes, counted by the squares of their widths: a rule below tilts short ones."""
    half = sum(chain.width * chain.width for chain in chains) / 2
    for _, slope, width in sorted(chains, key=_by_slope):
        half -= width * width
        if half <= 0:
            return slope
    return 0.0


def _by_slope(chain: _Chain) -> float:
    return chain.slope


def _middle_and_height(words: Sequence[Word], slant: Slant) -> tuple[float, float]:
    """Middle (at the page's left edge) and height of a line, from its first and last word: enough, and cheap."""
    first, last = words[0].box, words[-1].box
    if slant == _LEVEL:
        middle = (first.y0 + first.y1 + last.y0 + last.y1) / 4
    else:
        middle = (slant.level(first) + slant.level(last)) / 2
    return middle, (first.y1 - first.y0 + last.y1 - last.y0) / 2


def _left(word: Word) -> float:
    return word.box.x0


def quarters(page: Page) -> int:
    """How many quarter turns against the clock put most of a page's print upright: 0 where that is how it stands.

    A line's words are in reading order, so the way from its first to its last word is the way its print runs.
    """
    letters = [0, 0, 0, 0]
    for line in page.lines:
        if len(line.words) > 1:
            (x0, y0), (x1, y1) = line.words[0].box.middle, line.words[-1].box.middle
            across, down = (x1 - x0) * page.width, (y1 - y0) * page.height
            direction = (0 if across >= 0 else 2) if abs(across) >= abs(down) else (1 if down >= 0 else 3)
            letters[direction] += sum(len(word.text) for word in line.words)
    return max(range(4), key=letters.__getitem__)
