"""The terms that the law sets. Pure: days in, days out; "today" is the clinic's day and the caller's to know."""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

INCIDENT_YEARS = 5
"""An incident is kept five years from the day that the body became aware of it (A-2.1 r. 3.1 s. 8), not from the
incident."""
ANSWER_DAYS = 30
"""A request is answered in writing within 30 days of its receipt (P-39.1 s. 32)."""
WARN_DAY, URGENT_DAY = 20, 27
REFRESH_YEARS = 1
"""Training at the start and every year (R-22.1 r. 2 ss. 1, 2)."""


class Urgency(StrEnum):
    CALM = "calm"
    WARN = "warn"
    URGENT = "urgent"
    OVERDUE = "overdue"


class Term(NamedTuple):
    """Where a request stands: `day` is 0 on the day of receipt, `due_on` the last day for the answer."""

    day: int
    due_on: date
    urgency: Urgency

    @property
    def left(self) -> int:
        """Days left; negative when the term has passed."""
        return ANSWER_DAYS - self.day


def answer_term(received_on: date, today: date) -> Term:
    """The term of a request that was received on a day."""
    day = (today - received_on).days
    urgency = Urgency.CALM
    for first, reached in ((WARN_DAY, Urgency.WARN), (URGENT_DAY, Urgency.URGENT), (ANSWER_DAYS + 1, Urgency.OVERDUE)):
        urgency = reached if day >= first else urgency
    return Term(day, received_on + timedelta(days=ANSWER_DAYS), urgency)


def years_after(day: date, years: int) -> date:
    """The same day so many years later; 1 March for 29 February, so that no term is a day short."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


def incident_kept_until(aware_on: date) -> date:
    """The last day on which an incident must still be kept."""
    return years_after(aware_on, INCIDENT_YEARS)


def training_due(trained_on: date | None) -> date | None:
    """When somebody must be trained again; None for now, because they never were."""
    return years_after(trained_on, REFRESH_YEARS) if trained_on else None
