"""A person asks for what is held about them, or for a correction: the term, the transcript, the letter, the pages."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pypdfium2
import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role
from audit.models import Event
from audit.registers.models import Entry
from audit.verbs import Verb
from extraction import nam
from extraction.actions import Billing
from review import actions
from review.actions import Request, Value
from review.exports.lines import Selection
from tests.factories import DocumentFactory, FindingFactory, RunFactory, some_nam
from vault.index import blind_index

pytestmark = pytest.mark.django_db

MINE, OTHER = some_nam(1), some_nam(2)


@pytest.fixture
def run(staff):
    return RunFactory(document=DocumentFactory(uploaded_by=staff))


@pytest.fixture
def finding(run):
    FindingFactory(run=run, value=OTHER, page=1)
    return FindingFactory(run=run, value=MINE, page=2)


def request_of(client, *, kind="access", days_ago=0):
    received = timezone.localdate() - timedelta(days=days_ago)
    data = {
        "nam": nam.grouped(MINE), "kind": kind, "received_on": received.isoformat(), "applicant": "Zoé Zzq",
        "identity": "permis", "wording": "La date est fausse",
    }  # fmt: skip
    client.post(reverse("registers:new", args=["requests"]), data)
    return Entry.objects.latest("number")


def transcript(client, entry, suffix, value=MINE):
    return client.post(reverse("registers:answer", args=[entry.pk]), {"nam": value, "suffix": suffix})


@pytest.mark.parametrize(("days", "kind"), [(19, "idle"), (20, "waiting"), (27, "partial"), (31, "failed")])
def test_the_register_warns_on_the_days_of_the_term(admin_client, days, kind):
    request_of(admin_client, days_ago=days)
    rows = admin_client.get(reverse("registers:book", args=["requests"])).context["rows"]
    assert [state.kind for _entry, _cells, state in rows] == [kind]


def test_every_page_of_an_administrator_counts_the_requests_that_press(admin_client):
    request_of(admin_client, days_ago=19)
    assert "(1)" not in admin_client.get(reverse("accounts:people")).content.decode()
    request_of(admin_client, days_ago=20)
    assert "(1)" in admin_client.get(reverse("accounts:people")).content.decode()


def test_an_answered_request_asks_for_nothing_more(admin_client):
    entry = request_of(admin_client, days_ago=40)
    today = timezone.localdate().isoformat()
    data = {"outcome": "granted", "answered_on": today}
    admin_client.post(reverse("registers:fill-in", args=[entry.pk, "outcome"]), data)
    assert admin_client.get(reverse("registers:hub")).context["waiting"] == []


def test_the_number_is_kept_as_a_keyed_index_only(admin_client, admin):
    entry = request_of(admin_client)
    assert bytes(entry.subject) == blind_index(MINE, clinic_id=admin.clinic_id, purpose="nam")
    assert MINE not in str(entry.current.content)


def test_the_transcript_holds_what_is_held_and_who_consulted_it(admin_client, reviewer_client, reviewer, finding):
    reviewer_client.get(reverse("review:document-detail", args=[finding.run.document_id]) + "?page=2")
    actions.decide(finding=finding, value=Value.of(finding), by=reviewer)
    body = transcript(admin_client, request_of(admin_client), "json").json()
    assert [(each["page"], each["nam"]) for each in body["held"]] == [(2, MINE), (2, MINE)]
    assert [each.get("decision") for each in body["held"]] == [None, "confirm"]
    assert {each["who"] for each in body["consulted"]} >= {reviewer.name}


def test_the_transcript_holds_nothing_of_another_page_or_number(admin_client, reviewer_client, finding):
    reviewer_client.get(reverse("review:document-detail", args=[finding.run.document_id]) + "?page=1")
    answer = transcript(admin_client, request_of(admin_client), "json")
    assert OTHER not in answer.content.decode()
    assert [each for each in answer.json()["consulted"] if each["page"] == 1] == []


def test_what_a_machine_concluded_stands_apart(admin_client, finding):
    held = transcript(admin_client, request_of(admin_client), "json").json()["held"][0]
    assert held["inferred"] == {"foundBy": ["pattern"], "confidence": 0.99}


@pytest.mark.parametrize("suffix", ["csv", "xlsx", "json", "ssv"])
def test_the_transcript_names_the_recipients_of_files_with_the_number(admin_client, reviewer, run, finding, suffix):
    sign_everything(run, reviewer)
    asked = Request(suffix, "RAMQ", Selection(), Billing("", "", ""), "claim")
    actions.export(document=run.document, request=asked, by=reviewer)
    sent = transcript(admin_client, request_of(admin_client), "json").json()["sent"]
    assert [each["recipient"] for each in sent] == ["RAMQ"]


def sign_everything(run, reviewer):
    for each in run.findings.all():
        actions.decide(finding=each, value=Value.of(each), by=reviewer)
    for page in (1, 2):
        actions.sign_off(run=run, page=page, by=reviewer)


def test_the_table_has_a_line_for_everything(admin_client, finding):
    table = transcript(admin_client, request_of(admin_client), "csv").content.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(table), delimiter=";"))
    assert rows[0][0] == "Nature"
    assert ["Proposition", nam.grouped(MINE)] in [[row[0], row[4]] for row in rows]


def test_the_pages_to_read_say_the_number_and_the_clinic(admin_client, finding, clinic):
    data = transcript(admin_client, request_of(admin_client), "pdf").content
    text = pypdfium2.PdfDocument(data)[0].get_textpage().get_text_range()
    assert nam.grouped(MINE) in text
    assert clinic.name in text


def test_who_is_unknown_here_gets_an_answer_that_says_so(admin_client):
    data = transcript(admin_client, request_of(admin_client), "pdf").content
    assert "ne détient aucun numéro" in pypdfium2.PdfDocument(data)[0].get_textpage().get_text_range()


def test_another_number_than_the_requests_is_refused(admin_client, finding):
    assert transcript(admin_client, request_of(admin_client), "json", OTHER).status_code == 409


def test_an_answer_is_journalled_by_keyed_index_without_the_number(admin_client, admin, finding):
    transcript(admin_client, request_of(admin_client), "pdf")
    event = Event.objects.get(verb=Verb.PATIENT_ANSWERED)
    assert bytes(event.subject) == blind_index(MINE, clinic_id=admin.clinic_id, purpose="subject")
    assert MINE not in str(event.details)
    assert (event.count, event.details) == (1, {"format": "pdf", "documents": 1})


def test_no_answer_leaves_when_the_journal_is_broken(admin_client, finding, monkeypatch):
    from django.db import DatabaseError

    entry = request_of(admin_client)
    monkeypatch.setattr("audit.record._append", lambda event: (_ for _ in ()).throw(DatabaseError()))
    answer = transcript(admin_client, entry, "json")
    assert answer.status_code == 503
    assert MINE not in answer.content.decode()


def test_a_mistyped_number_is_not_repeated_anywhere(admin_client):
    entry = request_of(admin_client)
    answer = transcript(admin_client, entry, "json", "ZZQZ 12")
    assert answer.status_code == 302
    assert "ZZQZ" not in admin_client.get(answer["Location"]).content.decode()


@pytest.mark.parametrize("name", ["answer", "look-up"])
def test_only_administrators_answer(reviewer_client, admin_client, name):
    entry = request_of(admin_client)
    assert reviewer_client.post(reverse(f"registers:{name}", args=[entry.pk]), {"nam": MINE}).status_code == 403


@pytest.mark.parametrize("name", ["answer", "look-up"])
def test_another_clinics_request_does_not_exist(client, outsider, admin_client, name):
    entry = request_of(admin_client)
    outsider.role = Role.ADMIN
    outsider.save()
    client.force_login(outsider)
    answer = client.post(reverse(f"registers:{name}", args=[entry.pk]), {"nam": MINE, "suffix": "json"})
    assert answer.status_code == 404


def test_a_refusal_must_state_its_reasons(admin_client):
    entry = request_of(admin_client)
    address = reverse("registers:fill-in", args=[entry.pk, "outcome"])
    assert admin_client.post(address, {"outcome": "refused"}).status_code == 400
    admin_client.post(address, {"outcome": "refused", "reasons": "Article 37"})
    letter = admin_client.get(reverse("registers:letter", args=[entry.pk, "answer"])).content.decode()
    assert "Article 37" in letter
    assert "Commission d’accès à l’information" in letter


def test_a_rectification_leads_reviewers_to_the_page_until_they_decided(
    admin_client, reviewer_client, reviewer, finding
):
    entry = request_of(admin_client, kind="rectification")
    admin_client.post(reverse("registers:look-up", args=[entry.pk]), {"nam": MINE})
    page = reviewer_client.get(reverse("registers:rectifications"))
    assert "La date est fausse" in page.content.decode()
    assert places(page) == [(finding.run.document_id, 2, False)]
    actions.decide(finding=finding, value=Value(OTHER), by=reviewer)
    assert places(reviewer_client.get(reverse("registers:rectifications"))) == [(finding.run.document_id, 2, True)]


def places(page):
    return [(place.document, place.page, place.is_done) for place in page.context["rectifications"][0].places]


def test_a_reviewer_is_not_told_who_asked(admin_client, reviewer_client, finding):
    entry = request_of(admin_client, kind="rectification")
    admin_client.post(reverse("registers:look-up", args=[entry.pk]), {"nam": MINE})
    assert "Zoé Zzq" not in reviewer_client.get(reverse("registers:rectifications")).content.decode()


def test_a_file_made_before_a_correction_says_so(staff_client, reviewer, run, finding):
    sign_everything(run, reviewer)
    asked = Request("csv", "RAMQ", Selection(), Billing("", "", ""), "claim")
    actions.export(document=run.document, request=asked, by=reviewer)
    address = reverse("review:exports", args=[run.document_id])
    assert [each.is_outdated for each in staff_client.get(address).context["exports"]] == [False]
    actions.reopen(document=run.document, page=2, by=reviewer)
    decided = finding.decisions.get(undone_at=None)
    actions.decide(finding=finding, value=Value(some_nam(3)), against=decided.pk, by=reviewer)
    assert [each.is_outdated for each in staff_client.get(address).context["exports"]] == [True]
