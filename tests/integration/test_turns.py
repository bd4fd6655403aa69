"""Documents are worked off in slices: spread over workers, resumed slice by slice, and fair to whoever else waits."""

from __future__ import annotations

import threading
from datetime import timedelta
from itertools import pairwise

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.models import Event
from audit.verbs import Verb
from extraction import actions, claims, jobs, turns
from extraction.claims import ClaimLost
from extraction.models import Run, RunPage, Slice, SliceState, Status
from extraction.pipeline import PageFound
from extraction.readers.choosing import PageRead
from tests.factories import DocumentFactory, RunFactory, UserFactory, agenda_pdf, page_of, some_nam

pytestmark = pytest.mark.django_db

LONG = 5 * turns.PAGES


def queued(by, pages=1):
    return RunFactory(document=DocumentFactory(uploaded_by=by, page_count=pages), status=Status.QUEUED)


def taken(count):
    """The runs of which the next slices are, with the slices worked off in the order they are taken."""
    order = []
    for _turn in range(count):
        claim = claims.take()
        order.append(claim.run_id)
        claims.finish(claim)
    return order


def work_off(claim):
    (piece,) = claims.held(claim)
    for number in range(piece.first, piece.last + 1):
        claims.store_read(claim, PageRead(number, page_of("Bonjour"), None, 0.1))
        claims.store_found(claim, PageFound(number, (), 0.1))
    return claims.finish(claim)


@pytest.mark.parametrize("pages", [1, turns.PAGES, turns.PAGES + 1, LONG])
def test_slices_hold_every_page_once(staff, pages):
    run = queued(staff, pages)
    held = [number for each in run.slices.order_by("first") for number in range(each.first, each.last + 1)]
    assert held == list(range(1, pages + 1))


def test_a_document_that_a_service_reads_whole_is_one_slice(staff, settings):
    settings.TEXTRACT_BUCKET, settings.TEXTRACT_ASYNC_PAGES = "bucket", 10
    document = DocumentFactory(uploaded_by=staff, page_count=LONG)
    assert RunFactory(document=document, status=Status.QUEUED, ocr="textract").slices.count() == 1


def test_workers_share_one_long_document(staff):
    run = queued(staff, LONG)
    pieces = [claims.held(claims.take())[0] for _worker in range(5)]
    assert {piece.run_id for piece in pieces} == {run.pk}
    assert sorted(piece.first for piece in pieces) == list(range(1, LONG, turns.PAGES))
    assert claims.take() is None


def test_a_short_document_waits_for_one_slice_of_a_long_one(staff):
    long = queued(staff, LONG)
    assert taken(1) == [long.pk]
    short = queued(staff)
    assert taken(3) == [long.pk, short.pk, long.pk]


def test_short_documents_that_keep_coming_do_not_hold_a_long_one_up(staff):
    long = queued(staff, LONG)
    order = []
    for _arrival in range(5):
        queued(staff), queued(staff)
        order += taken(2)
    assert order.count(long.pk) >= 3


def test_clinics_take_turns_however_much_one_of_them_waits_with(staff):
    many = [queued(staff).pk for _document in range(6)]
    other = UserFactory()
    few = [queued(other).pk, queued(other, 2 * turns.PAGES).pk]
    order = taken(6)
    assert all(one != next_one for one, next_one in pairwise(run in few for run in order))
    assert [run for run in order if run in many] == many[:3]


def test_a_clinic_that_used_the_night_is_not_made_to_wait_for_it(staff):
    for _document in range(5):
        queued(staff)
    taken(5)
    other = UserFactory()
    theirs, mine = [queued(other).pk, queued(other).pk], queued(staff).pk
    assert taken(3) == [theirs[0], mine, theirs[1]]


def test_a_turn_goes_on_with_its_run_until_somebody_else_has_it(staff):
    queued(staff, LONG)
    claim = claims.take()
    assert claims.take_more(claim, is_fair=True) is not None
    queued(UserFactory())
    assert claims.take_more(claim, is_fair=True) is None
    assert claims.take_more(claim, is_fair=False) is not None
    assert len(claims.held(claim)) == 3


def test_the_last_slice_ends_the_run_whoever_holds_it(staff):
    run = queued(staff, 2 * turns.PAGES)
    one, other = claims.take(), claims.take()
    assert work_off(other) is False
    assert Run.objects.get(pk=run.pk).status == Status.READING
    assert work_off(one) is True
    assert Run.objects.get(pk=run.pk).status == Status.DONE
    verbs = list(Event.objects.filter(object_id=run.pk).order_by("seq").values_list("verb", flat=True))
    assert verbs == [Verb.RUN_STARTED, Verb.FINDINGS_PROPOSED, Verb.RUN_DONE]


def test_finding_begins_when_every_page_of_the_run_was_tried(staff):
    run = queued(staff, turns.PAGES + 1)
    one, other = claims.take(), claims.take()
    for number in range(1, turns.PAGES + 1):
        claims.store_read(one, PageRead(number, page_of("Bonjour"), None, 0.1))
    claims.start_finding(one)
    assert Run.objects.get(pk=run.pk).status == Status.READING
    claims.store_read(other, PageRead(turns.PAGES + 1, page_of("Bonjour"), None, 0.1))
    claims.start_finding(other)
    assert Run.objects.get(pk=run.pk).status == Status.FINDING


def test_a_killed_worker_gives_its_slice_to_others_and_nobody_elses(staff):
    run = queued(staff, 2 * turns.PAGES)
    killed, alive = claims.take(), claims.take()
    Slice.objects.filter(claim=killed.token).update(heartbeat_at=timezone.now() - 2 * claims.ORPHAN_AFTER)
    assert claims.recover_orphans(timezone.now()) == 1
    assert Run.objects.get(pk=run.pk).status == Status.READING
    with pytest.raises(ClaimLost):
        claims.store_read(killed, PageRead(1, page_of("x"), None, 0.1))
    assert work_off(alive) is False
    assert work_off(claims.take()) is True


def test_a_run_that_fails_stops_the_workers_at_its_other_slices(staff):
    queued(staff, 2 * turns.PAGES)
    one, other = claims.take(), claims.take()
    claims.fail(one, "internal")
    with pytest.raises(ClaimLost):
        claims.store_read(other, PageRead(turns.PAGES + 1, page_of("x"), None, 0.1))
    assert not RunPage.objects.exists()


def test_a_run_that_waits_rests_as_a_whole_and_wakes_as_a_whole(staff, monkeypatch):
    monkeypatch.setattr("extraction.queue.enqueue", lambda *_args: True)
    run = queued(staff, 4 * turns.PAGES)
    one, other = claims.take(), claims.take()
    claims.wait(one, "model_unavailable")
    assert claims.take() is None
    due = Run.objects.get(pk=run.pk).next_attempt_at
    claims.wait(other, "model_unavailable")
    assert Run.objects.get(pk=run.pk).next_attempt_at == due
    assert claims.enqueue_due(due) == 1
    assert set(run.slices.values_list("state", flat=True)) == {SliceState.FREE}
    assert Event.objects.filter(verb=Verb.RUN_WAITING).count() == 1


def test_a_worker_that_finds_the_service_down_after_the_run_was_woken_lays_it_to_rest_again(staff, monkeypatch):
    monkeypatch.setattr("extraction.queue.enqueue", lambda *_args: True)
    run = queued(staff, 2 * turns.PAGES)
    one, other = claims.take(), claims.take()
    claims.wait(one, "model_unavailable")
    claims.enqueue_due(timezone.now() + timedelta(minutes=1))
    claims.wait(other, "model_unavailable")
    assert Run.objects.get(pk=run.pk).status == Status.WAITING
    assert claims.take() is None


def test_what_a_process_that_knew_no_slices_queued_is_worked_off(staff, monkeypatch):
    monkeypatch.setattr("extraction.queue.enqueue", lambda *_args: True)
    run = queued(staff, LONG)
    run.slices.all().delete()
    assert claims.take() is None
    claims.recover_orphans(timezone.now())
    assert claims.take().run_id == run.pk


def test_a_run_that_is_tried_again_has_slices_for_its_unread_pages_only(staff):
    run = queued(staff, LONG)
    while (claim := claims.take()) is not None:
        work_off(claim)
    run.pages.filter(number__in=(3, LONG)).update(state="unread")
    actions.retry(run=Run.objects.get(pk=run.pk), by=staff)
    (piece,) = run.slices.all()
    assert (piece.first, piece.last) == (3, LONG)
    assert jobs._plan(run, piece).numbers == [3, LONG]


def test_a_turn_costs_as_many_queries_however_much_waits(staff):
    queued(staff)
    claims.take()
    costs = []
    for more in (2, 40):
        for _document in range(more):
            queued(staff, LONG)
        with CaptureQueriesContext(connection) as asked:
            claims.take()
        costs.append(len(asked))
    assert costs[0] == costs[1]


def test_a_job_works_off_what_everybody_waits_with(staff):
    texts = [[f"NAM : {some_nam(number)}"] for number in range(2 * turns.PAGES + 1)]
    long = actions.upload(data=agenda_pdf(*texts), file_name="a.pdf", by=staff).run
    short = actions.upload(data=agenda_pdf(["NAM"]), file_name="b.pdf", by=UserFactory()).run
    jobs.take_turns()
    assert set(Run.objects.values_list("pk", "status")) == {(long.pk, Status.DONE), (short.pk, Status.DONE)}
    assert sorted(finding.page for finding in long.findings.all()) == list(range(1, len(texts) + 1))


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite lets one connection write at a time")
@pytest.mark.django_db(transaction=True)
def test_workers_at_the_same_moment_take_every_slice_once(staff):
    for _document in range(3):
        queued(staff, LONG)
    took, barrier = [], threading.Barrier(4)

    def worker():
        barrier.wait()
        try:
            while (claim := claims.take()) is not None:
                took.extend(piece.pk for piece in claims.held(claim))
                claims.finish(claim)
        finally:
            connection.close()

    threads = [threading.Thread(target=worker) for _worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(took) == len(set(took)) == 15
    assert set(Run.objects.values_list("status", flat=True)) == {Status.DONE}
    assert Event.objects.filter(verb=Verb.RUN_DONE).count() == 3
