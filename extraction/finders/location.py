"""Where a value stands on a page: from what somebody says is printed there to the words that print it. Pure.

This is what keeps an invented value out: a model's answer counts only where its characters stand on the page, one after
another and without a gap. Letters and digits are compared as `nam.normalise` leaves them, so that spaces, hyphens,
accents and capitals do not matter. They may run over neighbouring words of a row, and from the end of a cell on to the
cell below it. They may not be cut out of a longer number or word: "8:30" does not stand in "18:30".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from extraction import nam
from extraction.layout import Layout
from extraction.page import Box, Page, Word

LOOK_ALIKES = str.maketrans("OQDIL|!ZASGB", "000111124568")
_BARS = "|!"
"""No letters, but what a reader may make of one."""
_LINE_GAP = 1.5
"""The next line of a cell begins at most this many line heights below."""

Span = tuple[int, int]
"""Start and end of some characters in the layout's text."""


@dataclass(frozen=True, slots=True)
class Located:
    """One place of a value: `text` as printed there, lines joined by a space, `box` around exactly its characters.

    `spans` are those characters in the layout's text, one span a line.
    """

    box: Box
    text: str
    words: tuple[Word, ...]
    spans: tuple[Span, ...]

    @property
    def start(self) -> int:
        """Where it begins in the layout's text, for the order of places."""
        return self.spans[0][0]


def locate(page: Page, printed: str) -> Located | None:
    """The first place of `printed` on `page`; None where it does not stand there."""
    return next(iter(Locator(Layout.of(page)).places(printed)), None)


def text_of(layout: Layout, spans: Iterable[Span]) -> str:
    """What is printed at `spans`, with one space for every gap and every end of a line."""
    return " ".join(" ".join(layout.printed[start:end].split()) for start, end in spans)


class _Folded:
    """The characters of a text that count, in one string, each with its offset in the text."""

    def __init__(self, text: str, *, look_alikes: bool) -> None:
        self.text = text
        self.offsets: list[int] = []
        kept: list[str] = []
        for offset, character in enumerate(text):
            for each in _counts(character, look_alikes=look_alikes):
                kept.append(each)
                self.offsets.append(offset)
        self.string = "".join(kept)
        if look_alikes:
            self.string = self.string.translate(LOOK_ALIKES)

    def starts_freely(self, index: int) -> bool:
        """Whether no longer number or word is cut before the character at `index`."""
        offset = self.offsets[index]
        return offset == 0 or not _same_kind(self.text[offset - 1], self.text[offset])

    def ends_freely(self, index: int) -> bool:
        """Whether no longer number or word is cut behind the character before `index`."""
        offset = self.offsets[index - 1]
        return offset + 1 >= len(self.text) or not _same_kind(self.text[offset], self.text[offset + 1])

    def span(self, start: int, end: int) -> Span:
        return self.offsets[start], self.offsets[end - 1] + 1


class Locator:
    """One page, prepared for many values. `layout` is that page's."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._exact = _Cells(layout, _Folded(layout.printed, look_alikes=False))
        self._alike: _Cells | None = None

    def places(self, printed: str, *, at_least: int = 1) -> list[Located]:
        """The places of `printed`, in reading order, none overlapping another.

        Those within one row, and if they are fewer than `at_least` also those that run over the end of a line.
        """
        return self._places(self._exact, nam.normalise(printed), at_least)

    def look_alike_places(self, printed: str, *, at_least: int = 1) -> list[Located]:
        """The places of `printed` where O and 0, I and 1 and the like are taken for one another.

        A model that reads TREMO4121925 tends to answer TREM04121925. That is a reading of the page and no invention,
        but only a person may decide for it, so the caller has to go on with `text`, which is what is printed.
        """
        if self._alike is None:
            self._alike = _Cells(self.layout, _Folded(self.layout.printed, look_alikes=True))
        return self._places(self._alike, nam.normalise(printed).translate(LOOK_ALIKES), at_least)

    def _places(self, cells: _Cells, target: str, at_least: int) -> list[Located]:
        if not target:
            return []
        found = _apart(_in_rows(cells.folded, target))
        if len(found) < at_least:
            found = _apart((*found, *_over_lines(cells, target)))
        return [self._located(spans) for spans in sorted(found)]

    def _located(self, spans: list[Span]) -> Located:
        layout = self.layout
        return Located(
            box=Box.around(layout.box(start, end) for start, end in spans),
            text=text_of(layout, spans),
            words=tuple(word for start, end in spans for word in layout.words_in(start, end)),
            spans=tuple(spans),
        )


class _Cells:
    """The cells of a page's rows, as spans of the text and of the folded string."""

    def __init__(self, layout: Layout, folded: _Folded) -> None:
        self.layout = layout
        self.folded = folded
        self._rows = [[cell for cell in layout.cells(row) if cell[1] > cell[0]] for row in range(len(layout.rows))]
        self._kept = _kept_by_cell(self._rows, folded)
        self._under: dict[Span, list[tuple[int, Span]]] = {}

    def __iter__(self) -> Iterator[tuple[int, Span]]:
        """Each cell with the number of its row."""
        return ((row, cell) for row, cells in enumerate(self._rows) for cell in cells)

    def kept(self, cell: Span) -> Span:
        """Start and end of a cell's characters in the folded string."""
        return self._kept[cell]

    def continued(self, row: int, cell: Span, rest: str) -> list[Span] | None:
        """The spans of `rest` from the beginning of the cell below on, over more cells if it is longer."""
        for row_below, below in self._below(row, cell):
            first, last = self._kept[below]
            folded = self.folded
            if folded.string.startswith(rest, first) and len(rest) <= last - first:
                end = first + len(rest)
                return [folded.span(first, end)] if folded.ends_freely(end) else None
            if first < last and rest.startswith(folded.string[first:last]):
                more = self.continued(row_below, below, rest[last - first :])
                if more is not None:
                    return [folded.span(first, last), *more]
        return None

    def _below(self, row: int, cell: Span) -> list[tuple[int, Span]]:
        """The cells that stand under `cell`, at most `_LINE_GAP` line heights below it, each with its row."""
        if cell not in self._under:
            self._under[cell] = list(self._look_below(row, cell))
        return self._under[cell]

    def _look_below(self, row: int, cell: Span) -> Iterator[tuple[int, Span]]:
        box = self.layout.box(*cell)
        for below in range(row + 1, len(self.layout.rows)):
            if self.layout.rows[below].top - box.y1 > _LINE_GAP * box.height:
                return
            for other in self._rows[below]:
                other_box = self.layout.box(*other)
                if other_box.x0 < box.x1 and box.x0 < other_box.x1 and other_box.y0 > box.middle[1]:
                    yield below, other


def _apart(places: Iterable[list[Span]]) -> list[list[Span]]:
    """The places that share no character with an earlier one."""
    kept: list[list[Span]] = []
    for spans in places:
        if not any(start < stop and begin < end for start, end in spans for each in kept for begin, stop in each):
            kept.append(spans)
    return kept


def _in_rows(folded: _Folded, target: str) -> Iterator[list[Span]]:
    at = folded.string.find(target)
    while at >= 0:
        end = at + len(target)
        span = folded.span(at, end)
        same_row = "\n" not in folded.text[slice(*span)]
        if same_row and folded.starts_freely(at) and folded.ends_freely(end):
            yield [span]
        at = folded.string.find(target, at + 1)


def _over_lines(cells: _Cells, target: str) -> Iterator[list[Span]]:
    """Places that begin at the end of a cell and go on at the beginning of the one below."""
    folded = cells.folded
    for row, cell in cells:
        first, last = cells.kept(cell)
        for length in range(min(len(target) - 1, last - first), 0, -1):
            at = last - length
            if folded.string.startswith(target[:length], at) and folded.starts_freely(at):
                rest = cells.continued(row, cell, target[length:])
                if rest is not None:
                    yield [folded.span(at, last), *rest]
                    break


def _kept_by_cell(rows: list[list[Span]], folded: _Folded) -> dict[Span, Span]:
    """For each cell the span of the folded string that it prints."""
    kept: dict[Span, Span] = {}
    at = 0
    for cell in (cell for row in rows for cell in row):
        while at < len(folded.offsets) and folded.offsets[at] < cell[0]:
            at += 1
        first = at
        while at < len(folded.offsets) and folded.offsets[at] < cell[1]:
            at += 1
        kept[cell] = (first, at)
    return kept


@cache
def _counts(character: str, *, look_alikes: bool) -> str:
    """What one printed character adds to the comparison: none, one or (for ligatures) several characters."""
    if character in _BARS:
        return character if look_alikes else ""
    return nam.normalise(character)


def _same_kind(one: str, other: str) -> bool:
    return (one.isdecimal() and other.isdecimal()) or (one.isalpha() and other.isalpha())
