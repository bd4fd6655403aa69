"""What a worker writes while it holds a run. Every write is conditional on the claim (compare-and-swap).

A worker that was thought dead finds its claim gone at its next write and stops; a job that is delivered twice finds
the run claimed and does nothing. So killing anything at any moment loses at most the page that was being read.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from audit.models import Event
from audit.record import record
from audit.verbs import Outcome, Verb
from extraction import following, kinds, queue
from extraction.finders.confidence import Confidence
from extraction.finders.proposal import Proposal
from extraction.kinds import Kind
from extraction.models import TRANSITIONS, WORKING, Document, Finding, Hint, PageState, Question, Run, RunPage, Status
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
MOST_QUEUED = 500  # runs of which a round reminds the queue


class ClaimLost(Exception):
    """Another worker holds this run now; whatever this one still has is worthless."""


@dataclass(frozen=True, slots=True)
class Claim:
    run_id: UUID
    token: UUID


def take(run_id: UUID) -> Claim | None:
    """Takes the run for this worker, or None when it is not queued, not due, or somebody else has it."""
    token, moment = uuid.uuid4(), timezone.now()
    with transaction.atomic():
        taken = Run.objects.filter(pk=run_id, status=Status.QUEUED, claim=None).update(
            claim=token,
            status=Status.READING,
            heartbeat_at=moment,
            attempts=F("attempts") + 1,
            error_code="",
            next_attempt_at=None,
        )
        if not taken:
            return None
        run = Run.objects.get(pk=run_id)
        verb = Verb.RUN_STARTED if run.started_at is None else Verb.RUN_RESUMED
        Run.objects.filter(pk=run_id, started_at=None).update(started_at=moment)
        _record(verb, run)
    return Claim(run_id, token)


def beat(claim: Claim) -> bool:
    """Says that the worker is alive. False when the claim is lost."""
    return bool(Run.objects.filter(pk=claim.run_id, claim=claim.token).update(heartbeat_at=timezone.now()))


@transaction.atomic
def note_versions(claim: Claim, *, rules_version: str, prompt_version: str, model_name: str | None = None) -> None:
    """By which rules and prompt this run works, and by which model if it is not the one it was queued with."""
    named = {} if model_name is None else {"model_name": model_name}
    _hold(claim, rules_version=rules_version, prompt_version=prompt_version, **named)


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
    _hold(claim, without_model=True)
    _record(Verb.RUN_WITHOUT_MODEL, Run.objects.get(pk=claim.run_id))


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
    """Every page was tried; what remains is to search those that were read."""
    _hold(claim, status=Status.FINDING)


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
def finish(claim: Claim) -> None:
    """Every page was read and searched, or is listed as unread."""
    _hold(claim, status=Status.DONE, claim=None, finished_at=timezone.now())
    run = Run.objects.get(pk=claim.run_id)
    _note_kind(run)
    following.tell(run.document_id)
    _record(Verb.FINDINGS_PROPOSED, run, count=run.findings.count())
    _record(Verb.RUN_DONE, run, count=run.pages.filter(state=PageState.FOUND).count())


def _note_kind(run: Run) -> None:
    """What its pages look like is the document's kind. A run that tells nothing leaves what an earlier one said."""
    pages = run.pages.exclude(kind="").values_list("kind", flat=True)
    kind = kinds.of_document([Kind(each) for each in pages])
    if kind is not None:
        Document.objects.filter(pk=run.document_id).update(kind=kind)


@transaction.atomic
def fail(claim: Claim, code: str) -> None:
    """The run cannot go on by itself. What it found so far stays."""
    _hold(claim, status=Status.FAILED, claim=None, finished_at=timezone.now(), error_code=code)
    run = Run.objects.get(pk=claim.run_id)
    following.tell(run.document_id)
    _record(Verb.RUN_FAILED, run, outcome=Outcome.ERROR, reason_code=code)


@transaction.atomic
def wait(claim: Claim, code: str) -> None:
    """A service is down: gives the run back and says when to try again, later each time and with some jitter.

    A worker that ends like this was not killed, so waiting alone never makes a run one that may kill its workers.
    """
    run = Run.objects.get(pk=claim.run_id)
    step = BACK_OFF[min(run.attempts, len(BACK_OFF)) - 1] if run.attempts else BACK_OFF[0]
    due = timezone.now() + timedelta(seconds=step * random.uniform(0.8, 1.2))  # noqa: S311  (not a secret)
    attempts = min(run.attempts, MAX_ATTEMPTS - 2)
    _hold(claim, status=Status.WAITING, claim=None, error_code=code, next_attempt_at=due, attempts=attempts)
    _record(Verb.RUN_WAITING, run, outcome=Outcome.ERROR, reason_code=code)


@transaction.atomic
def release(claim: Claim) -> None:
    """Gives the run back to the queue because this worker stops."""
    _hold(claim, status=Status.QUEUED, claim=None, turn=F("turn") + 1)


def recover_orphans(moment: datetime) -> int:
    """Takes runs back from workers that have not been heard of for a minute. Returns how many.

    A run that five workers in a row took without getting one page further is failed: it may be what kills them. A sign
    of life from the future is of a worker whose clock was wrong, and is none.
    """
    silent = Run.objects.filter(status__in=WORKING).exclude(
        heartbeat_at__range=(moment - ORPHAN_AFTER, moment + ORPHAN_AFTER)
    )
    recovered = 0
    for run in silent:
        hopeless = run.attempts >= MAX_ATTEMPTS
        with transaction.atomic():
            changed = Run.objects.filter(pk=run.pk, claim=run.claim, heartbeat_at=run.heartbeat_at).update(
                claim=None,
                status=Status.FAILED if hopeless else Status.QUEUED,
                turn=F("turn") + 1,
                error_code="internal" if hopeless else "",
                finished_at=moment if hopeless else None,
            )
            if changed and hopeless:
                following.tell(run.document_id)
                _record(Verb.RUN_FAILED, run, outcome=Outcome.ERROR, reason_code="internal")
        recovered += changed
    return recovered


def enqueue_due(moment: datetime) -> int:
    """Wakes runs whose waiting time is over, and reminds the queue of those it may have forgotten."""
    is_due = Q(next_attempt_at__lte=moment) | Q(next_attempt_at__gt=moment + LONGEST_WAIT)
    woken = Run.objects.filter(is_due, status=Status.WAITING).update(
        status=Status.QUEUED, next_attempt_at=None, turn=F("turn") + 1
    )
    for run_id, turn in _queued():
        if not queue.enqueue(run_id.hex, turn):
            break
    return woken


def queued_jobs() -> set[str]:
    """The ids of the jobs that should wait in the queue, or have just been taken out of it."""
    return {queue.job_id(run_id.hex, turn) for run_id, turn in _queued()}


def _queued() -> list[tuple[UUID, int]]:
    """The runs that wait longest for a worker, with their turns."""
    queued = Run.objects.filter(status=Status.QUEUED, claim=None).order_by("created_at")
    return list(queued.values_list("pk", "turn")[:MOST_QUEUED])


def hurry_for_model() -> int:
    """Makes runs that wait for the model server due now, because it is there or will never be. Returns how many."""
    waiting = Run.objects.filter(status=Status.WAITING, error_code="model_unavailable")
    return waiting.update(next_attempt_at=timezone.now())


def _hold(held: Claim, /, **changes: object) -> None:
    """Compare-and-swap: applies `changes` if this worker still holds the run in a state that may go there."""
    condition = Q(pk=held.run_id, claim=held.token)
    if "status" in changes:
        origins = [origin for origin, targets in TRANSITIONS.items() if changes["status"] in targets]
        condition &= Q(status__in=origins)
    if not Run.objects.filter(condition).update(**{"heartbeat_at": timezone.now(), **changes}):
        raise ClaimLost


def _record(
    verb: Verb, run: Run, *, outcome: Outcome = Outcome.SUCCESS, reason_code: str = "", count: int | None = None
) -> None:
    clinic_id = Run.objects.values_list("document__clinic_id", flat=True).get(pk=run.pk)
    record(verb, by=None, clinic_id=clinic_id, object_type="run", object_id=run.pk, document_id=run.document_id,
           outcome=outcome, reason_code=reason_code, count=count)  # fmt: skip
