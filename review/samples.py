"""Reviewed pages as samples that the confidence is fitted to (`manage.py fit_confidence_reviewed`).

Nothing sealed is opened. A finding is right where its keyed index is that of a NAM of the truth on its page, which is
what `queries.measure` asks of the values themselves. What leaves are witnesses, and whether they spoke for a true NAM.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import Clinic
from audit.record import record
from audit.verbs import Purpose, Verb
from extraction.calibration import Example, Sample
from extraction.finders.confidence import Witnesses
from extraction.models import ACTIVE, Finding, Run
from extraction.page import Box
from review.models import Decision, SignOff

_AT_ONCE = 500
"""Documents that are read at once."""


@dataclass(frozen=True, slots=True)
class Period:
    """The days on which pages were signed off; an end that is None is open."""

    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What reviewers' decisions teach. `left_out` counts findings whose witnesses were not kept, or are not known."""

    samples: tuple[Sample, ...]
    left_out: int


class _Found(NamedTuple):
    """A finding on a signed-off page. `key` tells the NAMs of its document apart: page and keyed index."""

    key: tuple[int, bytes]
    box: Box
    witnesses: object


class _True(NamedTuple):
    """A NAM of the truth. `box` is None where a reviewer added it without a place."""

    key: tuple[int, bytes]
    box: Box | None


@transaction.atomic
def read(clinics: QuerySet[Clinic], period: Period) -> Reviewed:
    """The samples of these clinics, each clinic's reading in its journal.

    A document counts with its newest run that is over, and with its signed-off pages. Raises JournalUnavailable.
    """
    samples: list[Sample] = []
    left_out = 0
    for clinic in clinics.order_by("pk"):
        theirs, unknown = _read_clinic(clinic, period)
        if theirs:
            findings = sum(len(each.examples) for each in theirs)
            record(Verb.DECISIONS_LEARNED, by=None, clinic_id=clinic.pk, object_type="document", count=len(theirs),
                   purpose=Purpose.QUALITY, details={"findings": findings})  # fmt: skip
        samples += theirs
        left_out += unknown
    return Reviewed(tuple(samples), left_out)


def _read_clinic(clinic: Clinic, period: Period) -> tuple[list[Sample], int]:
    """The documents with a finding that teaches, and how many findings do not."""
    true = _true(clinic, period)
    samples, left_out = [], 0
    for document_id, found in _found(clinic, period):
        sample, unknown = _sample(document_id, found, true[document_id])
        left_out += unknown
        if sample.examples:
            samples.append(sample)
    return samples, left_out


def _found(clinic: Clinic, period: Period) -> Iterator[tuple[UUID, list[_Found]]]:
    """The findings on the signed-off pages of each document, in reading order.

    Some hundred documents at a time, by the keys of their newest runs: in one query it is the planner's guess in which
    order runs, findings and sign-offs are met, and with figures of a moment ago it can guess minutes.
    """
    theirs = _signed(period).filter(document__clinic=clinic)
    documents = list(theirs.order_by("document_id").values_list("document_id", flat=True).distinct())
    columns = ("run__document_id", "page", "value_index", "x0", "y0", "x1", "y1", "witnesses")
    for start in range(0, len(documents), _AT_ONCE):
        some = documents[start : start + _AT_ONCE]
        signed = set(_signed(period).filter(document__in=some).values_list("document_id", "page"))
        runs = Run.objects.filter(document__in=some).exclude(status__in=ACTIVE).order_by("created_at")
        newest = dict(runs.values_list("document_id", "pk"))
        each: defaultdict[UUID, list[_Found]] = defaultdict(list)
        findings = Finding.objects.filter(run__in=newest.values()).order_by("page", "position")
        for document_id, page, index, *box, witnesses in findings.values_list(*columns):
            if (document_id, page) in signed:
                each[document_id].append(_Found((page, bytes(index)), Box(*box), witnesses))
        yield from each.items()


def _true(clinic: Clinic, period: Period) -> defaultdict[UUID, list[_True]]:
    """The truth of each document, as `queries.truth` has it: what stands on signed-off pages and is not rejected."""
    decisions = Decision.objects.filter(
        Exists(_signed(period).filter(document=OuterRef("document"), page=OuterRef("page"))),
        document__clinic=clinic,
        undone_at=None,
        value_index__isnull=False,
    )
    each: defaultdict[UUID, list[_True]] = defaultdict(list)
    columns = ("document_id", "page", "value_index", "x0", "y0", "x1", "y1")
    for document_id, page, index, *box in decisions.order_by("made_at").values_list(*columns):
        each[document_id].append(_True((page, bytes(index)), None if None in box else Box(*box)))
    return each


def _signed(period: Period) -> QuerySet[SignOff]:
    signed = SignOff.objects.filter(reopened_at=None)
    if period.since is not None:
        signed = signed.filter(signed_at__date__gte=period.since)
    if period.until is not None:
        signed = signed.filter(signed_at__date__lte=period.until)
    return signed


def _sample(document_id: UUID, found: Sequence[_Found], true: Sequence[_True]) -> tuple[Sample, int]:
    """What one document teaches, and how many of its findings teach nothing.

    A NAM whose finding teaches nothing was not missed, so it does not count among those that were there to find.
    """
    right = _right(found, true)
    examples: list[Example] = []
    known_by_the_untaught = 0
    for number, each in enumerate(found):
        witnesses = Witnesses.from_json(each.witnesses)
        if witnesses is not None:
            examples.append(Example(witnesses, number in right))
        else:
            known_by_the_untaught += number in right
    nams = len(true) - known_by_the_untaught
    return Sample(document_id.hex, tuple(examples), nams, is_reviewed=True), len(found) - len(examples)


def _right(found: Sequence[_Found], true: Iterable[_True]) -> set[int]:
    """The findings that are right, by their place in `found`: as many of a value on a page as the truth has there.

    Where more are proposed than are true, those at the places of the true ones are right, then the first.
    """
    waiting: defaultdict[tuple[int, bytes], list[int]] = defaultdict(list)
    for number, each in enumerate(found):
        waiting[each.key].append(number)
    right: set[int] = set()
    for known in sorted(true, key=lambda each: each.box is None):
        if same := waiting[known.key]:
            nearest = max(same, key=lambda number: known.box.overlap(found[number].box) if known.box else 0.0)
            same.remove(nearest)
            right.add(nearest)
    return right
