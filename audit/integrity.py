"""Can the journal be believed just now? When it was verified, when it was anchored, and what stands in the way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings

from audit import anchors, queries
from audit.anchors import HERE
from audit.models import AnchorMark, ChainHead, Event
from audit.places import places
from audit.verbs import Verb

VERIFIED_WITHIN = timedelta(days=2)
"""The scheduler verifies every day."""


@dataclass(frozen=True, slots=True)
class PlaceState:
    """How far a place is: `behind` counts the anchors that it does not have yet."""

    name: str
    reached_at: datetime | None
    behind: int
    failing_since: datetime | None
    error: str


@dataclass(frozen=True, slots=True)
class Integrity:
    """Of one chain. `problems` are codes: see `problems_of`."""

    events: int
    verified: Event | None
    anchored_at: datetime | None
    unanchored: int
    places: tuple[PlaceState, ...]
    problems: tuple[str, ...]


def integrity(chain: UUID, moment: datetime) -> Integrity:
    head = ChainHead.objects.filter(clinic_id=chain).first()
    newest = anchors.newest(chain)
    events = head.seq if head is not None else 0
    number = newest.number if newest is not None else 0
    kept = {mark.place: mark for mark in AnchorMark.objects.filter(clinic_id=chain)}
    verified = queries.latest(chain, Verb.JOURNAL_VERIFIED)
    states = tuple(_state(place.name, kept.get(place.name), number) for place in places())
    return Integrity(
        events=events,
        verified=verified,
        anchored_at=newest.at if newest is not None else None,
        unanchored=events - (newest.seq if newest is not None else 0),
        places=states,
        problems=tuple(problems_of(chain, moment, verified, kept.get(HERE), states)),
    )


def _state(name: str, mark: AnchorMark | None, number: int) -> PlaceState:
    if mark is None:
        return PlaceState(name, None, number, None, "")
    return PlaceState(name, mark.reached_at, number - mark.number, mark.failing_since, mark.error)


def problems_of(
    chain: UUID, moment: datetime, verified: Event | None, signing: AnchorMark | None, states: tuple[PlaceState, ...]
) -> Iterator[str]:
    """tampered, incomplete, unverified, young, no_key, broken_chain, restored, late, place_failing."""
    if _is_unverified(chain, verified, moment):
        yield "unverified"
    elif verified is None:
        yield "young"
    elif verified.reason_code in ("tampered", "incomplete"):
        yield verified.reason_code
    if signing is not None and signing.failing_since is not None:
        yield signing.error
    elif not settings.AUDIT_ANCHOR_KEY_FILE and not settings.AUDIT_ANCHOR_PUBLIC_KEYS:
        yield "no_key"
    elif is_late(chain, moment):
        yield "late"
    if any(state.failing_since is not None for state in states):
        yield "place_failing"


def is_late(chain: UUID, moment: datetime) -> bool:
    """Whether an event waits longer for its anchor than one is ever due."""
    newest = anchors.newest(chain)
    after = newest.seq if newest is not None else 0
    waiting = Event.objects.filter(clinic_id=chain, seq__gt=after).order_by("seq").first()
    return waiting is not None and waiting.at < moment - anchors.LATE


def chains_in_trouble(moment: datetime) -> Iterator[tuple[UUID, str]]:
    """Each chain that cannot be believed or anchored just now, and why. Without a key nothing is said of anchors."""
    failing = dict(AnchorMark.objects.filter(place=HERE, failing_since__lte=moment).values_list("clinic_id", "error"))
    for chain in ChainHead.objects.values_list("clinic_id", flat=True):
        verified = queries.latest(chain, Verb.JOURNAL_VERIFIED)
        if verified is not None and verified.reason_code in ("tampered", "incomplete"):
            yield chain, verified.reason_code
        elif chain in failing:
            yield chain, failing[chain]
        elif settings.AUDIT_ANCHOR_KEY_FILE and is_late(chain, moment):
            yield chain, "late"
        elif _is_unverified(chain, verified, moment):
            yield chain, "unverified"


def _is_unverified(chain: UUID, verified: Event | None, moment: datetime) -> bool:
    """Whether nobody verified the chain for too long; one that is young has time."""
    since = verified or Event.objects.filter(clinic_id=chain).order_by("seq").first()
    return since is not None and since.at < moment - VERIFIED_WITHIN


def places_in_trouble(moment: datetime) -> list[str]:
    """The places of the settings that have not taken an anchor for longer than one is ever due."""
    names = [place.name for place in places()]
    late = AnchorMark.objects.filter(place__in=names, failing_since__lte=moment - anchors.EVERY)
    return list(late.order_by("place").values_list("place", flat=True).distinct())
