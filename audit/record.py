"""Writing the journal. An event is written in the transaction of what it speaks of, or neither happens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol
from uuid import UUID

from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from audit.chain import GENESIS, link
from audit.models import PLATFORM, ChainHead, Event
from audit.origin import current_origin
from audit.verbs import Context, Outcome, Purpose, Verb


class JournalUnavailable(Exception):
    """The event could not be written; what it would have recorded must not happen. Pages answer 503."""


class Actor(Protocol):
    """Who acted: a person of a clinic. (The journal stands below the accounts and does not import them.)"""

    @property
    def pk(self) -> Any: ...
    @property
    def clinic_id(self) -> Any: ...
    @property
    def role(self) -> str: ...
    def get_full_name(self) -> str: ...


def record(
    verb: Verb,
    *,
    by: Actor | None,
    clinic_id: UUID | None = None,
    object_type: str = "",
    object_id: UUID | None = None,
    document_id: UUID | None = None,
    page: int | None = None,
    subject: bytes | None = None,
    count: int | None = None,
    outcome: Outcome = Outcome.SUCCESS,
    reason_code: str = "",
    purpose: Purpose = Purpose.BILLING,
    context: Context = Context.ADMINISTRATION,
    details: Mapping[str, str | int | bool | None] | None = None,
) -> Event:
    """Appends one event to the clinic's chain (that of `by`, or `clinic_id`, or the platform's).

    `by` is None for what the machine does on its own. `details` holds names, codes and counts, never values. `subject`
    is the keyed index of a NAM. What this system is for is administration (nobody treats a patient with it), so that is
    the `context`. Must be called inside a transaction, so that the event and the change it records are written
    together; raises JournalUnavailable when the event cannot be written.
    """
    if not connection.in_atomic_block:
        raise JournalUnavailable("an event belongs into the transaction of what it records")
    chain = clinic_id or (by.clinic_id if by is not None else None) or PLATFORM
    source = current_origin()
    event = Event(
        clinic_id=chain,
        at=timezone.now(),
        verb=verb,
        outcome=outcome,
        reason_code=reason_code,
        purpose=purpose,
        context=context,
        actor_id=by.pk if by is not None else None,
        actor_name=by.get_full_name()[:150] if by is not None else "",
        role=by.role if by is not None else "",
        object_type=object_type,
        object_id=object_id,
        document_id=document_id,
        page=page,
        subject=subject,
        count=count,
        details=dict(details or {}),
        component=source.component,
        request_id=source.request_id,
        ip=source.ip or None,
    )
    try:
        _append(event)
    except DatabaseError as error:
        raise JournalUnavailable(type(error).__name__) from None
    return event


def record_alone(verb: Verb, **fields: Any) -> Event:
    """Appends an event that records no change of ours (a disclosure, a refusal), in a transaction of its own."""
    try:
        with transaction.atomic():
            return record(verb, **fields)
    except DatabaseError as error:
        raise JournalUnavailable(type(error).__name__) from None


def check_writable(verb: Verb, *, by: Actor) -> None:
    """Raises JournalUnavailable unless an event could be written now. For what an earlier event already speaks of.

    It is written and taken back: nothing less proves it.
    """
    try:
        with transaction.atomic():
            record(verb, by=by)
            transaction.set_rollback(True)
    except DatabaseError as error:
        raise JournalUnavailable(type(error).__name__) from None


def _append(event: Event) -> None:
    """Gives the event its place and its hash under the lock of the chain's head."""
    head = _locked_head(event.clinic_id)
    event.seq = head.seq + 1
    event.prev_hash = bytes(head.hash)
    event.hash = link(event.prev_hash, event)
    event.save(force_insert=True)
    ChainHead.objects.filter(clinic_id=event.clinic_id).update(seq=event.seq, hash=event.hash)


def _locked_head(chain: UUID) -> ChainHead:
    """PostgreSQL locks the row; SQLite holds its only write lock since the transaction began (IMMEDIATE)."""
    heads = ChainHead.objects.select_for_update()
    head = heads.filter(clinic_id=chain).first()
    if head is None:
        ChainHead.objects.get_or_create(clinic_id=chain, defaults={"hash": GENESIS})
        head = heads.get(clinic_id=chain)
    return head
