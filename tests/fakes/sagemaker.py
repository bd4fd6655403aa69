"""A stand-in of SageMaker's runtime on the loopback interface, with the stand-in of vLLM as the container behind it.

    with running_sagemaker(answer=lambda question: {"nams": []}) as server:
        server.endpoint      # "sagemaker://nam-finder"
        server.runtime       # "http://127.0.0.1:43121", where it is invoked

Everything else is as in `tests.fakes.vllm`: the same questions are checked, and the same faults happen. What the
container answers besides 200 comes back as SageMaker hands it on, a ModelError of status 424. What SageMaker says by
itself is a fault too (`refuses`). Requests that the service would not know, or whose signature has not the form of one,
are refused as it does. Signatures are verified by computing them anew from the request as it arrived.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.fakes.vllm import FakeVLLM, Fault, Handler, Refused, running_vllm

NAME = "nam-finder"
REGION = "ca-central-1"
ACCESS_KEY, SECRET_KEY, TOKEN = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "made-up-token"
_PATH = re.compile(r"/endpoints/([^/]+)/invocations")
_AUTHORIZATION = re.compile(
    rf"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/(\d{{8}})/{REGION}/sagemaker/aws4_request, "
    r"SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})"
)
_SIGNED = {"accept", "content-type", "host", "x-amz-date", "x-amz-security-token"}
_MODEL_ERROR = 424


class FakeSageMaker(FakeVLLM):
    """The running stand-in. `container` is the address of a real server's /invocations, if one is to answer; `name` is
    the only endpoint that there is."""

    container = ""
    name = NAME

    @property
    def endpoint(self) -> str:
        return f"sagemaker://{self.name}"

    @property
    def runtime(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class Runtime(Handler):
    """One invocation."""

    def do_GET(self) -> None:  # noqa: N802 - the name of the standard library
        self.send_response(403)
        self.end_headers()

    def do_POST(self) -> None:  # noqa: N802
        raw = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.server.hosts.append(self.headers["Host"])
        fault = self.server.next_fault()
        if fault is not None:
            fault(self)
        elif refusal := self._refusal(raw):
            refuses(*refusal)(self)
        else:
            self._guarded(lambda: self._invoke(raw))

    def send_body(
        self, status: int, body: bytes, kind: str = "text/plain", *, length: int | None = None, **headers: str
    ) -> None:
        if status == 200:
            super().send_body(status, body, kind, length=length, **headers)
            return
        said = {
            "Message": f"Received client error ({status}) from primary",
            "OriginalStatusCode": status,
            "OriginalMessage": body.decode(),
            "LogStreamArn": "arn:aws:logs:ca-central-1:111122223333:log-group:/aws/sagemaker/Endpoints/nam-finder",
        }
        self.send_error_of("ModelError", _MODEL_ERROR, said)

    def send_error_of(self, kind: str, status: int, body: dict[str, Any]) -> None:
        namespace = "http://internal.amazon.com/coral/com.amazonaws.sagemaker.runtime/"
        super().send_body(status, json.dumps(body).encode(), "application/json", x_amzn_ErrorType=f"{kind}:{namespace}")

    def _refusal(self, raw: bytes) -> tuple[str, int, str] | None:
        found = _PATH.fullmatch(self.path)
        if found is None or self.headers.get("Content-Type") != "application/json":
            return "UnknownOperationException", 404, "no such operation"
        if not self._is_signed(raw):
            return "InvalidSignatureException", 403, "The request signature we calculated does not match"
        assert isinstance(self.server, FakeSageMaker)
        if found[1] != self.server.name:
            return "ValidationError", 400, f"Endpoint {found[1]} of account 111122223333 not found."
        return None

    def _is_signed(self, raw: bytes) -> bool:
        found = _AUTHORIZATION.fullmatch(self.headers.get("Authorization", ""))
        if found is None or set(found[2].split(";")) != _SIGNED or self.headers["X-Amz-Date"][:8] != found[1]:
            return False
        request = AWSRequest("POST", f"http://{self.headers['Host']}{self.path}", data=raw)
        for name in _SIGNED - {"host"}:
            request.headers[name] = self.headers[name]
        request.context["timestamp"] = self.headers["X-Amz-Date"]
        auth = SigV4Auth(Credentials(ACCESS_KEY, SECRET_KEY, TOKEN), "sagemaker", REGION)
        canonical = auth.canonical_request(request)
        return auth.signature(auth.string_to_sign(request, canonical), request) == found[3]

    def _invoke(self, raw: bytes) -> None:
        assert isinstance(self.server, FakeSageMaker)
        if self.server.container:
            headers = {"Content-Type": "application/json"}
            reply = httpx.post(self.server.container, content=raw, headers=headers, timeout=300, trust_env=False)
            self.send_body(reply.status_code, reply.content, "application/json")
        elif "response_format" in json.loads(raw):
            self._chat(raw)
        else:
            self._touched(raw)

    def _touched(self, raw: bytes) -> None:
        """A question that has no schema: how the server is looked at."""
        question = json.loads(raw)
        if not self.server.healthy:
            raise Refused(503, "not well")
        if question["model"] != self.server.model:
            raise Refused(404, "The model does not exist.")
        self.send_json(200, {"choices": [{"message": {"role": "assistant", "content": "1"}}]})


def refuses(kind: str, status: int, message: str = "refused") -> Fault:
    """An error of SageMaker's own."""

    def fault(handler: Handler) -> None:
        assert isinstance(handler, Runtime)
        handler.send_error_of(kind, status, {"Message": message})

    return fault


def container(status: int, message: str = "") -> Fault:
    """A ModelError with this original status: 0 is a container that took longer than a minute."""
    said = {"Message": "…", "OriginalStatusCode": status, "OriginalMessage": message}

    def fault(handler: Handler) -> None:
        assert isinstance(handler, Runtime)
        handler.send_error_of("ModelError", _MODEL_ERROR, said)

    return fault


@contextmanager
def running_sagemaker(*arguments: Any, container: str = "", name: str = NAME, **named: Any) -> Iterator[FakeSageMaker]:
    """As `running_vllm`, with its arguments."""
    with running_vllm(*arguments, kind=FakeSageMaker, handler=Runtime, **named) as server:
        assert isinstance(server, FakeSageMaker)
        server.container, server.name = container, name
        yield server
