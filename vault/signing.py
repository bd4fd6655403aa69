"""Signatures: Ed25519 (RFC 8032) under a key of each clinic and purpose, derived from the index root.

Whoever has the public key can check them without this installation.
"""

from __future__ import annotations

from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from vault.keys import keyring


def sign(message: bytes, *, clinic_id: UUID, purpose: str) -> bytes:
    """The 64-byte signature. `purpose` is a lower-case name, and is part of the key."""
    return _private(clinic_id, purpose).sign(message)


def public_key(clinic_id: UUID, purpose: str) -> bytes:
    """The 32 bytes by which anybody checks what `sign` made."""
    return _private(clinic_id, purpose).public_key().public_bytes_raw()


def is_signed(message: bytes, signature: bytes, *, public_key: bytes) -> bool:
    """Whether the holder of `public_key` signed exactly these bytes."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _private(clinic_id: UUID, purpose: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(keyring().derive(f"index.signing_{purpose}", clinic_id))
