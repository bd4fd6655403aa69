"""What a restore lost, as a person acknowledged it: an event of the chain with a signature of its own.

A restored database ends earlier than anchors elsewhere say. Those anchors stay, and go on proving that something is
gone; the event says which events they spoke of, who knows, and why. The signature is the anchor key's, which is not
where the database is: without it, whoever owns the database could cut off a tail and acknowledge that themselves.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from audit.chain import canonical_json
from audit.models import Event
from audit.notes import Note
from audit.signing import PublicKeys, is_signed, key_id
from audit.verbs import Verb

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

LABEL = b"nam-audit-restore/v1"


@dataclass(frozen=True, slots=True)
class Loss:
    """Events `first` to at least `last` of a chain are gone; anchors `first_anchor` to `last_anchor` speak of them.

    `digest` is that of the last of these anchors. Events behind it may have been lost as well: nothing speaks of them.
    """

    chain: UUID
    first: int
    last: int
    first_anchor: int
    last_anchor: int
    digest: str

    def covers(self, note: Note) -> bool:
        """Whether the anchor speaks of a lost event. One that was lost itself may speak of an event that is there."""
        return self.first_anchor <= note.number <= self.last_anchor and note.seq >= self.first

    def details(self, by: UUID, reason: str, key: Ed25519PrivateKey) -> dict[str, str | int | bool | None]:
        """Of the event that `by` acknowledges it with: all but what the event says anyway."""
        named = key_id(key.public_key())
        signature = key.sign(self._signed_bytes(by, reason, named))
        return {
            "first": self.first,
            "last": self.last,
            "first_anchor": self.first_anchor,
            "last_anchor": self.last_anchor,
            "digest": self.digest,
            "key": named,
            "signature": base64.b64encode(signature).decode(),
        }

    def _signed_bytes(self, by: UUID | None, reason: str, key: str) -> bytes:
        body = {
            "chain": str(self.chain), "first": self.first, "last": self.last, "first_anchor": self.first_anchor,
            "last_anchor": self.last_anchor, "digest": self.digest, "by": str(by), "reason": reason, "key": key,
        }  # fmt: skip
        return LABEL + canonical_json(body)


def acknowledged(event: Event, keys: PublicKeys) -> Loss | None:
    """The loss that an event acknowledges; None for any other event, and where the signature does not hold."""
    if event.verb != Verb.RESTORED:
        return None
    said: dict[str, Any] = event.details
    try:
        numbers = (said["first"], said["last"], said["first_anchor"], said["last_anchor"])
        loss = Loss(event.clinic_id, *numbers, digest=said["digest"])
        signature = base64.b64decode(said["signature"], validate=True)
        key = keys[said["key"]]
    except (KeyError, TypeError, binascii.Error):
        return None
    signed = loss._signed_bytes(event.actor_id, event.reason_code, said["key"])
    return loss if is_signed(signed, signature, key) else None


def of_chain(chain: UUID, keys: PublicKeys) -> list[Loss]:
    """Every loss that was acknowledged, oldest first."""
    events: Iterable[Event] = Event.objects.filter(clinic_id=chain, verb=Verb.RESTORED).order_by("seq")
    return [loss for event in events if (loss := acknowledged(event, keys)) is not None]
