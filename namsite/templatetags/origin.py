"""Where a page comes from, also for those that are drawn without their request."""

from __future__ import annotations

from django import template

from audit.origin import current_origin

register = template.Library()


@register.simple_tag
def request_id() -> str:
    """The id under which the log speaks of this request."""
    return current_origin().request_id
