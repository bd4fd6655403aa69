"""A model's files in a folder of this machine or of a mounted share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from extraction.llm.weights import checksums
from extraction.llm.weights.checksums import MANIFEST, BadWeights
from extraction.llm.weights.fetching import Interrupted, Piece, RemoteFile, listed

_CHUNK = 1024 * 1024


class Folder:
    """A source. `expected` is a list of checksums; without one the folder's own is taken."""

    def __init__(self, path: Path, expected: Mapping[str, str] | None = None) -> None:
        self._path = path
        self._expected = expected

    def files(self) -> Sequence[RemoteFile]:
        if not self._path.is_dir():
            raise BadWeights("The folder to fetch from does not exist.")
        sizes = {name: (self._path / name).stat().st_size for name in checksums.names(self._path)}
        return listed(sizes, self._expected if self._expected is not None else self._own())

    @contextmanager
    def read(self, name: str, start: int) -> Iterator[Piece]:
        try:
            with (self._path / name).open("rb") as file:
                file.seek(start)
                yield Piece(start, iter(lambda: file.read(_CHUNK), b""))
        except OSError as error:
            raise Interrupted(f"{name} cannot be read: {error.strerror}.") from error

    def _own(self) -> Mapping[str, str]:
        if not checksums.has_manifest(self._path):
            raise BadWeights(f"The folder to fetch from has no {MANIFEST}; name a list with --checksums.")
        return checksums.parse((self._path / MANIFEST).read_text(encoding="utf-8"))
