"""Which document is reviewed next, and why: what is left of it, its risk, its place among the others. Pure.

A place is a moment: since when the document would have waited if all were equally risky. Every document ages at the
same pace, so places never change by themselves and an index can keep them in order.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

FAINT = 0.8
"""Below this confidence a proposal is called faint: handwriting and faxes end up there."""
MISSED_ON_UNREAD_PAGE = 5.0
"""NAMs that a page is taken to hold which no machine could read; an agenda's page holds so many."""
HOURS_PER_ERROR = 4.0
"""One NAM that is expected to be wrong or missed weighs as much as so many hours of waiting."""
MOST_HOURS = 240.0
"""Risk moves a document by so many hours at most: after ten days even a harmless one is before a risky new one."""


class Proposal(NamedTuple):
    """What the order needs to know of one finding. `confidence` is the probability that it is right."""

    page: int
    confidence: float
    is_doubtful: bool
    is_decided: bool


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of a document's review, on its pages that are not signed. `expected_errors` is a number of NAMs."""

    pages: int = 0
    undecided: int = 0
    doubtful: int = 0
    faint: int = 0
    unread: int = 0
    expected_errors: float = 0.0


class Because(StrEnum):
    """Why a document stands where it stands."""

    UNREAD = "unread"
    DOUBTFUL = "doubtful"
    FAINT = "faint"
    DAYS = "days"
    HOURS = "hours"
    FRESH = "fresh"


class Reason(NamedTuple):
    because: Because
    number: int


def tally(proposals: Iterable[Proposal], *, open_pages: Collection[int], searched: Collection[int]) -> Left:
    """Counts what is left on the `open_pages`; `searched` are the pages on which NAMs were looked for."""
    undecided = [each for each in proposals if each.page in open_pages and not each.is_decided]
    return Left(
        pages=len(open_pages),
        undecided=len(undecided),
        doubtful=sum(each.is_doubtful for each in undecided),
        faint=sum(each.confidence < FAINT for each in undecided),
        unread=sum(page not in searched for page in open_pages),
        expected_errors=sum(1 - each.confidence for each in undecided),
    )


def risk(left: Left) -> float:
    """How many NAMs of the document are expected to be wrong or missed as it stands."""
    return left.expected_errors + MISSED_ON_UNREAD_PAGE * left.unread


def place(waiting_since: datetime, left: Left) -> datetime:
    """The moment that orders the queue, the earliest first: risk counts as hours of waiting."""
    return waiting_since - timedelta(hours=min(risk(left) * HOURS_PER_ERROR, MOST_HOURS))


def reasons(left: Left, waited: timedelta) -> list[Reason]:
    """Why the document stands where it stands, the weightiest first; how long it waits is always the last one."""
    counted = [
        Reason(Because.UNREAD, left.unread),
        Reason(Because.DOUBTFUL, left.doubtful),
        Reason(Because.FAINT, left.faint),
    ]
    return [reason for reason in counted if reason.number] + [_age(waited)]


def _age(waited: timedelta) -> Reason:
    if waited.days >= 1:
        return Reason(Because.DAYS, waited.days)
    hours = int(waited.total_seconds() // 3600)
    return Reason(Because.HOURS, hours) if hours >= 1 else Reason(Because.FRESH, 0)
