"""What is SageMaker's own: its errors, its signature, its region, how it is looked at. Beside `test_llm_client.py`."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from django.urls import reverse
from pydantic import BaseModel
from pytest_django import Settings

from extraction import sampling, traffic
from extraction.deployments import RefusedAddress, check_addresses
from extraction.llm import client, prompts
from extraction.llm.client import ModelBadReply, ModelServer, ModelUnreachable
from extraction.llm.endpoints import PublicEndpoint
from extraction.llm.health import health
from extraction.llm.replicas import Replicas
from extraction.llm.sagemaker import _credentials as credentials
from namsite.doctor import region
from namsite.doctor.probes import State
from review.registers import products
from tests.fakes import sagemaker, vllm
from tests.fakes.sagemaker import FakeSageMaker, container, refuses, running_sagemaker
from tests.fakes.vllm import Fault, running_vllm

CANADA = "https://runtime.sagemaker.ca-central-1.amazonaws.com"
PAGE = "TREM 0412 1925 Tremblay"


class Count(BaseModel):
    count: int


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Credentials in the environment, as AWS publishes them, and no waiting between attempts."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", sagemaker.ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", sagemaker.SECRET_KEY)
    monkeypatch.setenv("AWS_SESSION_TOKEN", sagemaker.TOKEN)
    monkeypatch.setattr(client, "RETRY_PAUSES", (0.01, 0.01))
    credentials.cache_clear()
    yield
    credentials.cache_clear()


def answer(_: str) -> Any:
    return {"count": 3}


def server_at(running: FakeSageMaker, **changes: Any) -> ModelServer:
    return replace(ModelServer(running.endpoint, vllm.MODEL, timeout=5.0, runtime=running.runtime), **changes)


def ask(server: ModelServer) -> int:
    return client.chat(server, [{"role": "user", "content": PAGE}], Count, max_tokens=50).answer.count


def in_settings(settings: Settings, running: FakeSageMaker) -> None:
    settings.LLM_ENDPOINT, settings.LLM_MODEL = running.endpoint, vllm.MODEL
    settings.SAGEMAKER_ENDPOINT_URL = running.runtime


def resolve_to(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)


# --- Errors ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        refuses("ThrottlingException", 400),
        refuses("ThrottlingException", 429),
        refuses("ModelNotReadyException", 429),
        refuses("ServiceUnavailable", 503),
        refuses("InternalFailure", 500),
        refuses("InternalDependencyException", 530),
        container(429),
        container(500),
        container(503),
        container(0, "Your invocation timed out while waiting for a response from container primary."),
        container(200, '{"choices": []}'),
    ],
)
def test_what_passes_is_retried_and_then_an_unavailable_service(fault: Fault) -> None:
    with running_sagemaker(answer, faults=[fault, fault]) as running:
        assert ask(server_at(running)) == 3
    with running_sagemaker(answer, faults=[fault] * 3) as running, pytest.raises(ModelUnreachable) as failure:
        ask(server_at(running))
    assert (failure.value.reason, running.chats) == ("busy", 3)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (container(400, f"This model's maximum context length is {vllm.MAX_MODEL_LEN} tokens."), "model_too_long"),
        (container(400, "another"), "model_bad_reply"),
        (container(404), "model_bad_reply"),
        (refuses("AccessDeniedException", 403), "model_bad_reply"),
        (refuses("ExpiredTokenException", 403), "model_bad_reply"),
        # What SageMaker itself says is not what the container says.
        (refuses("AccessDeniedException", 400, "maximum context length"), "model_bad_reply"),
        (lambda handler: vllm.Handler.send_body(handler, 424, b"not JSON", x_amzn_ErrorType="ModelError"), None),
    ],
)
def test_what_does_not_pass_is_a_bad_reply_with_the_state_that_a_server_by_itself_gives(
    fault: Fault, code: str | None
) -> None:
    expected = ModelUnreachable if code is None else ModelBadReply
    with running_sagemaker(answer, faults=[fault] * 3) as running, pytest.raises(expected) as failure:
        ask(server_at(running))
    assert code is None or (failure.value.code, running.chats) == (code, 1)


def test_an_endpoint_that_was_deleted_for_the_night_costs_no_page_its_answer() -> None:
    with running_sagemaker(answer) as running, pytest.raises(ModelUnreachable) as failure:
        ask(server_at(running, endpoint="sagemaker://gone"))
    assert failure.value.reason == "unreachable"


def test_a_replica_behind_sagemaker_that_fails_rests_and_another_answers() -> None:
    with running_sagemaker(answer, faults=[refuses("ServiceUnavailable", 503)] * 9) as down, running_vllm(answer) as up:
        own = ModelServer(up.endpoint, vllm.MODEL)
        both = Replicas((server_at(down), own))
        asked = [both.chat([{"role": "user", "content": PAGE}], Count, max_tokens=50).answer.count for _ in range(4)]
    assert asked == [3] * 4
    assert down.chats <= 3


# --- Signature -------------------------------------------------------------------------------------------------------


def test_a_question_is_signed_and_the_key_of_another_server_is_not_sent() -> None:
    with running_sagemaker(answer) as running:
        assert ask(server_at(running, api_key="s3cret")) == 3
    assert len(running.questions) == 1


def test_another_secret_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    with running_sagemaker(answer) as running, pytest.raises(ModelBadReply) as failure:
        ask(server_at(running))
    assert (failure.value.reason, running.questions) == ("status", [])


def test_without_credentials_nothing_is_sent_and_the_pages_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    with running_sagemaker(answer) as running, pytest.raises(ModelUnreachable) as failure:
        ask(server_at(running))
    assert (failure.value.reason, failure.value.retryable, running.chats) == ("no_credentials", True, 0)
    assert health(server_at(running)).detail == "no_credentials"


def test_neither_a_secret_nor_a_page_is_in_a_log_line_or_an_error(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    fault = container(500, PAGE)
    with running_sagemaker(answer, faults=[fault] * 3) as running, pytest.raises(ModelUnreachable) as failure:
        ask(server_at(running))
    assert (failure.value.__cause__, failure.value.__context__) == (None, None)
    assert "attempt 3 failed" in caplog.text
    assert not any(secret in caplog.text for secret in ("0412", sagemaker.SECRET_KEY, sagemaker.TOKEN, "Signature="))


# --- Where it is -----------------------------------------------------------------------------------------------------

ATTACK = pytest.mark.attack("outbound", "refused")


@ATTACK
@pytest.mark.parametrize(
    ("endpoint", "runtime", "sentence"),
    [
        ("sagemaker://nam", "https://runtime.sagemaker.us-east-1.amazonaws.com", "not SageMaker's in ca-central-1"),
        ("sagemaker://nam", "https://vpce-1.runtime.sagemaker.us-east-1.vpce.amazonaws.com", "ca-central-1"),
        ("sagemaker://nam", "https://bedrock-runtime.ca-central-1.amazonaws.com", "not SageMaker's"),
        ("sagemaker://nam", "https://runtime.sagemaker.ca-central-1.amazonaws.com.cn", "not SageMaker's"),
        ("sagemaker://nam", "http://runtime.sagemaker.ca-central-1.amazonaws.com", "not SageMaker's"),
        ("sagemaker://nam", "https://u:p@10.0.4.9", "user name or password"),
        ("sagemaker://", CANADA, "sagemaker://NAME"),
        ("sagemaker://nam/../x", CANADA, "sagemaker://NAME"),
        ("sagemaker://nam?a=b", CANADA, "sagemaker://NAME"),
        ("sagemaker://nam@host", CANADA, "sagemaker://NAME"),
        ("sagemaker://-nam", CANADA, "sagemaker://NAME"),
        ("sagemaker://" + "n" * 64, CANADA, "sagemaker://NAME"),
        ("https://api.openai.com/v1", CANADA, "public service"),
        ("https://clinic.openai.azure.com/openai/v1", CANADA, "public service"),
        ("https://clinic.privatelink.openai.azure.com/openai/v1", CANADA, "public service"),
        ("https://bedrock-runtime.ca-central-1.amazonaws.com/openai/v1", CANADA, "public service"),
        ("https://vpce-1.bedrock-runtime.us-east-1.vpce.amazonaws.com/v1", CANADA, "public service"),
        ("https://runtime.sagemaker.us-east-1.amazonaws.com/endpoints/nam/invocations", CANADA, "public service"),
        ("https://ca-central1-aiplatform.googleapis.com/v1", CANADA, "public service"),
    ],
)
def test_a_service_of_others_or_of_another_region_is_refused_even_on_a_private_address(
    monkeypatch: pytest.MonkeyPatch, endpoint: str, runtime: str, sentence: str
) -> None:
    resolve_to(monkeypatch, "10.0.4.9")  # As a private link to it would.
    server = ModelServer(endpoint, "m", runtime=runtime, timeout=1.0)
    with pytest.raises(PublicEndpoint, match=sentence):
        client.check_address(server)
    with pytest.raises(ModelUnreachable) as failure:
        ask(server)
    assert failure.value.reason == "refused_address"


@ATTACK
def test_sagemaker_over_the_internet_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch, "52.60.1.2")
    with pytest.raises(PublicEndpoint, match="not private"):
        client.check_address(ModelServer("sagemaker://nam", "m", runtime=CANADA))


@pytest.mark.parametrize("runtime", [CANADA, "https://vpce-1-a.runtime.sagemaker.ca-central-1.vpce.amazonaws.com"])
def test_a_vpc_endpoint_in_canada_is_accepted(monkeypatch: pytest.MonkeyPatch, runtime: str) -> None:
    resolve_to(monkeypatch, "10.0.4.9")
    server = ModelServer("sagemaker://Nam-Finder", "m", runtime=runtime)
    assert client.check_address(server).pinned == ("10.0.4.9",)
    assert server.chat_url == f"{runtime}/endpoints/Nam-Finder/invocations"


@pytest.mark.parametrize(
    "internal", ["https://internal-llm-1.ca-central-1.elb.amazonaws.com/v1", "https://llm.azure.example/v1"]
)
def test_a_balancer_of_the_clinic_in_a_cloud_is_its_own_server(monkeypatch: pytest.MonkeyPatch, internal: str) -> None:
    resolve_to(monkeypatch, "10.0.4.9")
    assert client.check_address(ModelServer(internal, "m")).pinned == ("10.0.4.9",)


def test_the_settings_give_region_and_address_and_allow_its_host_alone(settings: Settings) -> None:
    settings.LLM_ENDPOINT = "sagemaker://nam"
    server = client.from_settings()
    assert server is not None
    assert (server.runtime, server.allowed_hosts) == (CANADA, ("runtime.sagemaker.ca-central-1.amazonaws.com",))
    settings.AWS_REGION = "us-east-1"
    elsewhere = client.from_settings()
    assert elsewhere is not None
    with pytest.raises(PublicEndpoint, match="health information stays in Canada"):
        client.check_address(elsewhere)


@pytest.mark.django_db
def test_a_newcomer_of_sagemaker_is_refused_until_its_runtime_is_listed(settings: Settings) -> None:
    with running_vllm() as own, running_sagemaker() as newcomer:
        settings.LLM_ENDPOINT, settings.SAGEMAKER_ENDPOINT_URL = own.endpoint, f"http://localhost:{newcomer.port}"
        with pytest.raises(RefusedAddress):
            check_addresses([newcomer.endpoint])
        settings.LLM_ALLOWED_HOSTS = ["localhost"]
        check_addresses([newcomer.endpoint])


@pytest.mark.django_db
def test_a_newcomer_of_sagemaker_is_tried_from_the_page_of_models(settings: Settings, admin_client: Any) -> None:
    form = {"model_name": vllm.MODEL, "prompt_version": prompts.CURRENT, "in_shadow": "1", "profile": ""}
    with running_vllm() as own, running_sagemaker() as newcomer:
        settings.LLM_ENDPOINT, settings.SAGEMAKER_ENDPOINT_URL = own.endpoint, f"http://localhost:{newcomer.port}"
        settings.LLM_ALLOWED_HOSTS = ["localhost"]
        public = admin_client.post(
            reverse("extraction:add-deployment"), {**form, "endpoints": "https://api.openai.com/v1"}
        )
        assert (public.status_code, "LLM_ALLOWED_HOSTS" in public.content.decode()) == (400, True)
        added = admin_client.post(reverse("extraction:add-deployment"), {**form, "endpoints": newcomer.endpoint})
        assert added.status_code == 302
        (tried,) = [each for each in traffic.watched() if each.is_tried]
        assert (tried.name, tried.server.is_managed) == (sagemaker.NAME, True)
        assert health(tried.server).ok


# --- How it does -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "changes", "detail"),
    [
        ({}, {}, "ok"),
        ({"healthy": False}, {}, "unhealthy"),
        ({"model": "another"}, {}, "model_missing"),
        ({}, {"endpoint": "sagemaker://gone"}, "unreachable"),
        ({"faults": [refuses("AccessDeniedException", 403)]}, {}, "unauthorised"),
        ({"faults": [refuses("ThrottlingException", 400)]}, {}, "busy"),
        ({"faults": [refuses("ServiceUnavailable", 503)]}, {}, "unhealthy"),
        ({"faults": [vllm.page("<html>")]}, {}, "bad_reply"),
        ({"faults": [vllm.page('{"choices": []}')]}, {}, "bad_reply"),
    ],
)
def test_a_look_asks_for_one_token(arguments: dict[str, Any], changes: dict[str, Any], detail: str) -> None:
    with running_sagemaker(**arguments) as running:
        looked = health(server_at(running, **changes))
    assert (looked.detail, looked.ok, running.chats) == (detail, detail == "ok", 1)


def test_a_sample_says_nothing_of_a_load_that_nobody_tells() -> None:
    with running_sagemaker() as running:
        sample = sampling.look("main", server_at(running), datetime(2025, 10, 3, 8, tzinfo=UTC))
    assert (sample.state, running.chats) == ("ok", 1)
    assert (sample.running, sample.waiting, sample.cache_use, sample.prefix_hits) == (None,) * 4


@pytest.mark.django_db
def test_the_doctor_says_whether_questions_stay_in_the_region(settings: Settings) -> None:
    look = region.sagemaker
    assert look().state == State.NOT_USED
    with running_sagemaker() as running:
        in_settings(settings, running)
        assert look().state == State.OK
        settings.SAGEMAKER_ENDPOINT_URL = "https://runtime.sagemaker.us-east-1.amazonaws.com"
        assert (look().state, "ca-central-1" in look().sentence) == (State.BROKEN, True)


@pytest.mark.django_db
def test_the_register_names_sagemaker_as_a_supplier(settings: Settings) -> None:
    settings.LLM_ENDPOINT = "http://10.0.3.50:8000/v1"
    assert not traffic.asks_sagemaker()
    settings.LLM_ALLOWED_HOSTS = ["runtime.sagemaker.ca-central-1.amazonaws.com"]
    assert traffic.asks_sagemaker()  # a newcomer of a rollout may
    settings.LLM_ALLOWED_HOSTS = []
    settings.LLM_ENDPOINT = "sagemaker://nam"
    assert traffic.asks_sagemaker()
    named = {product.name: str(product.purpose) for product in products.installed()}
    assert "Amazon SageMaker" in named
    assert "the clinic's own server" not in named[settings.LLM_MODEL]
