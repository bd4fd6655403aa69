"""Seal and open bytes: AES-256-GCM with associated data, under the key of a clinic.

Layout of what `seal` returns for a clinic, lengths in bytes:

    version (1, always 0x02) | clinic (16) | id of its key (8) | nonce (12, random) | ciphertext | tag (16)

The associated data are the 25 bytes before the nonce followed by the caller's `aad`. Without a clinic, and before
clinics had keys of their own, the layout is that of `vault.rooted`, which begins with 0x01; both open. Tests hold
golden vectors of both, because data written today has to open as long as it is kept.
"""

from __future__ import annotations

import secrets
from typing import Final, Literal
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from vault import clinic_keys, rooted
from vault.errors import VaultError
from vault.keys import derived
from vault.rooted import CANNOT_OPEN, NONCE_BYTES, NOT_SEALED, TAG_BYTES

Purpose = Literal["field", "file"]

VERSION: Final = 2
HEADER_BYTES: Final = 1 + 16 + clinic_keys.ID_BYTES


def seal(plaintext: bytes, *, aad: bytes, purpose: Purpose, clinic_id: UUID | None = None) -> bytes:
    """`plaintext` under the clinic's current key for `purpose`, bound to `aad`; adds 53 bytes.

    Without a clinic it is sealed under the current root key. Raises VaultError.
    """
    if clinic_id is None:
        return rooted.seal(plaintext, aad=aad, purpose=purpose)
    key_id = clinic_keys.current(clinic_id)
    return _seal_with_nonce(
        plaintext, aad=aad, purpose=purpose, place=(clinic_id, key_id), nonce=secrets.token_bytes(NONCE_BYTES)
    )


def open(sealed: bytes, *, aad: bytes, purpose: Purpose, clinic_id: UUID | None = None) -> bytes:  # noqa: A001
    """What `seal` was given with the same `aad` and `purpose`.

    Raises VaultError, and never returns bytes, if anything differs: a byte, the place, the purpose, the key, or the
    clinic where the caller knows it.
    """
    if sealed[:1] != bytes((VERSION,)):
        return rooted.open(sealed, aad=aad, purpose=purpose)
    header, (owner, key_id) = _header_of(sealed)
    if clinic_id is not None and owner != clinic_id:
        raise VaultError(CANNOT_OPEN)
    key = derived(clinic_keys.key(owner, key_id), purpose)
    body = sealed[HEADER_BYTES:]
    try:
        return AESGCM(key).decrypt(body[:NONCE_BYTES], body[NONCE_BYTES:], header + aad)
    except InvalidTag:
        raise VaultError(CANNOT_OPEN) from None


def key_id_of(sealed: bytes) -> str:
    """Under which key this was sealed: `CLINIC/ID`, or the id of a root key. Raises VaultError if it is not sealed."""
    if sealed[:1] != bytes((VERSION,)):
        return rooted.key_id_of(sealed)
    owner, key_id = _header_of(sealed)[1]
    return f"{owner}/{key_id}"


def header_for(clinic_id: UUID, key_id: str) -> bytes:
    """How everything begins that is sealed under this key: what a rotation leaves alone."""
    return bytes((VERSION,)) + clinic_id.bytes + bytes.fromhex(key_id)


def _seal_with_nonce(plaintext: bytes, *, aad: bytes, purpose: Purpose, place: tuple[UUID, str], nonce: bytes) -> bytes:
    """Only `seal` and the golden vectors call this: a nonce used twice under one key breaks AES-GCM."""
    header = header_for(*place)
    cipher = AESGCM(derived(clinic_keys.key(*place), purpose))
    return header + nonce + cipher.encrypt(nonce, plaintext, header + aad)


def _header_of(sealed: bytes) -> tuple[bytes, tuple[UUID, str]]:
    """The bytes before the nonce, and the clinic and key in them."""
    if len(sealed) < HEADER_BYTES + NONCE_BYTES + TAG_BYTES:
        raise VaultError(NOT_SEALED)
    header = sealed[:HEADER_BYTES]
    return header, (UUID(bytes=header[1:17]), header[17:].hex())
