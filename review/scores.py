"""How runs do against what reviewers signed: kept a page at a time, so that a thousand documents are read in one query.

A page is scored when it is signed off, for every run of its document, and a run that comes later when its scores are
first asked for: it is noted when it is over (`note`), so that nobody searches for it (`catch_up`). A page that is
opened again has no score.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise, product
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.models import User
from extraction.models import ACTIVE, Document, Finder, Run
from extraction.scoring import Outcome, Score, bin_of, score
from review import effort, queries, score_days
from review.differences import Visit
from review.models import Decision, PageScore, ReviewTask, ScoreGroup, SignOff, Verdict

AT_ONCE = "at_once"
LONGEST_ITEM = timedelta(minutes=2)
MOST_AT_ONCE = 200
"""Signed pages of runs that came later, after which a look at the figures leaves the other documents to the next."""
MISSED_WITHIN = timedelta(days=1)


def keep(signed: SignOff) -> dict[UUID, Score]:
    """Scores every run that is over, or was scored before, on a signed-off page; by run. In the transaction of what
    changed the truth."""
    scored = PageScore.objects.filter(run=OuterRef("pk"), page=signed.page)
    runs = Run.objects.filter(~Q(status__in=ACTIVE) | Exists(scored), document=signed.document_id)
    reviewed = queries.run_under_review(signed.document)
    found = {run.pk: _score(run, signed, is_reviewed=run == reviewed) for run in runs}
    regroup(signed.document_id)
    return found


def forget(document: Document, page: int) -> None:
    """The page is open again."""
    rows = PageScore.objects.filter(run__document=document, page=page)
    _touch(rows)
    rows.delete()


def regroup(document_id: UUID) -> None:
    """Puts the document's scores under its kind and the configurations of its runs, in the transaction of what changed
    one of them."""
    _group(PageScore.objects.filter(run__document=document_id))


def _group(rows: QuerySet[PageScore]) -> None:
    names = rows.order_by().values(
        "clinic", "reader", "run__finder", "run__without_model", "run__model_name", "run__prompt_version",
        "run__rules_version", "run__document__kind", "run__document__form_kind",
    )  # fmt: skip
    for each in list(names.distinct()):
        asks_nobody = each["run__without_model"] or each["run__finder"] == Finder.PATTERN
        group, _is_new = ScoreGroup.objects.get_or_create(
            clinic_id=each["clinic"],
            reader=each["reader"],
            rules=each["run__rules_version"],
            model="" if asks_nobody else each["run__model_name"],
            prompt="" if asks_nobody else each["run__prompt_version"],
            kind=each["run__document__kind"],
            form_kind=each["run__document__form_kind"],
        )
        strays = rows.filter(**each).exclude(group=group)
        _touch(strays)
        strays.update(group=group)


def _touch(rows: QuerySet[PageScore]) -> None:
    """Notes that these are about to change."""
    for clinic_id, day in list(rows.order_by().values_list("clinic", "signed_on").distinct()):
        score_days.touch(clinic_id, [day])


def note(document_id: UUID) -> None:
    """Called when a run of the document begins or is over, after the document's task was locked: where pages are signed
    already, it is noted that scores are due, for whoever looks at the figures next."""
    regroup(document_id)
    if _unscored(Run.objects.filter(document=document_id)).exists():
        ReviewTask.objects.filter(document=document_id).update(scores_due=True)


def note_missed() -> int:
    """The scheduler's chore: notes runs of the last day that were over unheard. Returns of how many documents."""
    recent = Run.objects.filter(finished_at__gt=timezone.now() - MISSED_WITHIN, document__review_task__scores_due=False)
    found = set(_unscored(recent).values_list("document", flat=True)[:MOST_AT_ONCE])
    for document_id in found:
        with transaction.atomic():
            note(document_id)
    return len(found)


def catch_up(user: User) -> None:
    """Scores pages of the person's clinic that were signed off before a run of their document was over, or whose
    scores are from before all of it was kept."""
    _group(PageScore.objects.filter(clinic=user.clinic_id, group=None))
    left = MOST_AT_ONCE
    due = ReviewTask.objects.filter(clinic=user.clinic_id, scores_due=True)
    for document_id in list(due.values_list("pk", flat=True)[:MOST_AT_ONCE]):
        left -= _catch_up_with(document_id)
        if left <= 0:
            return


@transaction.atomic
def _catch_up_with(document_id: UUID) -> int:
    """Scores what is due of a document. Returns how many pages."""
    task = ReviewTask.objects.select_for_update(of=("self",)).select_related("document").get(pk=document_id)
    reviewed = queries.run_under_review(task.document)
    signed = SignOff.objects.filter(document=document_id, reopened_at=None).select_related("document")
    due = list(product(_unscored(task.document.runs.all()), signed))
    for run, each in due:
        _score(run, each, is_reviewed=run == reviewed)
    regroup(document_id)
    ReviewTask.objects.filter(pk=document_id).update(scores_due=False)
    return len(due)


def _unscored(runs: QuerySet[Run]) -> QuerySet[Run]:
    """Those that are over and not scored as they should be on pages of their document that are signed off."""
    known = PageScore.objects.filter(run=OuterRef("pk"), calibration__isnull=False)
    signed = SignOff.objects.filter(document=OuterRef("document"), reopened_at=None)
    later = runs.filter(Exists(signed), ~Exists(known)).exclude(status__in=ACTIVE)
    return later.filter(document__destroyed_at=None)  # Its scores stay; there is nothing left to score.


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
    score_days.touch(signed.document.clinic_id, [timezone.localdate(signed.signed_at)])
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
