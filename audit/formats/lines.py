"""JSON lines that `audit/standalone/verify.py` checks: a signed first line, then every event with its hashes."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from audit.chain import body, canonical_json, written
from audit.models import Event
from audit.notes import EXPORT_LABEL
from audit.signing import NoAnchorKey, key_id, private_key

FORMAT = "nam-audit-export/v1"


@dataclass(frozen=True, slots=True)
class Span:
    """Events `first` to `last` of a chain; `is_to_head` where it ended there at `at`."""

    chain: UUID
    first: int
    last: int
    prev_hash: bytes
    hash: bytes
    at: datetime
    is_to_head: bool

    def body(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "chain": str(self.chain),
            "first": self.first,
            "last": self.last,
            "prev_hash": self.prev_hash.hex(),
            "hash": self.hash.hex(),
            "at": written(self.at),
            "is_to_head": self.is_to_head,
        }


def first_line(span: Span) -> str:
    """What is in the file, signed where this process has the key: nobody can cut off its end then."""
    said = span.body()
    try:
        key = private_key()
    except NoAnchorKey:
        return canonical_json(said).decode()
    said["key"] = key_id(key.public_key())
    signature = base64.b64encode(key.sign(EXPORT_LABEL + canonical_json(said))).decode()
    return canonical_json(said | {"signature": signature}).decode()


def event_line(event: Event) -> str:
    hashes = {"prev_hash": bytes(event.prev_hash).hex(), "hash": bytes(event.hash).hex()}
    return canonical_json(body(event) | hashes).decode()


def write(span: Span, events: Iterable[Event]) -> Iterator[str]:
    """The lines of a file, each with its end."""
    yield first_line(span) + "\n"
    for event in events:
        yield event_line(event) + "\n"
