"""A rollout rehearsed with servers that go wrong: it is noticed, taken back, and no reviewer's page lost a number."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.utils import timezone

from audit.models import Event
from audit.verbs import Verb
from extraction import deployments, queries
from extraction.llm import client
from extraction.models import Finding, Question, Run, Status
from review import actions as review
from tests.fakes import vllm
from tests.fakes.vllm import running_vllm
from tests.integration.rollouts import (
    found_on,
    give,
    invents,
    numbers_of,
    reads_well,
    sees_nothing,
    start,
    state,
    upload,
    work_off,
)

pytestmark = pytest.mark.django_db

PAGES = 8
TRIED, IN_SERVICE = 3, 5  # documents
SLOW = 0.25


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """No pause before a server is asked again."""
    monkeypatch.setattr(client, "RETRY_PAUSES", ())


@pytest.fixture
def good(settings) -> Iterator[vllm.FakeVLLM]:
    """The model in service."""
    with running_vllm(reads_well) as server:
        settings.LLM_ENDPOINT, settings.LLM_MODEL = server.endpoint, vllm.MODEL
        yield server


@pytest.fixture
def runs(good, staff) -> list[Run]:
    """Documents, queued; the newcomer gets the first three."""
    return [upload(staff, pages=PAGES, first=100 * number) for number in range(TRIED + IN_SERVICE)]


def slowly(question):
    threading.Event().wait(SLOW)
    return reads_well(question)


@contextmanager
def killed() -> Iterator[vllm.FakeVLLM]:
    with running_vllm(reads_well) as server:
        pass
    yield server


def failing(fault):
    return running_vllm(reads_well, faults=[fault] * 10_000)


BAD = {
    "sees nothing": (lambda: running_vllm(sees_nothing), "accuracy"),
    "invents numbers": (lambda: running_vllm(invents), "accuracy"),
    "is killed": (killed, "errors"),
    "answers 503": (lambda: failing(vllm.status(503)), "errors"),
    "answers with a page of a proxy": (lambda: failing(vllm.page("<html>")), "errors"),
    "answers with another schema": (lambda: failing(vllm.says('{"numbers": []}')), "errors"),
    "hangs up": (lambda: failing(vllm.reset), "errors"),
    "serves another model": (lambda: running_vllm(reads_well, model="other"), "errors"),
    "is slow": (lambda: running_vllm(slowly), "slow"),
}


def search_again_what_is_queued() -> None:
    work_off(*Run.objects.filter(status=Status.QUEUED))


@pytest.mark.parametrize("fault", BAD)
def test_a_bad_newcomer_is_rolled_back_by_itself_and_no_page_lacks_a_number(fault, runs, admin):
    serve, reason = BAD[fault]
    with serve() as newcomer:
        deployment = give(start(newcomer.endpoint, admin), *(run.document for run in runs[:TRIED]))
        for run in runs:
            work_off(run)
            deployments.evaluate(timezone.now())  # As the scheduler does every 30 seconds.
    assert state(deployment) == ("rolled_back", reason)
    search_again_what_is_queued()
    for number, run in enumerate(runs):
        assert queries.progress(Run.objects.get(pk=run.pk)).is_complete
        for page in range(1, PAGES + 1):
            assert found_on(run, page) >= set(numbers_of(page, 100 * number))


def test_a_good_newcomer_goes_up_all_steps_and_is_put_in_service(runs, admin):
    with running_vllm(reads_well) as newcomer:
        deployment = give(start(newcomer.endpoint, admin), *(run.document for run in runs[:TRIED]))
        work_off(*runs)
        now = timezone.now()
        for _step in range(5):
            Question.objects.bulk_create(
                Question(deployment=who, at=now, seconds=0.01, sure=2, seen=2)
                for who in (deployment, None)
                for _ in range(40)
            )
            now += timedelta(weeks=1)
            deployments.evaluate(now)
        assert state(deployment) == ("adopted", "")
        work_off(upload(runs[0].requested_by, pages=1, first=2000))
        assert newcomer.chats == TRIED * PAGES + 1
    shares = Event.objects.filter(verb=Verb.ROLLOUT_STEPPED).order_by("seq").values_list("details", flat=True)
    assert [each["share"] for each in shares] == [25, 50, 75, 100]


def test_the_reviewers_pages_lose_nothing_while_the_newcomer_is_bad(runs, admin, reviewer):
    """Decisions and sign-offs made before the roll-back stand, and what was proposed keeps its identity."""
    with running_vllm(sees_nothing) as newcomer:
        deployment = give(start(newcomer.endpoint, admin), *(run.document for run in runs[:TRIED]))
        work_off(*runs)
    seen = list(Finding.objects.filter(run=runs[0]).order_by("page", "position"))
    for finding in seen[:2]:
        review.decide(finding=finding, value=review.Value(finding.value), by=reviewer)
    run = queries.newest_run(runs[0].document)
    review.sign_off(run=run, page=1, by=reviewer)
    review.decide(finding=seen[2], value=review.Value(seen[2].value), by=reviewer)
    deployments.evaluate(timezone.now())
    search_again_what_is_queued()
    assert state(deployment) == ("rolled_back", "accuracy")
    after = {finding.pk for finding in Finding.objects.filter(run=runs[0])}
    assert {finding.pk for finding in seen} <= after
    assert found_on(run, 1) == set(numbers_of(1)[:2])  # It was signed off: nothing is added behind the reviewer.
    assert found_on(run, 2) == set(numbers_of(2))
    assert runs[0].document.decisions.filter(undone_at=None).count() == 3
