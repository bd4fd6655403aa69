"""Anchors as notes: what one says, and the bytes that are signed.

An anchor says which hash stood at which place of a chain at a time, and which anchor came before it. Signed and kept
where the database's owner cannot write, it shows that a tail was cut off or a chain computed anew, which no chain can
show of itself (after the signed checkpoints of transparency logs, https://c2sp.org/tlog-checkpoint).

Signed are the label and the RFC 8785 JSON of the note without its signature, with Ed25519 (RFC 8032).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from audit.chain import canonical_json, written

ANCHOR_LABEL = b"nam-audit-anchor/v1"
EXPORT_LABEL = b"nam-audit-export/v1"


class NotANote(ValueError):
    """A line that says nothing which an anchor could say."""


@dataclass(frozen=True, slots=True)
class Note:
    """Anchor `number` of a chain: at `at`, event `seq` had this hash. `previous` is the digest of the note before."""

    chain: UUID
    number: int
    seq: int
    hash: bytes
    previous: bytes
    at: datetime
    key_id: str
    signature: bytes = b""

    def body(self) -> dict[str, Any]:
        return {
            "chain": str(self.chain),
            "number": self.number,
            "seq": self.seq,
            "hash": self.hash.hex(),
            "previous": self.previous.hex(),
            "at": written(self.at),
            "key": self.key_id,
        }

    def signed_bytes(self) -> bytes:
        return ANCHOR_LABEL + canonical_json(self.body())

    def digest(self) -> bytes:
        """What the next note names as its `previous`."""
        return hashlib.sha256(self.signed_bytes()).digest()

    def line(self) -> str:
        """One line of JSON, without its end."""
        signature = base64.b64encode(self.signature).decode()
        return canonical_json(self.body() | {"signature": signature}).decode()


def read(line: str) -> Note:
    """The note of a line. Raises NotANote, which repeats nothing of it."""
    try:
        said = json.loads(line)
        return Note(
            chain=UUID(said["chain"]),
            number=_whole(said["number"]),
            seq=_whole(said["seq"]),
            hash=bytes.fromhex(said["hash"]),
            previous=bytes.fromhex(said["previous"]),
            at=datetime.fromisoformat(said["at"]),
            key_id=str(said["key"]),
            signature=base64.b64decode(said["signature"], validate=True),
        )
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error, RecursionError):
        pass
    raise NotANote("This line is no anchor.")


def _whole(value: object) -> int:
    if type(value) is not int or value < 1:
        raise NotANote("This line is no anchor.")
    return value
