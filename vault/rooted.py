"""Sealing under a root key: what wraps the keys of clinics, and what was sealed before clinics had keys of their own.

Layout, lengths in bytes:

    version (1, always 0x01) | length of key id (1) | key id (1..16, ASCII) | nonce (12, random) | ciphertext | tag (16)

The associated data are the bytes before the nonce followed by the caller's `aad`; the first part says its own length,
so no two pairs of header and `aad` look alike. Tests hold golden vectors of this layout, because data written today has
to open as long as it is kept.
"""

from __future__ import annotations

import secrets
from typing import Final, Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from vault.errors import VaultError
from vault.keys import keyring

RootPurpose = Literal["field", "file", "clinic"]

VERSION: Final = 1
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
NOT_SEALED: Final = "This is not something the vault has sealed."
CANNOT_OPEN: Final = "This cannot be opened: it was altered, moved from its place, or sealed under another key."

_FIXED_BYTES: Final = 2  # The version and the length of the key id.


def seal(plaintext: bytes, *, aad: bytes, purpose: RootPurpose) -> bytes:
    """`plaintext` under the current root's key of `purpose`, bound to `aad`. Adds 30 bytes and the key id's length."""
    return seal_with_nonce(plaintext, aad=aad, purpose=purpose, nonce=secrets.token_bytes(NONCE_BYTES))


def open(sealed: bytes, *, aad: bytes, purpose: RootPurpose) -> bytes:  # noqa: A001 -- read as `rooted.open`
    """What `seal` was given with the same `aad` and `purpose`. Raises VaultError if anything differs."""
    header, key_id = _header_of(sealed)
    body = sealed[len(header) :]
    key = keyring().derive(purpose, key_id=key_id)
    try:
        return AESGCM(key).decrypt(body[:NONCE_BYTES], body[NONCE_BYTES:], header + aad)
    except InvalidTag:
        raise VaultError(CANNOT_OPEN) from None


def key_id_of(sealed: bytes) -> str:
    """Under which root key this was sealed. Raises VaultError if it is not sealed at all."""
    return _header_of(sealed)[1]


def seal_with_nonce(plaintext: bytes, *, aad: bytes, purpose: RootPurpose, nonce: bytes) -> bytes:
    """Only `seal` and the golden vectors call this: a nonce used twice under one key breaks AES-GCM."""
    ring = keyring()
    key_id = ring.current.encode("ascii")
    header = bytes((VERSION, len(key_id))) + key_id
    return header + nonce + AESGCM(ring.derive(purpose)).encrypt(nonce, plaintext, header + aad)


def _header_of(sealed: bytes) -> tuple[bytes, str]:
    """The bytes before the nonce, and the key id in them. Raises VaultError on what `seal` cannot have made."""
    if len(sealed) < _FIXED_BYTES or sealed[0] != VERSION:
        raise VaultError(NOT_SEALED)
    header = sealed[: _FIXED_BYTES + sealed[1]]
    key_id = header[_FIXED_BYTES:]
    if not key_id or not key_id.isascii() or len(sealed) < len(header) + NONCE_BYTES + TAG_BYTES:
        raise VaultError(NOT_SEALED)
    return header, key_id.decode("ascii")
