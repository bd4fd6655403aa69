"""An installation as in production: PostgreSQL, Valkey, web, scheduler, and as many workers as a part asks for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import psycopg

from namsite.devservers import LOOPBACK, EmbeddedPostgres, EmbeddedRedis
from tests.installation import PEOPLE, ROOT, Installation, wait_until

FIXED_READER = Path(__file__).with_name("fixed_reader")

TOKEN = f"""
from accounts import actions
from accounts.models import User
print(actions.create_token(name="load", days=1, by=User.objects.get(email={PEOPLE["staff"]!r}))[1])
"""

UPLOAD = f"""
import json
from pathlib import Path
from accounts.models import User
from extraction import actions
by = User.objects.get(email={PEOPLE["staff"]!r})
for path in json.loads({{paths!r}}):
    actions.upload(data=Path(path).read_bytes(), file_name="agenda.pdf", by=by)
"""


class Done(NamedTuple):
    """One document's times, in seconds since the epoch; `status` is that of its run."""

    pages: int
    status: str
    queued: float
    started: float | None
    finished: float | None

    @property
    def waited(self) -> float:
        return (self.started or time.time()) - self.queued

    @property
    def seconds(self) -> float:
        return (self.finished or time.time()) - self.queued


class Site(Installation):
    """With any number of workers, each perhaps on a host of its own."""

    patience = 600.0  # The machine may be busy with others' work.

    def __init__(self, folder: Path, redis_url: str, database_url: str, **extra_env: str) -> None:
        super().__init__(folder, redis_url, DATABASE_URL=database_url, ENV_FILE=os.devnull, **extra_env)
        self._token = ""

    def start_worker(self, number: int, *, inside: Sequence[str] = (), **extra_env: str) -> None:
        """A worker as `manage.py worker` starts it; `inside` is what puts a command onto another host."""
        name = f"worker-{number}"
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [*inside, sys.executable, "manage.py", "worker"], cwd=ROOT, env=self.env | extra_env, stdout=log,
                stderr=log, start_new_session=True,
            )  # fmt: skip
        wait_until(lambda: "Listening on" in (self.folder / f"{name}.log").read_text(), seconds=180)

    def upload_directly(self, *paths: Path) -> None:
        """By the action, without the web: for parts that are about workers."""
        self.python(UPLOAD.format(paths=json.dumps([str(path) for path in paths])))

    def upload(self, pdf: bytes) -> str:
        """Through the web, as a program of the clinic would; returns the run's id. Raises httpx.HTTPError."""
        self._token = self._token or self.python(TOKEN)
        reply = self._client().post("/api/nam/upload", files={"file": ("agenda.pdf", pdf, "application/pdf")})
        return str(reply.raise_for_status().json()["runId"])

    def status(self, run_id: str) -> str:
        return str(self._client().get(f"/api/nam/runs/{run_id}").raise_for_status().json()["status"])

    def _client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {self._token}"}, trust_env=False,
                            timeout=60)  # fmt: skip

    def done(self) -> list[Done]:
        """Every document of the installation with what became of its run, in the order they came."""
        return [
            Done(pages, status, *(moment and moment.timestamp() for moment in moments))
            for pages, status, *moments in self.rows(
                "SELECT d.page_count, r.status, r.created_at, r.started_at, r.finished_at"
                " FROM extraction_run r JOIN extraction_document d ON d.id = r.document_id ORDER BY r.created_at"
            )
        ]

    def rows(self, question: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(_conninfo(self.env["DATABASE_URL"])) as connection:
            return connection.execute(question).fetchall()

    def wait_for_all(self, *, seconds: float) -> list[Done]:
        """Raises AssertionError when a document is not over in time."""
        wait_until(
            lambda: not self.rows("SELECT 1 FROM extraction_run WHERE status NOT IN ('done', 'failed') LIMIT 1"),
            seconds=seconds,
        )
        return self.done()


def _conninfo(url: str) -> str:
    """psycopg takes django-environ's form for a socket folder apart wrongly."""
    socket = url.removeprefix("postgres://postgres@").removesuffix("/postgres")
    return f"host={socket[1:]} user=postgres dbname=postgres" if socket.startswith("/") else url


@contextmanager
def site(address: str = "", **extra_env: str) -> Iterator[Site]:
    """A prepared installation without processes yet. With an `address` its servers are reached there by other hosts."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="namsite-load-")))
        database = stack.enter_context(EmbeddedPostgres(address))
        redis = stack.enter_context(EmbeddedRedis(address or LOOPBACK))
        made = Site(folder, redis.url, database.url, LLM_ENDPOINT="", **extra_env)
        stack.callback(made.stop)
        made.prepare()
        yield made


def fixed(folder: Path, seconds: float) -> dict[str, str]:
    """The environment of a worker whose reader takes so long for a page."""
    return {"PYTHONPATH": f"{FIXED_READER}:{ROOT}", "FIXED_READER_SECONDS": str(seconds),
            "FIXED_READER_LOG": str(folder / "pages-read")}  # fmt: skip


def p95(values: Sequence[float]) -> float:
    return sorted(values)[int(0.95 * len(values))]
