"""Comparing what was proposed with what is true: what counts as right, as one error, and in which kind."""

from __future__ import annotations

from datetime import date, time

from extraction.evaluation import Evaluation, Known, by_kind, errors, evaluate, kind_of
from extraction.finders.proposal import Checks, Proposal
from extraction.page import Box
from extraction.scoring import Score

HERE, THERE = Box(0.1, 0.1, 0.3, 0.12), Box(0.6, 0.1, 0.8, 0.12)
NAM, MISREAD, OTHER = "TREM04121925", "TREM04121926", "ROYJ85062018"


def known(value=NAM, page=1, visit=("2025-10-03", "08:30"), box=None):
    return Known(value, page, visit, box)


def proposal(value=NAM, page=1, day=date(2025, 10, 3), clock=time(8, 30), box=HERE, confidence=0.9):
    checks = Checks(format=True, birth_date=True, check_character=True, name=None)
    return Proposal(value, page, box, value, day, clock, ("pattern",), checks, confidence)


def compared(proposals, truth):
    return evaluate(proposals, truth, pages=1, failed_pages=0, seconds=1.0)


def whats(proposals, truth):
    return [error.what for error in errors(proposals, truth)]


def test_exact_value_on_exact_page_is_right():
    result = compared([proposal(), proposal(page=2), proposal(MISREAD)], [known()])
    assert result.score == Score(tp=1, fp=2, fn=0)


def test_dates_and_times_count_for_found_numbers_only():
    result = compared([proposal(clock=None)], [known(), known(OTHER)])
    assert (result.dates_right, result.times_right) == (1, 0)
    assert (result.date_accuracy, result.time_accuracy) == (1.0, 0.0)


def test_an_unknown_time_is_right_where_the_page_says_none():
    assert compared([proposal(clock=None)], [known(visit=("2025-10-03", None))]).times_right == 1


def test_a_number_printed_twice_is_paired_in_reading_order():
    truth = [known(visit=("2025-10-03", "08:30")), known(visit=("2025-10-03", "09:00"))]
    assert compared([proposal(clock=time(8, 30)), proposal(clock=time(9))], truth).times_right == 2


def test_every_proposal_is_an_outcome_with_its_confidence():
    result = compared([proposal(confidence=0.9), proposal(OTHER, confidence=0.4)], [known()])
    assert sorted(result.outcomes) == [(0.4, False), (0.9, True)]


def test_sums_keep_everything():
    total = compared([proposal()], [known()]) + compared([proposal(OTHER)], [known()])
    assert (total.score, total.pages, total.seconds) == (Score(1, 1, 1), 2, 2.0)
    assert len(total.outcomes) == 2


def test_nothing_measured_has_no_shares():
    body = Evaluation().to_json()
    keys = ("precision", "f1_95", "date_accuracy", "calibration_error", "sure_from", "share_sure", "seconds_per_page")
    assert [body[key] for key in keys] == [None] * len(keys)


def test_what_is_right_is_no_error():
    assert errors([proposal()], [known()]) == []


def test_a_nearly_equal_value_is_one_misreading_instead_of_two_errors():
    assert whats([proposal(MISREAD)], [known()]) == ["misread"]


def test_another_value_at_the_same_place_is_a_misreading():
    assert whats([proposal(OTHER, box=HERE)], [known(box=HERE)]) == ["misread"]


def test_another_value_elsewhere_is_a_miss_and_a_false_proposal():
    assert whats([proposal(OTHER, box=THERE)], [known(box=HERE)]) == ["missed", "false"]
    assert whats([proposal(MISREAD, page=2)], [known()]) == ["missed", "false"]


def test_a_wrong_visit_of_a_found_number_is_an_error_of_its_own():
    assert whats([proposal(day=None, clock=time(9))], [known()]) == ["date", "time"]


def test_errors_stand_in_the_order_of_pages():
    found = errors([proposal(OTHER, page=3), proposal(OTHER, page=1)], [known(page=2)])
    assert [(error.known or error.proposed).page for error in found] == [1, 2, 3]


def test_the_kind_is_the_name_without_its_seed():
    assert [kind_of(name) for name in ("agenda-scan-2026", "agenda", "my-file")] == ["agenda-scan", "agenda", "my-file"]


def test_documents_of_a_kind_are_summed():
    one = compared([proposal()], [known()])
    kinds = by_kind({"agenda-1": one, "agenda-2": one, "form-1": one})
    assert {kind: result.score.tp for kind, result in kinds.items()} == {"agenda": 2, "form": 1}


def test_truth_may_say_where_and_what_is_printed():
    item = {"nam": "trem 0412 1925", "page": 1, "date": None, "time": None, "box": [0.1, 0.1, 0.3, 0.12], "text": "x"}
    assert Known.from_json(item) == Known(NAM, 1, (None, None), HERE, "x")
