"""A person restricts the access to their number (R-22.1 ss. 7, 8): masked, its pages closed, attempts journalled."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role
from audit.models import Event
from audit.registers.models import Entry
from audit.verbs import Verb
from review import actions
from review.actions import Value
from review.models import Decision
from tests.factories import DocumentFactory, FindingFactory, RunFactory, RunPageFactory, page_of, some_nam

pytestmark = pytest.mark.django_db

MINE, OTHER = some_nam(1), some_nam(2)


@pytest.fixture
def run(staff):
    run = RunFactory(document=DocumentFactory(uploaded_by=staff))
    for number in (1, 2):
        RunPageFactory(run=run, number=number, words=page_of("NAM").to_json())
    return run


@pytest.fixture
def finding(run):
    FindingFactory(run=run, value=OTHER, page=1)
    return FindingFactory(run=run, value=MINE, page=2)


def restrict(client, *roles):
    data = {"nam": MINE, "roles": roles, "from_on": timezone.localdate().isoformat(), "wording": "Demande écrite"}
    assert client.post(reverse("registers:new", args=["restrictions"]), data).status_code == 302
    return Entry.objects.get()


def closed_to(client, finding):
    document = finding.run.document_id
    return {
        name: client.get(address).status_code
        for name, address in {
            "page": reverse("review:document-detail", args=[document]) + "?page=2",
            "image": reverse("extraction:page-image", args=[document, 2]),
            "crop": reverse("extraction:finding-crop", args=[finding.pk]),
            "compare": reverse("review:compare", args=[document]),
            "why": reverse("registers:explanation", args=[finding.pk]),
        }.items()
    }


def test_every_way_to_the_page_is_closed_for_the_named_role(admin_client, reviewer_client, finding):
    restrict(admin_client, "reviewer")
    assert set(closed_to(reviewer_client, finding).values()) == {403}


def test_every_attempt_is_journalled(admin_client, reviewer_client, reviewer, finding):
    restrict(admin_client, "reviewer")
    attempts = closed_to(reviewer_client, finding)
    events = Event.objects.filter(verb=Verb.RESTRICTED_DENIED, actor_id=reviewer.pk, outcome="denied")
    assert events.count() == len(attempts)
    assert {event.document_id for event in events} == {finding.run.document_id}


def test_another_role_goes_on(admin_client, reviewer_client, finding):
    restrict(admin_client, "staff")
    assert reviewer_client.get(reverse("review:document-detail", args=[finding.run.document_id])).status_code == 200


def test_the_document_opens_at_a_page_that_is_not_closed(admin_client, staff_client, finding):
    restrict(admin_client, "staff")
    page = staff_client.get(reverse("review:document-detail", args=[finding.run.document_id]))
    assert (page.status_code, page.context["page"].number) == (200, 1)


def test_nobody_is_led_on_to_a_closed_page(admin_client, reviewer_client, finding):
    restrict(admin_client, "reviewer")
    page = reviewer_client.get(reverse("review:document-detail", args=[finding.run.document_id]))
    assert (page.context["page"].number, page.context["next_page"]) == (1, None)


def test_a_number_that_a_person_added_closes_its_page_too(admin_client, staff_client, run, reviewer):
    actions.add(document=run.document, page=1, value=Value(MINE), box=None, by=reviewer)
    restrict(admin_client, "staff")
    address = reverse("review:document-detail", args=[run.document_id])
    assert staff_client.get(address + "?page=1").status_code == 403


def test_nobody_decides_on_what_they_may_not_see(admin_client, reviewer_client, finding):
    restrict(admin_client, "reviewer")
    answer = reviewer_client.post(reverse("review:decide", args=[finding.pk]), {"verdict": "confirm"})
    assert answer.status_code == 403
    assert not Decision.objects.exists()


def test_an_export_leaves_the_number_out_and_names_no_digit_of_it(admin_client, staff_client, finding):
    restrict(admin_client, "staff")
    page = staff_client.get(reverse("review:exports", args=[finding.run.document_id]))
    assert [each.reason for each in page.context["found"].staying] == ["undecided", "restricted"]
    assert MINE[:4] + " " + MINE[4:8] not in page.content.decode().replace(OTHER[:4] + " " + OTHER[4:8], "")
    assert Event.objects.get(verb=Verb.RESTRICTED_DENIED).count == 1


def test_the_api_leaves_the_page_out(admin_client, staff_client, finding):
    restrict(admin_client, "staff")
    body = staff_client.get(f"/api/nam/runs/{finding.run_id}/results").json()
    assert [row["nam"] for row in body["results"]] == [OTHER]


def test_a_restriction_that_was_lifted_holds_no_longer(admin_client, reviewer_client, finding):
    entry = restrict(admin_client, "reviewer")
    data = {"lifted_on": timezone.localdate().isoformat(), "lifted_why": "Demande écrite"}
    admin_client.post(reverse("registers:fill-in", args=[entry.pk, "lift"]), data)
    address = reverse("review:document-detail", args=[finding.run.document_id])
    assert reviewer_client.get(address + "?page=2").status_code == 200


def test_a_restriction_is_of_one_clinic(client, outsider, reviewer_client, finding):
    outsider.role = Role.ADMIN
    outsider.save()
    client.force_login(outsider)
    restrict(client, "reviewer")
    address = reverse("review:document-detail", args=[finding.run.document_id])
    assert reviewer_client.get(address + "?page=2").status_code == 200
