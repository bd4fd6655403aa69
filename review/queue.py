"""The queue of documents that wait for a review: whose turn it is, by filter, a screen at a time.

Everything is read from `ReviewTask` in the order of an index, from where the screen before ended (a keyset): the
thousandth screen costs what the first one does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeAlias

from django.db.models import Q, QuerySet

from accounts.models import User
from extraction.marks import EPOCH, Mark
from review.blindness import hidden_from
from review.models import WAITING, ReviewTask
from review.priority import Reason, reasons

Tasks: TypeAlias = QuerySet[ReviewTask]

PER_SCREEN = 25
MOST_COUNTED = 1000
"""A list that a filter makes is counted so far: no index knows how long it is, and each row would be looked into."""
ORDER = ("place", "document")
BY_AGE = ("waiting_since", "document")


class Filter(StrEnum):
    ALL = "all"
    MINE = "mine"
    DOUBTFUL = "doubtful"
    UNREAD = "unread"
    OLDEST = "oldest"


@dataclass(frozen=True, slots=True)
class Row:
    """A waiting document with why it stands there; `holder` is at work on it now.

    Whoever may be asked for a second review of it is told that somebody is (`is_held`), and not who.
    """

    task: ReviewTask
    reasons: list[Reason]
    holder: User | None
    is_held: bool


@dataclass(frozen=True, slots=True)
class Screen:
    """`following` is where the next screen begins, None on the last one; `total` is what `count` says."""

    rows: list[Row]
    following: Mark | None
    total: int


def waiting(user: User) -> Tasks:
    """What waits in the person's clinic."""
    return ReviewTask.objects.filter(WAITING, clinic_id=user.clinic_id)


def filtered(user: User, chosen: Filter) -> Tasks:
    """What the filter lets through, in its order. Mine is what I am at work on, or was the last to leave."""
    condition = {
        Filter.MINE: Q(holder=user),
        Filter.DOUBTFUL: Q(doubtful__gt=0),
        Filter.UNREAD: Q(unread__gt=0),
    }.get(chosen, Q())
    return waiting(user).filter(condition).order_by(*(BY_AGE if chosen == Filter.OLDEST else ORDER))


def behind(tasks: Tasks, chosen: Filter, mark: Mark) -> Tasks:
    """Those that come after the mark."""
    name = "waiting_since" if chosen == Filter.OLDEST else "place"
    at, after = {name: mark.moment}, {f"{name}__gt": mark.moment}
    # The first condition alone says nothing new: it is what the index is entered by.
    return tasks.filter(**{f"{name}__gte": mark.moment}).filter(Q(**after) | Q(**at, document_id__gt=mark.document_id))


def screen(user: User, chosen: Filter, mark: Mark | None, moment: datetime) -> Screen:
    """One screen of the queue, from the mark on, in three queries."""
    tasks = filtered(user, chosen)
    from_here = behind(tasks, chosen, mark) if mark is not None else tasks
    found = list(from_here.select_related("document", "holder")[: PER_SCREEN + 1])
    shown = found[:PER_SCREEN]
    hidden = hidden_from(user).filter(document__in=[task.document_id for task in shown if task.is_held(moment)])
    blind = set(hidden.values_list("document", flat=True))
    return Screen(
        rows=[_row(task, moment, is_blind=task.document_id in blind) for task in shown],
        following=_mark(shown[-1], chosen) if len(found) > PER_SCREEN else None,
        total=count(user, chosen),
    )


def count(user: User, chosen: Filter) -> int:
    """How many documents the list holds; of a filter's list at most MOST_COUNTED + 1."""
    if chosen in (Filter.ALL, Filter.OLDEST):
        return waiting(user).count()
    return filtered(user, chosen)[: MOST_COUNTED + 1].count()


def _row(task: ReviewTask, moment: datetime, *, is_blind: bool) -> Row:
    waited = moment - task.waiting_since if task.waiting_since is not None else timedelta()
    is_held = task.is_held(moment)
    return Row(task, reasons(task.left, waited), task.holder if is_held and not is_blind else None, is_held)


def _mark(task: ReviewTask, chosen: Filter) -> Mark:
    moment = task.waiting_since if chosen == Filter.OLDEST else task.place
    return Mark(moment or EPOCH, task.document_id)
