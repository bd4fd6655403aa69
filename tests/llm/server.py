"""The real model server as a context manager: started as `make demo` starts it, from what `prepare_model` installed."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from extraction.llm import client, health, installing, metrics, profiles, prompts
from extraction.llm.client import ModelServer
from extraction.llm.profiles import Profile
from extraction.llm.prompts import Message
from namsite import demo_model, devservers
from namsite.demo import PROFILE

START_SECONDS = 600.0
_GLANCE = 0.25


@dataclass(frozen=True)
class Running:
    """The server, the prompt of its adapter, the file with all it printed, and the seconds until it answered."""

    server: ModelServer
    prompt: str
    profile: Profile
    log: Path
    process: subprocess.Popen[bytes]
    seconds: float

    def get(self, path: str) -> client.Reply:
        """One page of the server itself. Raises ModelUnreachable."""
        return client.get(self.server, f"{self.server.base}{path}", timeout=10)

    def tokens(self, messages: Sequence[Message]) -> int:
        """How many tokens a conversation has for this model."""
        body = {"model": self.server.model, "messages": list(messages)}
        reply = httpx.post(f"{self.server.base}/tokenize", json=body, timeout=60, trust_env=False)
        return int(reply.raise_for_status().json()["count"])

    def constant_tokens(self) -> int:
        """How many tokens every prompt begins with."""
        return self.tokens([{"role": "system", "content": prompts.load(self.prompt).system}])

    def counter(self, name: str) -> float:
        """A counter or gauge of /metrics, all its labels added up."""
        return sum(value for said, value in metrics.numbers(self.get("/metrics").body) if said == name)


@contextmanager
def started(folder: Path, log: Path) -> Iterator[Running]:
    """The server of what is installed in `folder` (MODEL_FOLDER); it ends with the block. Raises AssertionError."""
    profile = profiles.profile(PROFILE)
    installed = installing.install(profile, folder.absolute(), tell=print)
    port = devservers.free_port()
    server = ModelServer(f"http://127.0.0.1:{port}/v1", profile.model, timeout=300, concurrency=profile.sequences)
    began = time.monotonic()
    with log.open("wb") as output:
        process = demo_model.start(installed, port=port, output=output)
    try:
        _wait(server, process, log)
        prompt = installing.prompt_of(installing.adapter_of(profile))
        yield Running(server, prompt, profile, log, process, time.monotonic() - began)
    finally:
        devservers.stop(process, seconds=20)


def _wait(server: ModelServer, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not health.health(server).ok:
        said = log.read_text(errors="replace")[-3000:]
        assert process.poll() is None, said
        assert time.monotonic() < deadline, said
        time.sleep(_GLANCE)
