"""The demonstration's model server: installed once, started, watched. A process of its own (`manage.py demo --model`).

It writes down how far it is (`extraction.llm.starting`), so that pages can say so. When the server answers, and also
when it never will, documents that wait for it are woken.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from django.conf import settings

from extraction import claims
from extraction.llm import client, health, installing, profiles, starting
from extraction.llm.installing import CannotInstall, Installed
from extraction.llm.starting import Starting
from namsite import devservers
from namsite.demo import PROFILE, ROOT

GLANCE = 1.0
POLITENESS = 5
"""Added to the niceness: pages and reading come first on a small computer."""

Say = Callable[[str], object]


def serve(folder: Path, say: Say) -> int:
    """Installs into `folder` what is missing, and runs the server until it ends. Returns its exit status.

    Where it cannot be installed or started it says so once and stays, so that nobody starts it again.
    """
    os.nice(POLITENESS)
    try:
        installed = installing.install(profiles.profile(PROFILE), folder, tell=say)
    except CannotInstall as error:
        return _give_up(str(error), say)
    _note(Starting("loading"))
    process = start(installed, port=urlsplit(settings.LLM_ENDPOINT).port or 0, output=sys.stdout.buffer)
    if not _wait_until_it_answers(process):
        return _give_up("The model server ended while it was starting.", say)
    _note(Starting("ready"))
    claims.hurry_for_model()
    say("The model answers.")
    return process.wait()


def start(installed: Installed, *, port: int, output: IO[bytes]) -> subprocess.Popen[bytes]:
    """Starts the server of what is installed on loopback; it ends with this process."""
    command = [sys.executable, "manage.py", "serve_llm", PROFILE, "--model-dir", str(installed.model)]
    environment = os.environ | {"VLLM_PYTHON": str(installed.python), "VLLM_CACHE_ROOT": str(installed.cache)}
    return devservers.start([*command, "--port", str(port)], output=output, environment=environment, folder=ROOT)


def _wait_until_it_answers(process: subprocess.Popen[bytes]) -> bool:
    server = client.from_settings()
    assert server is not None  # noqa: S101 - whoever starts this names the endpoint
    while process.poll() is None:
        if health.health(server).ok:
            return True
        time.sleep(GLANCE)
    return False


def _give_up(why: str, say: Say) -> int:
    say(why)
    _note(Starting("impossible", why))
    claims.hurry_for_model()
    signal.pause()
    return 0


def _note(state: Starting) -> None:
    starting.write(Path(settings.LLM_STATE_FILE), state)
