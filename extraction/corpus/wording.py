"""How Québec clinics write dates, times and numbers. Pure."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import date, time

from extraction import nam

WEEKDAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin",
    "juillet", "août", "septembre", "octobre", "novembre", "décembre",
)  # fmt: skip
SHORT_MONTHS = ("janv.", "févr.", "mars", "avr.", "mai", "juin", "juill.", "août", "sept.", "oct.", "nov.", "déc.")

SEPARATORS = (" ", "", "-")
"""Between the groups of a printed NAM: TREM 0412 1925 as on the card, TREM04121925, TREM-0412-1925."""


def long_date(day: date) -> str:
    """3 octobre 2025; the first of a month is 1er."""
    return f"{'1er' if day.day == 1 else day.day} {MONTHS[day.month - 1]} {day.year}"


def full_date(day: date) -> str:
    """Vendredi 3 octobre 2025, in lower case as inside a sentence."""
    return f"{WEEKDAYS[day.weekday()]} {long_date(day)}"


def short_date(day: date) -> str:
    """3 oct. 2025."""
    return f"{day.day} {SHORT_MONTHS[day.month - 1]} {day.year}"


def iso_date(day: date) -> str:
    """2025-10-03, the form of the Québec government standard."""
    return day.isoformat()


def day_first(day: date) -> str:
    """03-10-2025: the day stands first in French."""
    return day.strftime("%d-%m-%Y")


def colon_time(moment: time) -> str:
    """08:30."""
    return moment.strftime("%H:%M")


def hour_time(moment: time) -> str:
    """8 h 30, and 14 h on the hour: the form of the Office québécois de la langue française."""
    return f"{moment.hour} h {moment:%M}" if moment.minute else f"{moment.hour} h"


def tight_time(moment: time) -> str:
    """8h30, as typed in haste."""
    return f"{moment.hour}h{moment:%M}"


DATE_STYLES: Sequence[Callable[[date], str]] = (iso_date, iso_date, long_date, short_date, day_first)
TIME_STYLES: Sequence[Callable[[time], str]] = (colon_time, colon_time, hour_time, tight_time)


def printed_nam(value: str, separator: str) -> str:
    """The 12 characters of a NAM in groups of four."""
    return separator.join(nam.grouped(value).split())


def usual_separator(rng: random.Random, usual: str) -> str:
    """The separator that a page uses, except where somebody typed the number another way (one time in ten)."""
    return usual if rng.random() < 0.9 else rng.choice(SEPARATORS)  # noqa: PLR2004 - the share stands above
