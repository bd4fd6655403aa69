"""Every write of a reviewer, each with its event in the same transaction."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from dataclasses import dataclass
from datetime import date, time
from typing import Any, TypeVar
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.policy import Right, check_right, reviewers_only
from audit.record import record
from audit.verbs import Purpose, Verb
from extraction import deployments
from extraction.actions import Billing, Configuration, start_run
from extraction.models import Document, Finding, Run
from extraction.page import Box
from extraction.restricting import check_page, restricted_indexes
from extraction.visits.moments import write_date, write_time
from review import leases, queries, sampling, scores, tasks
from review.blindness import check_may_see, hidden_pages, shown_blind
from review.effort import Effort
from review.exports.formats import FORMATS
from review.exports.lines import Selection, sort_out
from review.models import Answer, Decision, Export, Reason, ReviewedRun, SignOff, Verdict
from review.policy import (
    Conflict,
    check_can_decide,
    check_can_reopen,
    check_can_rerun,
    check_can_sign,
    check_page_open,
)
from vault.index import blind_index, content_mac

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

    @classmethod
    def of(cls, stored: Finding | Answer) -> Value:
        """What a proposal or an answer says. Raises ValueError for a rejection."""
        if stored.value is None:
            raise ValueError("a rejection has no value")
        day, clock = stored.visit_date, stored.visit_time
        return cls(stored.value, date.fromisoformat(day) if day else None, time.fromisoformat(clock) if clock else None)

    def fields(self, clinic_id: UUID) -> dict[str, object]:
        return {
            "value": self.nam,
            "value_index": blind_index(self.nam, clinic_id=clinic_id, purpose="nam"),
            "visit_date": write_date(self.visit_date),
            "visit_time": write_time(self.visit_time),
        }


@reviewers_only
def decide(
    *,
    finding: Finding,
    value: Value | None,
    reason: str = "",
    decision_id: UUID | None = None,
    against: UUID | None = None,
    batch: UUID | None = None,
    effort: Effort | None = None,
    by: User,
) -> Decision:
    """Confirms, corrects or rejects a finding.

    `value` None rejects, with a `reason`; the proposed value confirms; any other value, or another visit date or time,
    corrects. The same `decision_id` twice is one decision. `against` is the decision that stood when `by` looked, which
    this one replaces; None says that nobody had decided. `effort` is what it took the person, if somebody counted.
    Raises Conflict when another one stands now, the page is signed off or somebody else is at work on the document,
    NotAllowed when `by` is no reviewer.
    """
    document = finding.run.document
    check_page(by, document, finding.page)
    check_may_see(by, document, finding.page)
    if decision_id is not None and (sent_before := Decision.objects.filter(pk=decision_id, by=by).first()):
        return sent_before
    columns = answer(finding, value, reason, by=by)
    try:
        with transaction.atomic():
            check_can_decide(finding, against=against)  # Before the lease: who decided is the nearer reason.
            leases.hold(document=document, by=by)
            check_page_open(document, finding.page)
            _begin_review(finding.run)
            if against is not None:
                _take_back(Decision.objects.get(pk=against), is_replaced=True, by=by)
            place = {"document": document, "page": finding.page, **_took(effort)}
            return _keep(Decision(id=decision_id or uuid4(), batch=batch, **place, **columns))
    except (IntegrityError, Conflict) as error:
        if decision_id is not None and (sent_before := Decision.objects.filter(pk=decision_id, by=by).first()):
            return sent_before  # Sent twice in the same moment.
        if isinstance(error, Conflict):
            raise
        # Two reviewers pressed the key in the same moment; the other one's decision stands.
        check_can_decide(finding, against=against)
        raise Conflict(_("This decision could not be saved. Reload the page.")) from None


def answer(finding: Finding, value: Value | None, reason: str, *, by: User) -> dict[str, Any]:
    """The columns of an Answer to a finding. Raises ValueError for a rejection without one of the reasons."""
    verdict = _verdict(finding, value)
    return {
        "finding": finding,
        "verdict": verdict,
        "reason": Reason(reason) if verdict == Verdict.REJECT else "",
        "x0": finding.x0,
        "y0": finding.y0,
        "x1": finding.x1,
        "y1": finding.y1,
        "by": by,
        **(value.fields(by.clinic_id) if value else {}),
    }


def addition(value: Value, box: Box | None, *, by: User) -> dict[str, Any]:
    """The columns of an Answer that adds a number."""
    place = {"x0": box.x0, "y0": box.y0, "x1": box.x1, "y1": box.y1} if box else {}
    return {"finding": None, "verdict": Verdict.ADD, "by": by, **place, **value.fields(by.clinic_id)}


def _took(effort: Effort | None) -> dict[str, int]:
    return effort._asdict() if effort is not None else {}


def _begin_review(run: Run) -> None:
    """From the first decision or sign-off on, the document is reviewed by this run. Raises Conflict if by another."""
    begun, _is_first = ReviewedRun.objects.select_for_update().get_or_create(
        document_id=run.document_id, defaults={"run": run}
    )
    if begun.run_id != run.pk:
        raise Conflict(_("Another extraction of this document is under review. Reload the page."))


def _verdict(finding: Finding, value: Value | None) -> Verdict:
    if value is None:
        return Verdict.REJECT
    changed = _changed(finding, value.nam, write_date(value.visit_date), write_time(value.visit_time))
    return Verdict.CORRECT if changed else Verdict.CONFIRM


def _changed(finding: Finding, nam: str | None, day: str | None, clock: str | None) -> list[str]:
    """Which fields the reviewer changed; names only, for the journal."""
    pairs = {
        "nam": (finding.value, nam),
        "visit_date": (finding.visit_date, day),
        "visit_time": (finding.visit_time, clock),
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
    effort: Effort | None = None,
    by: User,
) -> Decision:
    """A number that nobody proposed. `box` may be unknown. The same `decision_id` twice is one addition.

    Raises Conflict on a signed-off page, or when somebody else is at work on the document.
    """
    # Two sendings of one addition wait for each other, and so do an addition and the sign-off of its page.
    Document.objects.select_for_update(no_key=True).get(pk=document.pk)
    if decision_id is not None and (sent_before := Decision.objects.filter(pk=decision_id).first()):
        return _own(sent_before, by)
    leases.hold(document=document, by=by)
    check_page_open(document, page)
    if not 1 <= page <= document.page_count:
        raise Conflict(_("This document has no such page."))
    _begin_review(queries.run_under_review(document))
    columns = addition(value, box, by=by) | _took(effort)
    return _keep(Decision(id=decision_id or uuid4(), document=document, page=page, **columns))


@reviewers_only
@transaction.atomic
def undo(*, decision: Decision, by: User) -> None:
    """Takes a decision back; it stays on record. Raises Conflict on a signed-off page, when already undone, or when
    somebody else is at work on the document.

    A decision is undone once, so its id is the key of its undoing: the same person's second one changes nothing.
    """
    if Decision.objects.filter(pk=decision.pk, undone_by=by).exists():
        return
    leases.hold(document=decision.document, by=by)
    check_page_open(decision.document, decision.page)
    _take_back(decision, by=by)


def _take_back(decision: Decision, *, is_replaced: bool = False, by: User) -> None:
    """Marks it as undone. Where one that is kept next replaces it, that one counts what is left, once for both: whoever
    calls holds the document's task already, which is locked before the journal."""
    changed = Decision.objects.filter(pk=decision.pk, undone_at=None).update(undone_at=timezone.now(), undone_by=by)
    if not changed:
        raise Conflict(_("This decision is undone already."))
    if not is_replaced:
        tasks.recount(decision.document_id)
    record(Verb.DECISION_UNDONE, by=by, object_type="decision", object_id=decision.pk,
           document_id=decision.document_id, page=decision.page, purpose=Purpose.QUALITY)  # fmt: skip


@reviewers_only
@transaction.atomic
def sign_off(*, run: Run, page: int, sign_off_id: UUID | None = None, by: User) -> SignOff:
    """Says that there is no other NAM on this page. Raises Conflict while a proposal on it is undecided, or somebody
    else is at work on the document. The same `sign_off_id` twice is one sign-off.
    """
    # Two sign-offs of one page wait for each other, and so does what would search the page again.
    Document.objects.select_for_update(no_key=True).get(pk=run.document_id)
    if sign_off_id is not None and (sent_before := SignOff.objects.filter(pk=sign_off_id).first()):
        return _own(sent_before, by)
    leases.hold(document=run.document, by=by)
    run = Run.objects.select_related("document").get(pk=run.pk)
    check_can_sign(run, page)
    _begin_review(run)
    signed = SignOff.objects.create(id=sign_off_id or uuid4(), document=run.document, page=page, by=by)
    if not tasks.recount(run.document_id).pages_open:
        leases.give_back(run.document)
    record(Verb.PAGE_SIGNED, by=by, object_type="sign_off", object_id=signed.pk, document_id=run.document_id,
           page=page, purpose=Purpose.QUALITY)  # fmt: skip
    deployments.keep_score(run=run, page=page, score=scores.keep(signed)[run.pk])
    sampling.draw(signed=signed, run=run)
    return signed


@reviewers_only
@transaction.atomic
def replace(*, signed: SignOff, standing: Decision | None, by_now: Decision | None, run: Run, by: User) -> None:
    """Puts what a third person says in the place of a decision on a page that is and stays signed off.

    `standing` None adds, `by_now` (not saved yet) None removes. The page is scored again.
    """
    tasks.lock(run.document_id)
    if standing is not None:
        _take_back(standing, is_replaced=by_now is not None, by=by)
    if by_now is not None:
        _keep(by_now)
    if (counted := scores.keep(signed).get(run.pk)) is not None:
        deployments.keep_score(run=run, page=signed.page, score=counted)


@reviewers_only
@transaction.atomic
def reopen(*, document: Document, page: int, by: User) -> None:
    """Takes a sign-off back; it stays on record. Raises Conflict when the page is not signed off, is disputed, or hides
    its decisions from this person, or when somebody else is at work on the document."""
    check_may_see(by, document, page)
    Document.objects.select_for_update(no_key=True).get(pk=document.pk)  # As a second reviewer does who finishes.
    leases.hold(document=document, by=by)
    check_can_reopen(document, page)
    changed = SignOff.objects.filter(document=document, page=page, reopened_at=None).update(
        reopened_at=timezone.now(), reopened_by=by
    )
    if not changed:
        raise Conflict(_("This page is not signed off."))
    tasks.recount(document.pk)
    deployments.forget_score(document=document, page=page)
    scores.forget(document, page)
    sampling.withdraw(document=document, page=page, by=by)
    record(Verb.PAGE_REOPENED, by=by, object_type="document", object_id=document.pk, document_id=document.pk,
           page=page, purpose=Purpose.QUALITY)  # fmt: skip


def rerun(*, document: Document, configuration: Configuration, by: User) -> Run:
    """Queues another extraction of the document; what was decided and signed stays as it is.

    Where something stands, the run that it was decided on stays under review and the new one is measured against it;
    else the new one is reviewed once it is done. Raises CannotRun while an extraction is under way, NotAllowed.
    """
    check_right(by, Right.UPLOAD)
    with transaction.atomic():
        Document.objects.select_for_update(no_key=True).get(pk=document.pk)
        check_can_rerun(document)
        _keep_review(document)
        return start_run(document=document, configuration=configuration, by=by)


def _keep_review(document: Document) -> None:
    """What stands holds the review to its run, also where that was decided before runs were held; else none is held."""
    begun = ReviewedRun.objects.filter(document=document)
    list(begun.select_for_update())  # Whoever decides in this moment is waited for.
    if queries.is_reviewed(document):
        ReviewedRun.objects.get_or_create(document=document, defaults={"run": queries.run_under_review(document)})
    else:
        begun.delete()


Sent = TypeVar("Sent", Decision, SignOff)


def _own(sent_before: Sent, by: User) -> Sent:
    """What was sent under this key before, by the same person. Raises Conflict for a key of somebody else."""
    if sent_before.by_id != by.pk:
        raise Conflict(_("This decision could not be saved. Reload the page."))
    return sent_before


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of an export: the file, for whom, which numbers go out all the same, who bills, and why it leaves
    (`Export.Justification`)."""

    format: str
    recipient: str
    selection: Selection
    billing: Billing
    justification: str


def export(*, document: Document, request: Request, by: User) -> Export:
    """Makes and keeps a file of the numbers that may leave. Raises Conflict when none may, NotAllowed."""
    check_right(by, Right.EXPORT)  # Outside the transaction, so that the journal keeps a refusal.
    with transaction.atomic():
        return _export(document, request, by)


def _export(document: Document, request: Request, by: User) -> Export:
    # Nobody decides, signs or settles while the file is made.
    Document.objects.select_for_update(no_key=True).get(pk=document.pk)
    tasks.lock(document.pk)
    hidden = hidden_pages(by, document)
    found = sort_out(queries.lines(document, hidden, restricted_indexes(by)), request.selection)
    if not found.leaving:
        raise Conflict(_("No number of this document may be exported yet."))
    data = FORMATS[request.format].write(found.leaving, request.billing)
    export = Export(
        document=document,
        format=request.format,
        recipient=request.recipient,
        justification=request.justification,
        lines=len(found.leaving),
        withheld=len(found.staying),
        content=b64encode(data).decode(),
        mac=content_mac(hashlib.sha256(data).hexdigest(), clinic_id=document.clinic_id, purpose="export"),
        by=by,
    )
    export.save(force_insert=True)
    record(Verb.EXPORTED, by=by, object_type="export", object_id=export.pk, document_id=document.pk,
           count=export.lines, purpose=Purpose.BILLING,
           details=_exported(export, request) | shown_blind(hidden))  # fmt: skip
    return export


def _exported(export: Export, request: Request) -> dict[str, str | int | bool | None]:
    """What the register of communications asks for (R-22.1 s. 265): what, to whom, and how it can be known again."""
    return {
        "format": export.format,
        "recipient": export.recipient,
        "justification": export.justification,
        "withheld": export.withheld,
        "failed_checks": request.selection.failed_checks,
        "repeats": request.selection.repeats,
        "mac": export.mac.hex(),
    }


def _keep(decision: Decision) -> Decision:
    """Saves a decision with its event. What is left of the document is counted once for all of a batch, by `bulk`."""
    decision.save(force_insert=True)
    if decision.batch is None:
        tasks.recount(decision.document_id)
    subject = None
    if decision.value is not None:
        subject = blind_index(decision.value, clinic_id=decision.document.clinic_id, purpose="subject")
    details: dict[str, str | int | bool | None] = {}
    if decision.verdict == Verdict.CORRECT and decision.finding is not None:
        details["fields"] = ",".join(
            _changed(decision.finding, decision.value, decision.visit_date, decision.visit_time)
        )
    if decision.batch is not None:
        details["batch"] = str(decision.batch)
    record(VERBS[Verdict(decision.verdict)], by=decision.by, object_type="decision", object_id=decision.pk,
           document_id=decision.document_id, page=decision.page, subject=subject, reason_code=decision.reason,
           purpose=Purpose.QUALITY, details=details)  # fmt: skip
    return decision
