"""Amounts, prices and their units as the language writes them."""

from __future__ import annotations

from decimal import Decimal

from django import template
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from extraction.prices import INSTANCE, Price

register = template.Library()

MISSING = "—"
NAMES: dict[str, str | Promise] = {
    "storage": gettext_lazy("Storage (EBS)"),
    "transfer": gettext_lazy("Data transfer"),
    "switching": gettext_lazy("Starting and stopping (Lambda)"),
    "gpt4.extraction": gettext_lazy("GPT-4, document of 20 pages"),
    "gpt4.prompt": gettext_lazy("GPT-4, tokens of the question"),
    "gpt4.answer": gettext_lazy("GPT-4, tokens of the answer"),
    "textract.page": gettext_lazy("Textract, text of a page"),
}
UNITS: dict[str, str | Promise] = {
    "hour": gettext_lazy("an hour"),
    "gigabyte_month": gettext_lazy("a GB a month"),
    "month": gettext_lazy("a month"),
    "extraction": gettext_lazy("an extraction"),
    "thousand_tokens": gettext_lazy("1,000 tokens"),
    "page": gettext_lazy("a page"),
}


@register.filter
def usd(amount: Decimal | None, places: int = 0) -> str:
    """An amount of US dollars, rounded to `places` decimals; a dash for none."""
    return MISSING if amount is None else _sign(amount).format(amount=_digits(abs(amount), places))


@register.filter
def usd_exact(amount: Decimal) -> str:
    """A price with every decimal it has, and at least two."""
    exponent = amount.normalize().as_tuple().exponent
    return usd(amount, max(2, -exponent if isinstance(exponent, int) else 2))


@register.filter
def whole(value: Decimal | float | None) -> str:
    """A count or a rounded number in groups of thousands; a dash for none."""
    return MISSING if value is None else _digits(Decimal(value), 0)


@register.filter
def hours(value: Decimal) -> str:
    """Hours with one decimal."""
    return _digits(value, 1)


def price_name(name: str) -> str:
    """What a price is called on a page."""
    if name.startswith(INSTANCE):
        return _("Instance {name}").format(name=name.removeprefix(INSTANCE))
    return str(NAMES.get(name, name))


register.filter("price_name", price_name)


@register.filter
def source(price: Price) -> str:
    """Where a price comes from, in the reader's language if the file has it."""
    return (price.source_fr if (get_language() or "").startswith("fr") else "") or price.source


@register.filter
def unit(code: str) -> str:
    return str(UNITS.get(code, code))


def _sign(amount: Decimal) -> str:
    return _("−US${amount}") if amount < 0 else _("US${amount}")


def _digits(value: Decimal, places: int) -> str:
    return str(number_format(round(value, places), decimal_pos=places, force_grouping=True))
