"""Starts vLLM once, as `make demo` does, with what `manage.py prepare_model` installed into MODEL_FOLDER."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from extraction.llm import client, health, installing, profiles
from extraction.llm.client import ModelServer
from extraction.llm.profiles import Profile
from namsite import devservers
from tests.installation import free_port

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 600.0
PROFILE = "cpu-small"


@dataclass(frozen=True)
class Running:
    """The server, what it was started with, and the file in which everything it printed stands."""

    server: ModelServer
    prompt: str
    profile: Profile
    log: Path
    process: subprocess.Popen[bytes]

    def get(self, path: str) -> client.Reply:
        return client.get(self.server, f"{self.server.base}{path}", timeout=10)


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Waits for what is installed already; `make test-llm` installs it before."""
    profile = profiles.profile(PROFILE)
    installed = installing.install(profile, Path(os.environ["MODEL_FOLDER"]).absolute(), tell=print)
    port, log = free_port(), tmp_path_factory.mktemp("llm") / "server.log"
    environment = os.environ | {"VLLM_PYTHON": str(installed.python), "VLLM_CACHE_ROOT": str(installed.cache)}
    command = [
        sys.executable,
        "manage.py",
        "serve_llm",
        PROFILE,
        "--model-dir",
        str(installed.model),
        "--port",
        str(port),
    ]
    server = ModelServer(f"http://127.0.0.1:{port}/v1", profile.model, timeout=300, concurrency=profile.sequences)
    with log.open("wb") as output:
        process = devservers.start(command, output=output, environment=environment, folder=ROOT)
    try:
        _wait(server, process, log)
        prompt = installing.prompt_of(installing.adapter_of(profile))
        yield Running(server, prompt, profile, log, process)
    finally:
        devservers.stop(process, seconds=20)


def _wait(server: ModelServer, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not health.health(server).ok:
        said = log.read_text(errors="replace")[-3000:]
        assert process.poll() is None, said
        assert time.monotonic() < deadline, said
        time.sleep(0.5)
