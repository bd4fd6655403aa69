"""Days that a page names without their month or their year, which it states once. Pure.

"Semaine du 14 au 18 juillet 2025" over "LUNDI", "avril 2026" over "Lun 6", "Année 2025" over "mer 19/11": the name of
the day says whether a date that is put together so is the one that was meant. Where it fits none or two, there is none.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from extraction.layout import Layout
from extraction.visits.moments import LONE_YEAR, MONTH_NAMES, MONTHS, WEEKDAYS, DateMatch, day_of

_NAMES = "|".join(sorted(WEEKDAYS, key=len, reverse=True))
_INITIALS = {"l": 0, "ma": 1, "me": 2, "j": 3, "v": 4, "s": 5, "d": 6}
_DAY = r"[0-9]{1,2}(?![0-9])(?:er)?"
_PERIOD = re.compile(
    rf"(?=[0-9]{{1,2}}[ er])(?<![a-z0-9/.:-])(?P<d1>{_DAY})(?:[ ](?P<n1>{MONTH_NAMES})\.?)?(?:[ ](?P<y1>20[0-9]{{2}}))?"
    rf"[ ]?(?:au|to|-)[ ]?(?:(?:{_NAMES})\.?,?[ ])?(?P<d2>{_DAY})[ ](?P<n2>{MONTH_NAMES})\.?,?[ ](?P<y2>20[0-9]{{2}})"
)
_MONTH = re.compile(
    r"(?=[jfmasond][aevpuco])(?:(?<=[\n\t])|\A|(?<=mois )|(?<=annee: )|(?<=annee : ))"
    rf"(?P<name>{MONTH_NAMES})\.?,?[ ](?P<year>20[0-9]{{2}})(?=[\t\n])"
)
_NAMED = re.compile(
    rf"(?=[lmjvsdtwf][aeoiuhr])(?<![a-z0-9-])(?P<name>{_NAMES})\.?,?[ ](?:le[ ])?(?P<day>{_DAY})"
    rf"(?:[ ]?/[ ]?(?P<month>[01]?[0-9])(?![0-9/])|[ -](?P<word>{MONTH_NAMES})\b\.?)?"
    r"(?![a-z0-9/:]|[ ]?h\b|,?[ -]20[0-9]{2})"
)
_INITIALLED = re.compile(r"(?=[ljvsdm])(?<![a-z0-9])(?P<name>ma|me|[ljvsd])(?P<day>[0-9]{1,2})(?=[ \t\n])")
_ALONE = re.compile(rf"(?=[lmjvsdtwf][aeoiuhr])(?:(?<=[\n\t])|\A)(?P<name>{_NAMES})\b[ ]?[:.]?(?=[\t\n])")
_WEEK = timedelta(days=6)


class _Stretch(NamedTuple):
    first: date
    last: date


def days_named(layout: Layout, known: Collection[DateMatch]) -> Iterator[DateMatch]:
    """The dates of the named days of a page, save what stands within the dates that are `known`."""
    folded = layout.folded
    periods = list(_PERIOD.finditer(folded)) if " au " in folded or " to " in folded or " - " in folded else []
    stretches = list(_stretches(periods))
    weeks = [day for each in stretches if each.last - each.first <= _WEEK for day in _within(each)]
    spans = [*(match[:2] for match in known), *(found.span() for found in periods)]
    named = [found for found in _NAMED.finditer(folded) if not _is_part(found, spans)]
    if named:
        stretches += _months(folded)
        years = {int(year) for year in LONE_YEAR.findall(folded)} | {each.last.year for each in stretches}
        for found in named:
            yield from _only(found, WEEKDAYS[found["name"]], _meant(found, stretches, years))
    for found in _INITIALLED.finditer(folded) if weeks else ():
        yield from _only(found, _INITIALS[found["name"]], [day for day in weeks if day.day == int(found["day"])])
    for found in _ALONE.finditer(folded) if weeks else ():
        yield from _only(found, WEEKDAYS[found["name"]], weeks)


def _is_part(found: re.Match[str], spans: Sequence[tuple[int, int]]) -> bool:
    """Whether a named day is a part of what says more: "lundi 6 avril" of "lundi 6 avril 2026"."""
    return any(start < found.end() and found.start() < end for start, end in spans)


def _meant(found: re.Match[str], stretches: Sequence[_Stretch], years: Collection[int]) -> list[date | None]:
    """What a named day may be: of each year that the page names, or of each month and week."""
    month = int(found["month"]) if found["month"] else MONTHS.get(found["word"] or "")
    day = int(found["day"].removesuffix("er"))
    if month is not None:
        return [day_of(year, month, day) for year in years]
    return [each for stretch in stretches for each in _within(stretch) if each.day == day]


def _only(found: re.Match[str], weekday: int, dates: Sequence[date | None]) -> Iterator[DateMatch]:
    """The one of the dates that is on this day of the week."""
    fitting = {each for each in dates if each is not None and each.weekday() == weekday}
    if len(fitting) == 1:
        yield DateMatch(found.start(), found.end(), fitting.pop())


def _stretches(periods: Sequence[re.Match[str]]) -> Iterator[_Stretch]:
    """What a page says that it is about: "du 14 au 18 juillet 2025", "lundi 29 juin au vendredi 3 juillet 2026"."""
    for found in periods:
        last = day_of(int(found["y2"]), MONTHS[found["n2"]], int(found["d2"].removesuffix("er")))
        month = MONTHS[found["n1"] or found["n2"]]
        first = day_of(int(found["y1"] or found["y2"]), month, int(found["d1"].removesuffix("er")))
        if first and last and first <= last <= first + 52 * _WEEK:
            yield _Stretch(first, last)


def _months(folded: str) -> Iterator[_Stretch]:
    for found in _MONTH.finditer(folded):
        first = date(int(found["year"]), MONTHS[found["name"]], 1)
        yield _Stretch(first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1))


def _within(stretch: _Stretch) -> Iterator[date]:
    for days in range((stretch.last - stretch.first).days + 1):
        yield stretch.first + timedelta(days=days)
