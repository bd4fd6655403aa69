"""A SageMaker endpoint as a model server: where it is, how a question to it is signed, and what its errors mean.

The planning document's managed option. The questions are those of `client`, which sends them: only the address, the
signature and the errors are SageMaker's. The container takes a chat completion at /invocations as vLLM does at
/v1/chat/completions (vLLM's own SageMaker image; LMI with vLLM). The only module here that imports botocore.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html
"""

from __future__ import annotations

import functools
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from extraction.llm import endpoints
from extraction.llm.endpoints import PublicEndpoint

if TYPE_CHECKING:
    from botocore.credentials import Credentials

SCHEME = "sagemaker://"
REGION = "ca-central-1"  # Montréal: health information stays in Canada
RUNTIME = "https://runtime.sagemaker.{region}.amazonaws.com"
_SERVICE = "sagemaker"
_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
"""Of CreateEndpoint. The name's case counts when the endpoint is called."""
_OF_THE_REGION = re.compile(rf"([a-z0-9-]+\.)*runtime\.sagemaker\.{REGION}(\.vpce)?\.amazonaws\.com")
_AWS = (".amazonaws.com", ".api.aws", ".amazonaws.com.cn")

_BUSY, _BROKEN_GATEWAY, _UNAVAILABLE = 429, 502, 503
_STATUS = {
    "ThrottlingException": _BUSY,
    "ModelNotReadyException": _BUSY,
    "ServiceUnavailable": _UNAVAILABLE,
    "InternalFailure": _UNAVAILABLE,
    "InternalDependencyException": _UNAVAILABLE,
}
"""SageMaker's own errors that pass, as the HTTP status by which `client` knows them."""
_MODEL_ERROR, _VALIDATION_ERROR = "ModelError", "ValidationError"
_CONTAINER_ERRORS = range(300, 600)


class NoCredentials(Exception):
    """This process has no AWS credentials, or cannot have them renewed now."""


class _ModelError(BaseModel):
    """What the container answered, as SageMaker hands it on (HTTP status 424)."""

    model_config = ConfigDict(extra="ignore")

    status: int = Field(alias="OriginalStatusCode")
    message: str = Field(alias="OriginalMessage", default="")


@dataclass(frozen=True, slots=True)
class Meaning:
    """An error as a model server that is asked directly would give it: its HTTP status and body."""

    status: int
    body: bytes = b""


def is_named(endpoint: str) -> bool:
    """Whether an endpoint is one of SageMaker's, such as sagemaker://nam-finder."""
    return endpoint.startswith(SCHEME)


def runtime(region: str, override: str = "") -> str:
    """The address of SageMaker's runtime in a region, or the one that the settings give in its place."""
    return (override or RUNTIME.format(region=region)).rstrip("/")


def url(endpoint: str, runtime_url: str) -> str:
    """Where a named endpoint is invoked.

    Raises PublicEndpoint for a name that is none, and for an address of AWS that is not SageMaker's in Canada. A
    stand-in on the private network is no address of AWS.
    """
    name = endpoint.removeprefix(SCHEME)
    if not _NAME.fullmatch(name):
        raise PublicEndpoint("A SageMaker endpoint is written sagemaker://NAME.")
    host = endpoints.host_of(runtime_url)
    if host.endswith(_AWS) and not (_OF_THE_REGION.fullmatch(host) and urlsplit(runtime_url).scheme == "https"):
        raise PublicEndpoint(f"The model endpoint is not SageMaker's in {REGION}: health information stays in Canada.")
    return f"{runtime_url}/endpoints/{name}/invocations"


def signed(to: str, content: bytes) -> dict[str, str]:
    """The headers of one question, with its signature, which holds for five minutes. Raises NoCredentials."""
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.exceptions import BotoCoreError

    credentials = _credentials()
    if credentials is None:
        _credentials.cache_clear()  # An instance's role may be there a moment later.
        raise NoCredentials
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    request = AWSRequest("POST", to, data=content, headers=headers)
    try:
        SigV4Auth(credentials.get_frozen_credentials(), _SERVICE, REGION).add_auth(request)
    except BotoCoreError:
        raise NoCredentials from None
    return dict(request.headers.items())


def meaning(kind: str, status: int, body: bytes) -> Meaning | None:
    """What a reply that is not 200 means; `kind` is its header x-amzn-ErrorType. None: there is no such endpoint now.

    An endpoint is deleted to stop paying for it, as another server is switched off; neither is the page's fault. What
    SageMaker itself writes into a body is not handed on: only the container's words are read.
    """
    name = kind.partition(":")[0].rpartition("#")[2]
    if name == _VALIDATION_ERROR:
        return None
    if name == _MODEL_ERROR:
        return _of_the_container(body)
    return Meaning(_STATUS.get(name, status))


def _of_the_container(body: bytes) -> Meaning:
    """Status 0 is a container that took longer than a minute; one that is no error at all is nonsense."""
    try:
        error = _ModelError.model_validate_json(body)
    except ValidationError:
        return Meaning(_BROKEN_GATEWAY)
    if error.status not in _CONTAINER_ERRORS:
        return Meaning(_BROKEN_GATEWAY)
    return Meaning(error.status, error.message.encode(errors="replace"))


@functools.cache
def _credentials() -> Credentials | None:
    """As boto3 finds them: the environment, a file, the instance's role. They renew themselves."""
    from botocore.session import get_session

    return get_session().get_credentials()


# A worker's child must not inherit a lock that a thread of its parent holds.
os.register_at_fork(after_in_child=_credentials.cache_clear)
