"""The key that signs anchors: Ed25519, apart from every other key, and its public halves.

The private key is a PEM file that only the scheduler has to read (AUDIT_ANCHOR_KEY_FILE). The public keys, former ones
too, are PEM blocks in one file (AUDIT_ANCHOR_PUBLIC_KEYS, else the private key's file with `.pub` behind its name):
what an auditor needs, and no secret.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from django.conf import settings

from vault import signing

PublicKeys = Mapping[str, Ed25519PublicKey]

_BLOCK = re.compile(rb"-----BEGIN PUBLIC KEY-----.+?-----END PUBLIC KEY-----", re.DOTALL)


class NoAnchorKey(Exception):
    """The key is not set, cannot be read, or is no Ed25519 key. Its text names no path."""


def key_id(public: Ed25519PublicKey) -> str:
    """16 hexadecimal characters of the SHA-256 of the raw public key."""
    return hashlib.sha256(public.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:16]


def private_key() -> Ed25519PrivateKey:
    """The key of the settings. Raises NoAnchorKey."""
    if not settings.AUDIT_ANCHOR_KEY_FILE:
        raise NoAnchorKey("AUDIT_ANCHOR_KEY_FILE is not set.")
    try:
        key = load_pem_private_key(Path(settings.AUDIT_ANCHOR_KEY_FILE).read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise NoAnchorKey(f"The anchor key cannot be read ({type(error).__name__}).") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise NoAnchorKey("The anchor key is no Ed25519 key.")
    return key


def public_keys_file() -> Path | None:
    """Where the public keys are, if any key is configured."""
    if settings.AUDIT_ANCHOR_PUBLIC_KEYS:
        return Path(settings.AUDIT_ANCHOR_PUBLIC_KEYS)
    private = settings.AUDIT_ANCHOR_KEY_FILE
    return Path(f"{private}.pub") if private else None


def public_pem() -> bytes:
    """The public keys as they are in their file; empty where there is none."""
    file = public_keys_file()
    try:
        return file.read_bytes() if file else b""
    except OSError:
        return b""


def public_keys() -> PublicKeys:
    """Every public key by its id. Empty where none is configured or readable."""
    found = {}
    for block in _BLOCK.findall(public_pem()):
        key = load_pem_public_key(block)
        if isinstance(key, Ed25519PublicKey):
            found[key_id(key)] = key
    return found


def is_signed(message: bytes, signature: bytes, key: Ed25519PublicKey) -> bool:
    return signing.is_signed(message, signature, public_key=key.public_bytes_raw())


def make(file: Path) -> str:
    """Writes a fresh private key that nobody else may read, adds its public half to `FILE.pub`, and returns its id.

    Raises FileExistsError: a key that signed anchors is never overwritten.
    """
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as private:
        private.write(pem)
    public = key.public_key()
    with Path(f"{file}.pub").open("ab") as shown:
        shown.write(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return key_id(public)
