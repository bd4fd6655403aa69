"""Reads about how the model servers do: for monitors, for alerts, and for the page of an administrator.

The samples are the installation's and name no clinic. How long documents took and which pages the model failed at are
one clinic's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Exists, OuterRef, Q, Sum
from django.utils import timezone

from extraction import availability, charts
from extraction.availability import UP, Bucket, Look, Outage, Timing, Uptime
from extraction.charts import Bar, Curve
from extraction.models import Finder, PageState, Run, RunPage, Sample, Status
from extraction.traffic import SERVER, watched

STALE = timedelta(minutes=3)
"""A sample that old says nothing of now."""
OFF, UNKNOWN = "off", "unknown"
NEWEST_DOCUMENTS = 500


# --- Now -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Condition:
    """`state` is a code of `extraction.llm.health.Detail`, or off (no model is asked) or unknown (no fresh sample)."""

    state: str
    seconds: float | None = None

    @property
    def is_well(self) -> bool:
        return self.state in (UP, OFF)


def servers(*, tried: bool = False) -> list[str]:
    """The names of the servers in service, and if asked for of those that are `tried`.

    Settings with which none can be asked are no reason to show no page.
    """
    try:
        return [each.name for each in watched() if tried or not each.is_tried]
    except ValueError:
        return [SERVER]


def condition(names: Sequence[str], moment: datetime) -> Condition:
    """How the servers do, as the newest samples say: as badly as the first one that is not well."""
    if not names:
        return Condition(OFF)
    newest: dict[str, Condition] = {}
    fresh = Sample.objects.filter(server__in=names, minute__gt=moment - STALE).order_by("minute")
    for server, state, seconds in fresh.values_list("server", "state", "seconds"):
        newest[server] = Condition(state, seconds)
    all_of_them = [newest.get(server, Condition(UNKNOWN)) for server in names]
    return next((each for each in all_of_them if not each.is_well), all_of_them[0])


# --- Documents -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ModelErrors:
    """Pages that the model was asked about, and those whose answer was unusable."""

    asked: int
    failed: int

    @property
    def ratio(self) -> float | None:
        return self.failed / self.asked if self.asked else None


def model_errors(clinic_id: UUID, since: datetime) -> ModelErrors:
    """Of the documents of a clinic that were finished since then."""
    pages = RunPage.objects.filter(
        run__document__clinic_id=clinic_id,
        run__finished_at__gte=since,
        run__without_model=False,
        state=PageState.FOUND,
    ).exclude(run__finder=Finder.PATTERN)
    counts = pages.aggregate(asked=Count("pk"), failed=Count("pk", filter=~Q(model_error_code="")))
    return ModelErrors(**counts)


def timings(clinic_id: UUID, since: datetime, *, newest: int = NEWEST_DOCUMENTS) -> list[Timing]:
    """The times of the newest documents of a clinic, newest first.

    Only of those that went through in one go: one that waited for a service, or was started again by a person, says
    nothing about how fast the machines are.
    """
    done = Run.objects.filter(
        Exists(RunPage.objects.filter(run=OuterRef("pk"))),
        document__clinic_id=clinic_id, status=Status.DONE, turn=0, started_at__isnull=False, finished_at__gte=since,
    )  # fmt: skip
    # Chosen before their pages are added up: a month has many more.
    chosen = list(done.order_by("-finished_at").values_list("pk", flat=True)[:newest])
    rows = (
        Run.objects.filter(pk__in=chosen)
        .annotate(count=Count("pages"), reading=Sum("pages__read_seconds"), finding=Sum("pages__find_seconds"))
        .order_by("-finished_at")
    )
    return [
        Timing(
            pages=run.count,
            total=(run.finished_at - run.started_at).total_seconds(),
            reading=run.reading,
            model=run.finding / (min(run.count, settings.LLM_CONCURRENCY) if run.uses_model else 1),
        )
        for run in rows
        if run.finished_at is not None and run.started_at is not None
    ]


@dataclass(frozen=True, slots=True)
class Documents:
    """How many there were, how many took longer than they may, and their pace; None without a document."""

    count: int
    slow: int
    reading: availability.Pace | None
    finding: availability.Pace | None
    total: availability.Pace | None


def documents(clinic_id: UUID, since: datetime) -> Documents:
    """The documents of a clinic that were finished since then, as `timings` chooses them."""
    found = timings(clinic_id, since)
    return Documents(
        count=len(found),
        slow=sum(timing.is_slow for timing in found),
        reading=availability.pace((timing.reading, timing.pages) for timing in found),
        finding=availability.pace((timing.model, timing.pages) for timing in found),
        total=availability.pace((timing.total, timing.pages) for timing in found),
    )


# --- The page --------------------------------------------------------------------------------------------------------


class Period(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class _Scale:
    """How a period is cut: its days, a bar of a chart, a row of the table, and the distance of the axis's marks."""

    days: int
    bar: timedelta
    row: timedelta
    mark: timedelta
    mark_format: str


SCALES = {
    Period.DAY: _Scale(1, timedelta(minutes=15), timedelta(hours=1), timedelta(hours=4), "H:i"),
    Period.WEEK: _Scale(7, timedelta(hours=1), timedelta(days=1), timedelta(days=1), "m-d"),
    Period.MONTH: _Scale(30, timedelta(hours=6), timedelta(days=1), timedelta(days=5), "m-d"),
}


def bounds(period: Period, moment: datetime) -> tuple[datetime, datetime]:
    """The day ends with the present hour; longer periods are whole days on the clinic's clock, today included."""
    local = timezone.localtime(moment)
    if period is Period.DAY:
        ends = local.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    else:
        ends = local.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    begins = ends - timedelta(days=SCALES[period].days)
    return begins.astimezone(moment.tzinfo), ends.astimezone(moment.tzinfo)


@dataclass(frozen=True, slots=True)
class Chart:
    """`top` is the value at the upper edge; `level` is where the target's line lies, "" without one."""

    bars: tuple[Bar, ...] = ()
    curves: tuple[Curve, ...] = ()
    top: float = 1.0
    level: str = ""


@dataclass(frozen=True, slots=True)
class Overview:
    """One server in one period."""

    server: str
    period: Period
    uptime: Uptime
    response: availability.Pace | None
    outages: list[Outage]
    at_night: int
    rows: list[Bucket]
    marks: list[datetime]
    mark_format: str
    states: Chart
    responses: Chart
    requests: Chart | None
    cache: Chart | None


def overview(server: str, period: Period, moment: datetime) -> Overview:
    """What the samples of a server say of a period that ends now."""
    scale, zone = SCALES[period], timezone.get_default_timezone()
    begins, ends = bounds(period, moment)
    looks = looks_at(server, begins, moment)
    bars = availability.buckets(looks, availability.edges(begins, ends, scale.bar, zone), moment=moment, zone=zone)
    rows = availability.buckets(looks, availability.edges(begins, ends, scale.row, zone), moment=moment, zone=zone)
    outages = availability.outages(looks, until=moment, zone=zone)
    return Overview(
        server=server,
        period=period,
        uptime=availability.uptime(looks, since=begins, until=moment, zone=zone),
        response=availability.pace((look.seconds, 1) for look in looks if look.is_up),
        outages=[outage for outage in reversed(outages) if outage.working],
        at_night=sum(not outage.working for outage in outages),
        rows=[row for row in reversed(rows) if row.begins < moment],
        marks=availability.edges(begins, ends, scale.mark, zone)[:-1],
        mark_format=scale.mark_format,
        states=Chart(bars=tuple(charts.state_bars(bars))),
        responses=_responses(bars),
        requests=_requests(bars),
        cache=_cache(bars),
    )


def month_uptime(moment: datetime) -> Uptime:
    """The working minutes of the last 30 days of every server in service together. Half a second of work each."""
    zone, since = timezone.get_default_timezone(), bounds(Period.MONTH, moment)[0]
    found = [
        availability.uptime(looks_at(server, since, moment), since=since, until=moment, zone=zone)
        for server in servers()
    ]
    return Uptime(*(sum(getattr(each, name) for each in found) for name in ("up", "down", "unknown")))


def looks_at(server: str, since: datetime, until: datetime) -> list[Look]:
    """In the order of time."""
    rows = Sample.objects.filter(server=server, minute__gte=since, minute__lte=until).order_by("minute")
    return [Look(*row) for row in rows.values_list(*Look._fields)]


def _responses(bars: list[Bucket]) -> Chart:
    highest = max((bar.slowest for bar in bars if bar.slowest is not None), default=0.0)
    top = charts.ceiling(max(highest, 2 * availability.RESPONSE_TARGET))
    return Chart(
        curves=(
            charts.curve("second", [bar.slowest for bar in bars], top),
            charts.curve("first", [bar.response for bar in bars], top),
        ),
        top=top,
        level=charts.height_of(availability.RESPONSE_TARGET, top),
    )


def _requests(bars: list[Bucket]) -> Chart | None:
    known = [count for bar in bars for count in (bar.running, bar.waiting) if count is not None]
    if not known:
        return None
    top = charts.ceiling(max(*known, 5))
    running, waiting = [bar.running for bar in bars], [bar.waiting for bar in bars]
    return Chart(curves=(charts.curve("first", running, top), charts.curve("second", waiting, top)), top=top)


def _cache(bars: list[Bucket]) -> Chart | None:
    use, hits = [bar.cache_use for bar in bars], [bar.prefix_hits for bar in bars]
    if not any(value is not None for value in (*use, *hits)):
        return None
    return Chart(curves=(charts.curve("first", use, 1), charts.curve("second", hits, 1)))
