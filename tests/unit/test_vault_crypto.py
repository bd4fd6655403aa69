"""Sealing, keys and blind indexes."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command

from vault import crypto, rooted
from vault.errors import MisconfiguredVault, VaultError
from vault.index import INDEX_BYTES, blind_index, same_index
from vault.keys import keyring, reset_keyring

CLINIC = UUID("11111111-1111-4111-8111-111111111111")
OTHER_CLINIC = UUID("22222222-2222-4222-8222-222222222222")
NAM = "TREM04121925"


def key(byte: int, length: int = 32) -> str:
    return base64.b64encode(bytes([byte]) * length).decode()


@pytest.fixture(autouse=True)
def configured(settings: Any) -> Iterator[None]:
    settings.VAULT_KEYS = f"k1:{key(1)}"
    settings.VAULT_INDEX_KEY = key(9)
    settings.VAULT_KMS_KEY_ID = ""
    yield
    reset_keyring()


# Sealing


@pytest.mark.parametrize("plaintext", [b"", b"x", NAM.encode(), bytes(100_000)])
def test_what_is_sealed_opens(plaintext: bytes) -> None:
    assert crypto.open(crypto.seal(plaintext, aad=b"row", purpose="field"), aad=b"row", purpose="field") == plaintext


def test_sealed_bytes_do_not_contain_the_plaintext() -> None:
    assert NAM.encode() not in crypto.seal(NAM.encode(), aad=b"row", purpose="field")


def test_each_altered_bit_raises() -> None:
    sealed = crypto.seal(NAM.encode(), aad=b"row", purpose="field")
    for position in range(len(sealed)):
        for bit in range(8):
            altered = bytearray(sealed)
            altered[position] ^= 1 << bit
            with pytest.raises(VaultError):
                crypto.open(bytes(altered), aad=b"row", purpose="field")


def test_each_cut_raises() -> None:
    sealed = crypto.seal(NAM.encode(), aad=b"row", purpose="field")
    for length in range(len(sealed)):
        with pytest.raises(VaultError):
            crypto.open(sealed[:length], aad=b"row", purpose="field")


@pytest.mark.parametrize("stranger", [b"", b"\x01", NAM.encode(), b"\x01\x02k1", b"\x01\x00" + bytes(64), bytes(64)])
def test_what_was_never_sealed_raises(stranger: bytes) -> None:
    with pytest.raises(VaultError):
        crypto.open(stranger, aad=b"row", purpose="field")


def test_a_lengthened_value_raises() -> None:
    sealed = crypto.seal(NAM.encode(), aad=b"row", purpose="field")
    with pytest.raises(VaultError):
        crypto.open(sealed + b"\0", aad=b"row", purpose="field")


@pytest.mark.parametrize("aad", [b"", b"ro", b"row2", b"Row"])
def test_other_associated_data_raise(aad: bytes) -> None:
    sealed = crypto.seal(NAM.encode(), aad=b"row", purpose="field")
    with pytest.raises(VaultError):
        crypto.open(sealed, aad=aad, purpose="field")


def test_a_value_sealed_for_another_purpose_raises() -> None:
    sealed = crypto.seal(NAM.encode(), aad=b"row", purpose="field")
    with pytest.raises(VaultError):
        crypto.open(sealed, aad=b"row", purpose="file")


def test_a_wrong_key_of_the_same_name_raises(settings: Any) -> None:
    sealed = crypto.seal(NAM.encode(), aad=b"row", purpose="field")
    settings.VAULT_KEYS = f"k1:{key(2)}"
    with pytest.raises(VaultError):
        crypto.open(sealed, aad=b"row", purpose="field")


def test_an_error_tells_nothing_of_the_value() -> None:
    sealed = crypto.seal(NAM.encode(), aad=b"row", purpose="field")
    with pytest.raises(VaultError) as raised:
        crypto.open(sealed, aad=b"elsewhere", purpose="field")
    assert NAM not in repr(raised.value)
    assert "elsewhere" not in repr(raised.value)


def test_no_nonce_comes_twice() -> None:
    sealed = {crypto.seal(b"", aad=b"", purpose="field")[4:16] for _ in range(20_000)}
    assert len(sealed) == 20_000


def test_the_format_never_changes_by_accident() -> None:
    sealed = rooted.seal_with_nonce(b"golden", aad=b"app.model.column:1", purpose="field", nonce=bytes(range(12)))
    assert sealed.hex() == "01026b31000102030405060708090a0b5f05bdbe71495edaeac2334fcee00779305e7799a17d"
    assert crypto.open(sealed, aad=b"app.model.column:1", purpose="field") == b"golden"


# Rotation


def test_after_a_rotation_old_values_open_and_new_ones_use_the_current_key(settings: Any) -> None:
    old = crypto.seal(b"old", aad=b"row", purpose="field")
    settings.VAULT_KEYS = f"k2:{key(2)},k1:{key(1)}"
    new = crypto.seal(b"new", aad=b"row", purpose="field")
    assert (crypto.key_id_of(old), crypto.key_id_of(new)) == ("k1", "k2")
    assert crypto.open(old, aad=b"row", purpose="field") == b"old"
    assert crypto.open(new, aad=b"row", purpose="field") == b"new"


def test_a_retired_key_opens_nothing(settings: Any) -> None:
    old = crypto.seal(b"old", aad=b"row", purpose="field")
    settings.VAULT_KEYS = f"k2:{key(2)}"
    with pytest.raises(VaultError, match="not in the keyring"):
        crypto.open(old, aad=b"row", purpose="field")


# The keyring


@pytest.mark.parametrize(
    "text",
    [
        "",
        " , ",
        key(1),
        "k1:",
        "k1:not base64!",
        f"k1:{key(1, 16)}",
        f"k1:{key(1, 33)}",
        f"K1:{key(1)}",
        f"key-number-one-of-ours:{key(1)}",
        f"k1:{key(1)},k1:{key(2)}",
        f"k1:{key(1)},k2:{key(1)}",
        f"k1:{key(9)}",
    ],
)
def test_malformed_keys_are_refused_without_being_shown(settings: Any, text: str) -> None:
    settings.VAULT_KEYS = text
    with pytest.raises(MisconfiguredVault) as raised:
        keyring()
    assert str(raised.value).endswith(".")
    assert key(1) not in repr(raised.value)
    assert raised.value.__context__ is None


@pytest.mark.parametrize("text", ["", "!", key(9, 31)])
def test_a_malformed_index_key_is_refused(settings: Any, text: str) -> None:
    settings.VAULT_INDEX_KEY = text
    with pytest.raises(MisconfiguredVault, match="VAULT_INDEX_KEY"):
        keyring()


def test_every_purpose_clinic_and_root_has_a_key_of_its_own(settings: Any) -> None:
    settings.VAULT_KEYS = f"k2:{key(2)},k1:{key(1)}"
    ring = keyring()
    derived = [ring.derive(purpose, key_id=key_id) for purpose in ("field", "file") for key_id in ("k1", "k2")]
    derived += [
        ring.derive(purpose, clinic)
        for purpose in ("index", "index.nam", "index.content", "subject")
        for clinic in (CLINIC, OTHER_CLINIC)
    ]
    assert len(set(derived)) == len(derived) == 12
    assert not set(derived) & {bytes([byte]) * 32 for byte in (1, 2, 9)}


@pytest.mark.parametrize(
    ("purpose", "clinic"), [("field", CLINIC), ("index", None), ("subject", None), ("other", None), ("other", CLINIC)]
)
def test_a_key_without_a_purpose_is_refused(purpose: str, clinic: UUID | None) -> None:
    with pytest.raises(VaultError):
        keyring().derive(purpose, clinic)


def test_derivation_never_changes_by_accident() -> None:
    derived = keyring().derive("field") + keyring().derive("subject", CLINIC)
    assert hashlib.sha256(derived).hexdigest() == "14a848ae0dd9e5554a635b7d452259ce55afd5ceae285aeb47477e343fdb88f6"


def test_the_keyring_shows_no_key() -> None:
    shown = repr(keyring()) + str(keyring())
    assert shown == "<Keyring k1>" * 2


def test_the_keyring_is_read_once() -> None:
    assert keyring() is keyring()


# Blind indexes


def test_equal_values_of_one_clinic_have_equal_indexes() -> None:
    one, other = (blind_index(NAM, clinic_id=CLINIC, purpose="nam") for _ in range(2))
    assert same_index(one, memoryview(other))
    assert len(one) == INDEX_BYTES


@pytest.mark.parametrize(
    ("value", "clinic_id", "purpose"),
    [(NAM, OTHER_CLINIC, "nam"), (NAM, CLINIC, "subject"), (NAM, CLINIC, "content"), (NAM.lower(), CLINIC, "nam")],
)
def test_another_clinic_purpose_or_value_has_another_index(value: str, clinic_id: UUID, purpose: str) -> None:
    one = blind_index(NAM, clinic_id=CLINIC, purpose="nam")
    assert not same_index(one, blind_index(value, clinic_id=clinic_id, purpose=purpose))


def test_an_index_is_not_a_plain_hash() -> None:
    index = blind_index(NAM, clinic_id=CLINIC, purpose="nam")
    assert index != hashlib.sha256(NAM.encode()).digest()[:INDEX_BYTES]


def test_an_index_needs_the_index_key_and_survives_a_rotation(settings: Any) -> None:
    before = blind_index(NAM, clinic_id=CLINIC, purpose="nam")
    settings.VAULT_KEYS = f"k2:{key(2)},k1:{key(1)}"
    assert blind_index(NAM, clinic_id=CLINIC, purpose="nam") == before
    settings.VAULT_INDEX_KEY = key(8)
    assert blind_index(NAM, clinic_id=CLINIC, purpose="nam") != before


def test_indexes_never_change_by_accident() -> None:
    assert blind_index(NAM, clinic_id=CLINIC, purpose="nam").hex() == "d03acc09b180f43d885a8366c4551f83"
    assert blind_index(NAM, clinic_id=CLINIC, purpose="subject").hex() == "c214e68cd21e0af6d0343e86df4572e3"


@pytest.mark.parametrize(("value", "purpose"), [("", "nam"), (NAM, ""), (NAM, "Nam"), (NAM, "a b")])
def test_an_index_of_nothing_or_for_nothing_is_refused(value: str, purpose: str) -> None:
    with pytest.raises(VaultError):
        blind_index(value, clinic_id=CLINIC, purpose=purpose)


# make_keys


def made(*arguments: str) -> dict[str, str]:
    out = io.StringIO()
    call_command("make_keys", *arguments, stdout=out)
    return dict(line.split("=", 1) for line in out.getvalue().splitlines())


def test_made_keys_work_as_they_are(settings: Any) -> None:
    settings.VAULT_KEYS = settings.VAULT_INDEX_KEY = ""
    for name, text in made().items():
        setattr(settings, name, text)
    assert crypto.open(crypto.seal(b"x", aad=b"", purpose="file"), aad=b"", purpose="file") == b"x"
    assert repr(keyring()) == "<Keyring k1>"


def test_made_keys_are_fresh_each_time() -> None:
    assert set(made().values()).isdisjoint(made().values())


def test_a_rotation_puts_a_fresh_key_in_front_and_keeps_the_index_key(settings: Any) -> None:
    old = crypto.seal(b"old", aad=b"", purpose="field")
    lines = made("--rotate")
    assert list(lines) == ["VAULT_KEYS"]
    settings.VAULT_KEYS = lines["VAULT_KEYS"]
    assert repr(keyring()) == "<Keyring k2, k1>"
    assert crypto.open(old, aad=b"", purpose="field") == b"old"


@pytest.mark.parametrize("arguments", [["--rotate", "--id", "k1"], ["--id", "Ä"], ["--id", "a" * 17]])
def test_a_bad_key_id_is_refused(arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        made(*arguments)


def test_there_is_nothing_to_rotate_without_keys(settings: Any) -> None:
    settings.VAULT_KEYS = ""
    with pytest.raises(CommandError, match="nothing to rotate"):
        made("--rotate")
