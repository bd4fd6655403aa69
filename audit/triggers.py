"""Database triggers that refuse to change or remove an event or an anchor, whoever asks through SQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.db.backends.base.base import BaseDatabaseWrapper

EVENTS, ANCHORS = "audit_event", "audit_anchor"
TABLES = (EVENTS, ANCHORS)
REFUSAL = "the journal is append-only"


def _install_sqlite(table: str) -> list[str]:
    return [
        f"CREATE TRIGGER {table}_no_{operation.lower()} BEFORE {operation} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
        for operation in ("UPDATE", "DELETE")
    ]


def _install_postgresql(table: str) -> list[str]:
    return [
        f"CREATE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$",
        f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION {table}_refuse()",
        f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_refuse()",
    ]


def _remove_sqlite(table: str) -> list[str]:
    return [f"DROP TRIGGER IF EXISTS {table}_no_{operation}" for operation in ("update", "delete")]


def _remove_postgresql(table: str) -> list[str]:
    return [
        f"DROP TRIGGER IF EXISTS {table}_no_change ON {table}",
        f"DROP TRIGGER IF EXISTS {table}_no_truncate ON {table}",
        f"DROP FUNCTION IF EXISTS {table}_refuse()",
    ]


Statements = dict[str, Callable[[str], list[str]]]
_INSTALL: Statements = {"sqlite": _install_sqlite, "postgresql": _install_postgresql}
_REMOVE: Statements = {"sqlite": _remove_sqlite, "postgresql": _remove_postgresql}


def install(connection: BaseDatabaseWrapper, tables: Sequence[str] = TABLES) -> None:
    _run(connection, _INSTALL, tables)


def remove(connection: BaseDatabaseWrapper, tables: Sequence[str] = TABLES) -> None:
    """For migrations that alter a table, and for tests that empty the tables between themselves."""
    _run(connection, _REMOVE, tables)


def _run(connection: BaseDatabaseWrapper, statements: Statements, tables: Sequence[str]) -> None:
    with connection.cursor() as cursor:
        for table in tables:
            for statement in statements[connection.vendor](table):
                cursor.execute(statement)
