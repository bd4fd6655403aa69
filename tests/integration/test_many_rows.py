"""Pages that have to stay quick ask the database as often for 10 documents as for 1,000."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from audit.record import record_alone
from audit.verbs import Verb
from extraction.models import Document, Finding, Run, RunPage
from review.models import Decision, PageScore, ReviewedRun, ReviewTask, ScoreGroup, SignOff
from tests.factories import some_nam
from vault.index import blind_index

pytestmark = pytest.mark.django_db

FEW, MANY = 10, 1000
NAM = some_nam(1)

PAGES: dict[str, tuple[str, Callable[[Client], Any]]] = {
    "documents": ("reviewer", lambda client: client.get("/documents/")),
    "documents further down": ("reviewer", lambda client: client.get("/documents/", {"until": "2100-01-01"})),
    "refreshed rows": ("reviewer", lambda client: client.get("/documents/?rows=1")),
    "runs by the API": ("reviewer", lambda client: client.get("/api/nam/runs")),
    "queue": ("reviewer", lambda client: client.get("/queue/")),
    "claim": ("reviewer", lambda client: client.post("/queue/claim/")),
    "quality": ("reviewer", lambda client: client.get("/quality/")),
    "costs": ("admin", lambda client: client.get("/costs/")),
    "availability": ("admin", lambda client: client.get("/availability/")),
    "journal": ("admin", lambda client: client.get("/journal/")),
    "journal of a patient": ("admin", lambda client: client.post("/journal/search/", {"nam": NAM})),
    "registers": ("admin", lambda client: client.get("/registers/")),
    "communications": ("admin", lambda client: client.get("/journal/reports/?report=communications")),
    "accesses": ("admin", lambda client: client.get("/journal/reports/?report=accesses")),
    "anomalies": ("admin", lambda client: client.get("/journal/reports/?report=anomalies")),
    "who consulted": ("admin", lambda client: client.post("/journal/reports/consultations/", {"nam": NAM})),
}


def add(count: int, staff: User, reviewer: User) -> None:
    """So many documents with a page and a number each, of which every second one is signed off and the others wait."""
    now, clinic = timezone.now(), staff.clinic
    index = blind_index(NAM, clinic_id=clinic.pk, purpose="nam")
    group, _is_new = ScoreGroup.objects.get_or_create(clinic=clinic, reader="local")
    documents = Document.objects.bulk_create(
        Document(clinic=clinic, uploaded_by=staff, file_name="a.pdf", content_index=uuid.uuid4().bytes, byte_count=1,
                 page_count=1)
        for _document in range(count)
    )  # fmt: skip
    runs = Run.objects.bulk_create(
        Run(document=each, requested_by=staff, status="done", started_at=now, finished_at=now) for each in documents
    )
    RunPage.objects.bulk_create(RunPage(run=run, number=1, state="found", reader="local") for run in runs)
    findings = Finding.objects.bulk_create(
        Finding(run=run, page=1, position=0, value=NAM, value_index=index, printed=NAM, x0=0, y0=0, x1=1, y1=1,
                valid=True, confidence=0.9)
        for run in runs
    )  # fmt: skip
    signed, waiting = findings[::2], documents[1::2]
    Decision.objects.bulk_create(
        Decision(document=each.run.document, page=1, finding=each, verdict="confirm", value=NAM, value_index=index,
                 by=reviewer)
        for each in signed
    )  # fmt: skip
    SignOff.objects.bulk_create(SignOff(document=each.run.document, page=1, by=reviewer) for each in signed)
    ReviewedRun.objects.bulk_create(ReviewedRun(document=each.run.document, run=each.run) for each in signed)
    PageScore.objects.bulk_create(
        PageScore(run=each.run, clinic=clinic, group=group, page=1, reader="local", signed_on=timezone.localdate(),
                  tp=1, fp=0, fn=0, day_right=1, clock_right=1, confusions={"O0": 1}, calibration={"9": [1, 1, 0.9]})
        for each in signed
    )  # fmt: skip
    ReviewTask.objects.bulk_create(
        ReviewTask(document=each, clinic=clinic, findings=1, pages_open=1, undecided=1, counted_at=now,
                   waiting_since=now, place=now - timedelta(minutes=number))
        for number, each in enumerate(waiting)
    )  # fmt: skip
    for document in documents[: count // 5]:
        record_alone(Verb.PAGE_VIEWED, by=reviewer, document_id=document.pk, page=1)
        record_alone(Verb.EXPORT_DOWNLOADED, by=reviewer, document_id=document.pk, details={"recipient": "RAMQ"})
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # Autovacuum, which does it within a minute, does not see into this transaction.


def asked(client: Client, ask: Callable[[Client], Any]) -> int:
    """Queries of the page when it is asked for a second time: the first one may fill what is kept."""
    ask(client)
    with CaptureQueriesContext(connection) as queries:
        assert ask(client).status_code in (200, 302)
    return len(queries)


@pytest.fixture
def standing_clock():
    """What is kept for some seconds does not run out between two looks on a slow machine."""
    with time_machine.travel(timezone.now(), tick=False):
        yield


@pytest.mark.usefixtures("standing_clock")
def test_a_page_asks_as_often_for_a_thousand_documents_as_for_ten(staff, reviewer, reviewer_client, admin_client):
    clients = {"reviewer": reviewer_client, "admin": admin_client}
    add(FEW, staff, reviewer)
    few = {name: asked(clients[role], ask) for name, (role, ask) in PAGES.items()}
    add(MANY, staff, reviewer)
    assert {name: asked(clients[role], ask) for name, (role, ask) in PAGES.items()} == few
