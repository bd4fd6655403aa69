"""Emergency access ("break the glass"): an administrator sees the numbers of one document, masked, for half an hour.

For an incident or a patient's request, when nobody may wait for a colleague. No page image is shown; a number is
readable in the answer to one click only, and each is journalled with its subject and purpose.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts import actions, emergency
from accounts.access import get_or_404
from accounts.forms import EmergencyForm
from accounts.limits import limited
from accounts.policy import Right, requires
from accounts.reauthentication import freshly_proved
from accounts.requests import person
from audit.declared import journals
from audit.record import record_alone
from audit.verbs import Verb
from extraction import nam, queries, restricting
from extraction.models import Document, Finding
from review.queries import run_under_review


@require_safe
@requires(Right.EMERGENCY)
@journals(Verb.DOCUMENT_VIEWED)
def emergency_page(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """The form that asks why; while access lasts, the masked numbers."""
    return _page(request, _document(request, document_id), EmergencyForm())


@require_POST
@requires(Right.EMERGENCY)
@freshly_proved
@journals(Verb.EMERGENCY_BEGUN)
def begin(request: HttpRequest, document_id: UUID) -> HttpResponse:
    document = _document(request, document_id)
    form = EmergencyForm(request.POST)
    if not form.is_valid():
        return _page(request, document, form, status=400)
    actions.begin_emergency(document_id=document.pk, by=person(request), **form.cleaned_data)
    return redirect("review:emergency", document.pk)


@require_POST
@requires(Right.EMERGENCY)
@limited("reveal")
@journals(Verb.NAM_REVEALED)
def reveal(request: HttpRequest, document_id: UUID, finding_id: UUID) -> HttpResponse:
    """Shows one number, in this answer only. Back to the form when access has ended meanwhile."""
    user = person(request)
    document = _document(request, document_id)
    access = emergency.of(user, document.pk)
    if access is None:
        return redirect("review:emergency", document.pk)
    finding = get_or_404(Finding.objects.filter(run__document=document), finding_id, by=user)
    restricting.check_page(user, document, finding.page)
    record_alone(Verb.NAM_REVEALED, by=user, object_type="finding", object_id=finding.pk, document_id=document.pk,
                 page=finding.page, subject=finding.value_index, purpose=access.purpose)  # fmt: skip
    return _page(request, document, EmergencyForm(), revealed=finding.pk)


def _document(request: HttpRequest, document_id: UUID) -> Document:
    user = person(request)
    return get_or_404(queries.documents(user), document_id, by=user)


def _page(
    request: HttpRequest, document: Document, form: EmergencyForm, *, revealed: UUID | None = None, status: int = 200
) -> HttpResponse:
    user = person(request)
    access = emergency.of(user, document.pk)
    rows: list[dict[str, Any]] = []
    if access is not None:
        findings = run_under_review(document).findings.order_by("page", "position") if document.runs.exists() else ()
        rows = [_row(finding, is_shown=finding.pk == revealed) for finding in findings]
        record_alone(Verb.DOCUMENT_VIEWED, by=user, object_type="document", object_id=document.pk,
                     document_id=document.pk, count=len(rows), purpose=access.purpose)  # fmt: skip
    context = {"document": document, "form": form, "access": access, "rows": rows}
    return render(request, "review/emergency.html", context, status=status)


def _row(finding: Finding, *, is_shown: bool) -> dict[str, Any]:
    value = str(finding.value or "")
    return {
        "finding": finding,
        "shown": nam.grouped(value) if is_shown else nam.mask(value),
        "is_shown": is_shown,
    }
