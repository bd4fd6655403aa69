"""A whole installation in real processes: migrated database, web, worker and scheduler, on loopback."""

from __future__ import annotations

import base64
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx

from namsite.devservers import free_port

ROOT = Path(__file__).resolve().parents[1]
PASSWORD = "correct-horse-battery-42"
PEOPLE = {"staff": "accueil@essai.example", "reviewer": "revision@essai.example", "admin": "admin@essai.example"}

SETUP = f"""
from accounts import actions
clinic = actions.create_clinic(name="Clinique d'essai")
for role, email in {PEOPLE!r}.items():
    actions.create_user(clinic=clinic, email=email, name=role.title(), role=role, password={PASSWORD!r}, by=None)
"""


NOWHERE = "redis://127.0.0.1:1/0"
"""For an installation that needs no queue: nobody answers there."""


def _chromium() -> str | None:
    named = [os.environ["CHROMIUM"]] if os.environ.get("CHROMIUM") else []
    for candidate in (*named, "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        if found := shutil.which(candidate):
            return found
    return None


CHROMIUM = _chromium()
"""The path of the machine's Chromium, if it has one."""


class Installation:
    """Starts and stops the processes of one installation; `env` is what each of them gets to see."""

    patience = 120.0  # seconds for one management command

    def __init__(self, folder: Path, redis_url: str, **extra_env: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.env = {
            "PATH": os.environ["PATH"],
            "TESTING": "1",
            "MFA_REQUIRED": "0",  # these journeys are about the work; tests/browser/test_sign_in.py is about the way in
            "DJANGO_SETTINGS_MODULE": "namsite.settings",
            "DATA_DIR": str(folder),
            "SECRET_KEY": "not-a-secret-only-a-test",
            "VAULT_KEYS": "k1:" + base64.b64encode(bytes(range(32))).decode(),
            "VAULT_INDEX_KEY": base64.b64encode(bytes(range(32, 64))).decode(),
            "REDIS_URL": redis_url,
            **extra_env,
        }

    def manage(self, *args: str, text: str | None = None) -> str:
        """Runs one management command to its end and returns what it printed."""
        done = subprocess.run(
            [sys.executable, "manage.py", *args], cwd=ROOT, env=self.env, input=text, capture_output=True, text=True,
            check=True, timeout=self.patience,
        )  # fmt: skip
        return done.stdout

    def python(self, code: str) -> str:
        """Runs code in the installation, as `manage.py shell` does."""
        return self.manage("shell", "--no-imports", "-c", code).strip()

    def prepare(self) -> None:
        self.manage("migrate", "--verbosity", "0")
        self.python(SETUP)

    def start(self, name: str) -> subprocess.Popen[bytes]:
        command = {
            "web": ["-m", "uvicorn", "namsite.asgi:application", "--port", str(self.port), "--log-level", "warning"],
            "worker": ["manage.py", "worker"],
            "scheduler": ["manage.py", "scheduler"],
        }[name]
        log = (self.folder / f"{name}.log").open("ab")
        process = subprocess.Popen(
            [sys.executable, *command], cwd=ROOT, env=self.env, stdout=log, stderr=log, start_new_session=True
        )
        log.close()
        self.processes[name] = process
        if name == "web":
            wait_until(lambda: answers(self.url), seconds=30)
        return process

    def kill(self, name: str) -> None:
        """SIGKILL to the process and to everything it started, work-horses too."""
        process = self.processes.pop(name)
        for child in children(process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        process.kill()
        process.wait()

    def stop(self) -> None:
        for process in self.processes.values():
            process.terminate()
        for name, process in list(self.processes.items()):
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.kill(name)
        self.processes.clear()


@contextlib.contextmanager
def installation(folder: Path, redis_url: str, **extra_env: str) -> Iterator[Installation]:
    """A prepared installation without processes yet; stops whatever was started in it."""
    made = Installation(folder, redis_url, **extra_env)
    made.prepare()
    try:
        yield made
    finally:
        made.stop()


def children(pid: int) -> list[int]:
    """Every living descendant of a process, deepest last."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += [int(child), *children(int(child))]
    return found


def answers(url: str) -> bool:
    """Whether the application is well, also one that believes a proxy's word that it was asked through TLS."""
    secure = {"X-Forwarded-Proto": "https"}
    try:
        return httpx.get(f"{url}/health/", headers=secure, trust_env=False, timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def wait_until(condition: Callable[[], object], *, seconds: float) -> None:
    """Waits for a condition of another process. Raises AssertionError when it does not come true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError(f"this did not come true within {seconds} s")
