"""Who may not see a page's first answers, and how long.

While the second review of a page is open, its decisions are shown to those who made them and to those who can make
none; to no other reviewer of the clinic, on no page, in no file and through no API, because each may be the second or
the third person. Every read of decisions that a reviewer can reach asks `hidden_pages` first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.policy import Right, has_right
from audit.models import Event
from audit.verbs import Verb
from extraction.models import Document
from review.models import SECOND_OPEN, Decision, SecondReview, SignOff
from review.policy import Conflict

SHOWING = (
    Verb.DOCUMENT_VIEWED, Verb.PAGE_SENT_AHEAD, Verb.API_READ, Verb.EXPORTED, Verb.EXPORT_DOWNLOADED,
    Verb.PROPOSAL_EXPLAINED,
)  # fmt: skip
"""Events after which a person may know what was decided."""


def hand_in(person: User | OuterRef, drawn_at: OuterRef) -> Q:
    """The decisions that a person made or took back before a second review was asked for."""
    return Q(by=person, made_at__lte=drawn_at) | Q(undone_by=person, undone_at__lte=drawn_at)


def took_part(user: User) -> Q:
    """Whether the person had a hand in the first review of a SecondReview's page; for filters."""
    page = {"document": OuterRef("document"), "page": OuterRef("page")}
    decided = Decision.objects.filter(hand_in(user, OuterRef("drawn_at")), **page)
    signed = SignOff.objects.filter(Q(by=user) | Q(reopened_by=user), **page)
    return Q(Exists(decided)) | Q(Exists(signed))


def hidden_from(user: User) -> QuerySet[SecondReview]:
    """The open second reviews of the clinic whose first answers this person may not see."""
    if not has_right(user, Right.REVIEW):
        return SecondReview.objects.none()
    mine = SecondReview.objects.filter(document__clinic_id=user.clinic_id, state__in=SECOND_OPEN)
    return mine.exclude(took_part(user))


def hidden_pages(user: User, document: Document) -> frozenset[int]:
    """The pages of a document whose decisions this person may not see."""
    return frozenset(hidden_from(user).filter(document=document).values_list("page", flat=True))


def check_may_see(user: User, document: Document, page: int) -> None:
    """Raises Conflict where the answers to a page are hidden from this person. Says nothing of who gave them."""
    if page in hidden_pages(user, document):
        raise Conflict(_("This page is being reviewed a second time. Its decisions are shown when that is over."))


def check_may_see_all(user: User, document: Document) -> None:
    """The same of every page of a document, for a file that was made of it."""
    if hidden_pages(user, document):
        raise Conflict(_("A page of this document is being reviewed a second time. You can have this file after that."))


def shown_blind(pages: Collection[int]) -> dict[str, str]:
    """What an event of a disclosure adds: the pages whose decisions were left out of it."""
    return {"blind": ",".join(str(page) for page in sorted(pages))} if pages else {}


def has_seen(user: User, reviews: Collection[SecondReview]) -> set[UUID]:
    """Those of `reviews` whose first answers this person was ever shown.

    The journal says so: a page, a file or an API answer of the document since the first decision on the page, that did
    not leave the page's decisions out.
    """
    first = Decision.objects.filter(document=OuterRef("document"), page=OuterRef("page")).order_by("made_at")
    decided = SecondReview.objects.filter(pk__in=[review.pk for review in reviews]).annotate(
        began=Subquery(first.values("made_at")[:1])
    )
    shown: defaultdict[UUID | None, list[Event]] = defaultdict(list)
    for event in Event.objects.filter(
        clinic_id=user.clinic_id,
        document_id__in={review.document_id for review in reviews},
        actor_id=user.pk,
        verb__in=SHOWING,
    ).only("document_id", "page", "at", "details"):
        shown[event.document_id].append(event)
    return {
        review.pk
        for review in decided
        if review.began is not None
        and any(event.at >= review.began and _shows(event, review.page) for event in shown[review.document_id])
    }


def _shows(event: Event, page: int) -> bool:
    """Whether the decisions on a page were part of what an event disclosed; one without a page is of the document."""
    return event.page in (None, page) and str(page) not in event.details.get("blind", "").split(",")
