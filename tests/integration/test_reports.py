"""Reports of the journal: what was communicated, accessed and consulted, and what is unusual."""

from __future__ import annotations

import csv
import io
import random
import re
from datetime import date

import pytest
import time_machine
from django.urls import reverse

from audit.models import Event
from audit.record import record_alone
from audit.verbs import Outcome, Verb
from review import reports
from review.models import Export
from review.reports import Span
from tests.factories import DocumentFactory, FindingFactory, RunFactory, UserFactory, some_nam

pytestmark = pytest.mark.django_db

REPORTS = reverse("review:journal-reports")
CONSULTATIONS = reverse("review:journal-consultations")
NOVEMBER = Span.of(date(2026, 11, 1), date(2026, 11, 30))
MONDAY_AT_NINE, MONDAY_AT_TEN_PM = "2026-11-09T14:00:00Z", "2026-11-10T03:00:00Z"
SATURDAY = "2026-11-14T15:00:00Z"


def at(moment, verb, person, **fields):
    with time_machine.travel(moment, tick=False):
        return record_alone(verb, by=person, **fields)


@pytest.fixture
def document(staff):
    """Two pages; the patient stands on the first."""
    document = DocumentFactory(uploaded_by=staff)
    FindingFactory(run=RunFactory(document=document), page=1, value=some_nam(1))
    return document


def test_a_communication_says_nature_recipient_purpose_and_justification(staff, document):
    at(MONDAY_AT_NINE, Verb.EXPORT_DOWNLOADED, staff, document_id=document.pk, count=4,
       details={"recipient": "RAMQ", "justification": "mandate"})  # fmt: skip
    (row,) = reports.communications(staff.clinic_id, NOVEMBER).rows
    assert row[0] == "2026-11-09 09:00:00"
    assert all(row[1:6])
    assert (row[2], row[5], row[6], row[7]) == ("RAMQ", staff.name, "4", str(document.pk))
    assert row[4] == str(Export.Justification.MANDATE.label)


def test_a_file_of_a_time_when_nobody_was_asked_says_so(staff, document):
    at(MONDAY_AT_NINE, Verb.EXPORT_DOWNLOADED, staff, document_id=document.pk, count=4, details={"recipient": "RAMQ"})
    (row,) = reports.communications(staff.clinic_id, NOVEMBER).rows
    assert row[4] not in {str(label) for label in Export.Justification.labels}


def many(staff, document, count):
    """Communications of all kinds in November, some at the same moment, and events that are none."""
    draw = random.Random(11)  # noqa: S311  (not a secret)
    for _turn in range(count):
        moment = f"2026-11-{draw.randint(1, 28):02}T14:{draw.randint(0, 1):02}:00Z"
        verb = draw.choice((*reports.COMMUNICATING, Verb.PAGE_VIEWED))
        outcome = draw.choice((Outcome.SUCCESS, Outcome.SUCCESS, Outcome.DENIED))
        at(moment, verb, staff, document_id=document.pk, count=draw.randint(1, 9), outcome=outcome)


def counted_at_once(clinic_id):
    """The register in one query over the whole journal, as nothing is left out of it."""
    found = Event.objects.filter(clinic_id=clinic_id, verb__in=reports.COMMUNICATING, outcome=Outcome.SUCCESS)
    return [reports._communication(each) for each in found.order_by("at", "seq")]


def test_screens_of_the_register_hold_every_line_once_and_in_order(staff, document):
    many(staff, document, 60)
    seen, after = [], 0
    while after is not None:
        screen = reports.communications(staff.clinic_id, NOVEMBER, after=after, most=4)
        assert len(screen.rows) == 4 or screen.more is None
        seen += screen.rows
        after = screen.more
    assert len(seen) > 20
    assert seen == reports.communications(staff.clinic_id, NOVEMBER).rows == counted_at_once(staff.clinic_id)


@pytest.mark.parametrize("verb", [Verb.DOCUMENT_VIEWED, Verb.EXPORTED, Verb.MODEL_CALLED])
def test_what_stays_in_the_clinic_is_no_communication(staff, document, verb):
    at(MONDAY_AT_NINE, verb, staff, document_id=document.pk)
    assert reports.communications(staff.clinic_id, NOVEMBER).rows == []


def test_pages_that_go_to_the_reading_service_are_a_communication(staff, document):
    at(MONDAY_AT_NINE, Verb.OCR_CALLED, None, clinic_id=staff.clinic_id, count=2, details={"service": "textract"})
    (row,) = reports.communications(staff.clinic_id, NOVEMBER).rows
    assert row[2] == "textract"


def test_accesses_are_counted_by_context_role_and_kind(staff, reviewer, document):
    for person in (staff, staff, reviewer):
        at(MONDAY_AT_NINE, Verb.PAGE_VIEWED, person, document_id=document.pk, page=1)
    at(MONDAY_AT_NINE, Verb.PAGE_VIEWED, staff, outcome=Outcome.DENIED)
    rows = reports.accesses(staff.clinic_id, NOVEMBER).rows
    assert [row[3:] for row in rows] == [("1", "1", "1"), ("2", "1", "1")]


def test_who_consulted_a_file_is_told_by_page(staff, reviewer, document):
    at(MONDAY_AT_NINE, Verb.PAGE_VIEWED, reviewer, document_id=document.pk, page=1)
    at(MONDAY_AT_NINE, Verb.PAGE_VIEWED, staff, document_id=document.pk, page=2)
    at(MONDAY_AT_NINE, Verb.API_READ, staff, document_id=document.pk)
    at(MONDAY_AT_NINE, Verb.RUN_DONE, staff, document_id=document.pk)
    rows = reports.consultations(staff.clinic_id, some_nam(1), NOVEMBER).rows
    assert [(row[1], row[5]) for row in rows] == [(reviewer.name, "1"), (staff.name, "")]


def test_nobody_consulted_a_number_that_no_document_holds(staff, document):
    at(MONDAY_AT_NINE, Verb.PAGE_VIEWED, staff, document_id=document.pk, page=1)
    assert reports.consultations(staff.clinic_id, some_nam(2), NOVEMBER).rows == []


def test_another_clinics_accesses_are_not_told(staff, outsider, document):
    at(MONDAY_AT_NINE, Verb.PAGE_VIEWED, staff, document_id=document.pk, page=1)
    assert reports.consultations(outsider.clinic_id, some_nam(1), NOVEMBER).rows == []


@pytest.mark.parametrize(("moment", "count"), [(MONDAY_AT_NINE, 0), (MONDAY_AT_TEN_PM, 1), (SATURDAY, 1)])
def test_off_hours_are_by_local_time_and_weekday(staff, moment, count):
    at(moment, Verb.PAGE_VIEWED, staff)
    assert len(reports.anomalies(staff.clinic_id, NOVEMBER).rows) == count


def test_many_pages_are_many_beside_the_others(staff, reviewer, clinic):
    others = [UserFactory(clinic=clinic) for _turn in range(2)]
    for person, count in ((staff, 6), (reviewer, 2), (others[0], 2), (others[1], 2)):
        for _page in range(count):
            at(MONDAY_AT_NINE, Verb.PAGE_VIEWED, person)
    (row,) = reports.anomalies(staff.clinic_id, NOVEMBER).rows
    assert row[1:3] == (staff.name, "6")


def test_suspect_text_is_counted_by_who_uploaded_it(staff, document):
    at("2026-10-30T14:00:00Z", Verb.DOCUMENT_UPLOADED, staff, document_id=document.pk)
    for page in (1, 2):
        at(MONDAY_AT_NINE, Verb.SUSPECT_TEXT_FOUND, None, clinic_id=staff.clinic_id, document_id=document.pk, page=page)
    (row,) = reports.anomalies(staff.clinic_id, NOVEMBER).rows
    assert row[1:3] == (staff.name, "2")
    assert "1" in row[3]


def test_refusals_are_counted_by_person(staff):
    for _turn in range(3):
        at(MONDAY_AT_NINE, Verb.DENIED, staff, outcome=Outcome.DENIED)
    (row,) = reports.anomalies(staff.clinic_id, NOVEMBER).rows
    assert row[1:3] == (staff.name, "3")


# --- Pages -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(reports.BY_PERIOD))
def test_every_report_opens_and_is_an_event(admin_client, staff, document, name):
    at(SATURDAY, Verb.EXPORT_DOWNLOADED, staff, document_id=document.pk, count=1, details={"recipient": "RAMQ"})
    answer = admin_client.get(REPORTS, {"report": name, "first": "2026-11-01", "last": "2026-11-30"})
    assert len(answer.context["report"].rows) == 1
    assert Event.objects.get(verb=Verb.REPORT_VIEWED).reason_code == name


def test_the_register_comes_by_screens_and_whole_as_a_file_or_to_print(admin_client, staff, document, monkeypatch):
    monkeypatch.setattr(reports, "SCREEN", 3)
    many(staff, document, 20)
    query = {"report": "communications", "first": "2026-11-01", "last": "2026-11-30"}
    answer = admin_client.get(REPORTS, query)
    shown = list(answer.context["report"].rows)
    while answer.context["report"].more:
        assert len(answer.context["report"].rows) == 3
        link = re.search(r'rel="next" href="([^"]+)"', answer.content.decode())[1].replace("&amp;", "&")
        answer = admin_client.get(REPORTS + link)
        shown += answer.context["report"].rows
    whole = counted_at_once(staff.clinic_id)
    assert shown == whole
    assert admin_client.get(REPORTS, query | {"all": "1"}).context["report"].rows == whole
    assert admin_client.get(REPORTS, query | {"csv": "1"}).content.count(b"\r\n") == len(whole) + 1


@pytest.mark.parametrize("after", ["", "x", "-1", "9" * 40, "²", "7777777"])
def test_a_screen_that_begins_nowhere_is_the_first(admin_client, staff, document, after):
    at(MONDAY_AT_NINE, Verb.EXPORT_DOWNLOADED, staff, document_id=document.pk, count=1)
    query = {"report": "communications", "first": "2026-11-01", "last": "2026-11-30", "after": after}
    assert len(admin_client.get(REPORTS, query).context["report"].rows) == 1


def test_what_is_printed_says_where_it_ends(admin_client, staff, document, monkeypatch):
    monkeypatch.setattr(reports, "MOST_ROWS", 2)
    for _turn in range(3):
        at(MONDAY_AT_NINE, Verb.EXPORT_DOWNLOADED, staff, document_id=document.pk, count=1)
    query = {"report": "communications", "first": "2026-11-01", "last": "2026-11-30", "all": "1"}
    report = admin_client.get(REPORTS, query).context["report"]
    assert (len(report.rows), report.is_cut, report.more) == (2, True, None)


def test_without_a_report_the_page_offers_them(admin_client):
    answer = admin_client.get(REPORTS)
    assert (answer.status_code, answer.context["report"]) == (200, None)


def test_a_report_is_a_harmless_table_too(admin_client, staff, document):
    at(MONDAY_AT_NINE, Verb.EXPORT_DOWNLOADED, staff, count=1, details={"recipient": "=cmd()"})
    query = {"report": "communications", "first": "2026-11-01", "last": "2026-11-30", "csv": "1"}
    rows = list(csv.reader(io.StringIO(admin_client.get(REPORTS, query).content.decode("utf-8-sig")), delimiter=";"))
    assert rows[1][2] == "'=cmd()"


def test_who_consulted_is_asked_in_the_body_and_is_an_event_about_the_patient(admin_client, staff, document):
    at(MONDAY_AT_NINE, Verb.PAGE_VIEWED, staff, document_id=document.pk, page=1)
    answer = admin_client.post(CONSULTATIONS, {"nam": some_nam(1), "first": "2026-11-01", "last": "2026-11-30"})
    assert staff.name in answer.content.decode()
    event = Event.objects.get(verb=Verb.REPORT_VIEWED)
    assert (event.reason_code, event.count, event.subject is not None) == ("consultations", 1, True)
    assert admin_client.get(CONSULTATIONS).status_code == 405


@pytest.mark.parametrize("typed", ["", "nobody"])
def test_without_a_number_nobody_is_looked_for(admin_client, typed):
    assert admin_client.post(CONSULTATIONS, {"nam": typed}).status_code == 400


def test_reports_are_for_administrators(reviewer_client):
    assert reviewer_client.get(REPORTS).status_code == 403
    assert reviewer_client.post(CONSULTATIONS, {"nam": some_nam(1)}).status_code == 403
