"""When a newcomer gets more pages, and when it gets none any more. Pure.

A newcomer is a deployment of a model (servers, adapter, prompt) that is tried beside the one in service, the baseline.
It begins in the shadow or with ten of a hundred documents and goes up by steps. Thresholds and waiting times are the
migration plan's ("Migration Day", "Common rollback triggers").

How few questions are enough: what was not asked yet counts as answered well. A rate is a share of what was asked, but
of at least LEAST_QUESTIONS. So one bad page convicts nobody, and a newcomer that fails every time is recognised at the
third question instead of the fortieth.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import fmean, median
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from uuid import UUID


class Step(NamedTuple):
    """A share of the documents in per cent, and how long it is watched before the next."""

    share: int
    wait: timedelta


STEPS = (
    Step(10, timedelta(hours=2)),  # "Canary (10% traffic): monitor for 2 hours"
    Step(25, timedelta(hours=2)),  # "increase to 25%, monitor for 2 hours"
    Step(50, timedelta(hours=4)),  # "increase to 50%, monitor for 4 hours"
    Step(75, timedelta(hours=12)),  # "increase to 75%, monitor overnight"
    Step(100, timedelta(weeks=1)),  # "route all traffic; monitor closely for 1 week", then it is the baseline
)
SHADOW = Step(0, timedelta(0))
"""Asked about the same pages after the baseline; nobody sees its answers, and only a person ends it."""

MOST_ERRORS = 0.05
"""Errors of all questions: "error rate > 5%"."""
MOST_LOSS = 0.05
"""Accuracy below the baseline's: "accuracy drops > 5%"."""
MOST_SLOWNESS = 2.0
"""Times the baseline's seconds a page: "inference time > 2x baseline"."""
LEAST_SLOWNESS = 0.1
"""Seconds a page more than the baseline's: below that nobody waits, and a busy machine alone doubles milliseconds."""
MOST_DOWNTIME = timedelta(minutes=10)
""""Service downtime > 10 minutes"."""

LEAST_QUESTIONS = 40
"""Three errors of forty are more than 5 %, two are not. A newcomer that fails at one question of a hundred has three
errors in its first forty once in 130 rollouts."""
LEAST_TIMES = 20
"""Answers of the newcomer before its median is compared. The baseline's are as many as its accuracy takes, so that of a
newcomer which is both worse and slower the graver is said."""
LEAST_DEVIATION = 3.0
"""Standard errors by which accuracy must have dropped besides: a model that misses every third page differs from itself
by more than five points, now and then."""
WINDOW = 200
"""The newest questions that count: at 100 % for a week, errors of this hour must not drown in those of the week."""

OUTAGES = frozenset({"refused_address", "unresolved", "unreachable", "timeout", "busy"})
"""Errors of a server that cannot be asked; the others are answers of a kind."""

Trigger = Literal["errors", "accuracy", "slow", "down"]
Action = Literal["roll_back", "go_on", "stay"]


@dataclass(frozen=True, slots=True)
class Figures:
    """What a deployment did at its newest questions.

    `seen` and `reviewed` hold a loss for each page with numbers, 0 (all right) to 1, so that a dense page is one page.
    `seen` compares its own answer with the pattern finder's numbers whose checks all hold: known at once, and the same
    yardstick for both. `reviewed` compares the proposals of signed-off pages with the truth: what counts, but later.
    `seconds` are those of its answers. `down_for` is how long no question came through, up to the last failure.
    """

    asked: int = 0
    errors: int = 0
    seconds: tuple[float, ...] = ()
    seen: tuple[float, ...] = ()
    reviewed: tuple[float, ...] = ()
    hallucinated: int = 0
    down_for: timedelta = timedelta(0)

    @property
    def error_rate(self) -> float | None:
        return self.errors / self.asked if self.asked else None

    @property
    def typical_seconds(self) -> float | None:
        """The median, so that one dense page does not make a model slow."""
        return median(self.seconds) if self.seconds else None

    @property
    def agreement(self) -> float | None:
        """How far its answers agree with the pattern finder's sure numbers, 0..1, on average over pages."""
        return 1 - fmean(self.seen) if self.seen else None

    @property
    def accuracy(self) -> float | None:
        """F1 against the truth of signed-off pages, 0..1, on average over pages."""
        return 1 - fmean(self.reviewed) if self.reviewed else None


def loss(*, right: int, wrong: int) -> float | None:
    """The loss of one page: 1 - F1 of `right` numbers that both sides have and `wrong` ones that one side has. None for
    a page without numbers."""
    counted = 2 * right + wrong
    return wrong / counted if counted else None


def gets(document: UUID, newcomer: UUID, share: int) -> bool:
    """Whether a document is among the `share` per cent that a newcomer answers.

    Always the same for one document and newcomer, and true for good once it is: a share only takes documents in. Every
    newcomer has documents of its own, so that a clinic's same few are not the trial of each.
    """
    drawn = int.from_bytes(hashlib.sha256(newcomer.bytes + document.bytes).digest()[:8], "big")
    return drawn * 100 < share * 2**64


def step_of(share: int) -> Step:
    """The step with this share. Raises StopIteration for a share that is none."""
    return next(step for step in (SHADOW, *STEPS) if step.share == share)


def following(share: int) -> Step | None:
    """The step after the one with this share; None after the last."""
    return next((step for step in STEPS if step.share > share), None)


def due(share: int, began: datetime) -> datetime:
    """When the waiting time of a step is over."""
    return began + step_of(share).wait


def trigger(newcomer: Figures, baseline: Figures) -> Trigger | None:
    """What speaks for going back to the baseline at once, if anything does."""
    if newcomer.errors > MOST_ERRORS * max(newcomer.asked, LEAST_QUESTIONS):
        return "errors"
    if newcomer.down_for > MOST_DOWNTIME:
        return "down"
    if _is_worse(newcomer.reviewed, baseline.reviewed) or _is_worse(newcomer.seen, baseline.seen):
        return "accuracy"
    if _is_slower(newcomer, baseline):
        return "slow"
    return None


def _is_worse(newcomer: Sequence[float], baseline: Sequence[float]) -> bool:
    """More than five points below a baseline that is known, and by more than chance."""
    if len(baseline) < LEAST_QUESTIONS or not newcomer:
        return False
    losses = [*newcomer, *[0.0] * (LEAST_QUESTIONS - len(newcomer))]
    drop = fmean(losses) - fmean(baseline)
    chance = math.sqrt(_variance_of_mean(losses) + _variance_of_mean(baseline))
    return drop > MOST_LOSS and drop > LEAST_DEVIATION * chance


def _variance_of_mean(losses: Sequence[float]) -> float:
    spread = fmean(loss * loss for loss in losses) - fmean(losses) ** 2
    return max(0.0, spread) / len(losses)  # Rounding may leave a little less than nothing.


def _is_slower(newcomer: Figures, baseline: Figures) -> bool:
    if len(newcomer.seconds) < LEAST_TIMES or len(baseline.seconds) < LEAST_QUESTIONS:
        return False
    ours, theirs = median(baseline.seconds), median(newcomer.seconds)
    return theirs > MOST_SLOWNESS * ours and theirs - ours > LEAST_SLOWNESS


def what_now(
    *, share: int, began: datetime, asked_since: int, newcomer: Figures, baseline: Figures, now: datetime
) -> tuple[Action, Trigger | None]:
    """What a rollout's figures call for. `asked_since` counts the newcomer's questions in this step.

    The next step is never taken on waiting alone: a night without pages proves nothing.
    """
    fired = trigger(newcomer, baseline)
    if fired is not None:
        return "roll_back", fired
    is_proven = asked_since >= LEAST_QUESTIONS and baseline.asked >= LEAST_QUESTIONS
    if share > SHADOW.share and is_proven and now >= due(share, began):
        return "go_on", None
    return "stay", None
