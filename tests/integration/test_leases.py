"""One reviewer at a time on a document, and what happens when two want it."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import date, time, timedelta
from threading import Barrier

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from accounts.policy import NotAllowed
from audit.models import Event
from audit.verbs import Verb
from extraction.models import Status
from review import actions, leases
from review.actions import Value
from review.leases import LEASE_TIME, HeldByOther
from review.models import Decision, ReviewTask
from review.policy import Conflict
from tests.factories import (
    DocumentFactory,
    FindingFactory,
    RunFactory,
    RunPageFactory,
    UserFactory,
    page_of,
    some_nam,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def finding(staff):
    run = RunFactory(document=DocumentFactory(uploaded_by=staff))
    for number in (1, 2):
        RunPageFactory(run=run, number=number, words=page_of("Agenda", number=number).to_json())
    return FindingFactory(run=run)


@pytest.fixture
def document(finding):
    return finding.run.document


@pytest.fixture
def other(clinic):
    return UserFactory(clinic=clinic, role="reviewer", name="Ode Deuxième")


@pytest.fixture
def other_client(client, other):
    client.force_login(other)
    return client


def proposed(finding):
    return Value(finding.value, date(2025, 10, 3), time(8, 30))


def let_lapse(document):
    """As if the holder had not been heard of for the lease's time."""
    ReviewTask.objects.filter(document=document).update(held_until=timezone.now())


def holder(document):
    task = ReviewTask.objects.get(document=document)
    return task.holder if task.is_held(timezone.now()) else None


def detail(document):
    return reverse("review:document-detail", args=[document.pk])


# --- Taking and losing -----------------------------------------------------------------------------------------------


def test_opening_a_free_document_takes_it(document, reviewer, reviewer_client):
    reviewer_client.get(detail(document))
    assert holder(document) == reviewer


def test_a_lease_lasts_ninety_seconds(document, reviewer):
    task = leases.open_page(document=document, by=reviewer)
    assert task.held_until - task.held_since == LEASE_TIME == timedelta(seconds=90)


def test_staff_who_look_take_nothing(document, staff_client):
    staff_client.get(detail(document))
    assert not ReviewTask.objects.exclude(holder=None).exists()


def test_a_document_with_nothing_to_sign_is_not_taken(finding, document, reviewer, reviewer_client):
    actions.decide(finding=finding, value=proposed(finding), by=reviewer)
    for page in (1, 2):
        actions.sign_off(run=finding.run, page=page, by=reviewer)
    assert holder(document) is None
    reviewer_client.get(detail(document))
    assert holder(document) is None


def test_the_second_one_sees_who_is_at_work_and_nothing_to_decide_with(document, reviewer, other_client):
    leases.open_page(document=document, by=reviewer)
    page = other_client.get(detail(document)).content.decode()
    assert "Rémi Révision travaille sur ce document" in page
    assert reverse("review:take-over", args=[document.pk]) in page
    assert " data-decide>" not in page
    assert reverse("review:sign-off", args=[document.pk, 1]) not in page
    assert holder(document) == reviewer


def test_a_heartbeat_renews_the_lease(document, reviewer):
    task = leases.open_page(document=document, by=reviewer)
    ReviewTask.objects.update(held_until=timezone.now() + timedelta(seconds=5))
    leases.beat(document=document, ticket=task.ticket, by=reviewer)
    assert ReviewTask.objects.get().held_until > timezone.now() + timedelta(seconds=80)
    assert ReviewTask.objects.get().held_since == task.held_since


def test_an_expired_lease_is_simply_taken(document, reviewer, other, other_client):
    leases.open_page(document=document, by=reviewer)
    let_lapse(document)
    other_client.get(detail(document))
    assert holder(document) == other
    assert not Event.objects.filter(verb=Verb.DOCUMENT_TAKEN_OVER).exists()


def test_taking_over_is_journalled_with_whose_it_was(document, reviewer, other, other_client):
    leases.open_page(document=document, by=reviewer)
    answer = other_client.post(reverse("review:take-over", args=[document.pk]))
    assert answer["Location"] == detail(document)
    assert holder(document) == other
    event = Event.objects.get(verb=Verb.DOCUMENT_TAKEN_OVER)
    assert (event.actor_id, event.document_id, event.details) == (other.pk, document.pk, {"from": str(reviewer.pk)})


def test_who_lost_a_lease_learns_it_at_the_next_heartbeat(document, reviewer, reviewer_client, other):
    task = leases.open_page(document=document, by=reviewer)
    leases.take_over(document=document, by=other)
    address = reverse("review:beat", args=[document.pk])
    answer = reviewer_client.post(address, {"ticket": task.ticket}, headers={"Accept": "application/json"})
    assert answer.status_code == 409
    assert "Ode Deuxième" in answer.json()["error"]
    assert holder(document) == other


def test_a_page_that_goes_away_frees_the_document(document, reviewer, reviewer_client):
    task = leases.open_page(document=document, by=reviewer)
    reviewer_client.post(reverse("review:release", args=[document.pk]), {"ticket": task.ticket})
    assert holder(document) is None


def test_a_page_that_went_away_before_a_newer_one_was_opened_frees_nothing(document, reviewer):
    old = leases.open_page(document=document, by=reviewer)
    leases.open_page(document=document, by=reviewer)
    leases.release(document=document, ticket=old.ticket, by=reviewer)
    assert holder(document) == reviewer


def test_nobody_frees_the_document_of_another(document, reviewer, other):
    task = leases.open_page(document=document, by=reviewer)
    leases.release(document=document, ticket=task.ticket, by=other)
    assert holder(document) == reviewer


@pytest.mark.parametrize("ticket", ["", "no-uuid"])
def test_a_heartbeat_without_a_ticket_keeps_the_document_all_the_same(document, reviewer, reviewer_client, ticket):
    leases.open_page(document=document, by=reviewer)
    assert reviewer_client.post(reverse("review:beat", args=[document.pk]), {"ticket": ticket}).status_code == 204


@pytest.mark.parametrize("role", ["staff", "admin"])
@pytest.mark.parametrize("action", [leases.open_page, leases.take_over])
def test_only_reviewers_take_documents(document, clinic, role, action):
    with pytest.raises(NotAllowed):
        action(document=document, by=UserFactory(clinic=clinic, role=role))


# --- Writing without the lease ---------------------------------------------------------------------------------------


WRITES = {
    "decide": lambda f, d, by: actions.decide(finding=f, value=proposed(f), by=by),
    "add": lambda f, d, by: actions.add(document=f.run.document, page=1, value=Value(some_nam(5)), by=by),
    "undo": lambda f, d, by: actions.undo(decision=d, by=by),
    "sign": lambda f, d, by: actions.sign_off(run=f.run, page=2, by=by),
    "reopen": lambda f, d, by: actions.reopen(document=f.run.document, page=3, by=by),
}


@pytest.mark.parametrize("write", WRITES)
def test_nothing_is_written_by_who_has_not_the_lease(finding, document, reviewer, other, write):
    decided = actions.decide(finding=FindingFactory(run=finding.run), value=None, reason="specimen", by=reviewer)
    before = Event.objects.count()
    with pytest.raises(HeldByOther, match="Rémi Révision"):
        WRITES[write](finding, decided, other)
    assert Event.objects.count() == before


def test_deciding_on_a_free_document_takes_it(finding, document, reviewer):
    actions.decide(finding=finding, value=proposed(finding), by=reviewer)
    assert holder(document) == reviewer


def test_an_expired_lease_that_nobody_took_still_decides(finding, document, reviewer):
    leases.open_page(document=document, by=reviewer)
    let_lapse(document)
    actions.decide(finding=finding, value=proposed(finding), by=reviewer)
    assert holder(document) == reviewer


def test_a_decision_after_the_lease_expired_and_went_to_another_is_refused(
    finding, document, reviewer_client, reviewer, other
):
    leases.open_page(document=document, by=reviewer)
    let_lapse(document)
    leases.open_page(document=document, by=other)
    answer = reviewer_client.post(
        reverse("review:decide", args=[finding.pk]), {"verdict": "confirm"}, headers={"Accept": "application/json"}
    )
    assert answer.status_code == 409
    assert "Ode Deuxième" in answer.json()["error"]
    assert not Decision.objects.exists()


def test_a_decision_that_was_saved_before_the_lease_was_lost_may_be_sent_again(finding, document, reviewer, other):
    number = uuid.uuid4()
    actions.decide(finding=finding, value=proposed(finding), decision_id=number, by=reviewer)
    leases.take_over(document=document, by=other)
    again = actions.decide(finding=finding, value=proposed(finding), decision_id=number, by=reviewer)
    assert again.pk == number


# --- What the reviewer saw -------------------------------------------------------------------------------------------


def test_take_over_between_typing_and_sending_names_who_decided(finding, document, reviewer_client, reviewer, other):
    reviewer_client.get(detail(document))
    leases.take_over(document=document, by=other)
    actions.decide(finding=finding, value=Value(some_nam(2077)), by=other)
    typed = {"verdict": "correct", "nam": some_nam(2078), "visit_date": "2025-10-03", "against": ""}
    answer = reviewer_client.post(
        reverse("review:decide", args=[finding.pk]), typed, headers={"Accept": "application/json"}
    )
    assert answer.status_code == 409
    assert answer.json()["error"].startswith("Ode Deuxième a déjà décidé")
    assert "corrigé" in answer.json()["error"]
    assert Decision.objects.get().value == some_nam(2077)


def test_the_page_then_shows_the_first_ones_value(finding, document, reviewer_client, other):
    actions.decide(finding=finding, value=Value(some_nam(2077)), by=other)
    page = reviewer_client.get(detail(document)).content.decode()
    assert f"{some_nam(2077)[:4]} {some_nam(2077)[4:8]} {some_nam(2077)[8:]}" in page


def test_a_correction_after_take_over_replaces_the_decision_it_was_made_against(finding, document, reviewer, other):
    first = actions.decide(finding=finding, value=proposed(finding), by=reviewer)
    leases.take_over(document=document, by=other)
    second = actions.decide(finding=finding, value=Value(some_nam(2077)), against=first.pk, by=other)
    assert list(Decision.objects.filter(undone_at=None)) == [second]
    assert Decision.objects.get(pk=first.pk).undone_by == other
    verbs = list(Event.objects.filter(verb__startswith="nam.").order_by("seq").values_list("verb", flat=True))
    assert verbs == [Verb.NAM_CONFIRMED, Verb.DECISION_UNDONE, Verb.NAM_CORRECTED]


def test_the_form_says_which_decision_it_was_made_against(finding, reviewer, reviewer_client):
    first = actions.decide(finding=finding, value=proposed(finding), by=reviewer)
    reviewer_client.post(
        reverse("review:decide", args=[finding.pk]), {"verdict": "reject", "reason": "specimen", "against": first.pk}
    )
    assert Decision.objects.get(undone_at=None).verdict == "reject"


@pytest.mark.parametrize("against", ["undone", "replaced", "unknown"])
def test_a_stale_version_changes_nothing(finding, reviewer, against):
    first = actions.decide(finding=finding, value=proposed(finding), by=reviewer)
    if against == "undone":
        actions.undo(decision=first, by=reviewer)
    elif against == "replaced":
        actions.decide(finding=finding, value=Value(some_nam(2077)), against=first.pk, by=reviewer)
    before = Decision.objects.count()
    with pytest.raises(Conflict):
        actions.decide(
            finding=finding,
            value=Value(some_nam(2078)),
            against=uuid.uuid4() if against == "unknown" else first.pk,
            by=reviewer,
        )
    assert Decision.objects.count() == before


def test_another_findings_decision_cannot_be_replaced(finding, reviewer):
    elsewhere = actions.decide(finding=FindingFactory(run=finding.run), value=None, reason="specimen", by=reviewer)
    with pytest.raises(Conflict):
        actions.decide(finding=finding, value=proposed(finding), against=elsewhere.pk, by=reviewer)
    assert Decision.objects.get().undone_at is None


# --- At the same moment ----------------------------------------------------------------------------------------------


def together(*acts):
    """Each in a thread with a connection of its own, begun at the same moment; what came of each."""
    gate = Barrier(len(acts), timeout=10)

    def run(act):
        try:
            gate.wait()
            return act()
        except Conflict as conflict:
            return conflict
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


@pytest.mark.django_db(transaction=True)
def test_of_two_who_open_a_document_at_once_one_has_it(finding, document, reviewer, other):
    found = together(*(lambda by=by: leases.open_page(document=document, by=by).holder_id for by in (reviewer, other)))
    assert len(set(found)) == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_who_decide_at_once_one_is_told_of_the_other(finding, reviewer, other):
    found = together(
        *(lambda by=by: actions.decide(finding=finding, value=proposed(finding), by=by) for by in (reviewer, other))
    )
    assert sorted(type(each).__name__ for each in found) in (["Conflict", "Decision"], ["Decision", "HeldByOther"])
    assert Decision.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_deciding_signing_and_exporting_at_once_wait_for_each_other(finding, document, reviewer):
    """Each takes several locks; in another order, PostgreSQL would end one of them as a deadlock."""
    numbers = [FindingFactory(run=finding.run) for _turn in range(6)]
    billing = actions.Billing("1234567", "0", "2")
    request = actions.Request("json", "RAMQ", actions.Selection(), billing, "claim")
    found = together(
        *(lambda each=each: actions.decide(finding=each, value=proposed(each), by=reviewer) for each in numbers),
        lambda: actions.sign_off(run=finding.run, page=2, by=reviewer),
        lambda: actions.export(document=document, request=request, by=reviewer),
    )
    assert [type(each).__name__ for each in found[:7]] == ["Decision"] * 6 + ["SignOff"]


def test_a_run_that_goes_on_leaves_the_document_open_to_look_at(staff, reviewer_client):
    run = RunFactory(document=DocumentFactory(uploaded_by=staff), status=Status.READING)
    assert reviewer_client.get(detail(run.document)).status_code == 200
