"""The statutory registers: numbered, versioned, encrypted, kept for their term, of one clinic, journalled."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role
from audit.models import Event
from audit.registers import actions
from audit.registers.actions import Kept
from audit.registers.codes import altered
from audit.registers.models import Entry, Register, Version
from audit.verbs import Verb
from tests.factories import UserFactory
from vault import clinic_keys

pytestmark = pytest.mark.django_db

FACTS = {
    "information": "Noms et numéros d’un agenda",
    "circumstances": "Courriel envoyé au mauvais destinataire",
    "occurred": "vers le 20 novembre 2026",
    "persons": "12",
    "persons_quebec": "12",
}
RISK = {
    "risk_sensitivity": "élevée",
    "risk_misuse": "fraude",
    "risk_consequences": "vol d’identité",
    "risk_likelihood": "faible",
    "risk": "serious",
}


def facts(**changes):
    return FACTS | {"aware_on": timezone.localdate().isoformat()} | changes


@pytest.fixture
def incident(admin_client):
    admin_client.post(reverse("registers:new", args=["incidents"]), facts())
    return Entry.objects.get()


def fill(client, entry, part, data):
    return client.post(reverse("registers:fill-in", args=[entry.pk, part]), data)


def opened(admin, *, aware_on):
    from audit.registers.clocks import incident_kept_until

    return actions.open_entry(
        register=Register.INCIDENTS, content={"information": "x"}, began_on=aware_on,
        kept_until=incident_kept_until(aware_on), by=admin,
    )  # fmt: skip


def test_an_incident_holds_what_was_written_and_is_kept_five_years(incident):
    content = incident.current.content
    assert content["circumstances"] == FACTS["circumstances"]
    assert content["persons"] == 12
    assert incident.kept_until.year == timezone.localdate().year + 5


def test_an_incident_asks_for_every_statutory_field_it_cannot_do_without(admin_client):
    answer = admin_client.post(reverse("registers:new", args=["incidents"]), {})
    assert answer.status_code == 400
    assert set(answer.context["form"].errors) == {"information", "circumstances", "occurred", "aware_on"}


def test_nobody_becomes_aware_tomorrow(admin_client):
    tomorrow = timezone.localdate() + timedelta(days=1)
    answer = admin_client.post(reverse("registers:new", args=["incidents"]), facts(aware_on=tomorrow.isoformat()))
    assert list(answer.context["form"].errors) == ["aware_on"]


def test_the_decision_on_the_risk_says_who_decided_and_when(admin_client, admin, incident):
    fill(admin_client, incident, "risk", RISK)
    content = incident.current.content
    assert (content["risk"], content["risk_decided_by"]) == ("serious", admin.name)
    assert content["risk_decided_on"] == timezone.localdate().isoformat()


def test_a_correction_keeps_what_was_said_before(admin_client, incident):
    fill(admin_client, incident, "facts", facts(circumstances="Vol d’un ordinateur"))
    said = [version.content["circumstances"] for version in incident.versions.order_by("number")]
    assert said == [FACTS["circumstances"], "Vol d’un ordinateur"]


def test_a_correction_of_the_day_never_shortens_the_term(admin_client, incident):
    before = incident.kept_until
    fill(admin_client, incident, "facts", facts(aware_on="2020-01-01"))
    incident.refresh_from_db()
    assert (incident.began_on, incident.kept_until) == (date(2020, 1, 1), before)


def test_the_journal_names_fields_and_holds_no_word_of_them(admin_client, incident):
    fill(admin_client, incident, "facts", facts(circumstances="Vol d’un ordinateur"))
    event = Event.objects.get(verb=Verb.REGISTER_CORRECTED)
    assert len(event.details.pop("mac")) == 64
    assert event.details == {"register": "incidents", "version": 2, "fields": "circumstances"}
    assert "ordinateur" not in json.dumps([each.details for each in Event.objects.all()])


def test_what_is_written_is_ciphertext_in_the_database(incident):
    with connection.cursor() as cursor:
        cursor.execute("SELECT content FROM audit_version")
        assert b"agenda" not in bytes(cursor.fetchone()[0])


def test_entries_are_numbered_by_clinic_and_register(admin, outsider):
    outsider.role = Role.ADMIN
    day = timezone.localdate()
    numbers = [
        actions.open_entry(register=register, content={}, began_on=day, by=by).number
        for register, by in (
            (Register.INCIDENTS, admin), (Register.INCIDENTS, admin), (Register.COMPLAINTS, admin),
            (Register.INCIDENTS, outsider),
        )
    ]  # fmt: skip
    assert numbers == [1, 2, 1, 1]


def test_no_entry_is_destroyed_before_its_term(admin):
    entry = opened(admin, aware_on=timezone.localdate())
    with pytest.raises(Kept):
        actions.destroy_entry(entry=entry, by=admin)
    assert Entry.objects.filter(pk=entry.pk).exists()


def test_an_entry_without_a_term_is_never_destroyed(admin):
    entry = actions.open_entry(register=Register.COMPLAINTS, content={}, began_on=date(2000, 1, 1), by=admin)
    with pytest.raises(Kept):
        actions.destroy_entry(entry=entry, by=admin)


def test_an_entry_is_destroyed_with_its_versions_after_its_term(admin):
    entry = opened(admin, aware_on=date(2019, 1, 1))
    actions.destroy_entry(entry=entry, by=admin)
    assert not Version.objects.exists()
    assert opened(admin, aware_on=date(2019, 1, 1)).number == entry.number + 1
    assert Event.objects.filter(verb=Verb.REGISTER_DESTROYED, object_id=entry.pk).count() == 1


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM audit_version",
        "DELETE FROM audit_entry",
        "UPDATE audit_version SET by_name = 'x'",
        "UPDATE audit_version SET content = content",
        "UPDATE audit_entry SET kept_until = '2020-01-01'",
        "UPDATE audit_entry SET kept_until = NULL",
    ],
)
def test_the_database_itself_refuses_to_touch_what_is_kept(incident, statement):
    with pytest.raises(DatabaseError, match="kept"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def sealed_with_newer_key(version, content):
    """What a rotation would write if the version said `content`."""
    clinic_keys.renew(version.entry.clinic_id)
    version.content = content
    return Version._meta.get_field("content").resealed(version)


@pytest.mark.parametrize("more", [{"note": "x"}, {"by_name": "x"}, {"number": 7}, {"at": timezone.now()}])
def test_a_version_is_sealed_anew_alone_or_not_at_all(incident, more):
    sealed = sealed_with_newer_key(incident.current, incident.current.content)
    with pytest.raises(DatabaseError, match="kept"), transaction.atomic():
        Version.objects.update(content=sealed, **more)
    assert Version.objects.update(content=sealed) == 1


def test_a_version_is_not_sealed_under_an_earlier_key_or_with_more_words(incident):
    version, content = incident.current, incident.current.content
    before = Version._meta.get_field("content").resealed(version)
    longer = sealed_with_newer_key(version, content | {"circumstances": "Un récit plus long que celui qui y était"})
    with pytest.raises(DatabaseError, match="kept"), transaction.atomic():
        Version.objects.update(content=longer)
    Version.objects.update(content=sealed_with_newer_key(version, content))
    with pytest.raises(DatabaseError, match="kept"), transaction.atomic():
        Version.objects.update(content=before)


def test_words_put_in_the_place_of_others_under_a_newer_key_are_told_on_the_page(admin_client, incident):
    page = reverse("registers:entry", args=[incident.pk])
    told = "Différente de ce que le journal dit avoir été écrit"
    assert told not in admin_client.get(page).content.decode()
    swapped = incident.current.content | {"circumstances": FACTS["circumstances"][::-1]}
    Version.objects.update(content=sealed_with_newer_key(incident.current, swapped))
    assert altered(incident) == {1}
    assert told in admin_client.get(page).content.decode()


def test_a_version_from_before_the_journal_held_codes_is_not_accused(incident):
    from audit import triggers

    triggers.remove(connection)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE audit_event SET details = '{}' WHERE verb = 'register.opened'")
    assert altered(incident) == set()


def test_a_version_is_never_saved_again(incident):
    with pytest.raises(TypeError):
        incident.current.save()


@pytest.mark.parametrize("code", ["cai", "minister", "person"])
def test_a_notice_is_drafted_in_french_with_the_fields_filled_in(admin_client, incident, code):
    admin_client.cookies["django_language"] = "en"
    page = admin_client.get(reverse("registers:letter", args=[incident.pk, code])).content.decode()
    assert FACTS["information"] in page
    assert "préjudice sérieux" in page
    assert Event.objects.get(verb=Verb.NOTICE_DRAFTED).details == {"register": "incidents", "letter": code}


def test_the_table_of_the_register_holds_every_entry_and_no_formula(admin_client):
    admin_client.post(reverse("registers:new", args=["incidents"]), facts(circumstances="=1+1"))
    table = admin_client.get(reverse("registers:export", args=["incidents", "csv"])).content.decode("utf-8-sig")
    assert FACTS["information"] in table
    assert "'=1+1" in table
    assert Event.objects.get(verb=Verb.REGISTER_EXPORTED).count == 1


def test_the_json_of_the_register_holds_every_version(admin_client, incident):
    fill(admin_client, incident, "risk", RISK)
    body = admin_client.get(reverse("registers:export", args=["incidents", "json"])).json()
    assert [version["why"] for version in body["entries"][0]["versions"]] == ["", "risk"]


def test_the_hub_says_what_is_due(admin_client, incident):
    page = admin_client.get(reverse("registers:hub"))
    assert [entry for entry, _state in page.context["waiting"]] == [incident]


@pytest.mark.parametrize("name", ["entry", "destroy", "fill-in", "letter"])
def test_another_clinics_entry_does_not_exist(client, incident, outsider, name):
    outsider.role = Role.ADMIN
    outsider.save()
    client.force_login(outsider)
    more = {"fill-in": ["facts"], "letter": ["cai"]}.get(name, [])
    address = reverse(f"registers:{name}", args=[incident.pk, *more])
    answer = client.post(address) if name in ("destroy", "fill-in") else client.get(address)
    assert answer.status_code == 404
    assert Event.objects.filter(verb=Verb.CROSS_TENANT_DENIED, actor_id=outsider.pk).count() == 1


def test_another_clinics_entries_are_in_no_list_and_no_file(client, incident, outsider):
    outsider.role = Role.ADMIN
    outsider.save()
    client.force_login(outsider)
    assert client.get(reverse("registers:book", args=["incidents"])).context["rows"] == []
    assert client.get(reverse("registers:export", args=["incidents", "json"])).json()["entries"] == []


@pytest.mark.parametrize("register", [str(register) for register in Register])
def test_every_register_opens_with_its_form_in_both_languages(admin_client, register):
    for language in ("fr-ca", "en"):
        admin_client.cookies["django_language"] = language
        assert admin_client.get(reverse("registers:book", args=[register])).status_code == 200
        assert admin_client.get(reverse("registers:new", args=[register])).status_code == 200


def test_an_unknown_register_does_not_exist(admin_client):
    assert admin_client.get(reverse("registers:book", args=["nothing"])).status_code == 404


def test_training_is_due_until_it_was_done_and_a_year_later(admin_client, admin):
    someone = UserFactory(clinic=admin.clinic)
    data = {"person": str(someone.pk), "authorised_by": "Direction", "undertaking_on": "2024-05-01"}
    admin_client.post(reverse("registers:new", args=["undertakings"]), data)
    entry = Entry.objects.get()
    assert admin_client.get(reverse("registers:entry", args=[entry.pk])).context["state"].kind == "partial"
    fill(admin_client, entry, "undertaking", data | {"trained_on": timezone.localdate().isoformat()})
    assert admin_client.get(reverse("registers:entry", args=[entry.pk])).context["state"].kind == "done"
    fill(admin_client, entry, "undertaking", data | {"trained_on": "2024-05-01"})
    assert admin_client.get(reverse("registers:entry", args=[entry.pk])).context["state"].kind == "partial"


def test_products_are_listed_with_the_versions_that_run(admin_client):
    from importlib import metadata

    page = admin_client.get(reverse("registers:book", args=["products"])).content.decode()
    assert metadata.version("cryptography") in page
