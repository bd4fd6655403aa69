"""Clinics' keys wrapped by KMS, spoken to over HTTP (moto on the loopback)."""

from __future__ import annotations

import base64
import secrets
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from vault import clinic_keys, crypto, kms
from vault.errors import MisconfiguredVault, VaultError, VaultUnavailable
from vault.keys import reset_keyring

REGION = "ca-central-1"
ONE, OTHER = uuid.UUID(int=1), uuid.UUID(int=2)


def wrapped(kms_key_id: str, key: bytes, name: str) -> str:
    return base64.b64encode(kms.wrap(key, name=name, kms_key_id=kms_key_id)).decode()


@pytest.fixture(autouse=True)
def root(settings: Any, moto_endpoint: str, tmp_path: Path) -> Iterator[Path]:
    """An installation whose keys are plain: k1 and the index key."""
    settings.AWS_REGION, settings.AWS_ENDPOINT_URL = REGION, moto_endpoint
    settings.VAULT_S3_BUCKET = settings.VAULT_S3_KEY_BUCKET = settings.VAULT_KMS_KEY_ID = ""
    settings.VAULT_KEY_DIR = str(tmp_path)
    settings.VAULT_KEYS = f"k1:{base64.b64encode(b'1' * 32).decode()}"
    settings.VAULT_INDEX_KEY = base64.b64encode(b"9" * 32).decode()
    yield tmp_path
    reset_keyring()
    clinic_keys.forget()


@pytest.fixture
def kms_key_id(moto_endpoint: str) -> str:
    client = boto3.client("kms", region_name=REGION, endpoint_url=moto_endpoint)
    return client.create_key(KeySpec="SYMMETRIC_DEFAULT")["KeyMetadata"]["KeyId"]


@pytest.fixture
def under_kms(settings: Any, kms_key_id: str) -> str:
    """The same keys, wrapped."""
    settings.VAULT_KEYS = f"k1:{wrapped(kms_key_id, b'1' * 32, 'k1')}"
    settings.VAULT_INDEX_KEY = wrapped(kms_key_id, b"9" * 32, "index")
    settings.VAULT_KMS_KEY_ID = kms_key_id
    return kms_key_id


def seal(clinic: uuid.UUID = ONE) -> bytes:
    return crypto.seal(b"text", aad=b"row", purpose="field", clinic_id=clinic)


def opened(sealed: bytes) -> bytes:
    return crypto.open(sealed, aad=b"row", purpose="field")


def place(root: Path, clinic: uuid.UUID) -> Path:
    return root / "clinics" / str(clinic) / clinic_keys.current(clinic)


def test_kms_wraps_the_key_of_a_clinic(root: Path, under_kms: str) -> None:
    sealed = seal()
    assert place(root, ONE).read_bytes()[:1] == clinic_keys.BY_KMS
    clinic_keys.forget()
    assert opened(sealed) == b"text"


def test_a_clinics_key_in_the_place_of_anothers_is_refused_by_kms(root: Path, under_kms: str) -> None:
    sealed = seal()
    seal(OTHER)
    place(root, ONE).write_bytes(place(root, OTHER).read_bytes())
    clinic_keys.forget()
    with pytest.raises(MisconfiguredVault, match="KMS refuses"):
        opened(sealed)


def test_an_altered_wrapped_key_raises(root: Path, under_kms: str) -> None:
    sealed, key = seal(), place(root, ONE)
    whole = key.read_bytes()
    for position in range(0, len(whole), 7):
        key.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
        clinic_keys.forget()
        with pytest.raises(VaultError):
            opened(sealed)


def test_an_installation_moves_to_kms_and_nothing_is_lost(root: Path, settings: Any, kms_key_id: str) -> None:
    sealed = seal()
    settings.VAULT_KEYS, settings.VAULT_INDEX_KEY = (
        f"k1:{wrapped(kms_key_id, b'1' * 32, 'k1')}",
        wrapped(kms_key_id, b"9" * 32, "index"),
    )
    settings.VAULT_KMS_KEY_ID = kms_key_id
    assert opened(sealed) == b"text"
    assert [clinic_keys.rewrap(ONE, clinic_keys.current(ONE)) for _ in range(2)] == [True, False]
    # The root is not needed for it any more.
    settings.VAULT_KEYS = f"k9:{wrapped(kms_key_id, secrets.token_bytes(32), 'k9')}"
    assert opened(sealed) == b"text"


def test_kms_is_asked_once_per_clinic_and_minute(under_kms: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sealed = [seal(), seal(OTHER)]
    clinic_keys.forget()
    asked = []
    really = kms.unwrap

    def counted(blob: bytes, *, name: str) -> bytes:
        asked.append(name)
        return really(blob, name=name)

    monkeypatch.setattr(kms, "unwrap", counted)
    for _ in range(3):
        assert [opened(each) for each in sealed] == [b"text", b"text"]
    assert len(asked) == 2


def test_kms_out_of_reach_may_be_asked_again(under_kms: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sealed = seal()
    clinic_keys.forget()

    def away(*_args: Any, **_kwargs: Any) -> bytes:
        raise VaultUnavailable("KMS does not answer.")

    with monkeypatch.context() as patch:
        patch.setattr(kms, "unwrap", away)
        with pytest.raises(VaultUnavailable):
            opened(sealed)
    assert opened(sealed) == b"text"
