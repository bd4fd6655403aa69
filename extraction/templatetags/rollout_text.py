"""Figures of a rollout as they are read: one decimal, and a dash for what is not known yet."""

from __future__ import annotations

from django import template
from django.utils.formats import number_format

register = template.Library()

UNKNOWN = "—"


@register.filter
def per_cent(share: float | None) -> str:
    """0.975 as 97.5 % (97,5 % in French)."""
    return UNKNOWN if share is None else f"{number_format(100 * share, 1)}\N{NO-BREAK SPACE}%"


@register.filter
def seconds(value: float | None) -> str:
    return UNKNOWN if value is None else f"{number_format(value, 1)}\N{NO-BREAK SPACE}s"
