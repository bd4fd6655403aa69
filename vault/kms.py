"""AWS KMS: wraps the root keys, so that an environment file alone opens nothing.

KMS is asked once per process and key. The encryption context names the key, is checked by KMS and appears in its
CloudTrail log; an entry can therefore not be passed off as another one. It holds no secret.
https://docs.aws.amazon.com/kms/latest/developerguide/encrypt_context.html
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
    PartialCredentialsError,
)
from django.conf import settings

from vault.errors import MisconfiguredVault, VaultUnavailable

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

_CONFIG = Config(connect_timeout=5, read_timeout=10, retries={"mode": "standard", "max_attempts": 4})
# https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html#API_Decrypt_Errors
_TRANSIENT = frozenset(
    {"DependencyTimeoutException", "KeyUnavailableException", "KMSInternalException", "ThrottlingException"}
)


def wrap(key: bytes, *, name: str, kms_key_id: str) -> bytes:
    """The KMS ciphertext of a root key under `kms_key_id`, bound to its `name`.

    Raises VaultUnavailable if KMS does not answer, MisconfiguredVault if it refuses.
    """
    with _refusals_explained():
        return _client().encrypt(KeyId=kms_key_id, Plaintext=key, EncryptionContext=_context(name))["CiphertextBlob"]


def unwrap(blob: bytes, *, name: str) -> bytes:
    """The root key in `blob`, which VAULT_KMS_KEY_ID must have wrapped under this very `name`. Raises as `wrap`."""
    with _refusals_explained():
        kms_key_id: str = settings.VAULT_KMS_KEY_ID
        return _client().decrypt(CiphertextBlob=blob, KeyId=kms_key_id, EncryptionContext=_context(name))["Plaintext"]


def _client() -> KMSClient:
    return boto3.client(
        "kms", region_name=settings.AWS_REGION, endpoint_url=settings.AWS_ENDPOINT_URL or None, config=_CONFIG
    )


def _context(name: str) -> dict[str, str]:
    return {"application": "namsite", "vault-key": name}


@contextmanager
def _refusals_explained() -> Iterator[None]:
    """Turns what boto3 raises into the vault's errors. AWS error codes are safe to show; they hold no data."""
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "unknown")
        if code in _TRANSIENT:
            raise VaultUnavailable(f"KMS cannot answer just now ({code}).") from error
        raise MisconfiguredVault(f"KMS refuses to wrap or unwrap a key of the vault ({code}).") from error
    except (NoCredentialsError, NoRegionError, ParamValidationError, PartialCredentialsError) as error:
        raise MisconfiguredVault("KMS cannot be called: its region, names or credentials are missing.") from error
    except BotoCoreError as error:
        raise VaultUnavailable("KMS does not answer.") from error
