"""The list of documents, a screen at a time: newest first, and as quick far down as at its head."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.urls import reverse

from extraction import queries
from extraction.marks import Mark
from extraction.models import Document
from tests.factories import DocumentFactory, RunFactory

pytestmark = pytest.mark.django_db

PAGE = reverse("extraction:document-list")
NOON = datetime(2026, 3, 2, 17, 0, tzinfo=UTC)


def uploaded(staff, moment: datetime) -> Document:
    document = RunFactory(document=DocumentFactory(uploaded_by=staff)).document
    Document.objects.filter(pk=document.pk).update(created_at=moment)
    return document


@pytest.fixture
def newest_first(staff) -> list[Document]:
    """Seven, of which the middle three came in the same moment."""
    days = (0, 1, 2, 2, 2, 3, 4)
    made = [uploaded(staff, NOON - timedelta(days=days_ago)) for days_ago in days]
    return made[:2] + sorted(made[2:5], key=lambda each: each.pk.hex, reverse=True) + made[5:]


def test_screens_behind_each_other_show_every_document_once(reviewer, newest_first):
    shown, mark = [], None
    while True:
        screen = queries.screen(reviewer, 2, before=mark)
        shown += screen.documents
        if screen.older is None:
            break
        mark = Mark.read(str(screen.older))
    assert shown == newest_first


def test_one_can_go_back_the_way_one_came(reviewer, newest_first):
    third = queries.screen(reviewer, 2, before=Mark(NOON - timedelta(days=2), newest_first[3].pk))
    assert third.documents == newest_first[4:6]
    second = queries.screen(reviewer, 2, after=third.newer)
    assert second.documents == newest_first[2:4]
    assert queries.screen(reviewer, 2, before=second.older).documents == third.documents


def test_going_back_to_a_screen_that_would_not_be_full_leads_to_the_head(reviewer, newest_first):
    screen = queries.screen(reviewer, 3, after=Mark(NOON - timedelta(days=1), newest_first[1].pk))
    assert (screen.documents, screen.newer) == (newest_first[:3], None)


def test_another_clinics_documents_are_on_no_screen(outsider, newest_first):
    assert queries.screen(outsider, 2).documents == []


def test_the_page_leads_to_what_is_older_and_refreshes_the_rows_it_shows(reviewer_client, staff, monkeypatch):
    monkeypatch.setattr("extraction.views.DOCUMENTS_PER_PAGE", 1)
    newer, older = uploaded(staff, NOON), uploaded(staff, NOON - timedelta(days=1))
    head = reviewer_client.get(PAGE)
    assert [row[0] for row in head.context["rows"]] == [newer]
    address = f"?before={head.context['screen'].older}"
    assert address in head.content.decode()
    further = reviewer_client.get(PAGE + address)
    assert [row[0] for row in further.context["rows"]] == [older]
    assert f"?rows=1&amp;{address[1:]}" in further.content.decode()


def test_a_day_is_the_newest_that_is_shown(reviewer_client, newest_first):
    day = date(2026, 2, 28)  # Two days before the newest, and three documents of it.
    answer = reviewer_client.get(PAGE, {"until": day.isoformat()})
    assert [row[0] for row in answer.context["rows"]] == newest_first[2:]


@pytest.mark.parametrize("asked", [{"before": "nonsense"}, {"after": "1-2"}, {"until": "9999-12-31"}, {"until": "x"}])
def test_what_cannot_be_understood_shows_the_head(reviewer_client, newest_first, asked):
    assert [row[0] for row in reviewer_client.get(PAGE, asked).context["rows"]] == newest_first


def test_before_the_first_document_the_page_says_so(reviewer_client, newest_first):
    answer = reviewer_client.get(PAGE, {"until": "2020-01-01"})
    assert not answer.context["rows"]
    assert "aussi ancien" in answer.content.decode()


def test_far_down_is_a_stretch_of_the_index(reviewer, newest_first):
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL does without an index where a table is this small (docs/database.md has its plans)")
    before = Mark(NOON - timedelta(days=2), newest_first[3].pk)
    plan = queries.beyond(queries.documents(reviewer), before, "lt")[:26].explain()
    assert "USING INDEX document_newest" in plan
