"""Indexes that are built while others write."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db.migrations import AddIndex


class AddIndexUnderTraffic(AddIndex):
    """CREATE INDEX CONCURRENTLY on PostgreSQL, where the migration says `atomic = False`; as usual on SQLite.

    A migration that was cut short can be run again: what was built is left, and what was begun (PostgreSQL keeps it,
    marked as invalid) is dropped and built anew.
    """

    atomic = False

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if not self._is_built(schema_editor):
            self._operation(schema_editor).database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        self._operation(schema_editor).database_backwards(app_label, schema_editor, from_state, to_state)

    def _operation(self, schema_editor: Any) -> AddIndex:
        return (AddIndexConcurrently if _is_postgresql(schema_editor) else AddIndex)(self.model_name, self.index)

    def _is_built(self, schema_editor: Any) -> bool:
        """Whether an earlier run built the index. Drops one that it only began."""
        if schema_editor.collect_sql or not _is_postgresql(schema_editor):
            return False
        name = schema_editor.quote_name(self.index.name)
        with schema_editor.connection.cursor() as cursor:
            cursor.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)", [name])
            found = cursor.fetchone()
        if found == (False,):
            schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        return bool(found == (True,))


def _is_postgresql(schema_editor: Any) -> bool:
    return bool(schema_editor.connection.vendor == "postgresql")
