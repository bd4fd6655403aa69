"""What was really used, month by month: the clinic's documents and pages, and the hours of the model servers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db.models import Count, Q
from django.db.models.functions import TruncDate
from django.utils import timezone

from extraction import costs, prices
from extraction.days import between, midnight, stretches
from extraction.forms import CalculatorForm
from extraction.models import ACTIVE, DayUse, Finder, PageState, Run, RunPage, Sample, Status
from extraction.prices import PriceBook, PriceList

MONTHS = 6
ANSWERED = ("ok", "unhealthy", "unauthorised", "model_missing", "bad_reply", "busy")
"""States of `extraction.llm.health.Detail` in which something answered, so that the host was running and paid for."""


@dataclass(frozen=True, slots=True)
class Month:
    """One month of a clinic, in US dollars. The hours of the servers are the whole installation's.

    `server_hours` is at least what is paid: an instance that runs without answering, or unseen, costs the same. `fixed`
    is storage and transfer as estimated, in a month in which a server ran.
    """

    begins: datetime
    extractions: int
    pages: int
    textract_pages: int
    model_pages: int
    server_hours: Decimal
    server_cost: Decimal
    textract_cost: Decimal
    fixed: Decimal

    @property
    def total(self) -> Decimal:
        return self.server_cost + self.fixed + self.textract_cost

    @property
    def per_extraction(self) -> Decimal | None:
        return self.total / self.extractions if self.extractions else None

    @property
    def is_dear(self) -> bool:
        return self.total > costs.MONTHLY_ALERT


def months(clinic_id: UUID, book: PriceBook, *, instance: str, fixed: Decimal, moment: datetime) -> list[Month]:
    """The last months, the present one first, as if the servers ran on `instance`; none before the first use."""
    ends = beginnings(moment)
    days = use_by_day(clinic_id, ends[-1].date(), ends[0].date())
    found = [
        _month(days, book.on(begins.date()), begins, until, instance=instance, fixed=fixed)
        for begins, until in zip(ends[1:], ends[:-1], strict=True)
    ]
    used = [place for place, month in enumerate(found) if month.pages or month.server_hours]
    return found[: max(used, default=0) + 1]


def this_month(clinic_id: UUID, moment: datetime) -> Month:
    """The present month so far, reckoned as the page of costs does before anybody types an assumption."""
    until, begins = beginnings(moment)[:2]
    held = prices.book(clinic_id).on(begins.date())
    form = CalculatorForm({}, instances=held.instances)
    fixed = form.estimate(held).hosting.fixed
    days = use_by_day(clinic_id, begins.date(), until.date())
    return _month(days, held, begins, until, instance=form.assumed["instance"], fixed=fixed)


def beginnings(moment: datetime) -> list[datetime]:
    """When the next month begins, this one began, and so on backwards."""
    local = timezone.localtime(moment).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    first = local.year * 12 + local.month
    return [local.replace(year=number // 12, month=number % 12 + 1) for number in range(first, first - MONTHS - 1, -1)]


def _month(
    days: Iterable[DayUse], held: PriceList, begins: datetime, until: datetime, *, instance: str, fixed: Decimal
) -> Month:
    own = [use for use in days if begins.date() <= use.day < until.date()]
    textract_pages = sum(use.textract_pages for use in own)
    minutes = Sample.objects.filter(minute__gte=begins, minute__lt=until, state__in=ANSWERED).count()
    hours = Decimal(minutes) / 60
    return Month(
        begins=begins,
        extractions=sum(use.extractions for use in own),
        pages=sum(use.pages for use in own),
        textract_pages=textract_pages,
        model_pages=sum(use.model_pages for use in own),
        server_hours=hours,
        server_cost=hours * held.hourly(instance),
        textract_cost=costs.ocr(pages=Decimal(textract_pages), price=held.amount("textract.page")),
        fixed=fixed if minutes else Decimal(0),
    )


# --- Days ------------------------------------------------------------------------------------------------------------


def use_by_day(clinic_id: UUID, first: date, until: date) -> list[DayUse]:
    """What a clinic used on each day from `first` to the one before `until`, at most to today.

    Days that are over are counted once and kept (docs/decisions/0049): a month of a large network has a hundred
    thousand pages.
    """
    known = {use.day: use for use in DayUse.objects.filter(clinic=clinic_id, day__gte=first, day__lt=until)}
    today = timezone.localdate()
    until = min(until, today + timedelta(days=1))
    missing = [day for day in between(first, until) if day not in known]
    for begins, ends in stretches(missing):
        for use, is_idle in _count(clinic_id, begins, ends):
            known[use.day] = use
            if is_idle and use.day < today:
                DayUse.objects.bulk_create([use], ignore_conflicts=True)
    return [known[day] for day in sorted(known)]


def forget_days(document_id: UUID) -> None:
    """A run of the document changed: what was counted of its day is counted anew. In that transaction."""
    today = timezone.localdate()
    for clinic_id, at in Run.objects.filter(document=document_id).values_list("document__clinic", "created_at"):
        if (day := timezone.localdate(at)) < today:
            DayUse.objects.filter(clinic=clinic_id, day=day).delete()


def _count(clinic_id: UUID, first: date, until: date) -> Iterator[tuple[DayUse, bool]]:
    """The use of each of these days, and whether nothing of it runs any more."""
    begins, ends = midnight(first), midnight(until)
    runs = Run.objects.filter(document__clinic_id=clinic_id, created_at__gte=begins, created_at__lt=ends)
    by_day = runs.order_by().annotate(day=TruncDate("created_at")).values("day")
    counts = by_day.annotate(
        extractions=Count("pk", filter=Q(status=Status.DONE)), active=Count("pk", filter=Q(status__in=ACTIVE))
    )
    asked = Q(state=PageState.FOUND, run__without_model=False) & ~Q(run__finder=Finder.PATTERN)
    pages = RunPage.objects.filter(run__in=runs).order_by().annotate(day=TruncDate("run__created_at")).values("day")
    read = pages.annotate(
        pages=Count("pk", filter=~Q(state=PageState.UNREAD)),
        textract_pages=Count("pk", filter=Q(reader="textract")),
        model_pages=Count("pk", filter=asked),
    )
    of_runs = {row["day"]: row for row in counts}
    of_pages = {row["day"]: row for row in read}
    for day in between(first, until):
        done, seen = of_runs.get(day), of_pages.get(day)
        use = DayUse(
            clinic_id=clinic_id,
            day=day,
            extractions=done["extractions"] if done else 0,
            pages=seen["pages"] if seen else 0,
            textract_pages=seen["textract_pages"] if seen else 0,
            model_pages=seen["model_pages"] if seen else 0,
        )
        yield use, not (done and done["active"])
