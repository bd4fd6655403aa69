"""Reads about how well the machine does, from the scores of signed-off pages: counts only, of one clinic.

A page counts once for the clinic as a whole, with the newest run of its document, and once for each configuration that
was tried on it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, QuerySet, Subquery, Sum
from django.utils import timezone

from accounts.models import User
from extraction import charts
from extraction.availability import Pace, pace
from extraction.charts import Curve
from extraction.models import Finder, Run, RunPage
from extraction.monitoring import Chart
from extraction.scoring import Score, wilson
from review.blindness import hidden_from
from review.models import PageScore

PERIODS = {"month": timedelta(days=30), "quarter": timedelta(days=91), "year": timedelta(days=365)}
WORST = 10
"""Confusions that are shown."""
MOST_TIMES = 20_000
"""Of so many of the newest pages the seconds are counted."""
_SUMS = {name: Sum(name) for name in ("tp", "fp", "fn", "day_right", "clock_right")}
_CONFIGURATION = ("reader", "run__finder", "run__without_model", "run__model_name", "run__prompt_version",
                  "run__rules_version")  # fmt: skip
_LOWEST_FLOOR, _FLOOR_STEP = 0.95, 0.05


@dataclass(frozen=True, slots=True)
class Result:
    """Pages with their counts. Dates and times are of the numbers that were found."""

    pages: int = 0
    score: Score = field(default_factory=Score)
    day_right: int = 0
    clock_right: int = 0

    def __add__(self, other: Result) -> Result:
        return Result(
            self.pages + other.pages,
            self.score + other.score,
            self.day_right + other.day_right,
            self.clock_right + other.clock_right,
        )

    @property
    def nams(self) -> int:
        """How many stand on these pages."""
        return self.score.tp + self.score.fn

    @property
    def days(self) -> float | None:
        return self.day_right / self.score.tp if self.score.tp else None

    @property
    def clocks(self) -> float | None:
        return self.clock_right / self.score.tp if self.score.tp else None

    @property
    def days_interval(self) -> tuple[float, float] | None:
        return wilson(self.day_right, self.score.tp)

    @property
    def clocks_interval(self) -> tuple[float, float] | None:
        return wilson(self.clock_right, self.score.tp)


@dataclass(frozen=True, slots=True)
class Configuration:
    """By whom pages were read and searched; `model` and `prompt` are empty where no model was asked."""

    reader: str
    rules: str
    model: str
    prompt: str
    result: Result


@dataclass(frozen=True, slots=True)
class Week:
    """The pages that were signed off in a week; `result` has no page where none was."""

    begins: date
    result: Result


@dataclass(frozen=True, slots=True)
class Paces:
    """How long the pages of a reader took to be read, and to be searched."""

    reader: str
    pages: int
    read: Pace | None
    find: Pace | None


@dataclass(frozen=True, slots=True)
class F1Chart(Chart):
    """F1 by week with its interval, from `floor` at the bottom to 1 at the top."""

    floor: float = 0.0


def scores(user: User, since: date) -> QuerySet[PageScore]:
    """The scores of the clinic's pages that were signed off on that day or later.

    Without the pages whose second review this person may be asked for: in a small clinic counts tell what was decided.
    """
    hidden = hidden_from(user).filter(document=OuterRef("run__document"), page=OuterRef("page"))
    found = PageScore.objects.filter(run__document__clinic_id=user.clinic_id, signed_on__gte=since)
    return found.exclude(Exists(hidden))


def newest(found: QuerySet[PageScore]) -> QuerySet[PageScore]:
    """Those of the newest run of each document."""
    runs = Run.objects.filter(document=OuterRef("run__document")).order_by("-created_at")
    return found.annotate(newest=Subquery(runs.values("pk")[:1])).filter(run=F("newest"))


def overall(found: Iterable[Week]) -> Result:
    return sum((week.result for week in found), Result())


def configurations(found: QuerySet[PageScore]) -> list[Configuration]:
    """Every configuration by how many pages it has, the most first."""
    rows = found.values(*_CONFIGURATION).annotate(pages=Count("pk"), **_SUMS).order_by("-pages", *_CONFIGURATION)
    return [
        Configuration(
            reader=row["reader"],
            rules=row["run__rules_version"],
            model="" if _asks_nobody(row) else row["run__model_name"],
            prompt="" if _asks_nobody(row) else row["run__prompt_version"],
            result=_result(row),
        )
        for row in rows
    ]


def weeks(found: QuerySet[PageScore], since: date, until: date) -> list[Week]:
    """Every week from that of `since` to that of `until`; it begins on Monday."""
    known: dict[date, Result] = defaultdict(Result)
    rows = found.values("signed_on").annotate(pages=Count("pk"), **_SUMS).order_by("signed_on")
    for row in rows:
        known[_monday(row["signed_on"])] += _result(row)
    count = (_monday(until) - _monday(since)).days // 7 + 1
    begun = (_monday(since) + timedelta(weeks=n) for n in range(count))
    return [Week(each, known[each]) for each in begun]


def confusions(found: QuerySet[PageScore]) -> list[tuple[str, str, int]]:
    """The characters that are taken for others most often: read, true, how often."""
    counted: Counter[str] = Counter()
    for each in found.exclude(confusions={}).values_list("confusions", flat=True):
        counted.update(each)
    return [(pair[0], pair[1], count) for pair, count in counted.most_common(WORST)]


def paces(user: User, since: date) -> list[Paces]:
    """How long pages of the clinic took, by reader."""
    begins = timezone.make_aware(datetime.combine(since, time.min))
    rows = (
        RunPage.objects.filter(run__document__clinic_id=user.clinic_id, run__created_at__gte=begins)
        .exclude(reader="")
        .order_by("-run__created_at")
        .values_list("reader", "read_seconds", "find_seconds")[:MOST_TIMES]
    )
    by_reader: dict[str, list[tuple[float, float]]] = {}
    for reader, read, find in rows:
        by_reader.setdefault(reader, []).append((read, find))
    return [
        Paces(reader, len(times), pace((read, 1) for read, _ in times), pace((find, 1) for _, find in times))
        for reader, times in sorted(by_reader.items())
    ]


def chart(found: Sequence[Week]) -> F1Chart:
    """F1 with its interval by week. The lower end is a round number below everything, so that a point is seen."""
    ends = [week.result.score.f1_interval for week in found]
    lowest = min((end[0] for end in ends if end is not None), default=1.0)
    floor = max(0.0, min(_LOWEST_FLOOR, int(lowest / _FLOOR_STEP) * _FLOOR_STEP))

    def curve(kind: str, values: Iterable[float | None]) -> Curve:
        above = [None if value is None else value - floor for value in values]
        return charts.curve(kind, above, 1 - floor)

    curves = (
        curve("first", (week.result.score.f1 for week in found)),
        curve("second", (end and end[0] for end in ends)),
        curve("second", (end and end[1] for end in ends)),
    )
    return F1Chart(curves=curves, floor=floor)


def _asks_nobody(row: Mapping[str, Any]) -> bool:
    return bool(row["run__without_model"]) or row["run__finder"] == Finder.PATTERN


def _result(row: Mapping[str, Any]) -> Result:
    count = {name: row.get(name) or 0 for name in ("pages", *_SUMS)}
    score = Score(count["tp"], count["fp"], count["fn"])
    return Result(count["pages"], score, count["day_right"], count["clock_right"])


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
