"""The journal in words: what stands in the way of believing it."""

from __future__ import annotations

from django import template
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

register = template.Library()

PROBLEMS: dict[str, str | Promise] = {
    "tampered": _("The last verification found the journal changed. Leave the database as it is and call for help."),
    "incomplete": _("The last verification could not be completed: something that it needs was not within reach."),
    "unverified": _("The journal has not been verified for two days. Does the scheduler run?"),
    "young": _("The journal is new and has not been verified yet; the scheduler does so every day."),
    "no_key": _("No anchors are made, because no key is set: a cut-off end would not be noticed."),
    "broken_chain": _("The newest events do not follow from the last anchor: the journal was changed since."),
    "restored": _("A restore lost events. Until an administrator acknowledges it on the server, nothing is signed."),
    "late": _("Events have been waiting for their anchor for more than half an hour. Does the scheduler run?"),
    "place_failing": _("A place that keeps anchors does not take them now; it is tried again every minute."),
}
PLACE_ERRORS: dict[str, str | Promise] = {
    "unwritable": _("cannot be written to"),
    "unreadable": _("cannot be read"),
    "unreachable": _("does not answer"),
    "refused": _("refuses: wrong name or no right"),
}
VERDICTS: dict[str, str | Promise] = {
    "intact": _("intact"),
    "tampered": _("tampered with"),
    "incomplete": _("incomplete"),
}


@register.filter
def journal_problem(code: str) -> str:
    """A sentence; a code of a newer version stays a code."""
    return str(PROBLEMS.get(code, code))


@register.filter
def place_error(code: str) -> str:
    return str(PLACE_ERRORS.get(code, code))


@register.filter
def journal_verdict(code: str) -> str:
    return str(VERDICTS.get(code, code))
