"""A place that a reviewer draws on a page is read again, and what is read is only proposed."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from audit.models import Event
from audit.verbs import Verb
from extraction import actions
from extraction.corpus.documents import build
from extraction.models import Finding, Lease, RunPage
from extraction.page import Page
from review.models import Decision

pytestmark = pytest.mark.django_db

SCAN = build("agenda-scan", seed=2026, pages=1)


@pytest.fixture
def document(reviewer):
    """A scan whose page nobody could read."""
    done = actions.upload(data=SCAN.pdf, file_name="agenda.pdf", by=reviewer)
    return done.document


def ask(client, document, box, number=1):
    address = reverse("review:look", args=[document.pk, number])
    return client.post(address, {"box": ",".join(f"{side:.5f}" for side in box)})


def test_the_number_in_the_box_is_proposed_and_nothing_is_stored(document, reviewer_client):
    item = SCAN.truth[1]
    answer = ask(reviewer_client, document, item.box.grown(0.01, 0.004)).json()
    assert answer["readings"][0]["nam"].replace(" ", "") == item.nam
    assert not Decision.objects.exists()
    assert not Finding.objects.exists()


def test_a_look_is_journalled_as_a_view_of_its_page(document, reviewer, reviewer_client):
    ask(reviewer_client, document, SCAN.truth[0].box)
    event = Event.objects.get(verb=Verb.PAGE_VIEWED)
    assert (event.actor_id, event.document_id, event.page) == (reviewer.pk, document.pk, 1)


def test_blank_paper_gives_no_reading(document, reviewer_client):
    assert ask(reviewer_client, document, (0.02, 0.96, 0.2, 0.98)).json() == {"readings": []}


@pytest.mark.parametrize("box", ["", "0,0,1,1", "0.5,0.5,0.4,0.6", "a,b,c,d"])
def test_what_is_no_small_place_is_refused(document, reviewer_client, box):
    answer = reviewer_client.post(reverse("review:look", args=[document.pk, 1]), {"box": box})
    assert answer.status_code == 422


def test_a_page_that_is_not_there_is_refused(document, reviewer_client):
    assert ask(reviewer_client, document, SCAN.truth[0].box, number=9).status_code == 422


def test_a_person_has_one_look_at_a_time(document, reviewer, reviewer_client):
    Lease.objects.create(name=f"look:{reviewer.pk.hex}", holder=uuid4(), until=timezone.now() + timedelta(seconds=20))
    assert ask(reviewer_client, document, SCAN.truth[0].box).status_code == 429


def test_a_look_leaves_no_lease_behind(document, reviewer_client):
    ask(reviewer_client, document, SCAN.truth[0].box)
    assert not Lease.objects.exists()


def test_the_words_of_the_page_date_the_number(document, reviewer_client):
    from extraction.readers.choosing import read_pages

    read = next(iter(read_pages(SCAN.pdf, reader="local")))
    assert isinstance(read.page, Page)
    run = document.runs.get()
    RunPage(run=run, number=1, state="found", reader="local", words=read.page.to_json()).save()
    item = SCAN.truth[0]
    answer = ask(reviewer_client, document, item.box.grown(0.01, 0.004)).json()
    assert answer["date"] == item.date.isoformat()
