"""The terms of the registers, day by day."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from audit.registers.clocks import Urgency, answer_term, incident_kept_until, training_due
from audit.registers.incidents import FACTORS, SERIOUS, Step, steps_left

RECEIVED = date(2026, 11, 2)
ASSESSED = {"measures": "x", **{f"risk_{factor}": "x" for factor in FACTORS}}


@pytest.mark.parametrize(
    ("day", "urgency"),
    [(0, "calm"), (19, "calm"), (20, "warn"), (26, "warn"), (27, "urgent"), (30, "urgent"), (31, "overdue")],
)
def test_a_request_warns_at_20_days_presses_at_27_and_is_late_after_30(day, urgency):
    assert answer_term(RECEIVED, RECEIVED + timedelta(days=day)).urgency == Urgency(urgency)


def test_the_thirtieth_day_is_the_last():
    term = answer_term(RECEIVED, RECEIVED + timedelta(days=30))
    assert (term.due_on, term.left) == (date(2026, 12, 2), 0)


def test_an_incident_is_kept_five_years_from_awareness():
    assert incident_kept_until(date(2026, 11, 27)) == date(2031, 11, 27)


def test_a_leap_day_makes_no_term_shorter():
    assert incident_kept_until(date(2028, 2, 29)) == date(2033, 3, 1)


def test_who_was_never_trained_has_no_day_to_wait_for():
    assert training_due(None) is None
    assert training_due(date(2026, 1, 5)) == date(2027, 1, 5)


def test_a_new_incident_asks_for_measures_worksheet_and_decision():
    assert steps_left({}) == [Step.MEASURES, Step.FACTORS, Step.DECISION]


def test_no_notice_is_due_where_the_risk_is_not_serious():
    assert steps_left(ASSESSED | {"risk": "not_serious"}) == []


def test_a_serious_risk_asks_for_three_notices():
    left = steps_left(ASSESSED | {"risk": SERIOUS})
    assert left == [Step.NOTICE_CAI, Step.NOTICE_MINISTER, Step.NOTICE_PERSONS]


def test_the_minister_is_told_by_bodies_of_the_lrsss_only():
    left = steps_left(ASSESSED | {"risk": SERIOUS, "is_lrsss": False})
    assert Step.NOTICE_MINISTER not in left


def test_a_public_notice_stands_in_for_that_to_the_persons():
    sent = {"risk": SERIOUS, "cai_notified_on": "2026-11-27", "is_lrsss": False, "public_notice": "site"}
    assert steps_left(ASSESSED | sent) == []
