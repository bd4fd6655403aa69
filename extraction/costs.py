"""What a model server costs, and what it is compared with. Pure; amounts are US dollars in exact decimals.

The formulas are those of the planning document ("Cost Analysis" and its calculator):

    a month        = hours x price of an hour + storage + data transfer + starting and stopping
    an extraction  = a month / extractions
    break-even     = a month / price of an extraction by GPT-4, rounded up
    three years    = 12 x a month a year, against the extractions of each year by GPT-4

`docs/costs.md` lists which of its figures are wrong. GPT-4 is a measure only: pages hold health information and may not
be sent to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from typing import Literal, NamedTuple

HOURS = {"eight": Decimal(176), "ten": Decimal(220), "always": Decimal(730)}
"""Hours a month: 22 days of 8 hours, 22 days of the working hours 8:00 to 18:00, and every hour of a year / 12."""
VOLUMES = (500, 1_000, 2_000, 5_000, 10_000)
YEARS = 3
DOCUMENT_PAGES = 20
"""Pages of the document that the planning document reckons with."""
EXTRACTIONS_AN_HOUR = 90
"""Such documents at 40 seconds each, as the planning document expects them of one server."""
MONTHLY_ALERT = Decimal(150)
"""The planning document asks for an alert when a month costs more."""

Advice = Literal["beyond_capacity", "dearer", "cheaper"]


def dollars(amount: Decimal) -> Decimal:
    """In whole dollars, halves upwards."""
    return amount.quantize(Decimal(1), ROUND_HALF_UP)


def cents(amount: Decimal) -> Decimal:
    """In whole cents, halves upwards."""
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Hosting:
    """One server for a month: hours it runs, the price of an hour, and what is paid whether it runs or not."""

    hourly: Decimal
    hours: Decimal
    storage: Decimal
    transfer: Decimal
    switching: Decimal = Decimal(0)

    @property
    def compute(self) -> Decimal:
        return self.hourly * self.hours

    @property
    def fixed(self) -> Decimal:
        return self.storage + self.transfer + self.switching

    @property
    def monthly(self) -> Decimal:
        return self.compute + self.fixed

    def capacity(self, pages: int = DOCUMENT_PAGES) -> int:
        """Documents of so many pages that one server has the time for in a month."""
        return int(self.hours * EXTRACTIONS_AN_HOUR * DOCUMENT_PAGES / pages)

    def per_extraction(self, extractions: int) -> Decimal | None:
        """None without an extraction to share the month out to."""
        return self.monthly / extractions if extractions else None


@dataclass(frozen=True, slots=True)
class Workload:
    """A month's work. `scanned` is the share of pages that go to Textract, `growth` what each later year adds."""

    extractions: int
    pages: int
    scanned: Decimal = Decimal(0)
    growth: Decimal = Decimal(0)

    @property
    def monthly_pages(self) -> int:
        return self.extractions * self.pages

    @property
    def textract_pages(self) -> Decimal:
        return self.monthly_pages * self.scanned


@dataclass(frozen=True, slots=True)
class TokenPrices:
    """GPT-4 by its own price list: dollars for a thousand tokens."""

    prompt: Decimal
    answer: Decimal

    def extraction(self, *, pages: int, page_tokens: int, answer_tokens: int) -> Decimal:
        """A document of so many pages with so many tokens each, and the tokens of its whole answer."""
        return (self.prompt * pages * page_tokens + self.answer * answer_tokens) / 1000


def break_even(monthly: Decimal, per_extraction: Decimal) -> int | None:
    """From how many extractions a month on a server of its own costs no more; None where the other costs nothing."""
    return int((monthly / per_extraction).to_integral_value(ROUND_CEILING)) if per_extraction else None


def ocr(*, pages: Decimal, price: Decimal) -> Decimal:
    """Page images sent to Textract."""
    return pages * price


class Volume(NamedTuple):
    """A month with so many extractions. A saving below zero is what a server of one's own costs more."""

    extractions: int
    hosted: Decimal
    by_api: Decimal

    @property
    def saving(self) -> Decimal:
        return self.by_api - self.hosted


def by_volume(monthly: Decimal, per_extraction: Decimal, volumes: Sequence[int] = VOLUMES) -> list[Volume]:
    return [Volume(count, monthly, per_extraction * count) for count in volumes]


class Year(NamedTuple):
    """`extractions` is a month's average."""

    number: int
    extractions: Decimal
    hosted: Decimal
    by_api: Decimal


@dataclass(frozen=True, slots=True)
class Term:
    """Several years, each with so much more than the one before."""

    years: tuple[Year, ...]

    @property
    def hosted(self) -> Decimal:
        return sum((year.hosted for year in self.years), Decimal(0))

    @property
    def by_api(self) -> Decimal:
        return sum((year.by_api for year in self.years), Decimal(0))

    @property
    def saving(self) -> Decimal:
        return self.by_api - self.hosted


def term(monthly: Decimal, per_extraction: Decimal, *, first_year: Decimal, growth: Decimal) -> Term:
    """Three years. `first_year` is the average of its months, `growth` the share that each later year adds.

    The server's month costs the same throughout, so the last year's volume should be within its capacity.
    """
    years = []
    for number in range(YEARS):
        average = first_year * (1 + growth) ** number
        years.append(Year(number + 1, average, 12 * monthly, 12 * average * per_extraction))
    return Term(tuple(years))


def advice(work: Workload, hosting: Hosting, per_extraction: Decimal) -> Advice:
    """What a volume calls for. None of it is to send pages to GPT-4."""
    if work.extractions > hosting.capacity(work.pages):
        return "beyond_capacity"
    return "cheaper" if hosting.monthly <= per_extraction * work.extractions else "dearer"


@dataclass(frozen=True, slots=True)
class Against:
    """The same work done by GPT-4 at so much an extraction."""

    per_extraction: Decimal
    monthly: Decimal
    break_even: int | None
    volumes: list[Volume]
    term: Term


@dataclass(frozen=True, slots=True)
class Estimate:
    """A month on a server of one's own, and two ways to reckon what GPT-4 would cost: by document and by token.

    Reading by Textract is paid either way, so it is told apart and not compared.
    """

    work: Workload
    hosting: Hosting
    per_extraction: Decimal | None
    capacity: int
    ocr: Decimal
    flat: Against
    by_tokens: Against
    by_hours: list[Hosting]
    advice: Advice

    @property
    def total(self) -> Decimal:
        """The server's month and Textract's."""
        return self.hosting.monthly + self.ocr

    @property
    def total_per_extraction(self) -> Decimal | None:
        return self.total / self.work.extractions if self.work.extractions else None

    @property
    def volumes(self) -> list[tuple[Volume, Volume]]:
        """Each volume at the price by document and by token."""
        return list(zip(self.flat.volumes, self.by_tokens.volumes, strict=True))

    @property
    def years(self) -> list[tuple[Year, Year]]:
        return list(zip(self.flat.term.years, self.by_tokens.term.years, strict=True))


def estimate(hosting: Hosting, work: Workload, *, flat: Decimal, by_tokens: Decimal, textract: Decimal) -> Estimate:
    """`flat` and `by_tokens` are prices of one extraction by GPT-4, `textract` that of one page."""
    return Estimate(
        work=work,
        hosting=hosting,
        per_extraction=hosting.per_extraction(work.extractions),
        capacity=hosting.capacity(work.pages),
        ocr=ocr(pages=work.textract_pages, price=textract),
        flat=_against(hosting, work, flat),
        by_tokens=_against(hosting, work, by_tokens),
        by_hours=[replace(hosting, hours=hours) for hours in HOURS.values()],
        advice=advice(work, hosting, flat),
    )


def _against(hosting: Hosting, work: Workload, per_extraction: Decimal) -> Against:
    return Against(
        per_extraction=per_extraction,
        monthly=per_extraction * work.extractions,
        break_even=break_even(hosting.monthly, per_extraction),
        volumes=by_volume(hosting.monthly, per_extraction),
        term=term(hosting.monthly, per_extraction, first_year=Decimal(work.extractions), growth=work.growth),
    )
