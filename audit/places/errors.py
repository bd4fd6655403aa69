"""What can go wrong with a place."""

from __future__ import annotations


class PlaceUnavailable(Exception):
    """An anchor could not be kept or read there. `code` is one of unwritable, unreadable, unreachable, refused."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
