"""10 and 50 documents an hour, and 100 over a working day, in minutes instead of hours.

Compressed by COMPRESSION: documents have one page instead of twenty and come in a twentieth of the time, so that the
ratio of work to time, which decides how long anybody waits, stays what it is. It is fair to whoever looks for trouble:
what every document costs beside its pages (upload, database, a forked process) is not compressed, so that the share of
it is twenty times as large as in a real hour.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from tests.benchmarks import Result
from tests.load.memory import watched
from tests.load.real import Answer, follow_all, installation, kind
from tests.load.site import p95

COMPRESSION = 20
HOUR = 3600 / COMPRESSION
ERRORS, VARIATION = 1.0, 0.2


def results() -> Iterator[Result]:
    with installation() as made, watched(made) as memory:
        for an_hour in (10, 50):
            for scanned in (False, True):
                # Half of the documents are scanned, as the two halves of an hour.
                count = an_hour // 2
                seeds = range(20_000 + 1_000 * an_hour, 20_000 + 1_000 * an_hour + count)
                answers = follow_all(made, 1, seeds, scanned=scanned, gap=HOUR / an_hour)
                yield from told(f"{an_hour} an hour, {kind(scanned)}", answers)
    yield from memory.results()


def told(name: str, answers: list[Answer]) -> Iterator[Result]:
    seconds = [answer.seconds for answer in answers]
    yield Result(f"{name}, {len(answers)} documents: median", statistics.median(seconds), "s")
    yield Result("… p95", p95(seconds), "s")
    yield Result("… coefficient of variation", statistics.stdev(seconds) / statistics.fmean(seconds), "", bar=VARIATION)
    yield Result("… errors", 100 * sum(answer.failed for answer in answers) / len(answers), "%", bar=ERRORS)
