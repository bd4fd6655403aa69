"""Every write to documents, runs, prices and alerts that a person asks for, with its event in the same transaction.

What a worker writes while it holds a run stands in `extraction.claims`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from audit.origin import current_origin
from audit.record import record, record_alone
from audit.verbs import Outcome, Purpose, Verb
from extraction import following, prices, queue, storage, traffic, turns
from extraction.configuration import has_model, limits
from extraction.errors import UnreadableDocument
from extraction.models import Alert, Document, Finder, FormKind, PageState, PriceChange, Run, SliceState, Status
from extraction.queries import newest_run
from extraction.readers import pdf
from vault.index import blind_index


class CannotRun(Exception):
    """The run's state does not allow this. Its text is a sentence for the person. Answered with 409."""


@dataclass(frozen=True, slots=True)
class Billing:
    """What the billing file asks for about the physician; each may be empty."""

    doctor_licence: str = ""
    doctor_group: str = ""
    sector: str = ""


@dataclass(frozen=True, slots=True)
class Upload:
    """`is_duplicate` tells that the clinic already holds the same file; then nothing was stored."""

    document: Document
    run: Run
    is_duplicate: bool


def upload(*, data: bytes, file_name: str, billing: Billing = Billing(), form_kind: str = "", by: User) -> Upload:
    """Takes a PDF in: checked, encrypted, stored, queued. Or announces that the clinic already has it.

    `form_kind` is a FormKind, empty where the person does not say.
    Raises UnreadableDocument with the reason, after journalling the refusal; nothing is stored then.
    """
    try:
        facts = pdf.inspect(data, limits())
    except UnreadableDocument as error:
        record_alone(Verb.DOCUMENT_REJECTED, by=by, outcome=Outcome.DENIED, reason_code=error.code)
        raise
    index = blind_index(hashlib.sha256(data).hexdigest(), clinic_id=by.clinic_id, purpose="content")
    existing = Document.objects.filter(clinic_id=by.clinic_id, content_index=index).first()
    if existing is None:
        document = Document(
            clinic_id=by.clinic_id, uploaded_by=by, file_name=file_name, content_index=index, byte_count=len(data),
            page_count=facts.page_count, doctor_licence=billing.doctor_licence, doctor_group=billing.doctor_group,
            sector=billing.sector, form_kind=FormKind(form_kind) if form_kind else "",
        )  # fmt: skip
        try:
            return Upload(document, _store(document, data, by=by), is_duplicate=False)
        except IntegrityError:  # Somebody else uploaded the same file in this very moment.
            existing = Document.objects.get(clinic_id=by.clinic_id, content_index=index)
    record_alone(Verb.DOCUMENT_DUPLICATE, by=by, object_type="document", object_id=existing.pk, document_id=existing.pk)
    return Upload(existing, newest_run(existing), is_duplicate=True)


def _store(document: Document, data: bytes, *, by: User) -> Run:
    """Row, file, first run and event, or none of them."""
    storage.put(document, data)
    with transaction.atomic():
        try:
            document.save(force_insert=True)
            record(Verb.DOCUMENT_UPLOADED, by=by, object_type="document", object_id=document.pk,
                   document_id=document.pk, count=document.page_count)  # fmt: skip
            return start_run(document=document, by=by)
        except BaseException:
            # Here and not around the transaction: when its end is cut off nobody knows whether the row is there, and
            # then the file stays. If it is nobody's, the scheduler removes it.
            storage.delete(document)
            raise


@dataclass(frozen=True, slots=True)
class Configuration:
    """How to read and search a document. An empty `finder` is what there is, an empty `prompt` that in service."""

    reader: str = "auto"
    finder: str = ""
    prompt: str = ""


@transaction.atomic
def start_run(*, document: Document, configuration: Configuration | None = None, by: User) -> Run:
    """Queues an extraction of the document with the configuration of this moment, or another one."""
    asked = configuration or Configuration()
    finder = asked.finder or (Finder.HYBRID if has_model() else Finder.PATTERN)
    asks_model = finder != Finder.PATTERN
    run = Run.objects.create(
        document=document,
        requested_by=by,
        reader=asked.reader,
        ocr=settings.OCR_READER,
        finder=finder,
        model_name=_model_name(asked.prompt) if asks_model else "",
        asked_prompt=asked.prompt if asks_model else "",
        request_id=current_origin().request_id,
    )
    turns.lay_out(run)
    following.tell(document.pk)
    chosen = {} if configuration is None else {"reader": run.reader, "finder": run.finder, "prompt": run.asked_prompt}
    record(Verb.RUN_QUEUED, by=by, object_type="run", object_id=run.pk, document_id=document.pk, details=chosen)
    queue.enqueue_on_commit(run)
    return run


def _model_name(prompt: str) -> str:
    """Whom a run is queued for. Where documents are routed a worker notes another one, but not for a chosen prompt."""
    return traffic.in_service()[1] if prompt else settings.LLM_MODEL


def check_has_pages(document: Document) -> None:
    """Raises CannotRun once the document's pages are destroyed."""
    if document.file_destroyed_at:
        raise CannotRun(_("The pages of this document were destroyed at the end of their retention."))


def check_can_retry(run: Run) -> None:
    """Raises CannotRun unless the run failed, or is done but for unread pages; and once the pages are destroyed."""
    check_has_pages(run.document)
    if run.status == Status.FAILED:
        return
    if run.status == Status.DONE and run.pages.filter(state=PageState.UNREAD).exists():
        return
    raise CannotRun(_("This extraction is not over, or nothing is left to read again."))


@transaction.atomic
def retry(*, run: Run, by: User) -> None:
    """Queues a failed or incomplete run again. Pages that were read stay; unread ones are tried anew."""
    run = Run.objects.select_for_update().get(pk=run.pk)
    check_can_retry(run)
    run.pages.filter(state=PageState.UNREAD).delete()
    Run.objects.filter(pk=run.pk).update(
        status=Status.QUEUED,
        turn=F("turn") + 1,
        error_code="",
        next_attempt_at=None,
        finished_at=None,
        request_id=current_origin().request_id,
    )
    run.refresh_from_db()
    turns.lay_out(run)
    following.tell(run.document_id)
    record(Verb.RUN_QUEUED, by=by, object_type="run", object_id=run.pk, document_id=run.document_id)
    queue.enqueue_on_commit(run)


@transaction.atomic
def go_on_without_model(*, run: Run, by: User) -> None:
    """A person decides not to wait for the model server: the run goes on with the pattern finder alone.

    Raises CannotRun unless the run waits for a service and was to use the model.
    """
    run = Run.objects.select_for_update().get(pk=run.pk)
    if run.status != Status.WAITING or not run.uses_model:
        raise CannotRun(_("This extraction does not wait for the model server."))
    Run.objects.filter(pk=run.pk).update(
        status=Status.QUEUED,
        without_model=True,
        error_code="",
        next_attempt_at=None,
        turn=F("turn") + 1,
        request_id=current_origin().request_id,
    )
    run.slices.filter(state=SliceState.RESTING).update(state=SliceState.FREE, attempts=0)
    record(Verb.RUN_WITHOUT_MODEL, by=by, object_type="run", object_id=run.pk, document_id=run.document_id)
    run.refresh_from_db()
    queue.enqueue_on_commit(run)


@transaction.atomic
def change_price(*, name: str, amount: Decimal, from_day: date, source: str, by: User) -> PriceChange:
    """Puts a price in force for the person's clinic from a day on. Raises prices.UnknownPrice."""
    before = prices.book(by.clinic_id).on(from_day).amount(name)
    row = PriceChange.objects.create(
        clinic_id=by.clinic_id, name=name, amount=amount, from_day=from_day, source=source, set_by=by
    )
    details = {"price": name, "before": f"{before:f}", "after": f"{amount:f}", "from": from_day.isoformat()}
    record(Verb.PRICE_CHANGED, by=by, object_type="price", object_id=row.pk, purpose=Purpose.ADMINISTRATION,
           details=details)  # fmt: skip
    return row


@transaction.atomic
def acknowledge(*, alert: Alert, by: User) -> None:
    """Says that somebody knows. The first one stands; an alert that is over may be acknowledged too."""
    changed = Alert.objects.filter(pk=alert.pk, acknowledged_at=None).update(
        acknowledged_at=timezone.now(), acknowledged_by=by
    )
    if changed:
        record(Verb.ALERT_ACKNOWLEDGED, by=by, object_type="alert", object_id=alert.pk, reason_code=alert.kind,
               purpose=Purpose.ADMINISTRATION)  # fmt: skip
