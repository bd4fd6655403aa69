"""The planning document's performance tests: 1, 20 and 50 pages (5, 100 and 250 NAMs), from the upload until done.

Without a model (LOAD_MODEL=0) what a page takes a reader is noted for `tests.load.capacity`: with one on the same
processors a page waits for it among others, which says nothing of the reader.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from tests.benchmarks import Result
from tests.load import times
from tests.load.real import WORKERS, follow, installation, kind

BARS = {1: 5, 20: 45, 50: 120}
REPEATS = {1: 5, 20: 3, 50: 1}


def results() -> Iterator[Result]:
    with installation() as made:
        for scanned in (False, True):
            for pages, bar in BARS.items():
                seeds = range(100 * pages, 100 * pages + REPEATS[pages])
                answers = [follow(made, pages, seed=seed, scanned=scanned) for seed in seeds]
                median = statistics.median(answer.seconds for answer in answers)
                name = f"{pages} pages, {kind(scanned)}, median of {len(answers)}"
                yield Result(name, median, "s", bar=bar)
                if any(answer.failed for answer in answers):
                    yield Result("… failed", sum(answer.failed for answer in answers), "", bar=0)
            if not made.env.get("LLM_ENDPOINT"):
                times.note_reading(made, scanned=scanned, sharing=WORKERS)
