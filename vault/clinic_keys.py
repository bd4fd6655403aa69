"""The keys of each clinic: what stands between a root key and the data.

    root key (VAULT_KEYS or KMS) → clinic key → one key per purpose (fields, files) → one key per file

A clinic key is 32 random bytes, made when the clinic first seals something. It lies wrapped on the key shelf under
`clinics/CLINIC/ID`. With VAULT_KMS_KEY_ID, KMS wraps it and sees in its encryption context whose key it is; otherwise
the current root key does. An id is the moment of its making (microseconds since 1970, 16 hexadecimal digits): the
greatest one is current and seals, all of them open. To destroy one is to destroy whatever is still sealed under it, in
every copy.

Processes keep opened keys in memory for KEPT seconds. A new key is therefore current everywhere after that time, and
a destroyed one is forgotten everywhere.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.core.signals import setting_changed
from django.dispatch import receiver

from vault import rooted
from vault.errors import MissingFile, VaultError
from vault.keys import KEY_BYTES, keyring
from vault.shelves import key_shelf

KEPT: Final = 60.0  # seconds
ID_BYTES: Final = 8
BY_KMS: Final = b"K"  # Begins what KMS wrapped; what a root sealed begins with the version of that layout.

_ID = re.compile(r"[0-9a-f]{16}")

_opened: dict[tuple[UUID, str], tuple[bytes, float]] = {}
_current: dict[UUID, tuple[str, float]] = {}


def current(clinic_id: UUID) -> str:
    """The id of the key that seals; the clinic's first one is made where it has none. Raises VaultError."""
    known = _current.get(clinic_id)
    if known is not None and time.monotonic() < known[1]:
        return known[0]
    found = ids(clinic_id)
    return _remember(clinic_id, found[-1] if found else _make(clinic_id, after=0))


def key(clinic_id: UUID, key_id: str) -> bytes:
    """The 32 bytes of one of the clinic's keys. Raises VaultError, also where it was destroyed."""
    known = _opened.get((clinic_id, key_id))
    if known is not None and time.monotonic() < known[1]:
        return known[0]
    try:
        found = _unwrapped(_wrapped(clinic_id, key_id), clinic_id, key_id)
    except MissingFile:
        _opened.pop((clinic_id, key_id), None)
        raise VaultError("This was sealed under a key of the clinic that is not there, or was destroyed.") from None
    _opened[clinic_id, key_id] = (found, time.monotonic() + KEPT)
    return found


def ids(clinic_id: UUID) -> list[str]:
    """The ids of the clinic's keys, oldest first."""
    names = (place.rpartition("/")[2] for place in key_shelf().places(f"clinics/{clinic_id}/"))
    return sorted(name for name in names if _ID.fullmatch(name))


def renew(clinic_id: UUID) -> str:
    """Makes the clinic a new current key and returns its id. Other processes follow within KEPT seconds."""
    found = ids(clinic_id)
    return _remember(clinic_id, _make(clinic_id, after=int(found[-1], 16) if found else 0))


def rewrap(clinic_id: UUID, key_id: str) -> bool:
    """Wraps a key anew as the settings say now (current root key, or KMS); False if it already was."""
    wrapped = _wrapped(clinic_id, key_id)
    if _is_wrapped_as_asked(wrapped):
        return False
    found = _unwrapped(wrapped, clinic_id, key_id)
    key_shelf().write(_place(clinic_id, key_id), _wrap(found, clinic_id, key_id))
    return True


def destroy(clinic_id: UUID, key_id: str) -> None:
    """Destroys a key, and with it whatever is still sealed under it. Raises VaultError for the current one."""
    if key_id == (ids(clinic_id) or [key_id])[-1]:
        raise VaultError("The current key of a clinic is not destroyed: make a new one first.")
    key_shelf().remove(_place(clinic_id, key_id))
    _opened.pop((clinic_id, key_id), None)


def destroy_all(clinic_id: UUID) -> None:
    """Destroys every key of a clinic that has left. Nothing of it opens any more."""
    for key_id in ids(clinic_id):
        key_shelf().remove(_place(clinic_id, key_id))
    forget()


def fingerprint(clinic_id: UUID, key_id: str) -> str:
    """32 hexadecimal digits by which a key can be known again, and from which nobody gets the key."""
    return hashlib.sha256(b"namsite clinic key\0" + key(clinic_id, key_id)).hexdigest()[:32]


def made_at(key_id: str) -> datetime:
    """When the key of this id was made."""
    return datetime.fromtimestamp(int(key_id, 16) / 1e6, tz=UTC)


def forget() -> None:
    """Drops what is kept in memory; the next use reads the shelf."""
    _opened.clear()
    _current.clear()


def _remember(clinic_id: UUID, key_id: str) -> str:
    _current[clinic_id] = (key_id, time.monotonic() + KEPT)
    return key_id


def _make(clinic_id: UUID, *, after: int) -> str:
    """A new key, later than `after` whatever the clock says. Of two made at once both stay, and the later is
    current."""
    key_id = f"{max(time.time_ns() // 1000, after + 1):016x}"
    key_shelf().create(_place(clinic_id, key_id), _wrap(secrets.token_bytes(KEY_BYTES), clinic_id, key_id))
    return ids(clinic_id)[-1]


def _wrap(found: bytes, clinic_id: UUID, key_id: str) -> bytes:
    if settings.VAULT_KMS_KEY_ID:
        from vault import kms

        blob = kms.wrap(found, name=_name(clinic_id, key_id), kms_key_id=settings.VAULT_KMS_KEY_ID)
        return BY_KMS + blob
    return rooted.seal(found, aad=_name(clinic_id, key_id).encode(), purpose="clinic")


def _unwrapped(wrapped: bytes, clinic_id: UUID, key_id: str) -> bytes:
    if wrapped[:1] == BY_KMS:
        from vault import kms

        found = kms.unwrap(wrapped[1:], name=_name(clinic_id, key_id))
    else:
        found = rooted.open(wrapped, aad=_name(clinic_id, key_id).encode(), purpose="clinic")
    if len(found) != KEY_BYTES:
        raise VaultError("What lies in the place of a clinic's key is none.")
    return found


def _is_wrapped_as_asked(wrapped: bytes) -> bool:
    if settings.VAULT_KMS_KEY_ID:
        return wrapped[:1] == BY_KMS
    return wrapped[:1] != BY_KMS and rooted.key_id_of(wrapped) == keyring().current


def _wrapped(clinic_id: UUID, key_id: str) -> bytes:
    return key_shelf().read(_place(clinic_id, key_id))


def _place(clinic_id: UUID, key_id: str) -> str:
    if not _ID.fullmatch(key_id):
        raise VaultError("This is no id of a clinic's key.")
    return f"clinics/{clinic_id}/{key_id}"


def _name(clinic_id: UUID, key_id: str) -> str:
    """What a wrapped key is bound to: it cannot be passed off as another clinic's, or as another key of the same."""
    return f"clinic-{clinic_id}-{key_id}"


@receiver(setting_changed)
def _reset_when_settings_change(*, setting: str, **_: Any) -> None:
    """Tests override settings; nothing else sends this signal."""
    if setting.startswith(("VAULT_", "AWS_")):
        forget()
