"""Dates and times that a reader got nearly right or a hand cut short: "O8:30", "1l h 15", "0 9 2 0", "03-10-25". Pure.

Such writing could be anything, so whoever calls these functions keeps only what stands where a label or a column says
that a date or a time must stand. Text is a layout's `plain` text: without accents, at its full length.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Container, Iterator, Sequence
from datetime import date, time, timedelta
from operator import ne

from extraction.visits.moments import MONTHS, SHORT_DATE, WEEKDAYS, DateMatch, TimeMatch, day_of

_LOOK_ALIKES = dict(zip("OoQDIilT|!ZzSs$Bgq", "000011111122555899", strict=True))
_DIGITS = str.maketrans(_LOOK_ALIKES)
_LETTERS = str.maketrans("01", "ol")
_G = f"[0-9{''.join(_LOOK_ALIKES)}]"
_FEWEST_DIGITS = 2
"""So many of a moment's digits must be read as digits."""
_SLIPPED_TIME = re.compile(
    rf"""(?<![A-Za-z0-9/.,\-])(?<![0-9]:)(?:
      (?P<h1>{_G}{{1,2}})[ ]?(?:[:;.,'*]|\.?[hH]\.?)[ ]?(?P<m1>{_G}[ ]?{_G})
    | (?P<h2>{_G}[ ]?{_G})[ ]?(?P<m2>{_G}[ ]?{_G})
    )(?:[ ]?(?P<half>[AaPp])\.?[ ]?[Mm]\b\.?)?(?![A-Za-z0-9:/\-]|[ ]?{_G}\b)""",
    re.VERBOSE,
)
_SEPARATOR = r"[ ]?[-/.,][ ]?"
# A clipped cell runs into the time behind it: "13 octobre 202$11 h 10".
_BEHIND = rf"(?:(?![A-Za-z0-9]|[ ]?[/-][ ]?[0-9]|[ ]{_G}\b)|(?=[0-9]{{1,2}}(?:[ ]?h|:)))"
_SPACED_YEAR = rf"{_G}(?:[ ]?{_G}){{3}}"
_SLIPPED_DATE = re.compile(
    rf"""(?<![A-Za-z0-9/])(?:
      (?P<y1>{_SPACED_YEAR}){_SEPARATOR}(?P<m1>{_G}(?:[ ]?{_G})?){_SEPARATOR}(?P<d1>{_G}(?:[ ]?{_G})?)
    | (?P<d2>{_G}(?:[ ]?{_G})?){_SEPARATOR}(?P<m2>{_G}(?:[ ]?{_G})?){_SEPARATOR}(?P<y2>{_SPACED_YEAR})
    | (?P<d3>{_G}{{1,2}})(?:er|st|nd|rd|th)?[ .,'·-]{{0,2}}(?P<n3>[A-Za-z01]{{2,9}}[ ]?[A-Za-z01]{{1,9}}?)[ .,·-]{{0,2}}
      (?P<y3>{_SPACED_YEAR})
    | (?P<n4>[A-Za-z01]{{3,9}})[ .]{{1,2}}(?P<d4>{_G}{{1,2}})(?:st|nd|rd|th)?[ .,]{{1,2}}(?P<y4>{_SPACED_YEAR})
    ){_BEHIND}""",
    re.VERBOSE,
)
_MONTH_NAMED = "34"
"""How the groups of the ways to write a date end that name the month."""
_BOXED_DATE = re.compile(rf"(?<![^\t\n|])(?=({_G}(?:[ |\t]{{0,3}}{_G}){{7}})(?![^\t\n|]))")
_BOXED_TIME = re.compile(rf"(?<![^\t\n|])({_G}{{2}})(?=[\t|]({_G}{{2}})(?![^\t\n|]))")
_DAY_OF_WEEK = re.compile(
    rf"(?i:(?=[lmjvsdtwf])\b(?P<name>{'|'.join(sorted(WEEKDAYS, key=len, reverse=True))})\b\.?,?[ ](?:le[ ])?"
    r"(?P<day>[0-9]{1,2})(?:er|st|nd|rd|th)?\b(?!:|[ ]?h\b)(?:[ ](?P<month>[a-z]{3,9}))?)"
)
_NO_YEAR = re.compile(
    r"(?<![A-Za-z0-9/.])(?:(?P<d1>[0-9]{1,2})(?:er)?[ .]{0,2}(?P<n1>[A-Za-z01]{3,9})"
    r"|(?P<n2>[A-Za-z01]{3,9})[ .]{1,2}(?P<d2>[0-9]{1,2})(?:st|nd|rd|th)?)\b"
)
_ABOUT_TWO_MONTHS = timedelta(days=60)
_OF_LENGTH = {length: tuple(each for each in MONTHS.items() if len(each[0]) == length) for length in map(len, MONTHS)}
_SHORTEST_WORD = 4
_YEAR_LENGTH, _DATE_LENGTH = 4, 8
_ABOUT_A_YEAR = timedelta(days=366)
_ABOUT_A_WEEK = timedelta(days=8)
_FIRST_YEAR, _LAST_YEAR = 1900, 2099

Spans = Sequence[tuple[int, int]]


def times_in(plain: str, *, beside: Spans = ()) -> Iterator[TimeMatch]:
    """What could be a time of day: look-alikes for digits, any sign between hours and minutes, or none.

    Nothing that shares characters with the sorted spans `beside`.
    """
    for found in _SLIPPED_TIME.finditer(plain):
        if is_taken(beside, found.start(), found.end()):
            continue
        hours, minutes = found["h1"] or found["h2"], found["m1"] or found["m2"]
        if sum(map(str.isdigit, hours + minutes)) < _FEWEST_DIGITS:
            continue
        hour, minute = _number(hours), _number(minutes)
        half = (found["half"] or "").lower()
        if half and 1 <= hour <= 12:  # noqa: PLR2004 - hours on a twelve-hour clock
            hour = hour % 12 + (12 if half == "p" else 0)
        if hour < 24 and minute < 60:  # noqa: PLR2004 - hours and minutes on a clock
            yield TimeMatch(found.start(), found.end(), time(hour, minute))
    for found in _BOXED_TIME.finditer(plain):
        hour, minute = _number(found[1]), _number(found[2])
        is_time = hour < 24 and minute < 60  # noqa: PLR2004 - hours and minutes on a clock
        if is_time and not is_taken(beside, found.start(), found.end(2)):
            yield TimeMatch(found.start(), found.end(2), time(hour, minute))


def dates_in(plain: str, *, near: Sequence[date] = (), known: Container[tuple[int, int]] = ()) -> Iterator[DateMatch]:
    """What could be a date, within a year of the dates `near` of the page; years of two digits need such a one.

    Nothing that is written where one is `known`.
    """
    for found in _SLIPPED_DATE.finditer(plain):
        value = None if found.span() in known else _slipped(found)
        if value is not None and (not near or _is_near(value, near)):
            yield DateMatch(found.start(), found.end(), value)
    yield from boxed_dates_in(plain)
    if near:
        yield from _short(plain, near)


def _is_near(value: date, near: Sequence[date]) -> bool:
    return value in near or any(abs(value - other) <= _ABOUT_A_YEAR for other in near)


def is_taken(spans: Spans, start: int, end: int) -> bool:
    """Whether one of the sorted `spans` shares characters with `start..end`."""
    at = bisect_left(spans, (end, 0))
    return bool(at) and spans[at - 1][1] > start


def _number(glyphs: str) -> int:
    return int(glyphs if glyphs.isdecimal() else glyphs.replace(" ", "").translate(_DIGITS))


def _date(year: int, month: int, day: int) -> date | None:
    return day_of(year, month, day) if _FIRST_YEAR <= year <= _LAST_YEAR else None


def _slipped(found: re.Match[str]) -> date | None:
    way = (found.lastgroup or "")[1:]
    is_named = way in _MONTH_NAMED
    year, day, month = found["y" + way], found["d" + way], found[("n" if is_named else "m") + way]
    if sum(map(str.isdigit, year + day if is_named else year + day + month)) < _FEWEST_DIGITS:
        return None
    number = _month(month) if is_named else _number(month)
    return None if number is None else _date(_number(year), number, _number(day))


def _month(word: str) -> int | None:
    """The month that `word` names, or the only one that it resembles: a third of its letters may be misread."""
    word = word.lower().replace(" ", "").translate(_LETTERS)
    if word in MONTHS:
        return MONTHS[word]
    # A reader takes "rn" for "m", and the other way round.
    word = word.replace("rn", "m") if "rn" in word else word
    alike = {month for name, month in _OF_LENGTH.get(len(word), ()) if 3 * sum(map(ne, name, word)) <= len(name)}
    if not alike and len(word) >= _SHORTEST_WORD:
        # Or one letter of it was lost.
        longer = _OF_LENGTH.get(len(word) + 1, ())
        alike = {month for name, month in longer if any(word == name[:at] + name[at + 1 :] for at in range(len(name)))}
    return alike.pop() if len(alike) == 1 else None


def boxed_dates_in(plain: str) -> Iterator[DateMatch]:
    """Dates written one digit a box: the year first or last."""
    for found in _BOXED_DATE.finditer(plain):
        glyphs = "".join(c for c in found[1] if c not in " |\t").translate(_DIGITS)
        if len(glyphs) == _DATE_LENGTH and glyphs.isdigit():
            year_first = _date(int(glyphs[:4]), int(glyphs[4:6]), int(glyphs[6:]))
            year_last = _date(int(glyphs[4:]), int(glyphs[2:4]), int(glyphs[:2]))
            if (year_first is None) != (year_last is None):
                yield DateMatch(*found.span(1), year_first or year_last or date.min)


def _short(plain: str, near: Sequence[date]) -> Iterator[DateMatch]:
    """Dates with a year of two digits, if one order puts all of them within a year of the page's other dates.

    Where more than one order does, the day stands first, as in full dates.
    """
    found = list(SHORT_DATE.finditer(plain))
    parts = [(int(m[1]), int(m[3]), int(m[4])) for m in found]
    for order in ((2, 1, 0), (0, 1, 2), (2, 0, 1)):
        values = [_date(2000 + each[order[0]], each[order[1]], each[order[2]]) for each in parts]
        if all(value and _is_near(value, near) for value in values):
            yield from (DateMatch(m.start(), m.end(), value) for m, value in zip(found, values, strict=True) if value)
            return


def days_without_year_in(plain: str, *, near: Sequence[date]) -> Iterator[DateMatch]:
    """Days whose year is cut off or not stated ("27 novembre", "27 novembre 202"): the one near a full date."""
    for found in _NO_YEAR.finditer(plain) if near else ():
        month, day_of_month = _month(found["n1"] or found["n2"]), int(found["d1"] or found["d2"])
        days = {_date(other.year + shift, month, day_of_month) for other in near for shift in (-1, 0, 1) if month}
        fitting = {day for day in days if day and any(abs(day - other) <= _ABOUT_TWO_MONTHS for other in near)}
        if len(fitting) == 1:
            yield DateMatch(found.start(), found.end(), fitting.pop())


def days_of_week_in(plain: str, *, near: Sequence[date]) -> Iterator[DateMatch]:
    """Days without a year ("lundi 6", "Monday 6 October"): the one near a full date that is that day of the week."""
    for found in _DAY_OF_WEEK.finditer(plain):
        month = MONTHS.get((found["month"] or "").lower())
        days = {
            other + timedelta(days=shift)
            for other in near
            for shift in range(-_ABOUT_A_WEEK.days, _ABOUT_A_WEEK.days + 1)
        }
        fitting = [
            day
            for day in days
            if day.day == int(found["day"])
            and day.weekday() == WEEKDAYS[found["name"].lower()]
            and month in (None, day.month)
        ]
        if len(fitting) == 1:
            yield DateMatch(found.start(), found.end(), fitting[0])
