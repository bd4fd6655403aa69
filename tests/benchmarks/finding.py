"""Finding by itself, from words to proposals, on one core: pages a second, beside Presidio's recogniser on their text.

The pages are a fixed mix of every layout of development, as the text layer reads them. All take turns in the same run.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

from extraction.corpus.documents import build
from extraction.corpus.layouts import DEVELOPMENT
from extraction.finders import pattern
from extraction.page import Page
from extraction.readers.choosing import read_pages
from tests.benchmarks import Result
from tests.benchmarks.measure import RUNS, peer_program

PAGES = 6
"""Of each layout."""
REPEATS = 5
"""Times that all pages are searched in one turn, so that a turn lasts long enough to be timed."""


def benchmarks() -> Iterator[Result]:
    pages = mixed_pages()
    count = REPEATS * len(pages)
    with presidio(pages) as recogniser, presidio(pages, "--with-context") as analyzer:
        searches = {"ours": lambda: [_seconds(pages)], "recogniser": recogniser, "analyzer": analyzer}
        seconds: dict[str, list[float]] = {name: [] for name in searches}
        for _turn in range(RUNS):
            for name, search in searches.items():
                seconds[name] += search()
    speed = {name: count / statistics.median(each) for name, each in seconds.items() if each}
    yield Result(f"pure finding, {len(pages)} pages, pattern finder, one core", speed["ours"], "pages/s", bar=500,
                 higher_is_better=True)  # fmt: skip
    if "recogniser" in speed:
        yield Result("the same beside Presidio's recogniser alone, a regular expression", speed["ours"], "pages/s",
                     bar=speed["recogniser"], higher_is_better=True)  # fmt: skip
        yield Result("the same beside Presidio's analyzer, which looks at context too", speed["ours"], "pages/s",
                     bar=speed["analyzer"], higher_is_better=True)  # fmt: skip


@cache
def mixed_pages() -> tuple[Page, ...]:
    """The same pages every time: `PAGES` of each layout as the computer prints it."""
    documents = [build(layout, seed=2026, pages=PAGES).pdf for layout in DEVELOPMENT]
    reads = [read for pdf in documents for read in read_pages(pdf, reader="text_layer")]
    return tuple(read.page for read in reads if read.page is not None)


def _seconds(pages: tuple[Page, ...]) -> float:
    began = time.perf_counter()
    for _repeat in range(REPEATS):
        for page in pages:
            pattern.find(page)
    return time.perf_counter() - began


@contextmanager
def presidio(pages: tuple[Page, ...], *options: str) -> Iterator[Callable[[], list[float]]]:
    """Yields a function that has Presidio search all pages once, and gives the seconds; nothing if not installed."""
    command = peer_program("presidio", "--turns", *options)
    if command is None:
        yield list
        return
    body = {"pages": [{"document": "", "number": 0, "text": page.text} for page in pages] * REPEATS}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as peer:
        assert peer.stdin
        assert peer.stdout
        print(json.dumps(body), file=peer.stdin, flush=True)

        def search() -> list[float]:
            print(file=peer.stdin, flush=True)
            return [float(peer.stdout.readline())]

        search()  # The first search warms it up.
        yield search
        peer.stdin.close()
