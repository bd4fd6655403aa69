"""The keyring: where keys come from, and which key serves which purpose.

Two kinds of root key, each 32 random bytes:

* `VAULT_KEYS="k2:BASE64,k1:BASE64"` wrap the keys of clinics (`vault.clinic_keys`). The first is current; all of them
  open. To rotate, put a fresh key in front (`make_keys --rotate`), run `rotate_keys`, then take the old one out.
* `VAULT_INDEX_KEY="BASE64"` makes blind indexes and pseudonyms. It has no successor: changing it means indexing again.

With `VAULT_KMS_KEY_ID` set, each entry is not a key but a KMS ciphertext of one, unwrapped once per process; KMS then
wraps the keys of clinics by itself.

No root key touches data. HKDF-SHA256 (RFC 5869) derives one key per purpose and, for indexes and pseudonyms, per
clinic, so that equal numbers at two clinics have unrelated indexes. An AES-GCM key with random nonces is good for 2**32
messages (NIST SP 800-38D, 8.3): rotate long before four thousand million writes.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.signals import setting_changed
from django.dispatch import receiver

from vault.errors import MisconfiguredVault, VaultError

KEY_BYTES: Final = 32
INDEX_KEY_NAME: Final = "index"  # What the index key is called in its KMS encryption context.

_KEY_ID = re.compile(r"[a-z0-9]{1,16}")
_SEALING = frozenset({"field", "file", "clinic"})
_CLINIC_PURPOSE = re.compile(r"subject|index(\.[a-z][a-z0-9_]*)?")
_CONTEXT = b"namsite vault 1"


@dataclass(frozen=True, slots=True, repr=False)
class Keyring:
    """Named root keys, one of them current, and the index root. Its `repr` names the keys and shows none."""

    current: str
    roots: Mapping[str, bytes]
    index_root: bytes

    def __repr__(self) -> str:
        return f"<Keyring {', '.join(self.roots)}>"

    def derive(self, purpose: str, clinic_id: UUID | None = None, *, key_id: str | None = None) -> bytes:
        """The 32-byte key of a purpose.

        "field", "file" and "clinic" derive from the root `key_id` (the current one if None) and belong to no clinic;
        the last wraps the keys of clinics, the others open what was sealed before clinics had keys. "subject", "index"
        and "index.NAME" derive from the index root and need a `clinic_id`. Raises VaultError on an unknown purpose or
        key id.
        """
        if purpose in _SEALING and clinic_id is None:
            return _hkdf(self._root(key_id or self.current), purpose, b"")
        if _CLINIC_PURPOSE.fullmatch(purpose) and clinic_id is not None and key_id is None:
            return _hkdf(self.index_root, purpose, clinic_id.bytes)
        raise VaultError("There is no key for this purpose.")

    def _root(self, key_id: str) -> bytes:
        root = self.roots.get(key_id)
        if root is None:
            raise VaultError("This was sealed under a key that is not in the keyring.")
        return root


def derived(key: bytes, purpose: str) -> bytes:
    """The 32-byte key of a purpose from a clinic's own key (`vault.clinic_keys`)."""
    return _hkdf(key, purpose, b"")


def _hkdf(root: bytes, purpose: str, clinic: bytes) -> bytes:
    # A purpose holds no zero byte and a clinic is the rest, so no two inputs share one `info`.
    info = b"\0".join((_CONTEXT, purpose.encode("ascii"), clinic))
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(root)


@lru_cache(maxsize=1)
def keyring() -> Keyring:
    """The keyring of the settings, read and unwrapped once per process. Raises MisconfiguredVault."""
    entries = dict(configured_entries())
    if not entries:
        raise MisconfiguredVault("VAULT_KEYS is empty: run `manage.py make_keys` and put its lines in the environment.")
    roots = {key_id: _root_key("VAULT_KEYS", key_id, text) for key_id, text in entries.items()}
    if not settings.VAULT_INDEX_KEY:
        raise MisconfiguredVault(
            "VAULT_INDEX_KEY is empty: run `manage.py make_keys` and put its lines in the environment."
        )
    index_root = _root_key("VAULT_INDEX_KEY", INDEX_KEY_NAME, settings.VAULT_INDEX_KEY)
    if len({index_root, *roots.values()}) != len(roots) + 1:
        raise MisconfiguredVault("VAULT_KEYS and VAULT_INDEX_KEY hold the same key twice: every key has to be its own.")
    return Keyring(current=next(iter(roots)), roots=roots, index_root=index_root)


def reset_keyring() -> None:
    """Forget the keys; the next use reads the settings again."""
    keyring.cache_clear()


@receiver(setting_changed)
def _reset_when_settings_change(*, setting: str, **_: Any) -> None:
    """Tests override settings; nothing else sends this signal."""
    if setting.startswith(("VAULT_", "AWS_")):
        reset_keyring()


def configured_entries() -> Iterator[tuple[str, str]]:
    """The `(key id, base64 text)` pairs of VAULT_KEYS, current first. Raises MisconfiguredVault on a malformed list."""
    seen: set[str] = set()
    for entry in filter(None, (part.strip() for part in settings.VAULT_KEYS.split(","))):
        key_id, colon, text = entry.partition(":")
        if not colon or not _KEY_ID.fullmatch(key_id):
            raise MisconfiguredVault(
                "VAULT_KEYS has to read `id:base64,id:base64`, each id 1 to 16 lower-case letters or digits."
            )
        if key_id in seen:
            raise MisconfiguredVault("VAULT_KEYS names the same key id twice.")
        seen.add(key_id)
        yield key_id, text


def is_key_id(text: str) -> bool:
    """Whether `text` may name a key: 1 to 16 lower-case letters or digits."""
    return _KEY_ID.fullmatch(text) is not None


def _root_key(setting: str, name: str, text: str) -> bytes:
    """One root key from its base64 text, through KMS if that is how keys are kept. Raises MisconfiguredVault."""
    try:
        raw = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if raw and settings.VAULT_KMS_KEY_ID:
        from vault import kms

        raw = kms.unwrap(raw, name=name)
    # Raised outside the handler above, so that no exception carries the text along as its context.
    if len(raw) != KEY_BYTES:
        raise MisconfiguredVault(f"{setting} holds an entry that is not the base64 text of a {KEY_BYTES}-byte key.")
    return raw
