"""The job: takes a run's id, claims the run, works it off page by page, and leaves the outcome in our tables.

Safe to deliver twice and to kill anywhere (see `extraction.claims`). Nothing it raises or logs names a patient.
"""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from django.conf import settings
from django.db import InterfaceError, OperationalError, close_old_connections
from rq.job import Job
from rq.timeouts import BaseTimeoutException

from accounts import tenancy
from audit.origin import origin
from audit.record import JournalUnavailable
from audit.verbs import Verb
from extraction import claims, queue, shadow, storage
from extraction.claims import Claim, ClaimLost
from extraction.configuration import has_model, limits, model_finder
from extraction.errors import ExtractionError, ServiceUnavailable
from extraction.finders import pattern
from extraction.models import Finder, PageState, Run
from extraction.pipeline import PageFound, Work, extract
from extraction.readers.choosing import Ocr, PageRead, Reader
from extraction.ticking import ticking
from extraction.traffic import Switch, finder_in_service, in_the_shadow, routed
from vault.errors import VaultUnavailable

if TYPE_CHECKING:
    from extraction.finders.model import ModelFinder

logger = logging.getLogger(__name__)

BEAT_SECONDS = 10
AWAY = (ServiceUnavailable, VaultUnavailable, OperationalError, InterfaceError, JournalUnavailable)
"""Errors after which the same run may go on later without anybody doing anything."""


class JobFailed(Exception):
    """What RQ gets to see of an exception: the name of its type."""


class QuietJob(Job):
    """A job whose failure leaves neither message nor source line in Redis: both could hold document text."""

    def _execute(self) -> Any:
        try:
            return super()._execute()
        except BaseTimeoutException:
            raise
        except Exception as error:
            logger.exception("job failed")
            raise JobFailed(type(error).__name__) from None


def run_extraction(run_id: str) -> None:
    """Works off one run. Returns at once when another worker has it."""
    with origin("worker", request_id=run_id):
        claim = claims.take(UUID(run_id))
        if claim is None:
            return
        try:
            # Others see that this worker is alive, also while one page takes long.
            with ticking(BEAT_SECONDS, partial(claims.beat, claim), name="heartbeat"):
                _work_off(claim)
        except ClaimLost:
            logger.warning("run %s went to another worker", run_id)
        except AWAY as error:
            _wait(claim, error)
        except ExtractionError as error:
            claims.fail(claim, error.code)
        except BaseTimeoutException:
            # The job ran out of time between two pages; the next worker goes on with the rest.
            claims.release(claim)
            raise
        except Exception:
            logger.exception("run %s failed", run_id)
            claims.fail(claim, "internal")
        else:
            if in_the_shadow():
                queue.enqueue_comparison(run_id)


def _wait(claim: Claim, error: Exception) -> None:
    """For what is away. If that is the database and it still is, this raises as well, and the scheduler takes the run
    back from a silent worker."""
    if isinstance(error, ServiceUnavailable):
        claims.wait(claim, error.code)
    elif isinstance(error, VaultUnavailable):
        claims.wait(claim, "vault_unavailable")
    else:
        close_old_connections()
        claims.wait(claim, "database_unavailable")


def _work_off(claim: Claim) -> None:
    run = Run.objects.select_related("document").get(pk=claim.run_id)
    if run.uses_model and settings.LLM_ENDPOINT and not has_model():
        claims.give_up_model(claim)  # It will not come, so nothing is gained by waiting for it.
        run.without_model = True
    with tenancy.scope(run.document.clinic_id):
        _read(run, claim)


def _read(run: Run, claim: Claim) -> None:
    data = storage.get(run.document)
    with _model(run) as model:
        work = _plan(run, model)
        _note_versions(claim, model)
        _journal_disclosures(claim, run, work)
        try:
            _store_all(claim, data, work)
        except ServiceUnavailable:
            if isinstance(model, Switch):
                claims.store_unanswered(claim, model.take_rest())
            raise
    claims.finish(claim)


def _store_all(claim: Claim, data: bytes, work: Work) -> None:
    left = len(work.numbers or ())
    for outcome in extract(data, work):
        if isinstance(outcome, PageRead):
            claims.store_read(claim, outcome)
            left -= 1
            if left == 0:
                claims.start_finding(claim)
        elif isinstance(outcome, PageFound):
            asked = work.model.take(outcome.number) if isinstance(work.model, Switch) else []
            claims.store_found(claim, outcome, asked)


def _plan(run: Run, model: ModelFinder | Switch | None) -> Work:
    """What is left to do: pages without a row are to be read, pages that were read but not searched are ready."""
    rows = list(run.pages.all())
    tried = {row.number for row in rows}
    replicas = model.replicas if isinstance(model, Switch) else 1
    return Work(
        reader=cast(Reader, run.reader),
        ocr=cast(Ocr, run.ocr),
        pattern=run.finder != Finder.MODEL,
        model=model,
        concurrency=settings.LLM_CONCURRENCY * replicas,
        numbers=[number for number in range(1, run.document.page_count + 1) if number not in tried],
        ready=[row.page for row in rows if row.state == PageState.READ],
        limits=limits(),
    )


def _model(run: Run) -> AbstractContextManager[ModelFinder | Switch | None]:
    """A prompt that a person chose is asked of the model in service; other documents go where they are routed."""
    if run.uses_model and run.asked_prompt:
        return nullcontext(finder_in_service(run.asked_prompt))
    return routed(run.document_id, _model_finder) if run.uses_model else nullcontext()


def _model_finder() -> ModelFinder:
    """The model finder as configured. Raises ServiceUnavailable when no endpoint is set any more."""
    finder = model_finder()
    if finder is None:
        raise ServiceUnavailable("model_unavailable")
    return finder


def _note_versions(claim: Claim, model: ModelFinder | Switch | None) -> None:
    if isinstance(model, Switch):
        claims.note_versions(
            claim,
            rules_version=pattern.RULES_VERSION,
            prompt_version=model.first.prompt_version,
            model_name=model.first.model_name,
        )
    else:
        prompt_version = model.prompt.version if model is not None else ""
        claims.note_versions(claim, rules_version=pattern.RULES_VERSION, prompt_version=prompt_version)


def _journal_disclosures(claim: Claim, run: Run, work: Work) -> None:
    pages = len(work.numbers or ()) + len(list(work.ready))
    if work.model is not None and pages:
        names = work.model.model_names if isinstance(work.model, Switch) else [run.model_name]
        claims.record_disclosure(claim, Verb.MODEL_CALLED, pages=pages, service=names[0], fallback=", ".join(names[1:]))
    if run.ocr == "textract" and work.numbers:
        claims.record_disclosure(claim, Verb.OCR_CALLED, pages=len(work.numbers), service="textract")


def compare_in_shadow(run_id: str) -> None:
    """Asks a newcomer in the shadow about the pages of a run that is over. Whatever happens concerns nobody's run."""
    with origin("worker", request_id=run_id):
        try:
            shadow.compare(UUID(run_id))
        except ServiceUnavailable as error:
            logger.warning("no comparison in the shadow (%s)", error.code)
