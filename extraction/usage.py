"""What was really used, month by month: the clinic's documents and pages, and the hours of the model servers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import Count, Q
from django.utils import timezone

from extraction import costs, prices
from extraction.forms import CalculatorForm
from extraction.models import Finder, PageState, Run, RunPage, Sample, Status
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
    found = [
        _month(clinic_id, book.on(begins.date()), begins, until, instance=instance, fixed=fixed)
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
    return _month(clinic_id, held, begins, until, instance=form.assumed["instance"], fixed=fixed)


def beginnings(moment: datetime) -> list[datetime]:
    """When the next month begins, this one began, and so on backwards."""
    local = timezone.localtime(moment).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    first = local.year * 12 + local.month
    return [local.replace(year=number // 12, month=number % 12 + 1) for number in range(first, first - MONTHS - 1, -1)]


def _month(
    clinic_id: UUID, held: PriceList, begins: datetime, until: datetime, *, instance: str, fixed: Decimal
) -> Month:
    done = Run.objects.filter(
        document__clinic_id=clinic_id, status=Status.DONE, created_at__gte=begins, created_at__lt=until
    ).count()
    asked = Q(state=PageState.FOUND, run__without_model=False) & ~Q(run__finder=Finder.PATTERN)
    pages = RunPage.objects.filter(
        run__document__clinic_id=clinic_id, run__created_at__gte=begins, run__created_at__lt=until
    ).aggregate(
        read=Count("pk", filter=~Q(state=PageState.UNREAD)),
        textract=Count("pk", filter=Q(reader="textract")),
        model=Count("pk", filter=asked),
    )
    minutes = Sample.objects.filter(minute__gte=begins, minute__lt=until, state__in=ANSWERED).count()
    hours = Decimal(minutes) / 60
    return Month(
        begins=begins,
        extractions=done,
        pages=pages["read"],
        textract_pages=pages["textract"],
        model_pages=pages["model"],
        server_hours=hours,
        server_cost=hours * held.hourly(instance),
        textract_cost=costs.ocr(pages=Decimal(pages["textract"]), price=held.amount("textract.page")),
        fixed=fixed if minutes else Decimal(0),
    )
