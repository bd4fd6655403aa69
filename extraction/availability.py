"""How well a model server does: uptime, outages, alerts, and what the time of a document may be. Pure.

Everything is counted in minutes, because a server is looked at once a minute (`extraction.sampling`). A minute of which
nothing is known is neither up nor down: it is counted apart, and no target is called met that it could spoil.

Targets and alerts are those of the planning document ("Production Validation", metrics 2 and 4). Working hours are 8:00
to 18:00 from Monday to Friday on the clinic's clock. Holidays are not known here and count as working days.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from itertools import pairwise
from statistics import median
from typing import Literal, NamedTuple

UP = "ok"
"""The one state of `extraction.llm.health.Detail` that counts as up."""

WORK_BEGINS, WORK_ENDS = time(8), time(18)
WORKDAYS = 5
"""Days of a week, from Monday on."""

UPTIME_TARGET = 0.99
RESPONSE_TARGET = 0.1
"""Seconds of a look at the server."""
ERROR_TARGET, ERROR_ALERT = 0.01, 0.05
"""Shares of the pages that the model was asked about."""

FAILURES, FAILURES_WITHIN = 3, timedelta(minutes=5)
"""So many failed looks in so much time are an alert."""
SILENCE = timedelta(minutes=5)
"""After so long without a look nobody knows whether an outage still lasts."""
MINUTE = timedelta(minutes=1)

TOTAL_TARGET, TOTAL_ALERT = 45 / 20, 60 / 20
MODEL_TARGET, MODEL_ALERT = 30 / 20, 45 / 20
"""Seconds a page: the planning document gives them for a document of 20 pages."""
IN_A_ROW = 3

Verdict = Literal["met", "missed", "open"]


class Look(NamedTuple):
    """What one minute's look at a server showed; the last four are None where the server did not say."""

    minute: datetime
    state: str
    seconds: float = 0.0
    running: int | None = None
    waiting: int | None = None
    cache_use: float | None = None
    prefix_hits: float | None = None

    @property
    def is_up(self) -> bool:
        return self.state == UP


# --- Working hours ---------------------------------------------------------------------------------------------------


def is_working(moment: datetime, zone: tzinfo) -> bool:
    """Whether the clinic works at this moment."""
    local = moment.astimezone(zone)
    return local.weekday() < WORKDAYS and WORK_BEGINS <= local.time() < WORK_ENDS


def working_minutes(since: datetime, until: datetime, zone: tzinfo) -> int:
    """Whole working minutes from `since` to `until`."""
    seconds = 0.0
    for begins, ends in _workdays(since.astimezone(zone).date(), until.astimezone(zone).date(), zone):
        seconds += max(0.0, (min(ends, until) - max(begins, since)).total_seconds())
    return int(seconds // 60)


def _workdays(first: date, last: date, zone: tzinfo) -> Iterator[tuple[datetime, datetime]]:
    """Beginning and end of work on every working day."""
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        if day.weekday() < WORKDAYS:
            yield datetime.combine(day, WORK_BEGINS, zone), datetime.combine(day, WORK_ENDS, zone)


# --- Uptime and outages ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Uptime:
    """Minutes."""

    up: int
    down: int
    unknown: int

    @property
    def ratio(self) -> float | None:
        """The share of the known minutes; None when none is known."""
        known = self.up + self.down
        return self.up / known if known else None

    @property
    def verdict(self) -> Verdict:
        """Whether the target is met: "open" while the unknown minutes could still decide it either way."""
        total = self.up + self.down + self.unknown
        if total and self.up >= UPTIME_TARGET * total:
            return "met"
        return "missed" if self.up + self.unknown < UPTIME_TARGET * total else "open"


def uptime(looks: Iterable[Look], *, since: datetime, until: datetime, zone: tzinfo) -> Uptime:
    """The working minutes of one server from `since` to `until`."""
    counted = [look.is_up for look in looks if since <= look.minute < until and is_working(look.minute, zone)]
    up = sum(counted)
    expected = working_minutes(since, until, zone)
    return Uptime(up=up, down=len(counted) - up, unknown=max(0, expected - len(counted)))


@dataclass(frozen=True, slots=True)
class Outage:
    """From the first minute of which a look failed to the first that is known to be otherwise. `state` is what the
    first look said. `ended` is None while it lasts."""

    began: datetime
    ended: datetime | None
    state: str
    minutes: int
    working: int


def outages(looks: Sequence[Look], *, until: datetime, zone: tzinfo) -> list[Outage]:
    """The outages of one server, oldest first. `looks` are in the order of time.

    Without looks nobody knows how long an outage lasted: it then ends with the last look that failed.
    """
    found = []
    for stretch, after in _failures(looks):
        began = stretch[0].minute
        ended = _end(stretch[-1].minute, after, until)
        span = (ended or until) - began
        found.append(
            Outage(
                began=began,
                ended=ended,
                state=stretch[0].state,
                minutes=max(1, round(span / MINUTE)),
                working=working_minutes(began, began + span, zone),
            )
        )
    return found


def _end(last: datetime, after: Look | None, until: datetime) -> datetime | None:
    """When an outage ended whose last failed look and the look behind it are given."""
    if after is not None and after.minute - last <= SILENCE:
        return after.minute
    return None if after is None and until - last <= SILENCE else last + MINUTE


def _failures(looks: Sequence[Look]) -> Iterator[tuple[list[Look], Look | None]]:
    """Stretches of looks that failed without a silence between them, each with the look behind it."""
    stretch: list[Look] = []
    for look in looks:
        if stretch and (look.is_up or look.minute - stretch[-1].minute > SILENCE):
            yield stretch, look
            stretch = []
        if not look.is_up:
            stretch.append(look)
    if stretch:
        yield stretch, None


def is_failing(looks: Iterable[Look], moment: datetime) -> bool:
    """Whether the looks at one server call for an alert: three of the last five minutes failed."""
    recent = [look for look in looks if moment - FAILURES_WITHIN <= look.minute <= moment]
    return sum(not look.is_up for look in recent) >= FAILURES


# --- Stretches of time, for charts and tables ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Bucket:
    """What is known of a stretch of time: minutes by state, and the middle or the highest of what was measured.

    `down` are minutes of working hours; outside them a server may be switched off, and what fails there is `idle`.
    """

    begins: datetime
    ends: datetime
    up: int = 0
    down: int = 0
    idle: int = 0
    unknown: int = 0
    response: float | None = None
    slowest: float | None = None
    running: int | None = None
    waiting: int | None = None
    cache_use: float | None = None
    prefix_hits: float | None = None


def buckets(looks: Sequence[Look], edges: Sequence[datetime], *, moment: datetime, zone: tzinfo) -> list[Bucket]:
    """One bucket between every two edges; of the time after `moment` nothing is expected. `looks` are in order."""
    minutes = [look.minute for look in looks]
    places = [bisect_left(minutes, edge) for edge in edges]
    return [
        _bucket(looks[first:last], begins, ends, moment, zone)
        for (begins, ends), (first, last) in zip(pairwise(edges), pairwise(places), strict=True)
    ]


def _bucket(looks: Sequence[Look], begins: datetime, ends: datetime, moment: datetime, zone: tzinfo) -> Bucket:
    expected = max(0, int((min(ends, moment) - begins) / MINUTE))
    answered = [look for look in looks if look.is_up]
    down = sum(not look.is_up and is_working(look.minute, zone) for look in looks)
    seconds = [look.seconds for look in answered]
    return Bucket(
        begins=begins,
        ends=ends,
        up=len(answered),
        down=down,
        idle=len(looks) - len(answered) - down,
        unknown=max(0, expected - len(looks)),
        response=median(seconds) if seconds else None,
        slowest=max(seconds, default=None),
        running=max((look.running for look in answered if look.running is not None), default=None),
        waiting=max((look.waiting for look in answered if look.waiting is not None), default=None),
        cache_use=max((look.cache_use for look in answered if look.cache_use is not None), default=None),
        prefix_hits=next((look.prefix_hits for look in reversed(answered) if look.prefix_hits is not None), None),
    )


def edges(since: datetime, until: datetime, step: timedelta, zone: tzinfo) -> list[datetime]:
    """`since` and every `step` after it, up to `until` or a little behind.

    Steps of six hours and more are counted on the clinic's clock, so that days stay days when it is changed. Shorter
    ones could meet an hour that a day does not have, and are counted as they pass.
    """
    found, at = [since], since.astimezone(zone) if step >= timedelta(hours=6) else since
    while found[-1] < until:
        at += step
        found.append(at.astimezone(since.tzinfo))
    return found


# --- The time of a document ------------------------------------------------------------------------------------------


class Timing(NamedTuple):
    """How long one document took, in seconds. `model` is an estimate: pages are asked about side by side, so it is
    their sum shared out over as many as may be asked at a time."""

    pages: int
    total: float
    reading: float
    model: float

    @property
    def is_late(self) -> bool:
        return self.total > TOTAL_ALERT * self.pages

    @property
    def is_late_by_model(self) -> bool:
        return self.model > MODEL_ALERT * self.pages

    @property
    def is_slow(self) -> bool:
        return self.is_late or self.is_late_by_model


class Pace(NamedTuple):
    """Seconds a page: of the document in the middle, and of the one that 95 % are not slower than."""

    middle: float
    slow: float


def pace(values: Iterable[tuple[float, int]]) -> Pace | None:
    """The pace of documents, each given as seconds and pages."""
    per_page = sorted(seconds / pages for seconds, pages in values if pages)
    return Pace(median(per_page), percentile(per_page, 0.95)) if per_page else None


def percentile(ordered: Sequence[float], share: float) -> float:
    """The smallest of the `ordered` values that at least this share of them do not exceed."""
    return ordered[max(0, -(-len(ordered) * round(share * 100) // 100) - 1)]


def three_in_a_row(newest_first: Iterable[bool]) -> bool:
    """Whether the newest three are there and each is wrong: one document alone is no reason for an alert."""
    newest = list(newest_first)[:IN_A_ROW]
    return len(newest) == IN_A_ROW and all(newest)
