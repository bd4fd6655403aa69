"""The S3 shelf: sealed files of the vault in a bucket, encrypted a second time by S3 with a KMS key.

What S3 receives is already our ciphertext. SSE-KMS adds the account's own key, key policy and CloudTrail record, with a
bucket key so that KMS is not asked for every object.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

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

from vault.errors import MisconfiguredVault, MissingFile, VaultUnavailable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_CONFIG = Config(connect_timeout=5, read_timeout=60, retries={"mode": "standard", "max_attempts": 4})
_MISSING = frozenset({"NoSuchKey", "404", "NoSuchVersion"})
_TAKEN = "PreconditionFailed"
_REFUSED = frozenset({"NoSuchBucket", "AccessDenied", "403", "InvalidAccessKeyId", "SignatureDoesNotMatch"})


class Bucket:
    """A shelf (see vault.shelves) in one bucket. `kms_key_id` names the key of SSE-KMS; "" is the AWS managed one."""

    def __init__(self, bucket: str, *, region: str, endpoint_url: str | None, kms_key_id: str) -> None:
        self._bucket = bucket
        self._encryption: dict[str, Any] = {"ServerSideEncryption": "aws:kms", "BucketKeyEnabled": True}
        if kms_key_id:
            self._encryption["SSEKMSKeyId"] = kms_key_id
        self._client: S3Client = boto3.client("s3", region_name=region, endpoint_url=endpoint_url, config=_CONFIG)

    def __repr__(self) -> str:
        return "<Bucket>"

    def read(self, place: str) -> bytes:
        with _refusals_explained():
            return self._client.get_object(Bucket=self._bucket, Key=place)["Body"].read()

    def write(self, place: str, data: bytes) -> None:
        """Replaces as a whole: S3 never shows half an object."""
        with _refusals_explained():
            self._client.put_object(Bucket=self._bucket, Key=place, Body=data, **self._encryption)

    def create(self, place: str, data: bytes) -> bool:
        """Writes unless something is there already, decided by S3 itself (If-None-Match); False if it was."""
        with _refusals_explained():
            try:
                self._client.put_object(Bucket=self._bucket, Key=place, Body=data, IfNoneMatch="*", **self._encryption)
            except ClientError as error:
                if _code(error) == _TAKEN:
                    return False
                raise
        return True

    def has(self, place: str) -> bool:
        try:
            with _refusals_explained():
                self._client.head_object(Bucket=self._bucket, Key=place)
        except MissingFile:
            return False
        return True

    def remove(self, place: str) -> None:
        """Removes every version: in a versioned bucket a plain delete only hides the object, which lives on."""
        with _refusals_explained():
            for version_id in self._versions(place):
                self._client.delete_object(Bucket=self._bucket, Key=place, VersionId=version_id)

    def copies(self, place: str) -> int:
        with _refusals_explained():
            return sum(1 for _version in self._versions(place))

    def _versions(self, place: str) -> Iterator[str]:
        """The ids of every version and every mark of deletion of an object."""
        for page in self._client.get_paginator("list_object_versions").paginate(Bucket=self._bucket, Prefix=place):
            for version in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
                if version["Key"] == place:
                    yield version["VersionId"]

    def forget_leftovers(self) -> None:
        """There are none: S3 keeps whole objects only."""

    def places(self, prefix: str) -> Iterator[str]:
        with _refusals_explained():
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix):
                for entry in page.get("Contents", ()):
                    yield entry["Key"]


def region_of(bucket: str) -> str:
    """The region that S3 says a bucket lies in; it says so too to whoever may not list it. Raises VaultError."""
    client: S3Client = boto3.client(
        "s3", region_name=settings.AWS_REGION, endpoint_url=settings.AWS_ENDPOINT_URL or None, config=_CONFIG
    )
    with _refusals_explained():
        try:
            answer: Any = client.head_bucket(Bucket=bucket)
        except ClientError as error:
            answer = error.response
            if not _region_in(answer):
                raise
    return _region_in(answer)


def _region_in(answer: Any) -> str:
    return str(answer["ResponseMetadata"].get("HTTPHeaders", {}).get("x-amz-bucket-region", ""))


def _code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "unknown")


@contextmanager
def _refusals_explained() -> Iterator[None]:
    """Turns what boto3 raises into the vault's errors. AWS error codes are safe to show; they hold no data."""
    try:
        yield
    except ClientError as error:
        code = _code(error)
        if code in _MISSING:
            raise MissingFile("There is no such file in the vault.") from None
        if code in _REFUSED:
            raise MisconfiguredVault(f"S3 refuses the vault's bucket or key ({code}).") from error
        raise VaultUnavailable(f"S3 cannot answer just now ({code}).") from error
    except (NoCredentialsError, NoRegionError, ParamValidationError, PartialCredentialsError) as error:
        raise MisconfiguredVault("S3 cannot be called: its region, names or credentials are missing.") from error
    except BotoCoreError as error:
        raise VaultUnavailable("S3 does not answer.") from error
