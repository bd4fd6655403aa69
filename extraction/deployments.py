"""Every change of a rollout, each with its event in the same transaction: begun, a step further, adopted, rolled back.

A rollout concerns the whole installation. Its events stand in the chain of the clinic whose administrator began it,
those of the machine too, so that the person who answers for it reads them in their journal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from audit.record import record
from audit.verbs import Purpose, Verb
from extraction import following, queue, standing, turns
from extraction.llm import client, health, prompts, rollout
from extraction.llm import endpoints as addresses
from extraction.llm.client import ModelServer
from extraction.models import Deployment, DeploymentState, Document, PageState, Question, Run, RunPage, Status
from extraction.scoring import Score

MANUAL = "manual"
"""The reason of what a person decided; triggers are named in `llm.rollout`."""
KEPT = timedelta(days=30)
RUNS_A_ROUND = 100


class CannotRollOut(Exception):
    """The state of the rollout does not allow this. Its text is a sentence for the person. Answered with 409."""


class RefusedAddress(ValueError):
    """Pages may not be sent to this address. Its text is a sentence for the person."""


class NotReady(ValueError):
    """A newcomer's server cannot be asked. `endpoint` says which, `detail` is a code of `llm.health`."""

    def __init__(self, endpoint: str, detail: str) -> None:
        super().__init__(f"{endpoint}: {detail}")
        self.endpoint, self.detail = endpoint, detail


def check_servers(endpoints: Sequence[str], model_name: str) -> None:
    """Raises NotReady unless every server answers now, under this model's name, and RefusedAddress without a model."""
    server = _server()
    for endpoint in endpoints:
        looked = health.health(replace(server, endpoint=endpoint, model=model_name))
        if not looked.ok:
            raise NotReady(endpoint, looked.detail)


def _server() -> ModelServer:
    """The one in service by the settings. Raises RefusedAddress where there is none."""
    server = client.from_settings()
    if server is None:
        raise RefusedAddress(_("Set LLM_ENDPOINT first: a rollout compares a newcomer with the model in service."))
    return server


def check_addresses(endpoints: Sequence[str]) -> None:
    """Raises RefusedAddress unless each is a private address of a host that the settings allow."""
    server = _server()
    for endpoint in endpoints:
        try:
            client.check_address(replace(server, endpoint=endpoint))
        except addresses.PublicEndpoint:
            raise RefusedAddress(
                _("This address is refused: it must be private, and its host in LLM_ALLOWED_HOSTS.")
            ) from None
        except addresses.UnresolvedEndpoint:
            raise RefusedAddress(_("This host name has no address.")) from None


def start(
    *, endpoints: Sequence[str], model_name: str, prompt_version: str, in_shadow: bool, profile: str = "", by: User
) -> Deployment:
    """Begins a rollout, in the shadow or with the first share. Raises RefusedAddress, ValueError for an unknown prompt,
    CannotRollOut while another newcomer is tried."""
    check_addresses(endpoints)
    prompts.load(prompt_version)
    now = timezone.now()
    step = rollout.SHADOW if in_shadow else rollout.STEPS[0]
    deployment = Deployment(
        endpoints=list(endpoints), model_name=model_name, prompt_version=prompt_version, profile=profile,
        share=step.share, predecessor=Deployment.objects.filter(state=DeploymentState.ADOPTED).first(),
        started_by=by, started_at=now, step_began_at=now,
    )  # fmt: skip
    try:
        with transaction.atomic():
            deployment.save(force_insert=True)
            _record(Verb.ROLLOUT_STARTED, deployment, by=by)
    except IntegrityError:
        raise CannotRollOut(_("Another newcomer is being tried. Stop it or roll it back first.")) from None
    return deployment


def check_can_go_on(deployment: Deployment, now: datetime) -> None:
    """Raises CannotRollOut unless there is a next step and the waiting time of this one is over."""
    if deployment.state != DeploymentState.OPEN:
        raise CannotRollOut(_("This rollout is over."))
    if now < rollout.due(deployment.share, deployment.step_began_at):
        raise CannotRollOut(_("The waiting time of this step is not over yet."))


@transaction.atomic
def go_on(*, deployment: Deployment, by: User | None, now: datetime) -> None:
    """The next share, or after the last one the adoption: the newcomer is then what is in service."""
    deployment = _held(deployment)
    check_can_go_on(deployment, now)
    step = rollout.following(deployment.share)
    if step is None:
        _adopt(deployment, by=by, now=now)
        return
    deployment.share, deployment.step_began_at = step.share, now
    deployment.save(update_fields=["share", "step_began_at"])
    _record(Verb.ROLLOUT_STEPPED, deployment, by=by)


def _adopt(deployment: Deployment, *, by: User | None, now: datetime) -> None:
    Deployment.objects.filter(state=DeploymentState.ADOPTED).update(state=DeploymentState.RETIRED, ended_at=now)
    deployment.state, deployment.step_began_at = DeploymentState.ADOPTED, now
    deployment.save(update_fields=["state", "step_began_at"])
    _record(Verb.ROLLOUT_ADOPTED, deployment, by=by)


def roll_back(*, deployment: Deployment, by: User | None, reason: str = MANUAL) -> None:
    """Back to what was in service before, for the next page of every worker. Unsigned pages that it answered are
    searched again (`search_again`). Raises CannotRollOut when it answers nobody any more."""
    with transaction.atomic():
        deployment = _held(deployment)
        if deployment.state not in (DeploymentState.OPEN, DeploymentState.ADOPTED):
            raise CannotRollOut(_("This deployment is not in service any more."))
        was_adopted = deployment.state == DeploymentState.ADOPTED
        _end(deployment, DeploymentState.ROLLED_BACK, reason)
        if was_adopted and deployment.predecessor is not None:
            _reinstate(deployment.predecessor)
        _record(Verb.ROLLOUT_ROLLED_BACK, deployment, by=by, reason_code=reason)


def _reinstate(predecessor: Deployment) -> None:
    if predecessor.state == DeploymentState.RETIRED:
        predecessor.state, predecessor.ended_at = DeploymentState.ADOPTED, None
        predecessor.save(update_fields=["state", "ended_at"])


@transaction.atomic
def stop(*, deployment: Deployment, by: User) -> None:
    """Ends a trial without blame: no document is given to the newcomer any more, and what it answered stays."""
    deployment = _held(deployment)
    if deployment.state != DeploymentState.OPEN:
        raise CannotRollOut(_("This rollout is over."))
    _end(deployment, DeploymentState.STOPPED, MANUAL)
    _record(Verb.ROLLOUT_STOPPED, deployment, by=by, reason_code=MANUAL)


def _held(deployment: Deployment) -> Deployment:
    """The row as it is now, locked: the scheduler and an administrator may decide in the same moment."""
    return Deployment.objects.select_for_update().get(pk=deployment.pk)


def _end(deployment: Deployment, state: DeploymentState, reason: str) -> None:
    deployment.state, deployment.ended_at, deployment.end_reason = state, timezone.now(), reason
    deployment.save(update_fields=["state", "ended_at", "end_reason"])


def _record(verb: Verb, deployment: Deployment, *, by: User | None, reason_code: str = "") -> None:
    record(
        verb, by=by, clinic_id=deployment.started_by.clinic_id, object_type="deployment", object_id=deployment.pk,
        reason_code=reason_code, purpose=Purpose.ADMINISTRATION,
        details={"share": deployment.share, "model": deployment.model_name, "prompt": deployment.prompt_version},
    )  # fmt: skip


# --- What the scheduler does -----------------------------------------------------------------------------------------


def evaluate(now: datetime) -> None:
    """Goes on with a rollout, or back, as its figures say; then searches again what a rolled-back model answered."""
    deployment = standing.tried()
    if deployment is not None:
        _evaluate(deployment, now)
    search_again()


def _evaluate(deployment: Deployment, now: datetime) -> None:
    figures = standing.standing_of(deployment)
    action, fired = rollout.what_now(
        share=deployment.share,
        began=deployment.step_began_at,
        asked_since=figures.asked_since,
        newcomer=figures.newcomer,
        baseline=figures.baseline,
        now=now,
    )
    try:
        if action == "roll_back":
            roll_back(deployment=deployment, by=None, reason=fired or "")
        elif action == "go_on":
            go_on(deployment=deployment, by=None, now=now)
    except CannotRollOut:
        return  # An administrator was faster.


def search_again(*, limit: int = RUNS_A_ROUND) -> int:
    """Queues runs with pages that a rolled-back deployment answered and nobody signed off. Returns how many.

    What it proposed stays where it is, decided or not; what the baseline finds besides is added. A run that is still at
    work has its turn when it is done.
    """
    answered = _to_search_again().filter(run__status=Status.DONE).order_by("run").values_list("run", flat=True)
    run_ids = list(answered.distinct()[:limit])
    for run_id in run_ids:
        _search_again(run_id)
    return len(run_ids)


def _to_search_again() -> QuerySet[RunPage]:
    return RunPage.objects.filter(
        deployment__state=DeploymentState.ROLLED_BACK, state=PageState.FOUND, right=None, words__isnull=False
    )


@transaction.atomic
def _search_again(run_id: UUID) -> None:
    # The lock that a sign-off takes too: a page is either signed off before, or cannot be until it is searched. It lets
    # rows that name the document be committed: those who write them may hold what this transaction still needs.
    document = Document.objects.select_for_update(no_key=True).get(runs=run_id)
    run = Run.objects.select_for_update().get(pk=run_id)
    if run.status != Status.DONE:
        return
    pages = _to_search_again().filter(run=run).update(state=PageState.READ)
    if not pages:
        return
    Run.objects.filter(pk=run.pk).update(
        status=Status.QUEUED, turn=F("turn") + 1, next_attempt_at=None, finished_at=None
    )
    run.refresh_from_db()
    turns.lay_out(run)
    following.tell(document.pk)
    record(Verb.RUN_QUEUED, by=None, clinic_id=document.clinic_id, object_type="run", object_id=run.pk,
           document_id=document.pk, count=pages, reason_code="rolled_back")  # fmt: skip
    queue.enqueue_on_commit(run)


def forget_old_questions(now: datetime) -> None:
    """Removes the rows of questions that are older than a month."""
    Question.objects.filter(at__lt=now - KEPT).delete()


# --- What reviewers say, handed down by `review` ---------------------------------------------------------------------


def keep_score(*, run: Run, page: int, score: Score) -> None:
    """Notes at a page's sign-off what was right and wrong of its proposals. In the sign-off's transaction."""
    run.pages.filter(number=page).update(right=score.tp, wrong=score.fp + score.fn)


def forget_score(*, document: Document, page: int) -> None:
    """The page is open again."""
    RunPage.objects.filter(run__document=document, number=page).update(right=None, wrong=None)
