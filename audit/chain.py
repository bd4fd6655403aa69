"""The hash chain: what is hashed, and how. Pure.

hash = SHA-256("nam-audit/v1" ‖ previous hash ‖ canonical bytes). Canonical bytes are RFC 8785 JSON; it is enough to
sort keys and leave out white space because only strings, integers, booleans and null are ever hashed.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from audit.models import Event

VERSION = "nam-audit/v1"
GENESIS = bytes(32)

HASHED_FIELDS = (
    "verb", "outcome", "reason_code", "purpose", "actor_name", "role", "object_type", "page", "count", "details",
    "component", "request_id", "ip", "seq",
)  # fmt: skip
HASHED_IDS = ("event_id", "clinic_id", "actor_id", "object_id", "document_id")


def canonical(event: Event) -> bytes:
    """The bytes of an event that its hash speaks for: everything but the hashes themselves."""
    body: dict[str, Any] = {name: getattr(event, name) for name in HASHED_FIELDS}
    body |= {name: str(value) if (value := getattr(event, name)) else None for name in HASHED_IDS}
    body["at"] = event.at.astimezone(UTC).isoformat(timespec="microseconds")
    body["subject"] = bytes(event.subject).hex() if event.subject is not None else None
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def link(previous: bytes, event: Event) -> bytes:
    """The hash of `event` when it stands behind the event whose hash is `previous`."""
    return hashlib.sha256(VERSION.encode() + previous + canonical(event)).digest()
