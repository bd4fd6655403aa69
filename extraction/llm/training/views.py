"""Other views of a page with the entries that a model should answer about them. Pure.

`parted` is the page as it is asked about. `mirrored` is a page that nobody has printed: every row's cells stand in the
opposite order, so that a model does not learn the few dozen orders of columns that the corpus has by heart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from extraction.finders.location import Span
from extraction.finders.parts import parts
from extraction.layout import Layout
from extraction.llm.training.targets import Spans, Target
from extraction.page import Box, Line, Page, Word


class View(NamedTuple):
    """What is shown, and the entries in it."""

    layout: Layout
    wanted: list[Target]


def parted(layout: Layout, wanted: Sequence[Target], longest: int) -> Iterator[View]:
    """The page as the model finder asks about it, in parts of about `longest` characters.

    An entry is wanted of every part that shows its whole number, whoever owns it: the model is not told. A date or time
    that the part does not show is not. Parts whose rows fall together without their neighbours, which is rare, are left
    out.
    """
    for part in parts(layout, longest):
        shown = Layout.of(part.page)
        if len(shown.rows) != len(part.rows):
            continue
        places = _places([layout.rows[row][:2] for row in part.rows], [row[:2] for row in shown.rows])
        kept = (_moved(target, places) for target in wanted)
        yield View(shown, sorted(target for target in kept if target.nam))


def mirrored(layout: Layout, wanted: Sequence[Target]) -> View | None:
    """The page with its columns in the opposite order. None where that would tear a number, or rows would change."""
    cells = [list(layout.cells(row)) for row in range(len(layout.rows))]
    lines = tuple(Line(_reflected(layout.words_in(*cell))) for row in cells for cell in row)
    page = layout.page
    shown = Layout.of(Page(page.number, page.width, page.height, lines, page.reader))
    if len(shown.rows) != len(layout.rows):
        return None
    before = [cell for row in cells for cell in reversed(row)]
    after = [cell for row in range(len(shown.rows)) for cell in shown.cells(row)]
    if [layout.printed[slice(*cell)] for cell in before] != [shown.printed[slice(*cell)] for cell in after]:
        return None
    moved = [_moved(target, _places(before, after)) for target in wanted]
    return View(shown, sorted(moved)) if all(target.nam for target in moved) else None


def _reflected(words: Sequence[Word]) -> tuple[Word, ...]:
    """The words of a cell at the other side of the page, in their order."""
    around = Box.around(word.box for word in words)
    shift = 1 - around.x0 - around.x1
    return tuple(
        Word(text, Box(box.x0 + shift, box.y0, box.x1 + shift, box.y1), confidence) for text, box, confidence in words
    )


def _places(before: Iterable[Span], after: Iterable[Span]) -> list[tuple[int, int, int]]:
    """From which offset to which one lies what has moved, and by how much it has."""
    return [(start, end, to - start) for (start, end), (to, _) in zip(before, after, strict=True)]


def _moved(target: Target, places: Sequence[tuple[int, int, int]]) -> Target:
    """The entry where it is now; of a value that is not there as a whole, nothing."""
    return Target(*(_moved_spans(spans, places) for spans in target))


def _moved_spans(spans: Spans, places: Sequence[tuple[int, int, int]]) -> Spans:
    moved = tuple(
        (start + by, end + by) for start, end in spans for first, last, by in places if first <= start and end <= last
    )
    return moved if len(moved) == len(spans) else ()
