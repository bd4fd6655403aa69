"""The API's part about results: what was proposed, what a reviewer made of it, and the files that leave."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import Router, Schema, Status
from pydantic import Field

from accounts import limits
from accounts.access import get_or_404
from accounts.api_auth import person_with
from accounts.policy import Right
from audit.declared import journals
from audit.record import record_alone
from audit.verbs import Verb
from extraction import queries as extraction_queries
from extraction import restricting
from extraction.api import BillingIn, ErrorOut
from extraction.errors import WARNINGS
from extraction.models import Document, Finding
from review import actions, queries
from review.blindness import check_may_see_all, hidden_pages, shown_blind
from review.export_views import disclosed
from review.exports.lines import sort_out
from review.forms import ExportForm
from review.models import Decision, Export

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


class WarningOut(Schema):
    """What a reviewer is told of a page: `invisible_text` or `addresses_model`, and in words."""

    page: int
    code: str
    note: str


class ResultsOut(Schema):
    results: list[ResultOut]
    count: int
    warnings: list[WarningOut]


@router.get("/runs/{uuid:run_id}/results", response=ResultsOut, operation_id="results")
@journals(Verb.API_READ)
def results(request: HttpRequest, run_id: UUID) -> Any:
    """Every proposal of a run by page and place, with its decision, and what reviewers have besides.

    A run that came after the review began carries the decisions on the same page and number. A reviewer gets no
    decisions of a page whose second review they may be asked for. Pages that hold a number which its person restricted
    for the caller's role are left out.
    """
    user = person_with(request, Right.READ)
    run = get_or_404(extraction_queries.runs(user), run_id, by=user)
    hidden = hidden_pages(user, run.document)
    standing = queries.standing(run, hidden)
    restricted = restricting.restricted_pages(user, run.document)
    rows = [_proposed(f, standing.of.get(f.pk)) for f in run.findings.order_by("page", "position")]
    rows += [_added(decision) for decision in standing.others]
    masked = sum(row["page"] in restricted for row in rows)
    rows = [row for row in rows if row["page"] not in restricted]
    restricting.note_masked(user, run.document, masked)
    record_alone(Verb.API_READ, by=user, object_type="run", object_id=run.pk, document_id=run.document_id,
                 count=len(rows), details=shown_blind(hidden))  # fmt: skip
    return {
        "results": sorted(rows, key=lambda row: row["page"]),
        "count": len(rows),
        "warnings": [
            {"page": page, "code": code, "note": str(WARNINGS[code])} for page, code in queries.warned_pages(run)
        ],
    }


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


# --- Exports ---------------------------------------------------------------------------------------------------------


class ExportIn(BillingIn):
    """What file, for whom. The physician's fields are asked for by the billing files (`ssv`, `ssv_claims`)."""

    format: Literal["ssv", "ssv_claims", "csv", "xlsx", "json"]
    recipient: str = Field(
        min_length=1,
        max_length=100,
        description="The organisation or program that gets it, for the register. No patient.",
    )
    justification: Literal["claim", "mandate", "correction", "verification", "law"] = Field(
        description="Why it is necessary, for the register (R-22.1, s. 265)",
    )
    failedChecks: bool = Field(False, description="Include numbers that fail a check")  # noqa: N815
    repeats: bool = Field(False, description="Include repeated visits")


class ExportOut(Schema):
    """One file that was made. `withheld` counts the numbers that are not in it."""

    id: UUID
    documentId: UUID  # noqa: N815
    format: str
    recipient: str
    justification: str
    lines: int
    withheld: int
    sha256: str
    madeAt: datetime  # noqa: N815
    madeBy: str  # noqa: N815


class FieldOut(Schema):
    field: str
    problem: str


class InvalidOut(ErrorOut):
    fields: list[FieldOut]


class WithheldOut(Schema):
    """A number that may not leave, and why: undecided, unsigned, undated, before_birth, failed_check,
    repeated, or restricted by its person for the caller's role (`nam` is empty then)."""

    page: int
    nam: str
    visitDate: str | None  # noqa: N815
    visitTime: str | None  # noqa: N815
    reason: str


class ExportsOut(Schema):
    """The files that were made, newest first, how many numbers may leave now, and those that may not."""

    exports: list[ExportOut]
    leaving: int
    withheld: list[WithheldOut]


@router.get("/documents/{uuid:document_id}/exports", response=ExportsOut, operation_id="exports")
@journals(Verb.API_READ)
def list_exports(request: HttpRequest, document_id: UUID) -> Any:
    """The files of a document, and what may leave it now with nothing included that need not be."""
    user = person_with(request, Right.EXPORT)
    document = get_or_404(extraction_queries.documents(user), document_id, by=user)
    hidden = hidden_pages(user, document)
    found = sort_out(queries.lines(document, hidden, restricting.restricted_indexes(user)))
    restricting.note_masked(user, document, sum(each.line.is_restricted for each in found.staying))
    made = queries.exports(user).filter(document=document).order_by("-made_at")
    record_alone(Verb.API_READ, by=user, object_type="document", object_id=document.pk, document_id=document.pk,
                 count=len(found.staying), details=shown_blind(hidden))  # fmt: skip
    return {
        "exports": [_export(each) for each in made],
        "leaving": len(found.leaving),
        "withheld": [
            {
                "page": line.page, "nam": line.nam, "visitDate": line.day, "visitTime": line.clock, "reason": reason,
            }
            for line, reason in found.staying
        ],
    }  # fmt: skip


@router.post(
    "/documents/{uuid:document_id}/exports",
    response={201: ExportOut, 409: ErrorOut, 422: InvalidOut},
    operation_id="make_export",
)
@journals(Verb.EXPORTED)
def make_export(request: HttpRequest, document_id: UUID, asked: ExportIn) -> Any:
    """Makes and keeps a file of the numbers that may leave (201). 409 where none may, 422 with the fields that lack."""
    user = person_with(request, Right.EXPORT)
    limits.use("export", by=user)
    document = get_or_404(extraction_queries.documents(user), document_id, by=user)
    form = ExportForm(_typed(asked, document), instance=document)
    if not form.is_valid():
        return Status(422, {"code": "invalid", "message": _("Check the fields."), "fields": _problems(form)})
    return Status(201, _export(actions.export(document=document, request=form.request, by=user)))


_FILE = {
    "description": "The file",
    "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
}


@router.get("/exports/{uuid:export_id}", operation_id="download_export", openapi_extra={"responses": {200: _FILE}})
@journals(Verb.EXPORT_DOWNLOADED)
def download_export(request: HttpRequest, export_id: UUID) -> HttpResponse:
    """The file as it was made, byte for byte."""
    user = person_with(request, Right.EXPORT)
    limits.use("export", by=user)
    export = get_or_404(queries.exports(user), export_id, by=user)
    check_may_see_all(user, export.document)
    return disclosed(export, by=user)


def _typed(asked: ExportIn, document: Document) -> dict[str, Any]:
    """What would be typed into the page's form; what is left empty is as it was given at upload."""
    return {
        "format": asked.format,
        "recipient": asked.recipient,
        "justification": asked.justification,
        "doctor_licence": asked.doctorLicenceID or document.doctor_licence,
        "doctor_group": asked.doctorGroupNumber or document.doctor_group,
        "sector": asked.sector or document.sector,
        "failed_checks": asked.failedChecks,
        "repeats": asked.repeats,
    }


def _problems(form: ExportForm) -> list[dict[str, str]]:
    """Which fields are wrong, by the names of the API."""
    names = {"doctor_licence": "doctorLicenceID", "doctor_group": "doctorGroupNumber"}
    return [
        {"field": names.get(name, name), "problem": str(problem)}
        for name, problems in form.errors.items()
        for problem in problems
    ]


def _export(export: Export) -> dict[str, Any]:
    return {
        "id": export.pk,
        "documentId": export.document_id,
        "format": export.format,
        "recipient": export.recipient,
        "justification": export.justification,
        "lines": export.lines,
        "withheld": export.withheld,
        "sha256": export.sha256,
        "madeAt": export.made_at,
        "madeBy": export.by.name,
    }
