"""Precision, recall, F1 and their intervals."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extraction.scoring import Score, score, wilson

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
