"""PostgreSQL's row-level security: what a role under it sees, raw SQL included. `make test-postgres` runs this."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.core.management import CommandError, call_command
from django.db import Error as AnyDatabaseError
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from accounts import tenancy
from audit.models import PLATFORM, Event
from audit.verbs import Verb
from extraction.models import Document, Finding, Run
from namsite import row_security
from tests.conftest import PASSWORD
from tests.factories import DocumentFactory, FindingFactory, RunFactory

pytestmark = pytest.mark.django_db

ROLE = "namsite_under_test"


@pytest.fixture
def row_security_on(settings) -> Iterator[None]:
    """The policies, and this connection acting as a role they apply to. All of it ends with the test's transaction."""
    if connection.vendor != "postgresql":
        pytest.skip("needs PostgreSQL (make test-postgres)")
    settings.ROW_SECURITY = True
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # A table with checks still to come cannot be altered.
        cursor.execute(f"CREATE ROLE {ROLE}")
        call_command("enable_row_security", role=ROLE, verbosity=0)
        cursor.execute(f"SET ROLE {ROLE}")
    yield
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")


@contextmanager
def as_owner() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
        yield
        cursor.execute(f"SET ROLE {ROLE}")


def rows(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")  # noqa: S608  (a name of ours)
        return int(cursor.fetchone()[0])


@pytest.fixture
def mine(staff):
    return FindingFactory(run=RunFactory(document=DocumentFactory(uploaded_by=staff)))


@pytest.fixture
def theirs(outsider):
    return FindingFactory(run=RunFactory(document=DocumentFactory(uploaded_by=outsider)))


TABLES = ("extraction_document", "extraction_run", "extraction_finding")


def test_every_table_of_the_upper_floors_is_under_a_policy_or_named_here():
    from django.apps import apps

    free = {
        model._meta.db_table
        for floor in row_security.FLOORS
        for model in apps.get_app_config(floor).get_models()
        if model._meta.db_table not in row_security.rules()
    }
    # No clinic's: the model server's traffic and samples, rollouts, the scheduler's lease; heads without content.
    assert free == {
        "extraction_deployment", "extraction_question", "extraction_lease", "extraction_sample", "audit_chainhead"
    }  # fmt: skip


def test_nothing_is_seen_while_no_clinic_is_named(mine, theirs, row_security_on):
    assert [rows(table) for table in TABLES] == [0, 0, 0]


def test_one_clinic_is_seen_at_a_time_even_by_raw_sql(mine, theirs, clinic, row_security_on):
    with tenancy.scope(clinic.pk):
        assert [rows(table) for table in TABLES] == [1, 1, 1]
        assert Finding.objects.get().pk == mine.pk
        assert not Document.objects.filter(pk=theirs.run.document_id).exists()
    assert rows("extraction_document") == 0


def test_metrics_are_of_every_clinic_together(mine, theirs, client, settings, row_security_on):
    settings.METRICS_TOKEN = "made-up-token-of-a-test"
    with tenancy.scope(tenancy.EVERY):
        Run.objects.update(status="queued")
    said = client.get("/metrics", headers={"Authorization": "Bearer made-up-token-of-a-test"}).content.decode()
    assert 'namsite_runs{status="queued"} 2.0' in said
    assert rows("extraction_run") == 0


def test_another_clinics_row_is_neither_changed_nor_removed_nor_made(theirs, clinic, outsider, row_security_on):
    with tenancy.scope(clinic.pk), connection.cursor() as cursor:
        cursor.execute("UPDATE extraction_document SET page_count = 99")
        assert cursor.rowcount == 0
        cursor.execute("DELETE FROM extraction_finding")
        assert cursor.rowcount == 0
        with pytest.raises(AnyDatabaseError, match="row-level security"), transaction.atomic():
            DocumentFactory(uploaded_by=outsider)


def test_the_journal_can_only_be_added_to(mine, row_security_on):
    with pytest.raises(AnyDatabaseError, match="permission denied"), transaction.atomic():
        Event.objects.all()._raw_delete("default")


def test_workers_and_commands_serve_every_clinic(mine, theirs, row_security_on):
    with tenancy.scope(tenancy.EVERY):
        assert rows("extraction_document") == 2


def test_a_scope_that_fails_inside_leaves_nothing_behind(mine, clinic, row_security_on):
    with pytest.raises(AnyDatabaseError), transaction.atomic(), tenancy.scope(clinic.pk), connection.cursor() as cursor:
        cursor.execute("SELECT 1 / 0")
    assert rows("extraction_document") == 0


def test_a_request_sees_its_persons_clinic_and_leaves_nothing_behind(mine, theirs, staff_client, row_security_on):
    page = staff_client.get(reverse("extraction:document-list"))
    assert page.status_code == 200
    assert str(mine.run.document_id) in page.content.decode()
    assert str(theirs.run.document_id) not in page.content.decode()
    assert rows("extraction_document") == 0


def test_another_clinics_document_is_not_found_and_the_journal_still_tells(
    theirs, staff, staff_client, row_security_on
):
    assert staff_client.get(reverse("review:document-detail", args=[theirs.run.document_id])).status_code == 404
    with as_owner():
        assert Event.objects.get(verb=Verb.CROSS_TENANT_DENIED).actor_id == staff.pk


def test_signing_in_and_failing_to_is_journalled_in_the_persons_clinic(staff, row_security_on):
    client = Client()
    for email, password in ((staff.email, "non"), ("nul@nulle-part.example", "non"), (staff.email, PASSWORD)):
        client.post("/accounts/login/", {"login": email, "password": password})
    with as_owner():
        chains = list(Event.objects.filter(verb=Verb.LOGIN_FAILED).order_by("at").values_list("clinic_id", flat=True))
        assert chains == [staff.clinic_id, PLATFORM]
        assert Event.objects.get(verb=Verb.LOGIN_OK).clinic_id == staff.clinic_id


def test_a_token_sees_its_persons_clinic(mine, theirs, staff, row_security_on):
    from accounts import actions

    with tenancy.scope(staff.clinic_id):
        _token, text = actions.create_token(name="programme", days=30, by=staff)
    answer = Client().get("/api/nam/runs", headers={"Authorization": f"Bearer {text}"}).json()
    assert str(mine.run.pk) in str(answer)
    assert str(theirs.run.pk) not in str(answer)


def test_the_check_tells_a_role_that_no_policy_applies_to(row_security_on, capsys):
    call_command("enable_row_security", check=True)
    assert "holds" in capsys.readouterr().out
    with as_owner(), pytest.raises(CommandError):
        call_command("enable_row_security", check=True)


def test_it_is_taken_away_again(mine, row_security_on):
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        call_command("enable_row_security", off=True, verbosity=0)
    assert rows("extraction_document") == 1
