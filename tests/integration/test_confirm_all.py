"""Confirming at once: only what passes everything, only on a page that was seen, each number by itself."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.db.models import Q
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.policy import NotAllowed
from audit.models import Event
from audit.record import record_alone
from audit.verbs import Verb
from extraction import actions as extraction
from extraction.models import Finder
from review import actions, bulk, queries
from review.effort import Effort
from review.models import Decision
from review.policy import Conflict
from tests.factories import DocumentFactory, FindingFactory, RunFactory, UserFactory, agenda_pdf, some_nam

pytestmark = pytest.mark.django_db

CHECKS = {"format": True, "birth_date": True, "check_character": True, "name": True}


@pytest.fixture
def run(staff):
    run = RunFactory(document=DocumentFactory(uploaded_by=staff))
    for number in (1, 2, 3):
        FindingFactory(run=run, position=number, value=some_nam(number))
    return run


SHOWN = (Verb.DOCUMENT_VIEWED, Verb.PAGE_VIEWED, Verb.PAGE_SHOWN)


def show(run, user, *verbs):
    for verb in verbs or SHOWN:
        record_alone(
            verb, by=user, object_type="document", object_id=run.document_id, document_id=run.document_id, page=1
        )


def confirm_all(run, by, *, findings=None):
    ids = [f.pk for f in (findings or bulk.sure(run, queries.items(run, 1)))]
    return bulk.confirm_all(run=run, page=1, findings=ids, by=by)


def doubtful(run, **fields):
    return FindingFactory(run=run, position=50, **fields)


def test_every_number_is_a_decision_with_an_event_of_its_own(run, reviewer):
    show(run, reviewer)
    confirm_all(run, reviewer)
    assert list(Decision.objects.values_list("verdict", "by")) == [("confirm", reviewer.pk)] * 3
    events = Event.objects.filter(verb=Verb.NAM_CONFIRMED)
    assert {event.object_id for event in events} == set(Decision.objects.values_list("pk", flat=True))


def test_what_was_confirmed_at_once_is_marked_and_shares_a_batch(run, reviewer):
    alone = FindingFactory(run=run, position=40)
    actions.decide(finding=alone, value=actions.Value.of(alone), by=reviewer)
    show(run, reviewer)
    (batch,) = {decision.batch for decision in confirm_all(run, reviewer)}
    assert Decision.objects.get(finding=alone).batch is None
    assert {e.details.get("batch") for e in Event.objects.filter(verb=Verb.NAM_CONFIRMED)} == {None, str(batch)}


@pytest.mark.parametrize(
    "doubt",
    [
        {"checks": CHECKS | {"birth_date": False}},
        {"checks": CHECKS | {"check_character": False}},
        {"checks": CHECKS | {"format": False}},
        {"checks": CHECKS | {"name": False}},
        {"repairs": [{"nam": some_nam(9), "reason": "look_alike"}]},
        {"found_by": ["model"]},
        {"confidence": 0.989},
    ],
    ids=["birth date", "check character", "format", "name", "repair", "model only", "confidence"],
)
def test_what_is_doubtful_stays_undecided(run, reviewer, doubt):
    finding = doubtful(run, **doubt)
    show(run, reviewer)
    assert len(confirm_all(run, reviewer)) == 3
    assert not Decision.objects.filter(finding=finding).exists()


def test_a_doubtful_number_cannot_be_smuggled_in(run, reviewer):
    finding = doubtful(run, confidence=0.5)
    show(run, reviewer)
    with pytest.raises(Conflict):
        confirm_all(run, reviewer, findings=[finding, *run.findings.all()])
    assert not Decision.objects.exists()


@pytest.mark.parametrize(
    ("fields", "found_by", "count"),
    [
        ({"finder": Finder.HYBRID}, ["pattern"], 0),
        ({"finder": Finder.HYBRID}, ["pattern", "model"], 1),
        ({"finder": Finder.HYBRID, "without_model": True}, ["pattern"], 1),
        ({"finder": Finder.PATTERN}, ["pattern"], 1),
    ],
    ids=["the model did not see it", "both saw it", "the model was not asked", "pattern only"],
)
def test_every_finder_that_was_asked_has_found_it(staff, fields, found_by, count):
    run = RunFactory(document=DocumentFactory(uploaded_by=staff), **fields)
    FindingFactory(run=run, found_by=found_by)
    assert len(bulk.sure(run, queries.items(run, 1))) == count


@pytest.mark.parametrize(
    "seen",
    [[], [Verb.DOCUMENT_VIEWED, Verb.PAGE_VIEWED], [Verb.PAGE_VIEWED, Verb.PAGE_SHOWN], [Verb.PAGE_SHOWN]],
    ids=["nothing", "sent and not painted", "not opened", "painted out of nothing"],
)
def test_a_page_that_was_not_shown_is_refused(run, reviewer, seen):
    if seen:
        show(run, reviewer, *seen)
    with pytest.raises(Conflict, match="Regardez d’abord la page"):
        confirm_all(run, reviewer)
    assert not Decision.objects.exists()


def test_that_somebody_else_saw_the_page_does_not_count(run, reviewer, clinic):
    show(run, UserFactory(clinic=clinic, role="reviewer"))
    with pytest.raises(Conflict):
        confirm_all(run, reviewer)


def test_that_the_page_was_seen_yesterday_does_not_count(run, reviewer):
    with time_machine.travel(timezone.now() - timedelta(hours=9)):
        show(run, reviewer)
    with pytest.raises(Conflict):
        confirm_all(run, reviewer)


def test_a_signed_page_is_refused(run, reviewer):
    show(run, reviewer)
    confirm_all(run, reviewer)
    actions.sign_off(run=run, page=1, by=reviewer)
    with pytest.raises(Conflict):
        confirm_all(run, reviewer, findings=list(run.findings.all()))


@pytest.mark.parametrize("role", ["staff", "admin"])
def test_only_reviewers_confirm(run, clinic, role):
    person = UserFactory(clinic=clinic, role=role)
    show(run, person)
    with pytest.raises(NotAllowed):
        confirm_all(run, person)


def test_one_of_them_is_undone_alone(run, reviewer):
    show(run, reviewer)
    one, *_others = confirm_all(run, reviewer)
    actions.undo(decision=one, by=reviewer)
    assert Decision.objects.filter(undone_at=None).count() == 2


def test_all_of_them_are_undone_together_and_nothing_else(run, reviewer):
    alone = doubtful(run, confidence=0.5)
    kept = actions.decide(finding=alone, value=actions.Value.of(alone), by=reviewer)
    show(run, reviewer)
    confirm_all(run, reviewer)
    assert bulk.undo_all(document=run.document, page=1, by=reviewer) == 3
    assert list(Decision.objects.filter(undone_at=None)) == [kept]
    assert Event.objects.filter(verb=Verb.DECISION_UNDONE).count() == 3


def test_a_page_with_numbers_undone_may_be_confirmed_at_once_again(run, reviewer):
    show(run, reviewer)
    confirm_all(run, reviewer)
    bulk.undo_all(document=run.document, page=1, by=reviewer)
    assert len(confirm_all(run, reviewer)) == 3


def test_what_the_press_took_is_the_first_ones(run, reviewer):
    show(run, reviewer)
    ids = [finding.pk for finding in run.findings.order_by("position")]
    bulk.confirm_all(run=run, page=1, findings=ids, effort=Effort(1, 0), by=reviewer)
    assert [Decision.objects.get(finding=pk).effort for pk in ids] == [Effort(1, 0), Effort(0, 0), Effort(0, 0)]


@pytest.fixture
def uploaded(staff, reviewer):
    """A real document of one page with two proposals, and the reviewer's browser."""
    done = extraction.upload(data=agenda_pdf(["Bonjour"]), file_name="a.pdf", by=staff)
    run = done.run
    run.status = "done"
    run.save()
    for number in (1, 2):
        FindingFactory(run=run, position=number, value=some_nam(number))
    client = Client()
    client.force_login(reviewer)
    return run, client


def test_the_button_stands_for_what_passes_also_where_it_is_decided_and_nothing_is_ticked(uploaded, reviewer):
    run, client = uploaded
    doubtful(run, confidence=0.5)
    first = run.findings.order_by("position").first()
    actions.decide(finding=first, value=actions.Value.of(first), by=reviewer)
    body = client.get(reverse("review:document-detail", args=[run.document_id])).content.decode()
    form = body[body.index("data-confirm-all") :].split("</form>")[0]
    assert "Confirmer les {count} qui passent tous les contrôles" in form
    assert form.count('name="finding"') == 2
    assert Decision.objects.count() == 1


def test_the_page_and_its_image_open_the_way(uploaded):
    run, client = uploaded
    address = reverse("review:confirm-all", args=[run.document_id, 1])
    sent = {"finding": [str(f.pk) for f in run.findings.all()]}
    assert client.post(address, sent).status_code == 409
    client.get(reverse("review:document-detail", args=[run.document_id]))
    assert client.post(address, sent).status_code == 409
    assert client.get(reverse("extraction:page-image", args=[run.document_id, 1])).status_code == 200
    assert client.post(address, sent).status_code == 409
    assert client.post(reverse("review:painted", args=[run.document_id, 1])).status_code == 200
    assert client.post(address, sent).status_code == 302
    assert Decision.objects.filter(~Q(batch=None)).count() == 2


def test_a_button_that_stood_for_something_else_is_refused(uploaded, reviewer):
    run, client = uploaded
    show(run, reviewer)
    sent = {"finding": [str(f.pk) for f in run.findings.all()]}
    actions.decide(finding=run.findings.first(), value=None, reason="specimen", by=reviewer)
    assert client.post(reverse("review:confirm-all", args=[run.document_id, 1]), sent).status_code == 409


def test_they_are_taken_back_through_the_page(uploaded, reviewer):
    run, client = uploaded
    show(run, reviewer)
    confirm_all(run, reviewer)
    body = client.get(reverse("review:document-detail", args=[run.document_id])).content.decode()
    assert "Annuler les 2 confirmés d’un coup" in body
    client.post(reverse("review:undo-all", args=[run.document_id, 1]))
    assert not Decision.objects.filter(undone_at=None).exists()
