"""What a reviewer's browser sends in the background: once or twice, it is one write; and what it is sent ahead."""

from __future__ import annotations

import uuid
from base64 import b64decode

import pytest
from django.urls import reverse

from audit.models import Event
from audit.verbs import Verb
from review import outbox
from review.effort import Effort
from review.models import Decision, SignOff
from tests.factories import DocumentFactory, FindingFactory, RunFactory, UserFactory, some_nam

pytestmark = pytest.mark.django_db

BACKGROUND = {"HTTP_ACCEPT": "application/json"}
WRITTEN = {
    "decide": Verb.NAM_CONFIRMED,
    "add": Verb.NAM_ADDED,
    "undo": Verb.DECISION_UNDONE,
    "sign-off": Verb.PAGE_SIGNED,
}


@pytest.fixture
def finding(staff):
    return FindingFactory(run=RunFactory(document=DocumentFactory(uploaded_by=staff)))


@pytest.fixture
def sending(finding, reviewer_client):
    """What each kind of entry posts: its address and its fields."""
    key, document = str(uuid.uuid4()), finding.run.document_id
    decided = str(uuid.uuid4())

    def of(kind):
        if kind == "undo":
            reviewer_client.post(
                reverse("review:decide", args=[finding.pk]), {"verdict": "confirm", "decision": decided}
            )
        return {
            "decide": (reverse("review:decide", args=[finding.pk]), {"verdict": "confirm", "decision": key}),
            "add": (reverse("review:add", args=[document, 1]), {"nam": some_nam(5), "decision": key}),
            "undo": (reverse("review:undo", args=[decided]), {}),
            "sign-off": (reverse("review:sign-off", args=[document, 2]), {"sign_off": key}),
        }[kind]

    return of


@pytest.mark.parametrize("kind", WRITTEN)
def test_the_same_key_twice_is_one_write_with_the_same_answer(sending, reviewer_client, kind):
    address, fields = sending(kind)
    first = reviewer_client.post(address, fields, **BACKGROUND)
    rows = (Decision.objects.count(), SignOff.objects.count())
    second = reviewer_client.post(address, fields, **BACKGROUND)
    assert (first.status_code, first.json()) == (second.status_code, second.json()) == (200, first.json())
    assert (Decision.objects.count(), SignOff.objects.count()) == rows
    assert Event.objects.filter(verb=WRITTEN[kind]).count() == 1


@pytest.mark.parametrize("kind", ["decide", "add"])
def test_what_a_decision_took_is_kept_beside_it(sending, reviewer_client, kind):
    address, fields = sending(kind)
    reviewer_client.post(address, {**fields, "keys": "7", "presses": "2"}, **BACKGROUND)
    assert Decision.objects.get().effort == Effort(7, 2)


@pytest.mark.parametrize("counts", [{}, {"keys": "many", "presses": "0"}, {"keys": "70000", "presses": "1"}])
def test_a_decision_is_not_refused_for_its_count(sending, reviewer_client, counts):
    address, fields = sending("decide")
    answer = reviewer_client.post(address, {**fields, **counts}, **BACKGROUND)
    assert (answer.status_code, Decision.objects.get().effort) == (200, None)


@pytest.mark.parametrize("kind", ["add", "sign-off"])
def test_a_key_of_somebody_else_is_refused(sending, reviewer_client, client, clinic, kind):
    address, fields = sending(kind)
    reviewer_client.post(address, fields, **BACKGROUND)
    client.force_login(UserFactory(clinic=clinic, role="reviewer"))
    assert client.post(address, fields, **BACKGROUND).status_code == 409


def test_another_persons_undoing_is_no_answer_to_mine(sending, reviewer_client, client, clinic):
    address, fields = sending("undo")
    reviewer_client.post(address, fields, **BACKGROUND)
    client.force_login(UserFactory(clinic=clinic, role="reviewer"))
    assert client.post(address, fields, **BACKGROUND).status_code == 409


def test_an_addition_sent_again_after_the_sign_off_is_still_the_same(sending, reviewer_client):
    address, fields = sending("add")
    reviewer_client.post(address, fields, **BACKGROUND)
    SignOff.objects.create(document=Decision.objects.get().document, page=1, by=Decision.objects.get().by)
    assert reviewer_client.post(address, fields, **BACKGROUND).status_code == 200


@pytest.mark.parametrize("kind", WRITTEN)
def test_nobodys_decisions_are_written_under_another_name(sending, reviewer_client, staff, kind):
    address, fields = sending(kind)
    answer = reviewer_client.post(address, {**fields, "person": str(staff.pk)}, **BACKGROUND)
    assert (answer.status_code, answer.json()["code"]) == (403, "other_person")
    assert not Event.objects.filter(verb=WRITTEN[kind]).exists()


def test_what_cannot_be_understood_is_said_and_not_kept_for_the_next_page(finding, reviewer_client):
    address = reverse("review:decide", args=[finding.pk])
    answer = reviewer_client.post(address, {"verdict": "correct", "nam": "ABC"}, **BACKGROUND)
    assert answer.status_code == 422
    assert answer.json()["error"].startswith("Un NAM")
    page = reviewer_client.get(reverse("review:document-detail", args=[finding.run.document_id]))
    assert "Un NAM est" not in page.content.decode()


def test_a_page_sent_ahead_is_journalled_as_that(finding, reviewer_client):
    reviewer_client.get(reverse("review:document-detail", args=[finding.run.document_id]), {"page": 1, "ahead": 1})
    assert [(event.verb, event.page) for event in Event.objects.filter(verb__startswith="doc.")] == [
        (Verb.PAGE_SENT_AHEAD, 1)
    ]


def test_turning_to_it_is_journalled_as_a_view(finding, reviewer_client):
    reviewer_client.post(reverse("review:shown", args=[finding.run.document_id, 1]), **BACKGROUND)
    seen = Event.objects.filter(document_id=finding.run.document_id, page=1).values_list("verb", flat=True)
    assert set(seen) == {Verb.DOCUMENT_VIEWED, Verb.PAGE_VIEWED}


def test_what_a_browser_has_painted_is_journalled_as_its_own_fact(finding, reviewer_client):
    reviewer_client.post(reverse("review:painted", args=[finding.run.document_id, 1]), **BACKGROUND)
    assert list(Event.objects.filter(page=1).values_list("verb", flat=True)) == [Verb.PAGE_SHOWN]


def test_another_clinics_page_is_painted_for_nobody(finding, client):
    client.force_login(UserFactory(role="reviewer"))
    assert client.post(reverse("review:painted", args=[finding.run.document_id, 1]), **BACKGROUND).status_code == 404
    assert not Event.objects.filter(verb=Verb.PAGE_SHOWN).exists()


def test_every_page_of_a_reviewer_can_send_what_waits(reviewer, reviewer_client, staff_client):
    page = reviewer_client.get(reverse("extraction:document-list")).content.decode()
    assert "js/waiting.js" in page
    assert outbox.key(reviewer) not in page
    answer = reviewer_client.get(reverse("review:outbox-key"), **BACKGROUND)
    assert (answer.json()["key"], answer["Cache-Control"]) == (outbox.key(reviewer), "no-store, private")
    assert "js/waiting.js" not in staff_client.get(reverse("extraction:document-list")).content.decode()
    assert staff_client.get(reverse("review:outbox-key"), **BACKGROUND).status_code == 403


def test_the_key_of_an_outbox_is_the_persons_own(reviewer, staff):
    assert len(b64decode(outbox.key(reviewer))) == 32
    assert outbox.key(reviewer) == outbox.key(reviewer) != outbox.key(staff)
