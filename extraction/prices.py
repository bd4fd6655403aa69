"""The prices that costs are reckoned with: `prices.toml`, and what a clinic's administrators put in its place."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Any
from uuid import UUID

from extraction.models import PriceChange

INSTANCE = "instance."
UNITS = ("hour", "gigabyte_month", "month", "extraction", "thousand_tokens", "page")


class UnknownPrice(KeyError):
    """The file has no price of this name."""


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars a unit, from a day on. `set_by` is the administrator's name; "" for the file's own.

    `source_fr` is the source in French, "" where it is in whatever language somebody typed it in.
    """

    name: str
    amount: Decimal
    unit: str
    from_day: date
    source: str
    source_fr: str = ""
    set_by: str = ""

    def __post_init__(self) -> None:
        if self.unit not in UNITS or not self.source:
            raise ValueError("a price has a known unit and a source")
        if not self.amount.is_finite() or self.amount < 0:
            raise ValueError("a price is an amount of nothing or more")


class PriceList(Mapping[str, Price]):
    """The prices that hold on one day, by name, in the order of the file."""

    def __init__(self, prices: Mapping[str, Price]) -> None:
        self._prices = prices

    def __getitem__(self, name: str) -> Price:
        try:
            return self._prices[name]
        except KeyError:
            raise UnknownPrice(name) from None

    def __iter__(self) -> Any:
        return iter(self._prices)

    def __len__(self) -> int:
        return len(self._prices)

    def amount(self, name: str) -> Decimal:
        return self[name].amount

    @property
    def instances(self) -> list[str]:
        """The names of the instance types."""
        return [name.removeprefix(INSTANCE) for name in self if name.startswith(INSTANCE)]

    def hourly(self, instance: str) -> Decimal:
        return self.amount(INSTANCE + instance)


@dataclass(frozen=True, slots=True)
class PriceBook:
    """Every price that ever held for a clinic: the file's entries, and its own."""

    listed: tuple[Price, ...]
    own: tuple[Price, ...] = ()

    def on(self, day: date) -> PriceList:
        """What holds on `day`: the clinic's own price or else the file's; before its first day, the first one."""
        names = dict.fromkeys(price.name for price in self.listed)
        return PriceList({name: _in_force(name, day, self.own) or self._listed(name, day) for name in names})

    def _listed(self, name: str, day: date) -> Price:
        return _in_force(name, day, self.listed) or min(
            (price for price in self.listed if price.name == name), key=lambda price: price.from_day
        )


def _in_force(name: str, day: date, prices: Iterable[Price]) -> Price | None:
    """Of two from the same day the later in `prices` holds."""
    holding = [price for price in prices if price.name == name and price.from_day <= day]
    return max(enumerate(holding), key=lambda pair: (pair[1].from_day, pair[0]))[1] if holding else None


def parse(text: str) -> tuple[Price, ...]:
    """The prices of a file. Raises ValueError, KeyError or TypeError for one that is not made as `prices.toml` is."""
    entries = tomllib.loads(text, parse_float=Decimal)["price"]
    return tuple(
        Price(
            name=entry["name"],
            amount=Decimal(entry["amount"]),
            unit=entry["unit"],
            from_day=entry["from"],
            source=entry["source"],
            source_fr=entry["source_fr"],
        )
        for entry in entries
    )


@cache
def listed() -> tuple[Price, ...]:
    """The prices of the file."""
    return parse((resources.files(__package__) / "prices.toml").read_text(encoding="utf-8"))


def book(clinic_id: UUID) -> PriceBook:
    """The clinic's prices, in one query."""
    units = {price.name: price.unit for price in listed()}
    rows = PriceChange.objects.filter(clinic_id=clinic_id).select_related("set_by").order_by("set_at", "pk")
    own = tuple(
        Price(row.name, row.amount, units[row.name], row.from_day, row.source, set_by=row.set_by.get_full_name())
        for row in rows
        if row.name in units  # One that the file no longer has is of no use.
    )
    return PriceBook(listed(), own)
