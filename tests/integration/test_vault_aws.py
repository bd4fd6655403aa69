"""The vault on AWS: KMS-wrapped keys and the S3 shelf, spoken to over HTTP. The server is moto, on the loopback."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import boto3
import pytest
from botocore.config import Config
from django.core.management import CommandError, call_command

from vault import crypto, kms
from vault.errors import MisconfiguredVault, MissingFile, VaultError, VaultUnavailable
from vault.files import EncryptedFileStore, file_store
from vault.keys import keyring, reset_keyring
from vault.s3 import Bucket

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

REGION: Final = "ca-central-1"
BUCKET = "vault-test"
NAME = "6f1d2c3b-0000-4000-8000-00000000000a"
OTHER = "6f1d2c3b-0000-4000-8000-00000000000a-1"
CLINIC = b"clinic 1"
TEXT = b"%PDF-1.7 TREM04121925"


@pytest.fixture(autouse=True)
def configured(settings: Any, moto_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    for name in ("AWS_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    settings.AWS_REGION = REGION
    settings.AWS_ENDPOINT_URL = moto_endpoint
    settings.VAULT_KEYS = f"k1:{base64.b64encode(b'1' * 32).decode()}"
    settings.VAULT_INDEX_KEY = base64.b64encode(b"9" * 32).decode()
    settings.VAULT_KMS_KEY_ID = ""
    settings.VAULT_S3_BUCKET = ""
    settings.VAULT_S3_KMS_KEY_ID = ""
    yield
    reset_keyring()
    file_store.cache_clear()


@pytest.fixture
def kms_key_id(moto_endpoint: str) -> str:
    client = boto3.client("kms", region_name=REGION, endpoint_url=moto_endpoint)
    return client.create_key(KeySpec="SYMMETRIC_DEFAULT")["KeyMetadata"]["KeyId"]


def made_keys(settings: Any, *arguments: str) -> None:
    """Puts what make_keys prints where the environment would put it."""
    out = io.StringIO()
    call_command("make_keys", *arguments, stdout=out)
    for line in out.getvalue().splitlines():
        setattr(settings, *line.split("=", 1))


# KMS


def test_a_wrapped_key_is_unwrapped_again(settings: Any, kms_key_id: str) -> None:
    settings.VAULT_KMS_KEY_ID = kms_key_id
    wrapped = kms.wrap(b"1" * 32, name="k1", kms_key_id=kms_key_id)
    assert b"1" * 32 not in wrapped
    assert kms.unwrap(wrapped, name="k1") == b"1" * 32


def test_a_key_wrapped_under_another_name_is_refused(settings: Any, kms_key_id: str) -> None:
    settings.VAULT_KMS_KEY_ID = kms_key_id
    wrapped = kms.wrap(b"1" * 32, name="k1", kms_key_id=kms_key_id)
    with pytest.raises(MisconfiguredVault, match="InvalidCiphertext"):
        kms.unwrap(wrapped, name="k2")


def test_keys_made_with_kms_work_as_they_are(settings: Any, kms_key_id: str) -> None:
    made_keys(settings, "--kms", kms_key_id)
    settings.VAULT_KMS_KEY_ID = kms_key_id
    assert crypto.open(crypto.seal(TEXT, aad=b"", purpose="field"), aad=b"", purpose="field") == TEXT


def test_wrapped_keys_rotate(settings: Any, kms_key_id: str) -> None:
    made_keys(settings, "--kms", kms_key_id)
    settings.VAULT_KMS_KEY_ID = kms_key_id
    old = crypto.seal(TEXT, aad=b"", purpose="field")
    made_keys(settings, "--kms", kms_key_id, "--rotate")
    assert repr(keyring()) == "<Keyring k2, k1>"
    assert crypto.open(old, aad=b"", purpose="field") == TEXT


def test_kms_is_asked_once_per_key_and_process(settings: Any, kms_key_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made_keys(settings, "--kms", kms_key_id)
    settings.VAULT_KMS_KEY_ID = kms_key_id
    asked: list[str] = []
    really_unwrap = kms.unwrap

    def counted(blob: bytes, *, name: str) -> bytes:
        asked.append(name)
        return really_unwrap(blob, name=name)

    monkeypatch.setattr(kms, "unwrap", counted)
    for _ in range(3):
        crypto.seal(TEXT, aad=b"", purpose="field")
    assert asked == ["k1", "index"]


def test_wrapped_keys_are_no_keys_by_themselves(settings: Any, kms_key_id: str) -> None:
    made_keys(settings, "--kms", kms_key_id)
    with pytest.raises(MisconfiguredVault):
        keyring()


def test_plain_keys_are_refused_where_kms_is_set(settings: Any, kms_key_id: str) -> None:
    settings.VAULT_KMS_KEY_ID = kms_key_id
    with pytest.raises(VaultError):
        keyring()


def test_an_unknown_kms_key_is_a_plain_sentence(settings: Any) -> None:
    with pytest.raises(CommandError, match="KMS refuses"):
        made_keys(settings, "--kms", "11111111-1111-4111-8111-111111111111")


def test_kms_out_of_reach_is_told_apart_from_a_refusal(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.AWS_ENDPOINT_URL = "http://127.0.0.1:9"
    monkeypatch.setattr(kms, "_CONFIG", kms._CONFIG.merge(Config(retries={"total_max_attempts": 1})))
    with pytest.raises(VaultUnavailable) as raised:
        kms.wrap(b"1" * 32, name="k1", kms_key_id="any")
    assert raised.value.retryable


# S3


@pytest.fixture
def s3(moto_endpoint: str) -> S3Client:
    return boto3.client("s3", region_name=REGION, endpoint_url=moto_endpoint)


@pytest.fixture(params=[False, True], ids=["plain bucket", "versioned bucket"])
def bucket(request: pytest.FixtureRequest, s3: S3Client) -> Iterator[str]:
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    if request.param:
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    yield BUCKET
    left = s3.list_object_versions(Bucket=BUCKET)
    for entry in (*left.get("Versions", ()), *left.get("DeleteMarkers", ())):
        s3.delete_object(Bucket=BUCKET, Key=entry["Key"], VersionId=entry["VersionId"])
    s3.delete_bucket(Bucket=BUCKET)


@pytest.fixture
def store(settings: Any, bucket: str, kms_key_id: str) -> EncryptedFileStore:
    settings.VAULT_S3_BUCKET = bucket
    settings.VAULT_S3_KMS_KEY_ID = kms_key_id
    return file_store()


def test_a_file_comes_back_from_s3_as_it_was(store: EncryptedFileStore) -> None:
    data = TEXT * 10_000
    store.put(NAME, data, aad=CLINIC)
    assert store.get(NAME, aad=CLINIC) == data


def test_s3_receives_ciphertext_and_encrypts_it_with_the_kms_key(
    store: EncryptedFileStore, s3: S3Client, bucket: str, kms_key_id: str
) -> None:
    store.put(NAME, TEXT, aad=CLINIC)
    for kind in ("keys", "files"):
        found = s3.get_object(Bucket=bucket, Key=f"{kind}/{NAME}")
        assert found["ServerSideEncryption"] == "aws:kms"
        assert found["SSEKMSKeyId"].endswith(kms_key_id)
        assert found["BucketKeyEnabled"] is True
        with found["Body"] as body:
            assert TEXT not in body.read()


def test_a_second_put_replaces_the_body_and_keeps_the_key(store: EncryptedFileStore, s3: S3Client, bucket: str) -> None:
    store.put(NAME, b"first", aad=CLINIC)
    before = s3.head_object(Bucket=bucket, Key=f"keys/{NAME}")["ETag"]
    store.put(NAME, b"second", aad=CLINIC)
    assert store.get(NAME, aad=CLINIC) == b"second"
    assert s3.head_object(Bucket=bucket, Key=f"keys/{NAME}")["ETag"] == before


def test_deleting_leaves_no_version_and_no_other_file_gone(
    store: EncryptedFileStore, s3: S3Client, bucket: str
) -> None:
    for text in (b"first", b"second"):
        store.put(NAME, text, aad=CLINIC)
    store.put(OTHER, TEXT, aad=CLINIC)
    for _ in range(2):
        store.delete(NAME)
    left = s3.list_object_versions(Bucket=bucket)
    assert {entry["Key"] for entry in left.get("Versions", ())} == {f"keys/{OTHER}", f"files/{OTHER}"}
    assert left.get("DeleteMarkers", []) == []
    assert not store.exists(NAME)
    assert store.get(OTHER, aad=CLINIC) == TEXT
    with pytest.raises(MissingFile):
        store.get(NAME, aad=CLINIC)


def test_names_lists_what_is_in_the_bucket(store: EncryptedFileStore, s3: S3Client, bucket: str) -> None:
    store.put(NAME, TEXT, aad=CLINIC)
    s3.put_object(Bucket=bucket, Key="files/0a", Body=b"orphan")
    assert list(store.names()) == ["0a", NAME]
    assert [store.exists(name) for name in ("0a", NAME)] == [False, True]


def test_a_body_altered_in_the_bucket_raises(store: EncryptedFileStore, s3: S3Client, bucket: str) -> None:
    store.put(NAME, TEXT, aad=CLINIC)
    with s3.get_object(Bucket=bucket, Key=f"files/{NAME}")["Body"] as body:
        altered = bytearray(body.read())
    altered[-1] ^= 1
    s3.put_object(Bucket=bucket, Key=f"files/{NAME}", Body=bytes(altered))
    with pytest.raises(VaultError):
        store.get(NAME, aad=CLINIC)


def test_a_missing_bucket_is_a_misconfiguration(settings: Any) -> None:
    settings.VAULT_S3_BUCKET = "no-such-bucket"
    with pytest.raises(MisconfiguredVault, match="NoSuchBucket"):
        file_store().put(NAME, TEXT, aad=CLINIC)


def test_s3_out_of_reach_is_told_apart_from_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vault.s3._CONFIG", Config(connect_timeout=1, retries={"total_max_attempts": 1}))
    shelf = Bucket(BUCKET, region=REGION, endpoint_url="http://127.0.0.1:9", kms_key_id="")
    with pytest.raises(VaultUnavailable) as raised:
        shelf.read(f"files/{NAME}")
    assert raised.value.retryable
    assert NAME not in str(raised.value)
