"""What the application's PostgreSQL role may do: everything with the other tables, and with the journal only add to it.

The tables belong to another role, which runs the migrations. Triggers refuse a change as well, but whoever owns a table
can switch its triggers off; this role cannot. Run it again after a migration that makes tables.
"""

from __future__ import annotations

from psycopg.sql import SQL, Composed, Identifier

from audit.triggers import TABLES

HEADS = "audit_chainhead"

_STATEMENTS = (
    "GRANT USAGE ON SCHEMA public TO {role}",
    "REVOKE CREATE ON SCHEMA public FROM {role}",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
    "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}",
    *(f"REVOKE ALL ON {table} FROM {{role}}" for table in (*TABLES, HEADS)),
    *(f"GRANT SELECT, INSERT ON {table} TO {{role}}" for table in TABLES),
    f"GRANT SELECT, INSERT, UPDATE ON {HEADS} TO {{role}}",
)


def statements(role: str) -> list[Composed]:
    """The grants of `role`, in their order."""
    return [SQL(text).format(role=Identifier(role)) for text in _STATEMENTS]
