"""The real server where SageMaker has a container: asked at /invocations, behind a stand-in of the runtime."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

import pytest
from pydantic import BaseModel

from extraction.llm import client
from extraction.llm.client import ModelBadReply, ModelServer
from extraction.llm.health import health
from extraction.llm.prompts import Message
from extraction.llm.sagemaker import _credentials as credentials
from tests.fakes import sagemaker
from tests.fakes.sagemaker import running_sagemaker
from tests.llm.server import Running

pytestmark = pytest.mark.llm

MESSAGES: list[Message] = [{"role": "user", "content": "Which of the two says meow? Answer in JSON."}]


class Animal(BaseModel):
    """Few words, so that an answer of a small model ends."""

    name: Literal["cat", "dog"]


@pytest.fixture
def managed(running: Running, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    """The same server through SageMaker."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", sagemaker.ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", sagemaker.SECRET_KEY)
    monkeypatch.setenv("AWS_SESSION_TOKEN", sagemaker.TOKEN)
    credentials.cache_clear()
    with running_sagemaker(container=f"{running.server.base}/invocations") as runtime:
        yield replace(running.server, endpoint=runtime.endpoint, runtime=runtime.runtime, allowed_hosts=())
    credentials.cache_clear()


def test_it_gives_the_answer_that_it_gives_directly_with_probabilities(running: Running, managed: ModelServer) -> None:
    directly = client.chat(running.server, MESSAGES, Animal, max_tokens=40)
    through = client.chat(managed, MESSAGES, Animal, max_tokens=40)
    assert (through.content, len(through.tokens)) == (directly.content, len(directly.tokens))
    assert through.tokens
    assert all(token.logprob <= 0 for token in through.tokens)


def test_it_is_well(managed: ModelServer) -> None:
    assert health(managed).detail == "ok"


def test_a_page_that_is_longer_than_the_context_is_too_long(managed: ModelServer) -> None:
    long: list[Message] = [{"role": "user", "content": "TREM 0412 1925 " * 5000}]
    with pytest.raises(ModelBadReply) as failure:
        client.chat(managed, long, Animal, max_tokens=40)
    assert failure.value.reason == "too_long"
