"""How far a run is, in words: one mark, one phrase."""

from __future__ import annotations

from typing import NamedTuple

from django import template
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from extraction.configuration import model_start
from extraction.errors import SENTENCES
from extraction.models import Run, Status
from extraction.queries import Progress

register = template.Library()


class State(NamedTuple):
    """`kind` is a style (idle, working, waiting, done, partial, failed), `mark` its shape, `words` what it means."""

    kind: str
    mark: str
    words: str


@register.filter
def error_sentence(code: str) -> str:
    """The sentence of a closed error code; nothing for no code or one of an older version."""
    return str(SENTENCES.get(code, ""))


@register.filter
def doubtful(progress: Progress) -> int:
    """How many proposals fail a check."""
    return progress.found - progress.valid


@register.simple_tag
def state_of(run: Run, progress: Progress) -> State:
    """The run's state as the list and the document page show it."""
    if run.status == Status.QUEUED:
        return State("idle", "○", _("queued"))
    if run.status == Status.READING:
        return _working(_("reading: page {page} of {pages}"), progress.pages_read + len(progress.unread), progress)
    if run.status == Status.FINDING:
        return _working(_("finding NAMs: page {page} of {pages}"), progress.pages_found, progress)
    if run.status == Status.WAITING:
        return State("waiting", "◷", _waiting(run))
    if run.status == Status.FAILED:
        return State("failed", "✕", _("failed: {reason}").format(reason=error_sentence(run.error_code)))
    return _done(progress)


def _working(phrase: str, pages_done: int, progress: Progress) -> State:
    """`pages_done` pages are over, so the next one is at work."""
    page = min(pages_done + 1, progress.page_count)
    return State("working", "◐", phrase.format(page=page, pages=progress.page_count))


def _waiting(run: Run) -> str:
    is_model = run.error_code.startswith("model")
    if is_model and (start := model_start()) and start.is_under_way:
        return _("the model is starting")
    if run.next_attempt_at is None:
        return _("waiting for the model server") if is_model else _("waiting for the reading service")
    time = timezone.localtime(run.next_attempt_at).strftime("%H:%M")
    if is_model:
        return _("waiting for the model server, next try at {time}").format(time=time)
    return _("waiting for the reading service, next try at {time}").format(time=time)


def _done(progress: Progress) -> State:
    unread = len(progress.unread)
    if unread:
        return State(
            "partial",
            "!",
            ngettext("done, {count} page unread", "done, {count} pages unread", unread).format(count=unread),
        )
    found = progress.found
    return State("done", "✓", ngettext("done — {count} NAM", "done — {count} NAMs", found).format(count=found))
