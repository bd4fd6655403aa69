"""What waits for a review: counted when things change, ordered by an index, taken by one person at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta
from threading import Barrier

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from audit.models import Event
from audit.verbs import Verb
from extraction import actions as extraction_actions
from extraction import claims, deployments, following
from extraction.marks import Mark
from extraction.models import Document, Run, Status
from extraction.pipeline import PageFound
from extraction.readers.choosing import PageRead
from review import actions, leases, queue, tasks
from review.actions import Value
from review.models import ReviewTask
from review.queue import Filter
from tests.factories import DocumentFactory, FindingFactory, RunFactory, RunPageFactory, UserFactory, page_of

pytestmark = pytest.mark.django_db

PAGE, CLAIM = reverse("review:queue"), reverse("review:claim")
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
DOUBTFUL = {"format": True, "birth_date": True, "check_character": False, "name": None}


def a_document(staff, *, hours=1, unread=0, **fields):
    """One that has waited for so many hours, its `unread` first pages of two unread."""
    document = DocumentFactory(uploaded_by=staff, **fields)
    run = RunFactory(document=document, finished_at=timezone.now() - timedelta(hours=hours))
    for number in (1, 2):
        RunPageFactory(run=run, number=number, state="unread" if number <= unread else "found")
    with transaction.atomic():
        tasks.recount(document.pk)
    return document


def task_of(document):
    return ReviewTask.objects.get(document=document)


def confirm(finding, by):
    return actions.decide(finding=finding, value=Value(finding.value, date(2025, 10, 3), time(8, 30)), by=by)


@pytest.fixture
def other(clinic):
    return UserFactory(clinic=clinic, role="reviewer", name="Ode Deuxième")


# --- Counting --------------------------------------------------------------------------------------------------------


@pytest.fixture
def run(staff):
    """Two pages, three proposals on the first: one doubtful, one of low confidence."""
    made = a_document(staff).runs.get()
    FindingFactory(run=made)
    FindingFactory(run=made, checks=DOUBTFUL, confidence=0.9)
    FindingFactory(run=made, confidence=0.5)
    tasks.recount(made.document_id)
    return made


def test_a_document_whose_extraction_is_over_waits_with_its_counts(run):
    task = task_of(run.document)
    assert (task.findings, task.pages_open, task.undecided, task.doubtful, task.faint, task.unread) == (
        3,
        2,
        3,
        1,
        1,
        0,
    )
    assert task.expected_errors == pytest.approx(0.01 + 0.1 + 0.5)
    assert task.waiting_since == run.finished_at
    assert task.place == run.finished_at - timedelta(hours=4 * task.expected_errors)


def test_a_decision_and_its_undoing_count_at_once(run, reviewer):
    decision = confirm(run.findings.get(confidence=0.5), reviewer)
    assert (task_of(run.document).undecided, task_of(run.document).faint) == (2, 0)
    actions.undo(decision=decision, by=reviewer)
    assert (task_of(run.document).undecided, task_of(run.document).faint) == (3, 1)


def test_a_decision_that_replaces_another_counts_its_document_once(run, reviewer, monkeypatch):
    finding = run.findings.order_by("position").first()
    first = confirm(finding, reviewer)
    left = task_of(run.document).undecided
    counted = []
    recount = tasks.recount
    monkeypatch.setattr(tasks, "recount", lambda document_id: (counted.append(document_id), recount(document_id))[1])
    actions.decide(finding=finding, value=None, reason="specimen", against=first.pk, by=reviewer)
    assert counted == [run.document_id]
    assert task_of(run.document).undecided == left


def test_a_document_leaves_the_queue_with_its_last_page_and_comes_back_with_a_reopened_one(run, reviewer):
    for finding in run.findings.all():
        confirm(finding, reviewer)
    actions.sign_off(run=run, page=1, by=reviewer)
    assert task_of(run.document).waiting_since == run.finished_at
    actions.sign_off(run=run, page=2, by=reviewer)
    assert (task_of(run.document).waiting_since, task_of(run.document).place) == (None, None)
    actions.reopen(document=run.document, page=2, by=reviewer)
    assert task_of(run.document).waiting_since > run.finished_at  # it has not waited since the extraction
    assert task_of(run.document).pages_open == 1


def test_the_run_under_review_counts_and_signed_pages_keep_nothing_open(run, reviewer):
    for finding in run.findings.all():
        confirm(finding, reviewer)
    actions.sign_off(run=run, page=1, by=reviewer)
    later = RunFactory(document=run.document, finished_at=timezone.now())
    FindingFactory(run=later, page=1)
    FindingFactory(run=later, page=2)
    tasks.recount(run.document_id)
    assert (task_of(run.document).findings, task_of(run.document).undecided) == (run.findings.count(), 0)


def worked_off(claim):
    claims.store_read(claim, PageRead(1, page_of("Bonjour"), None, 0.1))
    claims.store_read(claim, PageRead(2, None, "page_unreadable", 0.1))
    claims.start_finding(claim)
    claims.store_found(claim, PageFound(1, [], seconds=0.1))
    claims.finish(claim)


@pytest.fixture
def queued(staff):
    return RunFactory(document=DocumentFactory(uploaded_by=staff), status=Status.QUEUED)


def test_a_worker_that_ends_a_run_puts_its_document_into_the_queue(queued):
    worked_off(claims.take(queued.pk))
    task = task_of(queued.document)
    assert task.waiting_since is not None
    assert (task.pages_open, task.unread) == (2, 1)


def test_a_failed_run_waits_too_because_its_pages_can_be_read_by_people(queued):
    claims.fail(claims.take(queued.pk), "internal")
    assert task_of(queued.document).unread == 2


def test_a_run_that_is_tried_again_leaves_the_queue_until_it_is_over(queued, staff):
    worked_off(claims.take(queued.pk))
    extraction_actions.retry(run=Run.objects.get(pk=queued.pk), by=staff)
    assert task_of(queued.document).waiting_since is None


def test_a_document_waits_with_what_was_found_while_another_run_goes_on(run, staff):
    extraction_actions.start_run(document=run.document, by=staff)
    assert task_of(run.document).waiting_since is not None


def test_a_run_that_dead_workers_left_hopeless_waits(queued):
    claims.take(queued.pk)
    queued.slices.update(attempts=claims.MAX_ATTEMPTS, heartbeat_at=timezone.now() - timedelta(hours=1))
    claims.recover_orphans(timezone.now())
    assert task_of(queued.document).waiting_since is not None


def test_a_page_that_is_searched_again_takes_its_document_out(queued, admin):
    from extraction.models import Deployment

    worked_off(claims.take(queued.pk))
    rolled_back = Deployment.objects.create(
        started_by=admin, started_at=timezone.now(), step_began_at=timezone.now(), state="rolled_back"
    )
    queued.pages.filter(number=1).update(deployment=rolled_back)
    assert deployments.search_again() == 1
    assert task_of(queued.document).waiting_since is None


def test_a_run_ends_even_if_counting_fails(queued, monkeypatch):
    def broken(_document_id):
        raise ZeroDivisionError

    monkeypatch.setattr(following, "run_changed", [broken])
    worked_off(claims.take(queued.pk))
    assert Run.objects.get(pk=queued.pk).status == Status.DONE


def test_the_chore_counts_documents_from_before_the_queue_and_runs_that_were_over_unheard(run, staff):
    before = RunFactory(document=DocumentFactory(uploaded_by=staff), finished_at=timezone.now()).document
    locked = RunFactory(document=DocumentFactory(uploaded_by=staff), finished_at=timezone.now()).document
    tasks.lock(locked.pk)  # as an export does, without counting
    unheard = RunFactory(document=run.document, finished_at=timezone.now() + timedelta(seconds=1))
    following.do_chores()
    assert task_of(before).waiting_since is not None
    assert task_of(locked).waiting_since is not None
    assert task_of(run.document).findings == unheard.findings.count() == 0


def test_the_chore_has_nothing_to_do_twice(run):
    tasks.catch_up()
    assert tasks.catch_up() == 0


# --- The page --------------------------------------------------------------------------------------------------------


def shown(client, **query):
    return [row.task.document_id for row in client.get(PAGE, query).context["screen"].rows]


def test_the_riskiest_and_oldest_come_first(staff, reviewer_client):
    fresh, old, unread = (a_document(staff, **how) for how in ({"hours": 1}, {"hours": 30}, {"hours": 1, "unread": 2}))
    assert shown(reviewer_client) == [unread.pk, old.pk, fresh.pk]
    assert shown(reviewer_client, show="oldest")[0] == old.pk


def test_each_row_says_why_it_stands_there_and_how_far_it_is(run, reviewer, reviewer_client):
    confirm(run.findings.get(confidence=0.99), reviewer)
    page = " ".join(reviewer_client.get(PAGE).content.decode().split())
    for words in ("1 numéro douteux", "1 lu avec une faible confiance", "attend depuis 1 heure", "1/3", "1 à vérifier",
                  "2 pages sur 2 à signer", "Rémi Révision"):  # fmt: skip
        assert words in page


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [("all", "unread doubtful mine"), ("mine", "mine"), ("doubtful", "doubtful"), ("unread", "unread"),
     ("nonsense", "unread doubtful mine")],
)  # fmt: skip
def test_filters_let_through_what_they_say(staff, reviewer, reviewer_client, chosen, expected):
    by_name = {"unread": a_document(staff, unread=1), "doubtful": a_document(staff), "mine": a_document(staff)}
    FindingFactory(run=by_name["doubtful"].runs.get(), checks=DOUBTFUL, confidence=0.5)
    tasks.recount(by_name["doubtful"].pk)
    leases.open_page(document=by_name["mine"], by=reviewer)
    assert shown(reviewer_client, show=chosen) == [by_name[name].pk for name in expected.split()]


@pytest.mark.parametrize("chosen", ["all", "oldest"])
def test_screens_follow_each_other_without_a_gap_or_a_repeat(staff, reviewer, chosen):
    document = DocumentFactory(uploaded_by=staff)
    same = timezone.now()
    many(document.uploaded_by, 60, place=lambda n: same - timedelta(hours=n // 7))
    seen, mark = [], None
    while True:
        screen = queue.screen(reviewer, Filter(chosen), mark, timezone.now())
        seen += [row.task.document_id for row in screen.rows]
        if screen.following is None:
            break
        mark = Mark.read(str(screen.following))
    assert len(seen) == len(set(seen)) == screen.total == 60


@pytest.mark.parametrize("text", ["", "x", "1-2-3", "99999999999999999999999-" + "0" * 32, "5-zz"])
def test_a_mark_that_is_none_begins_at_the_head(staff, reviewer_client, text):
    document = a_document(staff)
    assert shown(reviewer_client, after=text) == [document.pk]


def test_another_clinics_documents_do_not_wait_here(staff, outsider_client, outsider):
    a_document(staff)
    assert shown(outsider_client) == []
    assert leases.claim_next(by=outsider) is None


def test_the_queue_is_journalled_as_a_list(staff, reviewer, reviewer_client):
    a_document(staff)
    reviewer_client.get(PAGE)
    event = Event.objects.get(verb=Verb.LIST_VIEWED)
    assert (event.actor_id, event.object_type, event.count) == (reviewer.pk, "review_task", 1)


def test_the_page_costs_the_same_however_much_waits(staff, reviewer_client, django_assert_max_num_queries):
    for _turn in range(30):
        a_document(staff)
    with django_assert_max_num_queries(14):
        reviewer_client.get(PAGE)


def test_reviewers_find_the_queue_in_the_menu_and_staff_do_not(reviewer_client, staff_client):
    address = reverse("extraction:document-list")
    assert f'href="{PAGE}"' in reviewer_client.get(address).content.decode()
    assert f'href="{PAGE}"' not in staff_client.get(address).content.decode()


# --- Taking the next one ---------------------------------------------------------------------------------------------


def test_claiming_takes_the_first_free_one_and_goes_to_it(staff, reviewer, other, reviewer_client):
    first, second = a_document(staff, hours=50), a_document(staff, hours=10)
    leases.open_page(document=first, by=other)
    answer = reviewer_client.post(CLAIM)
    assert answer["Location"] == reverse("review:document-detail", args=[second.pk])
    assert task_of(second).holder == reviewer
    event = Event.objects.get(verb=Verb.DOCUMENT_CLAIMED)
    assert (event.actor_id, event.document_id) == (reviewer.pk, second.pk)


def test_an_expired_lease_does_not_keep_a_document_from_being_claimed(staff, reviewer, other):
    document = a_document(staff)
    leases.open_page(document=document, by=other)
    ReviewTask.objects.update(held_until=timezone.now())
    assert leases.claim_next(by=reviewer) == document


def test_claiming_again_goes_on_to_the_next_one(staff, reviewer):
    a_document(staff, hours=9), a_document(staff, hours=5)
    first, second = leases.claim_next(by=reviewer), leases.claim_next(by=reviewer)
    assert first != second
    assert leases.claim_next(by=reviewer) is None


def test_with_nothing_free_the_reviewer_is_told_so(reviewer_client):
    answer = reviewer_client.post(CLAIM, follow=True)
    assert "Aucun document libre" in answer.content.decode()


def test_after_the_last_sign_off_the_next_document_is_offered(staff, reviewer_client):
    document = a_document(staff)
    for row in document.runs.get().pages.all():
        row.words = page_of("Agenda", number=row.number).to_json()
        row.save()
    for number in (1, 2):
        page = reviewer_client.post(reverse("review:sign-off", args=[document.pk, number]), follow=True)
        assert (f'action="{CLAIM}"' in page.content.decode()) == (number == 2)


@pytest.mark.django_db(transaction=True)
def test_reviewers_who_claim_at_once_never_get_the_same_document(staff, clinic):
    documents = {a_document(staff, hours=n).pk for n in range(6)}
    people = [UserFactory(clinic=clinic, role="reviewer") for _turn in range(4)]
    gate = Barrier(len(people), timeout=10)

    def claim(person):
        try:
            gate.wait()
            return leases.claim_next(by=person).pk
        finally:
            connection.close()

    with ThreadPoolExecutor(len(people)) as pool:
        found = list(pool.map(claim, people))
    assert len(set(found)) == len(people)
    assert set(found) <= documents


# --- A hundred thousand ----------------------------------------------------------------------------------------------


def many(staff, count, *, place=None):
    """So many waiting documents, without a run: rows of documents and of tasks."""
    now = timezone.now()
    documents = Document.objects.bulk_create(DocumentFactory.build(uploaded_by=staff, clinic=staff.clinic)
                                             for _turn in range(count))  # fmt: skip
    when = [place(n) if place else now - timedelta(minutes=n) for n in range(count)]
    ReviewTask.objects.bulk_create(
        ReviewTask(document=document, clinic=staff.clinic, pages_open=2, findings=20, undecided=20,
                   doubtful=n % 3, unread=n % 50 == 0, waiting_since=moment, place=moment, counted_at=now)
        for n, (document, moment) in enumerate(zip(documents, when, strict=True))
    )  # fmt: skip


def plan(rows):
    """How the database would read these rows: on PostgreSQL, in JSON; what it would do with many of them."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("ANALYZE review_reviewtask")
    return rows.explain()


@pytest.mark.parametrize(
    ("chosen", "index"),
    [(Filter.ALL, "task_by_place"), (Filter.OLDEST, "task_by_age"), (Filter.DOUBTFUL, "task_doubtful"),
     (Filter.UNREAD, "task_unread"), (Filter.MINE, "task_mine")],
)  # fmt: skip
@pytest.mark.parametrize("is_further_down", [False, True])
def test_a_screen_is_read_in_the_order_of_its_index_and_nothing_is_sorted(
    staff, reviewer, chosen, index, is_further_down
):
    many(staff, 3000)
    rows = queue.filtered(reviewer, chosen)
    if is_further_down:
        rows = queue.behind(rows, chosen, Mark(timezone.now() - timedelta(minutes=1500), staff.pk))
    found = plan(rows[:26])
    assert index in found
    assert "Sort" not in found
    assert "TEMP B-TREE" not in found


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL chooses by how many rows there are")
@pytest.mark.parametrize(
    ("chosen", "how"),
    [(Filter.ALL, "COVERING INDEX"), (Filter.OLDEST, "COVERING INDEX"), (Filter.MINE, "task_mine"),
     (Filter.DOUBTFUL, "task_doubtful"), (Filter.UNREAD, "task_unread")],
)  # fmt: skip
def test_a_list_is_counted_by_its_index(staff, reviewer, chosen, how):
    many(staff, 100)
    with CaptureQueriesContext(connection) as asked:
        queue.count(reviewer, chosen)
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {asked.captured_queries[0]['sql']}")
        assert how in str(cursor.fetchall())


def test_a_filters_list_is_counted_to_a_thousand(staff, reviewer, reviewer_client, monkeypatch):
    monkeypatch.setattr(queue, "MOST_COUNTED", 20)
    many(staff, 60)
    assert queue.count(reviewer, Filter.ALL) == 60
    assert queue.count(reviewer, Filter.DOUBTFUL) == 21
    assert "Plus de 20 documents" in reviewer_client.get(PAGE, {"show": "doubtful"}).content.decode()


def test_claiming_reads_from_the_head_of_the_queue(staff, reviewer):
    many(staff, 3000)
    free = queue.waiting(reviewer).filter(leases.free(timezone.now())).order_by(*queue.ORDER)
    found = plan(free[:1])
    assert "task_by_place" in found
    assert "Sort" not in found
    assert "TEMP B-TREE" not in found
