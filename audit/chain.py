"""The hash chain: what is hashed, and how. Pure.

hash = SHA-256(label ‖ previous hash ‖ canonical bytes). The label names the version of the form: an event keeps the one
it was written in, and a verifier knows them all. Canonical bytes are RFC 8785 JSON; it is enough to sort keys and leave
out white space because only strings, integers, booleans and null are ever hashed.

| version | label | says besides |
|---|---|---|
| 1 | nam-audit/v1 | |
| 2 | nam-audit/v2 | `version`, and `context`: care or administration (R-22.1 s. 103) |
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from audit.models import Event

NEWEST = 2
GENESIS = bytes(32)

HASHED_FIELDS = (
    "verb", "outcome", "reason_code", "purpose", "actor_name", "role", "object_type", "page", "count", "details",
    "component", "request_id", "ip", "seq",
)  # fmt: skip
HASHED_IDS = ("event_id", "clinic_id", "actor_id", "object_id", "document_id")
SINCE: dict[int, tuple[str, ...]] = {1: (), 2: ("version", "context")}
"""What each version hashes besides."""


def body(event: Event) -> dict[str, Any]:
    """Everything that the hash of an event speaks for, as JSON has it. Raises KeyError for an unknown version."""
    found: dict[str, Any] = {name: getattr(event, name) for name in HASHED_FIELDS + SINCE[event.version]}
    found |= {name: str(value) if (value := getattr(event, name)) else None for name in HASHED_IDS}
    found["at"] = written(event.at)
    found["subject"] = bytes(event.subject).hex() if event.subject is not None else None
    return found


def written(at: datetime) -> str:
    """A moment as it is hashed: UTC, microseconds."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def canonical(event: Event) -> bytes:
    """The bytes of an event that its hash speaks for: everything but the hashes themselves."""
    return canonical_json(body(event))


def canonical_json(value: dict[str, Any]) -> bytes:
    """RFC 8785 for objects of strings, integers, booleans and null."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def link(previous: bytes, event: Event) -> bytes:
    """The hash of `event` when it stands behind the event whose hash is `previous`."""
    return hashlib.sha256(f"nam-audit/v{event.version}".encode() + previous + canonical(event)).digest()


def is_link(previous: bytes, event: Event) -> bool:
    """Whether the event's own hash is the one that it should have behind `previous`."""
    return event.version in SINCE and link(previous, event) == bytes(event.hash)
