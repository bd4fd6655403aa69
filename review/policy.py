"""What the state of a page or a finding allows. Raisers say why in a sentence; templates ask through `allows`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from extraction.actions import CannotRun, check_has_pages
from extraction.models import ACTIVE, Document, Finding, Run, Status
from review.models import Decision, SecondReview, SecondState, SignOff


class Conflict(Exception):
    """Somebody was faster, or the state does not allow this. Its text is a sentence for the person. 409."""


def allows(check: Callable[..., None], *args: Any, **kwargs: Any) -> bool:
    """Whether a raiser would let this pass, so that a button and its guard cannot disagree."""
    try:
        check(*args, **kwargs)
    except (CannotRun, Conflict):
        return False
    return True


def check_can_decide(finding: Finding, *, against: UUID | None = None) -> None:
    """A finding can be decided while what stands is what the reviewer saw (`against`, or nothing), on an open page."""
    standing = Decision.objects.filter(finding=finding, undone_at=None).select_related("by").first()
    if standing is not None and standing.pk != against:
        raise Conflict(
            _("%(name)s has already decided on this number: %(verdict)s at %(time)s. Reload to see the decision.")
            % {
                "name": standing.by.name,
                "verdict": standing.get_verdict_display(),
                "time": timezone.localtime(standing.made_at).strftime("%H:%M"),
            }
        )
    if standing is None and against is not None:
        raise Conflict(_("The decision that you changed was undone meanwhile. Reload to see what is proposed."))
    check_page_open(finding.run.document, finding.page)


def check_can_rerun(document: Document) -> None:
    """One extraction of a document at a time, while its pages are there."""
    check_has_pages(document)
    if document.runs.filter(status__in=ACTIVE).exists():
        raise CannotRun(_("An extraction of this document is under way."))


def check_page_open(document: Document, page: int) -> None:
    if SignOff.objects.filter(document=document, page=page, reopened_at=None).exists():
        raise Conflict(_("This page is signed off. Reopen it first."))


def check_can_reopen(document: Document, page: int) -> None:
    """A page about which two people disagree is not opened: a third one decides, and both answers stay as they are."""
    if SecondReview.objects.filter(document=document, page=page, state=SecondState.DISPUTED).exists():
        raise Conflict(_("Two reviewers disagree about this page. A third person decides first."))


def check_can_sign(run: Run, page: int) -> None:
    """A page can be signed off when its run is over and every proposal on it is decided."""
    check_page_open(run.document, page)
    if run.status not in (Status.DONE, Status.FAILED):
        raise Conflict(_("The extraction is not over yet."))
    decided = Decision.objects.filter(finding=OuterRef("pk"), undone_at=None)
    check_none_open(run.findings.filter(~Exists(decided), page=page).count())


def check_none_open(open_ones: int) -> None:
    """Nobody says that a page holds no other NAM while proposals on it are undecided, the first time or the second."""
    if open_ones:
        raise Conflict(
            ngettext(
                "%(count)d proposal on this page is still undecided.",
                "%(count)d proposals on this page are still undecided.",
                open_ones,
            )
            % {"count": open_ones}
        )
