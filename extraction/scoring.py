"""Precision, recall and F1 with their intervals, and how far confidences can be trusted. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Key = tuple[int, str]
"""A NAM on a page: (page number from 1, normalised value)."""

Outcome = tuple[float, bool]
"""A proposal as calibration sees it: its confidence, 0..1, and whether it was right."""

Z = 1.959963984540054  # two-sided 95 %
BINS = 15
SURE = 0.999
"""The precision from which a reviewer may skim."""


@dataclass(frozen=True, slots=True)
class Score:
    """True positives, false positives, false negatives. A ratio without a denominator is None, not 0 or 1."""

    tp: int = 0
    fp: int = 0
    fn: int = 0

    def __add__(self, other: Score) -> Score:
        return Score(self.tp + other.tp, self.fp + other.fp, self.fn + other.fn)

    @property
    def precision(self) -> float | None:
        return _ratio(self.tp, self.tp + self.fp)

    @property
    def recall(self) -> float | None:
        return _ratio(self.tp, self.tp + self.fn)

    @property
    def f1(self) -> float | None:
        return _ratio(2 * self.tp, 2 * self.tp + self.fp + self.fn)

    @property
    def precision_interval(self) -> tuple[float, float] | None:
        return wilson(self.tp, self.tp + self.fp)

    @property
    def recall_interval(self) -> tuple[float, float] | None:
        return wilson(self.tp, self.tp + self.fn)

    @property
    def f1_interval(self) -> tuple[float, float] | None:
        """F1 is 2J / (1 + J) with J = TP / (TP + FP + FN) and rises with it: the ends of J's interval give its own."""
        ends = wilson(self.tp, self.tp + self.fp + self.fn)
        return None if ends is None else (2 * ends[0] / (1 + ends[0]), 2 * ends[1] / (1 + ends[1]))


def score(proposed: Iterable[Key], truth: Iterable[Key]) -> Score:
    """Compares as multisets: a NAM printed twice on a page is two, and must be proposed twice."""
    ours, theirs = Counter(proposed), Counter(truth)
    tp = (ours & theirs).total()
    return Score(tp, ours.total() - tp, theirs.total() - tp)


def wilson(hits: int, total: int) -> tuple[float, float] | None:
    """The 95 % score interval of a proportion (E. B. Wilson, JASA 22, 1927). None when there is nothing to count."""
    if total == 0:
        return None
    share = hits / total
    spread = Z * math.sqrt(share * (1 - share) / total + Z * Z / (4 * total * total))
    middle, scale = share + Z * Z / (2 * total), 1 + Z * Z / total
    # Rounding must not push the interval past the share it belongs to (0 and 1 are ends of it themselves).
    return max(0.0, min(share, (middle - spread) / scale)), min(1.0, max(share, (middle + spread) / scale))


def bin_of(confidence: float) -> int:
    """Which of the BINS bins of equal width a confidence falls into, from 0."""
    return min(int(confidence * BINS), BINS - 1)


def calibration_error(outcomes: Iterable[Outcome]) -> float | None:
    """The expected calibration error, 0..1: how far confidence lies from the share that is right, on average.

    Confidences are sorted into 15 bins of equal width; in each, the mean confidence is compared with the share of right
    proposals, and bins weigh as many proposals as they hold (Guo et al., ICML 2017). None without a proposal.
    """
    bins: dict[int, list[Outcome]] = {}
    for outcome in outcomes:
        bins.setdefault(bin_of(outcome[0]), []).append(outcome)
    count = sum(map(len, bins.values()))
    # In one bin, share x (mean confidence - share right) is the difference of the sums over the count of all.
    return sum(abs(sum(sure - right for sure, right in each)) for each in bins.values()) / count if count else None


def sure_from(outcomes: Iterable[Outcome], *, precision: float = SURE) -> float | None:
    """The lowest confidence of a proposal from which on the proposals are right with at least `precision`.

    All proposals of that confidence and above are counted together. None where no confidence will do.
    """
    ordered = sorted(outcomes, reverse=True)
    lowest, right = None, 0
    for count, (confidence, is_right) in enumerate(ordered, start=1):
        right += is_right
        complete = count == len(ordered) or ordered[count][0] < confidence
        if complete and right >= precision * count:
            lowest = confidence
    return lowest


def share_sure(outcomes: Sequence[Outcome], true: int, *, precision: float = SURE) -> float | None:
    """The share of all `true` NAMs, missed ones included, that are rightly proposed at `sure_from` or above."""
    threshold = sure_from(outcomes, precision=precision)
    if threshold is None:
        return 0.0 if true else None
    return _ratio(sum(right for confidence, right in outcomes if confidence >= threshold), true)


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
