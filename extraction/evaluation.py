"""Measuring an extraction against known truth, as `manage.py evaluate` prints it. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from extraction import nam
from extraction.finders.proposal import Proposal
from extraction.moments import write_date, write_time
from extraction.scoring import Score, score

Visit = tuple[str | None, str | None]
"""(date as YYYY-MM-DD, time as HH:MM); None where the page does not say."""


@dataclass(frozen=True, slots=True)
class Known:
    """One true NAM of a document."""

    nam: str
    page: int
    visit: Visit

    @classmethod
    def from_json(cls, item: dict[str, Any]) -> Known:
        """From one object of NAME.json. Raises KeyError or TypeError when `nam` or `page` is missing."""
        return cls(nam.normalise(item["nam"]), int(item["page"]), (item.get("date"), item.get("time")))


@dataclass(slots=True)
class Evaluation:
    """The comparison of one document, or the sum of many. Date and time accuracy count correctly found NAMs only."""

    score: Score = field(default_factory=Score)
    dates_right: int = 0
    times_right: int = 0
    pages: int = 0
    failed_pages: int = 0
    seconds: float = 0.0

    def __add__(self, other: Evaluation) -> Evaluation:
        return Evaluation(
            self.score + other.score,
            self.dates_right + other.dates_right,
            self.times_right + other.times_right,
            self.pages + other.pages,
            self.failed_pages + other.failed_pages,
            self.seconds + other.seconds,
        )

    def to_json(self) -> dict[str, Any]:
        found = self.score.tp
        return {
            "tp": self.score.tp,
            "fp": self.score.fp,
            "fn": self.score.fn,
            "precision": _round(self.score.precision),
            "recall": _round(self.score.recall),
            "f1": _round(self.score.f1),
            "precision_95": _round_pair(self.score.precision_interval),
            "recall_95": _round_pair(self.score.recall_interval),
            "date_accuracy": _round(self.dates_right / found if found else None),
            "time_accuracy": _round(self.times_right / found if found else None),
            "pages": self.pages,
            "failed_pages": self.failed_pages,
            "seconds_per_page": round(self.seconds / self.pages, 4) if self.pages else None,
        }


def evaluate(
    proposals: Iterable[Proposal], truth: Iterable[Known], *, pages: int, failed_pages: int, seconds: float
) -> Evaluation:
    """Compares what was proposed with what is true: exact NAM on the exact page."""
    proposals, truth = list(proposals), list(truth)
    dates, times = _visits_right(proposals, truth)
    compared = score([(p.page, p.nam) for p in proposals], [(known.page, known.nam) for known in truth])
    return Evaluation(compared, dates, times, pages, failed_pages, seconds)


def _visits_right(proposals: list[Proposal], truth: list[Known]) -> tuple[int, int]:
    """How many correctly found NAMs carry the right date, and the right time.

    A NAM that is printed several times on a page is paired with the visits in reading order.
    """
    proposed: dict[tuple[int, str], list[Visit]] = defaultdict(list)
    known: dict[tuple[int, str], list[Visit]] = defaultdict(list)
    for p in proposals:
        proposed[p.page, p.nam].append((write_date(p.visit_date), write_time(p.visit_time)))
    for item in truth:
        known[item.page, item.nam].append(item.visit)
    pairs = [pair for key in proposed for pair in zip(proposed[key], known.get(key, []), strict=False)]
    return sum(ours[0] == theirs[0] for ours, theirs in pairs), sum(ours[1] == theirs[1] for ours, theirs in pairs)


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _round_pair(pair: tuple[float, float] | None) -> list[float] | None:
    return None if pair is None else [round(pair[0], 4), round(pair[1], 4)]
