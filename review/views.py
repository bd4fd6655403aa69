"""The review of a document: a page image beside its findings, one decision at a time, then the sign-off."""

from __future__ import annotations

from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import get_or_404
from accounts.models import User
from accounts.policy import Right, has_right, requires, rights
from accounts.requests import person
from audit.record import record_alone
from audit.verbs import Verb
from extraction import queries as extraction_queries
from extraction.actions import check_can_retry
from extraction.models import Document
from review import actions, bulk, leases, queries
from review.blindness import hidden_pages, shown_blind
from review.forms import AddForm, RejectForm, ValueForm
from review.models import Decision, Reason
from review.policy import allows, check_can_reopen, check_can_sign


@require_safe
@requires(Right.READ)
def document_detail(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """One page of a document with its findings. `?page=` chooses the page, `?finding=` the current finding."""
    user = person(request)
    document = get_or_404(extraction_queries.documents(user), document_id, by=user)
    run = queries.run_under_review(document)
    pages = queries.page_summaries(run)
    number = _page_number(request, pages)
    hidden = hidden_pages(user, document)
    items = [] if number in hidden else queries.items(run, number)
    record_alone(Verb.DOCUMENT_VIEWED, by=user, object_type="document", object_id=document.pk,
                 document_id=document.pk, page=number, count=len(items),
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
            "sheet_size": queries.sheet_size(run, number),
            "next_page": queries.next_page(pages, number),
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
            "sure": bulk.sure(run, items),
            "at_once": sum(isinstance(i.decision, Decision) and i.decision.batch is not None for i in items),
            **_lease(user, document, pages, is_blind=bool(hidden)),
        },
    )


def _lease(user: User, document: Document, pages: list[queries.PageSummary], *, is_blind: bool) -> dict[str, object]:
    """Opening a document with something to sign takes it, if nobody is at work on it. Else the page is only to read.

    Who may be asked for a second review of it (`is_blind`) is not told who is at work.
    """
    if not has_right(user, Right.REVIEW) or all(page.is_signed for page in pages):
        return {}
    lease = leases.open_page(document=document, by=user)
    if lease.holder_id == user.pk:
        return {"lease": lease, "has_lease": True, "beat_every": leases.BEAT_EVERY.seconds}
    return {
        "lease": lease,
        "has_lease": False,
        "is_blind": is_blind,
        "may": {**rights(user), Right.REVIEW.value: False},
    }


def _page_number(request: HttpRequest, pages: list[queries.PageSummary]) -> int:
    """The page asked for; otherwise the first one with something to decide."""
    asked = request.GET.get("page", "")
    if asked.isdigit() and 1 <= int(asked) <= len(pages):
        return int(asked)
    return next((page.number for page in pages if page.undecided), 1)


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
def decide(request: HttpRequest, finding_id: UUID) -> HttpResponse:
    """`verdict` is confirm, correct (with nam, visit_date, visit_time) or reject (with reason).

    `decision` is the new decision's id, `against` the id of the one that it replaces.
    """
    user = person(request)
    finding = get_or_404(queries.findings(user), finding_id, by=user)
    document, number = finding.run.document, finding.page
    form = RejectForm(request.POST) if request.POST.get("verdict") == "reject" else value_form(request, finding)
    if not form.is_valid():
        return _refuse(request, form, document, number, finding_id)
    actions.decide(
        finding=finding,
        value=form.typed if isinstance(form, ValueForm) else None,
        reason=form.cleaned_data.get("reason", ""),
        decision_id=uuid_or_none(request.POST.get("decision", "")),
        against=uuid_or_none(request.POST.get("against", "")),
        by=user,
    )
    return _to_page(document, number)


def value_form(request: HttpRequest, finding: object) -> ValueForm:
    """What was typed; a plain confirmation repeats what was proposed."""
    if request.POST.get("verdict") == "confirm":
        proposed = {
            "nam": finding.value,  # type: ignore[attr-defined]
            "visit_date": finding.visit_date or "",  # type: ignore[attr-defined]
            "visit_time": finding.visit_time or "",  # type: ignore[attr-defined]
        }
        return ValueForm(proposed)
    return ValueForm(request.POST)


@require_POST
@requires(Right.REVIEW)
def add(request: HttpRequest, document_id: UUID, number: int) -> HttpResponse:
    user = person(request)
    document = get_or_404(extraction_queries.documents(user), document_id, by=user)
    form = AddForm(request.POST)
    if not form.is_valid():
        return _refuse(request, form, document, number)
    actions.add(document=document, page=number, value=form.typed, box=form.cleaned_data["box"], by=user)
    messages.success(request, _("Number added."))
    return _to_page(document, number)


@require_POST
@requires(Right.REVIEW)
def undo(request: HttpRequest, decision_id: UUID) -> HttpResponse:
    user = person(request)
    decision = get_or_404(queries.decisions(user), decision_id, by=user)
    actions.undo(decision=decision, by=user)
    return _to_page(decision.document, decision.page, finding_id=decision.finding_id)


@require_POST
@requires(Right.REVIEW)
def sign_off(request: HttpRequest, document_id: UUID, number: int) -> HttpResponse:
    """Signs the page off and goes on to the next one that is not."""
    user = person(request)
    document = get_or_404(extraction_queries.documents(user), document_id, by=user)
    run = queries.run_under_review(document)
    actions.sign_off(run=run, page=number, by=user)
    following = queries.next_page(queries.page_summaries(run), number)
    if following is None:
        messages.success(request, _("Every page of this document is signed off."))
    return _to_page(document, following or number)


@require_POST
@requires(Right.REVIEW)
def reopen(request: HttpRequest, document_id: UUID, number: int) -> HttpResponse:
    user = person(request)
    document = get_or_404(extraction_queries.documents(user), document_id, by=user)
    actions.reopen(document=document, page=number, by=user)
    return _to_page(document, number)


@require_POST
@requires(Right.REVIEW)
def confirm_all(request: HttpRequest, document_id: UUID, number: int) -> HttpResponse:
    """Confirms the proposals that the button stood for (`finding`, once for each)."""
    user = person(request)
    document = get_or_404(extraction_queries.documents(user), document_id, by=user)
    run = queries.run_under_review(document)
    findings = [pk for text in request.POST.getlist("finding") if (pk := uuid_or_none(text)) is not None]
    bulk.confirm_all(run=run, page=number, findings=findings, by=user)
    return _to_page(document, number)


@require_POST
@requires(Right.REVIEW)
def undo_all(request: HttpRequest, document_id: UUID, number: int) -> HttpResponse:
    """Takes back what was confirmed at once on a page."""
    user = person(request)
    document = get_or_404(extraction_queries.documents(user), document_id, by=user)
    bulk.undo_all(document=document, page=number, by=user)
    return _to_page(document, number)


def _refuse(
    request: HttpRequest, form: forms.Form, document: Document, number: int, finding_id: UUID | None = None
) -> HttpResponse:
    for errors in form.errors.values():
        for error in errors:
            messages.error(request, str(error))
    return _to_page(document, number, finding_id=finding_id)


def _to_page(document: Document, number: int, *, finding_id: UUID | None = None) -> HttpResponse:
    address = f"{reverse('review:document-detail', args=[document.pk])}?page={number}"
    return redirect(f"{address}&finding={finding_id}" if finding_id else address)


def uuid_or_none(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
