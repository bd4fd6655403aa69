"""Who may give a second or a third answer, and when. Raisers say why in a sentence that tells nothing of the others."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from extraction.models import Finding
from review.blindness import has_seen, took_part
from review.models import SECOND_OPEN, Disagreement, SecondDecision, SecondReview, SecondState
from review.policy import Conflict, check_none_open

LEFT_ALONE = timedelta(days=1)
"""After so long somebody else may take over a second review that was begun."""


def check_is_another(review: SecondReview, user: User) -> None:
    """Raises Conflict for whoever had a hand in the first review."""
    if SecondReview.objects.filter(took_part(user), pk=review.pk).exists():
        raise Conflict(_("You reviewed this page yourself: another person does it the second time."))


def check_can_begin(review: SecondReview, user: User) -> None:
    """Another person, who has not seen the answers, on a page that nobody else is reviewing."""
    check_is_another(review, user)
    if has_seen(user, [review]):
        raise Conflict(_("You have seen the decisions on this page: somebody who has not reviews it the second time."))
    if review.state == SecondState.WAITING or is_left_alone(review):
        return
    raise Conflict(_("Somebody else reviews this page, or its second review is over."))


def is_left_alone(review: SecondReview) -> bool:
    """Begun by somebody who is gone, or a day ago."""
    if review.state != SecondState.BEGUN or review.by is None or review.began_at is None:
        return False
    return not review.by.is_active or timezone.now() - review.began_at > LEFT_ALONE


def check_can_answer(review: SecondReview, user: User) -> None:
    """Only the person who began it, until it is finished."""
    if review.state == SecondState.WITHDRAWN:
        raise Conflict(_("This page was opened again: its second review is not needed for now."))
    if review.state != SecondState.BEGUN or review.by_id != user.pk:
        raise Conflict(_("This second review is not yours, or it is over."))


def check_can_decide(review: SecondReview, finding: Finding, user: User) -> None:
    check_can_answer(review, user)
    if finding.run_id != review.run_id or finding.page != review.page:
        raise Conflict(_("This proposal is not of this page."))
    if review.decisions.filter(finding=finding, undone_at=None).exists():
        raise Conflict(_("You have already decided on this number. Reload to see the decision."))


def check_can_finish(review: SecondReview, user: User) -> None:
    """Every proposal is decided."""
    check_can_answer(review, user)
    decided = SecondDecision.objects.filter(review=review, finding=OuterRef("pk"), undone_at=None)
    check_none_open(review.run.findings.filter(~Exists(decided), page=review.page).count())


def check_can_settle(disagreement: Disagreement, user: User) -> None:
    """A third person, neither of the two, once."""
    review = disagreement.review
    check_is_another(review, user)
    if review.by_id == user.pk:
        raise Conflict(_("You are one of the two who disagree: a third person decides."))
    if disagreement.settled_at is not None or review.state not in SECOND_OPEN:
        raise Conflict(_("This disagreement is settled already."))
