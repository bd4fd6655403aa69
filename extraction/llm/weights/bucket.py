"""A model's files under a prefix of an S3 bucket, which is where an installation without a way out keeps them.

Region, endpoint and credentials are those of the rest (AWS_REGION, AWS_ENDPOINT_URL, boto3's own search). It takes
`s3:ListBucket` on the bucket and `s3:GetObject` on the prefix.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

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

from extraction.llm.weights import checksums
from extraction.llm.weights.checksums import MANIFEST, BadWeights
from extraction.llm.weights.fetching import Interrupted, Piece, RemoteFile, listed

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SCHEME = "s3://"
_CONFIG = Config(connect_timeout=5, read_timeout=60, retries={"mode": "standard", "max_attempts": 4})
_CHUNK = 1024 * 1024
# Codes of https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html that no further attempt changes.
_LASTING = frozenset(
    {"NoSuchBucket", "NoSuchKey", "404", "AccessDenied", "403", "InvalidAccessKeyId", "SignatureDoesNotMatch",
     "PermanentRedirect", "ExpiredToken", "InvalidObjectState"}
)  # fmt: skip


class Bucket:
    """A source. `url` is s3://bucket/prefix; `expected` a list of checksums; without one the prefix's own is taken."""

    def __init__(
        self, url: str, expected: Mapping[str, str] | None = None, *, region: str, endpoint_url: str | None
    ) -> None:
        parts = urlsplit(url)
        if not parts.netloc or parts.query or parts.fragment:
            raise BadWeights("A place in S3 is written s3://bucket/prefix.")
        self._bucket = parts.netloc
        prefix = parts.path.strip("/")
        self._prefix = f"{prefix}/" if prefix else ""
        self._expected = expected
        self._client: S3Client = boto3.client("s3", region_name=region, endpoint_url=endpoint_url, config=_CONFIG)

    def files(self) -> Sequence[RemoteFile]:
        sizes: dict[str, int] = {}
        with _refusals_explained():
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._prefix)
            for page in pages:
                for entry in page.get("Contents", ()):
                    sizes[entry["Key"].removeprefix(self._prefix)] = entry["Size"]
        return listed(sizes, self._expected if self._expected is not None else self._own(sizes))

    @contextmanager
    def read(self, name: str, start: int) -> Iterator[Piece]:
        with _refusals_explained():
            reply = self._client.get_object(Bucket=self._bucket, Key=self._prefix + name, Range=f"bytes={start}-")
            with closing(reply["Body"]) as body:
                yield Piece(start, body.iter_chunks(_CHUNK))

    def _own(self, sizes: Mapping[str, int]) -> Mapping[str, str]:
        if MANIFEST not in sizes:
            raise BadWeights(f"The place in S3 has no {MANIFEST}; name a list with --checksums.")
        with self.read(MANIFEST, 0) as piece:
            return checksums.parse(b"".join(piece.chunks).decode())


@contextmanager
def _refusals_explained() -> Iterator[None]:
    """Turns what boto3 raises into a source's errors. AWS error codes are safe to show; they hold no data."""
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "unknown")
        if code in _LASTING:
            raise BadWeights(f"S3 refuses the model's files ({code}).") from error
        raise Interrupted(f"S3 cannot answer just now ({code}).") from error
    except (NoCredentialsError, NoRegionError, ParamValidationError, PartialCredentialsError) as error:
        raise BadWeights("S3 cannot be called: its region, names or credentials are missing.") from error
    except BotoCoreError as error:
        raise Interrupted("S3 does not answer.") from error
