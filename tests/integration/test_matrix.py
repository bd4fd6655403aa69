"""Every address × every role × own clinic, another clinic, nobody: as declared here. One without a line fails."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from django.test import Client
from django.urls import URLResolver, get_resolver, reverse
from django.utils import timezone

from accounts.models import ApiToken, Session
from audit.registers.actions import open_entry
from audit.registers.models import Register
from extraction.models import Deployment
from review.actions import Value
from review.models import Decision, Disagreement, Export, SecondDecision, SecondReview, SignOff
from review.retention import certificates
from review.retention.actions import place_hold
from tests.factories import (
    AlertFactory,
    ClinicFactory,
    DocumentFactory,
    FindingFactory,
    RunFactory,
    UserFactory,
    some_nam,
)

pytestmark = pytest.mark.django_db

ROLES = ("staff", "reviewer", "admin")
REFUSALS = {401, 403, 404, 405}
NOT_FOUND = 404


class Line(NamedTuple):
    """`roles` may; `elsewhere` is what one of them gets with the ids of another clinic (0: there are none in it)."""

    method: str
    roles: str
    elsewhere: int = 0
    stranger: int = 302  # to the sign-in page


S, R, A, SR, RA, SRA = "staff", "reviewer", "admin", "staff reviewer", "reviewer admin", "staff reviewer admin"
GET, POST = "get", "post"

DECLARED = {
    "home": Line(GET, SRA),
    # Open to strangers: the way in, and what says whether the site lives.
    "set-language": Line(POST, SRA),
    "health": Line(GET, SRA, stranger=200),
    "llm-health": Line(GET, SRA, stranger=200),
    "metrics": Line(GET, "", stranger=404),  # there is nothing without a token in the settings
    "account_login": Line(GET, SRA, stranger=200),
    "account_logout": Line(GET, SRA),
    "account_inactive": Line(GET, SRA, stranger=200),
    "account_signup": Line(GET, SRA, stranger=200),
    "account_email_verification_sent": Line(GET, SRA, stranger=200),
    "account_reset_password": Line(GET, SRA, stranger=200),
    "account_reset_password_done": Line(GET, SRA, stranger=200),
    "account_reset_password_from_key_done": Line(GET, SRA, stranger=200),
    "account_confirm_login_code": Line(GET, SRA),
    "mfa_authenticate": Line(GET, SRA),
    "mfa_login_webauthn": Line(GET, SRA),
    # Each person's own account.
    "account_email": Line(GET, "", stranger=302),  # addresses are changed by an administrator
    "account_reauthenticate": Line(GET, SRA),
    "account_change_password": Line(GET, SRA),
    "account_set_password": Line(GET, SRA),
    "mfa_index": Line(GET, SRA),
    "mfa_activate_totp": Line(GET, SRA),
    "mfa_add_webauthn": Line(GET, SRA),
    "mfa_list_webauthn": Line(GET, SRA),
    "mfa_reauthenticate": Line(GET, SRA),
    "mfa_reauthenticate_webauthn": Line(GET, SRA),
    "accounts:make-recovery-codes": Line(POST, SRA),
    "accounts:end-session": Line(POST, SRA, NOT_FOUND),
    "accounts:tokens": Line(GET, SRA),
    "accounts:create-token": Line(POST, SRA),
    "accounts:revoke-token": Line(POST, SRA, NOT_FOUND),
    # The clinic.
    "review:journal": Line(GET, A),
    "review:journal-search": Line(POST, A),
    "review:journal-export": Line(POST, A),
    "review:journal-reports": Line(GET, A),
    "review:journal-consultations": Line(POST, A),
    "accounts:people": Line(GET, A),
    "accounts:add-person": Line(POST, A),
    "accounts:invite": Line(POST, A, NOT_FOUND),
    "accounts:change-role": Line(POST, A, NOT_FOUND),
    "accounts:set-active": Line(POST, A, NOT_FOUND),
    "accounts:reset-second-factor": Line(POST, A, NOT_FOUND),
    "accounts:unlock": Line(POST, A, NOT_FOUND),
    "extraction:alerts": Line(GET, A),
    "extraction:acknowledge": Line(POST, A, NOT_FOUND),
    "extraction:costs": Line(GET, A),
    "extraction:change-price": Line(POST, A),
    # The installation's model server, which clinics share.
    "extraction:availability": Line(GET, A),
    "extraction:deployments": Line(GET, A),
    "extraction:add-deployment": Line(POST, A),
    "extraction:next-step": Line(POST, A),
    "extraction:roll-back": Line(POST, A),
    "extraction:stop-deployment": Line(POST, A),
    # Documents.
    "extraction:document-list": Line(GET, SRA),
    "extraction:upload": Line(POST, SR),
    "extraction:page-image": Line(GET, SR, NOT_FOUND),
    "extraction:finding-crop": Line(GET, SR, NOT_FOUND),
    "extraction:retry": Line(POST, SR, NOT_FOUND),
    "extraction:without-model": Line(POST, SR, NOT_FOUND),
    "review:document-detail": Line(GET, SR, NOT_FOUND),
    "review:shown": Line(POST, SR, NOT_FOUND),
    "review:painted": Line(POST, R, NOT_FOUND),
    "review:outbox-key": Line(GET, R),
    "review:compare": Line(GET, SR, NOT_FOUND),
    "review:rerun": Line(POST, SR, NOT_FOUND),
    "review:exports": Line(GET, SR, NOT_FOUND),
    "review:export": Line(POST, SR, NOT_FOUND),
    "review:download": Line(GET, SR, NOT_FOUND),
    "review:emergency": Line(GET, A, NOT_FOUND),
    "review:emergency-begin": Line(POST, A, NOT_FOUND),
    "review:emergency-reveal": Line(POST, A, NOT_FOUND),
    # Reviews.
    "review:queue": Line(GET, R),
    "review:claim": Line(POST, R),
    "review:beat": Line(POST, R, NOT_FOUND),
    "review:release": Line(POST, R, NOT_FOUND),
    "review:take-over": Line(POST, R, NOT_FOUND),
    "review:add": Line(POST, R, NOT_FOUND),
    "review:look": Line(POST, R, NOT_FOUND),
    "review:sign-off": Line(POST, R, NOT_FOUND),
    "review:reopen": Line(POST, R, NOT_FOUND),
    "review:confirm-all": Line(POST, R, NOT_FOUND),
    "review:undo-all": Line(POST, R, NOT_FOUND),
    "review:decide": Line(POST, R, NOT_FOUND),
    "review:undo": Line(POST, R, NOT_FOUND),
    "review:second-list": Line(GET, R),
    "review:second-detail": Line(GET, R, NOT_FOUND),
    "review:second-begin": Line(POST, R, NOT_FOUND),
    "review:second-decide": Line(POST, R, NOT_FOUND),
    "review:second-add": Line(POST, R, NOT_FOUND),
    "review:second-finish": Line(POST, R, NOT_FOUND),
    "review:second-undo": Line(POST, R, NOT_FOUND),
    "review:disagreement": Line(GET, R, NOT_FOUND),
    "review:settle": Line(POST, R, NOT_FOUND),
    "review:quality": Line(GET, RA),
    "review:quality-file": Line(GET, RA),
    "review:effort-file": Line(GET, RA),
    "review:calibration-file": Line(GET, RA),
    "review:agreement-file": Line(GET, RA),
    # Retention.
    "review:retention": Line(GET, A),
    "review:change-period": Line(POST, A),
    "review:hold-clinic": Line(POST, A),
    "review:lift-hold": Line(POST, A, NOT_FOUND),
    "review:certificate": Line(GET, A, NOT_FOUND),
    "review:retention-document": Line(GET, A, NOT_FOUND),
    "review:hold-document": Line(POST, A, NOT_FOUND),
    "review:destroy": Line(POST, A, NOT_FOUND),
    # Registers.
    "registers:hub": Line(GET, A),
    "registers:book": Line(GET, A),
    "registers:new": Line(GET, A),
    "registers:export": Line(GET, A),
    "registers:entry": Line(GET, A, NOT_FOUND),
    "registers:fill-in": Line(POST, A, NOT_FOUND),
    "registers:destroy": Line(POST, A, NOT_FOUND),
    "registers:letter": Line(GET, A, NOT_FOUND),
    "registers:answer": Line(POST, A, NOT_FOUND),
    "registers:look-up": Line(POST, A, NOT_FOUND),
    "registers:rectifications": Line(GET, R),
    "registers:explanation": Line(GET, SRA, NOT_FOUND),
    # The API.
    "api-1:openapi-json": Line(GET, SRA, stranger=200),
    "api-1:openapi-view": Line(GET, SRA, stranger=200),
    "api-1:upload": Line(POST, SR, stranger=401),
    "api-1:runs": Line(GET, SRA, stranger=401),
    "api-1:run": Line(GET, SRA, NOT_FOUND, stranger=401),
    "api-1:job_status": Line(GET, SRA, NOT_FOUND, stranger=401),
    "api-1:results": Line(GET, SR, NOT_FOUND, stranger=401),
    "api-1:list_exports": Line(GET, SR, NOT_FOUND, stranger=401),
    "api-1:make_export": Line(POST, SR, NOT_FOUND, stranger=401),
    "api-1:download_export": Line(GET, SR, NOT_FOUND, stranger=401),
}
BODIES: dict[str, dict[str, Any]] = {
    "accounts:change-role": {"data": {"role": "reviewer"}},
    "api-1:make_export": {
        "data": {"format": "json", "recipient": "RAMQ", "justification": "claim"},
        "content_type": "application/json",
    },
}
"""What is sent where an empty form would be refused before anybody looks at whose rows it is about."""
NAMED_OTHERWISE = {"api-1:exports": "api-1:list_exports"}
ELSEWHERE_TESTED = {
    "registers:policy": "tests/integration/test_policy_page.py: published, for everybody",
    "": "accounts/email/ a second time: closed",
    "api-1:api-root": "the API's own reverse, answers nothing",
    "api-1:stream": "tests/integration/test_api.py, which reads it",
    "account_confirm_email": "no address is confirmed here; allauth's",
    "account_reset_password_from_key": "tests/integration/test_people.py: needs a link",
    "mfa_deactivate_totp": "tests/integration/test_sign_in.py: needs an app",
    "mfa_remove_webauthn": "tests/integration/test_sign_in.py: needs a passkey",
    "mfa_edit_webauthn": "a passkey's name; its own person's only, as above",
}


def _names(patterns: Any, space: str = "") -> Iterator[str]:
    for entry in patterns:
        if isinstance(entry, URLResolver):
            yield from _names(entry.url_patterns, f"{space}{entry.namespace}:" if entry.namespace else space)
        else:
            yield f"{space}{entry.name}" if entry.name else ""


def _arguments(patterns: Any, space: str = "") -> Iterator[tuple[str, list[str]]]:
    for entry in patterns:
        if isinstance(entry, URLResolver):
            yield from _arguments(entry.url_patterns, f"{space}{entry.namespace}:" if entry.namespace else space)
        else:
            yield f"{space}{entry.name}" if entry.name else "", list(entry.pattern.converters)


ARGUMENTS = dict(_arguments(get_resolver().url_patterns))


def test_every_address_is_declared():
    assert sorted(set(_names(get_resolver().url_patterns)) - set(DECLARED) - set(ELSEWHERE_TESTED)) == []


def test_nothing_is_declared_that_does_not_exist():
    assert sorted({*DECLARED, *ELSEWHERE_TESTED} - set(_names(get_resolver().url_patterns))) == []


def test_every_operation_of_the_api_s_schema_is_declared(client):
    operations = {
        f"api-1:{operation['operationId']}"
        for path in client.get("/api/openapi.json").json()["paths"].values()
        for operation in path.values()
    }
    named = {NAMED_OTHERWISE.get(operation, operation) for operation in operations}
    assert named - set(DECLARED) - set(ELSEWHERE_TESTED) == set()


@pytest.mark.parametrize("name", [name for name, line in DECLARED.items() if not line.elsewhere])
def test_no_address_of_one_clinic_s_rows_goes_undeclared(name):
    shared = {"deployment_id", "register", "suffix"}  # the installation's
    assert set(ARGUMENTS[name]) <= shared


# --- One clinic's rows ------------------------------------------------------------------------------------------------


@pytest.fixture
def rows(clinic, staff, reviewer, admin) -> dict[str, Any]:
    """An id of the clinic for every argument that an address takes."""
    finding = FindingFactory(run=RunFactory(document=DocumentFactory(uploaded_by=staff)))
    document = finding.run.document
    one, other = (UserFactory(clinic=clinic, role="reviewer") for _turn in range(2))
    value = Value(some_nam(9)).fields(clinic.pk)
    decision = Decision.objects.create(document=document, page=1, verdict="add", by=reviewer, **value)
    disputed = DocumentFactory(uploaded_by=staff)
    signed = SignOff.objects.create(document=disputed, page=2, by=one)
    second = SecondReview.objects.create(
        document=disputed, run=RunFactory(document=disputed), page=2, sign_off=signed, cause="sample", state="disputed",
        by=other,
    )  # fmt: skip
    answer = SecondDecision.objects.create(review=second, verdict="add", by=other, **value)
    export = Export.objects.create(
        document=document, format="json", recipient="RAMQ", lines=0, withheld=0, by=staff,
        content=b64encode(b"[]").decode(),
    )  # fmt: skip
    now = timezone.now()
    return {
        "document_id": document.pk, "number": 1, "finding_id": finding.pk, "run_id": finding.run.pk,
        "decision_id": decision.pk, "review_id": second.pk, "export_id": export.pk, "user_id": one.pk,
        "disagreement_id": Disagreement.objects.create(review=second, second=answer).pk,
        "entry_id": _entry(staff), "register": Register.INCIDENTS, "suffix": "csv", "part": "facts", "code": "cai",
        "hold_id": place_hold(document=disputed, reason="x", by=admin).pk,
        "certificate_id": certificates.issue(clinic).pk,
        "request": _entry(staff, Register.REQUESTS), "second-undo": answer.pk,
        "alert_id": AlertFactory(clinic=clinic).pk,
        "deployment_id": Deployment.objects.create(started_by=admin, started_at=now, step_began_at=now).pk,
    }  # fmt: skip


def _entry(person: Any, register: Register = Register.INCIDENTS) -> UUID:
    """An entry of a register of the person's clinic."""
    began = timezone.localdate()
    return open_entry(register=register, content={}, began_on=began, kept_until=began, by=person).pk


def address(name: str, rows: dict[str, Any], person: Any) -> str:
    ids = {argument: rows.get(argument) for argument in ARGUMENTS[name]}
    if "token_id" in ids:
        ids["token_id"] = _token(person).pk
    if "label" in ids:
        ids["label"] = _session(person).label
    if name in ("registers:answer", "registers:look-up"):
        ids["entry_id"] = rows["request"]
    if name == "review:second-undo":
        ids["decision_id"] = rows["second-undo"]
    return reverse(name, kwargs=ids)


def _token(person: Any) -> ApiToken:
    return ApiToken.objects.create(user=person, name="x", digest=person.pk.bytes, expires_at=timezone.now())


def _session(person: Any) -> Session:
    client = Client()
    client.force_login(person)
    return Session.objects.get(session_key=client.session.session_key)


def ask(client: Client, name: str, path: str) -> int:
    client.raise_request_exception = False
    return getattr(client, DECLARED[name].method)(path, **BODIES.get(name, {})).status_code


CELLS = [(name, role) for name in DECLARED for role in ROLES]


@pytest.mark.parametrize(("name", "role"), CELLS, ids=[f"{name}-{role}" for name, role in CELLS])
def test_in_ones_own_clinic(request, client, rows, name, role):
    person = request.getfixturevalue(role)
    path = address(name, rows, person)
    client.force_login(person)
    status = ask(client, name, path)
    if not DECLARED[name].roles:
        assert status == NOT_FOUND
    elif role in DECLARED[name].roles.split():
        assert status not in REFUSALS or _is_rule_of_the_second_review(name, status)
    else:
        assert status == 403


def _is_rule_of_the_second_review(name: str, status: int) -> bool:
    """Who was part of the first review does not see the second one, whatever their role."""
    return name.startswith("review:second-") and status in (403, 404)


FOREIGN = [(name, role) for name, line in DECLARED.items() if line.elsewhere for role in line.roles.split()]


@pytest.mark.parametrize(("name", "role"), FOREIGN, ids=[f"{name}-{role}" for name, role in FOREIGN])
def test_another_clinics_rows_do_not_exist(request, client, rows, name, role):
    path = address(name, rows, request.getfixturevalue(role))
    client.force_login(UserFactory(clinic=ClinicFactory(), role=role))
    assert ask(client, name, path) == DECLARED[name].elsewhere


@pytest.mark.parametrize("name", DECLARED)
def test_for_a_stranger(client, rows, staff, name):
    answer = getattr(client, DECLARED[name].method)(address(name, rows, staff))
    assert answer.status_code == DECLARED[name].stranger
    if answer.status_code == 302:
        assert re.match(r"/accounts/login/|/$", answer["Location"])
