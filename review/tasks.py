"""Counting what is left of a document's review. Whatever changes it counts again, in the same transaction.

Reviewers' actions call `recount`; runs that are over, begin or go on again are heard of through `extraction.following`;
`catch_up`, the scheduler's chore, counts what was missed: documents from before there was a queue, and runs that a
process without this code ended.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from extraction.models import ACTIVE, Document, PageState, Run
from review import queries
from review.models import Decision, ReviewTask, SignOff
from review.priority import Left, Proposal, place, tally

MOST_AT_ONCE = 200
"""Documents that one chore counts, so that the scheduler is not kept from its other work."""


def of(document: Document) -> ReviewTask:
    """The document's task; counted now if there was none."""
    task = ReviewTask.objects.filter(document=document).first()
    if task is None:
        with transaction.atomic():
            task = recount(document.pk)
    return task


def lock(document_id: UUID) -> ReviewTask:
    """The document's task, until the transaction ends. The lock comes after the document's and before the journal's."""
    found = ReviewTask.objects.select_for_update().filter(document=document_id).first()
    if found is not None:
        return found
    clinic_id = Document.objects.values_list("clinic_id", flat=True).get(pk=document_id)
    ReviewTask.objects.get_or_create(document_id=document_id, defaults={"clinic_id": clinic_id})
    return ReviewTask.objects.select_for_update().get(document=document_id)


def recount(document_id: UUID) -> ReviewTask:
    """Counts what is left of the document by the run under review. Inside a transaction."""
    task = lock(document_id)
    run = queries.run_under_review(task.document)
    left, task.findings = _left(run)
    task.pages_open, task.undecided, task.doubtful = left.pages, left.undecided, left.doubtful
    task.faint, task.unread, task.expected_errors = left.faint, left.unread, left.expected_errors
    if run.is_active or not left.pages or task.document.destroyed_at:
        task.waiting_since = task.place = None
    else:
        task.waiting_since = task.waiting_since or _began_to_wait(run)
        task.place = place(task.waiting_since, left)
    task.counted_at = timezone.now()
    task.save(update_fields=["findings", "pages_open", "undecided", "doubtful", "faint", "unread", "expected_errors",
                             "waiting_since", "place", "counted_at"])  # fmt: skip
    return task


def _left(run: Run) -> tuple[Left, int]:
    """What is left, and how many proposals there are in all."""
    signed = queries.signed_pages(run.document_id)
    proposals = _proposals(run)
    left = tally(
        proposals,
        open_pages=set(range(1, run.document.page_count + 1)) - signed,
        searched=set(run.pages.filter(state=PageState.FOUND).values_list("number", flat=True)),
    )
    return left, len(proposals)


def _proposals(run: Run) -> list[Proposal]:
    """Without opening anything that is encrypted."""
    decided = Decision.objects.filter(finding=OuterRef("pk"), undone_at=None)
    rows = run.findings.annotate(has_repairs=Q(repairs__isnull=False), is_decided=Exists(decided))
    return [
        Proposal(page, confidence, bool(queries.doubts(checks, found_by, has_repairs=has_repairs)), is_decided)
        for page, confidence, checks, found_by, has_repairs, is_decided in rows.values_list(
            "page", "confidence", "checks", "found_by", "has_repairs", "is_decided"
        )
    ]


def _began_to_wait(run: Run) -> datetime:
    """When the run was over, or when a page was opened again after everything had been signed."""
    reopened = SignOff.objects.filter(document=run.document_id, reopened_at__isnull=False)
    last = reopened.order_by("-reopened_at").values_list("reopened_at", flat=True).first()
    over = run.finished_at or run.created_at
    return max(over, last) if last is not None else over


def catch_up() -> int:
    """Counts documents that have no task yet and runs that were over unheard. Returns how many."""
    unheard = Run.objects.exclude(status__in=ACTIVE).filter(finished_at__gt=F("document__review_task__counted_at"))
    uncounted = Document.objects.filter(review_task__counted_at=None, runs__isnull=False)
    found = dict.fromkeys(uncounted.values_list("pk", flat=True)[:MOST_AT_ONCE])
    found |= dict.fromkeys(unheard.values_list("document", flat=True)[:MOST_AT_ONCE])
    for document_id in found:
        with transaction.atomic():
            recount(document_id)
    return len(found)
