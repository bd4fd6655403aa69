"""Two extractions of one document side by side: who may look, what the page says, what the journal keeps."""

from __future__ import annotations

import uuid
from datetime import date, time

import pytest
from django.urls import reverse

from audit.models import Event
from audit.verbs import Verb
from extraction import following
from review import actions
from review.actions import Value
from tests.factories import DocumentFactory, FindingFactory, RunFactory, RunPageFactory, page_of, some_nam

pytestmark = pytest.mark.django_db


def a_run(document, *numbers, **fields):
    run = RunFactory(document=document, **fields)
    RunPageFactory(run=run, number=1, words=page_of("Agenda").to_json())
    for position, number in enumerate(numbers):
        FindingFactory(run=run, page=1, position=position, value=some_nam(number))
    following.tell(document.pk)
    return run


@pytest.fixture
def runs(staff, reviewer):
    """The first finds 1 and 2, both confirmed on a signed page; the second finds 1 and 3."""
    document = DocumentFactory(uploaded_by=staff)
    first = a_run(document, 1, 2, rules_version="r1")
    for finding in first.findings.all():
        actions.decide(finding=finding, value=Value(finding.value, date(2025, 10, 3), time(8, 30)), by=reviewer)
    actions.sign_off(run=first, page=1, by=reviewer)
    return first, a_run(document, 1, 3, rules_version="r2")


@pytest.fixture
def page(runs):
    return reverse("review:compare", args=[runs[0].document_id])


def test_each_difference_is_told_with_its_page_and_who_is_right(runs, page, reviewer_client):
    answer = reviewer_client.get(page, {"a": runs[0].pk, "b": runs[1].pk})
    found = {each.nam: (each.first is None, each.right) for each in answer.context["differences"]}
    assert found == {some_nam(2): (False, "first"), some_nam(3): (True, "first")}
    text = answer.content.decode()
    assert f"{reverse('review:document-detail', args=[runs[0].document_id])}?page=1" in text
    assert "seulement dans A" in text
    assert "seulement dans B" in text


def test_both_are_scored_on_the_signed_page(runs, page, reviewer_client):
    sides = reviewer_client.get(page).context["sides"]
    assert [(side.run, side.result.score.tp, side.result.score.fp, side.result.score.fn) for side in sides] == [
        (runs[0], 2, 0, 0), (runs[1], 1, 1, 1),
    ]  # fmt: skip


def test_the_look_is_journalled_with_both_runs_and_no_number(runs, page, reviewer, reviewer_client):
    reviewer_client.get(page)
    event = Event.objects.get(verb=Verb.DOCUMENT_VIEWED)
    assert (event.actor_id, event.document_id, event.count) == (reviewer.pk, runs[0].document_id, 2)
    assert event.details == {"run": str(runs[0].pk), "compared_with": str(runs[1].pk)}


def test_a_run_of_another_document_is_not_compared(runs, page, reviewer_client, staff):
    other = a_run(DocumentFactory(uploaded_by=staff), 4)
    for asked in (other.pk, uuid.uuid4(), "nonsense"):
        assert reviewer_client.get(page, {"a": asked}).status_code == 404
    assert not Event.objects.filter(verb=Verb.DOCUMENT_VIEWED).exists()


def test_one_run_alone_has_nothing_to_be_compared_with(staff, staff_client):
    run = a_run(DocumentFactory(uploaded_by=staff), 1)
    assert (
        "rien à quoi la comparer"
        in staff_client.get(reverse("review:compare", args=[run.document_id])).content.decode()
    )


def test_the_documents_page_leads_there_where_there_are_two(runs, page, reviewer_client, staff):
    other = a_run(DocumentFactory(uploaded_by=staff), 4)
    detail = reverse("review:document-detail", args=[runs[0].document_id])
    assert f'href="{page}"' in reviewer_client.get(detail).content.decode()
    alone = reviewer_client.get(reverse("review:document-detail", args=[other.document_id])).content.decode()
    assert f'href="{reverse("review:compare", args=[other.document_id])}"' not in alone


def test_the_page_is_not_written_to(page, reviewer_client):
    assert reviewer_client.post(page).status_code == 405
