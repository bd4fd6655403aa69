"""The queue as a page, taking the next document from it, and the lease of the document that is open."""

from __future__ import annotations

from contextlib import suppress
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import get_or_404
from accounts.policy import Right, requires
from accounts.requests import person
from audit.declared import journals, journals_nothing
from audit.record import record_alone
from audit.registers import queries as registers
from audit.registers.models import Register
from audit.verbs import Verb
from extraction import queries as extraction_queries
from extraction.marks import Mark
from review import leases, queue
from review.queue import Filter


@require_safe
@requires(Right.QUEUE)
@journals(Verb.LIST_VIEWED)
def queue_page(request: HttpRequest) -> HttpResponse:
    """What waits for a review (`?show=` chooses the filter, `?after=` where the screen before ended)."""
    user = person(request)
    asked = request.GET.get("show", "")
    chosen = Filter(asked) if asked in set(Filter) else Filter.ALL
    mark = Mark.read(request.GET.get("after", ""))
    screen = queue.screen(user, chosen, mark, timezone.now())
    record_alone(Verb.LIST_VIEWED, by=user, object_type="review_task", count=len(screen.rows))
    context = {
        "screen": screen,
        "most_counted": queue.MOST_COUNTED,
        "filters": list(Filter),
        "chosen": chosen,
        "is_head": mark is None,
        "has_requests": registers.entries(user, Register.REQUESTS).filter(closed_on=None).exists(),
    }
    return render(request, "review/queue.html", context)


@require_POST
@requires(Right.REVIEW)
@journals(Verb.DOCUMENT_CLAIMED)
def claim(request: HttpRequest) -> HttpResponse:
    """Goes to the first document that nobody is at work on."""
    document = leases.claim_next(by=person(request))
    if document is None:
        messages.success(request, _("No document waits that nobody is working on."))
        return redirect("review:queue")
    return redirect("review:document-detail", document.pk)


@require_POST
@requires(Right.REVIEW)
@journals_nothing("renews who works on a document; nothing is shown")
def beat(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """204 while the person has the document; 409 with a sentence that says who has it now."""
    user = person(request)
    document = get_or_404(extraction_queries.documents(user), document_id, by=user)
    leases.beat(document=document, ticket=_ticket(request), by=user)
    return HttpResponse(status=204)


@require_POST
@requires(Right.REVIEW)
@journals_nothing("ends who works on a document; nothing is shown")
def release(request: HttpRequest, document_id: UUID) -> HttpResponse:
    user = person(request)
    document = get_or_404(extraction_queries.documents(user), document_id, by=user)
    leases.release(document=document, ticket=_ticket(request), by=user)
    return HttpResponse(status=204)


@require_POST
@requires(Right.REVIEW)
@journals(Verb.DOCUMENT_TAKEN_OVER)
def take_over(request: HttpRequest, document_id: UUID) -> HttpResponse:
    user = person(request)
    document = get_or_404(extraction_queries.documents(user), document_id, by=user)
    leases.take_over(document=document, by=user)
    return redirect("review:document-detail", document.pk)


def _ticket(request: HttpRequest) -> UUID | None:
    with suppress(ValueError):
        return UUID(request.POST.get("ticket", ""))
    return None
