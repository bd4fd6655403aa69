"""What sign-offs say of the machine: scored once a page and run, forgotten when a page is opened, shown in counts."""

from __future__ import annotations

from datetime import date, time, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from extraction import following
from extraction.models import Finder
from extraction.scoring import Score
from review import actions, quality, scores
from review.actions import Value
from review.effort import Effort
from review.models import PageScore, SignOff
from review.scores import Visit
from tests.factories import DocumentFactory, FindingFactory, RunFactory, RunPageFactory, some_nam

pytestmark = pytest.mark.django_db

PAGE = reverse("review:quality")
MOST_QUERIES = 24
DAY, CLOCK = date(2025, 10, 3), time(8, 30)


def a_run(document, numbers, **fields):
    run = RunFactory(document=document, **fields)
    RunPageFactory(run=run, number=1)
    for position, number in enumerate(numbers):
        FindingFactory(run=run, page=1, position=position, value=some_nam(number), visit_date="2025-10-03",
                       visit_time="08:30")  # fmt: skip
    following.tell(document.pk)
    return run


@pytest.fixture
def signed(staff, reviewer):
    """Of three proposals one is right, one is corrected, one rejected; a fourth number was missed."""
    run = a_run(DocumentFactory(uploaded_by=staff), (1, 2, 3), rules_version="r1")
    first, second, third = run.findings.order_by("position")
    actions.decide(finding=first, value=Value(first.value, DAY, time(9, 0)), by=reviewer)
    wrong = second.value
    actions.decide(finding=second, value=Value(wrong[:4] + "9" + wrong[5:], DAY, CLOCK), by=reviewer)
    actions.decide(finding=third, value=None, reason="specimen", by=reviewer)
    actions.add(document=run.document, page=1, value=Value(some_nam(9)), by=reviewer)
    actions.sign_off(run=run, page=1, by=reviewer)
    return run


def overall(user):
    return quality.overall(quality.weeks(quality.totals(user, since()), since(), timezone.localdate()))


def since(days: int = 30):
    return timezone.localdate() - timedelta(days=days)


def test_a_sign_off_scores_its_page(signed):
    row = PageScore.objects.get()
    assert (row.run, row.page, row.reader) == (signed, 1, "text_layer")
    assert (row.tp, row.fp, row.fn) == (1, 2, 2)
    assert (row.day_right, row.clock_right) == (1, 0)  # the time was corrected
    assert row.confusions == {f"{some_nam(2)[4]}9": 1}


def test_a_page_that_is_opened_again_has_no_score(signed, reviewer):
    actions.reopen(document=signed.document, page=1, by=reviewer)
    assert not PageScore.objects.exists()


def test_a_run_that_comes_later_is_scored_when_somebody_looks(signed, reviewer, client):
    later = a_run(signed.document, (1, 9), rules_version="r2")
    client.force_login(reviewer)
    client.get(PAGE)
    row = PageScore.objects.get(run=later)
    assert (row.tp, row.fp, row.fn) == (2, 0, 1)
    assert row.signed_on == timezone.localdate(SignOff.objects.get().signed_at)
    client.get(PAGE)
    assert PageScore.objects.count() == 2


def test_a_page_counts_once_for_the_clinic_and_once_for_each_configuration(signed, reviewer):
    a_run(signed.document, (1, 9), rules_version="r2")
    scores.catch_up(reviewer)
    result = overall(reviewer)
    assert (result.pages, result.nams, result.score) == (1, 3, Score(1, 2, 2))  # of the run that was reviewed
    assert sorted(
        (each.rules, each.result.score.tp) for each in quality.configurations(quality.totals(reviewer, since()))
    ) == [
        ("r1", 1),
        ("r2", 2),
    ]


def test_a_run_without_the_model_is_pattern_only(staff, reviewer):
    run = a_run(DocumentFactory(uploaded_by=staff), (), finder=Finder.HYBRID, model_name="m", without_model=True)
    actions.sign_off(run=run, page=1, by=reviewer)
    (each,) = quality.configurations(quality.totals(reviewer, since()))
    assert (each.model, each.result.score.precision) == ("", None)


def test_a_week_without_a_signed_page_is_there_and_empty(signed, reviewer):
    PageScore.objects.update(signed_on=date(2026, 11, 3))
    until = date(2026, 11, 20)
    begins = until - timedelta(days=21)
    found = quality.weeks(quality.totals(reviewer, begins), begins, until)
    assert [(week.begins.isoformat(), week.result.pages) for week in found] == [
        ("2026-10-26", 0), ("2026-11-02", 1), ("2026-11-09", 0), ("2026-11-16", 0),
    ]  # fmt: skip
    parts = [len(curve.parts) for curve in quality.chart(found).curves]
    assert parts == [1, 1, 1]


def test_another_clinic_sees_nothing_of_it(signed, outsider):
    scores.catch_up(outsider)
    assert overall(outsider).pages == 0


def test_a_number_twice_on_a_page_is_compared_with_its_likest_one():
    proposed = [Visit("A", "2025-01-01", "08:00"), Visit("A", "2025-01-02", None)]
    true = [Visit("A", "2025-01-02", None), Visit("A", "2025-01-01", "09:00")]
    assert scores.visits_right(proposed, true) == (2, 1)


def test_numbers_of_other_lengths_are_no_confusion():
    assert scores.confusions([("AB", "ABC"), ("AB0", "ABO"), ("AB0", "ABO")]) == {"0O": 2}


def test_the_page_says_how_well_the_machine_does_and_shows_no_number(signed, reviewer, client):
    client.force_login(reviewer)
    answer = client.get(PAGE)
    text = answer.content.decode().replace("\u00a0", " ").replace("\u202f", " ")
    assert "Des 3 NAM d’une page signée" in text
    assert "33,3" in text
    assert not any(some_nam(n) in text for n in range(10))


@pytest.mark.parametrize("period", ["month", "quarter", "year", "nonsense"])
def test_the_page_opens_for_every_period(signed, admin, client, period):
    client.force_login(admin)
    assert client.get(PAGE, {"period": period}).status_code == 200


def test_the_page_opens_without_any_signed_page(reviewer, client):
    client.force_login(reviewer)
    assert "rien à quoi comparer" in client.get(PAGE).content.decode()


def test_the_weeks_come_as_a_file_with_the_same_numbers(signed, reviewer, client):
    client.force_login(reviewer)
    rows = client.get(reverse("review:quality-file")).content.decode().splitlines()
    assert rows[0].startswith("week,pages,nams,tp,fp,fn")
    assert rows[-1].split(",")[1:6] == ["1", "3", "1", "2", "2"]


def test_the_page_costs_the_same_however_many_pages_were_signed(
    signed, reviewer, client, django_assert_max_num_queries
):
    for number in range(2, 40):
        PageScore.objects.create(run=signed, clinic=reviewer.clinic, page=number, signed_on=timezone.localdate(),
                                 tp=3, fp=0, fn=0, day_right=3, clock_right=3)  # fmt: skip
    scores.regroup(signed.document_id)
    client.force_login(reviewer)
    client.get(PAGE)  # Days that are over are counted once.
    with django_assert_max_num_queries(MOST_QUERIES):
        assert "39 pages" in client.get(PAGE).content.decode().replace("\u00a0", " ")


# --- Confidence, and what the work takes -----------------------------------------------------------------------------


def test_of_a_number_proposed_twice_and_standing_once_the_more_confident_one_is_right():
    outcomes = scores.outcomes_of([(0.5, "A"), (0.9, "A"), (0.7, "B")], ["A"])
    assert outcomes == [(0.9, True), (0.7, False), (0.5, False)]


def test_outcomes_are_kept_by_bin():
    assert scores.binned([(0.99, True), (1.0, False), (0.0, False)]) == {"14": (2, 1, 1.99), "0": (1, 0, 0.0)}


def test_seconds_are_counted_from_one_decision_of_a_person_to_their_next():
    begin = timezone.now()
    moments = [("a", 0), ("a", 4), ("b", 5), ("b", 125), ("b", 246)]
    pauses = scores.review_pauses([(who, begin + timedelta(seconds=seconds)) for who, seconds in moments])
    assert pauses == [4, 120]


def test_a_sign_off_keeps_confidences_agreement_and_time(signed):
    row = PageScore.objects.get()
    assert row.calibration == {"14": [3, 1, pytest.approx(2.97)]}
    assert (row.decided, row.agreed, row.timed) == (3, 0, 3)


def test_the_calibration_error_is_that_of_the_single_outcomes(signed, reviewer):
    from extraction.scoring import calibration_error

    found = quality.calibration(quality.newest_pages(quality.reviewed(quality.scores(reviewer, since()))))
    assert found.count == 3
    assert found.error == pytest.approx(calibration_error([(0.99, True), (0.99, False), (0.99, False)]))
    assert (found.bins[14].share, found.bins[14].mean) == (pytest.approx(1 / 3), pytest.approx(0.99))
    assert len(found.chart.bars) == 1


def test_without_a_proposal_nothing_is_said_of_confidence(reviewer):
    found = quality.calibration(quality.newest_pages(quality.reviewed(quality.scores(reviewer, since()))))
    assert (found.count, found.error) == (0, None)


def test_rows_from_before_confidences_were_kept_are_scored_anew(signed, reviewer):
    PageScore.objects.update(calibration=None, decided=0)
    scores.note(signed.document_id)
    scores.catch_up(reviewer)
    row = PageScore.objects.get()
    assert (row.calibration is not None, row.decided) == (True, 3)


def test_pages_a_second_are_of_documents_that_went_through_in_one_go(staff, reviewer):
    ends = timezone.now()
    for seconds, turn in ((10, 0), (20, 0), (40, 0), (9000, 1)):
        RunFactory(document=DocumentFactory(uploaded_by=staff, page_count=20), turn=turn, finished_at=ends,
                   started_at=ends - timedelta(seconds=seconds))  # fmt: skip
    found = quality.speed(quality.newest_runs(reviewer, since()))
    assert (found.documents, found.middle, found.slow) == (3, pytest.approx(1.0), pytest.approx(0.5))


def test_no_document_has_no_speed(reviewer):
    assert quality.speed(quality.newest_runs(reviewer, since())) is None


def test_the_bins_come_as_a_file(signed, reviewer, client):
    client.force_login(reviewer)
    rows = client.get(reverse("review:calibration-file")).content.decode().splitlines()
    assert rows[0].startswith("from,to,proposals,right,mean_confidence,share_right")
    assert len(rows) == 16
    assert rows[-1].startswith("0.9333,1.0000,3,1,0.9900,0.3333")


def test_the_page_shows_confidence_agreement_and_the_plot(signed, reviewer, client):
    client.force_login(reviewer)
    text = client.get(PAGE).content.decode()
    assert 'aria-labelledby="calibration-title calibration-says"' in text
    assert "Confirmées telles quelles" in text
    assert "Coût d’un document" not in text


def test_an_administrator_also_sees_uptime_and_cost(signed, admin, client, settings):
    settings.LLM_ENDPOINT = "http://127.0.0.1:9/v1"
    client.force_login(admin)
    text = client.get(PAGE).content.decode()
    assert "Coût d’un document" in text
    assert "heures ouvrables" in text


# --- Keys of an item -------------------------------------------------------------------------------------------------


@pytest.fixture
def handled(staff, reviewer):
    """One confirmed by one key, one corrected by seven, one that nobody counted."""
    run = a_run(DocumentFactory(uploaded_by=staff), (1, 2, 3))
    first, second, third = run.findings.order_by("position")
    actions.decide(finding=first, value=Value.of(first), effort=Effort(1, 0), by=reviewer)
    actions.decide(finding=second, value=Value(second.value, DAY, time(9, 0)), effort=Effort(7, 1), by=reviewer)
    actions.decide(finding=third, value=Value.of(third), by=reviewer)
    actions.sign_off(run=run, page=1, by=reviewer)
    return run


def test_a_sign_off_keeps_what_its_items_took_by_action(handled):
    assert PageScore.objects.get().effort == {"confirm/1/0": 1, "correct/7/1": 1}


def test_what_was_taken_back_is_not_counted(handled, reviewer):
    actions.reopen(document=handled.document, page=1, by=reviewer)
    corrected = handled.document.decisions.get(verdict="correct")
    actions.undo(decision=corrected, by=reviewer)
    actions.decide(finding=corrected.finding, value=None, reason="specimen", effort=Effort(2, 0), by=reviewer)
    actions.sign_off(run=handled, page=1, by=reviewer)
    assert PageScore.objects.get().effort == {"confirm/1/0": 1, "reject/2/0": 1}


def test_the_page_says_the_keys_of_an_item(handled, reviewer, client):
    client.force_login(reviewer)
    text = client.get(PAGE).content.decode()
    assert "Touches par élément" in text
    assert "la moitié de 2 éléments" in text


def test_keys_come_as_a_file_by_week_and_action(handled, reviewer, client):
    client.force_login(reviewer)
    rows = client.get(reverse("review:effort-file")).content.decode().splitlines()
    week = quality.monday(timezone.localdate()).isoformat()
    assert rows == [
        "week,action,items,keys_median,keys_p90,presses_median,presses_p90",
        f"{week},confirm,1,1,1,0,0",
        f"{week},correct,1,7,7,1,1",
        f"{week},all,2,1,7,0,1",
    ]


def test_pages_from_before_keys_were_counted_say_nothing(signed, reviewer, client):
    client.force_login(reviewer)
    assert "Touches par élément" not in client.get(PAGE).content.decode()
