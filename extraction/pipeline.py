"""Read → find → reconcile, page by page and concurrently. No database: the worker stores, the command line prints.

Pages are found while others are still being read. Nothing here decides what a failure means for a run; it only says
for which page it happened, or raises when a service is down, after everything that could be done was handed over.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol, Self

from extraction.errors import ExtractionError, ServiceUnavailable
from extraction.finders import pattern, reconcile, second_look
from extraction.finders.confidence import PROPOSED_FROM
from extraction.finders.proposal import Proposal
from extraction.page import Page
from extraction.readers.choosing import Ocr, PageRead, Part, Reader, look, open_for, read_parts
from extraction.readers.pdf import DEFAULT_LIMITS, Limits, PdfDocument
from extraction.stance import Stance
from extraction.threads import Threads

if TYPE_CHECKING:
    from extraction.finders.model import ModelAnswer


LOOKED_AT = frozenset(("local", "textract"))
"""Readers of pictures: a text layer holds what was typed, and a second look would see the same."""


class AsksModel(Protocol):
    """Whoever can ask a model about a page: a `ModelFinder`, or what chooses between several."""

    def find(self, page: Page) -> ModelAnswer: ...


@dataclass(frozen=True, slots=True)
class PageFound:
    """What was found on one page. `model_error` says why the model's opinion is missing although it was asked.

    `hints` are those that are most likely wrong: places for a person to look at, and no proposals.
    """

    number: int
    proposals: tuple[Proposal, ...]
    seconds: float
    hints: tuple[Proposal, ...] = ()
    hallucinated: int = 0
    model_error: str = ""


@dataclass(frozen=True, slots=True)
class Work:
    """What to do with a document: which reader, which finders, which pages.

    `model` None means pattern only. With `pattern` False the model is alone. The next of `parts` is asked for when few
    pages of the one before are left to read; their answers may still be under way.
    """

    reader: Reader = "auto"
    ocr: Ocr = "local"
    pattern: bool = True
    model: AsksModel | None = None
    concurrency: int = 4
    parts: Iterable[Part] = (Part(),)
    limits: Limits = DEFAULT_LIMITS


def extract(data: bytes, work: Work) -> Iterator[PageRead | PageFound]:
    """Yields each page once as it is read and once as it is found; a page that cannot be read only the first time.

    Raises UnreadableDocument before anything is yielded, or ServiceUnavailable after everything that can be done
    without the missing service was yielded.
    """
    with _Opened(data, work) as opened:
        steps = _steps(opened, work)
        if work.model is None:
            yield from _extract_inline(steps, opened, work)
        else:
            yield from _extract_with_model(steps, opened, work, work.model)


class _Opened:
    """The document, opened when a part first needs it and kept for the parts after."""

    def __init__(self, data: bytes, work: Work) -> None:
        self._data, self._work = data, work
        self.document: PdfDocument | None = None

    def open(self) -> PdfDocument:
        if self.document is None:
            self.document = open_for(self._work.reader, self._data, limits=self._work.limits)
        return self.document

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.document is not None:
            self.document.close()


def _steps(opened: _Opened, work: Work) -> Iterator[PageRead | Page]:
    """Pages as they are read, and pages that were read before, part by part."""

    def parts() -> Iterator[Part]:
        for part in work.parts:
            if work.pattern and any(page.reader in LOOKED_AT for page in part.ready):
                opened.open()  # Pictures of pages that were read are looked at once more.
            yield part

    return read_parts(opened.open, parts(), reader=work.reader, ocr=work.ocr)


def _extract_inline(steps: Iterable[PageRead | Page], opened: _Opened, work: Work) -> Iterator[PageRead | PageFound]:
    for step in steps:
        if isinstance(step, PageRead):
            yield step
        page = step.page if isinstance(step, PageRead) else step
        if page is not None:
            yield find(page, work, opened.document)


def _extract_with_model(
    steps: Iterable[PageRead | Page], opened: _Opened, work: Work, model: AsksModel
) -> Iterator[PageRead | PageFound]:
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

    with Threads(max_workers=work.concurrency, thread_name_prefix="model") as pool:
        try:
            for step in steps:
                if isinstance(step, PageRead):
                    yield step
                page = step.page if isinstance(step, PageRead) else step
                if page is not None and not down:
                    pending.add(pool.submit(_ask, _find_by_pattern(page, work, opened.document), model))
                yield from collect(timeout=0)
        except ServiceUnavailable as error:
            down.append(error)
        while pending:
            yield from collect(timeout=None)
    if down:
        raise down[0]


class _Looked(NamedTuple):
    """A page righted, how it lay before, what the pattern finder found on it, and how long that took."""

    page: Page
    stance: Stance
    proposals: list[Proposal]
    seconds: float


def find(page: Page, work: Work, document: PdfDocument | None = None) -> PageFound:
    """One page through the finders. Raises ServiceUnavailable when the model cannot be asked.

    A page that was scanned on its side or askew is righted for them, and what they find is put back. Doubtful places of
    a page image are looked at once more where its `document` is at hand.
    """
    looked = _find_by_pattern(page, work, document)
    if work.model is not None:
        return _ask(looked, work.model)
    return _found(looked, None, looked.seconds)


def _find_by_pattern(page: Page, work: Work, document: PdfDocument | None) -> _Looked:
    """In the thread that opened the document: its sandbox ends with that thread."""
    began = time.perf_counter()
    stance = Stance.of(page)
    righted = stance.righted(page)
    proposals = pattern.find(righted) if work.pattern else []
    if work.pattern and document is not None and page.reader in LOOKED_AT:
        proposals = second_look.improve(righted, proposals, partial(look, document, page.number, stance))
    return _Looked(righted, stance, proposals, time.perf_counter() - began)


def _ask(looked: _Looked, model: AsksModel) -> PageFound:
    began = time.perf_counter()
    by_model: list[Proposal] | None = None
    hallucinated, model_error = 0, ""
    try:
        answer = model.find(looked.page)
    except ServiceUnavailable:
        raise
    except ExtractionError as error:
        model_error = error.code
    else:
        by_model, hallucinated = answer.proposals, answer.hallucinated
    found = _found(looked, by_model, looked.seconds + time.perf_counter() - began)
    return replace(found, hallucinated=hallucinated, model_error=model_error)


def _found(looked: _Looked, by_model: list[Proposal] | None, seconds: float) -> PageFound:
    proposals = reconcile.reconcile(looked.page, looked.proposals, by_model)
    if looked.stance != Stance():
        proposals = [replace(proposal, box=looked.stance.put_back(proposal.box)) for proposal in proposals]
    likely = [proposal for proposal in proposals if proposal.confidence >= PROPOSED_FROM]
    hints = [proposal for proposal in proposals if proposal.confidence < PROPOSED_FROM]
    return PageFound(looked.page.number, tuple(likely), seconds, tuple(hints))
