"""Who answers a run's pages: sticky per document, and the baseline within seconds of a roll-back."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from audit.models import Event
from audit.verbs import Verb
from extraction import deployments, traffic
from extraction.errors import ServiceUnavailable
from extraction.finders.model import ModelAnswer
from extraction.llm.client import ModelBadReply, ModelUnreachable
from extraction.llm.replicas import AllResting
from extraction.models import Deployment, Question, RunPage, Status
from extraction.ticking import ticking
from extraction.traffic import STALE_SECONDS, Route, Switch, Trust
from tests.factories import RunFactory, page_of
from tests.fakes import vllm
from tests.fakes.vllm import running_vllm
from tests.integration.rollouts import give, reads_well, sees_nothing, start, state, upload, work_off

NEWCOMER, PREVIOUS = (deployments.UUID(int=number) for number in (1, 2))


class Finder:
    """A model finder that is told what to do, and counts."""

    def __init__(self, failure=None):
        self.failure = failure
        self.asked = 0

    def find(self, _page):
        self.asked += 1
        if self.failure is not None:
            raise self.failure
        return ModelAnswer(hallucinated=2)


def switch(*finders, holds=lambda _route: True):
    """The first of two finders is a newcomer."""
    ids = (NEWCOMER, None) if len(finders) > 1 else (None,)
    routes = [
        Route(finder, pk, "model", "nam-v1", is_tried=pk is not None) for finder, pk in zip(finders, ids, strict=True)
    ]
    return Switch(routes, holds)


PAGE = page_of("NAM")


# --- One page --------------------------------------------------------------------------------------------------------


def test_a_trusted_newcomer_answers_alone():
    newcomer, baseline = Finder(), Finder()
    switch(newcomer, baseline).find(PAGE)
    assert (newcomer.asked, baseline.asked) == (1, 0)


def test_a_newcomer_that_is_not_trusted_is_not_asked():
    newcomer, baseline = Finder(), Finder()
    switch(newcomer, baseline, holds=lambda _route: False).find(PAGE)
    assert (newcomer.asked, baseline.asked) == (0, 1)


@pytest.mark.parametrize("failure", [ModelUnreachable("timeout"), ModelBadReply("schema"), AllResting()], ids=repr)
def test_what_a_newcomer_cannot_answer_the_model_in_service_is_asked_at_once(failure):
    chosen = switch(Finder(failure), Finder())
    assert chosen.find(PAGE).hallucinated == 2
    assert traffic.answered_by(chosen.take(PAGE.number)) is None


def test_both_questions_about_a_page_are_counted():
    chosen = switch(Finder(ModelUnreachable("timeout")), Finder())
    chosen.find(PAGE)
    assert [(each.deployment_id, each.error) for each in chosen.take(PAGE.number)] == [
        (NEWCOMER, "timeout"),
        (None, ""),
    ]


def test_replicas_that_rest_were_not_asked():
    chosen = switch(Finder(AllResting()), Finder())
    chosen.find(PAGE)
    assert [each.deployment_id for each in chosen.take(PAGE.number)] == [None]


def test_nobody_is_asked_about_an_empty_page():
    chosen = switch(Finder(), Finder())
    chosen.find(page_of())
    assert chosen.take(1) == []


def test_the_failure_of_the_model_in_service_is_the_pages():
    chosen = switch(Finder(ModelBadReply("schema")), Finder(ModelUnreachable("timeout")))
    with pytest.raises(ServiceUnavailable):
        chosen.find(PAGE)
    assert [each.error for each in chosen.take_rest()] == ["schema", "timeout"]


def test_what_was_taken_is_counted_once():
    chosen = switch(Finder())
    chosen.find(PAGE)
    assert len(chosen.take(PAGE.number)) == 1
    assert chosen.take(PAGE.number) == chosen.take_rest() == []


# --- Trust -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def time_of_day():
    return [0.0]


def route(pk, *, is_tried):
    return Route(Finder(), pk, "model", "nam-v1", is_tried=is_tried)


def test_a_newcomer_of_which_nothing_is_heard_for_five_seconds_is_not_asked(time_of_day):
    trust = Trust([NEWCOMER, PREVIOUS], lambda: time_of_day[0])
    assert trust.holds(route(NEWCOMER, is_tried=True))
    time_of_day[0] = STALE_SECONDS
    assert not trust.holds(route(NEWCOMER, is_tried=True))
    assert trust.holds(route(PREVIOUS, is_tried=False))


def test_the_settings_server_is_always_trusted(time_of_day):
    trust = Trust([], lambda: time_of_day[0])
    time_of_day[0] = 1e6
    assert trust.holds(route(None, is_tried=False))


def test_what_workers_learn_is_young_enough_for_a_roll_back_within_five_seconds():
    assert traffic.LOOK_SECONDS * 2 < STALE_SECONDS <= 5


# --- Runs ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def good(settings) -> Iterator[vllm.FakeVLLM]:
    with running_vllm(reads_well) as server:
        settings.LLM_ENDPOINT, settings.LLM_MODEL = server.endpoint, vllm.MODEL
        yield server


@pytest.fixture
def newcomer() -> Iterator[vllm.FakeVLLM]:
    with running_vllm(reads_well) as server:
        yield server


@pytest.mark.django_db
def test_without_a_deployment_nothing_is_noted(good, staff):
    work_off(upload(staff, pages=1))
    assert not Question.objects.exists()
    assert Event.objects.get(verb=Verb.MODEL_CALLED).details == {"service": vllm.MODEL}


@pytest.mark.django_db
def test_a_new_run_of_a_document_gets_the_same_newcomer(good, newcomer, staff, admin):
    run = upload(staff, pages=1)
    give(start(newcomer.endpoint, admin), run.document)
    again = RunFactory(document=run.document, requested_by=staff, finder=run.finder, status=Status.QUEUED)
    work_off(run, again)
    assert (newcomer.chats, good.chats) == (2, 0)


@pytest.mark.django_db
def test_a_new_run_after_a_roll_back_gets_the_baseline(good, newcomer, staff, admin):
    run = upload(staff, pages=1)
    deployment = give(start(newcomer.endpoint, admin), run.document)
    deployments.roll_back(deployment=deployment, by=admin)
    work_off(run)
    assert (newcomer.chats, good.chats) == (0, 1)


@pytest.mark.django_db
def test_documents_outside_the_share_get_the_baseline_and_count_for_it(good, newcomer, staff, admin):
    run, other = upload(staff, pages=1), upload(staff, pages=1, first=50)
    give(start(newcomer.endpoint, admin), run.document)
    work_off(other)
    assert (newcomer.chats, good.chats) == (0, 1)
    question = Question.objects.get()
    assert (question.deployment_id, question.sure, question.seen) == (None, 2, 2)


@pytest.mark.django_db
def test_a_run_names_the_model_and_the_prompt_that_answer_it(good, staff, admin):
    run = upload(staff, pages=1)
    with running_vllm(reads_well, model="adapter-2") as server:
        deployment = give(start(server.endpoint, admin, model="adapter-2"), run.document)
        work_off(run)
    run.refresh_from_db()
    assert (run.model_name, run.prompt_version) == ("adapter-2", "nam-v1")
    assert RunPage.objects.get(run=run).deployment == deployment


@pytest.mark.django_db
def test_the_journal_names_the_newcomer_and_who_stands_in_for_it(good, staff, admin):
    run = upload(staff, pages=1)
    with running_vllm(reads_well, model="adapter-2") as server:
        give(start(server.endpoint, admin, model="adapter-2"), run.document)
        work_off(run)
    assert Event.objects.get(verb=Verb.MODEL_CALLED).details == {"service": "adapter-2", "fallback": vllm.MODEL}


@pytest.mark.django_db
def test_a_newcomer_whose_prompt_is_not_installed_here_costs_no_page(good, newcomer, staff, admin):
    run = upload(staff, pages=1)
    deployment = give(start(newcomer.endpoint, admin), run.document)
    Deployment.objects.filter(pk=deployment.pk).update(prompt_version="nam-v99")
    work_off(run)
    assert (newcomer.chats, good.chats) == (0, 1)


@pytest.mark.django_db
def test_an_address_that_became_forbidden_is_not_spoken_to(good, newcomer, staff, admin):
    run = upload(staff, pages=1)
    deployment = give(start(newcomer.endpoint, admin), run.document)
    Deployment.objects.filter(pk=deployment.pk).update(endpoints=["http://8.8.8.8/v1"])
    work_off(run)
    assert good.chats == 1
    assert Question.objects.get(deployment=deployment).error == "refused_address"


@pytest.mark.django_db
def test_failures_count_although_the_run_waits(settings, newcomer, staff, admin, monkeypatch):
    monkeypatch.setattr("extraction.llm.client.RETRY_PAUSES", ())
    with running_vllm(reads_well) as down:
        settings.LLM_ENDPOINT, settings.LLM_MODEL = down.endpoint, "other"
        run = upload(staff, pages=1)
        give(start(down.endpoint, admin), run.document)
    work_off(run)
    run.refresh_from_db()
    assert run.status == Status.WAITING
    assert sorted(Question.objects.values_list("error", flat=True)) == ["unreachable", "unreachable"]


@pytest.mark.django_db
def test_an_adopted_deployment_is_in_service_and_its_replicas_share_the_pages(good, newcomer, staff, admin):
    with running_vllm(reads_well) as second:
        deployment = start(newcomer.endpoint, admin)
        Deployment.objects.update(state="adopted", share=100, endpoints=[newcomer.endpoint, second.endpoint])
        work_off(upload(staff, pages=6))
        # How many each gets depends on who answers faster; who gets the next one is tested with `Replicas`.
        assert newcomer.chats + second.chats == 6
        assert min(newcomer.chats, second.chats) > good.chats == 0
        deployments.roll_back(deployment=deployment, by=admin)
        work_off(upload(staff, pages=1, first=50))
        assert good.chats == 1


@pytest.mark.django_db
def test_what_was_in_service_before_is_again(good, newcomer, staff, admin):
    before = start(newcomer.endpoint, admin)
    Deployment.objects.update(state="adopted", share=100)
    with running_vllm(sees_nothing) as other:
        worse = start(other.endpoint, admin)
        Deployment.objects.filter(pk=worse.pk).update(share=100, step_began_at=worse.started_at.replace(year=2000))
        deployments.go_on(deployment=worse, by=None, now=timezone.now())
        assert (state(before), state(worse)) == (("retired", ""), ("adopted", ""))
        deployments.roll_back(deployment=worse, by=admin)
    assert state(before) == ("adopted", "")
    work_off(upload(staff, pages=1))
    assert (newcomer.chats, good.chats) == (1, 0)


def test_something_is_done_again_and_again_by_a_thread_that_ends_with_the_block():
    looks = threading.Semaphore(0)
    with ticking(0.001, lambda: looks.release() is None, name="ticking"):
        assert all(looks.acquire(timeout=5) for _ in range(3))
    assert not any(thread.name == "ticking" for thread in threading.enumerate())


def test_it_is_done_again_after_a_database_that_was_away_for_a_moment():
    looks = threading.Semaphore(0)
    answers = iter([OperationalError(), InterfaceError()])

    def act():
        looks.release()
        for error in answers:
            raise error
        return True

    with ticking(0.001, act, name="ticking"):
        assert all(looks.acquire(timeout=5) for _ in range(4))


@pytest.mark.django_db
def test_a_database_that_does_not_answer_takes_no_run_down(monkeypatch):
    def broken(*_args, **_kwargs):
        raise OperationalError

    monkeypatch.setattr(Deployment.objects, "filter", broken)
    trust = Trust([NEWCOMER])
    assert not trust.look()
    assert trust.holds(route(NEWCOMER, is_tried=True))
