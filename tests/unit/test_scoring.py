"""Precision, recall, F1 and their intervals; calibration."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extraction.scoring import Score, calibration_error, score, share_sure, sure_from, wilson

A, B, C = (1, "A"), (1, "B"), (2, "A")


def test_the_same_number_on_another_page_is_another_number():
    assert score([A], [C]) == Score(tp=0, fp=1, fn=1)


def test_a_number_printed_twice_must_be_proposed_twice():
    assert score([A], [A, A]) == Score(tp=1, fp=0, fn=1)
    assert score([A, A], [A]) == Score(tp=1, fp=1, fn=0)


def test_a_ratio_without_a_denominator_is_unknown():
    empty = score([], [])
    assert (empty.precision, empty.recall, empty.f1, empty.precision_interval) == (None, None, None, None)


def test_known_values():
    result = Score(tp=89, fp=7, fn=9)
    assert result.precision == pytest.approx(0.9271, abs=1e-4)
    assert result.recall == pytest.approx(0.9082, abs=1e-4)
    assert result.f1 == pytest.approx(0.9175, abs=1e-4)


def test_wilson_agrees_with_a_published_example():
    low, high = wilson(81, 263)
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)


keys = st.lists(st.tuples(st.integers(1, 3), st.sampled_from("ABCD")), max_size=12)


@given(keys, keys)
def test_counts_add_up(ours, theirs):
    result = score(ours, theirs)
    assert (result.tp + result.fp, result.tp + result.fn) == (len(ours), len(theirs))


@given(st.integers(1, 500), st.data())
def test_an_interval_holds_its_share(total, data):
    hits = data.draw(st.integers(0, total))
    low, high = wilson(hits, total)
    assert 0 <= low <= hits / total <= high <= 1


def test_the_interval_of_f1_comes_from_that_of_its_share():
    # 81 of 263 is the published example above: 2 x 0.2553 / 1.2553 and 2 x 0.3662 / 1.3662.
    low, high = Score(tp=81, fp=100, fn=82).f1_interval
    assert (low, high) == pytest.approx((0.4068, 0.5361), abs=1e-4)


@given(st.integers(0, 200), st.integers(0, 200), st.integers(0, 200))
def test_the_interval_of_f1_holds_it(tp, fp, fn):
    result = Score(tp, fp, fn)
    if result.f1 is None:
        assert result.f1_interval is None
    else:
        low, high = result.f1_interval
        assert low - 1e-12 <= result.f1 <= high + 1e-12


def test_calibration_error_by_hand():
    # Bin 14 (0.933..1): means 0.97 and 0.5 right, 2 of 4 proposals. Bin 7 (0.467..0.533): 0.5 and 1 right, 2 of 4.
    outcomes = [(0.96, True), (0.98, False), (0.5, True), (0.5, True)]
    assert calibration_error(outcomes) == pytest.approx(0.5 * 0.47 + 0.5 * 0.5)


def test_errors_of_different_bins_do_not_cancel_out():
    assert calibration_error([(0.9, False), (0.1, True)]) == pytest.approx(0.9)


def test_errors_within_a_bin_do():
    assert calibration_error([(0.5, True), (0.5, False)]) == 0


def test_full_confidence_falls_into_the_last_bin():
    assert calibration_error([(1.0, True), (0.95, True)]) == pytest.approx(0.025)


def test_no_proposal_has_no_calibration():
    assert calibration_error([]) is None
    assert sure_from([]) is None
    assert share_sure([], 0) is None


def test_sure_from_is_the_lowest_confidence_that_is_precise_enough():
    outcomes = [(0.9, True), (0.8, True), (0.7, False), (0.6, True)]
    assert sure_from(outcomes, precision=0.999) == 0.8
    assert sure_from(outcomes, precision=0.75) == 0.6


def test_proposals_of_one_confidence_stand_and_fall_together():
    assert sure_from([(0.9, True), (0.8, True), (0.8, False)]) == 0.9
    assert sure_from([(0.8, True), (0.8, False)]) is None


def test_one_error_in_a_thousand_is_allowed():
    right = [(0.9, True)] * 999
    assert sure_from([*right, (0.9, False)]) == 0.9
    assert sure_from([*right[:-1], (0.9, False)]) is None


def test_missed_numbers_lower_the_share_that_is_sure():
    outcomes = [(0.9, True), (0.8, True), (0.7, False)]
    assert share_sure(outcomes, 4) == 0.5
    assert share_sure([(0.7, False)], 4) == 0.0
