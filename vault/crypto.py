"""Seal and open bytes: AES-256-GCM with associated data.

Layout of what `seal` returns, lengths in bytes:

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

Purpose = Literal["field", "file"]

VERSION: Final = 1
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16

_FIXED_BYTES: Final = 2  # The version and the length of the key id.

_NOT_SEALED = "This is not something the vault has sealed."
_CANNOT_OPEN = "This cannot be opened: it was altered, moved from its place, or sealed under another key."


def seal(plaintext: bytes, *, aad: bytes, purpose: Purpose) -> bytes:
    """`plaintext` under the current key of `purpose`, bound to `aad`. Adds 30 bytes and the key id's length."""
    return _seal_with_nonce(plaintext, aad=aad, purpose=purpose, nonce=secrets.token_bytes(NONCE_BYTES))


def open(sealed: bytes, *, aad: bytes, purpose: Purpose) -> bytes:  # noqa: A001 -- read as `crypto.open`
    """What `seal` was given with the same `aad` and `purpose`.

    Raises VaultError, and never returns bytes, if anything differs: a byte, the place, the purpose, the key.
    """
    header, key_id = _header_of(sealed)
    body = sealed[len(header) :]
    key = keyring().derive(purpose, key_id=key_id)
    try:
        return AESGCM(key).decrypt(body[:NONCE_BYTES], body[NONCE_BYTES:], header + aad)
    except InvalidTag:
        raise VaultError(_CANNOT_OPEN) from None


def key_id_of(sealed: bytes) -> str:
    """Under which key this was sealed: what a rotation looks for. Raises VaultError if it is not sealed at all."""
    return _header_of(sealed)[1]


def _seal_with_nonce(plaintext: bytes, *, aad: bytes, purpose: Purpose, nonce: bytes) -> bytes:
    """Only `seal` and the golden vectors call this: a nonce used twice under one key breaks AES-GCM."""
    ring = keyring()
    key_id = ring.current.encode("ascii")
    header = bytes((VERSION, len(key_id))) + key_id
    return header + nonce + AESGCM(ring.derive(purpose)).encrypt(nonce, plaintext, header + aad)


def _header_of(sealed: bytes) -> tuple[bytes, str]:
    """The bytes before the nonce, and the key id in them. Raises VaultError on what `seal` cannot have made."""
    if len(sealed) < _FIXED_BYTES or sealed[0] != VERSION:
        raise VaultError(_NOT_SEALED)
    header = sealed[: _FIXED_BYTES + sealed[1]]
    key_id = header[_FIXED_BYTES:]
    if not key_id or not key_id.isascii() or len(sealed) < len(header) + NONCE_BYTES + TAG_BYTES:
        raise VaultError(_NOT_SEALED)
    return header, key_id.decode("ascii")
