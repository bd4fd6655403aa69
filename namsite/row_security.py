"""The policies of row-level security, derived from the models: which table belongs to a clinic, and by which way.

A table with a `clinic` that is always filled compares that; one without follows its parent (a finding its run, the run
its document); one whose clinic may be empty shows such rows to everybody, as they speak of the installation.
Left out are accounts (read before anybody is known) and heads of journal chains (they hold no content).
"""

from __future__ import annotations

from collections.abc import Iterator

from django.apps import apps
from django.db import connection, models

from accounts.tenancy import EVERY, VARIABLE
from audit import roles

POLICY = "own_clinic"
FLOORS = ("extraction", "review", "audit")

# Not EXISTS: where the planner expects many rows it would make a hash of every parent that the clinic has, first.
FOLLOWS = "(SELECT true FROM {parent} parent WHERE parent.{key} = {table}.{column})"
FUNCTIONS = f"""
CREATE OR REPLACE FUNCTION namsite_clinic() RETURNS uuid LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN current_setting('{VARIABLE}', true) IN ('', '{EVERY}') THEN NULL
                ELSE current_setting('{VARIABLE}', true)::uuid END $$;
CREATE OR REPLACE FUNCTION namsite_every_clinic() RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT coalesce(current_setting('{VARIABLE}', true), '') = '{EVERY}' $$;
"""


def rules() -> dict[str, str]:
    """The condition under which a row is shown, by table."""
    tables = [model for floor in FLOORS for model in apps.get_app_config(floor).get_models()]
    found: dict[type[models.Model], str] = {}
    before = -1
    while len(found) != before:  # Parents first, whatever the order of the models.
        before = len(found)
        for model in tables:
            if model not in found and (rule := _rule(model, found)):
                found[model] = rule
    return {model._meta.db_table: rule for model, rule in found.items()}


def _rule(model: type[models.Model], found: dict[type[models.Model], str]) -> str:
    fields = {field.name: field for field in model._meta.concrete_fields}
    own = fields.get("clinic") or fields.get("clinic_id")
    if model._meta.label == "audit.ChainHead":
        return ""
    if own is not None and not own.null:
        return f"{own.column} = (SELECT namsite_clinic())"
    parents = [
        field
        for field in fields.values()
        if isinstance(field, models.ForeignKey) and not field.null and field.related_model in found
    ]
    if parents:
        field = parents[0]
        parent = field.related_model._meta
        return FOLLOWS.format(
            parent=parent.db_table, key=parent.pk.column, table=model._meta.db_table, column=field.column
        )
    return f"{own.column} IS NULL OR {own.column} = (SELECT namsite_clinic())" if own is not None else ""


def statements(role: str) -> Iterator[str]:
    """SQL that puts `role` under the policies; the owner of the tables, who migrates, stays free of them."""
    yield FUNCTIONS
    yield from (grant.as_string(None) for grant in roles.statements(role))  # It can still only add to the journal.
    for table, rule in rules().items():
        shown = f"(SELECT namsite_every_clinic()) OR {rule}"
        yield f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"
        yield f"DROP POLICY IF EXISTS {POLICY} ON {table}"
        yield f"CREATE POLICY {POLICY} ON {table} USING ({shown}) WITH CHECK ({shown})"


def removal() -> Iterator[str]:
    """SQL that takes the policies away; the role keeps what it was granted."""
    for table in rules():
        yield f"DROP POLICY IF EXISTS {POLICY} ON {table}"
        yield f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY"


def problems() -> Iterator[str]:
    """What keeps the policies from holding for the role of this connection, in words for an operator."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
        if cursor.fetchone()[0]:
            yield "The role of this connection is a superuser or bypasses row-level security."
        cursor.execute(
            "SELECT c.relname, c.relrowsecurity, pg_get_userbyid(c.relowner) = current_user FROM pg_class c"
            " WHERE c.relname = ANY(%s) AND c.relnamespace = 'public'::regnamespace",
            [list(rules())],
        )
        for table, is_enabled, is_owner in sorted(cursor.fetchall()):
            if not is_enabled:
                yield f"{table} has no row-level security: run `manage.py enable_row_security` as the owner."
            elif is_owner:
                yield f"{table} belongs to the role of this connection, to which no policy applies."
