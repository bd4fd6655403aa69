"""The client of the model server: any OpenAI-compatible vLLM, by itself or behind SageMaker. The only module that sends
pages by httpx.

Contract
- One question, one connection. A connection on the clinic's network costs less than a millisecond beside seconds of
  inference; in exchange nothing is shared between threads or survives a fork, no idle connection can be found dead, and
  a balancer in front of several servers spreads every question anew.
- Every connection goes to an address that `check_address` approved a moment before, and to no other: no proxy from the
  environment, no redirect, no second look-up.
- A question takes at most `timeout` seconds of the server's time, retries and back-off included, however slowly bytes
  arrive; a connection is given up after five seconds. No more than `concurrency` questions are open at a time in
  this process; the wait for a free place is not counted. A reply of more than 4 MiB is not read to its end.
- 429, 500, 502, 503, 504, a refused, reset or broken connection are retried twice. After that `ModelUnreachable` says
  that the service is down. Every other unusable reply raises `ModelBadReply`. An answer that was cut short by
  `max_tokens` is asked for once more with twice as many, one that is empty or not what was asked for once more with
  another draw; so `chat` may take 2 x `timeout`. A model that says the same again and again is stopped, and may do so
  the second time: a sheet of labels prints one number many times. A refusal, a page longer than the context and an
  HTTP error would only come again.
- A `sagemaker://` endpoint is asked the same, signed, at SageMaker's runtime. Its errors become those that the server
  in the container, or one that is switched off, would have given; everything above holds for it too. To renew its
  credentials botocore may ask the instance for its role before a question, for a second or two.
- The id of the HTTP request behind a question goes along as X-Request-Id, so that the server's log lines can be found.
- Nothing from httpx, and nothing that was sent or received, is in an exception raised here or in a log line. The errors
  carry closed codes only, and are raised outside `except` blocks so that they chain no request.
"""

from __future__ import annotations

import functools
import json
import logging
import os
import secrets
import ssl
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

import httpcore
import httpx
from django.conf import settings
from pydantic import BaseModel, ConfigDict, ValidationError

from audit.origin import current_origin
from extraction.errors import ExtractionError, ServiceUnavailable
from extraction.llm import endpoints, sagemaker
from extraction.llm.prompts import Message

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 5.0
MAX_REPLY_BYTES = 4 * 1024 * 1024
RETRY_PAUSES = (0.25, 1.0)
"""Seconds before the second and the third attempt."""
SEED = 20251003
"""Fixed, so that the same page and prompt give the same answer as far as the server can."""

_RETRIED = frozenset({429, 500, 502, 503, 504})
_OK, _REFUSED = 200, 400
_OTHER = {"temperature": 0.3, "seed": SEED + 1}
"""Of a second question: the first has no temperature, and would give the same answer again."""

Answer = TypeVar("Answer", bound=BaseModel)
Unreachable = Literal["refused_address", "unresolved", "unreachable", "timeout", "busy", "no_credentials"]
BadReply = Literal[
    "status", "too_long", "too_large", "not_json", "empty", "refused", "cut_short", "repeating", "schema"
]

_CODES: dict[BadReply, str] = {
    "cut_short": "model_cut_short",
    "repeating": "model_cut_short",
    "too_long": "model_too_long",
    "empty": "model_no_answer",
    "refused": "model_no_answer",
}
"""What a page says of itself; `model_bad_reply` for every other reason."""
_DRAWN_AGAIN = frozenset({"not_json", "empty", "schema"})
_LOOP = {"min_pattern_size": 8, "max_pattern_size": 80, "min_count": 4}
"""What vLLM takes for a model that has lost its place: an entry of an answer, in tokens, four times in a row. Servers
that do not know the field go on to `max_tokens`."""
_TOO_LONG = b"maximum context length"
"""How vLLM words it (`vllm/renderers/params.py`)."""


class ModelUnreachable(ServiceUnavailable):
    """The model server cannot be asked now. `reason` says why, for health pages and counters."""

    def __init__(self, reason: Unreachable) -> None:
        super().__init__("model_unavailable")
        self.reason = reason


class ModelBadReply(ExtractionError):
    """The model server answered with something unusable. `reason` says what, for counters."""

    def __init__(self, reason: BadReply) -> None:
        super().__init__(_CODES.get(reason, "model_bad_reply"))
        self.reason = reason


@dataclass(frozen=True)
class ModelServer:
    """Where a model answers. `endpoint` ends in /v1, or is sagemaker://NAME and asked at `runtime`, with a signature in
    place of the key; `timeout` is seconds; `allowed_hosts` empty: any private host."""

    endpoint: str
    model: str
    api_key: str = field(default="", repr=False)
    timeout: float = 60.0
    concurrency: int = 4
    allowed_hosts: tuple[str, ...] = ()
    runtime: str = sagemaker.runtime(sagemaker.REGION)

    def __post_init__(self) -> None:
        # httpx would quote a key that it cannot encode in its own error.
        if not (self.api_key.isascii() and self.api_key.isprintable()):
            raise ValueError("the model server's API key must be printable ASCII")
        if self.timeout <= 0 or self.concurrency < 1:
            raise ValueError("the model server's timeout and concurrency must be positive")

    @property
    def is_managed(self) -> bool:
        """Whether it is SageMaker's: then it has neither /health nor /metrics."""
        return sagemaker.is_named(self.endpoint)

    @property
    def chat_url(self) -> str:
        """Where questions go. Raises PublicEndpoint for one of SageMaker's that is not in Canada."""
        if self.is_managed:
            return sagemaker.url(self.endpoint, self.runtime)
        return f"{self.endpoint.rstrip('/')}/chat/completions"

    @property
    def base(self) -> str:
        """The server's address without /v1, where /health is."""
        return self.endpoint.rstrip("/").removesuffix("/v1")


class Token(BaseModel):
    """One generated token with the natural logarithm of the probability that the model gave it."""

    token: str
    logprob: float


@dataclass(frozen=True)
class Completion(Generic[Answer]):
    """A checked answer. `content` is its JSON text, `tokens` that text's tokens (empty if the server gave none)."""

    answer: Answer
    content: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    tokens: tuple[Token, ...]


@dataclass(frozen=True)
class Reply:
    """What came back for one request: the HTTP status and the body as sent."""

    status: int
    body: bytes


def from_settings() -> ModelServer | None:
    """The server of LLM_ENDPOINT and its companions; None when no endpoint is set.

    The endpoint's own host (for SageMaker its runtime's) and LLM_ALLOWED_HOSTS are allowed, so that a second deployment
    (`dataclasses.replace` with another endpoint) is reachable only on a host that the clinic listed.
    """
    endpoint: str = settings.LLM_ENDPOINT
    if not endpoint:
        return None
    runtime = sagemaker.runtime(settings.AWS_REGION, settings.SAGEMAKER_ENDPOINT_URL or settings.AWS_ENDPOINT_URL or "")
    try:
        own = endpoints.host_of(runtime if sagemaker.is_named(endpoint) else endpoint)
        allowed = (own, *settings.LLM_ALLOWED_HOSTS)
    except endpoints.PublicEndpoint:
        allowed = tuple(settings.LLM_ALLOWED_HOSTS)  # It is refused with its reason when it is used or checked.
    return ModelServer(
        endpoint=endpoint,
        model=settings.LLM_MODEL,
        api_key=settings.LLM_API_KEY,
        timeout=settings.LLM_TIMEOUT,
        concurrency=settings.LLM_CONCURRENCY,
        allowed_hosts=allowed,
        runtime=runtime,
    )


def check_address(server: ModelServer) -> endpoints.Address:
    """The checked addresses of a server. Raises PublicEndpoint when nothing may be sent there, UnresolvedEndpoint."""
    if not server.is_managed:
        endpoints.check_is_our_own(server.endpoint)
    return endpoints.check_endpoint(server.chat_url, server.allowed_hosts)


def chat(
    server: ModelServer,
    messages: Sequence[Message],
    schema: type[Answer],
    *,
    max_tokens: int,
    allowed: dict[str, Any] | None = None,
) -> Completion[Answer]:
    """The model's answer to `messages`, constrained by the server to `schema` and checked against it again here.

    `allowed` is a narrower JSON schema for the server, if there is one. Raises ModelUnreachable or ModelBadReply.
    """
    question = _question(server, messages, schema, allowed or schema.model_json_schema(), max_tokens)
    try:
        return _ask(server, question, schema)
    except ModelBadReply as error:
        if error.reason == "cut_short":
            question |= {"max_tokens": 2 * max_tokens}
        elif error.reason == "repeating":
            del question["repetition_detection"]
            question |= _OTHER
        elif error.reason in _DRAWN_AGAIN:
            question |= _OTHER
        else:
            raise
    return _ask(server, question, schema)


def get(server: ModelServer, url: str, *, timeout: float) -> Reply:
    """One GET without retries, in at most `timeout` seconds. Raises ModelUnreachable, or ModelBadReply if too large."""
    return _reached(_exchange(server, url, None, time.monotonic() + timeout))


def touch(server: ModelServer, *, timeout: float) -> Reply:
    """One question of one token without retries, where a server has no other way to say how it is. Raises as `get`."""
    question = {"model": server.model, "messages": [{"role": "user", "content": "1"}], "max_tokens": 1}
    return _reached(_exchange(server, None, question, time.monotonic() + timeout))


def _reached(reply: Reply | Unreachable) -> Reply:
    if isinstance(reply, Reply):
        return reply
    raise ModelUnreachable(reply)


def _ask(server: ModelServer, question: dict[str, Any], schema: type[Answer]) -> Completion[Answer]:
    with _slots(server.endpoint, server.concurrency):
        reply = _post(server, question)
    return _completion(reply, schema)


def _question(
    server: ModelServer,
    messages: Sequence[Message],
    schema: type[BaseModel],
    allowed: dict[str, Any],
    max_tokens: int,
) -> dict[str, Any]:
    return {
        "model": server.model,
        "messages": list(messages),
        "temperature": 0,
        "seed": SEED,
        "max_tokens": max_tokens,
        "logprobs": True,
        "repetition_detection": _LOOP,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": schema.__name__, "schema": allowed, "strict": True},
        },
    }


def _post(server: ModelServer, question: dict[str, Any]) -> Reply:
    """The first reply that is worth reading. Raises ModelUnreachable after the last attempt or at the deadline."""
    deadline = time.monotonic() + server.timeout
    reason: Unreachable = "unreachable"
    for attempt, pause in enumerate((*RETRY_PAUSES, None), start=1):
        reply = _exchange(server, None, question, deadline)
        if isinstance(reply, Reply) and reply.status not in _RETRIED:
            return reply
        reason = "busy" if isinstance(reply, Reply) else reply
        logger.warning("model server: attempt %d failed (%s)", attempt, reason)
        if pause is None or reason == "refused_address" or time.monotonic() + pause >= deadline:
            break
        time.sleep(pause)
    raise ModelUnreachable(reason)


def _exchange(
    server: ModelServer, url: str | None, question: dict[str, Any] | None, deadline: float
) -> Reply | Unreachable:
    """A GET of `url` or a POST of a question, on one connection: the reply, or why there is none.

    Raises ModelBadReply for a reply too large.
    """
    content = b"" if question is None else json.dumps(question, ensure_ascii=False).encode()
    limits = httpx.Timeout(server.timeout, connect=CONNECT_SECONDS)
    try:
        transport = _Transport(check_address(server), deadline)
        url, method = (url, "GET") if url else (server.chat_url, "POST")
        headers = _headers(server, url, content)
        with (
            httpx.Client(transport=transport, trust_env=False, follow_redirects=False, timeout=limits) as client,
            client.stream(method, url, content=content, headers=headers) as response,
        ):
            return _read(server, response)
    except endpoints.PublicEndpoint as error:
        logger.error("model server refused: %s", error)  # noqa: TRY400 - the sentence is all there is to say
        return "refused_address"
    except endpoints.UnresolvedEndpoint:
        return "unresolved"
    except sagemaker.NoCredentials:
        return "no_credentials"
    except httpx.TimeoutException:
        return "timeout"
    except (httpx.HTTPError, httpx.InvalidURL):
        return "unreachable"


def _headers(server: ModelServer, url: str, content: bytes) -> dict[str, str]:
    headers = {"Accept-Encoding": "identity"}
    if server.is_managed:
        return headers | sagemaker.signed(url, content)
    if content:
        headers["Content-Type"] = "application/json"
    headers |= _request_id()
    if server.api_key:
        headers["Authorization"] = f"Bearer {server.api_key}"
    return headers


def _read(server: ModelServer, response: httpx.Response) -> Reply | Unreachable:
    body = _capped(response.iter_raw())
    if not server.is_managed or response.status_code == _OK:
        return Reply(response.status_code, body)
    meant = sagemaker.meaning(response.headers.get("x-amzn-ErrorType", ""), response.status_code, body)
    return "unreachable" if meant is None else Reply(meant.status, meant.body)


def _request_id() -> dict[str, str]:
    """The id of the HTTP request behind a question, under which vLLM's log speaks of it (its `_base_request_id`).

    Each attempt has an ending of its own: pages are asked about side by side, and vLLM says that "duplicate
    externally-provided request IDs may cause failures" (`v1/engine/input_processor.py`).
    """
    request_id = current_origin().request_id
    return {"X-Request-Id": f"{request_id}-{secrets.token_hex(4)}"} if request_id else {}


def _capped(chunks: Iterable[bytes]) -> bytes:
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > MAX_REPLY_BYTES:
            raise ModelBadReply("too_large")
    return bytes(body)


class _Said(BaseModel):
    content: str | None = None
    refusal: str | None = None


class _Tokens(BaseModel):
    content: list[Token] | None = None


class _Choice(BaseModel):
    message: _Said
    finish_reason: str | None = None
    logprobs: _Tokens | None = None


class _Usage(BaseModel):
    prompt_tokens: int = 0
    completion_tokens: int = 0


class _Envelope(BaseModel):
    """The parts of an OpenAI chat completion that are used here."""

    model_config = ConfigDict(extra="ignore")

    choices: list[_Choice]
    usage: _Usage = _Usage()


def _completion(reply: Reply, schema: type[Answer]) -> Completion[Answer]:
    if reply.status != _OK:
        logger.warning("model server: status %d", reply.status)
        raise ModelBadReply("too_long" if reply.status == _REFUSED and _TOO_LONG in reply.body else "status")
    envelope = _parsed(reply.body, _Envelope)
    if envelope is None:
        raise ModelBadReply("not_json")
    choice = envelope.choices[0] if envelope.choices else None
    if choice is not None and choice.finish_reason == "length":
        raise ModelBadReply("cut_short")
    if choice is not None and choice.finish_reason == "repetition":
        raise ModelBadReply("repeating")
    if choice is not None and choice.message.refusal:
        raise ModelBadReply("refused")
    if choice is None or not choice.message.content:
        raise ModelBadReply("empty")
    answer = _parsed(choice.message.content, schema)
    if answer is None:
        raise ModelBadReply("schema")
    return Completion(
        answer=answer,
        content=choice.message.content,
        finish_reason=choice.finish_reason or "",
        prompt_tokens=envelope.usage.prompt_tokens,
        completion_tokens=envelope.usage.completion_tokens,
        tokens=tuple((choice.logprobs and choice.logprobs.content) or ()),
    )


Shape = TypeVar("Shape", bound=BaseModel)


def _parsed(text: str | bytes, shape: type[Shape]) -> Shape | None:
    """None instead of pydantic's error, which would quote the text."""
    try:
        return shape.model_validate_json(text)
    except ValidationError:
        return None


@functools.cache
def _slots(endpoint: str, concurrency: int) -> threading.BoundedSemaphore:
    return threading.BoundedSemaphore(concurrency)


# A worker's child must not inherit places that threads of its parent hold.
os.register_at_fork(after_in_child=_slots.cache_clear)


@functools.cache
def _certificates() -> ssl.SSLContext:
    """The machine's own certificate store, which is where a clinic puts its private authority (or SSL_CERT_FILE)."""
    return ssl.create_default_context()


class _Transport(httpx.HTTPTransport):
    """httpx's transport over connections that `_Network` opens."""

    def __init__(self, address: endpoints.Address, deadline: float) -> None:
        super().__init__(verify=_certificates(), trust_env=False)
        # httpx has no argument for the network backend of its pool; httpcore, on which it stands, documents one.
        self._pool = httpcore.ConnectionPool(
            ssl_context=_certificates(), max_keepalive_connections=0, network_backend=_Network(address, deadline)
        )


class _Network(httpcore.NetworkBackend):
    """Opens connections to the pinned addresses only, whatever host is asked for, and ends them at the deadline."""

    def __init__(self, address: endpoints.Address, deadline: float) -> None:
        self._address = address
        self._deadline = deadline
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """A stream to the first pinned address that accepts. Raises httpcore's ConnectError or ConnectTimeout."""
        error: Exception = httpcore.ConnectError("no address accepts connections")
        for pinned in self._address.pinned:
            seconds = _remaining(self._deadline, timeout, httpcore.ConnectTimeout)
            try:
                stream = self._inner.connect_tcp(pinned, self._address.port, seconds, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as failed:
                error = failed
            else:
                return _Stream(stream, self._deadline)
        raise error


class _Stream(httpcore.NetworkStream):
    """A connection whose every wait ends at the deadline, so that a reply cannot be dripped for ever."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: float) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _remaining(self._deadline, timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _remaining(self._deadline, timeout, httpcore.WriteTimeout))

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        seconds = _remaining(self._deadline, timeout, httpcore.ConnectTimeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, seconds), self._deadline)

    def close(self) -> None:
        self._inner.close()

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _remaining(deadline: float, timeout: float | None, error: type[Exception]) -> float:
    """The shorter of `timeout` and what is left until the deadline, in seconds. Raises `error` when nothing is left."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise error("the deadline has passed")
    return left if timeout is None else min(left, timeout)
