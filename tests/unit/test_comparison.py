"""Two people's answers to one page: what is compared with what, and when they are the same."""

from __future__ import annotations

import uuid

import pytest

from extraction.page import Box
from review.comparison import Said, compare, tally

FINDING = uuid.UUID(int=1)
HERE, BESIDE, ELSEWHERE = Box(0.1, 0.1, 0.3, 0.12), Box(0.11, 0.1, 0.31, 0.12), Box(0.6, 0.8, 0.8, 0.82)


def on(nam, day="2025-10-03", clock="08:30", finding=FINDING):
    """An answer to a proposal of A."""
    return Said(uuid.uuid4(), finding, "A", nam, day if nam else None, clock if nam else None, HERE)


def added(nam, box=HERE, day=None):
    return Said(uuid.uuid4(), None, None, nam, day, None, box)


@pytest.mark.parametrize(
    ("first", "second", "categories", "is_same"),
    [
        (on("A"), on("A"), ("correct", "correct"), True),
        (on("A"), on("B"), ("correct", "wrong"), False),
        (on("B"), on("B"), ("wrong", "wrong"), True),
        (on("B"), on("C"), ("wrong", "wrong"), False),
        (on(None), on(None), ("wrong", "wrong"), True),
        (on("B"), on(None), ("wrong", "wrong"), False),
        (on("A"), on("A", day="2025-10-04"), ("correct", "correct"), False),
        (on("A"), on("A", clock=None), ("correct", "correct"), False),
    ],
    ids=["confirmed", "corrected", "corrected alike", "corrected otherwise", "rejected", "rejected or corrected",
         "another date", "another time"],
)  # fmt: skip
def test_a_proposal_is_one_item(first, second, categories, is_same):
    (pair,) = compare([first], [second])
    assert (pair.categories, pair.is_same) == (categories, is_same)


def test_a_number_that_both_added_is_the_same_wherever_they_drew_it():
    (pair,) = compare([added("A", HERE)], [added("A", ELSEWHERE)])
    assert (pair.categories, pair.is_same) == (("missing", "missing"), True)


def test_two_readings_of_one_print_are_one_item():
    (pair,) = compare([added("A", HERE)], [added("B", BESIDE)])
    assert (pair.categories, pair.is_same) == (("missing", "missing"), False)


def test_numbers_at_different_places_are_two_items():
    pairs = compare([added("A", HERE)], [added("B", ELSEWHERE)])
    assert [pair.categories for pair in pairs] == [("missing", "absent"), ("absent", "missing")]


def test_without_a_place_only_the_number_tells():
    pairs = compare([added("A", None)], [added("B", None)])
    assert len(pairs) == 2


def test_a_number_that_stands_twice_is_paired_by_its_place():
    one, two = added("A", HERE, "2025-10-03"), added("A", ELSEWHERE, "2025-10-04")
    pairs = compare([one, two], [added("A", ELSEWHERE, "2025-10-04"), added("A", HERE, "2025-10-03")])
    assert all(pair.is_same for pair in pairs)


def test_each_answer_is_in_one_pair():
    pairs = compare([added("A"), added("A")], [added("A")])
    assert sorted(pair.categories for pair in pairs) == [("missing", "absent"), ("missing", "missing")]


def test_an_answer_to_a_proposal_that_only_one_has_is_kept():
    (pair,) = compare([], [on("A")])
    assert (pair.first, pair.categories) == (None, ("absent", "correct"))


def test_a_page_is_counted_by_category():
    pairs = compare([on("A"), added("B")], [on("A")])
    assert tally(pairs).table == {("correct", "correct"): 1, ("missing", "absent"): 1}
    assert tally(pairs).same == 1


def test_an_empty_page_has_no_items():
    assert tally(compare([], [])).items == 0
