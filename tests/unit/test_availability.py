"""Uptime counts working minutes, what is unknown is never up, and outages have a beginning and a length."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from extraction.availability import (
    Look,
    Pace,
    Timing,
    Uptime,
    buckets,
    edges,
    is_failing,
    is_working,
    outages,
    pace,
    percentile,
    three_in_a_row,
    uptime,
    working_minutes,
)

MONTREAL = ZoneInfo("America/Toronto")
MONDAY = datetime(2026, 11, 23, 8, 0, tzinfo=MONTREAL)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def looks(states: str, begins: datetime = MONDAY) -> list[Look]:
    """One look a minute: + up, - down, a blank for a minute without one."""
    names = {"+": "ok", "-": "unreachable"}
    return [
        Look(begins + place * MINUTE, names[mark], 0.01 * (place + 1))
        for place, mark in enumerate(states)
        if mark != " "
    ]


# --- Working hours ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moment", "works"),
    [
        (datetime(2026, 11, 23, 12, 59, tzinfo=UTC), False),  # 7:59 in Montréal
        (datetime(2026, 11, 23, 13, 0, tzinfo=UTC), True),
        (datetime(2026, 11, 23, 22, 59, tzinfo=UTC), True),
        (datetime(2026, 11, 23, 23, 0, tzinfo=UTC), False),
        (datetime(2026, 11, 21, 15, 0, tzinfo=UTC), False),  # a Saturday
        (datetime(2026, 7, 6, 12, 0, tzinfo=UTC), True),  # 8:00 in summer
        (datetime(2026, 12, 25, 15, 0, tzinfo=UTC), True),  # holidays are not known
    ],
)
def test_working_hours_are_eight_to_eighteen_on_weekdays_in_montreal(moment, works):
    assert is_working(moment, MONTREAL) is works


def test_a_week_has_fifty_working_hours():
    assert working_minutes(MONDAY, MONDAY + 7 * DAY, MONTREAL) == 50 * 60


def test_a_week_in_which_the_clock_changes_has_as_many():
    begins = datetime(2026, 10, 30, 0, 0, tzinfo=MONTREAL)  # the clock changes on Sunday, November 1
    assert working_minutes(begins, begins + 7 * DAY, MONTREAL) == 50 * 60


def test_part_of_a_day_counts_in_part():
    assert working_minutes(MONDAY - HOUR, MONDAY + 90 * MINUTE, MONTREAL) == 90


# --- Uptime ----------------------------------------------------------------------------------------------------------


def test_uptime_counts_minutes_by_what_is_known_of_them():
    counted = uptime(looks("+++--  +++"), since=MONDAY, until=MONDAY + 10 * MINUTE, zone=MONTREAL)
    assert counted == Uptime(up=6, down=2, unknown=2)
    assert counted.ratio == 0.75


def test_nights_do_not_count():
    night = looks("-" * 60, MONDAY - HOUR)
    assert uptime(night, since=MONDAY - HOUR, until=MONDAY, zone=MONTREAL) == Uptime(0, 0, 0)


def test_without_a_sample_nothing_is_known():
    counted = uptime([], since=MONDAY, until=MONDAY + HOUR, zone=MONTREAL)
    assert (counted, counted.ratio) == (Uptime(0, 0, 60), None)


@pytest.mark.parametrize(
    ("counted", "verdict"),
    [
        (Uptime(99, 1, 0), "met"),
        (Uptime(98, 2, 0), "missed"),
        (Uptime(99, 0, 1), "met"),
        (Uptime(98, 0, 2), "open"),  # never up, never down
        (Uptime(50, 2, 48), "missed"),  # however well the unknown minutes went
        (Uptime(0, 0, 100), "open"),
        (Uptime(0, 0, 0), "open"),
    ],
)
def test_a_target_is_met_or_missed_only_where_the_unknown_cannot_change_it(counted, verdict):
    assert counted.verdict == verdict


# --- Outages ---------------------------------------------------------------------------------------------------------


def test_an_outage_lasts_from_its_first_failed_look_to_the_next_good_one():
    (found,) = outages(looks("++---+"), until=MONDAY + 6 * MINUTE, zone=MONTREAL)
    assert (found.began, found.ended) == (MONDAY + 2 * MINUTE, MONDAY + 5 * MINUTE)
    assert (found.minutes, found.working, found.state) == (3, 3, "unreachable")


def test_an_outage_that_lasts_has_no_end():
    (found,) = outages(looks("+--"), until=MONDAY + 3 * MINUTE, zone=MONTREAL)
    assert (found.ended, found.minutes) == (None, 2)


def test_a_short_silence_does_not_end_an_outage():
    (found,) = outages(looks("--   --+"), until=MONDAY + 8 * MINUTE, zone=MONTREAL)
    assert found.minutes == 7


def test_after_a_long_silence_nobody_knows_how_long_it_was():
    first, second = outages(looks("--" + " " * 10 + "-+"), until=MONDAY + HOUR, zone=MONTREAL)
    assert (first.minutes, second.minutes) == (2, 1)


def test_a_server_that_is_not_looked_at_any_more_is_in_no_outage_that_lasts():
    (found,) = outages(looks("+--"), until=MONDAY + HOUR, zone=MONTREAL)
    assert found.ended == MONDAY + 3 * MINUTE


def test_an_outage_says_how_much_of_it_was_in_working_hours():
    (found,) = outages(looks("-" * 10 + "+", MONDAY - 5 * MINUTE), until=MONDAY + HOUR, zone=MONTREAL)
    assert (found.minutes, found.working) == (10, 5)


@pytest.mark.parametrize(
    ("states", "fails"),
    [("++---", True), ("-+-+-", True), ("+++--", False), ("---" + " " * 5, False), ("", False)],
)
def test_three_failures_in_five_minutes_are_an_alert(states, fails):
    assert is_failing(looks(states), MONDAY + (len(states) - 1) * MINUTE) is fails


# --- Buckets ---------------------------------------------------------------------------------------------------------


def test_a_bucket_counts_minutes_and_keeps_the_middle_and_the_highest():
    seen = [
        Look(MONDAY, "ok", 0.1, running=1, waiting=0, cache_use=0.2, prefix_hits=0.5),
        Look(MONDAY + MINUTE, "ok", 0.3, running=4, waiting=2, cache_use=0.1, prefix_hits=0.6),
        Look(MONDAY + 2 * MINUTE, "timeout", 5.0),
    ]
    (found,) = buckets(seen, [MONDAY, MONDAY + 5 * MINUTE], moment=MONDAY + HOUR, zone=MONTREAL)
    assert (found.up, found.down, found.idle, found.unknown) == (2, 1, 0, 2)
    assert (found.response, found.slowest) == (0.2, 0.3)
    assert (found.running, found.waiting, found.cache_use, found.prefix_hits) == (4, 2, 0.2, 0.6)


def test_a_failure_at_night_is_told_apart():
    begins = MONDAY - HOUR
    (found,) = buckets(looks("--", begins), [begins, begins + 2 * MINUTE], moment=MONDAY, zone=MONTREAL)
    assert (found.down, found.idle) == (0, 2)


def test_nothing_is_expected_of_the_future():
    cut = edges(MONDAY, MONDAY + 2 * HOUR, HOUR, MONTREAL)
    now, later = buckets(looks("+++"), cut, moment=MONDAY + 3 * MINUTE, zone=MONTREAL)
    assert (now.up, now.unknown, later.unknown) == (3, 0, 0)


def test_days_stay_days_when_the_clock_is_changed():
    begins = datetime(2026, 10, 31, 0, 0, tzinfo=MONTREAL).astimezone(UTC)
    found = [edge.astimezone(MONTREAL) for edge in edges(begins, begins + timedelta(days=3), DAY, MONTREAL)]
    assert {edge.hour for edge in found} == {0}


def test_no_edge_goes_backwards_when_the_clock_is_changed():
    begins = datetime(2026, 3, 8, 0, 0, tzinfo=MONTREAL).astimezone(UTC)
    found = edges(begins, begins + DAY, timedelta(minutes=15), MONTREAL)
    assert found == sorted(set(found))


# --- The time of a document ------------------------------------------------------------------------------------------


def test_a_pace_is_in_seconds_a_page():
    assert pace([(10.0, 10), (40.0, 20), (9.0, 3)]) == Pace(middle=2.0, slow=3.0)


def test_without_a_document_there_is_no_pace():
    assert pace([]) is None


@pytest.mark.parametrize(("share", "value"), [(0.95, 95), (0.5, 50), (1.0, 100), (0.001, 1)])
def test_a_percentile_is_a_value_that_was_measured(share, value):
    assert percentile(list(range(1, 101)), share) == value


@pytest.mark.parametrize(
    ("total", "model", "slow"), [(60, 45, False), (60.1, 45, True), (60, 45.1, True), (45, 30, False)]
)
def test_twenty_pages_may_take_sixty_seconds_and_the_model_forty_five(total, model, slow):
    assert Timing(pages=20, total=total, reading=1, model=model).is_slow is slow


@pytest.mark.parametrize(
    ("newest_first", "is_alert"),
    [([True, True, True, False], True), ([True, False, True, True], False), ([True, True], False), ([], False)],
)
def test_three_in_a_row_are_an_alert_and_fewer_are_none(newest_first, is_alert):
    assert three_in_a_row(newest_first) is is_alert
