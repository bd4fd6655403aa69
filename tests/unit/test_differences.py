"""Two extractions of a page: what only one has, what both have otherwise, and who is right."""

from __future__ import annotations

import pytest

from extraction.page import Box
from review.differences import Proposed, Visit, between

HERE, THERE = Box(0.1, 0.1, 0.3, 0.12), Box(0.1, 0.5, 0.3, 0.52)


def proposed(nam="A", day="2025-10-03", clock="08:30", box=HERE, confidence=0.9):
    return Proposed(nam, day, clock, box, confidence)


def compared(first, second, truth=None):
    return between({1: first}, {1: second}, {} if truth is None else {1: truth})


def test_the_same_on_both_sides_is_no_difference():
    assert compared([proposed()], [proposed(confidence=0.905)]) == []


def test_what_one_side_has_alone():
    only_first, only_second = compared([proposed("A")], [proposed("B", box=THERE)])
    assert (only_first.nam, only_first.second) == ("A", None)
    assert (only_second.nam, only_second.first) == ("B", None)
    assert only_first.right is only_second.right is None


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"day": "2025-10-04"}, ("day",)),
        ({"clock": None}, ("clock",)),
        ({"box": THERE}, ("place",)),
        ({"confidence": 0.5}, ("confidence",)),
        ({"day": None, "clock": None, "box": THERE, "confidence": 0.1}, ("day", "clock", "place", "confidence")),
    ],
)
def test_one_number_with_something_else(change, fields):
    (found,) = compared([proposed()], [proposed(**change)])
    assert found.fields == fields


def test_who_has_a_true_number_is_right_and_who_has_a_false_one_is_not():
    truth = [Visit("A", "2025-10-03", "08:30")]
    right = {each.nam: each.right for each in compared([proposed("A"), proposed("X", box=THERE)], [], truth)}
    assert right == {"A": "first", "X": "second"}


def test_on_a_signed_page_without_a_number_whoever_proposes_none_is_right():
    (found,) = compared([], [proposed()], [])
    assert found.right == "first"


@pytest.mark.parametrize(
    ("true", "right"),
    [(("2025-10-03", "08:30"), "first"), (("2025-10-04", "08:30"), "second"), (("2025-10-05", "08:30"), "neither")],
)
def test_the_date_of_the_signed_page_decides(true, right):
    (found,) = compared([proposed()], [proposed(day="2025-10-04")], [Visit("A", *true)])
    assert found.right == right


def test_date_and_time_must_both_be_right_where_both_differ():
    (found,) = compared([proposed()], [proposed(day=None, clock=None)], [Visit("A", "2025-10-03", "09:00")])
    assert found.right == "neither"


def test_place_and_confidence_make_nobody_right():
    (found,) = compared([proposed()], [proposed(box=THERE)], [Visit("A", "2025-10-03", "08:30")])
    assert found.right is None


def test_a_number_printed_twice_must_be_proposed_twice():
    truth = [Visit("A", "2025-10-03", "08:30")] * 2
    (found,) = compared([proposed(), proposed(box=THERE)], [proposed()], truth)
    assert (found.first.box, found.second, found.right) == (THERE, None, "first")


def test_of_several_equal_numbers_those_at_one_place_belong_together():
    first = [proposed(clock="08:00"), proposed(clock="09:00", box=THERE)]
    second = [proposed(clock="09:00", box=THERE), proposed(clock="08:00")]
    assert compared(first, second) == []


def test_differences_stand_by_page_and_place():
    first = {2: [proposed("C")], 1: [proposed("B", box=THERE), proposed("A")]}
    assert [(each.page, each.nam) for each in between(first, {}, {})] == [(1, "A"), (1, "B"), (2, "C")]
