"""The API's part about results: what was proposed, and what a reviewer made of it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field

from accounts.access import get_or_404
from accounts.api_auth import person_with
from accounts.policy import Right
from audit.record import record_alone
from audit.verbs import Verb
from extraction import queries as extraction_queries
from extraction.models import Finding
from review import queries
from review.models import Decision

router = Router(tags=["nam"])


class ResultOut(Schema):
    """One number. `nam` is what stands now: the decided value, else the proposed one."""

    id: UUID
    nam: str | None
    page: int
    box: list[float] | None = Field(description="x0, y0, x1, y1 as fractions of the page, origin top left")
    text: str | None = Field(description="As printed")
    visitDate: str | None  # noqa: N815
    visitTime: str | None  # noqa: N815
    foundBy: list[str]  # noqa: N815
    valid: bool | None
    checks: dict[str, bool | None]
    confidence: float | None
    decision: str | None = Field(description="confirm, correct, reject or add; null while nobody decided")
    reason: str


class ResultsOut(Schema):
    results: list[ResultOut]
    count: int


@router.get("/runs/{uuid:run_id}/results", response=ResultsOut, operation_id="results")
def results(request: HttpRequest, run_id: UUID) -> Any:
    """Every proposal of a run by page and place, with its decision, and what reviewers have besides.

    A run that came after the review began carries the decisions on the same page and number.
    """
    user = person_with(request, Right.READ)
    run = get_or_404(extraction_queries.runs(user), run_id, by=user)
    standing = queries.standing(run)
    rows = [_proposed(f, standing.of.get(f.pk)) for f in run.findings.order_by("page", "position")]
    rows += [_added(decision) for decision in standing.others]
    record_alone(Verb.API_READ, by=user, object_type="run", object_id=run.pk, document_id=run.document_id,
                 count=len(rows))  # fmt: skip
    return {"results": sorted(rows, key=lambda row: row["page"]), "count": len(rows)}


def _proposed(finding: Finding, decision: Decision | None) -> dict[str, Any]:
    standing = decision if decision is not None and decision.value is not None else finding
    return {
        "id": finding.pk,
        "nam": standing.value,
        "page": finding.page,
        "box": list(finding.box),
        "text": finding.printed,
        "visitDate": standing.visit_date,
        "visitTime": standing.visit_time,
        "foundBy": finding.found_by,
        "valid": finding.valid,
        "checks": finding.checks,
        "confidence": finding.confidence,
        "decision": decision.verdict if decision else None,
        "reason": decision.reason if decision else "",
    }


def _added(decision: Decision) -> dict[str, Any]:
    return {
        "id": decision.pk,
        "nam": decision.value,
        "page": decision.page,
        "box": list(decision.box) if decision.box else None,
        "text": None,
        "visitDate": decision.visit_date,
        "visitTime": decision.visit_time,
        "foundBy": [],
        "valid": None,
        "checks": {},
        "confidence": None,
        "decision": decision.verdict,
        "reason": "",
    }
