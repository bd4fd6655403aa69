"""How runs do against what reviewers signed: kept a page at a time, so that a thousand documents are read in one query.

A page is scored when it is signed off, for every run of its document, and a run that comes later when its scores are
first asked for (`catch_up`). A page that is opened again has no score.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from accounts.models import User
from extraction.models import ACTIVE, Document, Run
from extraction.scoring import Outcome, Score, bin_of, score
from review import effort, queries
from review.differences import Visit
from review.models import Decision, PageScore, SignOff, Verdict

AT_ONCE = "at_once"
LONGEST_ITEM = timedelta(minutes=2)
MOST_AT_ONCE = 200
"""Signed pages of runs that came later, which one look at the figures scores."""


def keep(signed: SignOff) -> dict[UUID, Score]:
    """Scores every run that is over, or was scored before, on a signed-off page; by run. In the transaction of what
    changed the truth."""
    scored = PageScore.objects.filter(run=OuterRef("pk"), page=signed.page)
    runs = Run.objects.filter(~Q(status__in=ACTIVE) | Exists(scored), document=signed.document_id)
    reviewed = queries.run_under_review(signed.document)
    return {run.pk: _score(run, signed, is_reviewed=run == reviewed) for run in runs}


def forget(document: Document, page: int) -> None:
    """The page is open again."""
    PageScore.objects.filter(run__document=document, page=page).delete()


def catch_up(user: User) -> None:
    """Scores pages of the person's clinic that were signed off before a run of their document was over, or whose
    scores are from before all of it was kept."""
    known = PageScore.objects.filter(run=OuterRef("pk"), calibration__isnull=False)
    signed = SignOff.objects.filter(document=OuterRef("document"), reopened_at=None)
    later = Run.objects.filter(Exists(signed), ~Exists(known), document__clinic_id=user.clinic_id)
    later = later.filter(document__destroyed_at=None)  # Its scores stay; there is nothing left to score.
    left = MOST_AT_ONCE
    for run in later.exclude(status__in=ACTIVE).select_related("document").order_by("-created_at")[:MOST_AT_ONCE]:
        is_reviewed = run == queries.run_under_review(run.document)
        with transaction.atomic():
            for each in SignOff.objects.filter(document=run.document_id, reopened_at=None).select_related("document"):
                _score(run, each, is_reviewed=is_reviewed)
                left -= 1
        if left <= 0:
            return


def _score(run: Run, signed: SignOff, *, is_reviewed: bool) -> Score:
    page = signed.page
    findings = list(run.findings.filter(page=page))
    proposed = [Visit(str(f.value), f.visit_date, f.visit_time) for f in findings]
    decided = list(queries.active(signed.document).filter(page=page).select_related("finding"))
    true = [Visit(str(d.value), d.visit_date, d.visit_time) for d in decided if d.verdict != Verdict.REJECT]
    counted = score([(page, visit.nam) for visit in proposed], [(page, visit.nam) for visit in true])
    day_right, clock_right = visits_right(proposed, true)
    outcomes = outcomes_of([(f.confidence, str(f.value)) for f in findings], [visit.nam for visit in true])
    pauses = review_pauses([(d.by_id, d.made_at) for d in decided])
    reader = run.pages.filter(number=page).values_list("reader", flat=True).first()
    PageScore.objects.update_or_create(
        run=run, page=page,
        defaults={
            "clinic_id": signed.document.clinic_id,
            "reader": reader or "", "signed_on": timezone.localdate(signed.signed_at),
            "tp": counted.tp, "fp": counted.fp, "fn": counted.fn, "day_right": day_right, "clock_right": clock_right,
            "confusions": confusions(
                (str(d.finding.value), str(d.value))
                for d in decided
                if d.verdict == Verdict.CORRECT and d.finding is not None and d.finding.run_id == run.pk
            ),
            "calibration": binned(outcomes), "is_reviewed": is_reviewed,
            "decided": sum(d.verdict != Verdict.ADD for d in decided),
            "agreed": sum(d.verdict == Verdict.CONFIRM for d in decided),
            "timed": len(pauses), "review_seconds": sum(pauses),
            "effort": effort.counted((action_of(d), d.effort) for d in decided if d.effort is not None) or None,
        },
    )  # fmt: skip
    return counted


def action_of(decision: Decision) -> str:
    """What the person did: a verdict, or `at_once` for those that one press confirmed."""
    return str(decision.verdict) if decision.batch is None else AT_ONCE


def visits_right(proposed: Sequence[Visit], true: Sequence[Visit]) -> tuple[int, int]:
    """Of the numbers that were found, how many have the right date, and how many the right time. Pure.

    A number that stands on the page several times is compared with its likest one.
    """
    left: dict[str, list[Visit]] = defaultdict(list)
    for visit in true:
        left[visit.nam].append(visit)
    days = clocks = 0
    for visit in proposed:
        same = left[visit.nam]
        if not same:
            continue
        best = max(same, key=lambda each: (each.day == visit.day) + (each.clock == visit.clock))
        same.remove(best)
        days += best.day == visit.day
        clocks += best.clock == visit.clock
    return days, clocks


def confusions(pairs: Iterable[tuple[str, str]]) -> dict[str, int]:
    """How often each character was read as another one, of proposed and corrected numbers of one length. Pure."""
    counted: Counter[str] = Counter()
    for read, true in pairs:
        if len(read) == len(true):
            counted.update(f"{a}{b}" for a, b in zip(read, true, strict=True) if a != b)
    return dict(counted)


def outcomes_of(proposed: Iterable[tuple[float, str]], true: Iterable[str]) -> list[Outcome]:
    """Each proposal's confidence and whether it is right. Pure.

    Of a number that is proposed more often than it stands there, the most confident ones are right.
    """
    left = Counter(true)
    found: list[Outcome] = []
    for confidence, number in sorted(proposed, reverse=True):
        is_right = left[number] > 0
        left[number] -= is_right
        found.append((confidence, is_right))
    return found


def binned(outcomes: Iterable[Outcome]) -> dict[str, tuple[int, int, float]]:
    """By bin of confidence: how many, how many of them right, and the sum of their confidences. Pure."""
    found: dict[str, tuple[int, int, float]] = {}
    for confidence, is_right in outcomes:
        place = str(bin_of(confidence))
        count, right, total = found.get(place, (0, 0, 0.0))
        found[place] = (count + 1, right + is_right, round(total + confidence, 6))
    return found


def review_pauses(decided: Sequence[tuple[object, datetime]]) -> list[float]:
    """Seconds from one decision of a person on a page to their next, in the order of time. Pure.

    What takes longer than LONGEST_ITEM is a pause and no work; the first decision has nothing before it.
    """
    return [
        (moment - before).total_seconds()
        for (who_before, before), (who, moment) in pairwise(decided)
        if who == who_before and moment - before <= LONGEST_ITEM
    ]
