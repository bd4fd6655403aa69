"""A bucket with S3 Object Lock: what is kept there in compliance mode cannot be changed or removed before its time, not
even by the account's owner. https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html

Only hashes go there: no person, no document, no number. The bucket has to be made with Object Lock enabled.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from audit.notes import Note
from audit.places.errors import PlaceUnavailable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PREFIX: Final = "anchors"
# The scheduler waits for it, and its lease is half a minute.
_CONFIG = Config(connect_timeout=3, read_timeout=5, retries={"total_max_attempts": 1})
_TAKEN = "PreconditionFailed"


class LockedBucket:
    """See `audit.places.Place`. An anchor is the object `anchors/CHAIN/NUMBER.json`, locked for `days`."""

    def __init__(self, bucket: str, *, region: str, endpoint_url: str | None, days: int) -> None:
        self._bucket = bucket
        self._days = days
        self._client: S3Client = boto3.client("s3", region_name=region, endpoint_url=endpoint_url, config=_CONFIG)

    @property
    def name(self) -> str:
        return f"s3://{self._bucket}"

    def add(self, note: Note) -> None:
        """Written once: S3 itself refuses a second object of this name (If-None-Match)."""
        with _refusals_coded():
            try:
                self._client.put_object(
                    Bucket=self._bucket,
                    Key=f"{PREFIX}/{note.chain}/{note.number:010d}.json",
                    Body=note.line().encode(),
                    ContentType="application/json",
                    ChecksumAlgorithm="SHA256",  # S3 asks for one wherever a lock is set.
                    IfNoneMatch="*",
                    ObjectLockMode="COMPLIANCE",
                    ObjectLockRetainUntilDate=datetime.now(UTC) + timedelta(days=self._days),
                )
            except ClientError as error:
                if _code(error) != _TAKEN:
                    raise

    def lines(self, chain: UUID, *, newest: int | None = None) -> Iterator[str]:
        """Each is a request of its own. The first version of an object counts: nobody can have replaced that one."""
        with _refusals_coded():
            first = self._first_versions(f"{PREFIX}/{chain}/")
            for key in sorted(first)[-newest if newest else None :]:
                answer = self._client.get_object(Bucket=self._bucket, Key=key, VersionId=first[key])
                yield answer["Body"].read().decode("utf-8", "replace")

    def _first_versions(self, prefix: str) -> dict[str, str]:
        found: dict[str, str] = {}
        pages = self._client.get_paginator("list_object_versions").paginate(Bucket=self._bucket, Prefix=prefix)
        for page in pages:
            for version in page.get("Versions", ()):  # Newest first, so the last one that is seen is the first.
                found[version["Key"]] = version["VersionId"]
        return found


def _code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "unknown")


@contextmanager
def _refusals_coded() -> Iterator[None]:
    try:
        yield
    except ClientError:
        raise PlaceUnavailable("refused") from None
    except BotoCoreError:
        raise PlaceUnavailable("unreachable") from None
