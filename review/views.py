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
from accounts.policy import Right, requires
from accounts.requests import person
from audit.record import record_alone
from audit.verbs import Verb
from extraction import queries as extraction_queries
from extraction.actions import check_can_retry
from extraction.models import Document
from review import actions, queries
from review.forms import AddForm, RejectForm, ValueForm
from review.models import Reason
from review.policy import allows, check_can_sign


@require_safe
@requires(Right.READ)
def document_detail(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """One page of a document with its findings. `?page=` chooses the page, `?finding=` the current finding."""
    user = person(request)
    document = get_or_404(extraction_queries.documents(user), document_id, by=user)
    run = queries.run_under_review(document)
    pages = queries.page_summaries(run)
    number = _page_number(request, pages)
    items = queries.items(run, number)
    record_alone(Verb.DOCUMENT_VIEWED, by=user, object_type="document", object_id=document.pk,
                 document_id=document.pk, page=number, count=len(items))  # fmt: skip
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
            "current": _current(request, items),
            "can_sign": allows(check_can_sign, run, number),
            "can_retry": allows(check_can_retry, run),
            "has_other_runs": document.runs.exclude(pk=run.pk).exists(),
            "add_form": AddForm(),
            "reasons": Reason.choices,
            "score": queries.measure(run),
        },
    )


def _page_number(request: HttpRequest, pages: list[queries.PageSummary]) -> int:
    """The page asked for; otherwise the first one with something to decide."""
    asked = request.GET.get("page", "")
    if asked.isdigit() and 1 <= int(asked) <= len(pages):
        return int(asked)
    return next((page.number for page in pages if page.undecided), 1)


def _current(request: HttpRequest, items: list[queries.Item]) -> queries.Item | None:
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
    """`verdict` is confirm, correct (with nam, visit_date, visit_time) or reject (with reason)."""
    user = person(request)
    finding = get_or_404(queries.findings(user), finding_id, by=user)
    document, number = finding.run.document, finding.page
    form = RejectForm(request.POST) if request.POST.get("verdict") == "reject" else _value_form(request, finding)
    if not form.is_valid():
        return _refuse(request, form, document, number, finding_id)
    decision_id = _uuid(request.POST.get("decision", ""))
    if isinstance(form, ValueForm):
        actions.decide(finding=finding, value=form.typed, decision_id=decision_id, by=user)
    else:
        actions.decide(
            finding=finding, value=None, reason=form.cleaned_data["reason"], decision_id=decision_id, by=user
        )
    return _to_page(document, number)


def _value_form(request: HttpRequest, finding: object) -> ValueForm:
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


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
