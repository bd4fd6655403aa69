"""What the queue says: why a document stands where it stands, and the names of the filters."""

from __future__ import annotations

from django import template
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from review.priority import Because, Reason
from review.queue import Filter

register = template.Library()

FILTERS: dict[str, str | Promise] = {
    Filter.ALL: _("All"),
    Filter.MINE: _("Mine"),
    Filter.DOUBTFUL: _("Doubtful numbers"),
    Filter.UNREAD: _("Unread pages"),
    Filter.OLDEST: _("Oldest first"),
}


@register.filter
def filter_name(chosen: Filter) -> str:
    return str(FILTERS[chosen])


@register.filter
def reason_words(reason: Reason) -> str:
    """One reason in words."""
    count = reason.number
    match reason.because:
        case Because.UNREAD:
            words = ngettext("%(count)d page unread", "%(count)d pages unread", count)
        case Because.DOUBTFUL:
            words = ngettext("%(count)d doubtful number", "%(count)d doubtful numbers", count)
        case Because.FAINT:
            words = ngettext("%(count)d read with low confidence", "%(count)d read with low confidence", count)
        case Because.DAYS:
            words = ngettext("waits for %(count)d day", "waits for %(count)d days", count)
        case Because.HOURS:
            words = ngettext("waits for %(count)d hour", "waits for %(count)d hours", count)
        case Because.FRESH:
            words = str(_("came in within the hour"))
    return words % {"count": count} if "%" in words else words


@register.filter
def weight(reason: Reason) -> str:
    """The style of a reason: what speaks for hurry, or how long it waits."""
    return "pressing" if reason.because in (Because.UNREAD, Because.DOUBTFUL, Because.FAINT) else "age"
