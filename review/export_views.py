"""Taking a document's numbers out: what will leave and what will not, the files that were made, and each of them."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import get_or_404
from accounts.limits import limited
from accounts.models import User
from accounts.policy import Right, requires
from accounts.reauthentication import freshly_proved
from accounts.requests import person
from audit.declared import journals
from audit.record import record_alone
from audit.verbs import Verb
from extraction import queries as extraction_queries
from extraction import restricting
from extraction.models import Document
from review import actions, queries
from review.blindness import check_may_see_all, hidden_pages, shown_blind
from review.exports.formats import FORMATS
from review.exports.lines import sort_out
from review.forms import ExportForm
from review.models import Export


@require_safe
@requires(Right.EXPORT)
@journals(Verb.DOCUMENT_VIEWED)
def export_page(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """What may leave, what may not and why, the form, and the files that were made."""
    user = person(request)
    document = get_or_404(extraction_queries.documents(user), document_id, by=user)
    return _page(request, document, ExportForm(instance=document))


@require_POST
@requires(Right.EXPORT)
@freshly_proved
@limited("export")
@journals(Verb.EXPORTED, Verb.DOCUMENT_VIEWED)
def make(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """Makes a file and shows it in the list."""
    user = person(request)
    document = get_or_404(extraction_queries.documents(user), document_id, by=user)
    form = ExportForm(request.POST, instance=document)
    if not form.is_valid():
        return _page(request, document, form, status=400)
    actions.export(document=document, request=form.request, by=user)
    messages.success(request, _("The file is ready: download it below."))
    return redirect(f"{reverse('review:exports', args=[document.pk])}#files")


@require_safe
@requires(Right.EXPORT)
@freshly_proved
@limited("export")
@journals(Verb.EXPORT_DOWNLOADED)
def download(request: HttpRequest, export_id: UUID) -> HttpResponse:
    """The file as it was made, byte for byte."""
    user = person(request)
    export = get_or_404(queries.exports(user), export_id, by=user)
    check_may_see_all(user, export.document)
    return disclosed(export, by=user)


def disclosed(export: Export, *, by: User) -> HttpResponse:
    """The answer that holds an export's file, after the journal holds who took it."""
    restricting.check_all(by, export.document)
    kind = FORMATS[export.format]
    made = timezone.localtime(export.made_at)
    record_alone(Verb.EXPORT_DOWNLOADED, by=by, object_type="export", object_id=export.pk,
                 document_id=export.document_id, count=export.lines,
                 details={"recipient": export.recipient, "justification": export.justification})  # fmt: skip
    answer = HttpResponse(export.data, content_type=kind.content_type)
    answer["Content-Disposition"] = f'attachment; filename="nam-extraction-{made:%Y-%m-%d-%H%M%S}.{kind.suffix}"'
    return answer


def _page(request: HttpRequest, document: Document, form: ExportForm, *, status: int = 200) -> HttpResponse:
    user = person(request)
    hidden = hidden_pages(user, document)
    found = sort_out(queries.lines(document, hidden, restricting.restricted_indexes(user)), form.selection)
    restricting.note_masked(user, document, sum(each.line.is_restricted for each in found.staying))
    record_alone(Verb.DOCUMENT_VIEWED, by=user, object_type="document", object_id=document.pk,
                 document_id=document.pk, count=len(found.staying), details=shown_blind(hidden))  # fmt: skip
    context = {
        "document": document,
        "found": found,
        "form": form,
        "exports": [] if hidden else queries.exports(user).filter(document=document).order_by("-made_at"),
        "has_hidden": bool(hidden),
    }
    return render(request, "review/exports.html", context, status=status)
