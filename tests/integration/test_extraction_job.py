"""The job from a stored PDF to stored findings, and what happens when something is missing on the way."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from audit.models import Event
from audit.record import JournalUnavailable
from audit.verbs import Verb
from extraction import actions, jobs, queries
from extraction.errors import ServiceUnavailable
from extraction.finders.confidence import Witnesses, weigh
from extraction.models import Finder, Finding, PageState, Run, RunPage, Status
from extraction.pipeline import PageFound, Work, extract
from extraction.readers.choosing import Part
from tests.factories import agenda_pdf, page_of, some_nam
from vault.errors import VaultUnavailable

pytestmark = pytest.mark.django_db

PAGES = 3


@pytest.fixture
def run(staff):
    """A born-digital document of three pages with two NAMs each, queued."""
    lines = [
        [
            f"Agenda du 3 octobre 2025, page {number}",
            *(f"09:{number}{k} NAM : {some_nam(10 * number + k)}" for k in (0, 1)),
        ]
        for number in range(PAGES)
    ]
    return actions.upload(data=agenda_pdf(*lines), file_name="agenda.pdf", by=staff).run


def state(run):
    return Run.objects.get(pk=run.pk)


class Interrupted(BaseException):
    """Stands for a kill: nothing catches it."""


def test_every_printed_number_is_found_with_its_page(run):
    jobs.run_extraction(run.pk.hex)
    found = sorted((finding.page, finding.value) for finding in Finding.objects.filter(run=run))
    assert found == sorted((n + 1, some_nam(10 * n + k)) for n in range(PAGES) for k in (0, 1))
    assert state(run).status == Status.DONE


def test_every_finding_keeps_what_its_confidence_was_weighed_from(run):
    jobs.run_extraction(run.pk.hex)
    for finding in Finding.objects.filter(run=run):
        witnesses = Witnesses.from_json(finding.witnesses)
        assert witnesses is not None
        assert (witnesses.checks._asdict(), weigh(witnesses)) == (finding.checks, finding.confidence)


def test_a_job_that_is_delivered_twice_changes_nothing(run):
    jobs.run_extraction(run.pk.hex)
    jobs.run_extraction(run.pk.hex)
    assert Finding.objects.filter(run=run).count() == 2 * PAGES


@pytest.mark.parametrize(
    ("step", "nth"), [(step, nth) for step in ("store_read", "store_found") for nth in (1, 2, 3)] + [("finish", 1)]
)
def test_a_killed_run_is_resumed_with_the_pages_it_lacks(run, monkeypatch, step, nth):
    original, calls = getattr(jobs.claims, step), []

    def killed(*args):
        calls.append(args)
        if len(calls) == nth:
            raise Interrupted
        return original(*args)

    monkeypatch.setattr(jobs.claims, step, killed)
    with pytest.raises(Interrupted):
        jobs.run_extraction(run.pk.hex)
    monkeypatch.setattr(jobs.claims, step, original)
    kept = RunPage.objects.filter(run=run).count()
    jobs.claims.recover_orphans(timezone.now() + 2 * jobs.claims.ORPHAN_AFTER)

    read = []
    monkeypatch.setattr(jobs.claims, "store_read", lambda c, r, o=jobs.claims.store_read: (read.append(r), o(c, r)))
    jobs.run_extraction(run.pk.hex)
    assert len(read) == PAGES - kept
    assert Finding.objects.filter(run=run).count() == 2 * PAGES
    assert state(run).status == Status.DONE


def test_an_unexpected_error_fails_the_run_with_a_code_and_keeps_its_text_to_itself(run, monkeypatch, caplog):
    def broken(_page):
        raise ValueError(some_nam(1))

    monkeypatch.setattr("extraction.finders.pattern.find", broken)
    jobs.run_extraction(run.pk.hex)
    assert (state(run).status, state(run).error_code) == (Status.FAILED, "internal")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OperationalError("the server is shutting down"), "database_unavailable"),
        (InterfaceError("the connection is closed"), "database_unavailable"),
        (JournalUnavailable("OperationalError"), "database_unavailable"),
        (VaultUnavailable("slow down"), "vault_unavailable"),
    ],
)
def test_a_run_waits_where_what_keeps_its_state_is_away(run, monkeypatch, error, code):
    def away(*_args):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(jobs.storage, "get", away)
        jobs.run_extraction(run.pk.hex)
    assert (state(run).status, state(run).error_code) == (Status.WAITING, code)
    jobs.claims.enqueue_due(timezone.now() + timedelta(minutes=2))
    jobs.run_extraction(run.pk.hex)
    assert state(run).status == Status.DONE


class Model:
    """A model finder that is told what to do."""

    class prompt:  # noqa: N801
        version = "test"

    def __init__(self, answer):
        self.answer = answer

    def find(self, page):
        return self.answer(page)


@pytest.fixture
def hybrid(run, monkeypatch):
    """The run wants the model; returns a function that says how the model behaves."""
    Run.objects.filter(pk=run.pk).update(finder=Finder.HYBRID, model_name="llama")
    return lambda answer: monkeypatch.setattr(jobs, "_model_finder", lambda: Model(answer))


def down(_page):
    raise ServiceUnavailable("model_unavailable")


def test_a_run_waits_for_a_model_that_is_down_and_loses_no_page(run, hybrid):
    hybrid(down)
    jobs.run_extraction(run.pk.hex)
    waiting = state(run)
    assert (waiting.status, waiting.error_code) == (Status.WAITING, "model_unavailable")
    assert waiting.next_attempt_at > timezone.now()
    assert RunPage.objects.filter(run=run, state=PageState.READ).count() == PAGES


def test_a_person_may_go_on_without_the_model(run, hybrid, staff):
    hybrid(down)
    jobs.run_extraction(run.pk.hex)
    actions.go_on_without_model(run=state(run), by=staff)
    jobs.run_extraction(run.pk.hex)
    assert state(run).status == Status.DONE
    assert Finding.objects.filter(run=run).count() == 2 * PAGES
    assert not state(run).uses_model


def test_pages_that_go_to_the_model_are_journalled_before_they_go(run, hybrid, monkeypatch):
    steps, original = [], jobs.claims.record_disclosure
    hybrid(lambda page: steps.append("asked") or down(page))

    def recorded(*args, **kwargs):
        original(*args, **kwargs)
        steps.append("journalled")

    monkeypatch.setattr(jobs.claims, "record_disclosure", recorded)
    jobs.run_extraction(run.pk.hex)
    assert steps[0] == "journalled"
    assert "asked" in steps
    event = Event.objects.get(verb=Verb.MODEL_CALLED)
    assert (event.count, event.details) == (PAGES, {"service": "llama"})


def test_nothing_goes_to_the_model_when_the_journal_is_broken(run, hybrid, monkeypatch):
    asked = []
    hybrid(lambda page: asked.append(page) or down(page))

    def broken(*_args, **_kwargs):
        raise jobs.claims.ClaimLost

    monkeypatch.setattr(jobs.claims, "record_disclosure", broken)
    jobs.run_extraction(run.pk.hex)
    assert asked == []


@pytest.mark.parametrize(("reader", "looked_at"), [("local", [1]), ("text_layer", [])])
def test_a_picture_that_was_read_before_is_looked_at_twice_like_any_other(monkeypatch, reader, looked_at):
    pages = []
    monkeypatch.setattr(
        "extraction.pipeline.second_look.improve",
        lambda page, proposals, _look: pages.append(page.number) or proposals,
    )
    ready = replace(page_of(f"NAM {some_nam(3)}"), reader=reader)
    list(extract(agenda_pdf(["NAM"]), Work(parts=[Part(numbers=(), ready=[ready])])))
    assert pages == looked_at


def test_progress_counts_pages_and_percent(run):
    assert queries.progress(run).percent == 0
    claim = jobs.claims.take(run.pk)
    jobs.claims.store_read(claim, jobs.PageRead(1, None, "page_unreadable", 0.1))
    progress = queries.progress(state(run))
    assert (progress.percent, progress.unread, progress.is_complete) == (33, (1,), False)


def test_a_done_run_with_an_unread_page_is_not_complete(run):
    claim = jobs.claims.take(run.pk)
    jobs.claims.store_read(claim, jobs.PageRead(1, None, "page_unreadable", 0.1))
    jobs.claims.finish(claim)
    assert not queries.progress(state(run)).is_complete


def test_a_found_page_is_stored_whole_or_not_at_all(run, monkeypatch):
    claim = jobs.claims.take(run.pk)

    def broken(*_args, **_kwargs):
        raise RuntimeError

    jobs.claims.store_read(claim, jobs.PageRead(1, page_of(f"NAM {some_nam(3)}"), None, 0.1))
    monkeypatch.setattr(Finding.objects, "bulk_create", broken)
    with pytest.raises(RuntimeError):
        jobs.claims.store_found(claim, PageFound(1, (), 0.1))
    assert RunPage.objects.get(run=run).state == PageState.READ
