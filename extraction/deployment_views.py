"""The model in service and the newcomer beside it: an administrator's page, and four buttons."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.policy import Right, requires
from accounts.requests import person
from audit.declared import journals, journals_nothing
from audit.verbs import Verb
from extraction import deployments, standing
from extraction.deployments import CannotRollOut
from extraction.forms import DeploymentForm
from extraction.llm import prompts, rollout
from extraction.models import Deployment, DeploymentState
from extraction.standing import Comparison, Standing

FORMER_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Trial:
    """A newcomer as the page shows it: its figures, and while it is tried its next step and when that may be taken."""

    deployment: Deployment
    standing: Standing
    comparison: Comparison | None
    due: datetime
    following: rollout.Step | None
    may_go_on: bool


@require_safe
@requires(Right.MODELS)
@journals_nothing("models and figures of the installation")
def deployment_list(request: HttpRequest) -> HttpResponse:
    """What is in service, what is tried with its figures, and what was."""
    return _page(request, DeploymentForm())


@require_POST
@requires(Right.MODELS)
@journals(Verb.ROLLOUT_STARTED)
def add(request: HttpRequest) -> HttpResponse:
    """Begins a rollout."""
    form = DeploymentForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=400)
    deployments.start(by=person(request), **form.cleaned_data)
    messages.success(request, _("The rollout has begun."))
    return redirect("extraction:deployments")


@require_POST
@requires(Right.MODELS)
@journals(Verb.ROLLOUT_STEPPED, Verb.ROLLOUT_ADOPTED)
def go_on(request: HttpRequest, deployment_id: UUID) -> HttpResponse:
    deployments.go_on(deployment=_found(deployment_id), by=person(request), now=timezone.now())
    messages.success(request, _("The next step has begun."))
    return redirect("extraction:deployments")


@require_POST
@requires(Right.MODELS)
@journals(Verb.ROLLOUT_ROLLED_BACK)
def roll_back(request: HttpRequest, deployment_id: UUID) -> HttpResponse:
    deployments.roll_back(deployment=_found(deployment_id), by=person(request))
    messages.success(request, _("Rolled back: the next page goes to the model that was in service before."))
    return redirect("extraction:deployments")


@require_POST
@requires(Right.MODELS)
@journals(Verb.ROLLOUT_STOPPED)
def stop(request: HttpRequest, deployment_id: UUID) -> HttpResponse:
    deployments.stop(deployment=_found(deployment_id), by=person(request))
    messages.success(request, _("Stopped: the newcomer gets no more documents."))
    return redirect("extraction:deployments")


def _found(deployment_id: UUID) -> Deployment:
    """Deployments belong to the installation: every clinic's administrators see the same ones."""
    return get_object_or_404(Deployment, pk=deployment_id)


def _page(request: HttpRequest, form: DeploymentForm, *, status: int = 200) -> HttpResponse:
    tried = standing.tried()
    former = list(_former()[:FORMER_SHOWN])
    context = {
        "adopted": Deployment.objects.filter(state=DeploymentState.ADOPTED).first(),
        "settings_model": settings.LLM_MODEL if settings.LLM_ENDPOINT else "",
        "settings_prompt": settings.LLM_PROMPT or prompts.CURRENT,
        "trial": _trial(tried) if tried is not None else None,
        "last": _trial(former[0]) if former and tried is None else None,
        "former": former,
        "form": form,
    }
    return render(request, "extraction/deployments.html", context, status=status)


def _former() -> QuerySet[Deployment]:
    return Deployment.objects.exclude(state__in=[DeploymentState.OPEN, DeploymentState.ADOPTED]).order_by("-started_at")


def _trial(deployment: Deployment) -> Trial:
    now = timezone.now()
    try:
        deployments.check_can_go_on(deployment, now)
    except CannotRollOut:
        may_go_on = False
    else:
        may_go_on = True
    return Trial(
        deployment=deployment,
        standing=standing.standing_of(deployment),
        comparison=standing.comparison_of(deployment),
        due=rollout.due(deployment.share, deployment.step_began_at),
        following=rollout.following(deployment.share),
        may_go_on=may_go_on,
    )
