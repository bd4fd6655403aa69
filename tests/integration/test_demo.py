"""The demonstration starts once, says where it is, survives its parts and leaves nothing behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from namsite import demo
from namsite.devservers import free_port
from tests.installation import wait_until

pytestmark = pytest.mark.queue

ROOT = Path(__file__).resolve().parents[2]


class Terminal:
    """A demonstration as a person starts it, with what it printed."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.printed = folder, folder / "printed"
        self.environment = {
            **os.environ,
            "DATA_DIR": str(folder / "demo"),
            "PORT": str(free_port()),
            "TMPDIR": str(folder),
        }
        for name in (
            "REDIS_URL",
            "ENV_FILE",
            "VAULT_KEYS",
            "VAULT_INDEX_KEY",
            "SECRET_KEY",
            "VAULT_DIR",
            "DATABASE_URL",
        ):
            self.environment.pop(name, None)
        self.process = self.start()

    def start(self) -> subprocess.Popen[bytes]:
        with self.printed.open("wb") as output:
            command = [sys.executable, "manage.py", "demo"]
            self.process = subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=output, stderr=output)
        return self.process

    def text(self) -> str:
        return self.printed.read_text()

    def url(self) -> str:
        """Waits for the address."""
        wait_until(lambda: "Ctrl-C" in self.text() or self.process.poll() is not None, seconds=90)
        found = re.search(r"http://\S+", self.text())
        assert found, self.text()
        return found[0]

    def parts(self) -> list[psutil.Process]:
        """Every living process of the demonstration but itself."""
        every = psutil.Process(self.process.pid).children(recursive=True)
        return [part for part in every if part.is_running() and part.status() != psutil.STATUS_ZOMBIE]

    def part(self, word: str) -> psutil.Process | None:
        """The process whose command line holds `word`, if it lives."""
        for part in self.parts():
            with suppress(psutil.Error):
                if word in part.cmdline():
                    return part
        return None


@pytest.fixture
def terminal(tmp_path):
    made = Terminal(tmp_path)
    yield made
    made.process.kill()
    made.process.wait()


def all_gone(parts: list[psutil.Process]) -> bool:
    return not any(part.is_running() and part.status() != psutil.STATUS_ZOMBIE for part in parts)


def test_a_demonstration_from_start_to_stop(terminal):
    url = terminal.url()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=10) as page:
        assert page.status == 200
    assert all(person.email in terminal.text() for person in demo.PEOPLE)
    assert (terminal.folder / "demo" / "demo.env").stat().st_mode & 0o777 == 0o600

    second = subprocess.run(
        [sys.executable, "manage.py", "demo"], cwd=ROOT, env=terminal.environment, capture_output=True, text=True,
        timeout=30, check=False,
    )  # fmt: skip
    assert (second.returncode, url in second.stdout) == (1, True)

    terminal.part("scheduler").kill()
    wait_until(lambda: "scheduler ended" in terminal.text(), seconds=10)
    wait_until(lambda: terminal.part("scheduler"), seconds=10)

    parts = terminal.parts()
    terminal.process.send_signal(signal.SIGTERM)
    assert terminal.process.wait(20) == 0
    assert all_gone(parts)

    began = time.monotonic()
    terminal.start()
    terminal.url()
    assert time.monotonic() - began < 30  # It takes six seconds on an idle laptop.
    parts = terminal.parts()
    terminal.process.kill()  # Nothing can be tidied up now; the kernel ends the parts.
    terminal.process.wait()
    wait_until(lambda: all_gone(parts), seconds=10)


def test_a_demonstration_ends_with_its_web_server(terminal):
    terminal.url()
    terminal.part("uvicorn").kill()
    assert terminal.process.wait(20) == 1
    assert "web ended" in terminal.text()


def test_keys_are_made_once(tmp_path):
    first = demo.write_keys(tmp_path).read_text()
    assert demo.write_keys(tmp_path).read_text() == first


@pytest.mark.parametrize("step", ["--prepare", "--documents"])
def test_people_with_a_published_password_exist_in_demonstrations_only(step):
    done = subprocess.run(
        [sys.executable, "manage.py", "demo", step], cwd=ROOT, env=os.environ, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "not a demonstration" in done.stderr
