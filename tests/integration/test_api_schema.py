"""The API asked everything that its own schema allows, and much that it does not, with the tokens of two clinics."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, settings

from accounts import actions as accounts
from audit.models import Event
from audit.verbs import Verb
from review.models import Export
from tests.factories import DocumentFactory, FindingFactory, RunFactory

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is in the lock and not in this environment")
checks = pytest.importorskip("schemathesis.checks")

pytestmark = pytest.mark.django_db

OPERATIONS = ("upload", "runs", "run", "job_status", "results", "exports", "make_export", "download_export")
EXAMPLES = settings(
    max_examples=30, deadline=None, derandomize=True, database=None, phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


@pytest.fixture
def schema() -> Iterator[Any]:
    """The schema of the application itself, spoken to by WSGI and within the test's transaction."""
    application = get_wsgi_application()
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield schemathesis.openapi.from_wsgi("/api/openapi.json", application)
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def finding(staff):
    return FindingFactory(run=RunFactory(document=DocumentFactory(uploaded_by=staff)))


@pytest.fixture
def export(finding, staff):
    return Export.objects.create(
        document=finding.run.document, format="json", recipient="RAMQ", lines=0, withheld=0, by=staff, content="W10=",
    )  # fmt: skip


def header(person) -> dict[str, str]:
    _token, text = accounts.create_token(name="essai", days=1, by=person)
    return {"Authorization": f"Bearer {text}"}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_nothing_that_is_sent_breaks_the_api(schema, finding, staff, operation):
    """No answer is a server error, and every answer that the schema describes is as described."""
    headers = header(staff)
    held_to = [checks.not_a_server_error, checks.response_schema_conformance]

    @EXAMPLES
    @given(case=schema.include(operation_id=operation).as_strategy())
    def asked(case: Any) -> None:
        case.call_and_validate(headers=headers, checks=held_to)

    asked()


@pytest.mark.attack("cross-tenant requests", "refused")
@pytest.mark.parametrize("operation", [name for name in OPERATIONS if name not in ("upload", "runs")])
def test_another_clinic_s_token_gets_nothing_whatever_it_sends(schema, finding, export, outsider, operation):
    """Broken object level authorization (OWASP API1): real ids of the one clinic with the token of the other."""
    headers = header(outsider)
    ids = {
        "run_id": str(finding.run.pk),
        "document_id": str(finding.run.document_id),
        "export_id": str(export.pk),
    }
    seen: set[int] = set()

    @EXAMPLES
    @given(case=schema.include(operation_id=operation).as_strategy())
    def asked(case: Any) -> None:
        case.path_parameters = {name: ids[name] for name in case.path_parameters}
        answer = case.call(headers=headers)
        seen.add(answer.status_code)
        assert finding.value not in answer.text

    asked()
    assert 404 in seen
    assert seen <= {404, 422, 400}
    assert Event.objects.filter(verb=Verb.CROSS_TENANT_DENIED, actor_id=outsider.pk).exists()


@pytest.mark.attack("cross-tenant requests", "refused")
@pytest.mark.parametrize("operation", OPERATIONS)
def test_without_a_token_there_is_nothing(schema, finding, operation):
    @EXAMPLES
    @given(case=schema.include(operation_id=operation).as_strategy())
    def asked(case: Any) -> None:
        assert case.call().status_code in (401, 403)  # 403: neither a token nor the form's

    asked()


@pytest.mark.attack("cross-tenant requests", "refused")
def test_a_list_holds_the_caller_s_clinic_only(schema, finding, outsider):
    headers = header(outsider)

    @EXAMPLES
    @given(case=schema.include(operation_id="runs").as_strategy())
    def asked(case: Any) -> None:
        assert str(finding.run.pk) not in case.call(headers=headers).text

    asked()
