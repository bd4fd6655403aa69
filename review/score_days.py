"""What the signed pages and the second reviews of a day add up to, kept once the day is over (docs/decisions/0053).

A year of a large clinic has two hundred thousand signed pages, and nearly all of them are of days that nobody touches
any more. A day is counted, never added to, when somebody looks at it. What changes something of it leaves a note in
the same transaction (`touch`), and a day with a note is counted anew. A note is added and locks nothing, so nobody who
works waits for who looks; one that a count did not see stays, whenever it was committed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import Count, QuerySet, Sum
from django.utils import timezone

from extraction.days import ONE, between, midnight, stretches
from review.agreement import Agreement
from review.models import PageScore, ScoreDay, ScoreGroup, SecondReview, SecondState, TouchedDay

SUMS = ("tp", "fp", "fn", "day_right", "clock_right", "decided", "agreed", "timed", "review_seconds")
"""What is added up of scores beside their number, in the order of a row's `sums`."""


class Row(NamedTuple):
    """The scores of one day, group and whether their run was reviewed: how many, and their SUMS."""

    day: date
    group: int
    is_reviewed: bool
    sums: Sequence[float]


def rows(clinic_id: UUID, since: date, groups: Collection[int]) -> Iterator[Row]:
    """The clinic's scores of that day or later; `groups` are those that it has."""
    open_since = _open_since()
    for each in _kept(clinic_id, since, open_since, "scores"):
        for entry in each.scores:
            yield Row(each.day, entry[0], bool(entry[1]), entry[2:])
    yield from counted(_scores(clinic_id, max(since, open_since)), groups)


def counted(found: QuerySet[PageScore], groups: Collection[int]) -> Iterator[Row]:
    """These scores, added up by the database."""
    for row in summed(found, groups):
        sums = (row["pages"], *(row[f"{name}_sum"] for name in SUMS))
        yield Row(row["signed_on"], row["group"], row["is_reviewed"], sums)


def summed(found: QuerySet[PageScore], groups: Collection[int]) -> QuerySet[Any]:
    """A row for each group, day and whether the run was reviewed. Days of a group lie beside each other in the index
    `page_score_sums`, so that the database neither opens a score nor sorts."""
    names = ("group", "signed_on", "is_reviewed")
    rows = found.filter(group__in=groups).order_by(*names).values(*names)
    added: QuerySet[Any] = rows.annotate(pages=Count("*"), **{f"{name}_sum": Sum(name) for name in SUMS})
    return added


def agreements(clinic_id: UUID, since: date) -> Iterator[tuple[date, Agreement]]:
    """How far reviewers agreed on the pages whose second review was finished on each day from that one on."""
    open_since = _open_since()
    for each in _kept(clinic_id, since, open_since, "agreement"):
        if each.agreement:
            yield each.day, Agreement(each.agreement["pages"], _table(each.agreement["table"]), each.agreement["same"])
    yield from _agreements(_finished(clinic_id, max(since, open_since)))


def touch(clinic_id: UUID, days: Iterable[date]) -> None:
    """Scores or second reviews of these days change in this transaction: what is kept of the days holds no more."""
    over = sorted({day for day in days if day < timezone.localdate()})
    TouchedDay.objects.bulk_create([TouchedDay(clinic_id=clinic_id, day=day) for day in over])


def touch_reviewed(clinic_id: UUID, reviews: QuerySet[SecondReview]) -> None:
    """The same of second reviews that are about to be withdrawn: what two people agreed on counts no more."""
    finished = reviews.filter(finished_at__isnull=False).values_list("finished_at", flat=True)
    touch(clinic_id, (timezone.localdate(moment) for moment in finished))


def _open_since() -> date:
    """The first day that is not kept. A transaction that signed a page before midnight may last a while after it."""
    return timezone.localdate() - ONE


def _kept(clinic_id: UUID, first: date, until: date, column: str) -> list[ScoreDay]:
    """The days from `first` to the one before `until`, with one of their columns."""
    days = {"clinic": clinic_id, "day__gte": first, "day__lt": until}
    # In this order: a note that a count is done with is gone when the count is there.
    touched = set(TouchedDay.objects.filter(**days).values_list("day", flat=True))
    known = {row.day: row for row in ScoreDay.objects.filter(**days).only("day", column)}
    missing = [day for day in between(first, until) if day in touched or day not in known]
    if missing:
        known |= {row.day: row for row in _count(clinic_id, missing)}
    return [known[day] for day in sorted(known)]


@transaction.atomic
def _count(clinic_id: UUID, days: Sequence[date]) -> list[ScoreDay]:
    """One at a time, so that an older count is not put over a newer one. Notes are read before what they are about."""
    own = {"clinic": clinic_id, "day__in": days}
    ScoreDay.objects.bulk_create([ScoreDay(clinic_id=clinic_id, day=day) for day in days], ignore_conflicts=True)
    list(ScoreDay.objects.filter(**own).order_by("day").select_for_update().values_list("pk"))
    seen = list(TouchedDay.objects.filter(**own).values_list("pk", flat=True))
    groups = list(ScoreGroup.objects.filter(clinic=clinic_id).values_list("pk", flat=True))
    rows = {day: ScoreDay(clinic_id=clinic_id, day=day) for day in days}
    for first, until in stretches(days):
        for row in counted(_scores(clinic_id, first).filter(signed_on__lt=until), groups):
            rows[row.day].scores.append([row.group, int(row.is_reviewed), *row.sums])
        for day, found in _agreements(_finished(clinic_id, first).filter(finished_at__lt=midnight(until))):
            rows[day].agreement = _written(found)
    ScoreDay.objects.bulk_create(
        rows.values(), update_conflicts=True, unique_fields=["clinic", "day"], update_fields=["scores", "agreement"]
    )
    TouchedDay.objects.filter(pk__in=seen).delete()
    return list(rows.values())


def _scores(clinic_id: UUID, since: date) -> QuerySet[PageScore]:
    return PageScore.objects.filter(clinic_id=clinic_id, signed_on__gte=since)


def _finished(clinic_id: UUID, since: date) -> QuerySet[SecondReview]:
    return SecondReview.objects.filter(
        document__clinic_id=clinic_id,
        finished_at__gte=midnight(since),  # A day would be looked for in all.
        state__in=(SecondState.DISPUTED, SecondState.CLOSED),
    )


def _agreements(reviews: QuerySet[SecondReview]) -> Iterator[tuple[date, Agreement]]:
    by_day: defaultdict[date, Agreement] = defaultdict(Agreement)
    for finished_at, counts, same in reviews.values_list("finished_at", "counts", "same"):
        by_day[timezone.localdate(finished_at)] += Agreement(1, _table(counts), same)
    yield from sorted(by_day.items())


def _written(found: Agreement) -> dict[str, Any]:
    table = {"/".join(pair): count for pair, count in found.table.items()}
    return {"pages": found.pages, "table": table, "same": found.same}


def _table(counts: dict[str, int]) -> dict[tuple[str, str], int]:
    return {(one, other): count for pair, count in counts.items() for one, _, other in (pair.partition("/"),)}
