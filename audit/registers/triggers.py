"""Database triggers that keep a register as it was written, whoever asks through SQL.

A version is never changed, but for its seal, which a rotation moves to a newer key of the same clinic (decision 0043).
An entry goes only after its term, with its versions; its term is only ever prolonged.
"""

from __future__ import annotations

from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper

from vault import crypto, rooted

ENTRY, VERSION = "audit_entry", "audit_version"
REFUSAL = "this entry of a register is kept"

_KEPT = "({row}kept_until IS NULL OR {row}kept_until >= {today})"
_SHORTENED = "(OLD.kept_until IS NOT NULL AND (NEW.kept_until IS NULL OR NEW.kept_until < OLD.kept_until))"
# Whether the entry of a version that is to go must stay. Only names of ours stand in these texts.
_ITS_ENTRY_IS_KEPT = "EXISTS (SELECT 1 FROM audit_entry e WHERE e.id = OLD.entry_id AND " + _KEPT + ")"  # noqa: S608
_COLUMNS = ("id", "entry_id", "number", "note", "by_id", "by_name", "at")
_NEW, _OLD = (", ".join(f"{row}.{column}" for column in _COLUMNS) for row in ("NEW", "OLD"))
# A seal begins with 17 bytes of layout and clinic and 8 of the key's id (`vault.crypto`). The same text is as long
# under another key, and a later key has a greater id. What the root sealed, before clinics had keys, is laid out
# otherwise.
_UNDER_A_LATER_KEY = (
    "(length(NEW.content) = length(OLD.content) AND substr(NEW.content, 1, 17) = substr(OLD.content, 1, 17)"
    " AND substr(NEW.content, 18, 8) > substr(OLD.content, 18, 8))"
)
_FROM_THE_ROOT = "(substr(OLD.content, 1, 1) = {root} AND substr(NEW.content, 1, 1) = {clinic})"
_MORE_THAN_THE_SEAL = f"({_NEW}) <> ({_OLD}) OR NOT ({_UNDER_A_LATER_KEY} OR {_FROM_THE_ROOT})"
_LAYOUTS = {"root": rooted.VERSION, "clinic": crypto.VERSION}

# By table and operation, when it is refused.
_RULES = (
    (ENTRY, "DELETE", _KEPT.replace("{row}", "OLD.")),
    (ENTRY, "UPDATE", _SHORTENED),
    (VERSION, "DELETE", _ITS_ENTRY_IS_KEPT.replace("{row}", "e.")),
    (VERSION, "UPDATE", _MORE_THAN_THE_SEAL),
)


def install(connection: BaseDatabaseWrapper) -> None:
    _run(connection, [sql for rule in _RULES for sql in _install(connection.vendor, *rule)])


def remove(connection: BaseDatabaseWrapper) -> None:
    """For reverse migrations and for tests that empty the tables between themselves."""
    _run(
        connection, [sql for table, operation, _when in _RULES for sql in _remove(connection.vendor, table, operation)]
    )


def _install(vendor: str, table: str, operation: str, when: str) -> list[str]:
    name = f"{table}_no_{operation.lower()}"
    for layout, byte in _LAYOUTS.items():
        when = when.replace(f"{{{layout}}}", f"x'{byte:02x}'" if vendor == "sqlite" else f"'\\x{byte:02x}'::bytea")
    if vendor == "sqlite":
        when = when.replace("{today}", "date('now', 'localtime')")  # Django sets the process to TIME_ZONE.
        return [f"CREATE TRIGGER {name} BEFORE {operation} ON {table} WHEN {when} "
                f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"]  # fmt: skip
    when = when.replace("{today}", f"(now() AT TIME ZONE '{settings.TIME_ZONE}')::date")
    goes_on = "OLD" if operation == "DELETE" else "NEW"
    return [
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN IF {when} THEN RAISE EXCEPTION '{REFUSAL}'; END IF; RETURN {goes_on}; END $$",
        f"CREATE TRIGGER {name} BEFORE {operation} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()",
    ]


def _remove(vendor: str, table: str, operation: str) -> list[str]:
    name = f"{table}_no_{operation.lower()}"
    if vendor == "sqlite":
        return [f"DROP TRIGGER IF EXISTS {name}"]
    return [f"DROP TRIGGER IF EXISTS {name} ON {table}", f"DROP FUNCTION IF EXISTS {name}()"]


def _run(connection: BaseDatabaseWrapper, statements: list[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
