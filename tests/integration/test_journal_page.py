"""The journal's page: filters, a patient's events without the number in an address, its files, and its state."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from audit import anchors, signing
from audit.integrity import VERIFIED_WITHIN, integrity
from audit.models import AnchorMark, Event
from audit.queries import Search
from audit.record import record_alone
from audit.verbs import Category, Verb
from extraction import alerts
from extraction.models import Alert
from tests.factories import some_nam
from vault.index import blind_index

pytestmark = pytest.mark.django_db

JOURNAL = reverse("review:journal")
SEARCH = reverse("review:journal-search")
EXPORT = reverse("review:journal-export")
VERIFIER = Path(__file__).resolve().parents[2] / "audit" / "standalone" / "verify.py"


@pytest.fixture
def events(staff, reviewer):
    """Of two people and two months, one of them about a patient."""
    with time_machine.travel("2026-09-10T15:00:00Z", tick=False):
        record_alone(Verb.DOCUMENT_UPLOADED, by=staff)
    with time_machine.travel("2026-10-10T15:00:00Z", tick=False):
        record_alone(Verb.PAGE_VIEWED, by=reviewer, page=3)
        subject = blind_index(some_nam(1), clinic_id=staff.clinic_id, purpose="subject")
        record_alone(Verb.NAM_CONFIRMED, by=reviewer, subject=subject)
        record_alone(Verb.LIST_VIEWED, by=staff)
    return staff.clinic_id


def shown(answer):
    """The verbs of the page, newest first, but for the administrator's own."""
    return [event.verb for event in answer.context["events"] if event.role != "admin" and event.actor_id]


@pytest.mark.parametrize(
    ("query", "verbs"),
    [
        ({"category": "doc"}, ["doc.viewed_page", "doc.uploaded"]),
        ({"category": "doc", "verb": "doc.uploaded"}, ["doc.uploaded"]),
        ({"since": "2026-10-01T00:00"}, ["hssi.list_viewed", "nam.confirmed", "doc.viewed_page"]),
        ({"until": "2026-10-01T00:00"}, ["doc.uploaded"]),
        ({"since": "2026-10-10T11:00", "until": "2026-10-10T11:00", "category": "nam"}, ["nam.confirmed"]),
        ({"since": "2020-01-01T00:00", "until": "2021-01-01T00:00"}, []),
        ({"since": "nonsense", "category": "nam"}, ["nam.confirmed"]),
    ],
)
def test_the_journal_is_narrowed(events, admin_client, query, verbs):
    assert shown(admin_client.get(JOURNAL, query)) == verbs


def test_the_journal_is_narrowed_to_a_person(events, admin_client, reviewer):
    assert shown(admin_client.get(JOURNAL, {"actor": str(reviewer.pk)})) == ["nam.confirmed", "doc.viewed_page"]


def test_pages_follow_each_other_without_a_gap(admin_client, staff, monkeypatch):
    monkeypatch.setattr("review.journal_views.EVENTS_PER_PAGE", 4)
    for _turn in range(6):
        record_alone(Verb.LIST_VIEWED, by=staff)
        record_alone(Verb.PAGE_VIEWED, by=staff)
    seen, before = [], ""
    for _page in range(3):
        answer = admin_client.get(JOURNAL, {"actor": str(staff.pk), "before": before})
        seen += [event.seq for event in answer.context["events"]]
        before = answer.context["more"] or ""
    assert seen == sorted(Event.objects.filter(actor_id=staff.pk).values_list("seq", flat=True), reverse=True)


def test_a_patient_is_found_by_the_number_in_the_body(events, admin_client):
    answer = admin_client.post(SEARCH, {"nam": some_nam(1).lower()})
    assert shown(answer) == ["nam.confirmed"]
    assert some_nam(1) not in answer.content.decode()


def test_a_search_for_a_patient_is_an_event_about_that_patient(events, admin_client, admin):
    admin_client.post(SEARCH, {"nam": some_nam(1)})
    event = Event.objects.get(verb=Verb.JOURNAL_SEARCHED)
    assert bytes(event.subject) == blind_index(some_nam(1), clinic_id=admin.clinic_id, purpose="subject")
    assert some_nam(1) not in repr(event.__dict__)


def test_the_pages_behind_a_search_need_no_number(events, admin_client, outsider, client):
    sealed = admin_client.post(SEARCH, {"nam": some_nam(1)}).context["subject"]
    assert shown(admin_client.post(SEARCH, {"subject": sealed})) == ["nam.confirmed"]
    outsider.role = "admin"
    outsider.save()
    client.force_login(outsider)
    assert client.post(SEARCH, {"subject": sealed}).status_code == 400


@pytest.mark.parametrize("sent", [{}, {"nam": "nobody"}, {"subject": "made-up"}])
def test_a_search_without_a_usable_number_shows_nothing(events, admin_client, sent):
    answer = admin_client.post(SEARCH, sent)
    assert (answer.status_code, answer.context["events"]) == (400, [])


def test_a_number_in_an_address_is_not_read(events, admin_client):
    assert len(shown(admin_client.get(JOURNAL, {"nam": some_nam(1)}))) == 4
    assert admin_client.get(SEARCH, {"nam": some_nam(1)}).status_code == 405


# --- A long journal --------------------------------------------------------------------------------------------------

PERSON, PATIENT, DOCUMENT = {"actor_id": uuid.UUID(int=1)}, {"subject": b"s" * 16}, {"document_id": uuid.UUID(int=2)}
KIND = {"verbs": (Verb.DENIED,)}


@pytest.mark.parametrize(
    ("narrowed", "index"),
    [
        (PERSON, "event_by_actor (clinic_id=? AND actor_id=? AND seq<?)"),
        (PATIENT, "event_by_subject (clinic_id=? AND subject=? AND seq<?)"),
        (DOCUMENT, "event_by_document (clinic_id=? AND document_id=? AND seq<?)"),
        (KIND, "event_by_verb (clinic_id=? AND verb=? AND seq<?)"),
        (PERSON | KIND, "event_by_actor_and_verb (clinic_id=? AND actor_id=? AND verb=? AND seq<?)"),
    ],
    ids=["person", "patient", "document", "verb", "person and verb"],
)
def test_what_is_looked_for_is_a_stretch_of_one_index(events, narrowed, index):
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL does without an index where a table is this small (docs/journal.md has its plans)")
    plan = Search(events, **narrowed).events(before=90)[:51].explain()
    assert f"USING INDEX {index}" in plan
    assert "TEMP B-TREE" not in plan


def test_a_page_costs_the_same_however_many_events_it_shows(events, staff, admin_client, django_assert_num_queries):
    with CaptureQueriesContext(connection) as few:
        admin_client.get(JOURNAL)
    for _event in range(50):
        record_alone(Verb.LIST_VIEWED, by=staff)
    with django_assert_num_queries(len(few)):
        admin_client.get(JOURNAL)


def test_an_event_costs_the_head_the_event_and_the_head_again(events, staff, django_assert_num_queries):
    with django_assert_num_queries(5):  # with the beginning and the end of the transaction
        record_alone(Verb.LIST_VIEWED, by=staff)


def test_the_kinds_of_events_leave_no_verb_out():
    assert sorted(verb for category in Category for verb in category.verbs) == sorted(Verb)


def test_a_verb_of_before_shows_itself(events):
    assert Event(verb="doc.burnt").get_verb_display() == "doc.burnt"
    assert Event(verb=Verb.DENIED).get_verb_display() == str(Verb.DENIED.label)


# --- Taking it away --------------------------------------------------------------------------------------------------


@pytest.fixture
def key(settings, tmp_path):
    settings.AUDIT_ANCHOR_KEY_FILE = str(tmp_path / "anchor.pem")
    settings.AUDIT_ANCHOR_DIRS = [str(tmp_path / "anchors")]
    signing.make(tmp_path / "anchor.pem")


def take(client, what, **narrowed):
    answer = client.post(EXPORT, {"what": what, **narrowed})
    assert answer.status_code == 200
    return answer.content


def test_what_is_taken_away_verifies_with_the_verifier_that_comes_with_it(events, key, admin_client, tmp_path):
    for what, name in (("jsonl", "j"), ("anchors", "a"), ("keys", "k"), ("verifier", "verify.py")):
        (tmp_path / name).write_bytes(take(admin_client, what))
    assert (tmp_path / "verify.py").read_bytes() == VERIFIER.read_bytes()
    command = [sys.executable, "-I", "verify.py", "j", "--anchors", "a", "--key", "k", "--clinic", str(events)]
    done = subprocess.run(command, cwd=tmp_path, env={}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.splitlines()[-1].endswith("intact")) == (0, True), done.stdout


def test_a_period_of_the_chain_verifies_too(events, key, admin_client, tmp_path):
    anchors.make_due(timezone.now())
    lines = take(admin_client, "jsonl", since="2026-10-01T00:00", until="2026-10-31T00:00")
    (tmp_path / "j").write_bytes(lines)
    for what, name in (("anchors", "a"), ("keys", "k")):
        (tmp_path / name).write_bytes(take(admin_client, what))
    command = [sys.executable, "-I", str(VERIFIER), "j", "--anchors", "a", "--key", "k"]
    done = subprocess.run(command, cwd=tmp_path, env={}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "3 events: intact\n")


def test_the_table_has_no_formula(events, admin_client, reviewer):
    reviewer.name = "=HYPERLINK(1)"
    record_alone(Verb.LIST_VIEWED, by=reviewer)
    rows = list(csv.DictReader(io.StringIO(take(admin_client, "csv").decode("utf-8-sig")), delimiter=";"))
    assert "'=HYPERLINK(1)" in [row["actor_name"] for row in rows]
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())


def test_fhir_says_who_did_what_when_and_why(events, admin_client, reviewer):
    bundle = json.loads(take(admin_client, "fhir", category="nam"))
    (resource,) = (entry["resource"] for entry in bundle["entry"])
    assert (bundle["resourceType"], bundle["type"], resource["resourceType"]) == ("Bundle", "collection", "AuditEvent")
    assert resource["subtype"][0]["code"] == "nam.confirmed"
    assert (resource["action"], resource["outcome"]) == ("U", "0")
    assert resource["recorded"] == "2026-10-10T15:00:00.000000+00:00"
    assert resource["agent"][0]["who"]["identifier"]["value"] == str(reviewer.pk)
    assert [each["coding"][0]["code"] for each in resource["purposeOfEvent"]] == ["billing", "administration"]
    assert some_nam(1) not in json.dumps(bundle)


@pytest.mark.parametrize("what", ["jsonl", "anchors", "keys", "verifier", "csv", "fhir"])
def test_every_file_is_an_event_before_it_leaves(events, admin_client, what):
    take(admin_client, what)
    assert Event.objects.get(verb=Verb.JOURNAL_EXPORTED).reason_code == what


def test_what_is_too_long_for_the_page_is_refused_with_the_way_out(events, admin_client, monkeypatch):
    monkeypatch.setattr("review.journal_views.MOST_EXPORTED", 2)
    for what in ("jsonl", "csv", "fhir"):
        answer = admin_client.post(EXPORT, {"what": what})
        assert (answer.status_code, "export_journal" in answer.content.decode()) == (409, True)


@pytest.mark.parametrize("sent", [{"what": "nothing"}, {"what": "jsonl", "until": "2020-01-01T00:00"}])
def test_nothing_leaves_that_does_not_exist(events, admin_client, sent):
    assert admin_client.post(EXPORT, sent).status_code == 409


# --- Whether it can be believed --------------------------------------------------------------------------------------


def verified(clinic, verdict):
    record_alone(Verb.JOURNAL_VERIFIED, by=None, clinic_id=clinic, reason_code=verdict)


def test_a_verified_and_anchored_journal_is_believed(events, key, admin_client):
    verified(events, "intact")
    anchors.make_due(timezone.now())
    anchors.deliver(timezone.now())
    found = integrity(events, timezone.now())
    assert (found.problems, found.unanchored, found.places[0].behind) == ((), 0, 0)
    assert "Oui" in admin_client.get(JOURNAL).content.decode()


@pytest.mark.parametrize("verdict", ["tampered", "incomplete"])
def test_what_the_last_verification_found_is_said(events, key, verdict):
    verified(events, verdict)
    anchors.make_due(timezone.now())
    assert integrity(events, timezone.now()).problems == (verdict,)


def test_a_new_journal_is_neither_believed_nor_overdue(events, key):
    began = Event.objects.filter(clinic_id=events).earliest("at").at
    found = integrity(events, began + VERIFIED_WITHIN).problems
    assert ("young" in found, "unverified" in found) == (True, False)
    assert "unverified" in integrity(events, began + VERIFIED_WITHIN + timedelta(seconds=1)).problems


def test_a_verification_that_is_too_old_is_said(events, key):
    verified(events, "intact")
    later = timezone.now() + timedelta(days=9)
    anchors.make_due(later)
    assert integrity(events, later).problems == ("unverified",)


def test_that_no_key_is_set_is_said(events, settings):
    settings.AUDIT_ANCHOR_KEY_FILE = settings.AUDIT_ANCHOR_PUBLIC_KEYS = ""
    verified(events, "intact")
    assert integrity(events, timezone.now()).problems == ("no_key",)


def test_events_that_wait_for_their_anchor_raise_an_alert_that_ends(events, key, admin):
    now = timezone.now()
    verified(events, "intact")
    alerts.evaluate(now)
    alert = Alert.objects.get(kind="journal", clinic_id=events)
    assert (alert.detail, alert.ended_at) == ("late", None)
    anchors.make_due(now)
    alerts.evaluate(now)
    alert.refresh_from_db()
    assert alert.ended_at == now


def test_a_place_that_fails_for_long_raises_an_alert_of_the_installation(events, key, settings, tmp_path, admin_client):
    (tmp_path / "file").write_text("in the way")
    settings.AUDIT_ANCHOR_DIRS = [str(tmp_path / "file")]
    now = timezone.now()
    anchors.make_due(now)
    anchors.deliver(now)
    later = now + anchors.EVERY
    alerts.evaluate(later)
    alert = Alert.objects.get(kind="journal", clinic=None)
    assert (alert.subject, alert.detail) == (str(tmp_path / "file"), "place")
    assert AnchorMark.objects.filter(failing_since=now).exists()
    assert "conserve les ancres" in admin_client.get("/alerts/").content.decode()


def test_a_changed_journal_raises_an_alert(events, key):
    anchors.make_due(timezone.now())
    verified(events, "tampered")
    alerts.evaluate(timezone.now())
    assert Alert.objects.get(kind="journal", clinic_id=events).detail == "tampered"


def test_without_a_key_nobody_is_alarmed_of_anchors(events):
    verified(events, "intact")
    alerts.evaluate(timezone.now())
    assert not Alert.objects.filter(kind="journal").exists()
