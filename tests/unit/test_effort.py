"""What an item costs the hands: numbers within bounds, or nothing; medians and nine of ten by nearest rank."""

from __future__ import annotations

import pytest

from review.effort import Effort, Spread, counted, tallies, together, told


def test_what_the_browser_counted_is_taken():
    assert told({"keys": "3", "presses": "0"}) == Effort(3, 0)


@pytest.mark.parametrize(
    "fields",
    [{}, {"keys": "3"}, {"keys": "", "presses": ""}, {"keys": "-1", "presses": "0"}, {"keys": "1000", "presses": "0"},
     {"keys": "٣", "presses": "0"}, {"keys": "jkx", "presses": "0"}],
    ids=["an old client", "half of it", "empty", "negative", "too many", "other digits", "which keys"],
)  # fmt: skip
def test_anything_else_is_no_count(fields):
    assert told(fields) is None


def test_pages_add_up_by_action():
    pages = [
        counted([("confirm", Effort(1, 0)), ("confirm", Effort(1, 0)), ("correct", Effort(9, 1))]),
        counted([("confirm", Effort(4, 2))]),
    ]
    assert pages[0] == {"confirm/1/0": 2, "correct/9/1": 1}
    found = tallies(pages)
    assert (found["confirm"].items, found["confirm"].keys, found["confirm"].presses) == (3, Spread(1, 4), Spread(0, 2))
    assert together(found.values()).keys == Spread(1, 9)


def test_nine_of_ten_stay_at_or_under_the_second_number():
    (found,) = tallies([{f"confirm/{keys}/0": 1 for keys in range(1, 11)}]).values()
    assert found.keys == Spread(5, 9)


def test_where_nothing_was_counted_nothing_is_said():
    assert together([]).keys is None
