"""Who is at work on a document: one reviewer at a time, for as long as their page is open.

A lease is taken by opening the document or by deciding, renewed by the page's heartbeat, given back when the page goes
away, and over by itself after LEASE_TIME without a sign of life. Every change is one conditional UPDATE of the task of
the document, so of two people at the same moment one gets it; a decision keeps the row locked until it is saved.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.policy import reviewers_only
from audit.record import record
from audit.verbs import Purpose, Verb
from extraction.models import Document
from review import queue, tasks
from review.models import ReviewTask
from review.policy import Conflict

LEASE_TIME = timedelta(seconds=90)
BEAT_EVERY = timedelta(seconds=20)
"""A page may miss three heartbeats before somebody else gets its document."""


class HeldByOther(Conflict):
    """Somebody else is at work on the document."""


def free(moment: datetime) -> Q:
    """The tasks that nobody is at work on."""
    return Q(held_until=None) | Q(held_until__lte=moment)


@reviewers_only
def open_page(*, document: Document, is_ahead: bool = False, by: User) -> ReviewTask:
    """The document's task for a page that is about to be shown: held by `by` if nobody else is at work on it.

    A page that is fetched ahead (`is_ahead`) keeps the ticket of the one that is shown.
    """
    _take(document, by, **({} if is_ahead else {"ticket": uuid4()}))
    return ReviewTask.objects.select_related("holder").get(document=document)


@reviewers_only
def beat(*, document: Document, ticket: UUID | None, by: User) -> None:
    """The page with this ticket is still open and seen. Raises HeldByOther."""
    if not _take(document, by, ticket=ticket):
        raise held_by_other(document)


@reviewers_only
def release(*, document: Document, ticket: UUID | None, by: User) -> None:
    """The page with this ticket went away. Changes nothing if a newer one was opened, or somebody else took over."""
    ReviewTask.objects.filter(document=document, holder=by, ticket=ticket).update(held_until=timezone.now())


@reviewers_only
@transaction.atomic
def take_over(*, document: Document, by: User) -> None:
    """Takes the document from whoever is at work on it; they learn it at their next heartbeat or decision."""
    task, moment = tasks.lock(document.pk), timezone.now()
    is_taken_away = task.is_held(moment) and task.holder_id != by.pk
    _hand_to(ReviewTask.objects.filter(document=document), by, moment)
    if is_taken_away:
        record(Verb.DOCUMENT_TAKEN_OVER, by=by, object_type="document", object_id=document.pk, document_id=document.pk,
               purpose=Purpose.QUALITY, details={"from": str(task.holder_id)})  # fmt: skip


@reviewers_only
@transaction.atomic
def claim_next(*, by: User) -> Document | None:
    """The first document of the queue that nobody is at work on, now the person's. None when there is none.

    Two people who ask at once get two documents: PostgreSQL skips rows that the other one holds, and on SQLite the
    second transaction begins when the first is over.
    """
    moment = timezone.now()
    first = queue.waiting(by).filter(free(moment)).order_by(*queue.ORDER)
    task = first.select_for_update(skip_locked=True).first()
    if task is None:
        return None
    _hand_to(ReviewTask.objects.filter(pk=task.pk), by, moment)
    record(Verb.DOCUMENT_CLAIMED, by=by, object_type="document", object_id=task.document_id,
           document_id=task.document_id, purpose=Purpose.QUALITY)  # fmt: skip
    return task.document


def hold(*, document: Document, by: User) -> None:
    """For actions: `by` has the document until the transaction ends, and for LEASE_TIME. Raises HeldByOther.

    Who has no lease on a free document takes it by acting.
    """
    if not _take(document, by):
        raise held_by_other(document)


def give_back(document: Document) -> None:
    """Nothing is left to do: whoever comes next finds it free."""
    ReviewTask.objects.filter(document=document, held_until__gt=timezone.now()).update(held_until=timezone.now())


def held_by_other(document: Document) -> HeldByOther:
    """The refusal, which names who is at work."""
    task = ReviewTask.objects.select_related("holder").get(document=document)
    if task.holder is None or task.held_since is None:
        return HeldByOther(_("Somebody else is working on this document."))
    since = timezone.localtime(task.held_since).strftime("%H:%M")
    return HeldByOther(
        _("%(name)s is working on this document (since %(time)s). Nothing you typed is lost: take it over to go on.")
        % {"name": task.holder.name, "time": since}
    )


def _take(document: Document, by: User, **ticket: UUID | None) -> bool:
    """Renews the person's lease, or takes a free one. False while somebody else has it."""
    if _renew(document, by, **ticket):
        return True
    tasks.of(document)
    moment = timezone.now()
    taken = _hand_to(ReviewTask.objects.filter(free(moment), document=document), by, moment, **ticket)
    # The person may have taken it meanwhile in another request of theirs.
    return bool(taken) or _renew(document, by, **ticket)


def _renew(document: Document, by: User, **ticket: UUID | None) -> bool:
    moment = timezone.now()
    own = ReviewTask.objects.filter(document=document, holder=by, held_until__gt=moment)
    return bool(own.update(held_until=moment + LEASE_TIME, **ticket))


def _hand_to(rows: queue.Tasks, by: User, moment: datetime, **ticket: UUID | None) -> int:
    return rows.update(holder=by, held_since=moment, held_until=moment + LEASE_TIME, **{"ticket": None, **ticket})
