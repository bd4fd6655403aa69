"""The command line on born-digital agendas: wall time with start-up, and peak memory."""

from __future__ import annotations

from collections.abc import Iterator

from tests.benchmarks import Result
from tests.benchmarks.measure import corpus, extract, peak_megabytes, seconds


def benchmarks() -> Iterator[Result]:
    with corpus("agenda", pages=20) as short, corpus("agenda", pages=200) as long:
        of_short, of_long = seconds(extract(short, "--finder", "pattern"), extract(long, "--finder", "pattern"))
        yield Result("20-page agenda, manage.py extract", of_short, "s", bar=1.5)
        yield Result("200-page agenda, manage.py extract", of_long, "s", bar=4.0)
        yield Result("200-page agenda, peak memory of one process", peak_megabytes(extract(long)), "MB", bar=600)
