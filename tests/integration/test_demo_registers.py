"""What an administrator of the demonstration sees in its registers."""

from __future__ import annotations

import pytest
from django.urls import reverse

from audit.registers import queries
from audit.registers.codes import altered
from audit.registers.models import Entry, Register
from namsite import demo_registers
from vault.index import blind_index, same_index

pytestmark = pytest.mark.django_db

NAM = "TREM04121925"


@pytest.fixture
def written(admin):
    demo_registers.write(nam=NAM, by=admin)
    return {entry.register: entry for entry in queries.entries(admin)}


def test_there_is_one_incident_one_request_and_one_complaint(written):
    assert sorted(written) == sorted([Register.INCIDENTS, Register.REQUESTS, Register.COMPLAINTS])


def test_the_request_is_about_the_number_that_it_was_made_with(written, admin):
    index = blind_index(NAM, clinic_id=admin.clinic_id, purpose="nam")
    assert same_index(written[Register.REQUESTS].subject, index)


def test_every_entry_says_that_it_is_invented(written):
    for entry in written.values():
        assert any(demo_registers.INVENTED in str(value) for value in entry.current.content.values())
        assert altered(entry) == set()


def test_the_hub_says_what_is_due_of_the_incident_and_of_the_request(written, admin_client):
    page = admin_client.get(reverse("registers:hub"))
    waiting = {entry.register: state.words for entry, state in page.context["waiting"]}
    assert sorted(waiting) == sorted([Register.INCIDENTS, Register.REQUESTS])
    assert "préjudice sérieux" in waiting[Register.INCIDENTS]
    assert "jour 21 sur 30" in waiting[Register.REQUESTS]


def test_the_incident_has_two_versions_and_every_page_opens(written, admin_client):
    assert written[Register.INCIDENTS].versions.count() == 2
    for entry in written.values():
        assert admin_client.get(reverse("registers:entry", args=[entry.pk])).status_code == 200


def test_a_second_start_writes_nothing_more(written, admin):
    demo_registers.write(nam=NAM, by=admin)
    assert Entry.objects.count() == len(written)
