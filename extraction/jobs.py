"""The job: takes slices of runs, works them off page by page, and leaves the outcome in our tables.

Safe to deliver twice and to kill anywhere (see `extraction.claims`). Nothing it raises or logs names a patient.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from django.conf import settings
from django.db import InterfaceError, OperationalError, close_old_connections
from rq.job import Job
from rq.timeouts import BaseTimeoutException

from accounts import tenancy
from audit.origin import current_origin, origin, well_formed
from audit.record import JournalUnavailable
from audit.verbs import Verb
from extraction import claims, queue, shadow, storage
from extraction.claims import Claim, ClaimLost
from extraction.configuration import has_model, limits, model_finder
from extraction.errors import ExtractionError, ServiceUnavailable
from extraction.finders import pattern
from extraction.models import Finder, PageState, Run, Slice
from extraction.pipeline import PageFound, Work, extract
from extraction.readers.choosing import Ocr, PageRead, Part, Reader
from extraction.ticking import ticking
from extraction.traffic import Switch, finder_in_service, in_the_shadow, routed
from vault.errors import VaultUnavailable

if TYPE_CHECKING:
    from extraction.finders.model import ModelFinder

logger = logging.getLogger(__name__)

BEAT_SECONDS = 10
TURNS_SECONDS = 60.0
"""After these a process takes no further slice: what it leaks ends with it, and a worker that is to stop can."""
FAIR_SECONDS = 2.0
"""From then on a run goes on only while nobody else has the turn."""
AWAY = (ServiceUnavailable, VaultUnavailable, OperationalError, InterfaceError, JournalUnavailable)
"""Errors after which the same run may go on later without anybody doing anything."""


class JobFailed(Exception):
    """What RQ gets to see of an exception: the name of its type."""


class QuietJob(Job):
    """A job whose failure leaves neither message nor source line in Redis: both could hold document text.

    It carries the id of the request that asked for it. What Redis says is believed only where it is such an id.
    """

    def _execute(self) -> Any:
        with origin("worker", request_id=well_formed(str(self.meta.get("request_id", "")))):
            try:
                return super()._execute()
            except BaseTimeoutException:
                raise
            except Exception as error:
                logger.exception("job failed")
                raise JobFailed(type(error).__name__) from None


def take_turns() -> None:
    """Works off slices of whoever has the turn, until nothing is free or this process has done enough."""
    until = time.monotonic() + TURNS_SECONDS
    while time.monotonic() < until and (claim := claims.take()) is not None:
        _attempt(claim, until)


def run_extraction(run_id: str) -> None:
    """Works off all that is free of one run. Returns at once when other workers have it."""
    while (claim := claims.take(UUID(run_id))) is not None:
        _attempt(claim, until=0)


def _attempt(claim: Claim, until: float) -> None:
    """Works off what is held, and goes on with the run while it has the turn, at most `until` then."""
    run_id = claim.run_id.hex
    with claim.origin():
        try:
            # Others see that this worker is alive, also while one page takes long.
            with ticking(BEAT_SECONDS, partial(claims.beat, claim), name="heartbeat"):
                _work_off(claim, until)
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


def _work_off(claim: Claim, until: float) -> None:
    run = Run.objects.select_related("document").get(pk=claim.run_id)
    if run.uses_model and settings.LLM_ENDPOINT and not has_model():
        claims.give_up_model(claim)  # It will not come, so nothing is gained by waiting for it.
        run.without_model = True
    with tenancy.scope(run.document.clinic_id), _model(run) as model:
        _note_versions(claim, model)
        turn = Turn(run, claim, model, until)
        try:
            _store_all(turn)
        except ServiceUnavailable:
            if isinstance(model, Switch):
                claims.store_unanswered(claim, model.take_rest())
            raise


class Turn:
    """A worker's turn at a run: the slices that it took, and which of their pages are not over yet."""

    def __init__(self, run: Run, claim: Claim, model: ModelFinder | Switch | None, until: float) -> None:
        self.run, self.claim, self.model = run, claim, model
        self._until = until
        self._fair_from = time.monotonic() + FAIR_SECONDS
        self._unread: set[int] = set()
        self._open: list[tuple[Slice, set[int]]] = []

    @property
    def work(self) -> Work:
        replicas = self.model.replicas if isinstance(self.model, Switch) else 1
        return Work(
            reader=cast(Reader, self.run.reader),
            ocr=cast(Ocr, self.run.ocr),
            pattern=self.run.finder != Finder.MODEL,
            model=self.model,
            concurrency=settings.LLM_CONCURRENCY * replicas,
            parts=self._parts(),
            limits=limits(),
        )

    def _parts(self) -> Iterator[Part]:
        """The slices held, then those of the same run that are next, while the last pages of one are under way."""
        slices = deque(claims.held(self.claim))
        while slices:
            piece = slices.popleft()
            part = _plan(self.run, piece)
            unread = set(part.numbers or ())
            self._unread |= unread
            self._open.append((piece, unread | {page.number for page in part.ready}))
            _journal_disclosures(self.claim, self.run, part, self.model)
            yield part
            self._end_slices()
            if not slices and (more := self._take_more()) is not None:
                slices.append(more)

    def _take_more(self) -> Slice | None:
        """A turn lasts a moment at least, because a document that is open costs less than another one."""
        now = time.monotonic()
        return claims.take_more(self.claim, is_fair=now > self._fair_from) if now < self._until else None

    def note_read(self, read: PageRead) -> None:
        self._unread.discard(read.number)
        if not self._unread:
            claims.start_finding(self.claim)
        if read.page is None:
            self.note_over(read.number)

    def note_over(self, number: int) -> None:
        for _piece, pages in self._open:
            pages.discard(number)
        self._end_slices()

    def _end_slices(self) -> None:
        """Gives back what is over. The last slice of a run ends it."""
        for piece, pages in list(self._open):
            if not pages:
                self._open.remove((piece, pages))
                if claims.finish(self.claim, piece) and in_the_shadow():
                    queue.enqueue_comparison(self.run.pk.hex)


def _store_all(turn: Turn) -> None:
    work = turn.work
    for outcome in extract(storage.get(turn.run.document), work):
        if isinstance(outcome, PageRead):
            claims.store_read(turn.claim, outcome)
            turn.note_read(outcome)
        elif isinstance(outcome, PageFound):
            asked = work.model.take(outcome.number) if isinstance(work.model, Switch) else []
            claims.store_found(turn.claim, outcome, asked)
            turn.note_over(outcome.number)


def _plan(run: Run, piece: Slice) -> Part:
    """What is left to do: pages without a row are to be read, pages that were read but not searched are ready."""
    rows = list(run.pages.filter(number__range=(piece.first, piece.last)))
    tried = {row.number for row in rows}
    return Part(
        numbers=[number for number in range(piece.first, piece.last + 1) if number not in tried],
        ready=[row.page for row in rows if row.state == PageState.READ],
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


def _journal_disclosures(claim: Claim, run: Run, part: Part, model: ModelFinder | Switch | None) -> None:
    unread = len(part.numbers or ())
    pages = unread + len(part.ready)
    if model is not None and pages:
        names = model.model_names if isinstance(model, Switch) else [run.model_name]
        claims.record_disclosure(claim, Verb.MODEL_CALLED, pages=pages, service=names[0], fallback=", ".join(names[1:]))
    if run.ocr == "textract" and unread:
        claims.record_disclosure(claim, Verb.OCR_CALLED, pages=unread, service="textract")


def compare_in_shadow(run_id: str) -> None:
    """Asks a newcomer in the shadow about the pages of a run that is over. Whatever happens concerns nobody's run."""
    with origin("worker", request_id=current_origin().request_id or run_id, run_id=run_id):
        try:
            shadow.compare(UUID(run_id))
        except ServiceUnavailable as error:
            logger.warning("no comparison in the shadow (%s)", error.code)
