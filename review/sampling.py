"""Which signed-off pages are reviewed a second time: a share of all, a larger share of the riskiest.

The lot of a page is a keyed hash of its document and its number. Nobody without the clinic's index key can tell it
before the sign-off, nothing of it is stored before, and a page that is opened and signed again has the lot that it had.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from accounts.models import User
from audit.record import record
from audit.verbs import Purpose, Verb
from extraction.models import Document, Run
from review import score_days
from review.models import SECOND_OPEN, Cause, Decision, SecondReview, SecondState, SignOff, Verdict
from vault.index import INDEX_BYTES, blind_index

LOW_CONFIDENCE = 0.8
"""A proposal below this that was corrected is a risk."""
FASTEST = timedelta(seconds=1.6)
"""A number, on average: what one key press takes with the thought before it (Card, Moran, Newell 1980: M + K), so that
whoever is faster cannot have compared anything."""
FEWEST = 3
"""Decisions from which a pace says something."""


def lot(document: Document, page: int) -> float:
    """0..1, evenly spread: the page is drawn where it is below the share."""
    index = blind_index(f"{document.pk}:{page}", clinic_id=document.clinic_id, purpose="second_review")
    return float(int.from_bytes(index, "big") / 2 ** (8 * INDEX_BYTES))


def draw(*, signed: SignOff, run: Run) -> SecondReview | None:
    """Asks for a second review of a page that was just signed off, if it is its lot. In the sign-off's transaction."""
    cause = _cause(signed)
    if cause is None:
        return None
    review = SecondReview.objects.create(document=run.document, run=run, page=signed.page, sign_off=signed, cause=cause)
    record(Verb.SECOND_ASKED, by=None, clinic_id=run.document.clinic_id, object_type="second_review",
           object_id=review.pk, document_id=run.document_id, page=signed.page, reason_code=cause,
           purpose=Purpose.QUALITY)  # fmt: skip
    return review


def withdraw(*, document: Document, page: int, by: User) -> None:
    """The page was opened again: what is under way is over, and begins anew when the page is signed."""
    reviews = SecondReview.objects.filter(document=document, page=page, state__in=SECOND_OPEN)
    score_days.touch_reviewed(document.clinic_id, reviews)
    for review in reviews:
        review.state, review.closed_at = SecondState.WITHDRAWN, timezone.now()
        review.save(update_fields=["state", "closed_at"])
        record(Verb.SECOND_WITHDRAWN, by=by, object_type="second_review", object_id=review.pk, document_id=document.pk,
               page=page, purpose=Purpose.QUALITY)  # fmt: skip


def _cause(signed: SignOff) -> Cause | None:
    if SecondReview.objects.filter(document=signed.document, page=signed.page, state=SecondState.WITHDRAWN).exists():
        return Cause.AGAIN
    drawn = 100 * lot(signed.document, signed.page)
    if drawn < settings.SECOND_REVIEW_SHARE:
        return Cause.SAMPLE
    if drawn >= settings.SECOND_REVIEW_RISKY_SHARE:
        return None
    standing = Decision.objects.filter(document=signed.document, page=signed.page, undone_at=None)
    return next(risks(list(standing.select_related("finding").order_by("made_at")), signed.signed_at), None)


def risks(decisions: Sequence[Decision], signed_at: datetime) -> Iterator[Cause]:
    """What makes a page worth a second look, by its standing decisions in their order."""
    if any(each.verdict == Verdict.ADD for each in decisions):
        yield Cause.ADDITION
    if any(
        each.verdict == Verdict.CORRECT and each.finding is not None and each.finding.confidence < LOW_CONFIDENCE
        for each in decisions
    ):
        yield Cause.CORRECTION
    alone = [each for each in decisions if each.batch is None]
    if len(alone) >= FEWEST and (signed_at - alone[0].made_at) / len(alone) < FASTEST:
        yield Cause.FAST
    if len(alone) < len(decisions):
        yield Cause.BATCH
