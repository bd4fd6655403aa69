"""Every write of a reviewer, each with its event in the same transaction."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from dataclasses import dataclass
from datetime import date, time
from typing import TypeVar
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.policy import Right, check_right, reviewers_only
from audit.record import record
from audit.verbs import Purpose, Verb
from extraction import deployments
from extraction.actions import Billing
from extraction.models import Document, Finding, Run
from extraction.page import Box
from extraction.visits.moments import write_date, write_time
from review import queries, scores
from review.exports.formats import FORMATS
from review.exports.lines import Selection, sort_out
from review.models import Decision, Export, Reason, SignOff, Verdict
from review.policy import Conflict, check_can_decide, check_can_sign, check_page_open
from vault.index import blind_index

VERBS = {
    Verdict.CONFIRM: Verb.NAM_CONFIRMED,
    Verdict.CORRECT: Verb.NAM_CORRECTED,
    Verdict.REJECT: Verb.NAM_REJECTED,
    Verdict.ADD: Verb.NAM_ADDED,
}


@dataclass(frozen=True, slots=True)
class Value:
    """What a reviewer says is printed: a normalised NAM with its visit. Unknown stays unknown (None)."""

    nam: str
    visit_date: date | None = None
    visit_time: time | None = None

    def fields(self, clinic_id: UUID) -> dict[str, object]:
        return {
            "value": self.nam,
            "value_index": blind_index(self.nam, clinic_id=clinic_id, purpose="nam"),
            "visit_date": write_date(self.visit_date),
            "visit_time": write_time(self.visit_time),
        }


@reviewers_only
def decide(
    *, finding: Finding, value: Value | None, reason: str = "", decision_id: UUID | None = None, by: User
) -> Decision:
    """Confirms, corrects or rejects a finding.

    `value` None rejects, with a `reason`; the proposed value confirms; any other value, or another visit date or time,
    corrects. The same `decision_id` twice is one decision. Raises Conflict when somebody else was faster or the page
    is signed off, NotAllowed when `by` is no reviewer.
    """
    if decision_id is not None and (sent_before := Decision.objects.filter(pk=decision_id, by=by).first()):
        return sent_before
    verdict = _verdict(finding, value)
    try:
        with transaction.atomic():
            check_can_decide(finding)
            decision = Decision(
                id=decision_id or uuid4(),
                document_id=finding.run.document_id,
                page=finding.page,
                finding=finding,
                verdict=verdict,
                reason=Reason(reason) if verdict == Verdict.REJECT else "",
                x0=finding.x0,
                y0=finding.y0,
                x1=finding.x1,
                y1=finding.y1,
                by=by,
                **(value.fields(by.clinic_id) if value else {}),
            )
            decision.save(force_insert=True)
            _record(decision, finding.run.document, by=by, changed=_changed(finding, value))
    except (IntegrityError, Conflict) as error:
        if decision_id is not None and (sent_before := Decision.objects.filter(pk=decision_id, by=by).first()):
            return sent_before  # Sent twice in the same moment.
        if isinstance(error, Conflict):
            raise
        check_can_decide(finding)  # Two reviewers pressed the key in the same moment; the other one's decision stands.
        raise Conflict(_("This decision could not be saved. Reload the page.")) from None
    return decision


def _verdict(finding: Finding, value: Value | None) -> Verdict:
    if value is None:
        return Verdict.REJECT
    return Verdict.CORRECT if _changed(finding, value) else Verdict.CONFIRM


def _changed(finding: Finding, value: Value | None) -> list[str]:
    """Which fields the reviewer changed; names only, for the journal."""
    if value is None:
        return []
    pairs = {
        "nam": (finding.value, value.nam),
        "visit_date": (finding.visit_date, write_date(value.visit_date)),
        "visit_time": (finding.visit_time, write_time(value.visit_time)),
    }
    return [name for name, (before, after) in pairs.items() if before != after]


@reviewers_only
@transaction.atomic
def add(
    *,
    document: Document,
    page: int,
    value: Value,
    box: Box | None = None,
    decision_id: UUID | None = None,
    by: User,
) -> Decision:
    """A number that nobody proposed. `box` may be unknown. Raises Conflict on a signed-off page.

    The same `decision_id` twice is one addition.
    """
    # Two sendings of one addition wait for each other, and so do an addition and the sign-off of its page.
    Document.objects.select_for_update().get(pk=document.pk)
    if decision_id is not None and (sent_before := Decision.objects.filter(pk=decision_id).first()):
        return _own(sent_before, by)
    check_page_open(document, page)
    if not 1 <= page <= document.page_count:
        raise Conflict(_("This document has no such page."))
    place = {"x0": box.x0, "y0": box.y0, "x1": box.x1, "y1": box.y1} if box else {}
    decision = Decision(
        id=decision_id or uuid4(),
        document=document,
        page=page,
        finding=None,
        verdict=Verdict.ADD,
        by=by,
        **place,
        **value.fields(by.clinic_id),
    )
    decision.save(force_insert=True)
    _record(decision, document, by=by, changed=[])
    return decision


@reviewers_only
@transaction.atomic
def undo(*, decision: Decision, by: User) -> None:
    """Takes a decision back; it stays on record. Raises Conflict on a signed-off page or when already undone.

    A decision is undone once, so its id is the key of its undoing: the same person's second one changes nothing.
    """
    if Decision.objects.filter(pk=decision.pk, undone_by=by).exists():
        return
    check_page_open(decision.document, decision.page)
    changed = Decision.objects.filter(pk=decision.pk, undone_at=None).update(undone_at=timezone.now(), undone_by=by)
    if not changed:
        raise Conflict(_("This decision is undone already."))
    record(Verb.DECISION_UNDONE, by=by, object_type="decision", object_id=decision.pk,
           document_id=decision.document_id, page=decision.page, purpose=Purpose.QUALITY)  # fmt: skip


@reviewers_only
@transaction.atomic
def sign_off(*, run: Run, page: int, sign_off_id: UUID | None = None, by: User) -> SignOff:
    """Says that there is no other NAM on this page. Raises Conflict while a proposal on it is undecided.

    The same `sign_off_id` twice is one sign-off.
    """
    # Two sign-offs of one page wait for each other, and so does what would search the page again.
    Document.objects.select_for_update().get(pk=run.document_id)
    if sign_off_id is not None and (sent_before := SignOff.objects.filter(pk=sign_off_id).first()):
        return _own(sent_before, by)
    run = Run.objects.select_related("document").get(pk=run.pk)
    check_can_sign(run, page)
    signed = SignOff.objects.create(id=sign_off_id or uuid4(), document=run.document, page=page, by=by)
    record(Verb.PAGE_SIGNED, by=by, object_type="sign_off", object_id=signed.pk, document_id=run.document_id,
           page=page, purpose=Purpose.QUALITY)  # fmt: skip
    deployments.keep_score(run=run, page=page, score=scores.keep(signed)[run.pk])
    return signed


@reviewers_only
@transaction.atomic
def reopen(*, document: Document, page: int, by: User) -> None:
    """Takes a sign-off back; it stays on record. Raises Conflict when the page is not signed off."""
    changed = SignOff.objects.filter(document=document, page=page, reopened_at=None).update(
        reopened_at=timezone.now(), reopened_by=by
    )
    if not changed:
        raise Conflict(_("This page is not signed off."))
    deployments.forget_score(document=document, page=page)
    scores.forget(document, page)
    record(Verb.PAGE_REOPENED, by=by, object_type="document", object_id=document.pk, document_id=document.pk,
           page=page, purpose=Purpose.QUALITY)  # fmt: skip


Sent = TypeVar("Sent", Decision, SignOff)


def _own(sent_before: Sent, by: User) -> Sent:
    """What was sent under this key before, by the same person. Raises Conflict for a key of somebody else."""
    if sent_before.by_id != by.pk:
        raise Conflict(_("This decision could not be saved. Reload the page."))
    return sent_before


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of an export: the file, for whom, which numbers go out all the same, and who bills."""

    format: str
    recipient: str
    selection: Selection
    billing: Billing


def export(*, document: Document, request: Request, by: User) -> Export:
    """Makes and keeps a file of the numbers that may leave. Raises Conflict when none may, NotAllowed."""
    check_right(by, Right.EXPORT)  # Outside the transaction, so that the journal keeps a refusal.
    with transaction.atomic():
        return _export(document, request, by)


def _export(document: Document, request: Request, by: User) -> Export:
    # Nobody decides or signs while the file is made.
    Document.objects.select_for_update().get(pk=document.pk)
    found = sort_out(queries.lines(document), request.selection)
    if not found.leaving:
        raise Conflict(_("No number of this document may be exported yet."))
    data = FORMATS[request.format].write(found.leaving, request.billing)
    export = Export(
        document=document,
        format=request.format,
        recipient=request.recipient,
        lines=len(found.leaving),
        withheld=len(found.staying),
        content=b64encode(data).decode(),
        sha256=hashlib.sha256(data).hexdigest(),
        by=by,
    )
    export.save(force_insert=True)
    record(Verb.EXPORTED, by=by, object_type="export", object_id=export.pk, document_id=document.pk,
           count=export.lines, purpose=Purpose.BILLING, details=_exported(export, request))  # fmt: skip
    return export


def _exported(export: Export, request: Request) -> dict[str, str | int | bool | None]:
    """What the register of communications asks for (R-22.1 s. 265): what, to whom, and how it can be known again."""
    return {
        "format": export.format,
        "recipient": export.recipient,
        "withheld": export.withheld,
        "failed_checks": request.selection.failed_checks,
        "repeats": request.selection.repeats,
        "sha256": export.sha256,
    }


def _record(decision: Decision, document: Document, *, by: User, changed: list[str]) -> None:
    subject = None
    if decision.value is not None:
        subject = blind_index(decision.value, clinic_id=document.clinic_id, purpose="subject")
    details: dict[str, str | int | bool | None] = {"fields": ",".join(changed)} if changed else {}
    record(VERBS[Verdict(decision.verdict)], by=by, object_type="decision", object_id=decision.pk,
           document_id=document.pk, page=decision.page, subject=subject, reason_code=decision.reason,
           purpose=Purpose.QUALITY, details=details)  # fmt: skip
