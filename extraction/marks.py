"""Where a screen of a long list ended: the next one begins behind that row (a keyset) and costs what the first did."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Mark(NamedTuple):
    """The row's moment in the order of the list, and its document."""

    moment: datetime
    document_id: UUID

    def __str__(self) -> str:
        return f"{(self.moment - EPOCH) // timedelta(microseconds=1)}-{self.document_id.hex}"

    @classmethod
    def read(cls, text: str) -> Mark | None:
        """None for anything that is no mark: the list then begins at its head."""
        moment, _dash, document = text.rpartition("-")
        try:
            return cls(EPOCH + timedelta(microseconds=int(moment)), UUID(hex=document))
        except (ValueError, OverflowError):
            return None
