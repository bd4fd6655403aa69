"""Who is in charge stands in the footer; the policy is public once published, and read from what is configured."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.policy import Right
from audit.registers import queries
from audit.registers.models import Entry, Register
from review.registers.policy import RIGHT_WORDS
from review.retention.actions import change_period
from review.retention.classes import DataClass

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(admin_client):
    today = timezone.localdate().isoformat()
    data = {"in_charge": "Rose Responsable", "title": "Directrice", "email": "prp@erables.example", "since": today}
    admin_client.post(reverse("registers:new", args=["governance"]), data)
    return Entry.objects.get()


def publish(client, entry, *, is_published=True):
    data = {"policy_on": timezone.localdate().isoformat(), "policy_by": "Direction", "complaint_contact": "Par écrit"}
    client.post(
        reverse("registers:fill-in", args=[entry.pk, "policy"]), data | ({"is_published": "on"} if is_published else {})
    )


def test_who_is_in_charge_stands_in_every_footer(office, staff_client):
    page = staff_client.get(reverse("extraction:document-list")).content.decode()
    assert "Rose Responsable" in page
    assert "mailto:prp@erables.example" in page


def test_who_is_in_charge_is_one_query(office, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert queries.standing(office.clinic_id, Register.GOVERNANCE)["in_charge"] == "Rose Responsable"


def test_another_clinics_person_in_charge_does_not(office, outsider_client):
    assert "Rose Responsable" not in outsider_client.get(reverse("extraction:document-list")).content.decode()


def test_the_policy_is_not_there_before_it_is_published(office, client, clinic, admin_client):
    address = reverse("registers:policy", args=[clinic.pk])
    assert client.get(address).status_code == 404
    publish(admin_client, office, is_published=False)
    assert client.get(address).status_code == 404


@pytest.mark.parametrize("language", ["fr-ca", "en"])
def test_a_published_policy_is_read_without_signing_in(office, client, clinic, admin_client, language):
    publish(admin_client, office)
    client.cookies["django_language"] = language
    page = client.get(reverse("registers:policy", args=[clinic.pk]))
    text = page.content.decode()
    assert page.status_code == 200
    for words in ("Rose Responsable", "Direction", "Par écrit", clinic.name):
        assert words in text


def test_the_policy_names_a_supplier_that_is_configured(office, client, clinic, admin_client, settings):
    publish(admin_client, office)
    address = reverse("registers:policy", args=[clinic.pk])
    assert "Textract" not in client.get(address).content.decode()
    settings.OCR_READER = "textract"
    text = client.get(address).content.decode()
    assert "Amazon Textract" in text
    assert settings.AWS_REGION in text


def test_the_policy_says_how_long_the_clinic_keeps_what(office, client, clinic, admin_client, admin):
    publish(admin_client, office)
    change_period(data_class=DataClass.FILE, days=9, by=admin)
    text = client.get(reverse("registers:policy", args=[clinic.pk])).content.decode()
    assert "9 jours à partir du moment où toutes les pages sont signées" in text


def test_every_right_has_words():
    assert set(RIGHT_WORDS) == set(Right)
