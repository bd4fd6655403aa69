"""How a newcomer and the baseline stand: their figures, read from what workers and reviewers left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q, Sum

from extraction.llm import rollout
from extraction.llm.rollout import Figures
from extraction.models import Deployment, DeploymentState, Finder, Question, RunPage


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the newcomer in the shadow gave beside the baseline's model, over all its pages, in numbers."""

    both: int
    only_baseline: int
    only_newcomer: int


@dataclass(frozen=True, slots=True)
class Standing:
    """A deployment beside its baseline; `asked_since` counts its questions in the step it is at."""

    newcomer: Figures
    baseline: Figures
    asked_since: int


def tried() -> Deployment | None:
    """The newcomer, if there is one."""
    return Deployment.objects.filter(state=DeploymentState.OPEN).first()


def standing_of(deployment: Deployment) -> Standing:
    """The figures since its rollout began."""
    return Standing(
        newcomer=_figures(deployment.pk, deployment.started_at),
        baseline=_figures(_baseline_of(deployment), deployment.started_at),
        asked_since=deployment.questions.filter(at__gte=deployment.step_began_at).count(),
    )


def comparison_of(deployment: Deployment) -> Comparison | None:
    """None when it was never asked in the shadow."""
    rows = deployment.questions.filter(is_shadow=True, error="")
    sums = rows.aggregate(both=Sum("both"), only_baseline=Sum("only_baseline"), only_newcomer=Sum("only_newcomer"))
    return None if sums["both"] is None else Comparison(**sums)


def _baseline_of(deployment: Deployment) -> UUID | None:
    """What it is measured against: what was in service before it, or is now. None: the settings' server."""
    if deployment.state != DeploymentState.OPEN:
        return deployment.predecessor_id
    adopted = Deployment.objects.filter(state=DeploymentState.ADOPTED).values_list("pk", flat=True)
    return adopted.first()


def _figures(deployment_id: UUID | None, since: datetime) -> Figures:
    asked = Question.objects.filter(_answered_by(deployment_id), at__gte=since).order_by("-at", "-pk")
    rows = list(asked[: rollout.WINDOW])
    answered = [row for row in rows if not row.error]
    losses = (rollout.loss(right=row.seen, wrong=row.sure - row.seen + row.hallucinated) for row in answered)
    return Figures(
        asked=len(rows),
        errors=len(rows) - len(answered),
        seconds=tuple(row.seconds for row in answered),
        seen=tuple(loss for loss in losses if loss is not None),
        reviewed=_reviewed(deployment_id, since),
        hallucinated=sum(row.hallucinated for row in answered),
        down_for=_down_for(rows),
    )


def _answered_by(deployment_id: UUID | None) -> Q:
    return Q(deployment=None) if deployment_id is None else Q(deployment=deployment_id)


def _reviewed(deployment_id: UUID | None, since: datetime) -> tuple[float, ...]:
    """The loss of each signed-off page that has numbers, the newest runs first."""
    pages = RunPage.objects.filter(
        _answered_by(deployment_id), right__isnull=False, model_error_code="", run__created_at__gte=since,
        run__without_model=False,
    ).exclude(run__finder=Finder.PATTERN)  # fmt: skip
    pairs = pages.order_by("-run__created_at", "number").values_list("right", "wrong")[: rollout.WINDOW]
    losses = (rollout.loss(right=right or 0, wrong=wrong or 0) for right, wrong in pairs)
    return tuple(loss for loss in losses if loss is not None)


def _down_for(newest_first: list[Question]) -> timedelta:
    """From the first to the last of the failures since the last answer: one failure alone may be a hiccup."""
    failures = []
    for row in newest_first:
        if row.error not in rollout.OUTAGES:
            break
        failures.append(row.at)
    return failures[0] - failures[-1] if failures else timedelta(0)
