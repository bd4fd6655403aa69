"""Dates and times in ways that no development layout writes them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, time

from extraction.corpus.wording import ENGLISH_MONTHS, ENGLISH_WEEKDAYS, MONTHS, SHORT_MONTHS, WEEKDAYS


def military_date(day: date) -> str:
    """03-OCT-2025."""
    return f"{day:%d}-{ENGLISH_MONTHS[day.month - 1][:3].upper()}-{day.year}"


def dotted_date(day: date) -> str:
    """2025.10.03."""
    return f"{day:%Y.%m.%d}"


def day_dotted_date(day: date) -> str:
    """3.10.2025."""
    return f"{day.day}.{day.month:02d}.{day.year}"


def bare_french_date(day: date) -> str:
    """3 OCT 2025, from the French month."""
    return f"{day.day} {SHORT_MONTHS[day.month - 1].rstrip('.').upper()} {day.year}"


def english_weekday_date(day: date) -> str:
    """Fri, 3 Oct 2025."""
    return f"{ENGLISH_WEEKDAYS[day.weekday()][:3]}, {day.day} {ENGLISH_MONTHS[day.month - 1][:3]} {day.year}"


def weekday_iso_date(day: date) -> str:
    """vendredi 2025-10-03."""
    return f"{WEEKDAYS[day.weekday()]} {day.isoformat()}"


def capital_date(day: date) -> str:
    """VENDREDI LE 3 OCTOBRE 2025."""
    return f"{WEEKDAYS[day.weekday()]} le {day.day} {MONTHS[day.month - 1]} {day.year}".upper()


def spaced_iso_date(day: date) -> str:
    """2025 - 10 - 03, as between the strokes of a form."""
    return f"{day:%Y - %m - %d}"


def padded_tight_time(moment: time) -> str:
    """08h30."""
    return f"{moment:%Hh%M}"


def seconds_time(moment: time) -> str:
    """08:30:00, as systems print it."""
    return f"{moment:%H:%M}:00"


def capital_time(moment: time) -> str:
    """8 H 30."""
    return f"{moment.hour} H {moment:%M}"


def tight_english_time(moment: time) -> str:
    """2:15pm."""
    return f"{(moment.hour - 1) % 12 + 1}:{moment:%M}{'pm' if moment.hour >= 12 else 'am'}"  # noqa: PLR2004 - noon


FRENCH_DATES: Sequence[Callable[[date], str]] = (
    dotted_date, day_dotted_date, bare_french_date, weekday_iso_date, spaced_iso_date,
)  # fmt: skip
ENGLISH_DATES: Sequence[Callable[[date], str]] = (military_date, english_weekday_date)
TIMES: Sequence[Callable[[time], str]] = (padded_tight_time, seconds_time, capital_time)
