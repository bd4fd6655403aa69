"""The review of a document: a page image beside its findings, one decision at a time, then the sign-off."""

from __future__ import annotations

from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import get_or_404
from accounts.models import User
from accounts.policy import Right, has_right, requires, rights
from accounts.requests import person
from audit.declared import journals, journals_nothing
from audit.record import record_alone
from audit.verbs import Purpose, Verb
from extraction import looking, nam, restricting
from extraction import queries as extraction_queries
from extraction.actions import check_can_retry
from extraction.finders.proposal import Proposal
from extraction.models import Document
from extraction.visits.moments import write_date, write_time
from review import actions, bulk, effort, leases, outbox, queries
from review.blindness import hidden_pages, shown_blind
from review.forms import AddForm, PlaceForm, verdict_form
from review.models import Decision, Reason
from review.policy import allows, check_can_reopen, check_can_sign
from review.templatetags.review_text import repair_reason


@require_safe
@requires(Right.READ)
@journals(Verb.DOCUMENT_VIEWED, Verb.PAGE_SENT_AHEAD)
def document_detail(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """One page of a document with its findings. `?page=` chooses the page, `?finding=` the current finding.

    With `?ahead` the browser keeps the page until it is turned to, and says so then (`shown`).
    """
    user = person(request)
    document = get_or_404(extraction_queries.documents(user), document_id, by=user)
    run = queries.run_under_review(document)
    pages = queries.page_summaries(run)
    closed = restricting.restricted_pages(user, document)
    number = _page_number(request, pages, closed)
    restricting.check_page(user, document, number)
    hidden = hidden_pages(user, document)
    items = [] if number in hidden else queries.items(run, number)
    sheet = queries.page_as_read(run, number)
    is_ahead = "ahead" in request.GET
    record_alone(Verb.PAGE_SENT_AHEAD if is_ahead else Verb.DOCUMENT_VIEWED, by=user, object_type="document",
                 object_id=document.pk, document_id=document.pk, page=number, count=len(items),
                 details=shown_blind(hidden & {number}))  # fmt: skip
    return render(
        request,
        "review/document_detail.html",
        {
            "document": document,
            "run": run,
            "progress": extraction_queries.progress(run),
            "pages": pages,
            "page": pages[number - 1],
            "sheet_size": queries.sheet_size(sheet),
            "page_warnings": queries.page_warnings(sheet),
            "next_page": queries.next_page(pages, number, closed),
            "items": items,
            "hints": [] if number in hidden or pages[number - 1].is_signed else queries.hints(run, number, items),
            "current": current_item(request, items),
            "can_sign": allows(check_can_sign, run, number),
            "can_reopen": number not in hidden and allows(check_can_reopen, document, number),
            "can_retry": allows(check_can_retry, run),
            "has_other_runs": document.runs.exclude(pk=run.pk).exists(),
            "add_form": AddForm(),
            "reasons": Reason.choices,
            "score": queries.measure(run, hidden),
            "is_hidden": number in hidden,
            "passing": bulk.passing(run, items),
            "at_once": sum(isinstance(i.decision, Decision) and i.decision.batch is not None for i in items),
            "outbox_key": outbox.key(user),
            "is_ahead": is_ahead,
            **_lease(user, document, pages, items, is_blind=bool(hidden), is_ahead=is_ahead),
        },
    )


def _lease(
    user: User,
    document: Document,
    pages: list[queries.PageSummary],
    items: list[queries.Item],
    *,
    is_blind: bool,
    is_ahead: bool,
) -> dict[str, object]:
    """Opening a document with something to sign takes it, if nobody is at work on it. Else the page is only to read.

    Who may be asked for a second review of it (`is_blind`) is not told who is at work. A page that is sent ahead
    (`is_ahead`) goes on with the ticket of the one that is shown.
    """
    if not has_right(user, Right.REVIEW) or all(page.is_signed for page in pages):
        return {}
    lease = leases.open_page(document=document, is_ahead=is_ahead, by=user)
    if lease.holder_id == user.pk:
        return {
            "lease": lease,
            "has_lease": True,
            "beat_every": leases.BEAT_EVERY.seconds,
            "review_progress": queries.review_progress(lease, items),
        }
    return {
        "lease": lease,
        "has_lease": False,
        "is_blind": is_blind,
        "may": {**rights(user), Right.REVIEW.value: False},
    }


@require_POST
@requires(Right.READ)
@outbox.own_only
@journals(Verb.DOCUMENT_VIEWED, Verb.PAGE_VIEWED)
def shown(request: HttpRequest, document_id: UUID, number: int) -> HttpResponse:
    """A page that was sent ahead is looked at now."""
    user = person(request)
    document = get_or_404(extraction_queries.documents(user), document_id, by=user)
    restricting.check_page(user, document, number)
    hidden = hidden_pages(user, document)
    for verb in (Verb.DOCUMENT_VIEWED, Verb.PAGE_VIEWED):
        record_alone(verb, by=user, object_type="document", object_id=document.pk, document_id=document.pk,
                     page=number, details=shown_blind(hidden & {number}))  # fmt: skip
    return JsonResponse({})


@require_POST
@requires(Right.REVIEW)
@outbox.own_only
@journals(Verb.PAGE_SHOWN)
def painted(request: HttpRequest, document_id: UUID, number: int) -> HttpResponse:
    """The page's image stands on the person's screen now, says their browser."""
    user = person(request)
    document = get_or_404(extraction_queries.documents(user), document_id, by=user)
    record_alone(Verb.PAGE_SHOWN, by=user, object_type="document", object_id=document.pk, document_id=document.pk,
                 page=number, purpose=Purpose.QUALITY)  # fmt: skip
    return JsonResponse({})


@require_safe
@requires(Right.REVIEW)
@journals_nothing("the key of the person's own decisions, which their browser keeps sealed")
def outbox_key(request: HttpRequest) -> HttpResponse:
    """What the person's outbox is sealed with, for pages on which something waits in it."""
    return JsonResponse({"key": outbox.key(person(request))})


def _page_number(request: HttpRequest, pages: list[queries.PageSummary], closed: frozenset[int]) -> int:
    """The page asked for; otherwise the first one with something to decide, of those that are not closed."""
    asked = request.GET.get("page", "")
    if asked.isdigit() and 1 <= int(asked) <= len(pages):
        return int(asked)
    open_pages = [page for page in pages if page.number not in closed]
    first = next((page for page in open_pages if page.undecided), next(iter(open_pages), None))
    return first.number if first else 1


def current_item(request: HttpRequest, items: list[queries.Item]) -> queries.Item | None:
    """The finding asked for; otherwise doubtful ones first, then the first undecided one."""
    asked = request.GET.get("finding", "")
    return (
        next((item for item in items if item.finding is not None and str(item.finding.pk) == asked), None)
        or next((item for item in items if item.is_doubtful), None)
        or next((item for item in items if item.decision is None), None)
        or (items[0] if items else None)
    )


@require_POST
@requires(Right.REVIEW)
@outbox.own_only
@journals(Verb.NAM_CONFIRMED, Verb.NAM_CORRECTED, Verb.NAM_REJECTED)
def decide(request: HttpRequest, finding_id: UUID) -> HttpResponse:
    """`verdict` is confirm, correct (with nam, visit_date, visit_time) or reject (with reason).

    `decision` is the new decision's id, `against` the id of the one that it replaces.
    """
    user = person(request)
    finding = get_or_404(queries.findings(user), finding_id, by=user)
    document, number = finding.run.document, finding.page
    form = verdict_form(request.POST, finding)
    if not form.is_valid():
        return _refuse(request, form, document, number, finding_id)
    value, reason = form.said
    actions.decide(
        finding=finding,
        value=value,
        reason=reason,
        decision_id=uuid_or_none(request.POST.get("decision", "")),
        against=uuid_or_none(request.POST.get("against", "")),
        effort=effort.told(request.POST),
        by=user,
    )
    return _done(request, document, number)


@require_POST
@requires(Right.REVIEW)
@outbox.own_only
@journals(Verb.NAM_ADDED)
def add(request: HttpRequest, document_id: UUID, number: int) -> HttpResponse:
    user = person(request)
    document = get_or_404(extraction_queries.documents(user), document_id, by=user)
    form = AddForm(request.POST)
    if not form.is_valid():
        return _refuse(request, form, document, number)
    actions.add(
        document=document,
        page=number,
        value=form.typed,
        box=form.cleaned_data["box"],
        decision_id=uuid_or_none(request.POST.get("decision", "")),
        effort=effort.told(request.POST),
        by=user,
    )
    return _done(request, document, number, _("Number added."))


@require_POST
@requires(Right.REVIEW)
@journals(Verb.PAGE_VIEWED)
def look(request: HttpRequest, document_id: UUID, number: int) -> HttpResponse:
    """What the reader sees in a box that was drawn: readings of the number, likeliest first, and the visit. One look
    at a time for each person (429)."""
    user = person(request)
    document = get_or_404(extraction_queries.documents(user), document_id, by=user)
    form = PlaceForm(request.POST)
    box = form.cleaned_data["box"] if form.is_valid() else None
    if box is None or not 1 <= number <= document.page_count or not looking.is_small_enough(box):
        return JsonResponse({"error": _("Draw a rectangle around one number.")}, status=422)
    restricting.check_page(user, document, number)
    record_alone(Verb.PAGE_VIEWED, by=user, object_type="document", object_id=document.pk, document_id=document.pk,
                 page=number, purpose=Purpose.QUALITY)  # fmt: skip
    with outbox.only_one(f"look:{user.pk.hex}") as is_free:
        if not is_free:
            return JsonResponse({"error": _("Another place is being read.")}, status=429)
        found = looking.read_out(queries.run_under_review(document), number, box)
    return JsonResponse(_readings(found))


def _readings(found: Proposal | None) -> dict[str, object]:
    """JSON for the form of additions; `readings` is empty where no number is seen."""
    if found is None:
        return {"readings": []}
    others = [(repair.nam, repair_reason(repair.reason)) for repair in found.repairs]
    return {
        "readings": [{"nam": nam.grouped(value), "reason": why} for value, why in [(found.nam, ""), *others]],
        "date": write_date(found.visit_date) or "",
        "time": write_time(found.visit_time) or "",
    }


@require_POST
@requires(Right.REVIEW)
@outbox.own_only
@journals(Verb.DECISION_UNDONE)
def undo(request: HttpRequest, decision_id: UUID) -> HttpResponse:
    user = person(request)
    decision = get_or_404(queries.decisions(user), decision_id, by=user)
    actions.undo(decision=decision, by=user)
    return _done(request, decision.document, decision.page, finding_id=decision.finding_id)


@require_POST
@requires(Right.REVIEW)
@outbox.own_only
@journals(Verb.PAGE_SIGNED)
def sign_off(request: HttpRequest, document_id: UUID, number: int) -> HttpResponse:
    """Signs the page off and goes on to the next one that is not."""
    user = person(request)
    document = get_or_404(extraction_queries.documents(user), document_id, by=user)
    run = queries.run_under_review(document)
    actions.sign_off(run=run, page=number, sign_off_id=uuid_or_none(request.POST.get("sign_off", "")), by=user)
    pages = queries.page_summaries(run)
    following = queries.next_page(pages, number, restricting.restricted_pages(user, document))
    sentence = _("Every page of this document is signed off.") if all(page.is_signed for page in pages) else ""
    return _done(request, document, following or number, sentence)


@require_POST
@requires(Right.REVIEW)
@journals(Verb.PAGE_REOPENED)
def reopen(request: HttpRequest, document_id: UUID, number: int) -> HttpResponse:
    user = person(request)
    document = get_or_404(extraction_queries.documents(user), document_id, by=user)
    actions.reopen(document=document, page=number, by=user)
    return _to_page(document, number)


@require_POST
@requires(Right.REVIEW)
@journals(Verb.NAM_CONFIRMED)
def confirm_all(request: HttpRequest, document_id: UUID, number: int) -> HttpResponse:
    """Confirms the proposals that the button stood for (`finding`, once for each)."""
    user = person(request)
    document = get_or_404(extraction_queries.documents(user), document_id, by=user)
    run = queries.run_under_review(document)
    findings = [pk for text in request.POST.getlist("finding") if (pk := uuid_or_none(text)) is not None]
    bulk.confirm_all(run=run, page=number, findings=findings, effort=effort.told(request.POST), by=user)
    return _to_page(document, number)


@require_POST
@requires(Right.REVIEW)
@journals(Verb.DECISION_UNDONE)
def undo_all(request: HttpRequest, document_id: UUID, number: int) -> HttpResponse:
    """Takes back what was confirmed at once on a page."""
    user = person(request)
    document = get_or_404(extraction_queries.documents(user), document_id, by=user)
    bulk.undo_all(document=document, page=number, by=user)
    return _to_page(document, number)


def _done(
    request: HttpRequest, document: Document, number: int, sentence: str = "", *, finding_id: UUID | None = None
) -> HttpResponse:
    """It is written: the page as it is now, or a word for our own script."""
    return outbox.written(request, _to_page(document, number, finding_id=finding_id), sentence)


def _refuse(
    request: HttpRequest, form: forms.Form, document: Document, number: int, finding_id: UUID | None = None
) -> HttpResponse:
    return outbox.refused(request, _to_page(document, number, finding_id=finding_id), form)


def _to_page(document: Document, number: int, *, finding_id: UUID | None = None) -> HttpResponse:
    address = f"{reverse('review:document-detail', args=[document.pk])}?page={number}"
    return redirect(f"{address}&finding={finding_id}" if finding_id else address)


def uuid_or_none(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
