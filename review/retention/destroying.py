"""Destroying: what is due, and documents that an administrator names. Safe to kill anywhere and to do twice.

A destruction is written down before anything is destroyed (`begin`), then carried out and journalled (`finish`). Held
data is never begun. The key of a file goes before any row says that it is gone, so nothing claims more than happened.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import Clinic, User
from audit.record import record
from audit.verbs import Purpose, Verb
from extraction import following, storage
from extraction.models import ACTIVE, Document, Finding, Hint, Run, RunPage, Slice, Status
from review import score_days
from review.models import SECOND_OPEN, Decision, Disagreement, Export, SecondDecision, SecondReview, SecondState
from review.retention import due
from review.retention.classes import DOCUMENT_CLASSES, DataClass
from review.retention.models import Destruction
from vault.errors import VaultError

AT_ONCE = 25
"""Documents that the scheduler's chore destroys in a minute, so that it is not kept from its other work."""


def apply(moment: datetime, *, most: int | None = None) -> int:
    """Begins what is due in every clinic and carries out what was begun. Returns how many destructions were done.

    With `most` no more than that, and the next call goes on.
    """
    done = finish_open(most)
    for clinic in Clinic.objects.order_by("created_at"):
        for each in due.due(clinic.pk, moment):
            if most is not None and done >= most:
                return done
            if not each.is_held and begin_due(each, moment):
                done += finish_open(None)
    return done


@transaction.atomic
def begin_due(each: due.Due, moment: datetime) -> bool:
    """Writes down that this is about to be destroyed; False where a hold came in between, or somebody was faster."""
    document = Document.objects.select_for_update().get(pk=each.document_id)
    open_ones = document.destructions.filter(done_at=None)
    if due.is_held(document) or open_ones.filter(data_class=each.data_class).exists():
        return False
    for data_class in DOCUMENT_CLASSES if each.data_class == DataClass.DECISIONS else (each.data_class,):
        _begin(document, data_class, Destruction.Why.PERIOD, moment, days=each.days)
    return True


def begin_asked(document: Document, *, reason: str, by: User) -> None:
    """Writes down that all of the document is about to be destroyed. In the transaction of who asks."""
    Run.objects.filter(document=document, status__in=ACTIVE).update(
        status=Status.FAILED, error_code="destroyed", finished_at=timezone.now()
    )
    Slice.objects.filter(run__document=document).delete()  # Whoever is at one finds it gone, and stops.
    for data_class in DOCUMENT_CLASSES:
        _begin(document, data_class, Destruction.Why.ASKED, timezone.now(), reason=reason, by=by)


def _begin(
    document: Document, data_class: DataClass, why: str, moment: datetime, *, days: int | None = None,
    reason: str = "", by: User | None = None,
) -> None:  # fmt: skip
    if not due.is_there(document, data_class):
        return
    Destruction.objects.get_or_create(
        document=document, data_class=data_class, done_at=None,
        defaults={"clinic_id": document.clinic_id, "why": why, "days": days, "reason": reason, "by": by,
                  "begun_at": moment,
                  "fingerprint": _fingerprint(document) if data_class == DataClass.FILE else ""},
    )  # fmt: skip


def _fingerprint(document: Document) -> str:
    try:
        return storage.fingerprint(document)
    except VaultError as error:
        if error.retryable:
            raise
        return ""  # A key that does not open is destroyed all the same.


def finish_open(most: int | None) -> int:
    """Carries out what was begun, in the order of the classes of each document. Returns how many."""
    rows = Destruction.objects.filter(done_at=None).select_related("document").order_by("begun_at", "document")
    order = {each.value: place for place, each in enumerate(DOCUMENT_CLASSES)}
    found = sorted(rows[:most] if most is not None else rows, key=lambda row: order[row.data_class])
    for row in found:
        finish(row)
    return len(found)


def finish(row: Destruction) -> None:
    """Destroys what the row names and says so in row and journal. Raises VaultUnavailable when the vault is away."""
    if row.data_class == DataClass.FILE:
        storage.delete(row.document)  # Cannot be taken back, and may be done twice: it comes before the transaction.
    with transaction.atomic():
        document = Document.objects.select_for_update().get(pk=row.document_id)
        row = Destruction.objects.select_for_update().get(pk=row.pk)
        if row.done_at is not None:
            return
        row.count = _DESTROY[DataClass(row.data_class)](document, row)
        row.done_at = timezone.now()
        row.save(update_fields=["count", "done_at"])
        following.tell(document.pk)
        record(Verb.DATA_DESTROYED, by=row.by, clinic_id=row.clinic_id, object_type="destruction", object_id=row.pk,
               document_id=document.pk, count=row.count, reason_code=row.reason or row.why,
               purpose=Purpose.ADMINISTRATION,
               details={"class": row.data_class, "days": row.days, "key": row.fingerprint})  # fmt: skip


def _destroy_file(document: Document, _row: Destruction) -> int:
    Document.objects.filter(pk=document.pk, file_destroyed_at=None).update(file_destroyed_at=timezone.now())
    return document.page_count


def _destroy_words(document: Document, _row: Destruction) -> int:
    return RunPage.objects.filter(run__document=document, words__isnull=False).update(words=None)


def _destroy_findings(document: Document, _row: Destruction) -> int:
    hints = Hint.objects.filter(run__document=document).delete()[0]
    return hints + due.undecided().filter(run__document=document).delete()[0]


def _destroy_exports(document: Document, row: Destruction) -> int:
    """Those whose period was over when it began; all of them where the whole document goes."""
    exports = Export.objects.filter(document=document)
    whole = Q(data_class=DataClass.DECISIONS, done_at=None) | Q(data_class=DataClass.DECISIONS, begun_at=row.begun_at)
    if not document.destructions.filter(whole).exists() and row.days is not None:
        exports = exports.filter(made_at__lte=row.begun_at - timedelta(days=row.days))
    return exports.delete()[0]


def _destroy_decisions(document: Document, _row: Destruction) -> int:
    """The truth, and what names the document. Its pages' scores, sign-offs and runs stay: counts and times."""
    count = Decision.objects.filter(document=document).count()
    reviews = SecondReview.objects.filter(document=document, state__in=SECOND_OPEN)
    score_days.touch_reviewed(document.clinic_id, reviews)
    reviews.update(state=SecondState.WITHDRAWN, closed_at=timezone.now())
    Disagreement.objects.filter(review__document=document).delete()
    SecondDecision.objects.filter(review__document=document).delete()
    Decision.objects.filter(document=document).delete()
    Finding.objects.filter(run__document=document).delete()
    document.file_name, document.destroyed_at = "", timezone.now()
    document.content_index = secrets.token_bytes(16)  # The same file may come again, and is then a new document.
    document.doctor_licence = document.doctor_group = document.sector = ""
    document.save(update_fields=["file_name", "destroyed_at", "content_index", "doctor_licence", "doctor_group",
                                 "sector"])  # fmt: skip
    return count


_DESTROY: dict[DataClass, Callable[[Document, Destruction], int]] = {
    DataClass.FILE: _destroy_file,
    DataClass.WORDS: _destroy_words,
    DataClass.FINDINGS: _destroy_findings,
    DataClass.EXPORTS: _destroy_exports,
    DataClass.DECISIONS: _destroy_decisions,
}
