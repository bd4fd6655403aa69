"""Reading the journal of one chain."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Max, Min, QuerySet

from audit import anchors
from audit.chain import GENESIS
from audit.formats.lines import Span
from audit.models import Anchor, ChainHead, Event
from audit.verbs import Verb

CLOCKS_DIFFER = timedelta(minutes=5)
"""By how much the clocks of two hosts may disagree: events stand in the order of `seq`, and nearly in that of `at`."""


class NothingToExport(Exception):
    """The chain has no event in that span."""


def whole(chain: UUID, moment: datetime) -> Span:
    """All events up to the anchor that was just made at `moment`, or else to where the chain ends."""
    anchor = anchors.newest(chain)
    if anchor is not None and anchor.at == moment:
        return _span(chain, 1, anchor.seq, moment, is_to_head=True)
    head = ChainHead.objects.filter(clinic_id=chain).first()
    return _span(chain, 1, head.seq if head is not None else 0, moment, is_to_head=True)


def part(chain: UUID, moment: datetime, *, since: datetime | None, until: datetime | None) -> Span:
    """The events of a period, and those that stand between them. Raises NothingToExport."""
    seqs = Search(chain, since=since, until=until).events().aggregate(first=Min("seq"), last=Max("seq"))
    return _span(chain, seqs["first"] or 0, seqs["last"] or 0, moment, is_to_head=False)


def _span(chain: UUID, first: int, last: int, moment: datetime, *, is_to_head: bool) -> Span:
    begin = Event.objects.filter(clinic_id=chain, seq=first).first()
    end = Event.objects.filter(clinic_id=chain, seq=last).first()
    if begin is None or end is None or last < first:
        raise NothingToExport
    previous = bytes(begin.prev_hash) if first > 1 else GENESIS
    return Span(chain, first, last, previous, bytes(end.hash), moment, is_to_head)


def events_of(span: Span) -> Iterator[Event]:
    """In their order, a few at a time."""
    events = Event.objects.filter(clinic_id=span.chain, seq__gte=span.first, seq__lte=span.last).order_by("seq")
    return events.iterator(chunk_size=2000)


def anchor_lines(chain: UUID) -> Iterator[str]:
    """The chain's anchors as a place keeps them, each with its end."""
    for row in Anchor.objects.filter(clinic_id=chain).order_by("number").iterator():
        yield row.note.line() + "\n"


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for in a chain; what is empty narrows nothing. `verbs` are alternatives."""

    chain: UUID
    actor_id: UUID | None = None
    verbs: tuple[Verb, ...] = ()
    document_id: UUID | None = None
    subject: bytes | None = None
    since: datetime | None = None
    until: datetime | None = None

    def events(self, *, before: int | None = None) -> QuerySet[Event]:
        """Newest first, from behind event `before` on."""
        found = Event.objects.filter(clinic_id=self.chain)
        for name in ("actor_id", "document_id", "subject"):
            if (value := getattr(self, name)) is not None:
                found = found.filter(**{name: value})
        if self.verbs:
            found = found.filter(verb__in=self.verbs)
        if before is not None:
            found = found.filter(seq__lt=before)
        return self._within(found).order_by("-seq")

    def page(self, size: int, *, before: int | None = None) -> list[Event]:
        """The first so many of `events`, read from indexes whatever is looked for.

        Of several verbs each has its own stretch of an index: they are read one by one and merged. A patient and a
        document have few events, so that what else is asked of them is looked for in those.
        """
        if len(self.verbs) <= 1 or self.subject is not None or self.document_id is not None:
            return list(self.events(before=before)[:size])
        seqs: list[int] = []
        for verb in self.verbs:
            alone = self.events(before=before).filter(verb=verb)
            seqs += alone.values_list("seq", flat=True)[:size]
        newest = sorted(seqs, reverse=True)[:size]
        return list(Event.objects.filter(clinic_id=self.chain, seq__in=newest).order_by("-seq"))

    def _within(self, found: QuerySet[Event]) -> QuerySet[Event]:
        """The period as a span of `seq` too: one index then gives the order and the period at once."""
        if self.since is not None:
            first = self._seq("at", "seq", at__gte=self.since - CLOCKS_DIFFER)
            if first is None:
                return found.none()
            found = found.filter(at__gte=self.since, seq__gte=first)
        if self.until is not None:
            last = self._seq("-at", "-seq", at__lte=self.until + CLOCKS_DIFFER)
            if last is None:
                return found.none()
            found = found.filter(at__lte=self.until, seq__lte=last)
        return found

    def _seq(self, *order: str, **condition: datetime) -> int | None:
        """The outermost event of one side of a moment."""
        return (
            Event.objects.filter(clinic_id=self.chain, **condition)
            .order_by(*order)
            .values_list("seq", flat=True)
            .first()
        )


def latest(chain: UUID, verb: Verb) -> Event | None:
    return Event.objects.filter(clinic_id=chain, verb=verb).order_by("-seq").first()
