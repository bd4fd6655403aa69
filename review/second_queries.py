"""Reads about second reviews: whose turn it is, a page as the second person sees it, and how far people agree.

Nothing here gives a first answer to anybody, except to the third person, who sees both and is not told whose they are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.utils import timezone

from accounts.models import Role, User
from extraction import nam
from extraction.models import PageState
from review import score_days
from review.agreement import Agreement
from review.blindness import hand_in, has_seen, took_part
from review.models import Answer, Decision, Disagreement, SecondDecision, SecondReview, SecondState, SignOff
from review.quality import monday
from review.queries import Item, PageSummary
from review.second_policy import LEFT_ALONE
from vault.index import blind_index

MOST_SHOWN = 50
"""Second reviews, and disagreements, in a list."""
MOST_ASKED_FOR = 500
"""Of so many of the oldest is asked whether a person has seen their decisions."""
Letter = Literal["a", "b"]


def reviews(user: User) -> QuerySet[SecondReview]:
    """The second reviews of the person's clinic."""
    return SecondReview.objects.filter(document__clinic_id=user.clinic_id).select_related("document", "run", "by")


def decisions(user: User) -> QuerySet[SecondDecision]:
    """The second answers of the person's clinic."""
    return SecondDecision.objects.filter(review__document__clinic_id=user.clinic_id).select_related("review")


def disagreements(user: User) -> QuerySet[Disagreement]:
    """The disagreements of the person's clinic."""
    related = ("review__document", "review__run", "first__finding", "second__finding")
    return Disagreement.objects.filter(review__document__clinic_id=user.clinic_id).select_related(*related)


def to_review(user: User) -> list[SecondReview]:
    """The pages that this person may review a second time, their own begun ones first, then the oldest."""
    left = Q(state=SecondState.BEGUN) & (Q(by__is_active=False) | Q(began_at__lt=timezone.now() - LEFT_ALONE))
    mine = reviews(user).filter(state=SecondState.BEGUN, by=user).order_by("drawn_at")
    others = reviews(user).filter(Q(state=SecondState.WAITING) | left).exclude(by=user)
    free = list(others.exclude(took_part(user)).order_by("drawn_at")[:MOST_ASKED_FOR])
    seen = has_seen(user, free)
    return [*mine, *[review for review in free if review.pk not in seen][:MOST_SHOWN]]


def to_settle(user: User) -> QuerySet[Disagreement]:
    """The disagreements that this person may settle, the oldest first."""
    open_ones = SecondReview.objects.filter(state=SecondState.DISPUTED).exclude(by=user)
    third = open_ones.exclude(took_part(user))
    found = disagreements(user).filter(settled_at=None, review__in=third)
    return found.order_by("review__finished_at", "pk")


def items(review: SecondReview) -> list[Item]:
    """The page as the second reviewer sees it: the run's proposals with their own answers, and what they added."""
    standing = review.decisions.filter(undone_at=None).select_related("by").order_by("made_at")
    found = review.run.findings.filter(page=review.page).order_by("position")
    answers = Prefetch("second_decisions", queryset=standing, to_attr="active")
    rows = [Item(f, f.active[0] if f.active else None) for f in found.prefetch_related(answers)]
    rows += [Item(None, decision) for decision in standing.filter(finding=None)]
    return sorted(rows, key=lambda item: item.place)


def summary(review: SecondReview, rows: Iterable[Item]) -> PageSummary:
    """The page in the form that the panel takes; it counts as not signed."""
    proposals = [item for item in rows if item.finding is not None]
    undecided = sum(item.decision is None for item in proposals)
    state = review.run.pages.filter(number=review.page).values_list("state", "error_code").first()
    return PageSummary(review.page, len(proposals), undecided, False, *(state or (PageState.FOUND, "")))


@dataclass(frozen=True, slots=True)
class Choice:
    """One of two answers, without whose it is. `nam` is in groups of four; empty with `reason` for a rejection, and
    without one where the person saw no number."""

    letter: Letter
    nam: str = ""
    day: str | None = None
    clock: str | None = None
    reason: str = ""


def choices(disagreement: Disagreement) -> tuple[Choice, Choice]:
    """Both answers; which comes first is drawn by the disagreement, not by who gave it."""
    both = answers(disagreement)
    return _choice("a", both["a"]), _choice("b", both["b"])


def answers(disagreement: Disagreement) -> dict[Letter, Answer | None]:
    """The answer behind each letter."""
    one: Answer | None = disagreement.first
    other: Answer | None = disagreement.second
    drawn = blind_index(str(disagreement.pk), clinic_id=disagreement.review.document.clinic_id, purpose="second_review")
    if drawn[0] % 2:
        one, other = other, one
    return {"a": one, "b": other}


def _choice(letter: Letter, answer: Answer | None) -> Choice:
    if answer is None:
        return Choice(letter)
    if answer.value is None:
        return Choice(letter, reason=str(answer.get_reason_display()))
    return Choice(letter, nam.grouped(answer.value), answer.visit_date, answer.visit_time)


@dataclass(frozen=True, slots=True)
class Standing:
    """How many second reviews are open, and for how many of them the clinic has nobody left to ask."""

    waiting: int
    disputed: int
    disagreements: int
    without_second: int
    without_third: int


def standing(user: User) -> Standing:
    """Of the person's clinic, in counts."""
    own = SecondReview.objects.filter(document__clinic_id=user.clinic_id)
    waiting = own.filter(state__in=(SecondState.WAITING, SecondState.BEGUN))
    disputed = own.filter(state=SecondState.DISPUTED)
    third = _others(user).exclude(pk=OuterRef("by"))
    return Standing(
        waiting=waiting.count(),
        disputed=disputed.count(),
        disagreements=Disagreement.objects.filter(review__in=disputed, settled_at=None).count(),
        without_second=waiting.filter(~Exists(_others(user)), state=SecondState.WAITING).count(),
        without_third=disputed.filter(~Exists(third)).count(),
    )


def _others(user: User) -> QuerySet[User]:
    """The clinic's reviewers who had no hand in a page's first review; for a filter of SecondReviews."""
    page = {"document": OuterRef(OuterRef("document")), "page": OuterRef(OuterRef("page"))}
    decided = Decision.objects.filter(hand_in(OuterRef("pk"), OuterRef(OuterRef("drawn_at"))), **page)
    signed = SignOff.objects.filter(Q(by=OuterRef("pk")) | Q(reopened_by=OuterRef("pk")), **page)
    people = User.objects.filter(clinic_id=user.clinic_id, is_active=True, role=Role.REVIEWER)
    return people.exclude(Exists(decided)).exclude(Exists(signed))


def agreement_by_week(user: User, since: date) -> dict[date, Agreement]:
    """The second reviews that were finished on that day or later, by the Monday of their week. No person is in it."""
    weeks: dict[date, Agreement] = defaultdict(Agreement)
    for day, found in score_days.agreements(user.clinic_id, since):
        weeks[monday(day)] += found
    return dict(weeks)
