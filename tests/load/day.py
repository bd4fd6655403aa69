"""100 documents over a working day of eight hours, in eight minutes: is memory flat at its end?

An hour takes a minute and a document has one page instead of twenty, so the day is three times as dense as the one
asked for (`tests.load.hours` keeps the ratio): memory that grows with documents grows as in the real day.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.benchmarks import Result
from tests.load.hours import told
from tests.load.memory import watched
from tests.load.real import follow_all, installation, kind

DOCUMENTS, HOURS, HOUR = 100, 8, 60.0


def results() -> Iterator[Result]:
    with installation() as made, watched(made) as memory:
        for scanned in (False, True):
            seeds = range(70_000, 70_000 + DOCUMENTS // 2)
            answers = follow_all(made, 1, seeds, scanned=scanned, gap=HOURS * HOUR / DOCUMENTS)
            yield from told(f"a day, {kind(scanned)}", answers)
    yield from memory.results()
