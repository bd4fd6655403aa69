"""A stand-in of a vLLM server on the loopback interface: as strict as the real one, and as rude as told to be.

    with running_vllm(answer=lambda question: {"nams": []}) as server:
        server.endpoint      # "http://127.0.0.1:43121/v1"
        server.questions     # the request bodies that arrived, checked

It refuses what vLLM 0.33 refuses and some of what vLLM would ignore in silence (unknown fields), so that a request that
passes here is one that the real server understands. With `holds` an answer that breaks the schema of its request is an
error of the test, because the real server's grammar cannot produce it. `faults` are for everything that can go wrong.
Each fault is used up by one chat request, in order; after the last, requests are answered.
"""

from __future__ import annotations

import json
import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import Any

import jsonschema  # type: ignore[import-untyped]

MODEL = "nam-extractor"
MAX_MODEL_LEN = 8192
_CHARACTERS_A_TOKEN = 4
_TURN = 0.05
_DRIPS = 100
"""Five seconds of one byte each turn: longer than any test waits, and an end for a client that waits for ever."""

_NUMBER = (int, float)
_FIELDS: dict[str, Any] = {
    "model": str,
    "messages": list,
    "temperature": _NUMBER,
    "top_p": _NUMBER,
    "seed": int,
    "n": int,
    "max_tokens": int,
    "max_completion_tokens": int,
    "stop": (str, list),
    "stream": bool,
    "logprobs": bool,
    "repetition_detection": dict,
    "top_logprobs": int,
    "response_format": dict,
    "structured_outputs": dict,
    "cache_salt": str,
    "user": str,
}

Answer = Callable[[str], Any]
"""From the user's turn to the answer: something JSON-ready, or a string that is sent as it is."""
Fault = Callable[["Handler"], None]


class Refused(Exception):
    """A request that vLLM would refuse, with its HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class FakeVLLM(ThreadingHTTPServer):
    """The running stand-in. `chats` counts the chat requests, `most_at_once` those that were answered side by side."""

    daemon_threads = False

    def __init__(
        self,
        answer: Answer,
        faults: Iterable[Fault],
        model: str,
        api_key: str,
        *,
        healthy: bool,
        holds: bool,
        gets: Mapping[str, Fault],
        handler: type[Handler],
    ) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.answer = answer
        self.faults = list(faults)
        self.model = model
        self.api_key = api_key
        self.healthy = healthy
        self.holds = holds
        self.gets = gets
        self.questions: list[dict[str, Any]] = []
        self.hosts: list[str] = []
        self.request_ids: list[str | None] = []
        self.chats = 0
        self.most_at_once = 0
        self.stopping = threading.Event()
        self._lock = threading.Lock()
        self._open = 0

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def runtime(self) -> str:
        """Where SageMaker's runtime is: the stand-in of a vLLM by itself has none."""
        return ""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are expected here and not worth a line on stderr."""

    def next_fault(self) -> Fault | None:
        with self._lock:
            self.chats += 1
            return self.faults.pop(0) if self.faults else None

    def generate(self, question: str) -> Any:
        """The answer to the user's turn. Counted as open only here: a client may ask again before a thread ends."""
        with self._lock:
            self._open += 1
            self.most_at_once = max(self.most_at_once, self._open)
        try:
            return self.answer(question)
        finally:
            with self._lock:
                self._open -= 1


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: FakeVLLM

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the standard library
        """Nothing: a test's output is its own."""

    def do_GET(self) -> None:
        if fault := self.server.gets.get(self.path):
            fault(self)
        elif self.path == "/health":
            self.send_body(200 if self.server.healthy else 503, b"")
        elif self.path == "/v1/models":
            self._guarded(self._models)
        else:
            self.send_json(404, {"detail": "Not Found"})

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.server.hosts.append(self.headers["Host"])
        self.server.request_ids.append(self.headers["X-Request-Id"])
        if self.path != "/v1/chat/completions":
            self.send_json(404, {"detail": "Not Found"})
            return
        fault = self.server.next_fault()
        if fault is not None:
            fault(self)
        else:
            self._guarded(lambda: self._chat(raw))

    def send_json(self, status: int, body: Any) -> None:
        self.send_body(status, json.dumps(body).encode(), "application/json")

    def send_body(
        self, status: int, body: bytes, kind: str = "text/plain", *, length: int | None = None, **headers: str
    ) -> None:
        """A response; with `length` it promises more or fewer bytes than it has."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def _guarded(self, respond: Callable[[], None]) -> None:
        key = self.server.api_key
        try:
            if key and self.headers.get("Authorization") != f"Bearer {key}":
                raise Refused(401, "Unauthorized")
            respond()
        except Refused as refused:
            self.send_json(refused.status, {"error": {"message": str(refused), "code": refused.status}})

    def _models(self) -> None:
        self.send_json(200, {"object": "list", "data": [{"id": self.server.model, "object": "model"}]})

    def _chat(self, raw: bytes) -> None:
        question = checked(raw, self.server.model)
        self.server.questions.append(question)
        answer = self.server.generate(question["messages"][-1]["content"])
        content = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
        if self.server.holds:
            jsonschema.validate(json.loads(content), question["response_format"]["json_schema"]["schema"])
        self.send_json(200, completion(question, content))


def checked(raw: bytes, model: str) -> dict[str, Any]:
    """A chat request's body. Raises Refused as vLLM does, and for unknown fields as well."""
    try:
        question = json.loads(raw)
    except ValueError:
        raise Refused(400, "not JSON") from None
    for name, value in question.items():
        if name not in _FIELDS:
            raise Refused(400, f"unknown field {name}")
        if not isinstance(value, _FIELDS[name]) or (isinstance(value, bool) and _FIELDS[name] is not bool):
            raise Refused(400, f"wrong type of {name}")
    if question.get("model") != model:
        raise Refused(404, "The model does not exist.")
    _check_sampling(question)
    _check_repetition(question.get("repetition_detection"))
    _check_messages(question.get("messages"))
    _check_response_format(question.get("response_format"))
    return dict(question)


def _check_sampling(question: dict[str, Any]) -> None:
    if question.get("max_tokens", 1) < 1 or not 0 <= question.get("temperature", 1) <= 2:
        raise Refused(400, "a sampling parameter is out of range")
    if "top_logprobs" in question and not question.get("logprobs"):
        raise Refused(400, "top_logprobs needs logprobs")
    if _prompt_tokens(question) + question.get("max_tokens", 0) > MAX_MODEL_LEN:
        raise Refused(400, "longer than the model's context")


def _check_repetition(detection: Any) -> None:
    if detection is None:
        return
    least, most = detection.get("min_pattern_size", 0), detection.get("max_pattern_size", 0)
    if not set(detection) <= {"min_pattern_size", "max_pattern_size", "min_count"} or not 0 <= least <= most:
        raise Refused(400, "repetition_detection is not as vLLM has it")
    if most > 0 and detection.get("min_count", 0) < 2:
        raise Refused(400, "min_count must be >= 2")


def _check_messages(messages: Any) -> None:
    if not isinstance(messages, list) or not messages:
        raise Refused(400, "no messages")
    for message in messages:
        if set(message) != {"role", "content"} or message["role"] not in ("system", "user", "assistant"):
            raise Refused(400, "not a message")
        if not isinstance(message["content"], str):
            raise Refused(400, "content is not text")


def _check_response_format(response_format: Any) -> None:
    if not isinstance(response_format, dict) or response_format.get("type") != "json_schema":
        raise Refused(400, "response_format is not a JSON schema")
    described = response_format.get("json_schema")
    if not isinstance(described, dict) or not set(described) <= {"name", "schema", "strict", "description"}:
        raise Refused(400, "json_schema is not as OpenAI describes it")
    if not re.fullmatch("[A-Za-z0-9_-]{1,64}", described.get("name", "")):
        raise Refused(400, "a schema needs a name")
    if described.get("strict") is not True:
        raise Refused(400, "the schema is not strict")
    try:
        jsonschema.Draft202012Validator.check_schema(described.get("schema", False))
    except jsonschema.SchemaError:
        raise Refused(400, "not a JSON schema") from None


def _prompt_tokens(question: dict[str, Any]) -> int:
    messages = question.get("messages") or []
    return sum(len(str(message.get("content", ""))) for message in messages) // _CHARACTERS_A_TOKEN


def completion(question: dict[str, Any], content: str | None, finish_reason: str = "stop") -> dict[str, Any]:
    """A chat completion as vLLM writes it. Every four characters are a token."""
    text = content or ""
    tokens = [text[i : i + _CHARACTERS_A_TOKEN] for i in range(0, len(text), _CHARACTERS_A_TOKEN)]
    listed = [{"token": t, "logprob": -0.01, "bytes": list(t.encode()), "top_logprobs": []} for t in tokens]
    prompt_tokens = _prompt_tokens(question)
    return {
        "id": "chatcmpl-0",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": question.get("model", MODEL),
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": content, "tool_calls": []},
                "logprobs": {"content": listed} if question.get("logprobs") else None,
                "finish_reason": finish_reason,
                "stop_reason": None,
            }
        ],
        "usage": {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": len(tokens),
            "total_tokens": prompt_tokens + len(tokens),
        },
    }


def printed_numbers(question: str) -> dict[str, Any]:
    """An answer that lists whatever looks like a NAM in the user's turn: enough for a demonstration without a GPU."""
    numbers = re.findall(r"\b[A-Z]{4}[ -]?\d{4}[ -]?\d{4}\b", question)
    return {"nams": [{"nam": number, "name": None, "date": None, "time": None} for number in numbers]}


@contextmanager
def running_vllm(
    answer: Answer = printed_numbers,
    *,
    faults: Iterable[Fault] = (),
    model: str = MODEL,
    api_key: str = "",
    healthy: bool = True,
    holds: bool = False,
    gets: Mapping[str, Fault] = MappingProxyType({}),
    tls: ssl.SSLContext | None = None,
    kind: type[FakeVLLM] = FakeVLLM,
    handler: type[Handler] = Handler,
) -> Iterator[FakeVLLM]:
    """A stand-in that serves until the block ends; then its port refuses connections and no thread is left.

    It lets a model say what the question's schema does not allow, as a server may that does not know schemas; with
    `holds` that is an error of the test. `gets` are answers to GET requests by their path, in place of the usual ones.
    `kind` and `handler` are for a stand-in that has this one behind it.
    """
    server = kind(answer, faults, model, api_key, healthy=healthy, holds=holds, gets=gets, handler=handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": _TURN}, name="fake-vllm")
    thread.start()
    try:
        yield server
    finally:
        server.stopping.set()
        server.shutdown()
        thread.join()
        server.server_close()


def status(code: int) -> Fault:
    """A plain error of that HTTP status."""
    return lambda handler: handler.send_json(code, {"error": {"message": "told to fail", "code": code}})


def page(body: str, kind: str = "text/html") -> Fault:
    """Status 200 and a body that is no completion, such as a gateway's sign-in page."""
    return lambda handler: handler.send_body(200, body.encode(), kind)


def redirect(location: str) -> Fault:
    """A temporary redirect that keeps the method and the body."""
    return lambda handler: handler.send_body(307, b"", Location=location)


def says(content: str | None, finish_reason: str = "stop") -> Fault:
    """A well-formed completion with this content, whatever the schema asks for."""
    return lambda handler: handler.send_json(200, completion({"logprobs": True}, content, finish_reason))


def too_long(handler: Handler) -> None:
    """What vLLM says of a prompt that does not fit its context."""
    message = f"This model's maximum context length is {MAX_MODEL_LEN} tokens. However, you requested more."
    handler.send_json(400, {"error": {"message": message, "type": "BadRequestError", "param": None, "code": 400}})


def refusal(handler: Handler) -> None:
    """A completion that is a refusal, as the API of OpenAI has it."""
    body = completion({}, None)
    body["choices"][0]["message"]["refusal"] = "I cannot help with that."
    handler.send_json(200, body)


def reset(handler: Handler) -> None:
    """Half of the promised body, and then a TCP reset."""
    handler.send_body(200, b'{"choices": [', "application/json", length=100_000)
    handler.wfile.flush()
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
    handler.close_connection = True


def hang(handler: Handler) -> None:
    """No byte until the stand-in stops."""
    handler.server.stopping.wait()
    handler.close_connection = True


def drip_headers(handler: Handler) -> None:
    """A header line of one byte at a time."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    _drip(handler)


def drip_body(handler: Handler) -> None:
    """A body of one byte at a time."""
    handler.send_body(200, b"", "application/json", length=1_000_000)
    _drip(handler)


def flood(handler: Handler) -> None:
    """A gigabyte."""
    handler.close_connection = True
    handler.send_body(200, b"", "application/json", length=1 << 30)
    for _ in range(1 << 14):
        if handler.server.stopping.is_set():
            return
        handler.wfile.write(b" " * (1 << 16))


def _drip(handler: Handler) -> None:
    handler.close_connection = True
    for _ in range(_DRIPS):
        if handler.server.stopping.wait(_TURN):
            return
        handler.wfile.write(b"a")
        handler.wfile.flush()
