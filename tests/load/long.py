"""One document of 3,000 pages on four workers, one of which is killed in its middle, with short documents beside it."""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks import Result
from tests.load.site import Site, fixed, p95, site
from tests.pdfs import agenda_pdf

PAGES = 3_000
WORKERS = 4
SECONDS = 0.1
SHORT_EVERY = 2.0


def results() -> Iterator[Result]:
    with site() as made:
        log = made.folder / "pages-read"
        log.touch()
        made.start("scheduler")
        for number in range(WORKERS):
            made.start_worker(number, **fixed(made.folder, SECONDS))
        made.upload_directly(_written(made, "long", agenda_pdf(*([f"Page {n}"] for n in range(PAGES)))))
        _short_ones_until(made, log, PAGES // 3)
        made.kill("worker-0")
        made.start_worker(0, **fixed(made.folder, SECONDS))
        _short_ones_until(made, log, PAGES - 200)
        done = made.wait_for_all(seconds=420)
        yield from _told(done, log)


def _short_ones_until(made: Site, log: Path, pages: int) -> None:
    """Uploads a document of one page every two seconds until so many pages of the long one were begun."""
    while (read := log.read_text().count(f"{PAGES} ")) < pages:
        began = time.monotonic()
        name = f"short-{time.time_ns()}"
        made.upload_directly(_written(made, name, agenda_pdf([f"{name}, {read}"])))
        time.sleep(max(0.0, SHORT_EVERY - (time.monotonic() - began)))


def _written(made: Site, name: str, pdf: bytes) -> Path:
    path = made.folder / f"{name}.pdf"
    path.write_bytes(pdf)
    return path


def _told(done: list, log: Path) -> Iterator[Result]:
    (long,) = [each for each in done if each.pages == PAGES]
    waits = [each.waited for each in done if each.pages == 1]
    reads = Counter(line.split()[1] for line in log.read_text().splitlines() if line.startswith(f"{PAGES} "))
    alone = PAGES * SECONDS
    yield Result(f"{PAGES:,} pages of {SECONDS} s, {WORKERS} workers, one killed: seconds to done", long.seconds, "s")
    yield Result("… times as fast as one worker's reading alone", alone / long.seconds, "×")
    yield Result("… documents not done", sum(each.status != "done" for each in done), "", bar=0)
    yield Result("… pages never read", PAGES - len(reads), "", bar=0)
    yield Result("… pages read more than once (one was in flight at the kill)", sum(reads.values()) - len(reads), "",
                 bar=1)  # fmt: skip
    yield Result(f"one page beside it, wait of {len(waits)} documents: median", statistics.median(waits), "s")
    yield Result("… p95", p95(waits), "s", bar=10)
