"""What is watched on this floor: the model servers, how long documents take, unusable answers, what a month costs, and
whether the journal below can be believed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from uuid import UUID

from accounts.models import Clinic
from audit.integrity import chains_in_trouble, places_in_trouble
from extraction import availability, costs, monitoring, usage
from extraction.alerts import Reading, watch
from extraction.availability import UP, Look
from extraction.configuration import model_start
from extraction.models import AlertKind, Run, Sample, Status

WITHIN = timedelta(days=1)
"""Documents that were finished before that say nothing of now."""
LEAST_PAGES = 20
"""Of fewer pages no share of errors is worth an alert."""
COSTS_EVERY = timedelta(hours=1)
PLACE = "place"
"""The detail of an alert on a place of anchors."""


@watch(AlertKind.HEALTH)
def health(moment: datetime) -> Iterator[Reading]:
    """Of each server in service, how many of the looks of five minutes failed.

    What is wrong with a newcomer is told on its own page, and what was replaced may be switched off. A server that is
    said to be starting, or not to come, is told of in another place.
    """
    start = model_start()
    if start is not None and start.step != "ready":
        return
    in_service = monitoring.servers()
    for server, looks in _recent(moment).items():
        if server not in in_service:
            continue
        state = looks[-1].state
        yield Reading(
            AlertKind.HEALTH,
            figure=sum(not look.is_up for look in looks),
            is_wrong=availability.is_failing(looks, moment),
            subject=server,
            detail=state,
            began=None if state == UP else _began(server, moment),
        )


def _recent(moment: datetime) -> dict[str, list[Look]]:
    """The looks of the last minutes by server, in the order of time."""
    rows = Sample.objects.filter(minute__gte=moment - availability.FAILURES_WITHIN, minute__lte=moment)
    looks: dict[str, list[Look]] = {}
    for server, minute, state in rows.order_by("minute").values_list("server", "minute", "state"):
        looks.setdefault(server, []).append(Look(minute, state))
    return looks


def _began(server: str, moment: datetime) -> datetime:
    """Since when every look at the server failed."""
    samples = Sample.objects.filter(server=server, minute__lte=moment)
    up = samples.filter(state=UP).order_by("-minute").values_list("minute", flat=True).first()
    after = samples.filter(minute__gt=up) if up is not None else samples
    return after.order_by("minute").values_list("minute", flat=True)[0]


@watch(AlertKind.TOTAL_TIME, AlertKind.MODEL_TIME)
def times(moment: datetime) -> Iterator[Reading]:
    """The newest document of each clinic, as if it had 20 pages; wrong where the newest three took too long."""
    for clinic_id in _at_work(moment - WITHIN):
        found = monitoring.timings(clinic_id, moment - WITHIN, newest=availability.IN_A_ROW)
        if not found:
            continue
        scale = costs.DOCUMENT_PAGES / found[0].pages
        is_late = availability.three_in_a_row(timing.is_late for timing in found)
        is_late_by_model = availability.three_in_a_row(timing.is_late_by_model for timing in found)
        yield Reading(AlertKind.TOTAL_TIME, found[0].total * scale, is_late, clinic_id)
        yield Reading(AlertKind.MODEL_TIME, found[0].model * scale, is_late_by_model, clinic_id)


@watch(AlertKind.ERROR_RATE)
def errors(moment: datetime) -> Iterator[Reading]:
    """The share of a clinic's pages since yesterday to which the model gave no usable answer."""
    for clinic_id in _at_work(moment - WITHIN):
        found = monitoring.model_errors(clinic_id, moment - WITHIN)
        if found.ratio is not None and found.asked >= LEAST_PAGES:
            is_wrong = found.ratio > availability.ERROR_ALERT
            yield Reading(
                AlertKind.ERROR_RATE, found.ratio, is_wrong, clinic_id, detail=f"{found.failed}/{found.asked}"
            )


def _at_work(since: datetime) -> Iterable[UUID]:
    """The clinics of which a document was finished since then."""
    runs = Run.objects.filter(finished_at__gte=since, status=Status.DONE).order_by()
    return list(runs.values_list("document__clinic_id", flat=True).distinct())


@watch(AlertKind.COST, every=COSTS_EVERY)
def month(moment: datetime) -> Iterator[Reading]:
    """What the present month has cost each clinic so far, reckoned as its page of costs does without an assumption."""
    for clinic_id in Clinic.objects.values_list("pk", flat=True):
        found = usage.this_month(clinic_id, moment)
        yield Reading(AlertKind.COST, float(found.total), found.is_dear, clinic_id)


@watch(AlertKind.JOURNAL)
def journal(moment: datetime) -> Iterator[Reading]:
    """Chains that were changed or are not anchored, and places that take no anchors; the figure counts them."""
    clinics = set(Clinic.objects.values_list("pk", flat=True))
    for chain, trouble in chains_in_trouble(moment):
        whose = chain if chain in clinics else None
        yield Reading(AlertKind.JOURNAL, 1.0, True, whose, subject="" if whose else str(chain), detail=trouble)
    for name in places_in_trouble(moment):
        yield Reading(AlertKind.JOURNAL, 1.0, True, subject=name[:100], detail=PLACE)
