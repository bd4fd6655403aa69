"""An index that a migration adds keeps nobody from writing."""

from __future__ import annotations

import psycopg
import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import OperationalError, connection, models
from django.db.migrations.state import ProjectState

from audit.indexes import AddIndexUnderTraffic


@pytest.mark.django_db(transaction=True)
def test_an_index_is_built_while_others_write_where_the_database_can():
    before = ProjectState.from_apps(apps)
    adding = AddIndexUnderTraffic("event", models.Index(fields=["page"], name="event_under_test"))
    after = before.clone()
    adding.state_forwards("audit", after)
    with connection.schema_editor(collect_sql=True, atomic=False) as editor:
        adding.database_forwards("audit", editor, before, after)
        adding.database_backwards("audit", editor, after, before)
    made, removed = editor.collected_sql
    is_postgresql = connection.vendor == "postgresql"
    assert ("CREATE INDEX CONCURRENTLY" in made, "DROP INDEX CONCURRENTLY" in removed) == (is_postgresql, is_postgresql)
    assert '"event_under_test"' in made


@pytest.fixture
def begun_only():
    """The index `event_reported` as CREATE INDEX CONCURRENTLY leaves it when it is ended while somebody writes, and
    the migration that adds it not applied."""
    if connection.vendor != "postgresql":
        pytest.skip("only PostgreSQL builds an index while others write")
    call_command("migrate", "audit", "0011", verbosity=0)
    with psycopg.connect(**session()) as writer:
        writer.execute("LOCK TABLE audit_event IN ROW EXCLUSIVE MODE")
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = '500ms'")
            with pytest.raises(OperationalError, match="statement timeout"):
                cursor.execute("CREATE INDEX CONCURRENTLY event_reported ON audit_event (clinic_id)")
            cursor.execute("RESET statement_timeout")
    yield
    call_command("migrate", verbosity=0)


@pytest.mark.django_db(transaction=True)
def test_a_migration_whose_index_was_cut_short_is_run_again(begun_only):
    assert built("event_reported") == (False, 1)
    call_command("migrate", verbosity=0)
    assert built("event_reported") == (True, 3)


@pytest.mark.django_db(transaction=True)
def test_a_migration_that_was_cut_short_after_its_index_was_built_is_run_again(begun_only):
    call_command("migrate", verbosity=0)
    call_command("migrate", "audit", "0011", "--fake", verbosity=0)
    call_command("migrate", verbosity=0)
    assert built("event_reported") == (True, 3)


def session() -> dict[str, object]:
    """What another connection to the same database is made with."""
    params = connection.get_connection_params()
    return {name: params[name] for name in ("host", "port", "user", "password", "dbname") if params.get(name)}


def built(name: str) -> tuple[bool, int]:
    """Whether an index is valid, and how many columns it has."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT indisvalid, indnatts FROM pg_index WHERE indexrelid = to_regclass(%s)", [name])
        valid, columns = cursor.fetchone()
    return valid, columns
