"""What is kept of a day is what would be counted of it now, whatever happened in between and whoever looks."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.db import connection, transaction
from django.utils import timezone

from extraction import following
from extraction.models import Document
from review import actions, quality, sampling, score_days, scores, second_queries
from review.agreement import Agreement
from review.models import PageScore, ScoreDay, ScoreGroup, SecondReview, SecondState, TouchedDay
from review.quality import Result
from tests.factories import DocumentFactory, UserFactory
from tests.integration.test_quality_totals import a_run, sign

pytestmark = pytest.mark.django_db

BEGINS = datetime(2026, 3, 2, 14, tzinfo=UTC)
SINCE = date(2026, 3, 1)


@pytest.fixture
def clock():
    """The moment, which a test moves on."""
    with time_machine.travel(BEGINS, tick=False) as traveller:
        yield traveller


@pytest.fixture
def other(clinic):
    """A reviewer who signed nothing, from whom pages are hidden while their second review is open."""
    return UserFactory(clinic=clinic, role="reviewer")


def signed_document(staff, reviewer, right: int = 2, wrong: int = 1) -> Document:
    run = a_run(DocumentFactory(uploaded_by=staff), right, wrong)
    sign(run, right, reviewer)
    SecondReview.objects.filter(document=run.document).delete()  # Tests draw their own.
    return run.document


def second(document: Document, state: SecondState, by) -> SecondReview:
    is_over = state in (SecondState.CLOSED, SecondState.DISPUTED)
    return SecondReview.objects.create(
        document=document, run=document.runs.earliest("created_at"), page=1, cause="sample", state=state,
        sign_off=document.sign_offs.get(reopened_at=None), by=by if is_over else None, same=2,
        finished_at=timezone.now() if is_over else None, counts={"correct/correct": 2, "correct/wrong": 1},
    )  # fmt: skip


# --- Both ways of counting -------------------------------------------------------------------------------------------


def counted_at_once(user) -> tuple[dict[date, Result], dict[tuple[ScoreGroup, bool], Result]]:
    """What `quality.totals` says, added up from every score that the person may see, one by one."""
    by_day: dict[date, Result] = defaultdict(Result)
    by_group: dict[tuple[ScoreGroup, bool], Result] = defaultdict(Result)
    for each in quality.scores(user, SINCE).select_related("group"):
        score = quality.Score(each.tp, each.fp, each.fn)
        review = (each.decided, each.agreed, each.timed, each.review_seconds)
        result = Result(1, score, each.day_right, each.clock_right, *review)
        by_group[each.group, each.is_reviewed] += result
        if each.is_reviewed:
            by_day[each.signed_on] += result
    return dict(by_day), dict(by_group)


def agreed_at_once(user) -> dict[date, Agreement]:
    weeks: dict[date, Agreement] = defaultdict(Agreement)
    done = SecondReview.objects.filter(state__in=("closed", "disputed"), document__clinic=user.clinic_id)
    for each in done:
        table = {tuple(pair.split("/")): count for pair, count in each.counts.items()}
        weeks[quality.monday(timezone.localdate(each.finished_at))] += Agreement(1, table, each.same)
    return dict(weeks)


def assert_both_are_equal(*people) -> None:
    for user in people:
        found = quality.totals(user, SINCE)
        by_day, by_group = counted_at_once(user)
        assert {day: rounded(each) for day, each in by_day.items()} == found.by_day
        assert {group: rounded(each) for group, each in by_group.items()} == found.by_group
        assert second_queries.agreement_by_week(user, SINCE) == agreed_at_once(user)


def rounded(result: Result) -> Result:
    return Result(result.pages, result.score, result.day_right, result.clock_right, result.decided, result.agreed,
                  result.timed, round(result.review_seconds, 6))  # fmt: skip


class Months:
    """What happens in a clinic, a step at a time."""

    def __init__(self, seed: int, clock, staff, reviewer, other) -> None:
        self.draw = random.Random(seed)  # noqa: S311  (not a secret)
        self.clock, self.staff, self.reviewer, self.other = clock, staff, reviewer, other
        self.documents: list[Document] = []

    def step(self) -> None:
        always = (self.look, self.wait, self.sign)
        of_documents = (self.try_again, self.tell_kind, self.open_again, self.review_again, self.take_an_answer_away)
        self.draw.choice(always + always + of_documents if self.documents else always)()

    def look(self) -> None:
        assert_both_are_equal(self.reviewer, self.other)

    def wait(self) -> None:
        self.clock.shift(timedelta(days=self.draw.randint(1, 3), minutes=self.draw.randint(0, 600)))

    def sign(self) -> None:
        right, wrong = self.draw.randint(0, 3), self.draw.randint(0, 2)
        self.documents.append(signed_document(self.staff, self.reviewer, right, wrong))

    def try_again(self) -> None:
        a_run(self.draw.choice(self.documents), self.draw.randint(0, 3), rules_version=f"r{self.draw.randint(1, 3)}")
        scores.catch_up(self.reviewer)

    def tell_kind(self) -> None:
        document = self.draw.choice(self.documents)
        Document.objects.filter(pk=document.pk).update(kind=self.draw.choice(("fax", "scan", "photo")))
        following.tell(document.pk)

    def open_again(self) -> None:
        document = self.documents.pop(self.draw.randrange(len(self.documents)))
        sampling.withdraw(document=document, page=1, by=self.reviewer)
        actions.reopen(document=document, page=1, by=self.reviewer)

    def review_again(self) -> None:
        document = self.draw.choice(self.documents)
        states = (SecondState.WAITING, SecondState.DISPUTED, SecondState.CLOSED)
        if not document.second_reviews.exists():
            second(document, self.draw.choice(states), self.other)

    def take_an_answer_away(self) -> None:
        document = self.draw.choice(self.documents)
        standing = document.decisions.filter(undone_at=None).order_by("made_at", "pk").first()
        if standing is not None:
            actions.replace(signed=document.sign_offs.get(reopened_at=None), standing=standing, by_now=None,
                            run=document.runs.earliest("created_at"), by=self.other)  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_kept_days_are_what_would_be_counted_now(seed, clock, staff, reviewer, other):
    months = Months(seed, clock, staff, reviewer, other)
    for _turn in range(40):
        months.step()
    months.look()
    months.wait()
    months.look()
    assert ScoreDay.objects.exists()


# --- What is kept, and until when ------------------------------------------------------------------------------------


def test_a_day_is_counted_once(clock, staff, reviewer):
    signed_document(staff, reviewer)
    clock.shift(timedelta(days=5))
    quality.totals(reviewer, SINCE)
    assert ScoreDay.objects.filter(day=timezone.localdate(BEGINS)).exists()
    PageScore.objects.update(tp=7)  # By nobody who leaves a note.
    assert quality.totals(reviewer, SINCE).by_day[timezone.localdate(BEGINS)].score.tp == 2


@pytest.mark.parametrize(("days", "is_kept"), [(0, False), (1, False), (2, True)])
def test_a_day_is_kept_when_the_next_one_is_over(clock, staff, reviewer, days, is_kept):
    signed_document(staff, reviewer)
    clock.shift(timedelta(days=days))
    quality.totals(reviewer, SINCE)
    assert ScoreDay.objects.filter(day=timezone.localdate(BEGINS)).exists() == is_kept


def test_a_note_is_gone_when_its_day_was_counted_anew(clock, staff, reviewer):
    document = signed_document(staff, reviewer)
    clock.shift(timedelta(days=5))
    quality.totals(reviewer, SINCE)
    actions.reopen(document=document, page=1, by=reviewer)
    assert [each.day for each in TouchedDay.objects.all()] == [timezone.localdate(BEGINS)]
    assert quality.totals(reviewer, SINCE).by_day == {}
    assert not TouchedDay.objects.exists()


def test_days_of_now_leave_no_note(clock, staff, reviewer):
    document = signed_document(staff, reviewer)
    actions.reopen(document=document, page=1, by=reviewer)
    assert not TouchedDay.objects.exists()


def test_a_day_on_which_nothing_happened_is_not_counted_again(clock, reviewer, django_assert_num_queries):
    clock.shift(timedelta(days=20))
    quality.totals(reviewer, SINCE)
    with django_assert_num_queries(4):  # Groups, notes, days, second reviews that are open.
        quality.totals(reviewer, SINCE)


def test_days_of_another_clinic_stay_as_they_are(clock, staff, reviewer, outsider):
    signed_document(staff, reviewer)
    clock.shift(timedelta(days=5))
    quality.totals(reviewer, SINCE)
    assert quality.totals(outsider, SINCE).by_day == {}
    assert len(quality.totals(reviewer, SINCE).by_day) == 1


@pytest.mark.django_db(transaction=True)
def test_a_change_that_was_under_way_while_a_day_was_counted_is_not_missed(clock, staff, reviewer):
    """The change is committed after the count has begun and before it is kept."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite lets nobody write beside a transaction")
    from concurrent.futures import ThreadPoolExecutor

    signed_document(staff, reviewer)
    day = timezone.localdate(BEGINS)
    clock.shift(timedelta(days=5))

    def count() -> None:
        try:
            quality.totals(reviewer, SINCE)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        score_days.touch(reviewer.clinic_id, [day])
        PageScore.objects.update(tp=9)
        pool.submit(count).result(30)  # It waits for nobody, and sees what was committed.
        assert ScoreDay.objects.get(day=day).scores[0][3] == 2
    assert quality.totals(reviewer, SINCE).by_day[day].score.tp == 9
