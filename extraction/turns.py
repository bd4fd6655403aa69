"""Whose turn it is: documents are worked off in slices, clinic by clinic and document by document.

Each document has one slice in each round of its clinic, so a document of one page waits for one slice of every document
before it and never for the whole of a long one; and a long one gets its slice in every round, however many short ones
come. Among clinics the one from which nothing was taken for longest has the next turn, however much the others wait
with. Nothing here is counted or added up: a turn is two look-ups in indexes, with ten slices waiting or a million.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from django.db.models import Exists, F, OuterRef

from accounts import tenancy
from extraction.models import ACTIVE, ClinicTurn, PageState, Run, Slice, SliceState, Status
from extraction.readers.choosing import Ocr, Reader, reads_whole

if TYPE_CHECKING:
    from uuid import UUID

PAGES = 8
"""Of a slice. Scans take a second each, so that a turn ends before somebody with one page has waited long."""


def lay_out(run: Run) -> None:
    """Cuts what is left of a run into slices, from the next round of its clinic on. In the transaction that queues it.

    A run of which nothing is left gets one slice too: whoever takes it notices, and ends the run.
    """
    document = run.document
    turn, _is_new = ClinicTurn.objects.get_or_create(clinic_id=document.clinic_id)
    over = set(run.pages.exclude(state=PageState.READ).values_list("number", flat=True))
    left = [number for number in range(1, document.page_count + 1) if number not in over] or [1]
    state = SliceState.RESTING if run.status == Status.WAITING else SliceState.FREE
    Slice.objects.bulk_create(
        Slice(
            run=run, clinic_id=document.clinic_id, first=part[0], last=part[-1], round=turn.round + place, state=state
        )
        for place, part in enumerate(_parts(run, left), start=1)
    )


def _parts(run: Run, numbers: Sequence[int]) -> list[Sequence[int]]:
    """A service that takes a whole document in one job reads no slices of it."""
    is_whole = len(numbers) == run.document.page_count
    if is_whole and reads_whole(cast(Reader, run.reader), cast(Ocr, run.ocr), len(numbers)):
        return [numbers]
    return [numbers[start : start + PAGES] for start in range(0, len(numbers), PAGES)]


def lay_out_missing() -> None:
    """For runs that were queued, or were at work, by a process that knew no slices."""
    for run in Run.objects.filter(status__in=ACTIVE, slices=None).select_related("document"):
        lay_out(run)


def next_slice(run_id: UUID | None = None) -> Slice | None:
    """The slice that is taken next, with its run: of this run, or of whoever has the turn. None when nothing is free.

    All clinics are looked at, also by a worker that is at the rows of one.
    """
    free = Slice.objects.filter(state=SliceState.FREE).select_related("run")
    if run_id is not None:
        return free.filter(run_id=run_id).order_by("round", "pk").first()
    with tenancy.scope(tenancy.EVERY):
        waits = Slice.objects.filter(clinic=OuterRef("clinic"), state=SliceState.FREE)
        turn = ClinicTurn.objects.filter(Exists(waits)).order_by(F("taken_at").asc(nulls_first=True)).first()
        return None if turn is None else free.filter(clinic=turn.clinic_id).order_by("round", "pk").first()
