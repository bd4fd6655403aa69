"""The extractions of one document: two of them side by side, and another one by another configuration."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import get_or_404
from accounts.policy import Right, requires
from accounts.requests import person
from audit.declared import journals
from audit.record import record_alone
from audit.verbs import Verb
from extraction import queries as extraction_queries
from extraction import restricting
from extraction.models import Run
from review import actions, quality, queries, scores
from review.blindness import hidden_pages, shown_blind
from review.forms import RerunForm
from review.policy import allows, check_can_rerun

MOST_SHOWN = 500


@require_safe
@requires(Right.READ)
@journals(Verb.DOCUMENT_VIEWED)
def compare(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """Two runs of a document (`?a=`, `?b=`; otherwise the two newest), difference by difference."""
    user = person(request)
    document = get_or_404(extraction_queries.documents(user), document_id, by=user)
    restricting.check_all(user, document)
    runs = list(document.runs.order_by("-created_at"))
    first, second = _asked(request, "a", runs, place=1), _asked(request, "b", runs, place=0)
    scores.catch_up(user)
    hidden = hidden_pages(user, document)
    found = [] if first.is_active or second.is_active else queries.differences(first, second, hidden)
    record_alone(Verb.DOCUMENT_VIEWED, by=user, object_type="document", object_id=document.pk,
                 document_id=document.pk, count=len(found),
                 details={"run": str(first.pk), "compared_with": str(second.pk), **shown_blind(hidden)})  # fmt: skip
    context = {
        "document": document,
        "reviewed": queries.run_under_review(document),
        "is_over": not (first.is_active or second.is_active),
        "rerun_form": RerunForm(),
        "can_rerun": allows(check_can_rerun, document),
        "runs": runs,
        "first": first,
        "second": second,
        "sides": [quality.side(run, hidden) for run in (first, second)],
        "differences": found[:MOST_SHOWN],
        "count": len(found),
    }
    return render(request, "review/compare.html", context)


def _asked(request: HttpRequest, name: str, runs: list[Run], *, place: int) -> Run:
    """The run that is asked for, which must be one of the document's; else the one at this place, newest first."""
    asked = request.GET.get(name, "")
    if not asked:
        return runs[min(place, len(runs) - 1)]
    found = next((run for run in runs if str(run.pk) == asked), None)
    if found is None:
        raise Http404
    return found


@require_POST
@requires(Right.UPLOAD)
@journals(Verb.RUN_QUEUED)
def rerun(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """Extracts a document once more by another configuration, and shows it beside the run before."""
    user = person(request)
    document = get_or_404(extraction_queries.documents(user), document_id, by=user)
    form = RerunForm(request.POST)
    if not form.is_valid():
        messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
    else:
        actions.rerun(document=document, configuration=form.configuration, by=user)
        messages.success(request, _("The extraction is queued; what was decided stays as it is."))
    return redirect("review:compare", document.pk)
