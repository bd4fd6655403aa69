"""Emergency access: masked numbers of one document, each revealed by a journalled click, for half an hour."""

from __future__ import annotations

import pytest
import time_machine
from django.urls import reverse

from accounts import limits
from accounts.limits import Limit
from accounts.models import EmergencyAccess
from audit.models import Event
from audit.verbs import Verb
from extraction import nam
from tests.factories import DocumentFactory, FindingFactory, RunFactory

pytestmark = pytest.mark.django_db

WHY = {"reason": "Demande d'accès reçue ce matin, personne d'autre", "purpose": "audit"}


@pytest.fixture
def clock():
    with time_machine.travel("2026-03-02 09:00:05+00:00", tick=False) as traveller:
        yield traveller


@pytest.fixture
def finding(staff):
    return FindingFactory(run=RunFactory(document=DocumentFactory(uploaded_by=staff)))


def at(name: str, finding) -> str:
    ids = [finding.run.document_id, *([finding.pk] if name == "emergency-reveal" else [])]
    return reverse(f"review:{name}", args=ids)


def test_no_number_is_seen_before_a_reason_was_given(admin_client, finding):
    page = admin_client.get(at("emergency", finding)).content.decode()
    assert nam.mask(finding.value) not in page
    assert admin_client.post(at("emergency-begin", finding), {"reason": "court", "purpose": "audit"}).status_code == 400
    assert admin_client.post(at("emergency-reveal", finding)).status_code == 302
    assert not Event.objects.filter(verb=Verb.NAM_REVEALED).exists()


def test_numbers_are_masked_until_one_is_revealed_and_masked_again_after(clock, admin_client, finding, admin):
    other = FindingFactory(run=finding.run)
    admin_client.post(at("emergency-begin", finding), WHY)
    page = admin_client.get(at("emergency", finding)).content.decode()
    assert nam.mask(finding.value) in page
    assert nam.grouped(finding.value) not in page
    shown = admin_client.post(at("emergency-reveal", finding)).content.decode()
    assert nam.grouped(finding.value) in shown
    assert nam.grouped(other.value) not in shown
    assert nam.grouped(finding.value) not in admin_client.get(at("emergency", finding)).content.decode()
    event = Event.objects.get(verb=Verb.NAM_REVEALED)
    assert (event.actor_id, event.object_id, event.purpose) == (admin.pk, finding.pk, "audit")
    assert bytes(event.subject) == bytes(finding.value_index)


def test_it_ends_after_half_an_hour(clock, admin_client, admin, finding):
    admin_client.post(at("emergency-begin", finding), WHY)
    clock.shift(30 * 60 + 1)
    admin_client.force_login(admin)  # The session ended long before.
    assert admin_client.post(at("emergency-reveal", finding)).status_code == 302
    assert nam.mask(finding.value) not in admin_client.get(at("emergency", finding)).content.decode()


def test_it_opens_one_document_and_no_page_of_it(admin_client, finding, staff):
    elsewhere = FindingFactory(run=RunFactory(document=DocumentFactory(uploaded_by=staff)))
    admin_client.post(at("emergency-begin", finding), WHY)
    assert admin_client.post(at("emergency-reveal", elsewhere)).status_code == 302
    assert admin_client.get(reverse("review:document-detail", args=[finding.run.document_id])).status_code == 403


def test_the_reason_is_sealed_and_the_journal_says_who_and_why_in_a_code(admin_client, admin, finding):
    admin_client.post(at("emergency-begin", finding), WHY)
    assert EmergencyAccess.objects.get().reason == WHY["reason"]
    event = Event.objects.get(verb=Verb.EMERGENCY_BEGUN)
    assert (event.actor_id, event.document_id, event.purpose) == (admin.pk, finding.run.document_id, "audit")
    assert "Demande" not in str(event.__dict__)


def test_it_asks_who_one_is_after_five_minutes(clock, admin_client, finding):
    clock.shift(5 * 60 + 1)
    answer = admin_client.post(at("emergency-begin", finding), WHY)
    assert answer["Location"].startswith("/accounts/reauthenticate/")


def test_revealing_is_limited(clock, admin_client, finding, monkeypatch):
    monkeypatch.setitem(limits.LIMITS, "reveal", (Limit("user", 2, 60),))
    admin_client.post(at("emergency-begin", finding), WHY)
    codes = [admin_client.post(at("emergency-reveal", finding)).status_code for _turn in range(3)]
    assert codes == [200, 200, 429]
