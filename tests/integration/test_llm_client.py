"""The model client against a stand-in server on loopback: questions, answers, and everything that goes wrong.

What the client promises holds for a vLLM that is asked directly and for one behind SageMaker: those tests run over
both. What is SageMaker's own is in `test_sagemaker.py`.
"""

from __future__ import annotations

import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import BaseModel, ConfigDict
from pytest_django import Settings

from extraction.llm import client, endpoints
from extraction.llm.client import Message, ModelBadReply, ModelServer, ModelUnreachable
from extraction.llm.health import health
from extraction.llm.sagemaker import _credentials as credentials
from tests.fakes import sagemaker, vllm
from tests.fakes.sagemaker import running_sagemaker
from tests.fakes.vllm import FakeVLLM, Fault, running_vllm

SECRET = "TREM 0412 1925 Tremblay"
MESSAGES: list[Message] = [{"role": "system", "content": "Count."}, {"role": "user", "content": SECRET}]


class Count(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    count: int


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "RETRY_PAUSES", (0.01, 0.01))


Serving = Callable[..., AbstractContextManager[FakeVLLM]]


@pytest.fixture(params=[running_vllm, running_sagemaker], ids=["http", "sagemaker"])
def serving(request: pytest.FixtureRequest, aws_credentials: None) -> Any:
    """A way to run a model server for a block."""
    return request.param


@pytest.fixture(autouse=True)
def aws_credentials(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """AWS's published example, in the environment."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", sagemaker.ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", sagemaker.SECRET_KEY)
    monkeypatch.setenv("AWS_SESSION_TOKEN", sagemaker.TOKEN)
    credentials.cache_clear()
    yield
    credentials.cache_clear()


def server_at(running: FakeVLLM, **changes: Any) -> ModelServer:
    server = ModelServer(running.endpoint, vllm.MODEL, timeout=5.0, runtime=running.runtime)
    return replace(server, **changes)


def addressed(server: ModelServer, base: str) -> ModelServer:
    """The server under another address."""
    return replace(server, runtime=base) if server.is_managed else replace(server, endpoint=f"{base}/v1")


def answer(_: str) -> Any:
    return {"count": 3}


def ask(server: ModelServer, max_tokens: int = 50) -> client.Completion[Count]:
    return client.chat(server, MESSAGES, Count, max_tokens=max_tokens)


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def certificate_for(name: str, folder: Path) -> Path:
    """A file with a fresh key and a certificate that it signed itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = folder / "server.pem"
    file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return file


def test_an_answer_comes_back_checked_and_counted(serving: Serving) -> None:
    with serving(answer) as running:
        completion = ask(server_at(running))
    assert completion.answer == Count(count=3)
    assert (completion.content, completion.finish_reason) == ('{"count": 3}', "stop")
    assert completion.prompt_tokens > 0
    assert completion.completion_tokens == len(completion.tokens) == 3
    assert "".join(token.token for token in completion.tokens) == completion.content


def test_a_question_is_deterministic_and_holds_the_schema_strictly(serving: Serving) -> None:
    with serving(answer) as running:
        ask(server_at(running))
        ask(server_at(running))
    first, second = running.questions
    assert first == second
    assert (first["temperature"], first["seed"], first["logprobs"]) == (0, client.SEED, True)
    assert first["response_format"]["json_schema"]["strict"] is True
    assert first["response_format"]["json_schema"]["schema"] == Count.model_json_schema()


def test_the_key_is_sent_and_is_not_in_the_servers_representation() -> None:
    with running_vllm(answer, api_key="s3cret") as running:
        server = server_at(running, api_key="s3cret")
        assert ask(server).answer.count == 3
    assert "s3cret" not in repr(server)


@pytest.mark.parametrize("key", ["clé", "a\nb"])
def test_a_key_that_cannot_be_a_header_is_refused_without_being_quoted(key: str) -> None:
    with pytest.raises(ValueError, match="API key") as refusal:
        ModelServer("http://127.0.0.1:1/v1", "m", api_key=key)
    assert key not in str(refusal.value)


@pytest.mark.parametrize(
    "fault", [vllm.status(429), vllm.status(502), vllm.status(503), vllm.status(504), vllm.status(500), vllm.reset]
)
@pytest.mark.parametrize("times", [1, 2])
def test_a_passing_failure_is_retried(serving: Serving, fault: Fault, times: int) -> None:
    with serving(answer, faults=[fault] * times) as running:
        assert ask(server_at(running)).answer.count == 3
        assert running.chats == times + 1


@pytest.mark.parametrize(("fault", "reason"), [(vllm.status(503), "busy"), (vllm.reset, "unreachable")])
def test_a_lasting_failure_is_an_unavailable_service_after_three_attempts(
    serving: Serving, fault: Fault, reason: str
) -> None:
    with serving(answer, faults=[fault] * 9) as running, pytest.raises(ModelUnreachable) as failure:
        ask(server_at(running))
    assert (failure.value.code, failure.value.reason, failure.value.retryable) == ("model_unavailable", reason, True)
    assert running.chats == 3


def test_a_server_that_is_gone_is_an_unavailable_service(serving: Serving) -> None:
    with serving(answer) as running:
        server = server_at(running)
    with pytest.raises(ModelUnreachable) as failure:
        ask(server)
    assert failure.value.reason == "unreachable"


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (vllm.status(400), "status"),
        (vllm.status(401), "status"),
        (vllm.status(404), "status"),
        (vllm.redirect("http://127.0.0.1:9/v1/chat/completions"), "status"),
        (vllm.page("<html>Sign in</html>"), "not_json"),
        (vllm.page("{broken", "application/json"), "not_json"),
        (vllm.page("[" * 100_000, "application/json"), "not_json"),
        (vllm.page('{"choices": []}', "application/json"), "empty"),
        (vllm.page('{"object": "error"}', "application/json"), "not_json"),
        (vllm.page("", "application/json"), "not_json"),
        (vllm.says(""), "empty"),
        (vllm.says(None), "empty"),
        (vllm.says("There are three."), "schema"),
        (vllm.says('{"count": "3"}'), "schema"),
        (vllm.says('{"count": 3, "note": "extra"}'), "schema"),
        (vllm.says("[]"), "schema"),
        (vllm.flood, "too_large"),
    ],
)
def test_an_unusable_reply_is_asked_for_again_only_if_another_draw_may_help(
    serving: Serving, fault: Fault, reason: str
) -> None:
    with serving(answer, faults=[fault, fault]) as running, pytest.raises(ModelBadReply) as failure:
        ask(server_at(running))
    assert (failure.value.reason, failure.value.retryable) == (reason, False)
    assert running.chats == (2 if reason in ("not_json", "empty", "schema") else 1)


def test_another_draw_that_is_usable_is_the_answer(serving: Serving) -> None:
    with serving(answer, faults=[vllm.says("There are three.")]) as running:
        assert ask(server_at(running)).answer.count == 3
    assert running.questions[-1]["temperature"] > 0
    assert running.questions[-1]["seed"] != client.SEED


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (vllm.says('{"count": ', "length"), "model_cut_short"),
        (vllm.says('{"count": ', "repetition"), "model_cut_short"),
        (vllm.too_long, "model_too_long"),
        (vllm.says(""), "model_no_answer"),
        (vllm.refusal, "model_no_answer"),
        (vllm.says("[]"), "model_bad_reply"),
        (vllm.status(400), "model_bad_reply"),
    ],
)
def test_each_kind_of_failure_is_a_state_of_its_own(serving: Serving, fault: Fault, code: str) -> None:
    with serving(answer, faults=[fault, fault]) as running, pytest.raises(ModelBadReply) as failure:
        ask(server_at(running))
    assert failure.value.code == code


@pytest.mark.attack("outbound", "refused")
def test_a_redirect_is_not_followed(serving: Serving) -> None:
    with serving(answer) as other:
        fault = vllm.redirect(f"{other.endpoint}/chat/completions")
        with serving(answer, faults=[fault]) as running, pytest.raises(ModelBadReply):
            ask(server_at(running))
        assert other.chats == 0


def test_an_answer_cut_short_is_asked_for_once_more_with_twice_the_tokens(serving: Serving) -> None:
    with serving(answer, faults=[vllm.says('{"count": ', "length")]) as running:
        assert ask(server_at(running), max_tokens=50).answer.count == 3
    assert [question["max_tokens"] for question in running.questions] == [100]


def test_an_answer_cut_short_twice_is_a_bad_reply_even_if_it_parses(serving: Serving) -> None:
    cut = vllm.says('{"count": 3}', "length")
    with serving(answer, faults=[cut, cut]) as running, pytest.raises(ModelBadReply) as failure:
        ask(server_at(running))
    assert (failure.value.reason, running.chats) == ("cut_short", 2)


def test_a_model_that_repeats_itself_is_stopped_and_may_do_so_the_second_time(serving: Serving) -> None:
    """A sheet of labels prints one number many times."""
    with serving(answer, faults=[vllm.says('{"count": 3, "count": 3', "repetition")]) as running:
        assert ask(server_at(running)).answer.count == 3
    assert running.chats == 2
    assert "repetition_detection" not in running.questions[0]
    assert running.questions[0]["temperature"] > 0


@pytest.mark.parametrize("fault", [vllm.hang, vllm.drip_headers, vllm.drip_body])
def test_a_question_ends_at_its_deadline_however_slowly_bytes_arrive(serving: Serving, fault: Fault) -> None:
    with serving(answer, faults=[fault] * 3) as running:
        began = time.monotonic()
        with pytest.raises(ModelUnreachable) as failure:
            ask(server_at(running, timeout=0.4))
        assert time.monotonic() - began < 3.0
    assert (failure.value.reason, running.chats) == ("timeout", 1)


def test_retries_end_at_the_deadline(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "RETRY_PAUSES", (30.0, 30.0))
    with serving(answer, faults=[vllm.status(503)]) as running, pytest.raises(ModelUnreachable):
        ask(server_at(running, timeout=0.4))
    assert running.chats == 1


def test_no_more_questions_are_open_at_a_time_than_the_server_takes(serving: Serving) -> None:
    gate = threading.Barrier(2, timeout=5)

    def slow(_: str) -> Any:
        gate.wait()  # Two questions have to be open at once, or the barrier breaks.
        return {"count": 3}

    with serving(slow) as running, ThreadPoolExecutor(8) as pool:
        server = server_at(running, concurrency=2)
        counts = [c.answer.count for c in pool.map(lambda _: ask(server), range(8))]
    assert counts == [3] * 8
    assert running.most_at_once == 2


@pytest.mark.attack("outbound", "refused")
def test_a_proxy_of_the_environment_is_not_used(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port()}")
    with serving(answer) as running:
        assert ask(server_at(running)).answer.count == 3


@pytest.mark.attack("outbound", "refused")
@pytest.mark.parametrize(
    "changes",
    [
        {"endpoint": "http://203.0.113.7:8000/v1"},
        {"endpoint": "http://user:secret@127.0.0.1/v1"},
        {"allowed_hosts": ("models.clinic.example",)},
    ],
)
def test_an_endpoint_that_may_not_be_spoken_to_is_never_connected_to(
    serving: Serving, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]
) -> None:
    def connects(*_: Any, **__: Any) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket, "create_connection", connects)
    with serving(answer) as running, pytest.raises(ModelUnreachable) as failure:
        ask(server_at(running, **changes))
    assert (failure.value.reason, running.chats) == ("refused_address", 0)


@pytest.mark.attack("outbound", "refused")
def test_a_name_is_resolved_once_and_the_connection_goes_to_that_address(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up: list[str] = []
    real = socket.getaddrinfo

    def getaddrinfo(host: str, port: int, *rest: Any, **named: Any) -> Any:
        if host != "models.clinic.example":
            return real(host, port, *rest, **named)
        looked_up.append(host)
        # The second look-up of a rebinding name would lead elsewhere.
        address = "127.0.0.1" if len(looked_up) == 1 else "203.0.113.9"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with serving(answer) as running:
        server = addressed(server_at(running), f"http://models.clinic.example:{running.port}")
        assert ask(server).answer.count == 3
    assert looked_up == ["models.clinic.example"]
    assert running.hosts == [f"models.clinic.example:{running.port}"]


def test_a_name_with_several_addresses_is_tried_at_each(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(answer) as running:
        pinned = endpoints.Address("models.clinic.example", running.port, ("::1", "127.0.0.1"))
        monkeypatch.setattr(endpoints, "check_endpoint", lambda *_: pinned)
        assert ask(server_at(running)).answer.count == 3
        assert running.chats == 1


@pytest.mark.parametrize(("named", "answers"), [("models.clinic.example", True), ("other.clinic.example", False)])
def test_a_certificate_has_to_be_for_the_name_and_not_for_the_pinned_address(
    serving: Serving, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, named: str, answers: bool
) -> None:
    certificate = certificate_for(named, tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    monkeypatch.setattr(client, "_certificates", lambda: ssl.create_default_context(cafile=certificate))
    with serving(answer, tls=tls) as running:
        pinned = endpoints.Address("models.clinic.example", running.port, ("127.0.0.1",))
        monkeypatch.setattr(endpoints, "check_endpoint", lambda *_: pinned)
        server = addressed(server_at(running), f"https://models.clinic.example:{running.port}")
        if answers:
            assert ask(server).answer.count == 3
        else:
            with pytest.raises(ModelUnreachable):
                ask(server)


def test_a_name_that_does_not_resolve_is_an_unavailable_service(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> None:
        raise endpoints.UnresolvedEndpoint("no address")

    monkeypatch.setattr(endpoints, "check_endpoint", fails)
    with pytest.raises(ModelUnreachable) as failure:
        ask(ModelServer("http://models.clinic.example/v1", "m"))
    assert failure.value.reason == "unresolved"


@pytest.mark.parametrize(
    "fault", [vllm.status(500), vllm.status(400), vllm.reset, vllm.says(SECRET), vllm.page(SECRET), vllm.hang]
)
def test_no_text_of_the_page_or_the_answer_is_in_an_error_or_a_log_line(
    serving: Serving, caplog: pytest.LogCaptureFixture, fault: Fault
) -> None:
    caplog.set_level(logging.DEBUG)
    with serving(answer, faults=[fault] * 3) as running:
        server = server_at(running, api_key="s3cret", timeout=0.5)
        with pytest.raises((ModelUnreachable, ModelBadReply)) as failure:
            ask(server)
    error: BaseException | None = failure.value
    assert "0412" not in caplog.text
    assert "s3cret" not in caplog.text
    assert error is not None
    assert str(error) in ("model_unavailable", "model_bad_reply", "model_no_answer")
    assert error.__cause__ is None
    assert error.__context__ is None


def test_no_connection_is_left_open(serving: Serving, recwarn: pytest.WarningsRecorder) -> None:
    with serving(answer, faults=[vllm.reset, vllm.status(503)]) as running:
        ask(server_at(running))
    assert [thread.name for thread in threading.enumerate() if thread.name == "fake-vllm"] == []
    assert not recwarn.list


def test_a_server_that_serves_the_model_is_well() -> None:
    with running_vllm(api_key="k") as running:
        looked = health(server_at(running, api_key="k"))
    assert (looked.ok, looked.detail) == (True, "ok")
    assert 0 < looked.seconds < 5


@pytest.mark.parametrize(
    ("arguments", "changes", "detail"),
    [
        ({"healthy": False}, {}, "unhealthy"),
        ({"api_key": "k"}, {"api_key": "wrong"}, "unauthorised"),
        ({"model": "another"}, {}, "model_missing"),
        ({}, {"endpoint": "http://203.0.113.7:8000/v1"}, "refused_address"),
    ],
)
def test_a_server_that_cannot_be_asked_says_why(
    arguments: dict[str, Any], changes: dict[str, Any], detail: str
) -> None:
    with running_vllm(**arguments) as running:
        looked = health(server_at(running, **changes))
    assert (looked.ok, looked.detail) == (False, detail)


def test_a_server_that_is_gone_is_unreachable() -> None:
    assert health(ModelServer(f"http://127.0.0.1:{closed_port()}/v1", "m")).detail == "unreachable"


def test_without_an_endpoint_there_is_no_server(settings: Settings) -> None:
    settings.LLM_ENDPOINT = ""
    assert client.from_settings() is None


def test_the_settings_make_a_server_that_allows_its_own_host_and_the_listed_ones(settings: Settings) -> None:
    settings.LLM_ENDPOINT = "http://10.0.3.50:8000/v1"
    settings.LLM_MODEL = "nam-extractor"
    settings.LLM_API_KEY = "k"
    settings.LLM_TIMEOUT = 30.0
    settings.LLM_CONCURRENCY = 2
    settings.LLM_ALLOWED_HOSTS = ["canary.clinic.example"]
    assert client.from_settings() == ModelServer(
        "http://10.0.3.50:8000/v1", "nam-extractor", "k", 30.0, 2, ("10.0.3.50", "canary.clinic.example")
    )
