"""Whose rows the database shows to this piece of work: PostgreSQL's row-level security, beside our own queries.

The policies of `manage.py enable_row_security` compare each row's clinic with a variable of the connection. A request
sets it once it knows the person, a job once it knows the document. Nothing set means nothing seen, raw SQL included.
Without ROW_SECURITY, and on SQLite, all of this does nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.dispatch import receiver

VARIABLE: Final = "namsite.clinic"
EVERY: Final = "all"
NONE: Final = ""

process_scope = NONE
"""What holds where nothing else was said. `manage.py` says EVERY: workers, scheduler and commands serve all clinics."""

_scope: ContextVar[str | None] = ContextVar("scope", default=None)


def current() -> str:
    """A clinic's id, EVERY or NONE."""
    said = _scope.get()
    return process_scope if said is None else said


def enter(clinic: UUID | str) -> None:
    """From here on, until the surrounding `scope` ends, the database shows this clinic's rows only."""
    _scope.set(str(clinic))
    _tell(connection)


@contextmanager
def scope(clinic: UUID | str) -> Iterator[None]:
    """Inside, the database shows this clinic's rows (or EVERY, or NONE); afterwards, what it showed before."""
    token = _scope.set(str(clinic))
    _tell(connection)
    try:
        yield
    finally:
        _scope.reset(token)
        # In a transaction that failed nothing can be said, and its end takes back what was said in it.
        if not connection.needs_rollback:
            _tell(connection)


def is_on(database: BaseDatabaseWrapper | Any) -> bool:
    return bool(settings.ROW_SECURITY) and database.vendor == "postgresql"


def _tell(database: BaseDatabaseWrapper | Any) -> None:
    # A connection that is not open yet is told when it opens.
    if is_on(database) and database.connection is not None:
        with database.cursor() as cursor:
            cursor.execute("SELECT set_config(%s, %s, false)", [VARIABLE, current()])


@receiver(connection_created)
def tell_new_connection(connection: BaseDatabaseWrapper, **_kwargs: Any) -> None:
    if current() != NONE:
        _tell(connection)
