"""Anchors: when one is due, making it, and taking it to the other places.

The scheduler does all of it; whoever writes an event only moves the chain's head, by which it is seen how far the
anchors lag behind. So the key need not be where web requests are answered, and a place that is down delays nobody.

Before a hash is signed, the events since the anchor before are computed again: nothing is signed that does not follow
from what was signed (a log must not sign a checkpoint that contradicts an earlier one).
"""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import DateTimeField, F, OuterRef, PositiveBigIntegerField, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from audit import losses
from audit.chain import GENESIS, is_link
from audit.models import Anchor, AnchorMark, ChainHead, Event
from audit.notes import NotANote, Note, read
from audit.places import Place, PlaceUnavailable, places
from audit.signing import NoAnchorKey, is_signed, key_id, private_key, public_keys

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

logger = logging.getLogger(__name__)

EVERY_EVENTS = 1000
EVERY = timedelta(minutes=15)
LATE = 2 * EVERY
"""After this an event without an anchor is a problem."""
MOST_EVENTS = 20_000
"""Of one anchor: a chain that is older than its anchors catches up in steps, so that no round takes long."""
MOST_COPIES = 50
"""That are taken to one place in one round."""
ROUND = timedelta(seconds=10)
PAUSE = timedelta(minutes=1)
"""After a failure."""
HERE = ""
"""The place of `AnchorMark` that is the signing itself."""


class BrokenChain(Exception):
    """The events do not follow from the newest anchor: nothing is signed."""


class NotAcknowledged(BrokenChain):
    """A place keeps an anchor that the database does not know: a restore lost it, and nobody acknowledged that yet.
    Another anchor of the same number would contradict it."""


def newest(chain: UUID) -> Anchor | None:
    return Anchor.objects.filter(clinic_id=chain).order_by("-number").first()


def lagging() -> QuerySet[ChainHead]:
    """The chains with events behind their newest anchor: `anchored` is its event, `anchored_at` when it was made."""
    last = Anchor.objects.filter(clinic_id=OuterRef("clinic_id")).order_by("-number")
    heads = ChainHead.objects.annotate(
        anchored=Coalesce(Subquery(last.values("seq")[:1]), 0, output_field=PositiveBigIntegerField()),
        anchored_at=Subquery(last.values("at")[:1], output_field=DateTimeField()),
    )
    return heads.filter(seq__gt=F("anchored"))


def due(moment: datetime) -> list[UUID]:
    """The chains whose newest anchor is old, or many events ago. One of the future was made by a wrong clock."""
    old = Q(anchored_at=None) | Q(anchored_at__lte=moment - EVERY) | Q(anchored_at__gt=moment + EVERY)
    many = Q(seq__gte=F("anchored") + EVERY_EVENTS)
    return list(lagging().filter(old | many).values_list("clinic_id", flat=True))


def anchor(chain: UUID, moment: datetime, key: Ed25519PrivateKey) -> Anchor | None:
    """Signs where the chain stands now, up to MOST_EVENTS further than before. None where nothing is new.

    Raises BrokenChain, NotAcknowledged. Takes no lock: what is signed are events that are committed.
    """
    before = newest(chain)
    if _is_behind(chain, before):
        raise NotAcknowledged
    at = _proven(chain)
    seq, last = _follow(chain, *at)
    if seq == at[0]:
        return None
    note = Note(
        chain=chain,
        number=before.number + 1 if before is not None else 1,
        seq=seq,
        hash=last,
        previous=before.note.digest() if before is not None else GENESIS,
        at=moment,
        key_id=key_id(key.public_key()),
    )
    return _stored(replace(note, signature=key.sign(note.signed_bytes())))


def _proven(chain: UUID) -> tuple[int, bytes]:
    """Number and hash of the newest event that an anchor speaks of; not those that a restore lost."""
    gone = losses.of_chain(chain, public_keys())
    for each in Anchor.objects.filter(clinic_id=chain).order_by("-number").iterator():
        if not any(loss.covers(each.note) for loss in gone):
            return each.seq, bytes(each.hash)
    return 0, GENESIS


def _is_behind(chain: UUID, last: Anchor | None) -> bool:
    """Whether a place keeps a younger anchor. One that cannot be asked delays nothing."""
    keys, here = public_keys(), last.number if last is not None else 0
    for place in places():
        with suppress(PlaceUnavailable):
            for line in place.lines(chain, newest=1):
                with suppress(NotANote):
                    note = read(line)
                    key = keys.get(note.key_id)
                    if note.number > here and key and is_signed(note.signed_bytes(), note.signature, key):
                        return True
    return False


def _follow(chain: UUID, seq: int, last: bytes) -> tuple[int, bytes]:
    """The newest event that follows link by link from event `seq`, whose hash was `last`. Raises BrokenChain."""
    head = ChainHead.objects.filter(clinic_id=chain).first()
    if head is None:
        raise BrokenChain
    until = min(head.seq, seq + MOST_EVENTS)
    for event in Event.objects.filter(clinic_id=chain, seq__gt=seq, seq__lte=until).order_by("seq").iterator():
        if event.seq != seq + 1 or bytes(event.prev_hash) != last or not is_link(last, event):
            raise BrokenChain
        seq, last = event.seq, bytes(event.hash)
    if seq != until or (seq == head.seq and last != bytes(head.hash)):
        raise BrokenChain
    return seq, last


def _stored(note: Note) -> Anchor | None:
    row = Anchor.of(note)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:  # Another scheduler made it in the same moment.
        return None
    return row


@dataclass
class Anchorer:
    """Makes the anchors that are due and takes them to every place. Raises database errors, and nothing else."""

    rounded_at: datetime | None = None

    def round(self, moment: datetime) -> None:
        if self.rounded_at is not None and timedelta(0) <= moment - self.rounded_at < ROUND:
            return
        self.rounded_at = moment
        if settings.AUDIT_ANCHOR_KEY_FILE:
            make_due(moment)
        deliver(moment)


def make_due(moment: datetime) -> None:
    """Signs every chain that is due. What stands in the way is kept in its mark, and tried again."""
    chains = [chain for chain in due(moment) if not _pauses(chain, HERE, moment)]
    if not chains:
        return
    try:
        key = private_key()
    except NoAnchorKey:
        _fail(chains, HERE, "no_key", moment)
        return
    for chain in chains:
        _make(chain, moment, key)


def make_now(moment: datetime, key: Ed25519PrivateKey) -> int:
    """Signs every chain with anything new, due or not. How many anchors were made."""
    return sum(_make(chain, moment, key) for chain in lagging().values_list("clinic_id", flat=True))


def make_for_export(chain: UUID, moment: datetime) -> bool:
    """Signs the chain to its end, so that everything that leaves is proven. False where the key is not here or not
    to be had, or nothing may be signed: an export goes on without."""
    try:
        key = private_key()
        while anchor(chain, moment, key) is not None:
            pass
    except (NoAnchorKey, BrokenChain):
        return False
    return True


def _make(chain: UUID, moment: datetime, key: Ed25519PrivateKey) -> bool:
    try:
        made = anchor(chain, moment, key)
    except NotAcknowledged:
        _fail([chain], HERE, "restored", moment)
        return False
    except BrokenChain:
        _fail([chain], HERE, "broken_chain", moment)
        return False
    if made is not None:
        _reach(chain, HERE, made.number, moment)
    return made is not None


def deliver(moment: datetime) -> None:
    """Takes the anchors that a place does not have yet to it, in their order."""
    last = dict(Anchor.objects.order_by("number").values_list("clinic_id", "number"))
    for place in places():
        had = dict(AnchorMark.objects.filter(place=place.name).values_list("clinic_id", "number"))
        behind = [chain for chain, number in last.items() if had.get(chain, 0) < number]
        if any(_pauses(chain, place.name, moment) for chain in behind):
            continue
        _deliver_to(place, {chain: had.get(chain, 0) for chain in behind}, moment)


def _deliver_to(place: Place, behind: dict[UUID, int], moment: datetime) -> None:
    left = MOST_COPIES
    for chain, number in behind.items():
        for each in Anchor.objects.filter(clinic_id=chain, number__gt=number).order_by("number")[:left]:
            try:
                place.add(each.note)
            except PlaceUnavailable as error:
                _fail(list(behind), place.name, error.code, moment)
                return
            _reach(chain, place.name, each.number, moment)
            left -= 1
        if left <= 0:
            return


def _pauses(chain: UUID, place: str, moment: datetime) -> bool:
    """Whether it failed there a moment ago."""
    failing = AnchorMark.objects.filter(clinic_id=chain, place=place, failing_since__isnull=False)
    return failing.filter(tried_at__gt=moment - PAUSE).exists()


def _fail(chains: list[UUID], place: str, error: str, moment: datetime) -> None:
    for chain in chains:
        mark, _made = AnchorMark.objects.get_or_create(clinic_id=chain, place=place)
        if mark.error != error:
            logger.error("anchors of the journal cannot be %s (%s)", "kept in a place" if place else "signed", error)
        AnchorMark.objects.filter(pk=mark.pk).update(
            failing_since=mark.failing_since or moment, tried_at=moment, error=error
        )


def _reach(chain: UUID, place: str, number: int, moment: datetime) -> None:
    AnchorMark.objects.update_or_create(
        clinic_id=chain,
        place=place,
        defaults={"number": number, "reached_at": moment, "tried_at": moment, "failing_since": None, "error": ""},
    )


def is_on_its_way(chain: UUID, place: str, number: int) -> bool:
    """Whether nobody said yet that anchor `number` is kept there: it is late then, and not missing."""
    return not AnchorMark.objects.filter(clinic_id=chain, place=place, number__gte=number).exists()
