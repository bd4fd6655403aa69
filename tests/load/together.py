"""Five documents at the same moment, each against what fair sharing predicts from one of them alone.

The prediction: the machine does as much work a second as for one document alone, and shares it out evenly; so five
documents that come together are all done after five times as long as one. What a document alone leaves idle is a
bonus, and what sharing costs is a loss.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from tests.benchmarks import Result
from tests.load.real import follow, follow_all, installation, kind

PAGES, TOGETHER, ALONE = 10, 5, 3
WORSE = 1.2


def results() -> Iterator[Result]:
    with installation() as made:
        for scanned in (False, True):
            alone = [follow(made, PAGES, seed=seed, scanned=scanned).seconds for seed in range(9_000, 9_000 + ALONE)]
            predicted = TOGETHER * statistics.median(alone)
            answers = follow_all(made, PAGES, range(9_100, 9_100 + TOGETHER), scanned=scanned)
            yield Result(f"{PAGES} pages alone, {kind(scanned)}, median of {ALONE}", statistics.median(alone), "s")
            yield Result(f"… {TOGETHER} together, as fair sharing predicts", predicted, "s")
            for place, answer in enumerate(sorted(answers, key=lambda each: each.seconds), start=1):
                yield Result(f"… {place}. of {TOGETHER}", answer.seconds, "s", bar=WORSE * predicted)
            yield Result("… failed", sum(answer.failed for answer in answers), "", bar=0)
