"""Alerts: looked for by the scheduler, raised once, kept while they last, ended when what was wrong is over.

What can be wrong is measured by watches. Each says what it found in readings; `note` compares them with the rows that
are open. An app has its watches in its module `watches`, which is loaded when somebody looks.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import NamedTuple
from uuid import UUID

from django.db import Error as AnyDatabaseError
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils.module_loading import autodiscover_modules

from accounts.models import User
from extraction import availability, costs
from extraction.models import Alert, AlertKind

logger = logging.getLogger(__name__)

EVERY = timedelta(minutes=1)
LEAST_RATIO = 0.85
"""Of precision and recall."""
THRESHOLDS: dict[str, float] = {
    AlertKind.PRECISION: LEAST_RATIO,
    AlertKind.RECALL: LEAST_RATIO,
    AlertKind.TOTAL_TIME: availability.TOTAL_ALERT * costs.DOCUMENT_PAGES,
    AlertKind.MODEL_TIME: availability.MODEL_ALERT * costs.DOCUMENT_PAGES,
    AlertKind.HEALTH: float(availability.FAILURES),
    AlertKind.ERROR_RATE: availability.ERROR_ALERT,
    AlertKind.COST: float(costs.MONTHLY_ALERT),
    AlertKind.JOURNAL: 0.0,
}
"""Ratios are 0..1, times are seconds for a document of 20 pages, health counts looks, costs are US dollars."""
LOW_IS_WRONG = frozenset({AlertKind.PRECISION, AlertKind.RECALL})


class Reading(NamedTuple):
    """A figure in the unit of its threshold, and whether it calls for an alert.

    `clinic_id` None is the whole installation. `began` is since when it has been so, where that is known.
    """

    kind: AlertKind
    figure: float
    is_wrong: bool
    clinic_id: UUID | None = None
    subject: str = ""
    detail: str = ""
    began: datetime | None = None

    @property
    def key(self) -> tuple[str, UUID | None, str]:
        return self.kind, self.clinic_id, self.subject


Look = Callable[[datetime], Iterable[Reading]]


class Watch(NamedTuple):
    """`look` measures everything of these kinds at a moment, every so often. What it leaves out is not wrong."""

    kinds: frozenset[AlertKind]
    look: Look
    every: timedelta


_watches: list[Watch] = []


@cache
def watches() -> list[Watch]:
    """Those of every app; looked for once, for the scheduler asks every second."""
    autodiscover_modules("watches")
    return _watches


def watch(*kinds: AlertKind, every: timedelta = EVERY) -> Callable[[Look], Look]:
    """Makes a function a watch of these kinds."""

    def add(look: Look) -> Look:
        _watches.append(Watch(frozenset(kinds), look, every))
        return look

    return add


@dataclass
class Watchman:
    """Looks through every watch that is due, and remembers the newest readings of each."""

    looked_at: dict[Watch, datetime] = field(default_factory=dict)
    readings: dict[Watch, list[Reading]] = field(default_factory=dict)

    def round(self, moment: datetime) -> bool:
        """Raises and ends alerts. False where no watch was due. Raises database errors."""
        due = [each for each in watches() if self._is_due(each, moment)]
        for each in due:
            self._look_through(each, moment)
        return bool(due)

    def _look_through(self, each: Watch, moment: datetime) -> None:
        """A watch that breaks off ends no alert, and stops neither the others nor whoever asks."""
        self.looked_at[each] = moment
        try:
            found = list(each.look(moment))
        except AnyDatabaseError:
            raise
        except Exception as error:  # Its text may quote anything.
            logger.error("a watch of %s broke off (%s)", ", ".join(sorted(each.kinds)), type(error).__name__)  # noqa: TRY400
            return
        self.readings[each] = found
        note(found, of=each.kinds, moment=moment)

    def _is_due(self, each: Watch, moment: datetime) -> bool:
        before = self.looked_at.get(each)
        return before is None or not timedelta(0) <= moment - before < each.every

    @property
    def newest(self) -> list[Reading]:
        return [reading for found in self.readings.values() for reading in found]


def evaluate(moment: datetime) -> None:
    """Looks through every watch now."""
    Watchman().round(moment)


def note(readings: Sequence[Reading], *, of: Iterable[AlertKind], moment: datetime) -> None:
    """Raises what is wrong and not open yet, refreshes what is, and ends what is over, of these kinds."""
    open_ones = {
        (alert.kind, alert.clinic_id, alert.subject): alert
        for alert in Alert.objects.filter(kind__in=list(of), ended_at=None)
    }
    for reading in readings:
        if not reading.is_wrong:
            continue
        standing = open_ones.pop(reading.key, None)
        if standing is None:
            _raise(reading, moment)
        else:
            began = reading.began or standing.began_at
            Alert.objects.filter(pk=standing.pk).update(
                figure=reading.figure, detail=reading.detail, began_at=began, seen_at=moment
            )
    Alert.objects.filter(pk__in=[alert.pk for alert in open_ones.values()], ended_at=None).update(ended_at=moment)


def _raise(reading: Reading, moment: datetime) -> None:
    row = Alert(
        kind=reading.kind,
        clinic_id=reading.clinic_id,
        subject=reading.subject,
        detail=reading.detail,
        figure=reading.figure,
        threshold=THRESHOLDS[reading.kind],
        began_at=reading.began or moment,
        raised_at=moment,
        seen_at=moment,
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:  # Another scheduler noticed in the same moment.
        return


def of_clinic(user: User) -> QuerySet[Alert]:
    """The alerts that concern the person's clinic: its own, and the installation's."""
    own = Q(clinic_id=user.clinic_id) | Q(clinic=None)
    return Alert.objects.filter(own).select_related("acknowledged_by").order_by("-raised_at", "pk")
