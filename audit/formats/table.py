"""The journal as CSV for a spreadsheet of this region: semicolons, UTF-8 with its mark, no cell that is a formula."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from io import StringIO

from audit.chain import written
from audit.models import Event

COLUMNS = (
    "seq", "at", "verb", "outcome", "reason_code", "purpose", "context", "actor_id", "actor_name", "role",
    "object_type", "object_id", "document_id", "page", "count", "component", "request_id", "ip", "hash",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What makes a spreadsheet compute a cell (OWASP, CSV injection)."""


def write(events: Iterable[Event]) -> bytes:
    return rows_as_csv(COLUMNS, (_row(event) for event in events))


def rows_as_csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """A table of anything, as harmless text."""
    file = StringIO(newline="")
    writer = csv.writer(file, delimiter=";", lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows([_harmless(cell) for cell in row] for row in rows)
    return file.getvalue().encode("utf-8-sig")


def _row(event: Event) -> list[object]:
    own = {"at": written(event.at), "hash": bytes(event.hash).hex()}
    return [own.get(name, getattr(event, name)) for name in COLUMNS]


def _harmless(cell: object) -> str:
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.startswith(_FORMULA) else text
