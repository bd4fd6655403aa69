"""Brings the files of a model into a folder, whole and verified, or not at all.

Contract
- A file is received as NAME.part, compared with its checksum, and then renamed in one step: whatever bears its own name
  is complete and right.
- A broken connection is taken up where it broke, in the same run (`PAUSES`, counted anew after every byte received) and
  by the next one.
- A file that is there already is verified and left as it is. One that is something else is never overwritten.
- SHA256SUMS is written last: a folder that has it was complete once.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from extraction.llm.profiles import GIB
from extraction.llm.weights import checksums
from extraction.llm.weights.checksums import MANIFEST, PART, BadWeights, Digest

PAUSES = (1.0, 5.0, 15.0, 60.0)
"""Seconds before each further attempt at a file that stopped coming."""


class Interrupted(Exception):
    """The source stopped answering; the same request may succeed later. Its text is one plain sentence."""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One file of a model. `size` is bytes."""

    name: str
    size: int
    digest: Digest


@dataclass(frozen=True, slots=True)
class Piece:
    """The bytes of a file from `start` on, which may be less than what was asked for, but not more."""

    start: int
    chunks: Iterator[bytes]


class Source(Protocol):
    """Where a model's files are. Both methods raise Interrupted, or BadWeights where no further attempt helps."""

    def files(self) -> Sequence[RemoteFile]: ...

    def read(self, name: str, start: int) -> AbstractContextManager[Piece]:
        """The file from byte `start` on, or as a whole if the source cannot do that."""


Progress = Callable[[str, int, int], None]
"""Is told a file's name, the bytes of all files that are there by now, and the bytes of all files."""


def listed(sizes: Mapping[str, int], expected: Mapping[str, str]) -> list[RemoteFile]:
    """The files that a list of checksums names, out of all that a source has. Raises BadWeights if one is missing."""
    if missing := sorted(set(expected) - set(sizes)):
        raise BadWeights(f"{missing[0]} is in the list of checksums and not where the model is to be fetched from.")
    return [RemoteFile(name, sizes[name], Digest("sha256", expected[name])) for name in sorted(expected)]


def fetch(source: Source, folder: Path, *, note: str, progress: Progress = lambda *_: None) -> dict[str, str]:
    """The SHA-256 of every file of `source`, all of which are in `folder` then. `note` goes into its list.

    Raises BadWeights, Interrupted when the source stays silent (what came is kept), OSError for faults of the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = source.files()
    total = sum(file.size for file in files)
    _check_space(folder, files)
    done, found = 0, {}
    for file in files:
        target = folder / checksums.safe_name(file.name)
        if target.exists():
            found[file.name] = _kept(file, target)
        else:
            found[file.name] = _fetched(source, file, target, partial(_tell, progress, file.name, done, total))
        done += file.size
        progress(file.name, done, total)
    _write_manifest(folder / MANIFEST, checksums.write(found, note=note))
    return found


def _tell(progress: Progress, name: str, before: int, total: int, received: int) -> None:
    progress(name, before + received, total)


def _check_space(folder: Path, files: Sequence[RemoteFile]) -> None:
    missing = sum(file.size - _size(_part(folder / file.name)) for file in files if not (folder / file.name).exists())
    free = shutil.disk_usage(folder).free
    if missing > free:
        raise BadWeights(f"The model takes {missing / GIB:.1f} GiB more, and its disk has {free / GIB:.1f} GiB free.")


def _kept(file: RemoteFile, target: Path) -> str:
    """The SHA-256 of a file that is there already. Raises BadWeights if it is another one."""
    present = checksums.digests(target)
    if not present.match(file.digest):
        raise BadWeights(f"{file.name} is in the folder already and is not this model's; choose another folder.")
    return present.sha256


def _fetched(source: Source, file: RemoteFile, target: Path, received: Callable[[int], None]) -> str:
    """The SHA-256 of a file that is brought into its place."""
    part = _part(target)
    part.parent.mkdir(parents=True, exist_ok=True)
    if _size(part) > file.size:
        part.unlink()
    part.touch()
    attempts = 0
    while (before := _size(part)) < file.size:
        try:
            _receive(source, file, part, received)
        except Interrupted:
            attempts = attempts + 1 if _size(part) <= before else 1
            if attempts > len(PAUSES):
                raise
            time.sleep(PAUSES[attempts - 1])
    return _finished(file, part, target)


def _receive(source: Source, file: RemoteFile, part: Path, received: Callable[[int], None]) -> None:
    """Appends to `part` what the source has beyond it. Raises Interrupted if that is not the whole file."""
    with source.read(file.name, _size(part)) as piece, part.open("r+b") as out:
        out.truncate(piece.start)
        out.seek(piece.start)
        for chunk in piece.chunks:
            out.write(chunk)
            received(out.tell())
            if out.tell() > file.size:
                break
    if _size(part) < file.size:
        raise Interrupted(f"{file.name} stopped coming; the same command goes on where it stopped.")


def _finished(file: RemoteFile, part: Path, target: Path) -> str:
    present = checksums.digests(part)
    if part.stat().st_size != file.size or not present.match(file.digest):
        part.unlink()
        raise BadWeights(f"{file.name} came with a wrong checksum and was removed; fetch it again.")
    with part.open("rb") as written:
        os.fsync(written.fileno())
    part.rename(target)
    return present.sha256


def _write_manifest(path: Path, text: str) -> None:
    part = _part(path)
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def _part(target: Path) -> Path:
    return target.with_name(target.name + PART)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
