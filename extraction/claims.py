"""What a worker writes while it holds slices of a run. Every write is conditional on the claim (compare-and-swap).

A worker that was thought dead finds its claim gone at its next write and stops; a job that is delivered twice finds
nothing free and does nothing. So killing anything at any moment loses at most the pages that were being read.
Locks are taken in one order: run, slice, the clinic's turn, and the journal's head last.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F, PositiveBigIntegerField, Q, QuerySet, Value
from django.db.models.functions import Greatest, Least
from django.utils import timezone

from audit.models import Event
from audit.origin import origin
from audit.record import record
from audit.verbs import Outcome, Verb
from extraction import following, kinds, queue, turns
from extraction.finders.confidence import Confidence
from extraction.finders.proposal import Proposal
from extraction.kinds import Kind
from extraction.models import (
    TRANSITIONS,
    WORKING,
    ClinicTurn,
    Document,
    Finding,
    Hint,
    PageState,
    Question,
    Run,
    RunPage,
    Slice,
    SliceState,
    Status,
)
from extraction.pipeline import PageFound
from extraction.readers.choosing import PageRead
from extraction.traffic import Asked, answered_by, questions
from extraction.visits.moments import write_date, write_time
from vault.index import blind_index

ORPHAN_AFTER = timedelta(seconds=60)
MAX_ATTEMPTS = 5
BACK_OFF = (10, 30, 60, 90)  # seconds between attempts while a service is down; the last one repeats
LONGEST_WAIT = timedelta(minutes=5)
"""Longer than any of them: whoever wrote a later time had a wrong clock."""
MOST_QUEUED = 500  # slices of which a round reminds the queue


class ClaimLost(Exception):
    """Another worker holds these pages now, or nobody wants them; whatever this one still has is worthless."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A worker's hold on slices of one run: all that carry its token.

    `request_id` is that of whoever asked for the run, or empty.
    """

    run_id: UUID
    token: UUID
    request_id: str = ""

    def origin(self) -> AbstractContextManager[None]:
        """What is recorded and logged inside was asked for by that request, or else is known by the run's own id."""
        return origin("worker", request_id=self.request_id or self.run_id.hex, run_id=self.run_id.hex)


def take(run_id: UUID | None = None) -> Claim | None:
    """Takes a free slice for this worker: of this run, or of whoever has the turn. None when nothing is free."""
    while (piece := turns.next_slice(run_id)) is not None:
        claim = Claim(piece.run_id, uuid.uuid4(), piece.run.request_id)
        if _take(piece, claim):
            return claim
    return None


def take_more(claim: Claim, *, is_fair: bool) -> Slice | None:
    """The next slice of the claim's run under the same claim. With `is_fair` only if it has the turn."""
    piece = turns.next_slice(None if is_fair else claim.run_id)
    if piece is None or piece.run_id != claim.run_id or not _take(piece, claim):
        return None
    return piece


def held(claim: Claim) -> list[Slice]:
    return list(Slice.objects.filter(run_id=claim.run_id, claim=claim.token).order_by("first"))


@transaction.atomic
def _take(piece: Slice, claim: Claim) -> bool:
    """Compare-and-swap: False where another worker was faster. The first slice of a queued run begins the run."""
    moment = timezone.now()
    begins = piece.run.status == Status.QUEUED and Run.objects.filter(pk=piece.run_id, status=Status.QUEUED).update(
        status=Status.READING, error_code="", next_attempt_at=None
    )
    taken = Slice.objects.filter(pk=piece.pk, state=SliceState.FREE).update(
        state=SliceState.HELD, claim=claim.token, heartbeat_at=moment, attempts=F("attempts") + 1
    )
    if not taken:
        transaction.set_rollback(True)
        return False
    ClinicTurn.objects.filter(clinic=piece.clinic_id).update(
        taken_at=moment, round=Greatest(F("round"), Value(piece.round, PositiveBigIntegerField()))
    )
    if begins:
        first = Run.objects.filter(pk=piece.run_id, started_at=None).update(started_at=moment)
        with claim.origin():
            _record(Verb.RUN_STARTED if first else Verb.RUN_RESUMED, piece.run)
    return True


def beat(claim: Claim) -> bool:
    """Says that the worker is alive. False when the claim is lost."""
    return bool(_touch(claim))


@transaction.atomic
def note_versions(claim: Claim, *, rules_version: str, prompt_version: str, model_name: str | None = None) -> None:
    """By which rules and prompt this run works, and by which model if it is not the one it was queued with."""
    named = {} if model_name is None else {"model_name": model_name}
    _lock(claim)
    Run.objects.filter(pk=claim.run_id).update(rules_version=rules_version, prompt_version=prompt_version, **named)


@transaction.atomic
def record_disclosure(claim: Claim, verb: Verb, *, pages: int, service: str, fallback: str = "") -> None:
    """Journals that pages are about to be sent to a service (or, where it fails, to the `fallback`). If it cannot be
    written, they are not sent."""
    _hold(claim)
    run = Run.objects.select_related("document").get(pk=claim.run_id)
    record(verb, by=None, clinic_id=run.document.clinic_id, object_type="run", object_id=run.pk,
           document_id=run.document_id, count=pages,
           details={"service": service} | ({"fallback": fallback} if fallback else {}))  # fmt: skip


@transaction.atomic
def give_up_model(claim: Claim) -> None:
    """The run goes on with the pattern finder alone, because there is no model to wait for."""
    run = _lock(claim)
    if Run.objects.filter(pk=run.pk, without_model=False).update(without_model=True):
        _record(Verb.RUN_WITHOUT_MODEL, run)


@transaction.atomic
def store_read(claim: Claim, read: PageRead) -> None:
    """Keeps a page as read, or notes that it could not be read. Progress forgives earlier attempts.

    Text that nobody sees or that speaks to a program (`extraction.injection`) is an event the first time it is found.
    """
    _hold(claim, attempts=0)
    row = RunPage(
        run_id=claim.run_id,
        number=read.number,
        state=PageState.READ if read.page is not None else PageState.UNREAD,
        error_code=read.error or "",
        reader=read.page.reader if read.page is not None else "",
        kind=read.kind or "",
        words=read.page.to_json() if read.page is not None else None,
        read_seconds=read.seconds,
    )
    row.save(force_insert=True)
    if read.page is not None and read.page.warnings:
        _record_suspect_text(claim, read.number, read.page.warnings)


def _record_suspect_text(claim: Claim, page: int, codes: Sequence[str]) -> None:
    """Once for each page of a document, however often it is read."""
    document = Run.objects.select_related("document").get(pk=claim.run_id).document
    known = Event.objects.filter(clinic_id=document.clinic_id, document_id=document.pk, page=page)
    if not known.filter(verb=Verb.SUSPECT_TEXT_FOUND).exists():
        record(Verb.SUSPECT_TEXT_FOUND, by=None, clinic_id=document.clinic_id, object_type="run",
               object_id=claim.run_id, document_id=document.pk, page=page, reason_code=",".join(codes))  # fmt: skip


@transaction.atomic
def start_finding(claim: Claim) -> None:
    """Once every page of the run was tried, what remains is to search those that were read."""
    run = _lock(claim)
    if run.pages.count() == run.document.page_count:
        _go(run, Status.FINDING, only_from=(Status.READING,))


@transaction.atomic
def store_found(claim: Claim, found: PageFound, asked: Sequence[Asked] = ()) -> None:
    """Keeps what was found on one page and whom it was asked of, all of it or nothing.

    A page that is searched again keeps what stands on it, and a page that is signed off gets nothing new.
    """
    _hold(claim, attempts=0)
    run = Run.objects.select_related("document").get(pk=claim.run_id)
    changed = RunPage.objects.filter(run_id=run.pk, number=found.number, state=PageState.READ).update(
        state=PageState.FOUND,
        find_seconds=found.seconds,
        hallucinated=found.hallucinated,
        model_error_code=found.model_error,
        deployment_id=answered_by(asked),
    )
    if changed:
        Question.objects.bulk_create(questions(asked, found.proposals))
        Finding.objects.bulk_create(_new_findings(run, found))
        _keep_hints(run, found)


def _new_findings(run: Run, found: PageFound) -> list[Finding]:
    """A proposal that stands there already is the same finding, whatever was decided on it."""
    if run.pages.filter(number=found.number, right__isnull=False).exists():
        return []
    known = list(run.findings.filter(page=found.number))
    fresh = [proposal for proposal in found.proposals if not any(_is_same(proposal, each) for each in known)]
    first = max((each.position + 1 for each in known), default=0)
    return [_finding(run, position, proposal) for position, proposal in enumerate(fresh, start=first)]


def _keep_hints(run: Run, found: PageFound) -> None:
    """Those of the newest search of the page, in place of the earlier ones: nobody decides on a hint."""
    run.hints.filter(page=found.number).delete()
    Hint.objects.bulk_create(
        Hint(
            run=run,
            page=found.number,
            value=hint.nam,
            x0=hint.box.x0,
            y0=hint.box.y0,
            x1=hint.box.x1,
            y1=hint.box.y1,
            confidence=hint.confidence,
        )
        for hint in found.hints
    )


def _is_same(proposal: Proposal, finding: Finding) -> bool:
    return proposal.nam == finding.value and proposal.box.overlap(finding.box) > 0


@transaction.atomic
def store_unanswered(claim: Claim, asked: Sequence[Asked]) -> None:
    """Keeps what was asked about pages that stay unanswered: failures count too."""
    _hold(claim)
    Question.objects.bulk_create(questions(asked))


def _finding(run: Run, position: int, proposal: Proposal) -> Finding:
    return Finding(
        run=run,
        page=proposal.page,
        position=position,
        value=proposal.nam,
        value_index=blind_index(proposal.nam, clinic_id=run.document.clinic_id, purpose="nam"),
        printed=proposal.text,
        visit_date=write_date(proposal.visit_date),
        visit_time=write_time(proposal.visit_time),
        repairs=[repair._asdict() for repair in proposal.repairs] or None,
        x0=proposal.box.x0,
        y0=proposal.box.y0,
        x1=proposal.box.x1,
        y1=proposal.box.y1,
        found_by=list(proposal.found_by),
        checks=proposal.checks._asdict(),
        valid=proposal.checks.valid,
        confidence=proposal.confidence,
        witnesses=proposal.confidence.witnesses.to_json() if isinstance(proposal.confidence, Confidence) else None,
    )


@transaction.atomic
def finish(claim: Claim, piece: Slice | None = None) -> bool:
    """Every page of the slice (of all that are held) was read and searched, or is listed as unread.

    With the last slice the run is done; returns whether it is.
    """
    run = _lock(claim)
    mine = run.slices.filter(claim=claim.token)
    (mine if piece is None else mine.filter(pk=piece.pk)).delete()
    if run.slices.exists():
        return False
    _go(run, Status.DONE, finished_at=timezone.now())
    _note_kind(run)
    following.tell(run.document_id)
    _record(Verb.FINDINGS_PROPOSED, run, count=run.findings.count())
    _record(Verb.RUN_DONE, run, count=run.pages.filter(state=PageState.FOUND).count())
    return True


def _note_kind(run: Run) -> None:
    """What its pages look like is the document's kind. A run that tells nothing leaves what an earlier one said."""
    pages = run.pages.exclude(kind="").values_list("kind", flat=True)
    kind = kinds.of_document([Kind(each) for each in pages])
    if kind is not None:
        Document.objects.filter(pk=run.document_id).update(kind=kind)


@transaction.atomic
def fail(claim: Claim, code: str) -> None:
    """The run cannot go on by itself: whoever is at another slice of it stops, too. What was found so far stays."""
    _fail(_lock(claim), code, timezone.now())


def _fail(run: Run, code: str, moment: datetime) -> None:
    _go(run, Status.FAILED, finished_at=moment, error_code=code)
    run.slices.all().delete()
    following.tell(run.document_id)
    _record(Verb.RUN_FAILED, run, outcome=Outcome.ERROR, reason_code=code)


@transaction.atomic
def wait(claim: Claim, code: str) -> None:
    """A service is down: lays the run to rest and says when to try again, later each time and with some jitter.

    A worker that ends like this was not killed, so waiting alone never makes a slice one that may kill its workers.
    Other workers end the slices that they hold; the first that finds the service down says when it is tried again.
    """
    run = _lock(claim)
    mine, free = Q(claim=claim.token), Q(state=SliceState.FREE)
    attempts = max(run.slices.filter(mine).values_list("attempts", flat=True))
    spared = Least(F("attempts"), Value(MAX_ATTEMPTS - 2))
    run.slices.filter(mine | free).update(state=SliceState.RESTING, claim=None, attempts=spared)
    if run.status != Status.WAITING:
        step = BACK_OFF[min(max(attempts, 1), len(BACK_OFF)) - 1]
        due = timezone.now() + timedelta(seconds=step * random.uniform(0.8, 1.2))  # noqa: S311  (not a secret)
        _go(run, Status.WAITING, error_code=code, next_attempt_at=due)
        _record(Verb.RUN_WAITING, run, outcome=Outcome.ERROR, reason_code=code)


@transaction.atomic
def release(claim: Claim) -> None:
    """Gives what is held back to the queue because this worker stops."""
    run = _lock(claim)
    _free(run, run.slices.filter(claim=claim.token))


def _free(run: Run, slices: QuerySet[Slice]) -> None:
    """Of a locked run: anybody may take these slices, once it does not wait. Without any other worker at it, it is
    queued again."""
    slices.update(state=SliceState.RESTING if run.status == Status.WAITING else SliceState.FREE, claim=None)
    Run.objects.filter(pk=run.pk).update(turn=F("turn") + 1)
    if not run.slices.filter(state=SliceState.HELD).exists():
        _go(run, Status.QUEUED, only_from=WORKING)


def recover_orphans(moment: datetime) -> int:
    """Takes slices back from workers that have not been heard of for a minute. Returns how many.

    A run of which five workers in a row took a slice without getting one page further is failed: it may be what kills
    them. A sign of life from the future is of a worker whose clock was wrong, and is none.
    """
    turns.lay_out_missing()
    lately = (moment - ORPHAN_AFTER, moment + ORPHAN_AFTER)
    silent = Slice.objects.filter(state=SliceState.HELD).exclude(heartbeat_at__range=lately)
    return sum(_recover(piece, moment) for piece in silent)


@transaction.atomic
def _recover(piece: Slice, moment: datetime) -> bool:
    run = Run.objects.select_for_update(no_key=True).get(pk=piece.run_id)
    still = run.slices.filter(pk=piece.pk, claim=piece.claim, heartbeat_at=piece.heartbeat_at)
    if not still.exists():
        return False
    if piece.attempts >= MAX_ATTEMPTS:
        _fail(run, "internal", moment)
    else:
        _free(run, still)
    return True


def enqueue_due(moment: datetime) -> int:
    """Wakes runs whose waiting time is over, and reminds the queue of slices it may have forgotten."""
    is_due = Q(next_attempt_at__lte=moment) | Q(next_attempt_at__gt=moment + LONGEST_WAIT)
    woken = [run for run in Run.objects.filter(is_due, status=Status.WAITING) if _wake(run)]
    for run_id, turn, first in queue.forgotten(_queued()):
        if not queue.enqueue(run_id, turn, first):
            break
    return len(woken)


@transaction.atomic
def _wake(run: Run) -> bool:
    waits = Run.objects.filter(pk=run.pk, status=Status.WAITING)
    if not waits.update(status=Status.QUEUED, next_attempt_at=None, turn=F("turn") + 1):
        return False
    run.slices.filter(state=SliceState.RESTING).update(state=SliceState.FREE)
    return True


def queued_jobs() -> set[str]:
    """The ids of the jobs that should wait in the queue, or have just been taken out of it."""
    return {queue.job_id(run_id, turn, first) for run_id, turn, first in _queued()}


def _queued() -> list[tuple[str, int, int]]:
    """The slices that wait longest for a worker: run, turn and first page."""
    free = Slice.objects.filter(state=SliceState.FREE).order_by("pk")
    oldest = free.values_list("run_id", "run__turn", "first")[:MOST_QUEUED]
    return [(run_id.hex, turn, first) for run_id, turn, first in oldest]


def hurry_for_model() -> int:
    """Makes runs that wait for the model server due now, because it is there or will never be. Returns how many."""
    waiting = Run.objects.filter(status=Status.WAITING, error_code="model_unavailable")
    return waiting.update(next_attempt_at=timezone.now())


def _touch(claim: Claim, **changes: object) -> int:
    """How many slices this worker still holds; it is heard of by this."""
    mine = Slice.objects.filter(run_id=claim.run_id, claim=claim.token)
    return mine.update(heartbeat_at=timezone.now(), **changes)


def _hold(claim: Claim, **changes: object) -> None:
    """Compare-and-swap for what is written of one page. Workers at other slices of the run are not waited for."""
    if not _touch(claim, **changes):
        raise ClaimLost


def _lock(claim: Claim) -> Run:
    """The same for what concerns the run as a whole, whose row is locked before those of its slices."""
    run = Run.objects.select_for_update(no_key=True, of=("self",)).select_related("document").get(pk=claim.run_id)
    _hold(claim)
    return run


def _go(run: Run, status: str, *, only_from: Collection[str] | None = None, **changes: object) -> None:
    """Takes a locked run where its present state may go to."""
    origins = [origin for origin, targets in TRANSITIONS.items() if status in targets]
    allowed = Run.objects.filter(pk=run.pk, status__in=origins if only_from is None else only_from)
    if not allowed.update(status=status, **changes) and only_from is None:
        raise ClaimLost


def _record(
    verb: Verb, run: Run, *, outcome: Outcome = Outcome.SUCCESS, reason_code: str = "", count: int | None = None
) -> None:
    clinic_id = Run.objects.values_list("document__clinic_id", flat=True).get(pk=run.pk)
    record(verb, by=None, clinic_id=clinic_id, object_type="run", object_id=run.pk, document_id=run.document_id,
           outcome=outcome, reason_code=reason_code, count=count)  # fmt: skip
