"""A newcomer in the shadow: asked about pages whose run is over, compared, and forgotten but for the counts.

It works in a job of its own behind all runs, for a minute at most, so it delays nothing and fails nothing.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from uuid import UUID

from audit.record import record_alone
from audit.verbs import Purpose, Verb
from extraction import traffic
from extraction.errors import ExtractionError
from extraction.models import Deployment, Finding, PageState, Question, Run, RunPage, Status
from extraction.stance import Stance
from extraction.traffic import Route

MOST_PAGES = 20
"""Of one run: a document of hundreds of pages would say the same thing hundreds of times."""
MOST_SECONDS = 60.0


def compare(run_id: UUID, *, clock: Callable[[], float] = time.monotonic) -> None:
    """Asks the newcomer about the run's pages and stores how its numbers compare with the baseline's.

    Raises ServiceUnavailable when the newcomer cannot be set up here.
    """
    deployment = traffic.in_the_shadow()
    run = Run.objects.select_related("document").filter(pk=run_id, status=Status.DONE).first()
    if deployment is None or run is None or not run.uses_model:
        return
    rows = list(run.pages.filter(state=PageState.FOUND, model_error_code="").order_by("number")[:MOST_PAGES])
    if not rows:
        return
    route = traffic.route_to(deployment)
    _journal(run, deployment, len(rows))
    until = clock() + MOST_SECONDS
    for row in rows:
        if clock() > until or traffic.in_the_shadow() != deployment:
            return
        _compare_page(route, row, list(run.findings.filter(page=row.number)))


def _journal(run: Run, deployment: Deployment, pages: int) -> None:
    """Before anything is sent; if it cannot be written, nothing is."""
    record_alone(
        Verb.MODEL_CALLED, by=None, clinic_id=run.document.clinic_id, object_type="run", object_id=run.pk,
        document_id=run.document_id, count=pages, purpose=Purpose.QUALITY,
        details={"service": deployment.model_name, "shadow": True},
    )  # fmt: skip


def _compare_page(route: Route, row: RunPage, findings: list[Finding]) -> None:
    page = row.page
    answer, asked = traffic.ask(route, Stance.of(page).righted(page))
    if asked is None:
        return
    [question] = traffic.questions([asked])
    question.is_shadow = True
    if not isinstance(answer, ExtractionError):
        _compare_numbers(question, Counter(each.nam for each in answer.proposals if each.checks.valid), findings)
    question.save()


def _compare_numbers(question: Question, newcomer: Counter[str], findings: list[Finding]) -> None:
    pattern, baseline = _numbers(findings, "pattern"), _numbers(findings, "model")
    question.sure, question.seen = pattern.total(), (pattern & newcomer).total()
    question.both = (baseline & newcomer).total()
    question.only_baseline, question.only_newcomer = (baseline - newcomer).total(), (newcomer - baseline).total()


def _numbers(findings: list[Finding], finder: str) -> Counter[str]:
    """What a finder gave on the page, of what passes every check."""
    return Counter(str(each.value) for each in findings if each.valid and finder in each.found_by)
