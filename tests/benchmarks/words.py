"""The share of words that the local reader reads exactly as printed, and of NAMs, on worn pages of the corpus.

`python -m tests.benchmarks.words [SEED]` (three to five minutes) prints one line for each degradation. The text layer
of the same document before it was worn says what is printed. A word counts once for every time that it is printed on
the page, wherever on it. NAMs are those of the pattern finder without a second look. Development documents only.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator

from extraction.corpus.documents import build
from extraction.corpus.split import is_held_out
from extraction.finders import pattern
from extraction.page import Page
from extraction.readers.choosing import Reader, read_pages

LAYOUTS = ("agenda", "list", "table", "form", "columns", "letter", "lab", "facesheet", "bilingual", "labels")
WEAR = ("scan", "photocopy", "fax", "photo")
PAGES = 2
SEED = 41


def words(page: Page) -> Counter[str]:
    return Counter(word.text for word in page.words)


def pages(pdf: bytes, reader: Reader) -> dict[int, Page]:
    return {read.number: read.page for read in read_pages(pdf, reader=reader) if read.page is not None}


def rows(seed: int) -> Iterator[str]:
    for wear in WEAR:
        read = printed = found = nams = 0
        seconds = 0.0
        for layout in LAYOUTS:
            if is_held_out(layout, seed):
                raise ValueError("a held-out document must not be looked at")
            clean = pages(build(layout, seed=seed, pages=PAGES).pdf, "text_layer")
            document = build(f"{layout}-{wear}", seed=seed, pages=PAGES)
            began = time.process_time()
            worn = pages(document.pdf, "local")
            seconds += time.process_time() - began
            for number, page in clean.items():
                truth = words(page)
                printed += truth.total()
                expected = {item.nam for item in document.truth if item.page == number}
                nams += len(expected)
                if number in worn:
                    read += (truth & words(worn[number])).total()
                    found += len(expected & {proposal.nam for proposal in pattern.find(worn[number])})
        cost = seconds / PAGES / len(LAYOUTS)
        yield f"{wear:10} words {read / printed:.4f} of {printed}   NAMs {found} of {nams}   {cost:.2f} CPU s a page"


def main(seed: int = SEED) -> None:
    for row in rows(seed):
        print(row, flush=True)


if __name__ == "__main__":
    os.environ.setdefault("DATA_DIR", tempfile.gettempdir())
    main(*map(int, sys.argv[1:]))
