"""The real thing for whole documents: web, two workers, the real readers, and the model server where it is installed.

LOAD_MODEL=0 leaves the model out. What `make test-llm` prepares is used and never changed.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.measure import ROOT
from tests.load.site import Site, site

WORKERS = 2
LONGEST = 480.0
ASKED_FIRST, ASKED_AGAIN = 0.4, 0.02
"""Seconds, and the share of the time that a document has taken, after which it is asked about again: asking costs what
is measured, and the API takes 600 questions a minute."""
FOLDER = Path(os.environ.get("MODEL_FOLDER", ROOT / ".venv" / "model"))


class Answer(NamedTuple):
    """What a program of the clinic saw of one document."""

    pages: int
    scanned: bool
    seconds: float
    status: str

    @property
    def failed(self) -> bool:
        return self.status != "done"


@contextmanager
def installation() -> Iterator[Site]:
    """Web, scheduler and workers at work, warmed up by one document of each kind."""
    with _model() as model, site() as made:
        made.env.update(model)
        for name in ("web", "scheduler"):
            made.start(name)
        for number in range(WORKERS):
            made.start_worker(number)
        for scanned in (False, True):
            follow(made, 1, seed=1, scanned=scanned)
        yield made


@contextmanager
def _model() -> Iterator[dict[str, str]]:
    """The environment that names the model server, started for the block; empty where there is none."""
    if os.environ.get("LOAD_MODEL") == "0" or not any(FOLDER.glob("served-*")):
        print("  Without a model (pattern finder only): it is not installed, or LOAD_MODEL=0.", flush=True)
        yield {}
        return
    _set_up()
    from tests.llm.server import started

    log = Path(os.environ.get("LOAD_MODEL_LOG", os.devnull))
    with started(FOLDER, log) as running:
        print(f"  With the model of the processor ({running.server.model}).", flush=True)
        yield {
            "LLM_ENDPOINT": running.server.endpoint,
            "LLM_MODEL": running.server.model,
            "LLM_PROMPT": running.prompt,
            "LLM_CONCURRENCY": str(running.profile.sequences),
            "LLM_TIMEOUT": "120",
        }


def follow(made: Site, pages: int, *, seed: int, scanned: bool) -> Answer:
    """From the upload through the web until it is done, as seen from outside."""
    pdf = document(pages, seed, scanned=scanned)
    began = time.monotonic()
    run = made.upload(pdf)
    while (status := made.status(run)) not in ("done", "failed") and time.monotonic() - began < LONGEST:
        time.sleep(max(ASKED_FIRST, ASKED_AGAIN * (time.monotonic() - began)))
    return Answer(pages, scanned, time.monotonic() - began, status)


def follow_all(made: Site, pages: int, seeds: range, *, scanned: bool, gap: float = 0.0) -> list[Answer]:
    """The same for many, each uploaded `gap` seconds after the one before; they are drawn before the first."""
    for seed in seeds:
        document(pages, seed, scanned=scanned)
    began = time.monotonic()

    def one(place: int) -> Answer:
        time.sleep(max(0.0, began + place * gap - time.monotonic()))
        return follow(made, pages, seed=seeds[place], scanned=scanned)

    with ThreadPoolExecutor(len(seeds)) as threads:
        return list(threads.map(one, range(len(seeds))))


@cache
def document(pages: int, seed: int, *, scanned: bool) -> bytes:
    """An agenda with five NAMs a page, as the computer prints it or as a scanner sees it."""
    _set_up()
    from extraction.corpus.documents import build

    return build("agenda-scan" if scanned else "agenda", pages=pages, seed=seed).pdf


def _set_up() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "namsite.settings")
    os.environ.setdefault("TESTING", "1")
    django.setup()


def kind(scanned: bool) -> str:
    return "scanned" if scanned else "born-digital"
