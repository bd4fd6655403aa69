"""The journal on a real PostgreSQL: a role that can only add to it, and many writers at once (`make test-postgres`)."""

from __future__ import annotations

import threading
from contextlib import contextmanager

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from accounts import actions as accounts
from audit.models import ChainHead, Event
from audit.record import record_alone
from audit.verbs import Verb
from audit.verify import verify_chain

pytestmark = pytest.mark.django_db(transaction=True)

ROLE = "namsite_app_under_test"
WRITERS, EACH = 50, 4


@pytest.fixture(autouse=True)
def on_postgresql(db):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has neither roles nor several writers at once")


def sql(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.fixture
def role(staff):
    """The application's role with the grants of the command, and an event to harm."""
    record_alone(Verb.LIST_VIEWED, by=staff)
    sql(f"CREATE ROLE {ROLE} LOGIN")
    call_command("journal_role", ROLE, "--apply")
    yield ROLE
    sql(f"DROP OWNED BY {ROLE}")
    sql(f"DROP ROLE {ROLE}")


@contextmanager
def signed_in(role):
    """A connection of its own, as the application has it."""
    import psycopg

    database = connection.settings_dict
    with psycopg.connect(host=database["HOST"], dbname=database["NAME"], user=role, autocommit=True) as own:
        yield own


@contextmanager
def acting_as(role):
    sql(f"SET ROLE {role}")
    try:
        yield
    finally:
        sql("RESET ROLE")


@pytest.mark.parametrize("statement", [
    "UPDATE audit_event SET count = 1",
    "DELETE FROM audit_event",
    "TRUNCATE audit_event",
    "ALTER TABLE audit_event DISABLE TRIGGER ALL",
    "DROP TRIGGER audit_event_no_change ON audit_event",
    "CREATE OR REPLACE FUNCTION audit_event_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN OLD; END $$",
    "SET session_replication_role = replica",
    "DROP TABLE audit_event",
    "UPDATE audit_anchor SET seq = 1",
    "DELETE FROM audit_anchor",
    "TRUNCATE audit_anchor",
    "DELETE FROM audit_chainhead",
    "TRUNCATE audit_chainhead",
])  # fmt: skip
def test_the_application_s_role_cannot(role, statement):
    import psycopg

    with signed_in(role) as own, pytest.raises(psycopg.errors.InsufficientPrivilege):
        own.execute(statement)


def test_the_application_s_role_writes_and_reads_the_journal(role, staff):
    before = Event.objects.filter(clinic_id=staff.clinic_id).count()
    with acting_as(role):
        record_alone(Verb.LIST_VIEWED, by=staff)
        assert Event.objects.filter(clinic_id=staff.clinic_id).count() == before + 1


def test_the_application_s_role_does_everything_else(role, clinic, admin):
    with acting_as(role):
        made = accounts.create_user(clinic=clinic, email="n@erables.example", name="N", role="staff", by=admin)
        accounts.set_active(user=made, active=False, by=admin)


@pytest.mark.parametrize("statement", ["UPDATE audit_event SET count = 1", "DELETE FROM audit_event",
                                       "TRUNCATE audit_event", "TRUNCATE audit_anchor"])  # fmt: skip
def test_the_triggers_refuse_the_owner_too(role, statement):
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        sql(statement)


def test_fifty_writers_at_once_leave_no_gap_and_no_fork(staff):
    begin, failed = threading.Barrier(WRITERS), []

    def write():
        try:
            begin.wait(30)
            for _turn in range(EACH):
                record_alone(Verb.LIST_VIEWED, by=staff)
        except Exception as error:
            failed.append(type(error).__name__)
        finally:
            connection.close()

    before = ChainHead.objects.filter(clinic_id=staff.clinic_id).values_list("seq", flat=True).first() or 0
    threads = [threading.Thread(target=write) for _writer in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    seqs = list(Event.objects.filter(clinic_id=staff.clinic_id).order_by("seq").values_list("seq", flat=True))
    assert seqs == list(range(1, before + WRITERS * EACH + 1))
    assert list(verify_chain(staff.clinic_id)) == []


def test_the_command_prints_the_same_for_somebody_else_to_run(capsys):
    call_command("journal_role", 'odd"name')
    assert 'GRANT SELECT, INSERT ON audit_event TO "odd""name";' in capsys.readouterr().out
