"""The extractions of one document: two of them side by side, and another one by another configuration."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.access import get_or_404
from accounts.policy import Right, requires
from accounts.requests import person
from audit.record import record_alone
from audit.verbs import Verb
from extraction import queries as extraction_queries
from extraction.models import Run
from review import quality, queries, scores

MOST_SHOWN = 500


@require_safe
@requires(Right.READ)
def compare(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """Two runs of a document (`?a=`, `?b=`; otherwise the two newest), difference by difference."""
    user = person(request)
    document = get_or_404(extraction_queries.documents(user), document_id, by=user)
    runs = list(document.runs.order_by("-created_at"))
    first, second = _asked(request, "a", runs, place=1), _asked(request, "b", runs, place=0)
    scores.catch_up(user)
    found = queries.differences(first, second)
    record_alone(Verb.DOCUMENT_VIEWED, by=user, object_type="document", object_id=document.pk,
                 document_id=document.pk, count=len(found),
                 details={"run": str(first.pk), "compared_with": str(second.pk)})  # fmt: skip
    context = {
        "document": document,
        "runs": runs,
        "first": first,
        "second": second,
        "sides": [quality.side(run) for run in (first, second)],
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
