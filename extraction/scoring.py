"""Precision, recall and F1 with their intervals. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

Key = tuple[int, str]
"""A NAM on a page: (page number from 1, normalised value)."""

Z = 1.959963984540054  # two-sided 95 %


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


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
