"""Does the journal still say what was written? Recomputes a chain from its first event to its head."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from audit.chain import GENESIS, link
from audit.models import ChainHead, Event


@dataclass(frozen=True, slots=True)
class Problem:
    """`kind`: changed, gap, broken_link, missing_tail (events cut off the end) or missing_head."""

    clinic_id: UUID
    seq: int
    kind: str

    @property
    def is_tampering(self) -> bool:
        """A chain without its head cannot be judged to its end: that is incomplete, everything else is tampering."""
        return self.kind != "missing_head"


def chains() -> list[UUID]:
    """Every chain that has events or a head."""
    heads = set(ChainHead.objects.values_list("clinic_id", flat=True))
    return sorted(heads | set(Event.objects.values_list("clinic_id", flat=True).distinct()))


def verify_chain(clinic_id: UUID) -> Iterator[Problem]:
    """The problems of one chain in their order; none when it is intact."""
    previous, expected = GENESIS, 1
    for event in Event.objects.filter(clinic_id=clinic_id).order_by("seq").iterator(chunk_size=2000):
        if event.seq != expected:
            yield Problem(clinic_id, expected, "gap")
        elif bytes(event.prev_hash) != previous:
            yield Problem(clinic_id, event.seq, "broken_link")
        if link(bytes(event.prev_hash), event) != bytes(event.hash):
            yield Problem(clinic_id, event.seq, "changed")
        previous, expected = bytes(event.hash), event.seq + 1
    head = ChainHead.objects.filter(clinic_id=clinic_id).first()
    if head is None:
        if expected > 1:
            yield Problem(clinic_id, expected, "missing_head")
    elif head.seq != expected - 1 or (expected > 1 and bytes(head.hash) != previous):
        yield Problem(clinic_id, expected, "missing_tail")
