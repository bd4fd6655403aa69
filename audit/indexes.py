"""Indexes that are built while others write."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db.migrations import AddIndex


class AddIndexUnderTraffic(AddIndex):
    """CREATE INDEX CONCURRENTLY on PostgreSQL, where the migration says `atomic = False`; as usual on SQLite.

    One that was cut short leaves an invalid index behind: drop it, and migrate again.
    """

    atomic = False

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        self._operation(schema_editor).database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        self._operation(schema_editor).database_backwards(app_label, schema_editor, from_state, to_state)

    def _operation(self, schema_editor: Any) -> AddIndex:
        kind = AddIndexConcurrently if schema_editor.connection.vendor == "postgresql" else AddIndex
        return kind(self.model_name, self.index)
