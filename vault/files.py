"""Whole documents, encrypted: one random key per file, kept apart from the file and itself wrapped by a clinic's key.

    store = file_store()
    store.put(str(document.pk), pdf, aad=str(document.clinic_id).encode(), clinic_id=document.clinic_id)
    pdf = store.get(str(document.pk), aad=str(document.clinic_id).encode())

A file is two objects, `keys/NAME` (the wrapped key of this one file) and `files/NAME` (its body), which may lie on two
shelves (vault.shelves). Destroying the first destroys the file, whatever copies of the body remain: keep backups of
`keys/` for days and of `files/` for as long as you like. The key is made once per name, so two writers of one name
cannot leave a body that no key opens.

Layout of a body, lengths in bytes:

    version (1, always 0x01) | nonce prefix (8, random) | chunks

Each chunk is AES-256-GCM of 64 KiB of plaintext (the last one of what remains, of nothing if the file is empty) with
its 16-byte tag; its nonce is the prefix and the chunk's number (4, big-endian). Its associated data hold the header,
the number, whether it is the last, and the name and `aad` of the file: a body that was cut, reordered, lengthened or
swapped raises.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.core.signals import setting_changed
from django.dispatch import receiver

from vault import crypto
from vault.errors import MissingFile, VaultError
from vault.keys import KEY_BYTES
from vault.rooted import TAG_BYTES
from vault.shelves import Shelf, body_shelf, key_shelf

CHUNK_BYTES: Final = 64 * 1024
VERSION: Final = 1
PREFIX_BYTES: Final = 8

_HEADER_BYTES = 1 + PREFIX_BYTES
_SEALED_CHUNK_BYTES = CHUNK_BYTES + TAG_BYTES
_NAME = re.compile(r"[a-f0-9-]{1,128}")
_CANNOT_OPEN = "This file cannot be opened: it was altered, cut, or moved from its place."


class EncryptedFileStore:
    """Documents by opaque name (lower-case hexadecimal and hyphens, such as a UUID), encrypted on a shelf."""

    def __init__(self, bodies: Shelf, keys: Shelf | None = None) -> None:
        """`keys` holds the files' keys; None: beside the bodies."""
        self._bodies = bodies
        self._keys = keys or bodies

    def put(self, name: str, data: bytes, *, aad: bytes, clinic_id: UUID | None = None) -> None:
        """Keeps `data` under `name`, bound to both `name` and `aad`; replaces as a whole what was there.

        `aad` says whose file it is, and stays the same for a name. The file's key is wrapped by the key of the clinic,
        or by the root where there is none. Raises VaultError.
        """
        _refuse_bad_name(name)
        key = self._key_for_writing(name, aad, clinic_id)
        self._bodies.write(f"files/{name}", seal_body(data, key=key, aad=_bound(name, aad)))

    def get(self, name: str, *, aad: bytes) -> bytes:
        """The data. Raises MissingFile, or VaultError if it is not exactly what was put under this name and `aad`."""
        _refuse_bad_name(name)
        return open_body(self._bodies.read(f"files/{name}"), key=self._key(name, aad), aad=_bound(name, aad))

    def delete(self, name: str) -> None:
        """Destroys body and key; once this returns, no copy of the body opens. A name that is not there is no error."""
        _refuse_bad_name(name)
        # The body goes first: a `rewrap` that writes the key after it was removed then sees that the file is gone.
        self._bodies.remove(f"files/{name}")
        self._keys.remove(f"keys/{name}")

    def exists(self, name: str) -> bool:
        """Whether both key and body are there."""
        _refuse_bad_name(name)
        return self._keys.has(f"keys/{name}") and self._bodies.has(f"files/{name}")

    def copies(self, name: str) -> int:
        """How many versions of key and body the shelves keep, hidden ones included; 0 once the file is destroyed."""
        _refuse_bad_name(name)
        return self._keys.copies(f"keys/{name}") + self._bodies.copies(f"files/{name}")

    def names(self) -> Iterator[str]:
        """Every name of which a key or a body is there, sorted: what an orphan check compares with the database."""
        places = (*self._keys.places("keys/"), *self._bodies.places("files/"))
        return iter(sorted({place.rpartition("/")[2] for place in places}))

    def forget_leftovers(self) -> None:
        """Removes what writers left that were killed in the middle; nobody would ever read it."""
        for shelf in {self._bodies, self._keys}:
            shelf.forget_leftovers()

    def fingerprint(self, name: str, *, aad: bytes) -> str:
        """32 hexadecimal digits by which this file's key can be known again, and from which nobody gets the key.

        Empty where there is no key. Raises VaultError if the key does not open.
        """
        _refuse_bad_name(name)
        try:
            key = self._key(name, aad)
        except MissingFile:
            return ""
        return hashlib.sha256(b"namsite file key\0" + key).hexdigest()[:32]

    def key_id(self, name: str) -> str:
        """Under which key the file's own key is wrapped (`crypto.key_id_of`). Raises MissingFile, VaultError."""
        _refuse_bad_name(name)
        return crypto.key_id_of(self._keys.read(f"keys/{name}"))

    def rewrap(self, name: str, *, aad: bytes, clinic_id: UUID | None = None) -> bool:
        """Seals the file's key under the current key, for a rotation; False if it already was. The body stays."""
        _refuse_bad_name(name)
        sealed = self._keys.read(f"keys/{name}")
        key = crypto.open(sealed, aad=_bound(name, aad), purpose="file", clinic_id=clinic_id)
        fresh = crypto.seal(key, aad=_bound(name, aad), purpose="file", clinic_id=clinic_id)
        if crypto.key_id_of(sealed) == crypto.key_id_of(fresh):
            return False
        self._keys.write(f"keys/{name}", fresh)
        if not self._bodies.has(f"files/{name}"):
            self._keys.remove(f"keys/{name}")  # Deleted meanwhile: its key must not come back.
            raise MissingFile("There is no such file in the vault.")
        return True

    def _key(self, name: str, aad: bytes) -> bytes:
        return crypto.open(self._keys.read(f"keys/{name}"), aad=_bound(name, aad), purpose="file")

    def _key_for_writing(self, name: str, aad: bytes, clinic_id: UUID | None = None) -> bytes:
        """A fresh key, or the one that this name has: after a crash halfway, or when another writer was first."""
        key = secrets.token_bytes(KEY_BYTES)
        sealed = crypto.seal(key, aad=_bound(name, aad), purpose="file", clinic_id=clinic_id)
        return key if self._keys.create(f"keys/{name}", sealed) else self._key(name, aad)


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
    if len(body) < _HEADER_BYTES + TAG_BYTES or header[0] != VERSION:
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


@lru_cache(maxsize=1)
def file_store() -> EncryptedFileStore:
    """The store of the settings. Raises MisconfiguredVault."""
    return EncryptedFileStore(body_shelf(), key_shelf())


@receiver(setting_changed)
def _reset_when_settings_change(*, setting: str, **_: Any) -> None:
    """Tests override settings; nothing else sends this signal."""
    if setting.startswith(("VAULT_", "AWS_")):
        file_store.cache_clear()
