"""What an administrator asks for: periods, holds, the destruction of a document. Each with its event."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar, cast

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.policy import Right, check_right
from audit.record import record
from audit.verbs import Purpose, Verb
from extraction.models import Document
from review.policy import Conflict
from review.retention import destroying, due
from review.retention.classes import DOCUMENT_CLASSES, RULES, DataClass
from review.retention.models import AskedReason, Hold, RetentionPeriod

P = ParamSpec("P")
R = TypeVar("R")


class WrongPeriod(ValueError):
    """The days are not what the class allows. Its text is a sentence for the person."""


def admins_only(action: Callable[P, R]) -> Callable[P, R]:
    """Checks `by` before the action's transaction begins, so that the journal keeps a refusal."""

    @wraps(action)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        check_right(cast(User, kwargs["by"]), Right.RETENTION)
        return action(*args, **kwargs)

    return checked


@admins_only
@transaction.atomic
def change_period(*, data_class: DataClass, days: int, by: User) -> None:
    """Sets for how long the person's clinic keeps a class. Raises WrongPeriod, with what is allowed."""
    before = due.periods(by.clinic_id)
    _check_period(data_class, days, before)
    RetentionPeriod.objects.update_or_create(
        clinic_id=by.clinic_id, data_class=data_class, defaults={"days": days, "set_by": by}
    )
    record(Verb.RETENTION_CHANGED, by=by, object_type="retention", reason_code=data_class,
           purpose=Purpose.ADMINISTRATION, details={"before": before[data_class], "after": days})  # fmt: skip


def _check_period(data_class: DataClass, days: int, now: dict[DataClass, int]) -> None:
    rule = RULES[data_class]
    if not rule.least <= days <= rule.greatest:
        raise WrongPeriod(
            _("Between %(least)d and %(greatest)d days.") % {"least": rule.least, "greatest": rule.greatest}
        )
    others = [now[each] for each in DOCUMENT_CLASSES if each != DataClass.DECISIONS]
    if data_class == DataClass.DECISIONS and days < max(others):
        raise WrongPeriod(
            _("Not shorter than what else is kept of a document (%(days)d days).") % {"days": max(others)}
        )
    if data_class in DOCUMENT_CLASSES and data_class != DataClass.DECISIONS and days > now[DataClass.DECISIONS]:
        most = now[DataClass.DECISIONS]
        raise WrongPeriod(_("Not longer than decided numbers are kept (%(days)d days).") % {"days": most})


@admins_only
@transaction.atomic
def place_hold(*, document: Document | None, reason: str, by: User) -> Hold:
    """Keeps a document, or (None) everything of the person's clinic, from being destroyed. Raises Conflict."""
    if Hold.objects.filter(clinic_id=by.clinic_id, document=document, lifted_at=None).exists():
        raise Conflict(_("There is a hold already."))
    if document is not None:
        Document.objects.select_for_update().get(pk=document.pk)  # A destruction that begins now waits, and sees it.
    hold = Hold.objects.create(clinic_id=by.clinic_id, document=document, reason=reason, placed_by=by)
    record(Verb.HOLD_PLACED, by=by, object_type="hold", object_id=hold.pk,
           document_id=document.pk if document else None, purpose=Purpose.ADMINISTRATION)  # fmt: skip
    return hold


@admins_only
@transaction.atomic
def lift_hold(*, hold: Hold, by: User) -> None:
    """Ends a hold; what is due goes with the next daily job. Raises Conflict if it was lifted before."""
    if not Hold.objects.filter(pk=hold.pk, lifted_at=None).update(lifted_at=timezone.now(), lifted_by=by):
        raise Conflict(_("This hold was lifted before."))
    record(Verb.HOLD_LIFTED, by=by, object_type="hold", object_id=hold.pk, document_id=hold.document_id,
           purpose=Purpose.ADMINISTRATION)  # fmt: skip


@admins_only
def destroy_document(*, document: Document, reason: AskedReason, by: User) -> None:
    """Destroys all of a document but counts and the journal, now. Raises Conflict while it is held or was destroyed.

    A process that is killed in between leaves the rest to the daily job.
    """
    with transaction.atomic():
        document = Document.objects.select_for_update().get(pk=document.pk)
        check_can_destroy(document)
        destroying.begin_asked(document, reason=reason, by=by)
    destroying.finish_open(None)


def check_can_destroy(document: Document) -> None:
    """Raises Conflict while a hold keeps the document, or when it was destroyed before."""
    if document.destroyed_at:
        raise Conflict(_("This document was destroyed before."))
    if due.is_held(document):
        raise Conflict(_("A legal hold keeps this document. Lift it first."))
