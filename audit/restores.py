"""After a restore: what anchors elsewhere say was lost, and a named person's word for it (decision 0050)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from audit import anchors
from audit.losses import Loss
from audit.models import Anchor, ChainHead, Event
from audit.record import Actor, record
from audit.signing import private_key
from audit.verbs import Purpose, Verb
from audit.verify import evidence

REASONS = ("failure", "mistake", "attack", "drill")


class CannotAcknowledge(Exception):
    """Its text is a sentence for the person."""


def lost(chain: UUID) -> Loss | None:
    """What signed anchors of other places speak of and the database does not know. None where nothing is known.

    Raises CannotAcknowledge where the places contradict each other, cannot be asked, or the journal was anchored since.
    """
    newest = anchors.newest(chain)
    here = newest.number if newest is not None else 0
    kept = evidence(chain, every_copy=True)
    beyond = [note for number, note in sorted(kept.notes.items()) if number > here]
    kinds = {problem.kind for problem in kept.judged()} - {"missing_anchor", "missing_copy"}
    if kinds:
        raise CannotAcknowledge(f"The anchors are in doubt themselves ({', '.join(sorted(kinds))}).")
    if not beyond:
        return None
    if [note.number for note in beyond] != list(range(here + 1, here + 1 + len(beyond))):
        raise CannotAcknowledge("Anchors are missing in every place.")
    # What was written after the restore is younger than the youngest anchor that it lost.
    kept_events = Event.objects.filter(clinic_id=chain, at__lte=beyond[-1].at)
    first = (kept_events.aggregate(last=Max("seq"))["last"] or 0) + 1
    return Loss(chain, first, max(first - 1, beyond[-1].seq), here + 1, beyond[-1].number, beyond[-1].digest().hex())


def acknowledge(chain: UUID, moment: datetime, *, reason: str, by: Actor) -> Loss | None:
    """Writes the event, takes the lost anchors into the table, so that the next one follows them, and makes that one.

    None where nothing was lost. Raises CannotAcknowledge, NoAnchorKey, BrokenChain.
    """
    if reason not in REASONS:
        raise CannotAcknowledge("This is none of the reasons.")
    key = private_key()
    with transaction.atomic():
        # Of two people who acknowledge it in the same moment, the second finds nothing lost.
        ChainHead.objects.select_for_update().filter(clinic_id=chain).first()
        loss = lost(chain)
        if loss is None:
            return None
        for number, note in sorted(evidence(chain, every_copy=True).notes.items()):
            if number >= loss.first_anchor:
                Anchor.of(note).save(force_insert=True)
        record(Verb.RESTORED, by=by, clinic_id=chain, reason_code=reason, purpose=Purpose.AUDIT,
               count=loss.last - loss.first + 1, details=loss.details(by.pk, reason, key))  # fmt: skip
    anchors.anchor(chain, moment, key)
    return loss
