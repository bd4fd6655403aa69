"""The main job without database or queue: what `manage.py extract` and `manage.py evaluate` share."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from extraction.configuration import limits, model_finder
from extraction.errors import WARNINGS, ServiceUnavailable
from extraction.finders.proposal import Proposal
from extraction.pipeline import PageFound, Work, extract
from extraction.readers.choosing import Reader
from extraction.visits.moments import write_date, write_time

READERS = ("auto", "text_layer", "local", "textract")
FINDERS = ("hybrid", "pattern", "model")


@dataclass(slots=True)
class Extraction:
    """What one document gave. Seconds are wall time; `find_s` overlaps `read_s` when a model is asked.

    `hints` are what is most likely wrong (`PageFound`). `model_errors` counts the pages that the model was asked
    about in vain, by error code. `warnings` are pages with a code of `extraction.errors.WARNINGS`.
    """

    pages: int = 0
    readers: Counter[str] = field(default_factory=Counter)
    failed_pages: list[int] = field(default_factory=list)
    proposals: list[Proposal] = field(default_factory=list)
    hints: list[Proposal] = field(default_factory=list)
    model_errors: Counter[str] = field(default_factory=Counter)
    warnings: list[tuple[int, str]] = field(default_factory=list)
    read_s: float = 0.0
    find_s: float = 0.0
    total_s: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """The documented JSON of `manage.py extract`."""
        return {
            "pages": self.pages,
            "reader": dict(sorted(self.readers.items())),
            "failed_pages": sorted(self.failed_pages),
            "nams": [nam_json(proposal) for proposal in self.proposals],
            "hints": [nam_json(hint) for hint in self.hints],
            "warnings": [
                {"page": page, "code": code, "note": str(WARNINGS[code])} for page, code in sorted(self.warnings)
            ],
            "timings": {
                "read_s": round(self.read_s, 3),
                "find_s": round(self.find_s, 3),
                "total_s": round(self.total_s, 3),
            },
        }


def nam_json(proposal: Proposal) -> dict[str, Any]:
    """One proposal as printed by `manage.py extract --json`."""
    return {
        "nam": proposal.nam,
        "page": proposal.page,
        "box": [round(side, 4) for side in proposal.box],
        "text": proposal.text,
        "visit_date": write_date(proposal.visit_date),
        "visit_time": write_time(proposal.visit_time),
        "found_by": list(proposal.found_by),
        "valid": proposal.checks.valid,
        "checks": proposal.checks._asdict(),
        "confidence": round(proposal.confidence, 4),
        "repairs": [repair._asdict() for repair in proposal.repairs],
    }


def quiet() -> None:
    """Standard error belongs to the one line that says why a command could not do its work."""
    logging.disable(logging.WARNING)


def add_arguments(parser: CommandParser, *, finders: Sequence[str] = FINDERS) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--reader", choices=READERS, default="auto", help="auto: text layer where it can be trusted")
    parser.add_argument("--finder", choices=finders, default="hybrid", help="hybrid: pattern, and model if one is set")


def plan(*, reader: Reader, finder: str) -> Work:
    """The work the options ask for. Raises ServiceUnavailable when the model alone is wanted and none is set."""
    model = model_finder() if finder != "pattern" else None
    if finder == "model" and model is None:
        raise ServiceUnavailable("model_unavailable")
    return Work(
        reader=reader,
        ocr=settings.OCR_READER,
        pattern=finder != "model",
        model=model,
        concurrency=settings.LLM_CONCURRENCY,
        limits=limits(),
    )


def extract_document(data: bytes, work: Work) -> Extraction:
    """Reads and searches one document. Raises UnreadableDocument or ServiceUnavailable."""
    result, began = Extraction(), time.perf_counter()
    for outcome in extract(data, work):
        if isinstance(outcome, PageFound):
            result.proposals.extend(outcome.proposals)
            result.hints.extend(outcome.hints)
            result.find_s += outcome.seconds
            result.model_errors.update([outcome.model_error] if outcome.model_error else [])
            continue
        result.pages += 1
        if outcome.page is None:
            result.failed_pages.append(outcome.number)
        else:
            result.readers[outcome.page.reader] += 1
            result.warnings.extend((outcome.number, code) for code in outcome.page.warnings)
    result.total_s = time.perf_counter() - began
    result.read_s = max(result.total_s - result.find_s, 0.0) if work.model is None else result.total_s
    for each in (result.proposals, result.hints):
        each.sort(key=lambda proposal: (proposal.page, proposal.box.y0, proposal.box.x0))
    return result
