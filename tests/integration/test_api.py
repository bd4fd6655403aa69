"""The API: bearer tokens, the replaced system's paths, the same rights as the pages."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from accounts import actions as accounts
from accounts.models import ApiToken
from audit.models import Event
from audit.verbs import Verb
from extraction import stream
from extraction.models import Document, Run, Status
from review import actions as review
from review.actions import Value
from tests.factories import DocumentFactory, FindingFactory, RunFactory, agenda_pdf, some_nam

pytestmark = pytest.mark.django_db

PDF = agenda_pdf(["Bonjour"])


def token_client(user):
    _token, text = accounts.create_token(name="test", days=30, by=user)
    return Client(headers={"Authorization": f"Bearer {text}"})


@pytest.fixture
def api(staff):
    return token_client(staff)


@pytest.fixture
def run(staff):
    run = RunFactory(document=DocumentFactory(uploaded_by=staff))
    FindingFactory(run=run, page=2)
    FindingFactory(run=run, page=1)
    return run


def paths(run):
    root = f"/api/nam/runs/{run.pk}"
    return ["/api/nam/runs", root, f"{root}/job-status", f"{root}/results"]


def test_an_upload_is_queued_and_named(api):
    answer = api.post("/api/nam/upload", {"file": SimpleUploadedFile("a.pdf", PDF), "sector": "3"})
    assert answer.status_code == 202
    body = answer.json()
    assert body["status"] == "queued"
    assert Run.objects.get(pk=body["runId"]).document == Document.objects.get(pk=body["documentId"], sector="3")


@pytest.mark.parametrize(("said", "status"), [("lab", 202), ("poem", 422)])
def test_an_upload_may_say_what_the_document_is(api, said, status):
    file = SimpleUploadedFile("a.pdf", PDF)
    assert api.post("/api/nam/upload", {"file": file, "formKind": said}).status_code == status
    assert list(Document.objects.values_list("form_kind", flat=True)) == (["lab"] if status == 202 else [])


def test_the_same_file_again_says_so(api):
    api.post("/api/nam/upload", {"file": SimpleUploadedFile("a.pdf", PDF)})
    answer = api.post("/api/nam/upload", {"file": SimpleUploadedFile("b.pdf", PDF)})
    assert (answer.status_code, answer.json()["duplicate"]) == (200, True)


@pytest.mark.parametrize(("data", "status", "code"), [(b"plain text", 422, "not_a_pdf"), (b"", 422, "empty_file")])
def test_a_bad_file_is_refused_with_its_code(api, data, status, code):
    answer = api.post("/api/nam/upload", {"file": SimpleUploadedFile("a.pdf", data)})
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_wrong_field_is_named_and_what_was_sent_is_not_repeated(api):
    answer = api.post("/api/nam/upload", {"file": SimpleUploadedFile("a.pdf", PDF), "doctorLicenceID": "12 rue Untel"})
    assert answer.status_code == 422
    assert "Untel" not in answer.content.decode()


def test_a_run_says_how_far_it_is(api, run):
    body = api.get(f"/api/nam/runs/{run.pk}").json()
    assert (body["status"], body["pageCount"], body["namsFound"], body["namsValid"]) == ("done", 2, 2, 2)


def test_runs_are_listed_and_filtered_by_status(api, run, staff):
    RunFactory(document=DocumentFactory(uploaded_by=staff), status=Status.QUEUED)
    assert api.get("/api/nam/runs").json()["count"] == 2
    queued = api.get("/api/nam/runs?status=queued").json()["runs"]
    assert [item["status"] for item in queued] == ["queued"]


def test_runs_are_counted_up_to_a_limit_only(api, run, staff, monkeypatch):
    for _ in range(2):
        RunFactory(document=DocumentFactory(uploaded_by=staff))
    monkeypatch.setattr("extraction.api.MOST_COUNTED", 2)
    body = api.get("/api/nam/runs").json()
    assert (body["count"], len(body["runs"])) == (2, 3)


def test_results_stand_in_page_order_with_their_decisions(api, run, reviewer):
    finding = run.findings.get(page=1)
    review.decide(finding=finding, value=Value(some_nam(50)), by=reviewer)
    review.add(document=run.document, page=2, value=Value(some_nam(51)), by=reviewer)
    rows = api.get(f"/api/nam/runs/{run.pk}/results").json()["results"]
    assert [row["page"] for row in rows] == [1, 2, 2]
    assert (rows[0]["nam"], rows[0]["decision"], rows[0]["text"]) == (some_nam(50), "correct", finding.printed)
    assert rows[2]["decision"] == "add"


def test_reading_results_is_journalled_with_their_count(api, run, staff):
    api.get(f"/api/nam/runs/{run.pk}/results")
    event = Event.objects.get(verb=Verb.API_READ)
    assert (event.actor_id, event.count, event.component) == (staff.pk, 2, "api")


def test_no_token_is_401(client, run):
    for path in paths(run):
        assert client.get(path).status_code == 401


def test_another_clinics_run_does_not_exist(run, outsider):
    stranger = token_client(outsider)
    assert [stranger.get(path).status_code for path in paths(run)] == [200, 404, 404, 404]
    assert stranger.get("/api/nam/runs").json()["count"] == 0


def test_an_administrator_sees_runs_but_no_results(run, admin):
    assert [token_client(admin).get(path).status_code for path in paths(run)] == [200, 200, 200, 403]


@pytest.mark.parametrize(
    "end",
    [
        lambda token, user: accounts.revoke_token(token_id=token.pk, by=user),
        lambda token, _user: ApiToken.objects.filter(pk=token.pk).update(
            expires_at=timezone.now() - timedelta(seconds=1)
        ),
        lambda _token, user: type(user).objects.filter(pk=user.pk).update(is_active=False),
    ],
    ids=["revoked", "expired", "inactive person"],
)
def test_an_ended_token_opens_nothing(staff, run, end):
    api = token_client(staff)
    end(ApiToken.objects.get(), staff)
    assert api.get("/api/nam/runs").status_code == 401


def test_a_token_is_not_kept_in_clear(staff):
    _token, text = accounts.create_token(name="test", days=30, by=staff)
    row = ApiToken.objects.get()
    assert text.encode() not in bytes(row.digest)
    assert text not in row.prefix


def test_a_session_may_read_but_needs_the_csrf_header_to_write(staff, run):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(staff)
    assert browser.get("/api/nam/runs").status_code == 200
    answer = browser.post("/api/nam/upload", {"file": SimpleUploadedFile("a.pdf", PDF)})
    assert answer.status_code == 403


def test_the_api_page_needs_no_other_host(client, staff):
    client.force_login(staff)
    page = client.get("/api/docs")
    assert page.status_code == 200
    assert "http://" not in page.content.decode()
    assert "https://" not in page.content.decode()


def test_the_schema_names_every_path(client):
    schema = json.loads(client.get("/api/openapi.json").content)
    assert set(schema["paths"]) == {
        "/api/nam/upload",
        "/api/nam/runs",
        "/api/nam/runs/{run_id}",
        "/api/nam/runs/{run_id}/job-status",
        "/api/nam/runs/{run_id}/stream",
        "/api/nam/runs/{run_id}/results",
        "/api/nam/documents/{document_id}/exports",
        "/api/nam/exports/{export_id}",
    }


def events(*snapshots):
    """What a viewer is told of a run that goes through these snapshots."""
    left = list(snapshots)

    async def snapshot():
        return left.pop(0) if len(left) > 1 else left[0]

    async def collect():
        return [name async for name, _body in stream.follow(snapshot)]

    return asyncio.run(collect())


@pytest.fixture
def no_waiting(monkeypatch):
    monkeypatch.setattr(stream, "POLL_SECONDS", 0.001)


def test_a_viewer_is_told_each_change_and_the_end(no_waiting):
    told = events(("queued", {"p": 0}), ("reading", {"p": 1}), ("reading", {"p": 1}), ("done", {"p": 2}))
    assert told == ["connected", "progress", "completed"]


def test_a_viewer_is_told_of_a_failure(no_waiting):
    assert events(("reading", {"p": 1}), ("failed", {"p": 1})) == ["connected", "error"]


def test_a_viewer_of_a_finished_run_is_told_at_once():
    assert events(("done", {})) == ["connected", "completed"]


@pytest.mark.django_db(transaction=True)
def test_the_stream_speaks_server_sent_events(staff):
    run = RunFactory(document=DocumentFactory(uploaded_by=staff))
    _token, text = accounts.create_token(name="test", days=30, by=staff)

    async def read():
        from django.test import AsyncClient

        bearer = {"Authorization": f"Bearer {text}"}
        answer = await AsyncClient().get(f"/api/nam/runs/{run.pk}/stream", headers=bearer)
        assert answer.status_code == 200
        return answer["Content-Type"], "".join([part.decode() async for part in answer.streaming_content])

    kind, body = asyncio.run(read())
    assert kind == "text/event-stream"
    first, second = body.strip().split("\n\n")
    assert first.startswith("event: connected\ndata: {")
    assert second.startswith("event: completed\n")
    assert json.loads(second.split("data: ")[1])["id"] == str(run.pk)


@pytest.fixture
def endpoint(settings):
    settings.LLM_ENDPOINT = "http://127.0.0.1:9/v1"


def test_health_shows_the_host_to_administrators_only(client, endpoint, staff, admin):
    assert client.get("/llm/health").json() == {"status": "unhealthy", "state": "unknown"}
    client.force_login(staff)
    assert "127.0.0.1" not in client.get("/llm/health").content.decode()
    client.force_login(admin)
    assert client.get("/llm/health").json()["endpoint"] == "http://127.0.0.1:9/v1"
