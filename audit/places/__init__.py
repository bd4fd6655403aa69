"""Where anchors are kept besides the database: folders, and a bucket that lets nobody remove them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol
from uuid import UUID

from django.conf import settings

from audit.notes import Note
from audit.places.errors import PlaceUnavailable
from audit.places.folder import Folder

__all__ = ["Place", "PlaceUnavailable", "places"]


class Place(Protocol):
    """Somewhere to keep anchors. Every method raises PlaceUnavailable."""

    @property
    def name(self) -> str: ...

    def add(self, note: Note) -> None:
        """Keeps a note behind those that are there. The same one twice is no harm."""

    def lines(self, chain: UUID, *, newest: int | None = None) -> Iterator[str]:
        """What is kept of a chain, oldest first, as it stands there; the `newest` so many where reading all is slow."""


def places() -> list[Place]:
    """Those of the settings."""
    found: list[Place] = [Folder(Path(folder)) for folder in settings.AUDIT_ANCHOR_DIRS]
    if settings.AUDIT_ANCHOR_S3_BUCKET:
        from audit.places.s3 import LockedBucket

        found.append(
            LockedBucket(
                settings.AUDIT_ANCHOR_S3_BUCKET,
                region=settings.AWS_REGION,
                endpoint_url=settings.AWS_ENDPOINT_URL,
                days=settings.AUDIT_ANCHOR_S3_DAYS,
            )
        )
    return found
