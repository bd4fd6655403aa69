"""The keys of clinics: what is sealed for one opens in its place and nowhere else."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps

from vault import clinic_keys, crypto, rooted
from vault.errors import VaultError
from vault.fields import EncryptedField
from vault.files import file_store
from vault.keys import reset_keyring

ONE = uuid.UUID("6f1d2c3b-0000-4000-8000-00000000000a")
OTHER = uuid.UUID("6f1d2c3b-0000-4000-8000-00000000000b")
FIRST_ID = "0000000000000001"
TEXT = b"TREM04121925"


def key(byte: int) -> str:
    return base64.b64encode(bytes([byte]) * 32).decode()


@pytest.fixture(autouse=True)
def root(settings: Any, tmp_path: Path) -> Iterator[Path]:
    settings.VAULT_KEYS = f"k1:{key(1)}"
    settings.VAULT_INDEX_KEY = key(9)
    settings.VAULT_KMS_KEY_ID = settings.VAULT_S3_BUCKET = settings.VAULT_S3_KEY_BUCKET = ""
    settings.VAULT_DIR = tmp_path / "bodies"
    settings.VAULT_KEY_DIR = str(tmp_path / "keys")
    yield tmp_path / "keys"
    reset_keyring()
    clinic_keys.forget()


def sealed_for(clinic: uuid.UUID, text: bytes = TEXT, aad: bytes = b"row") -> bytes:
    return crypto.seal(text, aad=aad, purpose="field", clinic_id=clinic)


def opened(sealed: bytes, clinic: uuid.UUID | None = None, aad: bytes = b"row") -> bytes:
    return crypto.open(sealed, aad=aad, purpose="field", clinic_id=clinic)


# Sealing for a clinic


@pytest.mark.parametrize("text", [b"", TEXT, bytes(100_000)], ids=len)
def test_what_is_sealed_for_a_clinic_comes_back(text: bytes) -> None:
    sealed = sealed_for(ONE, text)
    assert opened(sealed, ONE) == opened(sealed) == text
    assert len(sealed) == len(text) + 53


def test_each_clinic_has_a_key_of_its_own() -> None:
    keys = [clinic_keys.key(clinic, clinic_keys.current(clinic)) for clinic in (ONE, OTHER)]
    assert keys[0] != keys[1]


def test_every_altered_byte_raises() -> None:
    sealed = sealed_for(ONE)
    for position in range(len(sealed)):
        for bit in range(8):
            altered = bytearray(sealed)
            altered[position] ^= 1 << bit
            with pytest.raises(VaultError):
                opened(bytes(altered), ONE)


def test_every_cut_raises() -> None:
    sealed = sealed_for(ONE)
    for length in range(len(sealed)):
        with pytest.raises(VaultError):
            opened(sealed[:length], ONE)


def test_another_clinics_value_raises_even_with_a_key_at_hand() -> None:
    sealed_for(OTHER)
    with pytest.raises(VaultError):
        opened(sealed_for(ONE), OTHER)


def test_a_value_passed_off_as_another_clinics_raises() -> None:
    sealed, theirs = sealed_for(ONE), sealed_for(OTHER)
    with pytest.raises(VaultError):
        opened(theirs[:25] + sealed[25:])


@pytest.mark.parametrize("aad", [b"", b"other row"])
def test_another_place_raises(aad: bytes) -> None:
    with pytest.raises(VaultError):
        opened(sealed_for(ONE), ONE, aad)


def test_another_purpose_raises() -> None:
    with pytest.raises(VaultError):
        crypto.open(sealed_for(ONE), aad=b"row", purpose="file", clinic_id=ONE)


@pytest.mark.parametrize("plain", [b"", TEXT, b"\x02" + TEXT, b"\x02" + bytes(80), b"\x01" + bytes(80)])
def test_plaintext_in_the_place_of_a_value_raises(plain: bytes) -> None:
    with pytest.raises(VaultError):
        opened(plain, ONE)


def test_a_wrong_root_key_raises(settings: Any) -> None:
    sealed = sealed_for(ONE)
    settings.VAULT_KEYS = f"k1:{key(7)}"
    with pytest.raises(VaultError):
        opened(sealed, ONE)


def test_the_format_never_changes_by_accident(root: Path) -> None:
    place = root / "clinics" / str(ONE) / FIRST_ID
    place.parent.mkdir(parents=True)
    aad = f"clinic-{ONE}-{FIRST_ID}".encode()
    wrapped = rooted.seal_with_nonce(bytes(range(32)), aad=aad, purpose="clinic", nonce=bytes(12))
    assert wrapped.hex() == GOLDEN_WRAPPED
    place.write_bytes(wrapped)
    sealed = crypto._seal_with_nonce(
        b"golden", aad=b"app.model.column:1", purpose="field", place=(ONE, FIRST_ID), nonce=bytes(range(12))
    )
    assert sealed.hex() == GOLDEN_SEALED
    assert opened(sealed, ONE, b"app.model.column:1") == b"golden"


GOLDEN_WRAPPED = (
    "01026b31000000000000000000000000685899e5a4597556de80b5475f655de1e199a82ceb030958edbecf7b65844ce4aa03"
    "b91570cbc947b953e325e6724ffa"
)
GOLDEN_SEALED = (
    "026f1d2c3b00004000800000000000000a0000000000000001000102030405060708090a0b052e608c4b90bb9efc9d956956"
    "f7573ce4b52bbdbbd3"
)


# Wrapped keys


def test_every_altered_byte_of_a_wrapped_key_raises(root: Path) -> None:
    sealed = sealed_for(ONE)
    place = root / "clinics" / str(ONE) / clinic_keys.current(ONE)
    whole = place.read_bytes()
    for position in range(len(whole)):
        altered = bytearray(whole)
        altered[position] ^= 1
        place.write_bytes(altered)
        clinic_keys.forget()
        with pytest.raises(VaultError):
            opened(sealed, ONE)


def test_a_clinics_key_put_in_the_place_of_anothers_raises(root: Path) -> None:
    sealed = sealed_for(ONE)
    sealed_for(OTHER)
    mine, theirs = (root / "clinics" / str(each) / clinic_keys.current(each) for each in (ONE, OTHER))
    mine.write_bytes(theirs.read_bytes())
    clinic_keys.forget()
    with pytest.raises(VaultError):
        opened(sealed, ONE)


def test_no_key_lies_beside_the_bodies_where_keys_have_a_place_of_their_own(tmp_path: Path, root: Path) -> None:
    file_store().put(str(ONE), TEXT, aad=b"a", clinic_id=ONE)
    assert [path.parent.name for path in (tmp_path / "bodies").rglob("*") if path.is_file()] == ["files"]
    assert {path.name for path in root.iterdir()} == {"keys", "clinics"}
    assert file_store().get(str(ONE), aad=b"a") == TEXT


# Renewing and destroying


def test_after_a_renewal_old_values_open_and_new_ones_use_the_new_key() -> None:
    old = sealed_for(ONE)
    fresh = clinic_keys.renew(ONE)
    assert opened(old, ONE) == TEXT
    assert crypto.key_id_of(sealed_for(ONE)) == f"{ONE}/{fresh}"
    assert crypto.key_id_of(old) != f"{ONE}/{fresh}"


def test_a_newer_key_is_newer_whatever_the_clock_says(monkeypatch: pytest.MonkeyPatch) -> None:
    first = clinic_keys.current(ONE)
    monkeypatch.setattr("time.time_ns", lambda: 0)
    assert clinic_keys.renew(ONE) > first


def test_what_is_sealed_under_a_destroyed_key_is_lost_and_the_rest_is_not() -> None:
    old, first = sealed_for(ONE), clinic_keys.current(ONE)
    clinic_keys.renew(ONE)
    new = sealed_for(ONE)
    clinic_keys.destroy(ONE, first)
    with pytest.raises(VaultError, match="was destroyed"):
        opened(old, ONE)
    assert opened(new, ONE) == TEXT


def test_the_current_key_is_not_destroyed() -> None:
    with pytest.raises(VaultError, match="make a new one first"):
        clinic_keys.destroy(ONE, clinic_keys.current(ONE))


def test_a_root_is_retired_once_the_clinics_keys_are_wrapped_anew(settings: Any) -> None:
    sealed = sealed_for(ONE)
    settings.VAULT_KEYS = f"k2:{key(2)},k1:{key(1)}"
    assert [clinic_keys.rewrap(ONE, clinic_keys.current(ONE)) for _ in range(2)] == [True, False]
    settings.VAULT_KEYS = f"k2:{key(2)}"
    assert opened(sealed, ONE) == TEXT


def test_a_fingerprint_tells_keys_apart_and_stays() -> None:
    first = clinic_keys.current(ONE)
    seen = {clinic_keys.fingerprint(ONE, first) for _ in range(2)} | {
        clinic_keys.fingerprint(OTHER, clinic_keys.current(OTHER))
    }
    assert len(seen) == 2


# What holds for the whole house


def test_every_table_with_encrypted_columns_says_whose_they_are() -> None:
    holders = [m for m in apps.get_models() if any(isinstance(f, EncryptedField) for f in m._meta.fields)]
    ours = [model for model in holders if model.__module__.split(".")[0] in {"extraction", "review", "accounts"}]
    assert len(ours) >= 7
    assert [model.__name__ for model in ours if not hasattr(model, "vault_owner")] == []
