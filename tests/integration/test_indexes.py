"""An index that a migration adds keeps nobody from writing."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db import connection, models
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
