"""A newcomer in the shadow: asked after the run, compared in counts, and never in anybody's way."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from rq import SimpleWorker

from audit.models import Event
from audit.verbs import Verb
from extraction import deployments, jobs, queue, shadow
from extraction.jobs import QuietJob
from extraction.models import Finding, Question, RunPage
from tests.fakes import vllm
from tests.fakes.vllm import running_vllm
from tests.integration.rollouts import invents, reads_well, sees_nothing, start, upload, work_off

pytestmark = pytest.mark.django_db

PAGES = 2


@pytest.fixture
def good(settings) -> Iterator[vllm.FakeVLLM]:
    with running_vllm(reads_well) as server:
        settings.LLM_ENDPOINT, settings.LLM_MODEL = server.endpoint, vllm.MODEL
        yield server


@pytest.fixture
def run(good, staff):
    return upload(staff, pages=PAGES)


def compared(run, admin, answer, **served):
    """The questions to a newcomer that answers like this."""
    with running_vllm(answer, **served) as server:
        deployment = start(server.endpoint, admin, in_shadow=True)
        work_off(run)
        jobs.compare_in_shadow(run.pk.hex)
    return list(Question.objects.filter(deployment=deployment))


def counts(question):
    return (question.both, question.only_baseline, question.only_newcomer, question.sure, question.seen)


@pytest.mark.parametrize(
    ("answer", "expected"), [(reads_well, (3, 0, 0, 2, 2)), (sees_nothing, (0, 3, 0, 2, 0))], ids=["same", "nothing"]
)
def test_numbers_are_compared_and_only_counts_are_kept(run, admin, answer, expected):
    questions = compared(run, admin, answer)
    assert [counts(each) for each in questions] == [expected] * PAGES
    assert all(each.is_shadow and each.seconds > 0 for each in questions)


def test_invented_numbers_are_counted_and_not_kept(run, admin):
    """One a question; the page's own numbers were passed over, and are asked about once more."""
    assert [each.hallucinated for each in compared(run, admin, invents)] == [2] * PAGES


def test_nobody_sees_a_newcomers_answer(run, admin):
    compared(run, admin, sees_nothing)
    assert Finding.objects.filter(run=run).count() == 3 * PAGES
    assert not RunPage.objects.filter(run=run).exclude(deployment=None).exists()


def test_its_failures_are_counted_and_are_nobodys(run, admin):
    questions = compared(run, admin, reads_well, faults=[vllm.page("<html>")] * (2 * PAGES))  # Each is asked for twice.
    assert [each.error for each in questions] == ["not_json"] * PAGES
    run.refresh_from_db()
    assert run.status == "done"


def test_what_is_sent_is_journalled_before(run, admin):
    compared(run, admin, reads_well, model=vllm.MODEL)
    event = Event.objects.filter(verb=Verb.MODEL_CALLED).latest("seq")
    assert (event.count, event.details) == (PAGES, {"service": vllm.MODEL, "shadow": True})


def test_nothing_is_sent_when_the_journal_is_broken(run, admin, monkeypatch):
    with running_vllm(reads_well) as server:
        start(server.endpoint, admin, in_shadow=True)
        work_off(run)

        def broken(*_args, **_kwargs):
            raise shadow.traffic.AnyDatabaseError

        monkeypatch.setattr(shadow, "record_alone", broken)
        with pytest.raises(shadow.traffic.AnyDatabaseError):
            jobs.compare_in_shadow(run.pk.hex)
        assert server.chats == 0


@pytest.mark.parametrize("end", [deployments.stop, deployments.roll_back])
def test_nothing_is_sent_after_its_end(run, admin, end):
    with running_vllm(reads_well) as server:
        deployment = start(server.endpoint, admin, in_shadow=True)
        work_off(run)
        end(deployment=deployment, by=admin)
        jobs.compare_in_shadow(run.pk.hex)
        assert server.chats == 0


def test_it_ends_after_a_minute(run, admin):
    moments = iter([0.0, 1.0, shadow.MOST_SECONDS + 1])
    with running_vllm(reads_well) as server:
        start(server.endpoint, admin, in_shadow=True)
        work_off(run)
        shadow.compare(run.pk, clock=lambda: next(moments))
        assert server.chats == 1


@pytest.mark.queue
def test_a_comparison_waits_behind_the_runs(run, admin, empty_redis, staff):
    with running_vllm(reads_well) as server:
        start(server.endpoint, admin, in_shadow=True)
        work_off(run)
        assert queue.comparisons().get_job_ids() == [f"comparison-{run.pk.hex}"]
        SimpleWorker([queue.comparisons()], connection=queue.queue().connection, job_class=QuietJob,
                     serializer=queue.queue().serializer).work(burst=True)  # fmt: skip
        assert server.chats == PAGES


@pytest.mark.queue
def test_without_a_newcomer_in_the_shadow_nothing_is_queued(run, empty_redis):
    work_off(run)
    assert queue.comparisons().get_job_ids() == []
