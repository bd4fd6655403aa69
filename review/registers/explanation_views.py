"""The page that explains a proposal: who or what proposed it, on which factors, and who decided when."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.access import get_or_404
from accounts.policy import Right, check_right, has_right
from accounts.requests import person
from audit.declared import journals
from audit.record import record_alone
from audit.verbs import Verb
from extraction import restricting
from review import queries
from review.blindness import hidden_pages, shown_blind
from review.registers.explanation import explain


@require_safe
@journals(Verb.PROPOSAL_EXPLAINED)
def explanation(request: HttpRequest, finding_id: UUID) -> HttpResponse:
    """For whoever reads the document, and for whoever answers the person. The number is masked for both."""
    user = person(request)
    check_right(user, Right.REGISTERS if has_right(user, Right.REGISTERS) else Right.READ)
    finding = get_or_404(queries.findings(user), finding_id, by=user)
    restricting.check_page(user, finding.run.document, finding.page)
    hidden = hidden_pages(user, finding.run.document) & {finding.page}
    record_alone(Verb.PROPOSAL_EXPLAINED, by=user, object_type="finding", object_id=finding.pk,
                 document_id=finding.run.document_id, page=finding.page, details=shown_blind(hidden))  # fmt: skip
    return render(request, "registers/explanation.html", {"explained": explain(finding, hidden)})
