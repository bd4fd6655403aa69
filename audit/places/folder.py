"""A folder with one file of lines a chain, to which anchors are added."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from audit.notes import Note
from audit.places.errors import PlaceUnavailable


class Folder:
    """See `audit.places.Place`. The file of a chain is `CHAIN.jsonl`; reading always gives all of it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def name(self) -> str:
        return str(self._folder)

    def add(self, note: Note) -> None:
        """One write at the end of the file, and on the disk when it returns."""
        line = f"{note.line()}\n".encode()
        try:
            self._folder.mkdir(mode=0o750, parents=True, exist_ok=True)
            file = os.open(self._file(note.chain), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
            try:
                os.write(file, line)
                os.fsync(file)
            finally:
                os.close(file)
        except OSError:
            raise PlaceUnavailable("unwritable") from None

    def lines(self, chain: UUID, *, newest: int | None = None) -> Iterator[str]:
        try:
            text = self._file(chain).read_text(encoding="utf-8")
        except FileNotFoundError:
            return
        except (OSError, UnicodeDecodeError):
            raise PlaceUnavailable("unreadable") from None
        yield from text.splitlines()

    def _file(self, chain: UUID) -> Path:
        return self._folder / f"{chain}.jsonl"
