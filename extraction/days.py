"""Days that follow each other, and when they begin."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta

from django.utils import timezone

ONE = timedelta(days=1)


def midnight(day: date) -> datetime:
    """When the day begins on the clinic's clock."""
    return timezone.make_aware(datetime.combine(day, time.min))


def between(first: date, until: date) -> list[date]:
    """From `first` to the one before `until`."""
    return [first + timedelta(days=number) for number in range((until - first).days)]


def stretches(days: Iterable[date]) -> list[tuple[date, date]]:
    """Days in their order, as stretches without a gap: the first one and the one after the last."""
    found: list[tuple[date, date]] = []
    for day in days:
        if found and found[-1][1] == day:
            found[-1] = (found[-1][0], day + ONE)
        else:
            found.append((day, day + ONE))
    return found
