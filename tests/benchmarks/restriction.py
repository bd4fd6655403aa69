"""What painting over a restricted number would leave to be read (decision 0034): how often the surname of whose number
it is stays on the page, and how many other persons' numbers go with it.

`python -m tests.benchmarks restriction`. Born-digital development documents, of which the corpus knows whose each
number is; only pages with numbers of several persons count, because the others close in any case.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from extraction.corpus.documents import KINDS, build
from extraction.corpus.split import in_split
from extraction.corpus.truth import TruthItem
from extraction.layout import Layout, block_starts, plain
from extraction.page import Box
from extraction.readers.choosing import read_pages
from extraction.readers.pdf import Limits
from tests.benchmarks import Result

SEEDS = range(2026, 2028)
PAGES = 3
PATIENT = Limits(cpu_seconds=30, wall_seconds=60)
FULL_WIDTH = (0.0, 1.0)


def benchmarks() -> Iterator[Result]:
    numbers, legible, gone = 0, Counter[str](), Counter[str]()
    for items, layout in _pages():
        numbers += len(items)
        for item in items:
            others = [other for other in items if other.nam != item.nam]
            for name, painted in PAINTS.items():
                area = painted(item, layout)
                legible[name] += _is_legible(item, others, layout, area)
                gone[name] += any(_is_in(other.box, area) for other in others)
    yield Result("numbers on pages of several persons", numbers, "")
    for name in PAINTS:
        yield Result(f"their {name} painted over: surname legible elsewhere", 100 * legible[name] / numbers, "%")
        yield Result(f"their {name} painted over: another person's number gone", 100 * gone[name] / numbers, "%")


def _pages() -> Iterator[tuple[list[TruthItem], Layout]]:
    """What is true of each page with several persons, and its layout as read."""
    kinds = [kind for kind in KINDS if "-" not in kind and in_split(kind, "development")]
    for document in (build(kind, seed=seed, pages=PAGES) for kind in kinds for seed in SEEDS):
        for read in read_pages(document.pdf, reader="text_layer", limits=PATIENT):
            items = [item for item in document.truth if item.page == read.number and item.surname]
            if read.page is not None and len({item.nam for item in items}) > 1:
                yield items, Layout.of(read.page)


def _box(item: TruthItem, _layout: Layout) -> Box:
    return item.box


def _row(item: TruthItem, layout: Layout) -> Box:
    return _rows(layout, layout.rows_near(item.box), layout.rows_near(item.box))


def _block(item: TruthItem, layout: Layout) -> Box:
    starts, at = sorted(block_starts(layout)), layout.rows_near(item.box)
    first = max((start for start in starts if start <= at), default=0)
    last = min((start - 1 for start in starts if start > at), default=len(layout.rows) - 1)
    return _rows(layout, first, last)


def _rows(layout: Layout, first: int, last: int) -> Box:
    left, right = FULL_WIDTH
    return Box(left, layout.rows[first].top, right, layout.rows[last].bottom)


PAINTS: dict[str, Callable[[TruthItem, Layout], Box]] = {"box": _box, "row": _row, "block": _block}


def _is_legible(item: TruthItem, others: Sequence[TruthItem], layout: Layout, area: Box) -> bool:
    """Whether a word of the surname, and of nobody else's name on the page, stands outside of the painted area."""
    names = {word for other in others for word in _name_words(f"{other.surname} {other.given_name}")}
    own = _name_words(item.surname) - names
    return any(not _is_in(word.box, area) and own & _name_words(word.text) for word in layout.words)


def _name_words(text: str) -> set[str]:
    return {word for word in re.findall(r"[a-z]+", plain(text).lower()) if len(word) > 2}


def _is_in(box: Box, area: Box) -> bool:
    x, y = box.middle
    return area.x0 <= x <= area.x1 and area.y0 <= y <= area.y1
