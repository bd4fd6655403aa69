"""Another extraction of a document: what was decided stays, nothing is decided twice, and the new run is measured."""

from __future__ import annotations

from datetime import date, time

import pytest
from django.urls import reverse

from accounts import actions as accounts
from accounts.policy import NotAllowed
from audit.models import Event
from audit.verbs import Verb
from extraction import following, jobs
from extraction import queries as extraction_queries
from extraction.actions import Billing, CannotRun, Configuration
from extraction.models import Finder, Run, Status
from review import actions, queries, scores
from review.actions import Request, Value
from review.exports.lines import Selection
from review.models import Decision, PageScore, ReviewedRun, SignOff
from review.policy import Conflict
from tests.factories import DocumentFactory, FindingFactory, RunFactory, RunPageFactory, page_of, some_nam

pytestmark = pytest.mark.django_db

WORDS = page_of("Agenda").to_json()


def as_proposed(finding):
    return Value(finding.value, date(2025, 10, 3), time(8, 30))


def proposing(document, *numbers, page=1, **fields):
    run = RunFactory(document=document, **fields)
    for each in (1, 2):
        RunPageFactory(run=run, number=each, words=WORDS)
    for position, number in enumerate(numbers):
        FindingFactory(run=run, page=page, position=position, value=some_nam(number))
    return run


@pytest.fixture
def document(staff):
    return DocumentFactory(uploaded_by=staff)


@pytest.fixture
def first(document, reviewer):
    """On the first page 1 is confirmed, 2 corrected to 9, 3 rejected and 4 added."""
    run = proposing(document, 1, 2, 3)
    one, two, three = run.findings.order_by("position")
    actions.decide(finding=one, value=as_proposed(one), by=reviewer)
    actions.decide(finding=two, value=Value(some_nam(9), date(2025, 10, 3), time(8, 30)), by=reviewer)
    actions.decide(finding=three, value=None, reason="specimen", by=reviewer)
    actions.add(document=document, page=1, value=Value(some_nam(4), date(2025, 10, 3)), by=reviewer)
    return run


@pytest.fixture
def signed(first, reviewer):
    actions.sign_off(run=first, page=1, by=reviewer)
    return first


def rerun(document, by, **chosen):
    """Queued by a person and worked off."""
    run = actions.rerun(document=document, configuration=Configuration(**chosen), by=by)
    Run.objects.filter(pk=run.pk).update(status=Status.DONE)
    run.refresh_from_db()
    return run


def again(document, by, *numbers):
    """Another run that is done and proposes these on the first page."""
    run = rerun(document, by)
    for position, number in enumerate(numbers):
        FindingFactory(run=run, page=1, position=position, value=some_nam(number))
    following.tell(document.pk)
    return run


def file_of(document, by):
    asked = Request(format="json", recipient="RAMQ", selection=Selection(), billing=Billing(), justification="claim")
    export = actions.export(document=document, request=asked, by=by)
    return export.data, export.withheld


# --- Queued ----------------------------------------------------------------------------------------------------------


def test_a_run_is_queued_as_it_was_chosen_and_journalled(first, document, staff):
    run = actions.rerun(document=document, configuration=Configuration(reader="local", finder="pattern"), by=staff)
    assert (run.status, run.reader, run.finder, run.requested_by) == (Status.QUEUED, "local", "pattern", staff)
    event = Event.objects.get(verb=Verb.RUN_QUEUED, object_id=run.pk)
    assert event.details == {"reader": "local", "finder": "pattern", "prompt": ""}


def test_one_extraction_at_a_time(first, document, staff):
    actions.rerun(document=document, configuration=Configuration(), by=staff)
    with pytest.raises(CannotRun):
        actions.rerun(document=document, configuration=Configuration(), by=staff)
    assert document.runs.count() == 2


def test_an_administrator_starts_none(first, document, admin):
    with pytest.raises(NotAllowed):
        actions.rerun(document=document, configuration=Configuration(), by=admin)


def test_the_form_offers_what_is_installed_and_queues_it(first, document, reviewer_client, settings):
    settings.LLM_ENDPOINT = ""
    page = reviewer_client.get(reverse("review:compare", args=[document.pk])).content.decode()
    assert "Textract" not in page
    address = reverse("review:rerun", args=[document.pk])
    for wrong in ({"reader": "textract", "finder": "pattern"}, {"reader": "auto", "finder": "model"}, {}):
        reviewer_client.post(address, wrong)
    assert document.runs.count() == 1
    answer = reviewer_client.post(address, {"reader": "text_layer", "finder": "pattern"}, follow=True)
    assert answer.status_code == 200
    assert document.runs.filter(reader="text_layer", status=Status.QUEUED).count() == 1
    assert reviewer_client.post(address, {"reader": "auto", "finder": "pattern"}).status_code == 409


def test_a_prompt_that_was_chosen_is_asked_of_the_model_in_service(first, document, staff, settings):
    settings.LLM_ENDPOINT = "http://127.0.0.1:9/v1"
    run = actions.rerun(document=document, configuration=Configuration(finder="hybrid", prompt="nam-v1"), by=staff)
    assert (run.asked_prompt, run.model_name) == ("nam-v1", settings.LLM_MODEL)
    settings.LLM_PROMPT = "nam-lines-v2"
    with jobs._model(run) as model:
        assert model.prompt.version == "nam-v1"


def test_without_the_model_no_prompt_is_asked(first, document, staff):
    run = actions.rerun(
        document=document, configuration=Configuration(finder=Finder.PATTERN, prompt="nam-v1"), by=staff
    )
    assert (run.asked_prompt, run.model_name) == ("", "")


# --- What was decided ------------------------------------------------------------------------------------------------


def test_the_truth_and_the_export_stay_as_they_were(signed, document, reviewer):
    before = file_of(document, reviewer)
    decisions = set(Decision.objects.values_list("pk", "undone_at"))
    again(document, reviewer, 1, 2, 3, 4, 5)
    assert set(Decision.objects.values_list("pk", "undone_at")) == decisions
    assert SignOff.objects.filter(reopened_at=None).count() == 1
    assert file_of(document, reviewer) == before


def test_the_review_stays_with_its_run(first, document, reviewer, reviewer_client):
    again(document, reviewer, 1, 2, 3, 5)
    assert queries.run_under_review(document) == first
    answer = reviewer_client.get(reverse("review:document-detail", args=[document.pk]), {"page": 1})
    assert answer.context["run"] == first
    assert [item.decision is None for item in answer.context["items"]] == [False] * 4
    reviewer_client.post(reverse("review:sign-off", args=[document.pk, 1]))
    assert SignOff.objects.filter(page=1, reopened_at=None).count() == 1


def test_nobody_decides_the_same_number_twice(first, document, reviewer):
    later = again(document, reviewer, 1)
    with pytest.raises(Conflict):
        actions.decide(finding=later.findings.get(), value=as_proposed(later.findings.get()), by=reviewer)
    with pytest.raises(Conflict):
        actions.sign_off(run=later, page=2, by=reviewer)
    assert Decision.objects.filter(page=1).count() == 4


def test_where_nothing_was_decided_the_new_run_is_reviewed_once_it_is_done(document, staff, reviewer):
    old = proposing(document, 1)
    new = actions.rerun(document=document, configuration=Configuration(), by=staff)
    assert queries.run_under_review(document) == old
    Run.objects.filter(pk=new.pk).update(status=Status.DONE)
    assert queries.run_under_review(document) == new


def test_what_is_decided_while_the_new_run_is_at_work_holds_the_review(document, staff, reviewer):
    old = proposing(document, 1)
    new = actions.rerun(document=document, configuration=Configuration(), by=staff)
    actions.decide(finding=old.findings.get(), value=as_proposed(old.findings.get()), by=reviewer)
    Run.objects.filter(pk=new.pk).update(status=Status.DONE)
    assert queries.run_under_review(document) == old


@pytest.mark.parametrize("what", ["addition", "sign-off"])
def test_an_addition_or_a_sign_off_alone_holds_the_review_too(document, staff, reviewer, what):
    old = proposing(document)
    if what == "addition":
        actions.add(document=document, page=1, value=Value(some_nam(1)), by=reviewer)
    else:
        actions.sign_off(run=old, page=1, by=reviewer)
    again(document, staff, 1)
    assert queries.run_under_review(document) == old


def test_decisions_from_before_runs_were_held_hold_theirs(first, document, staff):
    ReviewedRun.objects.all().delete()
    again(document, staff, 1)
    assert queries.run_under_review(document) == first


def test_a_review_that_was_undone_lets_the_new_run_in(document, staff, reviewer):
    old = proposing(document, 1)
    decision = actions.decide(finding=old.findings.get(), value=as_proposed(old.findings.get()), by=reviewer)
    actions.undo(decision=decision, by=reviewer)
    new = again(document, staff, 1)
    assert queries.run_under_review(document) == new


def test_the_list_shows_the_run_that_is_reviewed(signed, document, staff, reviewer):
    other = DocumentFactory(uploaded_by=staff)
    proposing(other, 7)
    newest = proposing(other, 7, 8)
    proposing(document, 5, status=Status.FAILED)
    rows = extraction_queries.with_runs(list(extraction_queries.documents(reviewer)))
    assert {row.pk: (run.pk, progress.found) for row, run, progress in rows} == {
        document.pk: (signed.pk, 3),
        other.pk: (newest.pk, 2),
    }
    assert all(run == queries.run_under_review(row) for row, run, _progress in rows)


def test_a_document_without_a_finished_run_is_listed_with_its_newest(document, reviewer):
    proposing(document, 1, status=Status.FAILED)
    newest = proposing(document, 1, status=Status.READING)
    ((_document, run, _progress),) = extraction_queries.with_runs(list(extraction_queries.documents(reviewer)))
    assert run == newest


def test_a_new_run_that_failed_is_not_reviewed(document, staff):
    old = proposing(document, 1)
    Run.objects.filter(pk=rerun(document, staff).pk).update(status=Status.FAILED)
    assert queries.run_under_review(document) == old


# --- The new run -----------------------------------------------------------------------------------------------------


def test_its_score_appears_and_counts_for_its_configuration_only(signed, document, reviewer):
    later = again(document, reviewer, 1, 9, 4)
    scores.catch_up(reviewer)
    row = PageScore.objects.get(run=later)
    assert (row.tp, row.fp, row.fn, row.is_reviewed) == (3, 0, 0, False)
    assert PageScore.objects.get(run=signed).is_reviewed


def test_a_later_sign_off_scores_both(first, document, reviewer):
    later = again(document, reviewer, 1, 9, 4)
    actions.sign_off(run=first, page=1, by=reviewer)
    assert dict(PageScore.objects.values_list("run", "is_reviewed")) == {first.pk: True, later.pk: False}


def test_its_results_carry_what_was_decided_on_the_same_page_and_number(first, document, reviewer, client):
    later = again(document, reviewer, 1, 2, 3, 4, 5)
    _token, text = accounts.create_token(name="test", days=1, by=reviewer)
    body = client.get(f"/api/nam/runs/{later.pk}/results", headers={"Authorization": f"Bearer {text}"}).json()
    decided = {each["text"]: (each["nam"], each["decision"]) for each in body["results"]}
    assert decided == {
        some_nam(1): (some_nam(1), "confirm"),
        some_nam(2): (some_nam(9), "correct"),
        some_nam(3): (some_nam(3), "reject"),
        some_nam(4): (some_nam(4), "add"),
        some_nam(5): (some_nam(5), None),
    }


def test_its_results_list_what_stands_there_and_it_does_not_propose(first, document, reviewer):
    later = again(document, reviewer, 1)
    standing = queries.standing(later)
    assert len(standing.of) == 1
    assert sorted(str(d.value) for d in standing.others) == sorted([some_nam(9), some_nam(4)])


def test_a_number_on_another_page_is_another_number(first, document, reviewer):
    later = rerun(document, reviewer)
    FindingFactory(run=later, page=2, value=some_nam(1))
    assert queries.standing(later).of == {}
