"""Reading the journal of one chain."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from audit import anchors
from audit.chain import GENESIS
from audit.formats.lines import Span
from audit.models import Anchor, ChainHead, Event


class NothingToExport(Exception):
    """The chain has no event in that span."""


def whole(chain: UUID, moment: datetime) -> Span:
    """All events up to the anchor that was just made at `moment`, or else to where the chain ends."""
    anchor = anchors.newest(chain)
    if anchor is not None and anchor.at == moment:
        return _span(chain, 1, anchor.seq, moment, is_to_head=True)
    head = ChainHead.objects.filter(clinic_id=chain).first()
    return _span(chain, 1, head.seq if head is not None else 0, moment, is_to_head=True)


def part(chain: UUID, moment: datetime, *, first: int, last: int) -> Span:
    """Events `first` to `last`."""
    return _span(chain, first, last, moment, is_to_head=False)


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
