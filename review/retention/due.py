"""What is due: the documents of a clinic of which a class of data has been kept for its period. Reads only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, F, Max, OuterRef, Q, QuerySet

from audit.models import Event
from audit.verbs import Verb
from extraction.models import ACTIVE, Document, Finding, Hint, Run, RunPage
from review.models import SECOND_OPEN, Decision, Export, SecondDecision, SecondReview
from review.retention.classes import DOCUMENT_CLASSES, RULES, DataClass
from review.retention.models import Hold, RetentionPeriod

USES = (Verb.EXPORTED, Verb.EXPORT_DOWNLOADED, Verb.API_READ)
"""What starts the year of P-39.1 s. 11 anew."""


@dataclass(frozen=True, slots=True)
class Due:
    """One class of one document. `days` is the clinic's period; `is_held` says that a hold keeps it."""

    document_id: UUID
    data_class: DataClass
    days: int
    is_held: bool


def periods(clinic_id: UUID) -> dict[DataClass, int]:
    """The clinic's days by class: what was set, or the default."""
    rows = RetentionPeriod.objects.filter(clinic_id=clinic_id).values_list("data_class", "days")
    return {each: rule.default for each, rule in RULES.items()} | {DataClass(name): days for name, days in rows}


def due(clinic_id: UUID, moment: datetime) -> Iterator[Due]:
    """Everything that is due, class by class in the order of destruction, held data included and marked."""
    days = periods(clinic_id)
    held = held_documents(clinic_id)
    for each in DOCUMENT_CLASSES:
        for pk in documents_due(clinic_id, each, moment - timedelta(days=days[each])).values_list("pk", flat=True):
            yield Due(pk, each, days[each], held is None or pk in held)


def held_documents(clinic_id: UUID) -> set[UUID] | None:
    """The documents that a hold keeps; None: all of the clinic's."""
    held = set(Hold.objects.filter(clinic_id=clinic_id, lifted_at=None).values_list("document", flat=True))
    return None if None in held else held


def is_held(document: Document) -> bool:
    """Whether a hold of the document or of its clinic keeps it now."""
    own = Q(document=document) | Q(document=None)
    return Hold.objects.filter(own, clinic_id=document.clinic_id, lifted_at=None).exists()


def settled(clinic_id: UUID) -> QuerySet[Any]:
    """Documents whose review is over, with `settled_at`: all pages signed, nothing running, no second review open."""
    standing = Q(sign_offs__reopened_at=None)
    return (
        Document.objects.filter(clinic_id=clinic_id, destroyed_at=None)
        .annotate(signed=Count("sign_offs", filter=standing), settled_at=Max("sign_offs__signed_at", filter=standing))
        .filter(~Exists(Run.objects.filter(document=OuterRef("pk"), status__in=ACTIVE)), signed=F("page_count"))
        .exclude(Exists(SecondReview.objects.filter(document=OuterRef("pk"), state__in=SECOND_OPEN)))
        .order_by("created_at")
    )


def documents_due(clinic_id: UUID, data_class: DataClass, since: datetime) -> QuerySet[Document]:
    """The documents that still have this class of data, and have had it since before that moment."""
    if data_class == DataClass.EXPORTS:
        old = Export.objects.filter(document=OuterRef("pk"), made_at__lte=since)
        return Document.objects.filter(Exists(old), clinic_id=clinic_id).order_by("created_at")
    # Nothing is signed before it is there: younger documents need no counting of their pages.
    found = settled(clinic_id).filter(created_at__lte=since, settled_at__lte=since)
    if data_class == DataClass.FILE:
        return found.filter(file_destroyed_at=None)
    if data_class == DataClass.WORDS:
        return found.filter(Exists(RunPage.objects.filter(run__document=OuterRef("pk"), words__isnull=False)))
    if data_class == DataClass.FINDINGS:
        own = Q(run__document=OuterRef("pk"))
        return found.filter(Exists(Hint.objects.filter(own)) | Exists(undecided().filter(own)))
    used = Event.objects.filter(clinic_id=clinic_id, document_id=OuterRef("pk"), verb__in=USES, at__gt=since)
    return found.exclude(Exists(used))


def is_there(document: Document, data_class: DataClass) -> bool:
    """Whether the document still has this class of data."""
    if data_class == DataClass.FILE:
        return document.file_destroyed_at is None
    if data_class == DataClass.WORDS:
        return RunPage.objects.filter(run__document=document, words__isnull=False).exists()
    if data_class == DataClass.FINDINGS:
        own = Q(run__document=document)
        return Hint.objects.filter(own).exists() or undecided().filter(own).exists()
    if data_class == DataClass.EXPORTS:
        return Export.objects.filter(document=document).exists()
    return document.destroyed_at is None


def undecided() -> QuerySet[Finding]:
    """Proposals on which no answer stands or stood, so that nothing else goes with them."""
    answers = (model.objects.filter(finding=OuterRef("pk")) for model in (Decision, SecondDecision))
    first, second = (Exists(each) for each in answers)
    return Finding.objects.filter(~first, ~second)


def unsettled(clinic_id: UUID, before: datetime) -> int:
    """How many documents were uploaded before that moment and are still not settled: nothing destroys them."""
    there = Document.objects.filter(clinic_id=clinic_id, destroyed_at=None, created_at__lt=before)
    # Those that are settled are among them. To exclude them took a third of a million documents 20 s.
    return there.count() - settled(clinic_id).filter(created_at__lt=before).order_by().count()
