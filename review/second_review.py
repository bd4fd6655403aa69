"""Every write of a second reviewer, and of the third person where two disagree, each with its event.

A second answer is no truth. When the second review is finished it is compared with the first; what differs waits for a
third person, whose answer becomes the truth by the same ways as any decision: the first one is undone and replaced.
"""

from __future__ import annotations

from uuid import UUID, uuid4

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.policy import reviewers_only
from audit.record import record
from audit.verbs import Purpose, Verb
from extraction.models import Document, Finding
from extraction.page import Box
from extraction.visits.moments import write_date, write_time
from review import actions, queries
from review.actions import Value
from review.comparison import Pair, Said, compare, tally
from review.models import Answer, Decision, Disagreement, SecondDecision, SecondReview, SecondState, Verdict
from review.policy import Conflict
from review.second_policy import (
    check_can_answer,
    check_can_begin,
    check_can_decide,
    check_can_finish,
    check_can_settle,
    is_left_alone,
)


@reviewers_only
@transaction.atomic
def begin(*, review: SecondReview, by: User) -> SecondReview:
    """Takes a second review. What somebody left undone is taken over from the start. Raises Conflict."""
    review = _held(review)
    check_can_begin(review, by)
    if is_left_alone(review):
        review.decisions.filter(undone_at=None).update(undone_at=timezone.now(), undone_by=by)
    review.state, review.by, review.began_at = SecondState.BEGUN, by, timezone.now()
    review.save(update_fields=["state", "by", "began_at"])
    _record(Verb.SECOND_BEGUN, review, by=by)
    return review


@reviewers_only
def decide(
    *,
    review: SecondReview,
    finding: Finding,
    value: Value | None,
    reason: str = "",
    decision_id: UUID | None = None,
    by: User,
) -> SecondDecision:
    """The second answer to a proposal, as `actions.decide` takes the first. Raises Conflict."""
    if decision_id is not None and (sent_before := SecondDecision.objects.filter(pk=decision_id, by=by).first()):
        return sent_before
    columns = actions.answer(finding, value, reason, by=by)
    try:
        with transaction.atomic():
            review = _held(review)
            check_can_decide(review, finding, by)
            return _keep(SecondDecision(id=decision_id or uuid4(), review=review, **columns))
    except IntegrityError:
        raise Conflict(_("This decision could not be saved. Reload the page.")) from None


@reviewers_only
@transaction.atomic
def add(
    *, review: SecondReview, value: Value, box: Box | None = None, decision_id: UUID | None = None, by: User
) -> SecondDecision:
    """A number that nobody proposed. The same `decision_id` twice is one addition. Raises Conflict."""
    review = _held(review)
    if decision_id is not None and (sent_before := SecondDecision.objects.filter(pk=decision_id, by=by).first()):
        return sent_before
    check_can_answer(review, by)
    return _keep(SecondDecision(id=decision_id or uuid4(), review=review, **actions.addition(value, box, by=by)))


@reviewers_only
@transaction.atomic
def undo(*, decision: SecondDecision, by: User) -> None:
    """Takes a second answer back; it stays on record. Once: a second sending changes nothing. Raises Conflict."""
    if SecondDecision.objects.filter(pk=decision.pk, undone_by=by).exists():
        return
    review = _held(decision.review)
    check_can_answer(review, by)
    mine = SecondDecision.objects.filter(pk=decision.pk, undone_at=None)
    if not mine.update(undone_at=timezone.now(), undone_by=by):
        raise Conflict(_("This decision is undone already."))
    _record(Verb.SECOND_UNDONE, review, by=by)


@reviewers_only
@transaction.atomic
def finish(*, review: SecondReview, by: User) -> SecondReview:
    """Says that no other number stands on the page, and compares. Raises Conflict while a proposal is undecided."""
    review = _held(review)
    check_can_finish(review, by)
    pairs = compare(_first(review), _second(review))
    agreement = tally(pairs)
    review.counts = {"/".join(pair): count for pair, count in agreement.table.items()}
    review.same, review.finished_at = agreement.same, timezone.now()
    _keep_disagreements(review, pairs)
    _close_if_settled(review)
    review.save()
    _record(Verb.SECOND_FINISHED, review, by=by, count=agreement.items, same=agreement.same)
    return review


@reviewers_only
@transaction.atomic
def settle(*, disagreement: Disagreement, value: Value | None, reason: str = "", by: User) -> Disagreement:
    """What a third person says, in the form of `actions.decide`; for an addition, `value` None says that no number
    stands there. Where it is the first answer, that stays; otherwise it is undone and replaced. Raises Conflict.
    """
    review = _held(disagreement.review)
    disagreement = Disagreement.objects.select_for_update().get(pk=disagreement.pk)
    check_can_settle(disagreement, by)
    disagreement.outcome = _made_true(review, disagreement, value, reason, by=by)
    disagreement.settled_by, disagreement.settled_at = by, timezone.now()
    disagreement.save(update_fields=["outcome", "settled_by", "settled_at"])
    _close_if_settled(review)
    review.save(update_fields=["state", "closed_at"])
    _record(Verb.DISAGREEMENT_SETTLED, review, by=by, is_first=disagreement.outcome_id == disagreement.first_id)
    return disagreement


def _made_true(
    review: SecondReview, disagreement: Disagreement, value: Value | None, reason: str, *, by: User
) -> Decision | None:
    """The decision that stands from now on; None where no number stands there."""
    first, finding = disagreement.first, disagreement.finding
    if _says(first, value):
        return first
    by_now = None
    if finding is not None:
        by_now = Decision(document=review.document, page=review.page, **actions.answer(finding, value, reason, by=by))
    elif value is not None:
        columns = actions.addition(value, disagreement.box, by=by)
        by_now = Decision(document=review.document, page=review.page, **columns)
    actions.replace(signed=review.sign_off, standing=first, by_now=by_now, run=review.run, by=by)
    return by_now


def _says(first: Decision | None, value: Value | None) -> bool:
    """Whether the first answer is this already."""
    if first is None or value is None:
        return (first is None or first.value is None) and value is None
    visit = value.nam, write_date(value.visit_date), write_time(value.visit_time)
    return visit == (first.value, first.visit_date, first.visit_time)


def _held(review: SecondReview) -> SecondReview:
    """The row as it is now, behind the document's lock, which exports and sign-offs take too."""
    Document.objects.select_for_update(no_key=True).get(pk=review.document_id)
    return SecondReview.objects.select_related("document", "run", "sign_off", "by").get(pk=review.pk)


def _first(review: SecondReview) -> list[Said]:
    """The standing decisions on the page. One on another run's proposal counts as an added number."""
    standing = queries.active(review.document).filter(page=review.page).select_related("finding")
    own = [d for d in standing if d.finding is not None and d.finding.run_id == review.run_id]
    others = [d for d in standing if d not in own and d.verdict != Verdict.REJECT]
    return [_said(d, d.finding) for d in own] + [_said(d, None) for d in others]


def _second(review: SecondReview) -> list[Said]:
    standing = review.decisions.filter(undone_at=None).select_related("finding").order_by("made_at")
    return [_said(decision, decision.finding) for decision in standing]


def _said(answer: Answer, finding: Finding | None) -> Said:
    return Said(
        id=answer.pk,
        finding=finding.pk if finding is not None else None,
        proposed=finding.value if finding is not None else None,
        nam=answer.value,
        day=answer.visit_date,
        clock=answer.visit_time,
        box=answer.box,
    )


def _keep_disagreements(review: SecondReview, pairs: list[Pair]) -> None:
    Disagreement.objects.bulk_create(
        Disagreement(
            review=review,
            first_id=pair.first.id if pair.first else None,
            second_id=pair.second.id if pair.second else None,
        )
        for pair in pairs
        if not pair.is_same
    )


def _close_if_settled(review: SecondReview) -> None:
    is_open = review.disagreements.filter(settled_at=None).exists()
    review.state = SecondState.DISPUTED if is_open else SecondState.CLOSED
    review.closed_at = None if is_open else timezone.now()


def _keep(decision: SecondDecision) -> SecondDecision:
    """Saves an answer with its event, which says nothing of what was answered."""
    decision.save(force_insert=True)
    _record(Verb.SECOND_DECIDED, decision.review, by=decision.by)
    return decision


def _record(verb: Verb, review: SecondReview, *, by: User, count: int | None = None, **details: int | bool) -> None:
    record(verb, by=by, object_type="second_review", object_id=review.pk, document_id=review.document_id,
           page=review.page, count=count, purpose=Purpose.QUALITY, details=details)  # fmt: skip
