"""Fits the weights of `finders.confidence` to proposals that are known to be right or wrong, and measures them. Pure.

Learning is penalised logistic regression: the likeliest weights, drawn towards the present ones, so that few examples
move them little and what the examples say nothing about stays as it is. Weights of evidence stay at 0 or above.

What it learns from are samples, one for each document: `manage.py fit_confidence` makes them from files with truth,
`manage.py fit_confidence_reviewed` from the pages that reviewers signed off besides.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from extraction.finders.confidence import EVIDENCE, Confidence, Weights, Witnesses, evidence, weigh
from extraction.scoring import SURE, Outcome, calibration_error, share_sure, sure_from

Array = NDArray[np.float64]

PULL = 1.0
"""How strongly weights are drawn towards the present ones: the precision of a Gaussian around each."""
HELD_OUT = 4
"""One sample in so many is held out."""
_BASE = 0
_ROUNDS = 200
_STILL = 1e-9
_DECIMALS = 4


class Example(NamedTuple):
    """One proposal: what was known of it, and whether its number is the one that is printed there."""

    witnesses: Witnesses
    is_true: bool


@dataclass(frozen=True, slots=True)
class Sample:
    """The proposals of one document. `nams` counts its true NAMs, missed ones included.

    `is_reviewed` says that people decided what is true, in the application.
    """

    name: str
    examples: tuple[Example, ...]
    nams: int
    is_reviewed: bool = False

    @property
    def people(self) -> str:
        """Who is in it: synthetic documents of one seed show the same people, and must not be told apart by a split."""
        seed = re.search(r"-(\d+)$", self.name)
        return seed[1] if seed else self.name

    @property
    def layout(self) -> str:
        """What it looks like: "agenda" of "agenda-scan-2026". Nobody says so of reviewed documents: they are one."""
        return "reviewed" if self.is_reviewed else self.name.partition("-")[0]


@dataclass(frozen=True, slots=True)
class Fitness:
    """How well confidences agree with the truth. `log_loss` is the mean over proposals, in nats."""

    proposals: int
    right: int
    log_loss: float
    calibration_error: float
    sure_from: float | None
    share_sure: float | None

    def worse_than(self, other: Fitness) -> str:
        """Which of the two losses is worse, as far as they are shown, with both figures; "" if neither is."""
        losses = (
            ("log loss", self.log_loss, other.log_loss),
            ("calibration error", self.calibration_error, other.calibration_error),
        )
        return " and ".join(
            f"{name} {ours:.{_DECIMALS}f} instead of {theirs:.{_DECIMALS}f}"
            for name, ours, theirs in losses
            if round(ours, _DECIMALS) > round(theirs, _DECIMALS)
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "proposals": self.proposals,
            "right": self.right,
            "log_loss": round(self.log_loss, _DECIMALS),
            "calibration_error": round(self.calibration_error, _DECIMALS),
            "sure_from": self.sure_from,
            "share_sure": None if self.share_sure is None else round(self.share_sure, _DECIMALS),
        }


@dataclass(frozen=True, slots=True)
class Trial:
    """A fit and the weights before it, measured on what is held out; the measures go by what it is called."""

    fitted: Weights
    before: Mapping[str, Fitness]
    after: Mapping[str, Fitness]

    @property
    def refusal(self) -> str:
        """Why these weights must not replace the ones before: a sentence, or "" where nothing speaks against it."""
        for called, after in self.after.items():
            if worse := after.worse_than(self.before[called]):
                return f"the fit is worse than the present weights on held-out {called}: {worse}"
        return ""


class Bin(NamedTuple):
    """A row of the reliability table: proposals with a confidence of at least `low` and less than the next row's."""

    low: float
    proposals: int
    confidence: float
    right: float


BINS = (0.0, 0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999)
"""Finer towards the top, where nearly all proposals are."""


# Samples


def examples(outcomes: Iterable[Outcome]) -> Iterator[Example]:
    """The examples in proposals known to be right or wrong. A confidence without its witnesses teaches nothing."""
    for confidence, is_true in outcomes:
        if isinstance(confidence, Confidence):
            yield Example(confidence.witnesses, is_true)


def split(samples: Iterable[Sample]) -> tuple[list[Sample], list[Sample]]:
    """(to fit, held out). People are on one side only, and on the same one in every run."""
    sides: tuple[list[Sample], list[Sample]] = ([], [])
    for sample in samples:
        draw = hashlib.sha256(sample.people.encode()).digest()[0]
        sides[draw % HELD_OUT == 0].append(sample)
    return sides


# Fitting


def fit(samples: Iterable[Sample], start: Weights, *, pull: float = PULL) -> Weights:
    """The weights that suit the samples best, near `start`. Raises ValueError without right and wrong examples.

    A weight whose evidence is the same in all examples is kept: they cannot tell it from the base.
    """
    samples = list(samples)
    if not _teaches(samples):
        raise ValueError("there must be right and wrong proposals to learn from")
    rows, right = _matrix(samples)
    present = np.array([start.base, *start.evidence.values()])
    free = np.ptp(rows, axis=0) > 0
    free[_BASE] = True
    weights = present.copy()
    offset = rows[:, ~free] @ present[~free]
    weights[free] = _minimise(rows[:, free], right, offset, present[free], pull)
    base, *others = (round(float(weight), _DECIMALS) for weight in weights)
    return Weights(start.version, base, dict(zip(EVIDENCE, others, strict=True)), start.provenance)


def _matrix(samples: Iterable[Sample]) -> tuple[Array, Array]:
    """The evidence of every example (n × (1 + pieces), the first column all 1), and which are right (n)."""
    each = [example for sample in samples for example in sample.examples]
    rows = np.array([(1.0, *evidence(example.witnesses)) for example in each]).reshape(-1, 1 + len(EVIDENCE))
    return rows, np.array([example.is_true for example in each], dtype=float)


def _minimise(rows: Array, right: Array, offset: Array, present: Array, pull: float) -> Array:
    """Newton's method within bounds: all weights but the first stay at 0 or above (Bertsekas, SIAM J. Control 1982)."""

    def loss(weights: Array) -> float:
        total = rows @ weights + offset
        distance = weights - present
        return float(np.logaddexp(0.0, total).sum() - right @ total + pull / 2 * distance @ distance)

    weights, bounded = present.copy(), np.arange(len(present)) > _BASE
    for _ in range(_ROUNDS):
        chance = _sigmoid(rows @ weights + offset)
        slope = rows.T @ (chance - right) + pull * (weights - present)
        moving = ~(bounded & (weights <= 0) & (slope > 0))
        seen = rows[:, moving]
        curve = seen.T @ (seen * (chance * (1 - chance))[:, None]) + pull * np.eye(int(moving.sum()))
        step = np.zeros_like(weights)
        step[moving] = -np.linalg.solve(curve, slope[moving])
        following = _walk(loss, weights, step, bounded)
        if loss(weights) - loss(following) < _STILL:
            return following
        weights = following
    return weights


def _walk(loss: Callable[[Array], float], weights: Array, step: Array, bounded: NDArray[np.bool_]) -> Array:
    """As far along the step as the loss falls, halving it until it does."""
    before = loss(weights)
    for halvings in range(40):
        there = weights + step * 0.5**halvings
        there[bounded] = np.maximum(there[bounded], 0.0)
        if loss(there) < before:
            return there
    return weights


def _sigmoid(total: Array) -> Array:
    chance: Array = 1 / (1 + np.exp(-np.clip(total, -500, 500)))
    return chance


# Measuring


def attempt(to_fit: Iterable[Sample], held_out: Mapping[str, Sequence[Sample]], present: Weights) -> Trial:
    """A fit near the present weights, beside them. Raises ValueError where there is nothing to fit or to measure on."""
    fitted = fit(to_fit, present)
    before, after = (
        {called: measure(samples, weights) for called, samples in held_out.items()} for weights in (present, fitted)
    )
    return Trial(fitted, before, after)


def measure(samples: Sequence[Sample], weights: Weights) -> Fitness:
    """How well the confidences that these weights give agree with the truth. Raises ValueError without a proposal."""
    return _fitness(_outcomes(samples, weights), sum(sample.nams for sample in samples))


def measure_by_layout(samples: Sequence[Sample], start: Weights) -> Fitness:
    """The same with each layout weighed by what all others taught: by `start` where they teach nothing."""
    outcomes: list[Outcome] = []
    for layout in sorted({sample.layout for sample in samples}):
        others = [sample for sample in samples if sample.layout != layout]
        weights = fit(others, start) if _teaches(others) else start
        outcomes += _outcomes([sample for sample in samples if sample.layout == layout], weights)
    return _fitness(outcomes, sum(sample.nams for sample in samples))


def _teaches(samples: Iterable[Sample]) -> bool:
    """Whether there are right and wrong examples."""
    return len({example.is_true for sample in samples for example in sample.examples}) > 1


def reliability(samples: Iterable[Sample], weights: Weights) -> list[Bin]:
    """Mean confidence beside the share that is right, by confidence; rows without proposals are left out."""
    bins: dict[float, list[Outcome]] = {low: [] for low in BINS}
    for outcome in _outcomes(samples, weights):
        bins[max(low for low in BINS if low <= outcome[0])].append(outcome)
    return [Bin(low, len(each), *np.mean(each, axis=0).tolist()) for low, each in bins.items() if each]


def _outcomes(samples: Iterable[Sample], weights: Weights) -> list[Outcome]:
    return [
        (float(weigh(example.witnesses, weights)), example.is_true) for sample in samples for example in sample.examples
    ]


def _fitness(outcomes: Sequence[Outcome], nams: int) -> Fitness:
    error = calibration_error(outcomes)
    if error is None:
        raise ValueError("there is no proposal to measure on")
    confidence, right = np.array(outcomes, dtype=float).T
    # A confidence of 0 is one that was rounded down.
    likelihood = np.maximum(np.where(right > 0, confidence, 1 - confidence), 10.0**-_DECIMALS / 2)
    return Fitness(
        len(outcomes),
        int(right.sum()),
        float(-np.log(likelihood).mean()),
        error,
        sure_from(outcomes, precision=SURE),
        share_sure(outcomes, nams, precision=SURE),
    )
