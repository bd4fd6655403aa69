"""Which calls of AWS the code makes, and what each of them asks of a role's policy.

`Recorder` listens to every botocore client of the process, and to the one caller that signs by itself (SageMaker's).
`requests_of` says which actions on which resources a call is to AWS, those behind it included: S3 asks KMS in the
caller's name, Textract reads the bucket in the caller's name. Actions, resources and condition keys: AWS's Service
Authorization Reference, the pages of the services.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
from botocore.client import BaseClient

from extraction.llm import sagemaker
from tests.aws_stacks import ACCOUNT, NAME, REGION
from tests.iam import Request

S3: Final = "arn:aws:s3:::"
VIA: Final = f"{REGION}.amazonaws.com"
TELLS_404: Final = (f"{NAME}-documents-{ACCOUNT}", f"{NAME}-keys-{ACCOUNT}")
"""Buckets whose reader has to be told that an object is gone: without s3:ListBucket the answer is 403."""


@dataclass(frozen=True)
class Call:
    service: str
    operation: str
    params: Mapping[str, Any] = field(hash=False)


class Recorder:
    """Keeps the calls of each role. Outside of `by` nothing is kept."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: dict[str, list[Call]] = {}
        self._role = ""
        really = BaseClient._make_api_call  # type: ignore[attr-defined]

        def recorded(client: Any, operation: str, params: Any) -> Any:
            if self._role:
                service = client.meta.service_model.service_name
                self.calls[self._role].append(Call(service, operation, dict(params)))
            return really(client, operation, params)

        monkeypatch.setattr(BaseClient, "_make_api_call", recorded)
        really_signed = sagemaker.signed

        def signed(to: str, content: bytes) -> dict[str, str]:
            if self._role:
                endpoint = urlsplit(to).path.removeprefix("/endpoints/").removesuffix("/invocations")
                self.calls[self._role].append(Call("sagemaker-runtime", "InvokeEndpoint", {"EndpointName": endpoint}))
            return really_signed(to, content)

        monkeypatch.setattr(sagemaker, "signed", signed)

    @contextmanager
    def by(self, role: str) -> Iterator[None]:
        self._role = role
        self.calls.setdefault(role, [])
        try:
            yield
        finally:
            self._role = ""


@dataclass(frozen=True)
class Account:
    """What AWS knows and a call does not say: the key of each bucket and of each secret."""

    bucket_keys: Mapping[str, str]
    secret_keys: Mapping[str, str]

    def requests_of(self, call: Call) -> list[Request]:
        """Raises KeyError for a call that nobody has looked up yet."""
        return list(_MEANINGS[call.service, call.operation](self, call.params))

    def kms(self, action: str, key: str, service: str) -> Request:
        return Request(f"kms:{action}", key, {"kms:ViaService": f"{service}.{VIA}"})


def _object(params: Mapping[str, Any]) -> str:
    return f"{S3}{params['Bucket']}/{params['Key']}"


def _get(account: Account, params: Mapping[str, Any]) -> Iterator[Request]:
    yield Request("s3:GetObjectVersion" if "VersionId" in params else "s3:GetObject", _object(params))
    yield account.kms("Decrypt", account.bucket_keys[params["Bucket"]], "s3")
    if params["Bucket"] in TELLS_404:
        yield Request("s3:ListBucket", S3 + params["Bucket"], {"s3:prefix": ""})


def _put(account: Account, params: Mapping[str, Any]) -> Iterator[Request]:
    yield Request("s3:PutObject", _object(params))
    if "ObjectLockMode" in params:
        yield Request("s3:PutObjectRetention", _object(params))
    yield account.kms("GenerateDataKey", params.get("SSEKMSKeyId", account.bucket_keys[params["Bucket"]]), "s3")


def _list(action: str) -> Callable[[Account, Mapping[str, Any]], Iterator[Request]]:
    def meaning(_account: Account, params: Mapping[str, Any]) -> Iterator[Request]:
        yield Request(action, S3 + params["Bucket"], {"s3:prefix": params.get("Prefix", "")})

    return meaning


def _delete(_account: Account, params: Mapping[str, Any]) -> Iterator[Request]:
    yield Request("s3:DeleteObjectVersion" if "VersionId" in params else "s3:DeleteObject", _object(params))


def _delete_many(account: Account, params: Mapping[str, Any]) -> Iterator[Request]:
    for each in params["Delete"]["Objects"]:
        yield from _delete(account, {"Bucket": params["Bucket"], **each})


def _start_job(account: Account, params: Mapping[str, Any]) -> Iterator[Request]:
    place = params["DocumentLocation"]["S3Object"]
    yield Request("textract:StartDocumentTextDetection", "*")
    yield from _get(account, {"Bucket": place["Bucket"], "Key": place["Name"]})


def _anywhere(action: str) -> Callable[[Account, Mapping[str, Any]], Iterator[Request]]:
    return lambda _account, _params: iter([Request(action, "*")])


def _kms(action: str) -> Callable[[Account, Mapping[str, Any]], Iterator[Request]]:
    def meaning(_account: Account, params: Mapping[str, Any]) -> Iterator[Request]:
        context = {f"kms:EncryptionContext:{key}": value for key, value in params["EncryptionContext"].items()}
        yield Request(f"kms:{action}", params["KeyId"], context)

    return meaning


def _parameters(_account: Account, params: Mapping[str, Any]) -> Iterator[Request]:
    for name in params["Names"]:
        yield Request("ssm:GetParameters", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter{name}")


def _secret(account: Account, params: Mapping[str, Any]) -> Iterator[Request]:
    arn = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{params['SecretId']}-aB3xYz"
    yield Request("secretsmanager:GetSecretValue", arn)
    yield account.kms("Decrypt", account.secret_keys[params["SecretId"]], "secretsmanager")


def _figures(_account: Account, params: Mapping[str, Any]) -> Iterator[Request]:
    yield Request("cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": params["Namespace"]})


def _alarm(_account: Account, params: Mapping[str, Any]) -> Iterator[Request]:
    yield Request("cloudwatch:PutMetricAlarm", f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{params['AlarmName']}")


def invoking(endpoint: str) -> Request:
    """What asking an endpoint of SageMaker takes."""
    return Request("sagemaker:InvokeEndpoint", f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/{endpoint}")


_MEANINGS: Final[Mapping[tuple[str, str], Callable[[Account, Mapping[str, Any]], Iterator[Request]]]] = {
    ("s3", "GetObject"): _get,
    ("s3", "HeadObject"): _get,  # The same right. It decrypts nothing, but every object here is encrypted.
    ("s3", "HeadBucket"): _list("s3:ListBucket"),
    ("s3", "ListObjectsV2"): _list("s3:ListBucket"),
    ("s3", "ListObjectVersions"): _list("s3:ListBucketVersions"),
    ("s3", "PutObject"): _put,
    ("s3", "DeleteObject"): _delete,
    ("s3", "DeleteObjects"): _delete_many,
    ("kms", "Encrypt"): _kms("Encrypt"),
    ("kms", "Decrypt"): _kms("Decrypt"),
    ("ssm", "GetParameters"): _parameters,
    ("secretsmanager", "GetSecretValue"): _secret,
    ("textract", "DetectDocumentText"): _anywhere("textract:DetectDocumentText"),
    ("textract", "StartDocumentTextDetection"): _start_job,
    ("textract", "GetDocumentTextDetection"): _anywhere("textract:GetDocumentTextDetection"),
    ("sagemaker-runtime", "InvokeEndpoint"): lambda _account, params: iter([invoking(params["EndpointName"])]),
    ("cloudwatch", "PutMetricData"): _figures,
    ("cloudwatch", "PutMetricAlarm"): _alarm,
}


def of_agents(role: str) -> list[Request]:
    """What AWS's own agents do on a host, which is no code of ours.

    CloudWatchAgentServerPolicy, without what makes or deletes groups and without metrics; AmazonSSMManagedInstanceCore,
    without documents, inventory and patches.
    """
    stream = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/{NAME}/{role}:log-stream:i-0123456789abcdef0"
    logs = [Request(f"logs:{each}", stream) for each in ("CreateLogStream", "DescribeLogStreams", "PutLogEvents")]
    channels = ("CreateControlChannel", "CreateDataChannel", "OpenControlChannel", "OpenDataChannel")
    return [
        *logs,
        Request("ssm:UpdateInstanceInformation", "*"),
        *(Request(f"ssmmessages:{each}", "*") for each in channels),
    ]
