"""Where the marks of a chart lie: within its edges, in order, and nowhere that nothing is known."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from extraction import charts
from extraction.availability import Bucket

MOMENT = datetime(2026, 11, 23, 13, 0, tzinfo=UTC)


def bucket(**minutes: int) -> Bucket:
    return Bucket(MOMENT, MOMENT, **minutes)


def test_a_bar_is_stacked_from_below():
    up, idle, unknown, down = charts.state_bars([bucket(up=5, idle=1, unknown=2, down=2)])
    assert (up.kind, up.y, up.height) == ("up", "50", "50")
    assert (idle.y, unknown.y, down.y) == ("40", "20", "0")
    assert up.width == "720"


def test_a_bucket_of_the_future_has_no_bar():
    assert charts.state_bars([bucket(up=1), bucket()])[-1].x == "0"


def test_a_curve_is_interrupted_where_nothing_is_known():
    found = charts.curve("first", [1, None, 0.5], 1)
    assert found.parts == ("0,0 240,0", "480,50 720,50")


def test_a_curve_ends_at_the_upper_edge():
    assert charts.curve("first", [7], 1).parts == ("0,0 720,0",)


def test_coordinates_have_points_in_every_language():
    assert charts.height_of(1 / 3, 1) == "66.67"


@pytest.mark.parametrize(
    ("highest", "top"), [(0, 1), (0.3, 0.5), (1, 1), (1.1, 2), (17, 20), (2.0001, 5), (4321, 5000)]
)
def test_the_upper_edge_is_a_round_number(highest, top):
    assert charts.ceiling(highest) == top
