"""Reads about how well the machine does, from the scores of signed-off pages: counts only, of one clinic.

A page counts once for the clinic as a whole, with the run that reviewers worked on, and once for each configuration
that was tried on it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Literal, NamedTuple, TypeVar, get_args
from uuid import UUID

from django.db.models import Count, QuerySet, Sum

from accounts.models import User
from extraction import charts
from extraction.availability import Pace, pace
from extraction.charts import Curve
from extraction.days import midnight
from extraction.models import Document, Run, RunPage, Status
from extraction.monitoring import Chart
from extraction.scoring import BINS, Score, wilson
from review import score_days
from review.blindness import hidden_from
from review.effort import Tally, tallies, together
from review.models import PageScore, ScoreGroup, Verdict
from review.scores import AT_ONCE

PERIODS = {"month": timedelta(days=30), "quarter": timedelta(days=91), "year": timedelta(days=365)}
WORST = 10
"""Confusions that are shown."""
NEWEST_RUNS, MOST_TIMES = 500, 10_000
"""Of so many of the newest documents, and at most so many of their pages, the seconds are counted."""
NEWEST_CORRECTED = 1_000
"""Of so many of the newest pages with a correction the characters are counted."""
NEWEST_PAGES = 2_000
"""Of so many of the newest pages the calibration and the keys of an item are counted."""
ACTIONS = (Verdict.CONFIRM, AT_ONCE, Verdict.CORRECT, Verdict.REJECT, Verdict.ADD)
NEWEST_TIMED = 500
"""Of so many of those of them that went through in one go the pages a second are counted."""
_SUMS = {name: Sum(name) for name in ("tp", "fp", "fn", "day_right", "clock_right")}
Sums = Sequence[float]
"""How many pages, and `score_days.SUMS` of them."""
Key = TypeVar("Key")
By = Literal["kind", "form_kind", "reader", "model", "prompt"]
SPLITS: tuple[By, ...] = get_args(By)
"""By what scores are split, apart from weeks and whole configurations."""
Name = TypeVar("Name", str, tuple[str, str, str, str])
OF_DOCUMENT: frozenset[By] = frozenset(("kind", "form_kind"))
_LOWEST_FLOOR, _FLOOR_STEP = 0.95, 0.05


@dataclass(frozen=True, slots=True)
class Result:
    """Pages with their counts. Dates and times are of the numbers that were found; the last four are of the review."""

    pages: int = 0
    score: Score = field(default_factory=Score)
    day_right: int = 0
    clock_right: int = 0
    decided: int = 0
    agreed: int = 0
    timed: int = 0
    review_seconds: float = 0.0

    def __add__(self, other: Result) -> Result:
        return Result(
            self.pages + other.pages,
            self.score + other.score,
            self.day_right + other.day_right,
            self.clock_right + other.clock_right,
            self.decided + other.decided,
            self.agreed + other.agreed,
            self.timed + other.timed,
            self.review_seconds + other.review_seconds,
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
    def agreement(self) -> float | None:
        """The share of the decided proposals that reviewers left as they were."""
        return self.agreed / self.decided if self.decided else None

    @property
    def agreement_interval(self) -> tuple[float, float] | None:
        return wilson(self.agreed, self.decided)

    @property
    def seconds_an_item(self) -> float | None:
        return self.review_seconds / self.timed if self.timed else None

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
class Totals:
    """The clinic's pages added up: those of the reviewed runs by day, and all by what they are split by, once for runs
    that reviewers worked on (`True`) and once for others."""

    by_day: Mapping[date, Result]
    by_group: Mapping[tuple[ScoreGroup, bool], Result]


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


def scores(user: User, since: date, *, hidden: Collection[UUID] | None = None) -> QuerySet[PageScore]:
    """The scores of the clinic's pages that were signed off on that day or later.

    Without the pages whose second review this person may be asked for: in a small clinic counts tell what was decided.
    Who asks for more than one thing gives those that are hidden from the person (`hidden_scores`).
    """
    found = PageScore.objects.filter(clinic_id=user.clinic_id, signed_on__gte=since)
    return found.exclude(pk__in=hidden_scores(user) if hidden is None else hidden)


def hidden_scores(user: User) -> list[UUID]:
    """The scores that the person may not see, found by the few reviews that are open.

    In two questions: as one, a database that takes its tables for empty (they were filled a moment ago) compares every
    score with every run and every score again, which takes minutes from a thousand pages on.
    """
    pages = set(hidden_from(user).values_list("document_id", "page"))
    rows = PageScore.objects.filter(run__document__in={document for document, _page in pages})
    own = rows.values_list("pk", "run__document_id", "page")
    return [pk for pk, document, page in own if (document, page) in pages]


def reviewed(found: QuerySet[PageScore]) -> QuerySet[PageScore]:
    """Those of the run of each document that its reviewers worked on."""
    return found.filter(is_reviewed=True)


@dataclass(frozen=True, slots=True)
class Side:
    """A run beside another one: what it did on the signed pages, and how long it took in seconds, if it is over."""

    run: Run
    result: Result
    seconds: float | None


def side(run: Run, hidden: frozenset[int] = frozenset()) -> Side:
    """The run with its scores as they are kept, without those of `hidden` pages."""
    row = PageScore.objects.filter(run=run).exclude(page__in=hidden).aggregate(pages=Count("pk"), **_SUMS)
    if run.finished_at is None or run.started_at is None:
        return Side(run, _result(row), None)
    return Side(run, _result(row), (run.finished_at - run.started_at).total_seconds())


def overall(found: Iterable[Week]) -> Result:
    return sum((week.result for week in found), Result())


def totals(user: User, since: date, *, hidden: Collection[UUID] | None = None) -> Totals:
    """The clinic's pages of that day or later, added up: days that are over as they are kept. `hidden` as above."""
    by_day: dict[date, list[Sums]] = defaultdict(list)
    by_group: dict[tuple[int, bool], list[Sums]] = defaultdict(list)
    for row in _rows(user, since, hidden_scores(user) if hidden is None else hidden):
        by_group[row.group, row.is_reviewed].append(row.sums)
        if row.is_reviewed:
            by_day[row.day].append(row.sums)
    groups = ScoreGroup.objects.in_bulk({pk for pk, _is_reviewed in by_group})
    groups_found = {(groups[pk], is_reviewed): _added(sums) for (pk, is_reviewed), sums in by_group.items()}
    return Totals(_with_pages({day: _added(sums) for day, sums in by_day.items()}), _with_pages(groups_found))


def _with_pages(found: dict[Key, Result]) -> dict[Key, Result]:
    return {key: result for key, result in found.items() if result.pages}


def _rows(user: User, since: date, hidden: Collection[UUID]) -> Iterator[score_days.Row]:
    """All of the clinic's, and those that are hidden from this person once more, to be taken away."""
    groups = list(ScoreGroup.objects.filter(clinic=user.clinic_id).values_list("pk", flat=True))
    yield from score_days.rows(user.clinic_id, since, groups)
    own = PageScore.objects.filter(clinic_id=user.clinic_id, signed_on__gte=since)
    for row in score_days.counted(own.filter(pk__in=hidden), groups):
        yield row._replace(sums=[-each for each in row.sums])


def _added(rows: Iterable[Sums]) -> Result:
    pages, tp, fp, fn, day_right, clock_right, decided, agreed, timed, seconds = map(sum, zip(*rows, strict=True))
    score, counts = Score(int(tp), int(fp), int(fn)), (int(day_right), int(clock_right), int(decided), int(agreed))
    # Seconds are kept to the microsecond: rounded, their sum does not depend on the order.
    return Result(int(pages), score, *counts, int(timed), round(seconds, 6))


def configurations(found: Totals) -> list[Configuration]:
    """Every configuration by how many pages it has, the most first."""
    known: dict[tuple[str, str, str, str], Result] = defaultdict(Result)
    for (group, _is_reviewed), result in found.by_group.items():
        known[group.reader, group.rules, group.model, group.prompt] += result
    return [Configuration(*names, result) for names, result in _most_first(known)]


def split(found: Totals, by: By) -> list[tuple[str, Result]]:
    """The same by one name, the most pages first.

    A kind of document counts the run that was reviewed, so that a page counts once; a reader, a model and a prompt
    count every page that they were tried on.
    """
    known: dict[str, Result] = defaultdict(Result)
    for (group, is_reviewed), result in found.by_group.items():
        if is_reviewed or by not in OF_DOCUMENT:
            known[getattr(group, by)] += result
    return _most_first(known)


def _most_first(known: Mapping[Name, Result]) -> list[tuple[Name, Result]]:
    return sorted(known.items(), key=lambda item: (-item[1].pages, item[0]))


def weeks(found: Totals, since: date, until: date) -> list[Week]:
    """Every week from that of `since` to that of `until`; it begins on Monday."""
    known: dict[date, Result] = defaultdict(Result)
    for day, result in found.by_day.items():
        known[monday(day)] += result
    count = (monday(until) - monday(since)).days // 7 + 1
    begun = (monday(since) + timedelta(weeks=n) for n in range(count))
    return [Week(each, known[each]) for each in begun]


def confusions(found: QuerySet[PageScore]) -> list[tuple[str, str, int]]:
    """The characters that are taken for others most often on the newest pages: read, true, how often."""
    counted: Counter[str] = Counter()
    corrected = found.exclude(confusions={}).order_by("-signed_on")
    for each in corrected.values_list("confusions", flat=True)[:NEWEST_CORRECTED]:
        counted.update(each)
    return [(pair[0], pair[1], count) for pair, count in counted.most_common(WORST)]


class NewestRun(NamedTuple):
    """Of one of the newest extractions; it went through in one go if `turn` is 0."""

    pk: UUID
    status: str
    turn: int
    started_at: datetime | None
    finished_at: datetime | None
    pages: int


def newest_runs(user: User, since: date) -> list[NewestRun]:
    """The extractions of the clinic's newest documents since the beginning of that day, the newest first.

    By way of the documents, which an index has by clinic and moment; runs it has not.
    """
    documents = Document.objects.filter(clinic_id=user.clinic_id, created_at__gte=midnight(since))
    newest = documents.order_by("-created_at").values("pk")[:NEWEST_RUNS]
    found = Run.objects.filter(document__in=newest)
    names = ("pk", "status", "turn", "started_at", "finished_at", "document__page_count")
    return [NewestRun(*row) for row in found.order_by("-created_at").values_list(*names)[:NEWEST_RUNS]]


def paces(runs: Iterable[NewestRun]) -> list[Paces]:
    """How long the pages of these runs took, by reader."""
    pages = RunPage.objects.filter(run__in=[run.pk for run in runs]).exclude(reader="")
    by_reader: dict[str, list[tuple[float, float]]] = {}
    for reader, read, find in pages.values_list("reader", "read_seconds", "find_seconds")[:MOST_TIMES]:
        by_reader.setdefault(reader, []).append((read, find))
    return [
        Paces(reader, len(times), pace((read, 1) for read, _ in times), pace((find, 1) for _, find in times))
        for reader, times in sorted(by_reader.items())
    ]


@dataclass(frozen=True, slots=True)
class Bin:
    """Proposals of like confidence, from `low` to `high`: how many, how many of them right, their mean confidence."""

    low: float
    high: float
    count: int
    right: int
    mean: float | None

    @property
    def share(self) -> float | None:
        return self.right / self.count if self.count else None

    @property
    def interval(self) -> tuple[float, float] | None:
        return wilson(self.right, self.count)


@dataclass(frozen=True, slots=True)
class Calibration:
    """How far the confidences on signed pages can be trusted. `error` is the expected calibration error."""

    bins: tuple[Bin, ...]
    pages: int

    @property
    def count(self) -> int:
        return sum(each.count for each in self.bins)

    @property
    def error(self) -> float | None:
        gaps = sum(abs(each.mean * each.count - each.right) for each in self.bins if each.mean is not None)
        return gaps / self.count if self.count else None

    @property
    def chart(self) -> Chart:
        """A bar for each bin up to the share that was right, and a line at the confidence that was promised."""
        bars = charts.share_bars("up", [each.share for each in self.bins])
        return Chart(bars=tuple(bars), curves=(charts.curve("first", [each.mean for each in self.bins], 1.0),))


class NewestPage(NamedTuple):
    """What is kept of one of the newest signed pages beside its counts; see `PageScore`."""

    day: date
    calibration: Mapping[str, Sequence[float]]
    effort: Mapping[str, int] | None


def newest_pages(found: QuerySet[PageScore]) -> list[NewestPage]:
    """The newest of these pages. Those from before confidences were kept are left out."""
    kept = found.filter(calibration__isnull=False).order_by("-signed_on")
    rows = kept.values_list("signed_on", "calibration", "effort")[:NEWEST_PAGES]
    return [NewestPage(day, calibration or {}, effort) for day, calibration, effort in rows]


def calibration(pages: Sequence[NewestPage]) -> Calibration:
    """Of these pages, by bin of confidence."""
    sums = [[0, 0, 0.0] for _bin in range(BINS)]
    for page in pages:
        for place, parts in page.calibration.items():
            held = sums[int(place)]
            for number, part in enumerate(parts):
                held[number] += part
    bins = (
        Bin(place / BINS, (place + 1) / BINS, int(count), int(right), total / count if count else None)
        for place, (count, right, total) in enumerate(sums)
    )
    return Calibration(tuple(bins), len(pages))


@dataclass(frozen=True, slots=True)
class Handling:
    """What items took reviewers' hands, by action in the order of ACTIONS; without those that nobody counted."""

    by_action: dict[str, Tally]

    @property
    def all(self) -> Tally:
        return together(self.by_action.values())


def handling(pages: Iterable[NewestPage]) -> dict[date, Handling]:
    """Of these pages, by the week in which they were signed, the newest last. Weeks without a count are absent."""
    weeks: dict[date, list[Mapping[str, int]]] = defaultdict(list)
    for page in pages:
        if page.effort is not None:
            weeks[monday(page.day)].append(page.effort)
    return {begins: Handling(_in_order(tallies(rows))) for begins, rows in sorted(weeks.items())}


def handled(weeks: Iterable[Handling]) -> Handling:
    """All weeks as one."""
    known = [week.by_action for week in weeks]
    return Handling({action: together(each[action] for each in known if action in each) for action in ACTIONS
                     if any(action in each for each in known)})  # fmt: skip


def _in_order(found: Mapping[str, Tally]) -> dict[str, Tally]:
    return {action: found[action] for action in ACTIONS if action in found}


@dataclass(frozen=True, slots=True)
class Speed:
    """Pages a second of whole documents, from start to end: of the one in the middle, and of the slowest but 5 %."""

    documents: int
    middle: float
    slow: float


def speed(runs: Iterable[NewestRun]) -> Speed | None:
    """Of those of the runs that are done and went through in one go; None without any."""
    times = [
        ((run.finished_at - run.started_at).total_seconds(), run.pages)
        for run in runs
        if run.status == Status.DONE and run.turn == 0 and run.started_at and run.finished_at
    ][:NEWEST_TIMED]
    found = pace(times)
    return Speed(len(times), 1 / found.middle, 1 / found.slow) if found is not None and found.middle else None


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


def _result(row: Mapping[str, Any]) -> Result:
    count = {name: row[name] or 0 for name in ("pages", *_SUMS)}
    score = Score(count["tp"], count["fp"], count["fn"])
    return Result(count["pages"], score, count["day_right"], count["clock_right"])


def monday(day: date) -> date:
    """The first day of its week."""
    return day - timedelta(days=day.weekday())
