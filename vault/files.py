"""Whole documents, encrypted: one random key per file, kept apart from the file and itself sealed by the keyring.

    store = file_store()
    store.put(str(document.pk), pdf, aad=str(document.clinic_id).encode())
    pdf = store.get(str(document.pk), aad=str(document.clinic_id).encode())

A file is two objects on a shelf, `keys/NAME` (the sealed key of this one file) and `files/NAME` (its body). Destroying
the first destroys the file, whatever copies of the body remain: keep backups of `keys/` for days and of `files/` for as
long as you like. The key is made once per name, so two writers of one name cannot leave a body that no key opens.

Layout of a body, lengths in bytes:

    version (1, always 0x01) | nonce prefix (8, random) | chunks

Each chunk is AES-256-GCM of 64 KiB of plaintext (the last one of what remains, of nothing if the file is empty) with
its 16-byte tag; its nonce is the prefix and the chunk's number (4, big-endian). Its associated data hold the header,
the number, whether it is the last, and the name and `aad` of the file: a body that was cut, reordered, lengthened or
swapped raises.
"""

from __future__ import annotations

import os
import re
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.signals import setting_changed
from django.dispatch import receiver

from vault import crypto
from vault.errors import MisconfiguredVault, MissingFile, VaultError, VaultUnavailable
from vault.keys import KEY_BYTES

CHUNK_BYTES: Final = 64 * 1024
VERSION: Final = 1
PREFIX_BYTES: Final = 8

_HEADER_BYTES = 1 + PREFIX_BYTES
_SEALED_CHUNK_BYTES = CHUNK_BYTES + crypto.TAG_BYTES
_NAME = re.compile(r"[a-f0-9-]{1,128}")
_CANNOT_OPEN = "This file cannot be opened: it was altered, cut, or moved from its place."


class Shelf(Protocol):
    """Where objects lie. A place is `keys/NAME` or `files/NAME`. All methods raise VaultUnavailable if they must."""

    def read(self, place: str) -> bytes:
        """The whole object. Raises MissingFile."""

    def write(self, place: str, data: bytes) -> None:
        """The whole object or, if this fails, what was there before."""

    def create(self, place: str, data: bytes) -> bool:
        """As `write`, but only where nothing is yet; False if something was. Of two at once, one gets True."""

    def has(self, place: str) -> bool:
        """Whether something is there."""

    def remove(self, place: str) -> None:
        """Nothing is there afterwards, nor was it an error if nothing was there before."""

    def places(self, prefix: str) -> Iterator[str]:
        """Every place that begins with `prefix`, in no order."""


class EncryptedFileStore:
    """Documents by opaque name (lower-case hexadecimal and hyphens, such as a UUID), encrypted on a shelf."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def put(self, name: str, data: bytes, *, aad: bytes) -> None:
        """Keeps `data` under `name`, bound to both `name` and `aad`; replaces as a whole what was there.

        `aad` says whose file it is, and stays the same for a name. Raises VaultError.
        """
        _refuse_bad_name(name)
        self._shelf.write(f"files/{name}", seal_body(data, key=self._key_for_writing(name, aad), aad=_bound(name, aad)))

    def get(self, name: str, *, aad: bytes) -> bytes:
        """The data. Raises MissingFile, or VaultError if it is not exactly what was put under this name and `aad`."""
        _refuse_bad_name(name)
        return open_body(self._shelf.read(f"files/{name}"), key=self._key(name, aad), aad=_bound(name, aad))

    def delete(self, name: str) -> None:
        """Destroys body and key; once this returns, no copy of the body opens. A name that is not there is no error."""
        _refuse_bad_name(name)
        # The body goes first: a `rewrap` that writes the key after it was removed then sees that the file is gone.
        self._shelf.remove(f"files/{name}")
        self._shelf.remove(f"keys/{name}")

    def exists(self, name: str) -> bool:
        """Whether both key and body are there."""
        _refuse_bad_name(name)
        return self._shelf.has(f"keys/{name}") and self._shelf.has(f"files/{name}")

    def names(self) -> Iterator[str]:
        """Every name of which a key or a body is there, sorted: what an orphan check compares with the database."""
        places = (place for prefix in ("keys/", "files/") for place in self._shelf.places(prefix))
        return iter(sorted({place.rpartition("/")[2] for place in places}))

    def rewrap(self, name: str, *, aad: bytes) -> bool:
        """Seals the file's key under the current root key, for a rotation; False if it already was. The body stays."""
        _refuse_bad_name(name)
        sealed = self._shelf.read(f"keys/{name}")
        fresh = crypto.seal(_opened_key(sealed, name, aad), aad=_bound(name, aad), purpose="file")
        if crypto.key_id_of(sealed) == crypto.key_id_of(fresh):
            return False
        self._shelf.write(f"keys/{name}", fresh)
        if not self._shelf.has(f"files/{name}"):
            self._shelf.remove(f"keys/{name}")  # Deleted meanwhile: its key must not come back.
            raise MissingFile("There is no such file in the vault.")
        return True

    def _key(self, name: str, aad: bytes) -> bytes:
        return _opened_key(self._shelf.read(f"keys/{name}"), name, aad)

    def _key_for_writing(self, name: str, aad: bytes) -> bytes:
        """A fresh key, or the one that this name has: after a crash halfway, or when another writer was first."""
        key = secrets.token_bytes(KEY_BYTES)
        if self._shelf.create(f"keys/{name}", crypto.seal(key, aad=_bound(name, aad), purpose="file")):
            return key
        return self._key(name, aad)


def _opened_key(sealed: bytes, name: str, aad: bytes) -> bytes:
    return crypto.open(sealed, aad=_bound(name, aad), purpose="file")


def _bound(name: str, aad: bytes) -> bytes:
    """Name and `aad` as one. A name holds no zero byte, so no two pairs look alike."""
    return name.encode("ascii") + b"\0" + aad


def _refuse_bad_name(name: str) -> None:
    # The name itself stays out of the message: it may be what somebody typed.
    if not _NAME.fullmatch(name):
        raise VaultError("A file of the vault is named by lower-case hexadecimal digits and hyphens only.")


def seal_body(data: bytes, *, key: bytes, aad: bytes) -> bytes:
    """The body of a file under its own 32-byte `key`; the layout is at the top of this module."""
    return _seal_body_with_prefix(data, key=key, aad=aad, prefix=secrets.token_bytes(PREFIX_BYTES))


def _seal_body_with_prefix(data: bytes, *, key: bytes, aad: bytes, prefix: bytes) -> bytes:
    """Only `seal_body` and the golden vectors call this: a prefix used twice under one key breaks AES-GCM."""
    cipher = AESGCM(key)
    header = bytes((VERSION,)) + prefix
    view = memoryview(data)
    parts = [header]
    # An empty file has one chunk too, or cutting every chunk off a file would leave a valid empty one.
    last = max(0, len(data) - 1) // CHUNK_BYTES
    for number in range(last + 1):
        chunk = view[number * CHUNK_BYTES : (number + 1) * CHUNK_BYTES]
        parts.append(cipher.encrypt(_nonce(prefix, number), chunk, _chunk_aad(header, number, number == last, aad)))
    return b"".join(parts)


def open_body(body: bytes, *, key: bytes, aad: bytes) -> bytes:
    """The inverse of `seal_body`. Raises VaultError on any difference, and then returns no part of the data."""
    header = body[:_HEADER_BYTES]
    if len(body) < _HEADER_BYTES + crypto.TAG_BYTES or header[0] != VERSION:
        raise VaultError(_CANNOT_OPEN)
    cipher = AESGCM(key)
    view = memoryview(body)[_HEADER_BYTES:]
    last = (len(view) - 1) // _SEALED_CHUNK_BYTES
    parts = []
    for number in range(last + 1):
        chunk = view[number * _SEALED_CHUNK_BYTES : (number + 1) * _SEALED_CHUNK_BYTES]
        try:
            parts.append(
                cipher.decrypt(_nonce(header[1:], number), chunk, _chunk_aad(header, number, number == last, aad))
            )
        except InvalidTag:
            raise VaultError(_CANNOT_OPEN) from None
    return b"".join(parts)


def _nonce(prefix: bytes, number: int) -> bytes:
    return prefix + number.to_bytes(4, "big")


def _chunk_aad(header: bytes, number: int, last: bool, aad: bytes) -> bytes:
    return header + number.to_bytes(4, "big") + bytes((last,)) + aad


class Directory:
    """A shelf on a disk with hard links. Directories are 0700, files 0600, and a file is there whole or not at all."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def __repr__(self) -> str:
        return "<Directory>"

    def read(self, place: str) -> bytes:
        with _disk_trouble_explained():
            return (self._root / place).read_bytes()

    def write(self, place: str, data: bytes) -> None:
        with _disk_trouble_explained(), self._written(place, data) as temporary:
            temporary.replace(self._root / place)

    def create(self, place: str, data: bytes) -> bool:
        with _disk_trouble_explained(), self._written(place, data) as temporary:
            try:
                os.link(temporary, self._root / place)  # Unlike a rename, a link never replaces.
            except FileExistsError:
                return False
        return True

    def has(self, place: str) -> bool:
        with _disk_trouble_explained():
            return (self._root / place).is_file()

    def remove(self, place: str) -> None:
        with _disk_trouble_explained():
            target = self._root / place
            target.unlink(missing_ok=True)
            if target.parent.is_dir():
                _sync(target.parent)

    def places(self, prefix: str) -> Iterator[str]:
        directory = self._root / prefix
        with _disk_trouble_explained():
            found = [entry.name for entry in directory.iterdir()] if directory.is_dir() else []
        # What a killed writer left behind begins with a dot, and no name does.
        return (f"{prefix}{name}" for name in found if not name.startswith("."))

    @contextmanager
    def _written(self, place: str, data: bytes) -> Iterator[Path]:
        """`data` in a temporary file beside its place, safely on the disk; gone afterwards unless it was renamed."""
        parent = (self._root / place).parent
        for directory in (self._root, parent):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, path = tempfile.mkstemp(prefix=".", dir=parent)  # Made with mode 0600.
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            yield Path(path)
            _sync(parent)
        finally:
            with suppress(FileNotFoundError):
                Path(path).unlink()


def _sync(directory: Path) -> None:
    """A rename or removal is on the disk only once its directory is."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _disk_trouble_explained() -> Iterator[None]:
    """Turns what the disk raises into the vault's errors, without the path, which says where secrets lie."""
    try:
        yield
    except FileNotFoundError:
        raise MissingFile("There is no such file in the vault.") from None
    except OSError as error:
        raise VaultUnavailable(f"The vault's directory cannot be used: {error.strerror}.") from None


@lru_cache(maxsize=1)
def file_store() -> EncryptedFileStore:
    """The store of the settings: the bucket VAULT_S3_BUCKET if there is one, otherwise the directory VAULT_DIR."""
    if settings.VAULT_S3_BUCKET:
        from vault.s3 import Bucket

        return EncryptedFileStore(
            Bucket(
                settings.VAULT_S3_BUCKET,
                region=settings.AWS_REGION,
                endpoint_url=settings.AWS_ENDPOINT_URL or None,
                kms_key_id=settings.VAULT_S3_KMS_KEY_ID,
            )
        )
    if not settings.VAULT_DIR:
        raise MisconfiguredVault("Neither VAULT_S3_BUCKET nor VAULT_DIR says where files are kept.")
    return EncryptedFileStore(Directory(Path(settings.VAULT_DIR)))


@receiver(setting_changed)
def _reset_when_settings_change(*, setting: str, **_: Any) -> None:
    """Tests override settings; nothing else sends this signal."""
    if setting.startswith(("VAULT_", "AWS_")):
        file_store.cache_clear()
