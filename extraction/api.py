"""The API's part about documents and runs. The paths are those of the system this one replaces."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from asgiref.sync import sync_to_async
from django.http import HttpRequest, StreamingHttpResponse
from ninja import File, Form, Query, Router, Schema, Status
from ninja.files import UploadedFile
from pydantic import Field

from accounts import limits, tenancy
from accounts.access import get_or_404
from accounts.api_auth import person_with
from accounts.policy import Right
from audit.declared import journals, journals_nothing
from audit.record import record_alone
from audit.verbs import Verb
from extraction import actions, queries
from extraction.actions import Billing
from extraction.errors import SENTENCES, UnreadableDocument
from extraction.models import Run
from extraction.queue import job_id
from extraction.stream import follow

router = Router(tags=["nam"])

MOST_COUNTED = 10_000
"""Runs that a list counts: to count all of a clinic's takes seconds after years."""


class UploadOut(Schema):
    runId: UUID  # noqa: N815  (the replaced system's field names)
    documentId: UUID  # noqa: N815
    status: str
    jobId: str  # noqa: N815
    duplicate: bool


class ErrorOut(Schema):
    code: str
    message: str


class RunOut(Schema):
    """One run. `errorCode` comes from a closed list; `errorMessage` is its sentence in the caller's language."""

    id: UUID
    documentId: UUID  # noqa: N815
    status: str
    pageCount: int  # noqa: N815
    pagesRead: int  # noqa: N815
    pagesFound: int  # noqa: N815
    unreadPages: list[int]  # noqa: N815
    namsFound: int  # noqa: N815
    namsValid: int  # noqa: N815
    progress: int = Field(description="Percent, 0 to 100")
    complete: bool = Field(description="Done, and no page left unread")
    finder: str
    model: str
    errorCode: str  # noqa: N815
    errorMessage: str  # noqa: N815
    createdAt: datetime  # noqa: N815
    finishedAt: datetime | None  # noqa: N815


class RunsOut(Schema):
    runs: list[RunOut]
    count: int = Field(description=f"How many there are, {MOST_COUNTED:,} at most")


class JobStatusOut(Schema):
    runId: UUID  # noqa: N815
    jobId: str  # noqa: N815
    status: str
    stage: str
    progress: int
    pageCount: int  # noqa: N815
    namsFound: int  # noqa: N815
    namsValid: int  # noqa: N815
    errorCode: str  # noqa: N815
    errorMessage: str  # noqa: N815


class BillingIn(Schema):
    doctorLicenceID: str = Field("", pattern=r"^(\d{7})?$")  # noqa: N815
    doctorGroupNumber: str = Field("", pattern=r"^(\d{5}|0)?$")  # noqa: N815
    sector: str = Field("", pattern=r"^[0-7]?$")


class UploadIn(BillingIn):
    """What may be said of a file; each may be left out."""

    formKind: Literal["", "agenda", "list", "form", "letter", "lab", "labels", "other"] = ""  # noqa: N815


class RunsQuery(Schema):
    limit: int = Field(50, ge=1, le=200)
    offset: int = Field(0, ge=0)
    status: str = Field("", pattern=r"^(queued|reading|finding|waiting|done|failed)?$")


def describe(run: Run, progress: queries.Progress) -> dict[str, Any]:
    """A run as the API shows it."""
    return {
        "id": run.pk,
        "documentId": run.document_id,
        "status": run.status,
        "pageCount": progress.page_count,
        "pagesRead": progress.pages_read,
        "pagesFound": progress.pages_found,
        "unreadPages": list(progress.unread),
        "namsFound": progress.found,
        "namsValid": progress.valid,
        "progress": progress.percent,
        "complete": progress.is_complete,
        "finder": "pattern" if run.without_model else run.finder,
        "model": run.model_name if run.uses_model else "",
        "errorCode": run.error_code,
        "errorMessage": str(SENTENCES[run.error_code]) if run.error_code else "",
        "createdAt": run.created_at,
        "finishedAt": run.finished_at,
    }


@router.post("/upload", response={202: UploadOut, 200: UploadOut, 413: ErrorOut, 422: ErrorOut}, operation_id="upload")
@journals(Verb.DOCUMENT_UPLOADED, Verb.DOCUMENT_REJECTED, Verb.DOCUMENT_DUPLICATE)
def upload(request: HttpRequest, said: Form[UploadIn], file: File[UploadedFile] = None) -> Any:  # type: ignore[assignment]
    """Takes one PDF in and queues it (202). The same file again answers 200 with `duplicate: true`."""
    user = person_with(request, Right.UPLOAD)
    limits.use("upload", by=user)
    if "UPLOAD_TOO_LARGE" in request.META:
        return Status(413, {"code": "too_large", "message": str(SENTENCES["too_large"])})
    if file is None:
        return Status(422, {"code": "empty_file", "message": str(SENTENCES["empty_file"])})
    fields = Billing(said.doctorLicenceID, said.doctorGroupNumber, said.sector)
    try:
        done = actions.upload(
            data=file.read(), file_name=file.name or "", billing=fields, form_kind=said.formKind, by=user
        )
    except UnreadableDocument as error:
        return Status(422, {"code": error.code, "message": error.sentence})
    body = {
        "runId": done.run.pk,
        "documentId": done.document.pk,
        "status": done.run.status,
        "jobId": job_id(done.run.pk.hex, done.run.turn),
        "duplicate": done.is_duplicate,
    }
    return Status(200 if done.is_duplicate else 202, body)


@router.get("/runs", response=RunsOut, operation_id="runs")
@journals(Verb.LIST_VIEWED)
def runs(request: HttpRequest, query: Query[RunsQuery]) -> Any:
    """The clinic's runs, newest first."""
    user = person_with(request, Right.LIST)
    found = queries.runs(user)
    if query.status:
        found = found.filter(status=query.status)
    page = list(found[query.offset : query.offset + query.limit])
    progress = queries.progress_of_runs([(run, run.document.page_count) for run in page])
    record_alone(Verb.LIST_VIEWED, by=user, object_type="run", count=len(page))
    return {"runs": [describe(run, progress[run.pk]) for run in page], "count": found[:MOST_COUNTED].count()}


@router.get("/runs/{uuid:run_id}", response=RunOut, operation_id="run")
@journals_nothing("counts and the state of one run: no number, no name")
def run(request: HttpRequest, run_id: UUID) -> Any:
    """One run and how far it is."""
    user = person_with(request, Right.LIST)
    found = get_or_404(queries.runs(user), run_id, by=user)
    return describe(found, queries.progress(found))


@router.get("/runs/{uuid:run_id}/job-status", response=JobStatusOut, operation_id="job_status")
@journals_nothing("counts and the state of one run: no number, no name")
def job_status(request: HttpRequest, run_id: UUID) -> Any:
    """The same for programs that follow the job."""
    user = person_with(request, Right.LIST)
    found = get_or_404(queries.runs(user), run_id, by=user)
    described = describe(found, queries.progress(found))
    return described | {"runId": found.pk, "jobId": job_id(found.pk.hex, found.turn), "stage": found.status}


@router.get("/runs/{uuid:run_id}/stream", operation_id="stream")
@journals_nothing("counts and the state of one run: no number, no name")
def stream(request: HttpRequest, run_id: UUID) -> Any:
    """Server-sent events: `connected`, then `progress` at every change, then `completed` or `error`.

    Each event's data is a run as in `/runs/{id}`. A client that reconnects starts with the present state.
    """
    user = person_with(request, Right.LIST)
    found = get_or_404(queries.runs(user), run_id, by=user)
    response = StreamingHttpResponse(_events(found.pk, user.clinic_id), content_type="text/event-stream")
    response["X-Accel-Buffering"] = "no"
    return response


async def _events(run_id: UUID, clinic_id: UUID) -> AsyncIterator[str]:
    async for name, body in follow(sync_to_async(lambda: _snapshot(run_id, clinic_id))):
        yield f"event: {name}\ndata: {json.dumps(body)}\n\n" if name else ": still here\n\n"


def _snapshot(run_id: UUID, clinic_id: UUID) -> tuple[str, dict[str, Any]]:
    with tenancy.scope(clinic_id):
        found = Run.objects.select_related("document").get(pk=run_id)
        body = RunOut(**describe(found, queries.progress(found))).model_dump(mode="json")
    return found.status, body
