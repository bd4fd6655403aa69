"""How Québec clinics write dates, times and numbers. Pure."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import date, time
from typing import NamedTuple

WEEKDAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin",
    "juillet", "août", "septembre", "octobre", "novembre", "décembre",
)  # fmt: skip
ENGLISH_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
ENGLISH_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
SHORT_MONTHS = ("janv.", "févr.", "mars", "avr.", "mai", "juin", "juill.", "août", "sept.", "oct.", "nov.", "déc.")


class NamStyle(NamedTuple):
    """How the 12 characters are cut into groups, and what stands between those."""

    groups: tuple[int, ...]
    separator: str


CARD, SHORT, BIRTH, LONG, PAIRS = (4, 4, 4), (12,), (4, 6, 2), (4, 8), (4, 2, 2, 2, 2)
NBSP = "\u00a0"

NAM_STYLES: Sequence[NamStyle] = (
    NamStyle(CARD, " "), NamStyle(SHORT, ""), NamStyle(CARD, "-"), NamStyle(LONG, " "), NamStyle(BIRTH, " "),
    NamStyle(CARD, NBSP), NamStyle(CARD, "  "), NamStyle(PAIRS, " "), NamStyle(LONG, "-"), NamStyle(CARD, "."),
    NamStyle(CARD, "/"), NamStyle(BIRTH, "-"), NamStyle(PAIRS, "-"), NamStyle(BIRTH, "  "),
)  # fmt: skip
"""TREM 0412 1925 as on the card, TREM04121925, TREM-0412-1925, TREM 041219 25 and every other way that was met."""
NAM_STYLE_WEIGHTS = (30, 22, 12, 7, 6, 4, 4, 3, 3, 3, 2, 2, 1, 1)


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


def slashed(day: date) -> str:
    """2025/10/03."""
    return day.strftime("%Y/%m/%d")


def slashed_day_first(day: date) -> str:
    """03/10/2025: in French the day stands first, always."""
    return day.strftime("%d/%m/%Y")


def compact_date(day: date) -> str:
    """20251003, as systems write it."""
    return day.strftime("%Y%m%d")


def weekday_date(day: date) -> str:
    """ven. 3 oct. 2025."""
    return f"{WEEKDAYS[day.weekday()][:3]}. {short_date(day)}"


def english_date(day: date) -> str:
    """October 3, 2025."""
    return f"{ENGLISH_MONTHS[day.month - 1]} {day.day}, {day.year}"


def short_english_date(day: date) -> str:
    """Oct 3, 2025."""
    return f"{ENGLISH_MONTHS[day.month - 1][:3]} {day.day}, {day.year}"


def full_english_date(day: date) -> str:
    """Friday, October 3, 2025."""
    return f"{ENGLISH_WEEKDAYS[day.weekday()]}, {english_date(day)}"


def british_date(day: date) -> str:
    """3 October 2025."""
    return f"{day.day} {ENGLISH_MONTHS[day.month - 1]} {day.year}"


def english_time(moment: time) -> str:
    """2:15 PM."""
    return f"{(moment.hour - 1) % 12 + 1}:{moment:%M} {'PM' if moment.hour >= NOON else 'AM'}"


def dotted_english_time(moment: time) -> str:
    """2:15 p.m."""
    return f"{(moment.hour - 1) % 12 + 1}:{moment:%M} {'p.m.' if moment.hour >= NOON else 'a.m.'}"


def padded_hour_time(moment: time) -> str:
    """08 h 30."""
    return f"{moment:%H} h {moment:%M}"


NOON = 12
DATE_STYLES: Sequence[Callable[[date], str]] = (
    iso_date, iso_date, iso_date, long_date, short_date, day_first, slashed, slashed_day_first, weekday_date,
)  # fmt: skip
TIME_STYLES: Sequence[Callable[[time], str]] = (colon_time, colon_time, hour_time, tight_time, padded_hour_time)
ENGLISH_DATE_STYLES: Sequence[Callable[[date], str]] = (iso_date, english_date, short_english_date, british_date)
ENGLISH_TIME_STYLES: Sequence[Callable[[time], str]] = (colon_time, english_time, dotted_english_time)


def cut(value: str, groups: Sequence[int]) -> list[str]:
    """The 12 characters of a NAM in groups of these lengths."""
    ends = [sum(groups[: place + 1]) for place in range(len(groups))]
    return [value[end - length : end] for end, length in zip(ends, groups, strict=True)]


def printed_nam(value: str, style: NamStyle) -> str:
    """A NAM as it stands in a line."""
    return style.separator.join(cut(value, style.groups))


def choose_style(rng: random.Random) -> NamStyle:
    return rng.choices(NAM_STYLES, weights=NAM_STYLE_WEIGHTS)[0]


def usual_style(rng: random.Random, usual: NamStyle) -> NamStyle:
    """The style that a page uses, except where somebody typed the number another way (one time in ten)."""
    return usual if rng.random() < 0.9 else choose_style(rng)  # noqa: PLR2004 - the share stands above
