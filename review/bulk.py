"""Confirming at once every proposal of a page that nothing speaks against, and taking it back.

It is for pages that were looked at: the journal must know that the page was opened, that its image was sent to this
person, and that their browser has painted it.
Each confirmation is a decision with an event of its own; what the press has in common is the decisions' `batch`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import timedelta
from itertools import chain, repeat
from uuid import UUID, uuid4

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.policy import reviewers_only
from audit.models import Event
from audit.verbs import Verb
from extraction.models import Document, Finder, Finding, Run
from review import actions, queries, tasks
from review.actions import Value
from review.effort import NOTHING, Effort
from review.models import Decision
from review.policy import Conflict, check_page_open
from review.queries import Item

CONFIDENCE = 0.99
"""From which a proposal may be confirmed together with others. On held-out documents of every kind but half handwritten
ones, at least 99.9 % of the proposals from there on are right (docs/accuracy.md)."""
SHOWN_WITHIN = timedelta(hours=8)
"""How long a page that was shown counts as seen: a day's work."""


def sure(run: Run, items: Iterable[Item]) -> list[Finding]:
    """The undecided ones of those that may be confirmed at once."""
    return passing(run, (item for item in items if item.decision is None))


def passing(run: Run, items: Iterable[Item]) -> list[Finding]:
    """The proposals that pass every check, were found by every finder that was asked, and are confident."""
    asked = _asked(run)
    return [
        item.finding
        for item in items
        if item.finding is not None
        and not item.doubts
        and asked <= set(item.finding.found_by)
        and item.finding.confidence >= CONFIDENCE
    ]


def _asked(run: Run) -> set[str]:
    """The finders that were to search every page of a run. Where one gave no answer, it has found nothing."""
    if not run.uses_model:
        return {"pattern"}
    return {"model"} if run.finder == Finder.MODEL else {"pattern", "model"}


def was_shown(user: User, document: Document, page: int) -> bool:
    """Whether the page was opened, its image sent to this person and painted by their browser, by the journal.

    All three: an image may be fetched ahead of a page that is never turned to, may be lost on its way, and is not
    painted by a browser that nobody sent it to.
    """
    seen = Event.objects.filter(
        clinic_id=user.clinic_id,
        document_id=document.pk,
        actor_id=user.pk,
        page=page,
        at__gte=timezone.now() - SHOWN_WITHIN,
    )
    return {Verb.DOCUMENT_VIEWED, Verb.PAGE_VIEWED, Verb.PAGE_SHOWN} <= set(
        seen.values_list("verb", flat=True).distinct()
    )


@reviewers_only
@transaction.atomic
def confirm_all(
    *, run: Run, page: int, findings: Collection[UUID], effort: Effort | None = None, by: User
) -> list[Decision]:
    """Confirms the proposals that the button stood for. Raises Conflict when the page was not shown or has changed.

    What the press took is the first one's `effort`; the others took nothing more.
    """
    Document.objects.select_for_update(no_key=True).get(pk=run.document_id)
    check_page_open(run.document, page)
    if not was_shown(by, run.document, page):
        raise Conflict(_("Look at the page first: its image was not shown to you yet."))
    ready = {finding.pk: finding for finding in sure(run, queries.items(run, page))}
    if not findings or not ready.keys() >= set(findings):
        raise Conflict(_("The page has changed. Reload it, then confirm."))
    batch = uuid4()
    efforts = chain([effort], repeat(NOTHING if effort is not None else None))
    decisions = [
        actions.decide(finding=ready[pk], value=Value.of(ready[pk]), batch=batch, effort=took, by=by)
        for pk, took in zip(dict.fromkeys(findings), efforts, strict=False)
    ]
    tasks.recount(run.document_id)
    return decisions


@reviewers_only
@transaction.atomic
def undo_all(*, document: Document, page: int, by: User) -> int:
    """Takes back every confirmation on the page that was made at once. Returns how many. Raises Conflict."""
    standing = queries.active(document).filter(page=page, batch__isnull=False)
    for decision in standing:
        actions.undo(decision=decision, by=by)
    return len(standing)
