"""Runs the main job on documents whose truth is known: what `manage.py evaluate` and the accuracy report share."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from extraction.errors import UnreadableDocument
from extraction.evaluation import Error, Evaluation, Known, errors, evaluate
from extraction.finders.proposal import Proposal
from extraction.page import Page
from extraction.pipeline import PageFound, Work, extract
from extraction.readers.choosing import Part


class NotATruth(Exception):
    """A NAME.json that is not a list of NAMs with pages. Its message is the name of the file."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A document with its truth, as two files beside each other: NAME.pdf and NAME.json."""

    pdf: Path
    truth: tuple[Known, ...]

    @property
    def name(self) -> str:
        return self.pdf.stem


@dataclass(slots=True)
class Measured:
    """What one finder made of one document. `seconds` is wall time, of which the pattern finder alone leaves
    `reading_seconds` to the reader. `refusal` says why a document could not be read at all; `model_errors`
    counts, by code, the pages that the model was asked about in vain.

    `hints` are what is most likely wrong, and is not proposed (`pipeline.PageFound`).
    `pages` are the pages as they were read, those that could not be read left out and counted in `failed_pages`.
    """

    document: Labelled
    pages: list[Page] = field(default_factory=list)
    failed_pages: int = 0
    proposals: list[Proposal] = field(default_factory=list)
    hints: list[Proposal] = field(default_factory=list)
    seconds: float = 0.0
    reading_seconds: float = 0.0
    refusal: UnreadableDocument | None = None
    model_errors: Counter[str] = field(default_factory=Counter)

    @property
    def evaluation(self) -> Evaluation:
        """How the proposals do against the truth."""
        return self._evaluated(self.proposals)

    @property
    def weighed(self) -> Evaluation:
        """The same of everything that was given a confidence, hints included."""
        return self._evaluated([*self.proposals, *self.hints])

    def _evaluated(self, found: list[Proposal]) -> Evaluation:
        return evaluate(
            found,
            self.document.truth,
            pages=len(self.pages) + self.failed_pages,
            failed_pages=self.failed_pages,
            seconds=self.seconds,
        )

    @property
    def errors(self) -> list[Error]:
        return errors(self.proposals, self.document.truth)


def labelled(folder: Path) -> list[Labelled]:
    """Every NAME.pdf of a folder that has a NAME.json beside it, by name. Raises NotATruth."""
    pairs = [(pdf, pdf.with_suffix(".json")) for pdf in sorted(folder.glob("*.pdf"))]
    return [Labelled(pdf, _truth(file)) for pdf, file in pairs if file.is_file()]


def _truth(file: Path) -> tuple[Known, ...]:
    try:
        return tuple(Known.from_json(item) for item in json.loads(file.read_text(encoding="utf-8")))
    except (ValueError, KeyError, TypeError):
        raise NotATruth(file.name) from None


def measure(document: Labelled, works: Mapping[str, Work]) -> dict[str, Measured]:
    """What each finder (name to work) makes of one document. It is read once, by the first.

    A document that cannot be read at all counts as found nothing. Raises ServiceUnavailable.
    """
    data = document.pdf.read_bytes()
    measured: dict[str, Measured] = {}
    read: Measured | None = None
    for name, work in works.items():
        measured[name] = _measure(document, data, work, read)
        read = read or measured[name]
    return measured


def _measure(document: Labelled, data: bytes, work: Work, read: Measured | None) -> Measured:
    """One finder. With `read` the pages of an earlier one are searched, whose time for reading counts here too."""
    result, finding, began = Measured(document), 0.0, time.perf_counter()
    if read:
        work = replace(work, parts=[Part(numbers=(), ready=read.pages)])
        result.pages, result.failed_pages, result.refusal = read.pages, read.failed_pages, read.refusal
    try:
        for outcome in extract(data, work):
            if isinstance(outcome, PageFound):
                result.proposals.extend(outcome.proposals)
                result.hints.extend(outcome.hints)
                finding += outcome.seconds
                result.model_errors.update([outcome.model_error] if outcome.model_error else [])
            elif outcome.page is None:
                result.failed_pages += 1
            else:
                result.pages.append(outcome.page)
    except UnreadableDocument as error:
        result.refusal = error
    taken = time.perf_counter() - began
    result.reading_seconds = read.reading_seconds if read else max(0.0, taken - finding)
    result.seconds = taken + (read.reading_seconds if read else 0.0)
    result.proposals.sort(key=lambda proposal: (proposal.page, proposal.box.y0, proposal.box.x0))
    return result
