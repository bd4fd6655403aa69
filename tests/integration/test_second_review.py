"""The blind second review: who is asked, what they see, what becomes of a disagreement, and what is measured."""

from __future__ import annotations

import json
import re
import uuid
from datetime import date, time, timedelta
from itertools import pairwise

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.policy import NotAllowed
from audit.models import Event
from audit.verbs import Verb
from extraction import nam
from extraction.actions import Billing
from extraction.models import RunPage, Status
from extraction.page import Box
from review import actions, blindness, leases, queries, sampling, second_queries, second_review
from review.actions import Request, Value
from review.exports.lines import Reason, Selection, sort_out
from review.models import Cause, Decision, Disagreement, Export, PageScore, SecondDecision, SecondReview, SecondState
from review.policy import Conflict
from tests.factories import DocumentFactory, FindingFactory, HintFactory, RunFactory, UserFactory, some_nam

pytestmark = pytest.mark.django_db

DAY, CLOCK = date(2025, 10, 3), time(8, 30)
HERE = Box(0.1, 0.8, 0.3, 0.82)


@pytest.fixture(autouse=True)
def everything_is_drawn(settings):
    settings.SECOND_REVIEW_SHARE = 100


@pytest.fixture
def second(clinic):
    return UserFactory(clinic=clinic, role="reviewer", name="Simone Seconde")


@pytest.fixture
def third(clinic):
    return UserFactory(clinic=clinic, role="reviewer", name="Théo Troisième")


@pytest.fixture
def run(staff):
    run = RunFactory(document=DocumentFactory(uploaded_by=staff))
    for number in (1, 2, 3):
        FindingFactory(run=run, page=1, position=number, value=some_nam(number))
    return run


@pytest.fixture
def review(run, reviewer):
    """The first review: one number confirmed, one corrected with its date, one rejected, one added."""
    first, corrected, rejected = run.findings.order_by("position")
    actions.decide(finding=first, value=Value.of(first), by=reviewer)
    actions.decide(finding=corrected, value=Value(some_nam(77), date(2024, 1, 17), CLOCK), by=reviewer)
    actions.decide(finding=rejected, value=None, reason="specimen", by=reviewer)
    actions.add(document=run.document, page=1, value=Value(some_nam(88), DAY), box=HERE, by=reviewer)
    actions.sign_off(run=run, page=1, by=reviewer)
    return SecondReview.objects.get()


def answer_as_the_first(review, by, *, but=()):
    """The second review with the first one's answers; of findings at the positions `but` the proposal is confirmed."""
    second_review.begin(review=review, by=by)
    for decision in queries.active(review.document).filter(page=review.page).select_related("finding"):
        if decision.finding is None:
            if "addition" not in but:
                second_review.add(review=review, value=Value.of(decision), box=decision.box, by=by)
            continue
        repeated = Value.of(decision) if decision.value is not None else None
        value = Value.of(decision.finding) if decision.finding.position in but else repeated
        second_review.decide(review=review, finding=decision.finding, value=value, reason=decision.reason, by=by)
    return second_review.finish(review=review, by=by)


def signed_in(user):
    client = Client()
    client.force_login(user)
    return client


def addresses(run):
    return {
        "document": reverse("review:document-detail", args=[run.document_id]) + "?page=1",
        "exports": reverse("review:exports", args=[run.document_id]),
        "results": f"/api/nam/runs/{run.pk}/results",
        "compare": reverse("review:compare", args=[run.document_id]),
        "ahead": reverse("review:document-detail", args=[run.document_id]) + "?page=1&ahead=1",
        "file list": f"/api/nam/documents/{run.document_id}/exports",
        "queue": reverse("review:queue"),
        "calibration": reverse("review:calibration-file"),
        "progress": f"/api/nam/runs/{run.pk}/job-status",
        "list": reverse("extraction:document-list"),
        "quality": reverse("review:quality"),
        "weeks": reverse("review:quality-file"),
        "agreement": reverse("review:agreement-file"),
        "mine": reverse("review:second-list"),
    }


def make_file(document, by):
    asked = Request(format="json", recipient="RAMQ", selection=Selection(), billing=Billing(), justification="claim")
    return actions.export(document=document, request=asked, by=by)


# --- Who is asked ----------------------------------------------------------------------------------------------------


def test_a_share_of_the_signed_pages_is_drawn(staff, reviewer, settings):
    settings.SECOND_REVIEW_SHARE = 20
    document = DocumentFactory(uploaded_by=staff, page_count=200, id=uuid.UUID(int=7))
    run = RunFactory(document=document)
    for page in range(1, 201):
        actions.sign_off(run=run, page=page, by=reviewer)
    drawn = set(SecondReview.objects.filter(cause=Cause.SAMPLE).values_list("page", flat=True))
    assert drawn == {page for page in range(1, 201) if 100 * sampling.lot(document, page) < 20}


def test_lots_are_evenly_spread(staff):
    document = DocumentFactory(uploaded_by=staff, id=uuid.UUID(int=7))
    lots = sorted(sampling.lot(document, page) for page in range(1, 1001))
    assert 0 <= lots[0] < 0.01
    assert 0.99 < lots[-1] < 1
    assert max(other - one for one, other in pairwise(lots)) < 0.02


def test_a_lot_cannot_be_told_without_the_key_of_the_clinic(staff, outsider):
    ours, theirs = DocumentFactory(uploaded_by=staff), DocumentFactory(uploaded_by=outsider)
    ours_as_theirs = DocumentFactory.build(id=ours.pk, uploaded_by=outsider, clinic=theirs.clinic)
    assert sampling.lot(ours, 1) != sampling.lot(ours_as_theirs, 1)


def test_nothing_says_before_the_sign_off_that_a_page_is_drawn(run, reviewer):
    before = signed_in(reviewer).get(addresses(run)["document"]).content.decode()
    assert not SecondReview.objects.exists()
    assert "seconde révision" not in before


def test_a_page_that_is_opened_and_signed_again_has_the_same_lot(run):
    assert sampling.lot(run.document, 1) == sampling.lot(run.document, 1) != sampling.lot(run.document, 2)


def test_nobody_is_asked_where_the_share_is_nothing(run, reviewer, settings):
    settings.SECOND_REVIEW_SHARE = 0
    actions.sign_off(run=run, page=2, by=reviewer)
    assert not SecondReview.objects.exists()


@pytest.fixture
def risky_only(settings):
    settings.SECOND_REVIEW_SHARE, settings.SECOND_REVIEW_RISKY_SHARE = 0, 100


def decide_all(run, by, *, seconds):
    """Confirms every proposal of page 1, so many seconds after one another, and signs it."""
    leases.take_over(document=run.document, by=by)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for finding in run.findings.order_by("position"):
            actions.decide(finding=finding, value=Value.of(finding), by=by)
            clock.shift(timedelta(seconds=seconds))
        return actions.sign_off(run=run, page=1, by=by)


def test_a_page_without_a_risk_is_not_drawn_for_one(risky_only, run, reviewer):
    decide_all(run, reviewer, seconds=5)
    assert not SecondReview.objects.exists()


def test_a_page_signed_faster_than_anybody_can_look_is_a_risk(risky_only, run, reviewer):
    decide_all(run, reviewer, seconds=1)
    assert SecondReview.objects.get().cause == Cause.FAST


def test_an_added_number_is_a_risk(risky_only, run, reviewer):
    actions.add(document=run.document, page=2, value=Value(some_nam(9)), by=reviewer)
    actions.sign_off(run=run, page=2, by=reviewer)
    assert SecondReview.objects.get().cause == Cause.ADDITION


@pytest.mark.parametrize(("confidence", "causes"), [(0.5, [Cause.CORRECTION]), (0.95, [])])
def test_the_correction_of_an_unsure_proposal_is_a_risk(risky_only, run, reviewer, confidence, causes):
    finding = FindingFactory(run=run, page=2, confidence=confidence)
    actions.decide(finding=finding, value=Value(some_nam(9)), by=reviewer)
    actions.sign_off(run=run, page=2, by=reviewer)
    assert list(SecondReview.objects.values_list("cause", flat=True)) == causes


def test_numbers_confirmed_at_once_are_a_risk(risky_only, run, reviewer):
    finding = FindingFactory(run=run, page=2)
    actions.decide(finding=finding, value=Value.of(finding), batch=uuid.uuid4(), by=reviewer)
    actions.sign_off(run=run, page=2, by=reviewer)
    assert SecondReview.objects.get().cause == Cause.BATCH


def test_the_journal_knows_what_was_asked_and_why(review):
    event = Event.objects.get(verb=Verb.SECOND_ASKED)
    assert (event.document_id, event.page, event.reason_code) == (review.document_id, 1, "sample")


# --- Who may ---------------------------------------------------------------------------------------------------------


def test_a_hint_is_shown_to_the_second_reviewer_too(review, run, second):
    hint = HintFactory(run=run, value=some_nam(901))
    second_review.begin(review=review, by=second)
    page = signed_in(second).get(reverse("review:second-detail", args=[review.pk])).content.decode()
    assert nam.grouped(hint.value) in page
    assert reverse("review:second-add", args=[review.pk]) in page


def test_the_first_reviewer_is_refused(review, reviewer):
    with pytest.raises(Conflict, match=r"vous-même"):
        second_review.begin(review=review, by=reviewer)


def test_whoever_decided_one_number_of_the_page_is_refused(run, reviewer, second):
    decision = actions.decide(finding=run.findings.first(), value=None, reason="specimen", by=second)
    actions.undo(decision=decision, by=second)
    decide_all(run, reviewer, seconds=5)
    assert second_queries.to_review(second) == []
    with pytest.raises(Conflict, match=r"vous-même"):
        second_review.begin(review=SecondReview.objects.get(), by=second)


def test_whoever_saw_the_decisions_before_the_sign_off_is_refused(run, reviewer, second):
    client = signed_in(second)
    finding = run.findings.first()
    actions.decide(finding=finding, value=None, reason="specimen", by=reviewer)
    client.get(addresses(run)["document"])
    for other in run.findings.exclude(pk=finding.pk):
        actions.decide(finding=other, value=Value.of(other), by=reviewer)
    actions.sign_off(run=run, page=1, by=reviewer)
    assert second_queries.to_review(second) == []
    with pytest.raises(Conflict, match=r"Vous avez vu"):
        second_review.begin(review=SecondReview.objects.get(), by=second)


def test_whoever_looked_at_the_page_before_it_was_decided_may(run, reviewer, second):
    signed_in(second).get(addresses(run)["document"])
    decide_all(run, reviewer, seconds=5)
    assert second_review.begin(review=SecondReview.objects.get(), by=second).by == second


def test_whoever_was_shown_the_page_without_its_decisions_may(review, reviewer, second):
    """Also when the page is opened and signed again, which asks for another second review."""
    for name in ("document", "exports", "results"):
        signed_in(second).get(addresses(review.run)[name])
    second_review.begin(review=review, by=second)
    signed_in(second).get(reverse("review:second-detail", args=[review.pk]))
    actions.reopen(document=review.document, page=1, by=reviewer)
    actions.sign_off(run=review.run, page=1, by=reviewer)
    again = SecondReview.objects.get(state=SecondState.WAITING)
    assert second_review.begin(review=again, by=second).by == second


@pytest.mark.parametrize("role", ["staff", "admin"])
def test_only_reviewers_review_a_second_time(review, clinic, role):
    person = UserFactory(clinic=clinic, role=role)
    with pytest.raises(NotAllowed):
        second_review.begin(review=review, by=person)


def test_two_people_do_not_review_a_page_at_once(review, second, third):
    second_review.begin(review=review, by=second)
    with pytest.raises(Conflict):
        second_review.begin(review=review, by=third)


def test_what_somebody_left_for_a_day_is_taken_over_from_the_start(review, second, third):
    second_review.begin(review=review, by=second)
    second_review.decide(review=review, finding=review.run.findings.first(), value=None, reason="specimen", by=second)
    with time_machine.travel(timezone.now() + timedelta(days=1, minutes=1)):
        assert [each.pk for each in second_queries.to_review(third)] == [review.pk]
        taken = second_review.begin(review=review, by=third)
    assert (taken.by, all(item.decision is None for item in second_queries.items(taken))) == (third, True)


def test_nobody_answers_in_another_persons_second_review(review, second, third):
    second_review.begin(review=review, by=second)
    with pytest.raises(Conflict):
        second_review.decide(
            review=review, finding=review.run.findings.first(), value=None, reason="specimen", by=third
        )
    with pytest.raises(Conflict):
        second_review.finish(review=review, by=third)


def test_a_second_review_is_not_finished_with_something_undecided(review, second):
    second_review.begin(review=review, by=second)
    with pytest.raises(Conflict, match="3 propositions"):
        second_review.finish(review=review, by=second)


def test_the_same_answer_sent_twice_is_one(review, second):
    second_review.begin(review=review, by=second)
    number, finding = uuid.uuid4(), review.run.findings.first()
    for _turn in range(2):
        second_review.decide(review=review, finding=finding, value=Value.of(finding), decision_id=number, by=second)
    assert SecondDecision.objects.count() == 1


def test_a_proposal_of_another_page_is_refused(review, second):
    second_review.begin(review=review, by=second)
    elsewhere = FindingFactory(run=review.run, page=2)
    with pytest.raises(Conflict):
        second_review.decide(review=review, finding=elsewhere, value=Value.of(elsewhere), by=second)


# --- Blindness -------------------------------------------------------------------------------------------------------


def traces(reviewer):
    """What would give the first answers away: numbers, dates, verdicts, names."""
    numbers = [form for n in (77, 88) for form in (some_nam(n), f"{some_nam(n)[:4]} {some_nam(n)[4:8]}")]
    return [*numbers, "2024-01-17", "1 rejeté", "Corrigé", "Ajouté", reviewer.name, str(reviewer.pk)]


def found_in(body, looked_for):
    """Without the words that the page's scripts may ever say."""
    body = re.sub(r'data-word-\w+="[^"]*"', "", body)
    return [each for each in looked_for if each in body]


@pytest.mark.parametrize(
    "name",
    [
        "document",
        "exports",
        "results",
        "compare",
        "ahead",
        "file list",
        "queue",
        "calibration",
        "progress",
        "list",
        "quality",
        "weeks",
        "agreement",
        "mine",
    ],
)
def test_no_page_shows_the_first_answers_to_who_may_be_asked(review, reviewer, second, name):
    answer = signed_in(second).get(addresses(review.run)[name])
    assert answer.status_code == 200
    assert found_in(answer.content.decode(), traces(reviewer)) == []


def test_the_traces_are_there_for_the_first_reviewer(review, reviewer):
    client = signed_in(reviewer)
    body = client.get(addresses(review.run)["document"]).content.decode()
    assert len(found_in(body, traces(reviewer))) >= 4
    assert some_nam(88) in client.get(addresses(review.run)["results"]).content.decode()


def test_the_second_reviewers_page_shows_the_proposals_and_no_first_answer(review, reviewer, second):
    client = signed_in(second)
    client.post(reverse("review:second-begin", args=[review.pk]))
    body = client.get(reverse("review:second-detail", args=[review.pk])).content.decode()
    assert all(str(finding.pk) in body for finding in review.run.findings.all())
    assert found_in(body, traces(reviewer)) == []
    assert f"{some_nam(2)[:4]} {some_nam(2)[4:8]}" in body


def test_writing_to_a_hidden_page_is_refused_without_a_name(review, reviewer, second):
    client = signed_in(second)
    finding = review.run.findings.first()
    decision = Decision.objects.filter(verdict="add").get()
    posts = [
        (reverse("review:decide", args=[finding.pk]), {"verdict": "confirm"}),
        (reverse("review:reopen", args=[review.document_id, 1]), {}),
        (reverse("review:undo", args=[decision.pk]), {}),
        (reverse("review:undo-all", args=[review.document_id, 1]), {}),
        (reverse("review:sign-off", args=[review.document_id, 1]), {}),
    ]
    for address, data in posts:
        answer = client.post(address, data, headers={"Accept": "application/json"})
        assert found_in(answer.content.decode(), traces(reviewer)) == []
    assert Decision.objects.filter(undone_at=None).count() == 4
    assert review.sign_off.reopened_at is None


def test_results_are_as_if_nobody_had_decided(review, second):
    rows = json.loads(signed_in(second).get(addresses(review.run)["results"]).content)["results"]
    assert [(row["nam"], row["decision"]) for row in rows] == [(some_nam(n), None) for n in (1, 2, 3)]


def test_an_export_by_who_may_be_asked_leaves_the_page_out_and_says_why(review, second):
    found = sort_out(queries.lines(review.document, blindness.hidden_pages(second, review.document)))
    assert (found.leaving, {each.reason for each in found.staying}) == ([], {Reason.HIDDEN})
    with pytest.raises(Conflict):
        make_file(review.document, second)


def test_a_file_of_the_document_is_not_given_to_who_may_be_asked(review, staff, second):
    export = make_file(review.document, staff)
    client = signed_in(second)
    answer = client.get(reverse("review:download", args=[export.pk]))
    assert (answer.status_code, some_nam(77) in answer.content.decode()) == (409, False)
    assert str(export.pk) not in client.get(addresses(review.run)["exports"]).content.decode()


def test_staff_and_the_first_reviewer_see_the_page_as_before(review, staff, reviewer):
    assert blindness.hidden_pages(staff, review.document) == frozenset()
    assert blindness.hidden_pages(reviewer, review.document) == frozenset()


def test_everything_is_shown_when_the_second_review_is_over(review, second):
    answer_as_the_first(review, second)
    body = signed_in(second).get(addresses(review.run)["results"]).content.decode()
    assert some_nam(88) in body


def test_finishing_says_nothing_of_what_came_out(review, reviewer, second):
    client = signed_in(second)
    second_review.begin(review=review, by=second)
    for finding in review.run.findings.all():
        second_review.decide(review=review, finding=finding, value=Value.of(finding), by=second)
    answer = client.post(reverse("review:second-finish", args=[review.pk]), follow=True)
    assert "Seconde révision terminée" in answer.content.decode()
    assert found_in(answer.content.decode(), [*traces(reviewer), "ésaccord"]) == []


def test_a_second_answer_is_no_truth(review, second):
    truth, decisions = queries.truth(review.document), Decision.objects.count()
    second_review.begin(review=review, by=second)
    second_review.add(review=review, value=Value(some_nam(5)), by=second)
    assert (queries.truth(review.document), Decision.objects.count()) == (truth, decisions)


def test_the_journal_says_nothing_of_a_second_answer(review, second):
    answer_as_the_first(review, second)
    events = Event.objects.filter(verb=Verb.SECOND_DECIDED)
    assert events.count() == 4
    assert all((event.subject, event.reason_code, event.details) == (None, "", {}) for event in events)


# --- Opening the page again ------------------------------------------------------------------------------------------


def test_a_page_opened_by_its_reviewer_withdraws_the_second_review(review, reviewer, second):
    second_review.begin(review=review, by=second)
    actions.reopen(document=review.document, page=1, by=reviewer)
    review.refresh_from_db()
    assert review.state == SecondState.WITHDRAWN
    with pytest.raises(Conflict, match="rouverte"):
        second_review.finish(review=review, by=second)


def test_opening_a_page_again_is_no_way_out(review, reviewer, settings):
    settings.SECOND_REVIEW_SHARE = 0
    actions.reopen(document=review.document, page=1, by=reviewer)
    actions.sign_off(run=review.run, page=1, by=reviewer)
    assert SecondReview.objects.get(state=SecondState.WAITING).cause == Cause.AGAIN


def test_a_disputed_page_cannot_be_opened(review, reviewer, second):
    answer_as_the_first(review, second, but=(2,))
    with pytest.raises(Conflict, match="troisième personne"):
        actions.reopen(document=review.document, page=1, by=reviewer)
    body = signed_in(reviewer).get(addresses(review.run)["document"]).content.decode()
    assert reverse("review:reopen", args=[review.document_id, 1]) not in body


# --- Comparing -------------------------------------------------------------------------------------------------------


def test_two_equal_reviews_are_over_and_counted(review, second):
    done = answer_as_the_first(review, second)
    assert (done.state, done.same) == (SecondState.CLOSED, 4)
    assert done.counts == {"correct/correct": 1, "wrong/wrong": 2, "missing/missing": 1}
    assert not Disagreement.objects.exists()


def test_what_differs_waits_for_a_third_person(review, second):
    done = answer_as_the_first(review, second, but=(2, "addition"))
    assert (done.state, done.same) == (SecondState.DISPUTED, 2)
    assert done.counts == {"correct/correct": 1, "wrong/correct": 1, "wrong/wrong": 1, "missing/absent": 1}
    assert Disagreement.objects.count() == 2


def test_an_unpaired_answer_on_another_runs_proposal_is_an_added_number(review, second, run):
    later = RunFactory(document=review.document)
    FindingFactory(run=later, page=1, value=some_nam(1))
    answer_as_the_first(review, second)
    assert not Disagreement.objects.exists()


# --- The third person ------------------------------------------------------------------------------------------------


@pytest.fixture
def disputed(review, second):
    """The second reviewer confirmed what the first one corrected, and did not see the added number."""
    answer_as_the_first(review, second, but=(2, "addition"))
    review.refresh_from_db()
    return review


def about_the_proposal(review):
    return review.disagreements.get(second__isnull=False)


def about_the_addition(review):
    return review.disagreements.get(second=None)


@pytest.mark.parametrize("who", ["reviewer", "second"])
def test_neither_of_the_two_settles(request, disputed, who):
    person = request.getfixturevalue(who)
    assert list(second_queries.to_settle(person)) == []
    with pytest.raises(Conflict):
        second_review.settle(disagreement=about_the_proposal(disputed), value=None, reason="specimen", by=person)


def test_the_third_person_sees_both_answers_and_no_name(disputed, third, reviewer, second):
    disagreement = about_the_proposal(disputed)
    body = signed_in(third).get(reverse("review:disagreement", args=[disagreement.pk])).content.decode()
    plain = body.replace("<mark>", "").replace("</mark>", "")
    assert all(f"{some_nam(n)[:4]} {some_nam(n)[4:8]} {some_nam(n)[8:]}" in plain for n in (2, 77))
    assert found_in(body, [reviewer.name, second.name, str(reviewer.pk), str(second.pk)]) == []
    assert "checked" not in body


def test_which_answer_comes_first_does_not_tell_whose_it_is(disputed):
    letters = {
        second_queries.answers(Disagreement(pk=uuid.UUID(int=n), review=disputed, first=None,
                                            second=about_the_proposal(disputed).second))["a"] is None
        for n in range(1, 30)
    }  # fmt: skip
    assert letters == {True, False}


def test_the_first_answer_stays_where_the_third_person_agrees(disputed, third):
    first = about_the_proposal(disputed).first
    done = second_review.settle(disagreement=about_the_proposal(disputed), value=Value.of(first), by=third)
    first.refresh_from_db()
    assert (done.outcome, first.undone_at) == (first, None)


def test_another_answer_replaces_the_first_in_truth_and_scores(disputed, third):
    before = PageScore.objects.get()
    assert (before.tp, before.fp, before.fn, before.confusions != {}) == (1, 2, 2, True)
    disagreement = about_the_proposal(disputed)
    second_review.settle(disagreement=disagreement, value=Value(some_nam(2), DAY, CLOCK), by=third)
    disagreement.first.refresh_from_db()
    assert disagreement.first.undone_by == third
    assert (1, some_nam(2)) in queries.truth(disputed.document)
    assert (1, some_nam(77)) not in queries.truth(disputed.document)
    after = PageScore.objects.get()
    assert (after.tp, after.fp, after.fn, after.confusions) == (2, 1, 1, {})
    assert disputed.sign_off.reopened_at is None


def test_the_models_score_follows(disputed, third, run):
    page = RunPage.objects.create(run=run, number=1, state="found", right=1, wrong=4)
    second_review.settle(disagreement=about_the_proposal(disputed), value=Value(some_nam(2), DAY, CLOCK), by=third)
    page.refresh_from_db()
    assert (page.right, page.wrong) == (2, 2)


def test_a_score_follows_while_its_run_is_at_work_again(disputed, third, run):
    run.status = Status.QUEUED
    run.save()
    second_review.settle(disagreement=about_the_proposal(disputed), value=Value(some_nam(2), DAY, CLOCK), by=third)
    assert PageScore.objects.get().tp == 2


def test_a_number_that_is_not_there_leaves_the_truth(disputed, third):
    second_review.settle(disagreement=about_the_addition(disputed), value=None, by=third)
    assert (1, some_nam(88)) not in queries.truth(disputed.document)
    assert PageScore.objects.get().fn == 1


def test_a_number_that_only_the_second_saw_enters_the_truth(run, reviewer, second, third):
    decide_all(run, reviewer, seconds=5)
    review = SecondReview.objects.get()
    second_review.begin(review=review, by=second)
    for finding in run.findings.all():
        second_review.decide(review=review, finding=finding, value=Value.of(finding), by=second)
    second_review.add(review=review, value=Value(some_nam(90), DAY), box=HERE, by=second)
    second_review.finish(review=review, by=second)
    disagreement = Disagreement.objects.get()
    done = second_review.settle(disagreement=disagreement, value=Value.of(disagreement.second), by=third)
    assert (done.outcome.value, done.outcome.box, done.outcome.by) == (some_nam(90), HERE, third)
    assert PageScore.objects.get().fn == 1


def test_a_third_answer_becomes_the_truth(disputed, third):
    second_review.settle(disagreement=about_the_proposal(disputed), value=None, reason="illegible", by=third)
    assert [nam for _page, nam in queries.truth(disputed.document)] == [some_nam(1), some_nam(88)]


def test_every_step_is_in_the_journal(disputed, third):
    second_review.settle(disagreement=about_the_proposal(disputed), value=Value(some_nam(2), DAY, CLOCK), by=third)
    verbs = list(Event.objects.filter(actor_id=third.pk).order_by("seq").values_list("verb", flat=True))
    assert verbs == [Verb.DECISION_UNDONE, Verb.NAM_CONFIRMED, Verb.DISAGREEMENT_SETTLED]


def test_the_page_is_over_when_everything_is_settled(disputed, third):
    second_review.settle(disagreement=about_the_proposal(disputed), value=Value(some_nam(2), DAY, CLOCK), by=third)
    disputed.refresh_from_db()
    assert disputed.state == SecondState.DISPUTED
    second_review.settle(disagreement=about_the_addition(disputed), value=None, by=third)
    disputed.refresh_from_db()
    assert (disputed.state, disputed.closed_at is not None) == (SecondState.CLOSED, True)


def test_a_disagreement_is_settled_once(disputed, third):
    disagreement = about_the_addition(disputed)
    second_review.settle(disagreement=disagreement, value=None, by=third)
    with pytest.raises(Conflict):
        second_review.settle(disagreement=disagreement, value=None, by=third)


def test_a_disagreement_is_settled_through_the_page(disputed, third):
    client = signed_in(third)
    disagreement = about_the_proposal(disputed)
    letter = next(x for x, answer in second_queries.answers(disagreement).items() if answer == disagreement.second)
    answer = client.post(reverse("review:settle", args=[disagreement.pk]), {"answer": letter})
    assert answer["Location"] == reverse("review:disagreement", args=[about_the_addition(disputed).pk])
    answer = client.post(answer["Location"] + "settle/", {"answer": "none"})
    assert answer["Location"] == reverse("review:second-list")
    assert sorted(nam for _page, nam in queries.truth(disputed.document)) == sorted([some_nam(1), some_nam(2)])


@pytest.mark.parametrize(
    "sent",
    [{}, {"answer": "c"}, {"answer": "none"}, {"answer": "other", "nam": "X"}, {"answer": "other"}],
    ids=["nothing", "no such answer", "no reason", "no NAM", "no number"],
)
def test_a_settlement_that_says_nothing_is_refused(disputed, third, sent):
    answer = signed_in(third).post(reverse("review:settle", args=[about_the_proposal(disputed).pk]), sent)
    assert answer.status_code == 400
    assert Disagreement.objects.filter(settled_at=None).count() == 2


def test_another_number_is_typed_as_people_write_it(disputed, third):
    sent = {"answer": "other", "nam": some_nam(60).lower(), "visit_date": "2025-10-03", "visit_time": "9:15"}
    signed_in(third).post(reverse("review:settle", args=[about_the_proposal(disputed).pk]), sent)
    standing = Decision.objects.get(by=third)
    assert (standing.value, standing.verdict, standing.visit_time) == (some_nam(60), "correct", "09:15")


def test_another_clinics_second_reviews_do_not_exist(disputed, outsider):
    client = signed_in(outsider)
    disagreement = about_the_addition(disputed)
    assert client.get(reverse("review:second-detail", args=[disputed.pk])).status_code == 404
    assert client.get(reverse("review:disagreement", args=[disagreement.pk])).status_code == 404
    assert second_queries.to_review(outsider) == []


# --- Exports meanwhile -----------------------------------------------------------------------------------------------


def test_a_disputed_page_stays_out_of_exports_until_it_is_settled(disputed, staff, third):
    found = sort_out(queries.lines(disputed.document))
    assert (found.leaving, {each.reason for each in found.staying}) == ([], {Reason.DISPUTED})
    page = signed_in(staff).get(addresses(disputed.run)["exports"]).content.decode()
    assert "deux réviseurs sont en désaccord au sujet de sa page" in page
    second_review.settle(disagreement=about_the_proposal(disputed), value=Value(some_nam(2), DAY, CLOCK), by=third)
    second_review.settle(disagreement=about_the_addition(disputed), value=None, by=third)
    export = make_file(disputed.document, staff)
    assert [row["nam"] for row in json.loads(export.data)] == [some_nam(1), some_nam(2)]


def test_a_page_that_waits_for_its_second_review_is_exported(review, staff):
    assert [row["nam"] for row in json.loads(make_file(review.document, staff).data)] == [
        some_nam(1), some_nam(77), some_nam(88),
    ]  # fmt: skip
    assert Export.objects.count() == 1


# --- What is measured ------------------------------------------------------------------------------------------------


def test_the_quality_page_says_how_far_people_agree(disputed, admin):
    text = signed_in(admin).get(reverse("review:quality")).content.decode().replace("\u00a0", " ")
    assert "Une page a été révisée par deux personnes" in text
    assert "2 sur 4" in text
    assert "Désaccords ouverts" in text


def test_agreement_comes_as_a_file_by_week(disputed, admin):
    header, row = signed_in(admin).get(reverse("review:agreement-file")).content.decode().splitlines()
    values = dict(zip(header.split(","), row.split(","), strict=True))
    assert (values["pages"], values["items"], values["same"], values["same_share"]) == ("1", "4", "2", "0.5000")
    assert (values["wrong/correct"], values["missing/absent"], values["absent/missing"]) == ("1", "1", "0")


def test_nobody_is_named_where_agreement_is_shown(disputed, admin, reviewer, second):
    client = signed_in(admin)
    for name in ("quality", "agreement"):
        body = client.get(addresses(disputed.run)[name]).content.decode()
        assert found_in(body, [reviewer.name, second.name]) == []


def test_another_clinics_agreement_is_its_own(disputed, outsider):
    since = timezone.localdate() - timedelta(days=30)
    assert second_queries.agreement_by_week(outsider, since) == {}
    assert second_queries.standing(outsider).disagreements == 0


def test_a_clinic_without_a_second_reviewer_is_told(review, admin):
    text = signed_in(admin).get(reverse("review:quality")).content.decode()
    assert "n’a plus d’autre réviseur" in text


def test_a_clinic_without_a_third_reviewer_is_told_and_the_page_stays_open(disputed, admin):
    text = signed_in(admin).get(reverse("review:quality")).content.decode()
    assert "n’en a pas de troisième" in text
    assert disputed.state == SecondState.DISPUTED


def test_nothing_is_said_where_somebody_is_left(disputed, third, admin):
    text = signed_in(admin).get(reverse("review:quality")).content.decode()
    assert "n’en a pas de troisième" not in text


# --- Through the pages, without JavaScript ---------------------------------------------------------------------------


def test_a_second_review_goes_through_the_pages(review, second):
    client = signed_in(second)
    listed = client.get(reverse("review:second-list")).content.decode()
    assert reverse("review:second-begin", args=[review.pk]) in listed
    assert client.get(reverse("review:second-detail", args=[review.pk])).status_code == 409
    assert client.post(reverse("review:second-begin", args=[review.pk])).status_code == 302
    one, two, three = review.run.findings.order_by("position")
    page = reverse("review:second-detail", args=[review.pk])
    client.post(reverse("review:second-decide", args=[review.pk, one.pk]), {"verdict": "confirm"})
    typed = {"verdict": "correct", "nam": some_nam(77), "visit_date": "2024-01-17", "visit_time": "08:30"}
    client.post(reverse("review:second-decide", args=[review.pk, two.pk]), typed)
    client.post(reverse("review:second-decide", args=[review.pk, three.pk]), {"verdict": "confirm"})
    wrong = SecondDecision.objects.get(finding=three)
    assert reverse("review:second-undo", args=[wrong.pk]) in client.get(page).content.decode()
    client.post(reverse("review:second-undo", args=[wrong.pk]))
    rejected = {"verdict": "reject", "reason": "specimen"}
    client.post(reverse("review:second-decide", args=[review.pk, three.pk]), rejected)
    added = {"nam": some_nam(88), "visit_date": "2025-10-03", "box": "0.1,0.8,0.3,0.82"}
    client.post(reverse("review:second-add", args=[review.pk]), added)
    client.post(reverse("review:second-finish", args=[review.pk]))
    review.refresh_from_db()
    assert (review.state, review.same) == (SecondState.CLOSED, 4)


def test_a_page_of_a_second_review_costs_the_same_whatever_is_on_it(review, second, django_assert_max_num_queries):
    for position in range(10, 40):
        FindingFactory(run=review.run, page=1, position=position)
    second_review.begin(review=review, by=second)
    client = signed_in(second)
    with django_assert_max_num_queries(25):
        client.get(reverse("review:second-detail", args=[review.pk]))


def test_the_list_costs_the_same_however_long_it_is(staff, reviewer, second, django_assert_max_num_queries):
    run = RunFactory(document=DocumentFactory(uploaded_by=staff, page_count=30))
    for page in range(1, 31):
        actions.sign_off(run=run, page=page, by=reviewer)
    client = signed_in(second)
    with django_assert_max_num_queries(25):
        client.get(reverse("review:second-list"))
