"""Measuring an extraction against known truth, as `manage.py evaluate` prints it. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from extraction import nam
from extraction.finders.proposal import Proposal
from extraction.page import Box
from extraction.scoring import Outcome, Score, calibration_error, share_sure, sure_from
from extraction.visits.moments import write_date, write_time

Visit = tuple[str | None, str | None]
"""(date as YYYY-MM-DD, time as HH:MM); None where the page does not say."""

ALIKE = 8
"""Equal characters, of 12, from which two values are taken for two readings of one print."""


@dataclass(frozen=True, slots=True)
class Known:
    """One true NAM of a document. `box` and `text`, what is printed, are known of synthetic documents only."""

    nam: str
    page: int
    visit: Visit
    box: Box | None = None
    text: str = ""

    @classmethod
    def from_json(cls, item: dict[str, Any]) -> Known:
        """From one object of NAME.json. Raises KeyError or TypeError when `nam` or `page` is missing."""
        box = Box(*item["box"]) if item.get("box") else None
        visit = (item.get("date"), item.get("time"))
        return cls(nam.normalise(item["nam"]), int(item["page"]), visit, box, item.get("text") or "")


class Error(NamedTuple):
    """One thing that is wrong: a NAM missed (no `proposed`), proposed falsely (no `known`) or misread, or its visit."""

    what: str
    known: Known | None
    proposed: Proposal | None


@dataclass(slots=True)
class Evaluation:
    """The comparison of one document, or the sum of many. Date and time accuracy count correctly found NAMs only."""

    score: Score = field(default_factory=Score)
    dates_right: int = 0
    times_right: int = 0
    pages: int = 0
    failed_pages: int = 0
    seconds: float = 0.0
    outcomes: tuple[Outcome, ...] = ()

    def __add__(self, other: Evaluation) -> Evaluation:
        return Evaluation(
            self.score + other.score,
            self.dates_right + other.dates_right,
            self.times_right + other.times_right,
            self.pages + other.pages,
            self.failed_pages + other.failed_pages,
            self.seconds + other.seconds,
            self.outcomes + other.outcomes,
        )

    @property
    def date_accuracy(self) -> float | None:
        return self.dates_right / self.score.tp if self.score.tp else None

    @property
    def time_accuracy(self) -> float | None:
        return self.times_right / self.score.tp if self.score.tp else None

    @property
    def calibration_error(self) -> float | None:
        return calibration_error(self.outcomes)

    @property
    def sure_from(self) -> float | None:
        return sure_from(self.outcomes)

    @property
    def share_sure(self) -> float | None:
        return share_sure(self.outcomes, self.score.tp + self.score.fn)

    def to_json(self) -> dict[str, Any]:
        return {
            "tp": self.score.tp,
            "fp": self.score.fp,
            "fn": self.score.fn,
            "precision": _round(self.score.precision),
            "recall": _round(self.score.recall),
            "f1": _round(self.score.f1),
            "precision_95": _round_pair(self.score.precision_interval),
            "recall_95": _round_pair(self.score.recall_interval),
            "f1_95": _round_pair(self.score.f1_interval),
            "date_accuracy": _round(self.date_accuracy),
            "time_accuracy": _round(self.time_accuracy),
            "calibration_error": _round(self.calibration_error),
            "sure_from": self.sure_from,
            "share_sure": _round(self.share_sure),
            "pages": self.pages,
            "failed_pages": self.failed_pages,
            "seconds_per_page": round(self.seconds / self.pages, 4) if self.pages else None,
        }


def evaluate(
    proposals: Iterable[Proposal], truth: Iterable[Known], *, pages: int, failed_pages: int, seconds: float
) -> Evaluation:
    """Compares what was proposed with what is true: exact NAM on the exact page."""
    pairs = list(_pairs(proposals, truth))
    found = [(known, ours) for known, ours in pairs if known and ours]
    right = len(found)
    proposed, true = sum(ours is not None for _, ours in pairs), sum(known is not None for known, _ in pairs)
    return Evaluation(
        Score(right, proposed - right, true - right),
        sum(known.visit[0] == _visit(ours)[0] for known, ours in found),
        sum(known.visit[1] == _visit(ours)[1] for known, ours in found),
        pages,
        failed_pages,
        seconds,
        tuple((ours.confidence, known is not None) for known, ours in pairs if ours),
    )


def errors(proposals: Iterable[Proposal], truth: Iterable[Known]) -> list[Error]:
    """Everything that `evaluate` would not count as right, by page.

    A NAM that was missed where something else is proposed is one error, "misread": same place where the truth has
    boxes, or else nearly the same value. "date" and "time" are errors of NAMs that were found.
    """
    pairs = list(_pairs(proposals, truth))
    extra = [ours for known, ours in pairs if ours and not known]
    listed: list[Error] = []
    for known, ours in pairs:
        if known and ours:
            sides = zip(("date", "time"), known.visit, _visit(ours), strict=True)
            listed += [Error(what, known, ours) for what, theirs, mine in sides if theirs != mine]
        elif known:
            other = next((each for each in extra if _is_misread(each, known)), None)
            if other:
                extra.remove(other)
            listed.append(Error("misread" if other else "missed", known, other))
    listed += [Error("false", None, ours) for ours in extra]
    return sorted(listed, key=lambda error: (error.known or error.proposed).page)  # type: ignore[union-attr]


def kind_of(name: str) -> str:
    """The kind of a document: its name without the seed that `make_corpus` puts behind it."""
    return re.sub(r"-\d+$", "", name)


def by_kind(results: Mapping[str, Evaluation]) -> dict[str, Evaluation]:
    """The sums of the documents (name to result) of each kind, in the order of their names."""
    kinds: dict[str, Evaluation] = defaultdict(Evaluation)
    for name, result in results.items():
        kinds[kind_of(name)] += result
    return dict(kinds)


def _pairs(proposals: Iterable[Proposal], truth: Iterable[Known]) -> Iterator[tuple[Known | None, Proposal | None]]:
    """Each true NAM with its proposal. None stands for a NAM that is not proposed, or a proposal that is not true.

    A NAM that is printed several times on a page is paired in reading order.
    """
    waiting: dict[tuple[int, str], list[Proposal]] = defaultdict(list)
    for proposal in proposals:
        waiting[proposal.page, proposal.nam].append(proposal)
    for known in truth:
        same = waiting[known.page, known.nam]
        yield known, same.pop(0) if same else None
    yield from ((None, proposal) for rest in waiting.values() for proposal in rest)


def _is_misread(proposal: Proposal, known: Known) -> bool:
    if proposal.page != known.page:
        return False
    if known.box and proposal.box.overlap(known.box) > 0:
        return True
    return sum(ours == theirs for ours, theirs in zip(proposal.nam, known.nam, strict=False)) >= ALIKE


def _visit(proposal: Proposal) -> Visit:
    return write_date(proposal.visit_date), write_time(proposal.visit_time)


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _round_pair(pair: tuple[float, float] | None) -> list[float] | None:
    return None if pair is None else [round(pair[0], 4), round(pair[1], 4)]
