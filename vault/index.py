"""Blind indexes: find equal values without storing them.

A NAM is guessable (some 3 x 10**11 exist, and a name, a birth date and a sex leave a few dozen), so a plain or salted
hash of one is as good as the NAM. A keyed one is not: HMAC-SHA256 under a key of the clinic and the purpose, cut to 16
bytes. An index still tells which rows of one clinic hold equal values, and nothing across clinics or purposes.

Store it in a plain column, and look it up by equality:

    nam_index = models.BinaryField(max_length=vault.index.INDEX_BYTES, db_index=True)
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Final
from uuid import UUID

from vault.errors import VaultError
from vault.keys import keyring

INDEX_BYTES: Final = 16
MAC_BYTES: Final = 32

_PURPOSE = re.compile(r"[a-z][a-z0-9_]*")


def blind_index(value: str, *, clinic_id: UUID, purpose: str) -> bytes:
    """The 16-byte index of `value` for one clinic and one purpose: "nam", "content", "subject" or another such name.

    The caller normalises first: " trem 0412-1925" and "TREM04121925" are two values here. For the content of a document
    pass its SHA-256 in hexadecimal. Raises VaultError on an empty value, which would make unrelated rows look equal.
    """
    if not value:
        raise VaultError("There is nothing to index in an empty value.")
    if not _PURPOSE.fullmatch(purpose):
        raise VaultError("The purpose of an index is a lower-case name.")
    key = keyring().derive("subject" if purpose == "subject" else f"index.{purpose}", clinic_id)
    return hmac.digest(key, value.encode("utf-8"), hashlib.sha256)[:INDEX_BYTES]


def content_mac(digest: str, *, clinic_id: UUID, purpose: str) -> bytes:
    """The 32-byte message authentication code of a file, by which the clinic can know it again and nobody else can.

    `digest` is the file's SHA-256 in hexadecimal. A plain digest would confirm a guessed file: a table of one visit has
    few unknown characters. HMAC-SHA256 (RFC 2104) under a key of the clinic and the purpose. Raises VaultError.
    """
    if not re.fullmatch(r"[0-9a-f]{64}", digest) or not _PURPOSE.fullmatch(purpose):
        raise VaultError("This is no digest of a file, or no purpose.")
    return hmac.digest(keyring().derive(f"index.mac_{purpose}", clinic_id), digest.encode("ascii"), hashlib.sha256)


def same_index(one: bytes | memoryview, other: bytes | memoryview) -> bool:
    """Whether two indexes are equal, in a time that does not depend on where they differ."""
    return hmac.compare_digest(bytes(one), bytes(other))
