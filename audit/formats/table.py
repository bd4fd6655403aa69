"""The journal as a table for a spreadsheet."""

from __future__ import annotations

from collections.abc import Iterable

from audit.chain import written
from audit.formats.spreadsheet import to_csv
from audit.models import Event

COLUMNS = (
    "seq", "at", "verb", "outcome", "reason_code", "purpose", "context", "actor_id", "actor_name", "role",
    "object_type", "object_id", "document_id", "page", "count", "component", "request_id", "ip", "hash",
)  # fmt: skip


def write(events: Iterable[Event]) -> bytes:
    return to_csv(COLUMNS, (_row(event) for event in events))


def _row(event: Event) -> list[object]:
    own = {"at": written(event.at), "hash": bytes(event.hash).hex()}
    return [own.get(name, getattr(event, name)) for name in COLUMNS]
