"""Read → find → reconcile, page by page and concurrently. No database: the worker stores, the command line prints.

Pages are found while others are still being read. Nothing here decides what a failure means for a run; it only says
for which page it happened, or raises when a service is down, after everything that could be done was handed over.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from extraction import layout
from extraction.errors import ExtractionError, ServiceUnavailable
from extraction.finders import pattern, reconcile
from extraction.finders.proposal import Proposal
from extraction.page import Page
from extraction.readers.choosing import Ocr, PageRead, Reader, read_pages
from extraction.readers.pdf import DEFAULT_LIMITS, Limits

if TYPE_CHECKING:
    from extraction.finders.model import ModelFinder


@dataclass(frozen=True, slots=True)
class PageFound:
    """What was found on one page. `model_error` says why the model's opinion is missing although it was asked."""

    number: int
    proposals: tuple[Proposal, ...]
    seconds: float
    hallucinated: int = 0
    model_error: str = ""


@dataclass(frozen=True, slots=True)
class Work:
    """What to do with a document: which reader, which finders, which pages.

    `model` None means pattern only. With `pattern` False the model is alone. `ready` are pages that were read before
    and only have to be searched; `numbers` are those still to be read (None: all).
    """

    reader: Reader = "auto"
    ocr: Ocr = "local"
    pattern: bool = True
    model: ModelFinder | None = None
    concurrency: int = 4
    numbers: Sequence[int] | None = None
    ready: Iterable[Page] = field(default_factory=tuple)
    limits: Limits = DEFAULT_LIMITS


def extract(data: bytes, work: Work) -> Iterator[PageRead | PageFound]:
    """Yields each page once as it is read and once as it is found; a page that cannot be read only the first time.

    Raises UnreadableDocument before anything is yielded, or ServiceUnavailable after everything that can be done
    without the missing service was yielded.
    """
    if work.model is None:
        yield from _extract_inline(data, work)
    else:
        yield from _extract_with_model(data, work)


def _reads(data: bytes, work: Work) -> Iterator[PageRead]:
    if work.numbers is None or len(work.numbers):
        yield from read_pages(data, reader=work.reader, numbers=work.numbers, ocr=work.ocr, limits=work.limits)


def _extract_inline(data: bytes, work: Work) -> Iterator[PageRead | PageFound]:
    for page in work.ready:
        yield find(page, work)
    for read in _reads(data, work):
        yield read
        if read.page is not None:
            yield find(read.page, work)


def _extract_with_model(data: bytes, work: Work) -> Iterator[PageRead | PageFound]:
    """The same with the model's answers awaited in threads, so that reading goes on meanwhile."""
    down: list[ServiceUnavailable] = []
    pending: set[Future[PageFound]] = set()

    def collect(timeout: float | None) -> Iterator[PageFound]:
        nonlocal pending
        done, pending = wait(pending, timeout=timeout, return_when=FIRST_COMPLETED)
        for future in done:
            try:
                yield future.result()
            except ServiceUnavailable as error:
                down.append(error)

    with ThreadPoolExecutor(max_workers=work.concurrency, thread_name_prefix="model") as pool:
        pending.update(pool.submit(find, page, work) for page in work.ready)
        try:
            for read in _reads(data, work):
                yield read
                if read.page is not None and not down:
                    pending.add(pool.submit(find, read.page, work))
                yield from collect(timeout=0)
        except ServiceUnavailable as error:
            down.append(error)
        while pending:
            yield from collect(timeout=None)
    if down:
        raise down[0]


def find(page: Page, work: Work) -> PageFound:
    """One page through the finders. Raises ServiceUnavailable when the model cannot be asked.

    A page that was scanned on its side is turned for them, and what they find is turned back.
    """
    began = time.perf_counter()
    quarters = layout.quarters(page)
    page = page.turned(quarters) if quarters else page
    by_pattern = pattern.find(page) if work.pattern else []
    by_model: list[Proposal] | None = None
    hallucinated, model_error = 0, ""
    if work.model is not None:
        try:
            answer = work.model.find(page)
        except ServiceUnavailable:
            raise
        except ExtractionError as error:
            model_error = error.code
        else:
            by_model, hallucinated = answer.proposals, answer.hallucinated
    proposals = reconcile.reconcile(page, by_pattern, by_model)
    if quarters:
        proposals = [replace(proposal, box=proposal.box.turned(-quarters)) for proposal in proposals]
    return PageFound(page.number, tuple(proposals), time.perf_counter() - began, hallucinated, model_error)
