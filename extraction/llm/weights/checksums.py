"""What every file of a model must be: a list of SHA-256 checksums in the form of the `sha256sum` tool.

A model's folder has its own in SHA256SUMS, so that `sha256sum --check SHA256SUMS` says the same as `verify`. What is in
a folder and not in its list is refused too: vLLM loads every weights file that it finds. The list shows damage and
mix-ups; it stops an attacker only where it was kept apart from the files (`manage.py fetch_model --checksums`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

MANIFEST = "SHA256SUMS"
PART = ".part"
"""The suffix of a file that is not there as a whole yet."""

_LINE = re.compile(r"([0-9a-fA-F]{64}) [ *](.+)")
_CHUNK = 1024 * 1024


class BadWeights(Exception):
    """The files of a model are not what they should be, or cannot be had. Its text is one plain sentence."""


@dataclass(frozen=True, slots=True)
class Digest:
    """A checksum in lower-case hexadecimal digits.

    `git` is the name that git gives to a file: the SHA-1 of "blob", its size and its bytes. A hub has no other one for
    small files; the commit vouches for it.
    """

    kind: Literal["sha256", "git"]
    value: str


@dataclass(frozen=True, slots=True)
class Digests:
    """Both checksums of a file, from one reading."""

    sha256: str
    git: str

    def match(self, expected: Digest) -> bool:
        return (self.sha256 if expected.kind == "sha256" else self.git) == expected.value


def parse(text: str) -> dict[str, str]:
    """The SHA-256 of each name in a list. Raises BadWeights if a line is none, or a name leads out of the folder."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line.rstrip())
        if match is None:
            raise BadWeights(
                "The list of checksums is not in the form of sha256sum: a checksum, two spaces and a name."
            )
        found[safe_name(match[2])] = match[1].lower()
    if not found:
        raise BadWeights("The list of checksums is empty.")
    return found


def write(checksums: Mapping[str, str], *, note: str) -> str:
    """A list under a line of comment, by name."""
    return f"# {note}\n" + "".join(f"{checksums[name]}  {name}\n" for name in sorted(checksums))


def safe_name(name: str) -> str:
    """The name of a file below a folder, with slashes. Raises BadWeights for one that leads anywhere else."""
    path = PurePosixPath(name)
    plain = name.isprintable() and "\\" not in name and str(path) == name
    if not plain or path.is_absolute() or ".." in path.parts or name in ("", ".") or path.suffix == PART:
        raise BadWeights("A file of the model has a name that leads out of its folder or is no plain name.")
    return name


def digests(path: Path) -> Digests:
    """Reads the file once. Raises OSError."""
    whole = hashlib.sha256()
    named = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            whole.update(chunk)
            named.update(chunk)
    return Digests(whole.hexdigest(), named.hexdigest())


def has_manifest(folder: Path) -> bool:
    return (folder / MANIFEST).is_file()


def verify(folder: Path) -> int:
    """How many files were compared with the folder's list. Reads all of them: a minute for 16 GB. Raises BadWeights."""
    listed = parse((folder / MANIFEST).read_text(encoding="utf-8"))
    for name, expected in listed.items():
        if not (folder / name).is_file():
            raise BadWeights(f"The model's folder lacks {name}, which its {MANIFEST} lists.")
        if digests(folder / name).sha256 != expected:
            raise BadWeights(f"{name} is not what the {MANIFEST} of its folder says; fetch the model again.")
    if foreign := sorted(set(names(folder)) - set(listed)):
        raise BadWeights(f"The model's folder holds {foreign[0]}, which its {MANIFEST} does not list.")
    return len(listed)


def names(folder: Path) -> Iterator[str]:
    """Every file below the folder, but its list and what is not there as a whole."""
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix != PART and path != folder / MANIFEST:
            yield path.relative_to(folder).as_posix()
