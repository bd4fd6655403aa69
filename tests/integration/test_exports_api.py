"""Exports through the API: the pages' rules, rights and journal, for programs with a bearer token."""

from __future__ import annotations

import hashlib
import uuid
from datetime import date, time

import pytest
from django.test import Client

from accounts import actions as accounts
from audit.models import Event
from audit.verbs import Verb
from review import actions
from review.actions import Value
from review.models import Export
from tests.factories import FindingFactory, RunFactory, RunPageFactory, some_nam

pytestmark = pytest.mark.django_db

ASKED = {"format": "json", "recipient": "Logiciel de facturation", "justification": "claim"}


def token_client(user):
    _token, text = accounts.create_token(name="test", days=30, by=user)
    return Client(headers={"Authorization": f"Bearer {text}"})


@pytest.fixture
def document(staff, reviewer):
    """Two confirmed numbers on a signed page, the second without a date."""
    run = RunFactory(document__uploaded_by=staff)
    RunPageFactory(run=run, number=1)
    for number, day in ((1, date(2025, 10, 3)), (2, None)):
        finding = FindingFactory(run=run, page=1, position=number, value=some_nam(number))
        actions.decide(finding=finding, value=Value(finding.value, day, time(8, 30)), by=reviewer)
    actions.sign_off(run=run, page=1, by=reviewer)
    return run.document


@pytest.fixture
def api(staff):
    return token_client(staff)


@pytest.fixture
def path(document):
    return f"/api/nam/documents/{document.pk}/exports"


def post(client, path, **changes):
    return client.post(path, ASKED | changes, content_type="application/json")


def test_what_may_leave_and_what_may_not_is_listed(api, path, document):
    body = api.get(path).json()
    assert (body["exports"], body["leaving"]) == ([], 1)
    assert [(each["nam"], each["reason"]) for each in body["withheld"]] == [(some_nam(2), "undated")]
    event = Event.objects.get(verb=Verb.API_READ)
    assert (event.document_id, event.count) == (document.pk, 1)


def test_a_file_is_made_listed_and_comes_back_byte_for_byte(api, path, document, staff):
    answer = post(api, path)
    made = answer.json()
    assert (answer.status_code, made["lines"], made["withheld"], made["madeBy"]) == (201, 1, 1, staff.name)
    assert api.get(path).json()["exports"] == [made]
    file = api.get(f"/api/nam/exports/{made['id']}")
    assert hashlib.sha256(file.content).hexdigest() == made["sha256"]
    assert file.content == Export.objects.get().data
    assert file["Content-Disposition"].endswith('.json"')


def test_the_journal_says_what_the_pages_would_say(api, path, document, staff):
    made = post(api, path).json()
    api.get(f"/api/nam/exports/{made['id']}")
    event = Event.objects.get(verb=Verb.EXPORTED)
    assert (event.actor_id, event.count, event.component, event.details["recipient"]) == (
        staff.pk, 1, "api", ASKED["recipient"],
    )  # fmt: skip
    assert Event.objects.filter(verb=Verb.EXPORT_DOWNLOADED, object_id=made["id"]).count() == 1


def test_the_billing_file_asks_for_the_physician(api, path, document):
    answer = post(api, path, format="ssv")
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["fields"]] == ["doctorLicenceID", "sector"]
    assert not Export.objects.exists()
    assert post(api, path, format="ssv", doctorLicenceID="1234567", sector="2").status_code == 201
    assert Export.objects.get().data.decode().splitlines()[1].startswith("1234567;0;")


def test_the_physician_of_the_upload_need_not_be_repeated(api, path, document):
    document.doctor_licence, document.sector = "7654321", "1"
    document.save()
    assert post(api, path, format="ssv").status_code == 201


@pytest.mark.parametrize(
    "changes",
    [{"format": "doc"}, {"recipient": ""}, {"justification": ""}, {"doctorLicenceID": "1"}, {"sector": "9"}],
)
def test_wrong_fields_are_refused(api, path, changes):
    assert post(api, path, **changes).status_code == 422
    assert not Export.objects.exists()


def test_nothing_leaves_where_nothing_may(api, path, document, reviewer):
    actions.reopen(document=document, page=1, by=reviewer)
    answer = post(api, path)
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


def test_an_administrator_exports_nothing(admin, path):
    client = token_client(admin)
    assert [client.get(path).status_code, post(client, path).status_code] == [403, 403]
    assert Event.objects.filter(verb=Verb.DENIED, reason_code="export").count() == 2


def test_another_clinics_documents_and_files_do_not_exist(api, path, outsider):
    made = post(api, path).json()
    client = token_client(outsider)
    for address in (path, f"/api/nam/exports/{made['id']}"):
        assert client.get(address).status_code == 404
    assert post(client, path).status_code == 404
    assert Event.objects.filter(verb=Verb.CROSS_TENANT_DENIED, actor_id=outsider.pk).count() == 3


def test_a_stranger_is_not_let_in(path, client):
    assert client.get(path).status_code == post(client, path).status_code == 401
    assert client.get(f"/api/nam/exports/{uuid.uuid4()}").status_code == 401


def test_other_methods_are_not_allowed(api, path):
    assert api.delete(path).status_code == api.put(path).status_code == 405


def test_the_documentation_knows_them(api):
    paths = api.get("/api/openapi.json").json()["paths"]
    assert {"get", "post"} <= set(paths["/api/nam/documents/{document_id}/exports"])
    answers = paths["/api/nam/exports/{export_id}"]["get"]["responses"]
    assert answers["200"]["content"]["application/octet-stream"]["schema"]["format"] == "binary"
