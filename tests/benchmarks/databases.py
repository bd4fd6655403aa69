"""Benchmarks of pages over a large database: each database gets a process of its own, with a database of its own."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from namsite.devservers import CannotStart, EmbeddedPostgres
from tests.benchmarks.measure import ROOT


def measured(module: str, *arguments: str, sqlite: bool = True) -> Iterator[tuple[str, dict[str, Any]]]:
    """What `python -m tests.benchmarks.MODULE` prints as its last line, a JSON object, for each database's name.

    PostgreSQL is left out where it cannot start, SQLite where it is not asked for.
    """
    if sqlite:
        with tempfile.TemporaryDirectory() as folder:
            yield "SQLite", measure(module, arguments, f"sqlite:///{folder}/bench.sqlite3", folder)
    try:
        with tempfile.TemporaryDirectory() as folder, EmbeddedPostgres() as server:
            yield "PostgreSQL", measure(module, arguments, server.url, folder)
    except CannotStart as reason:
        print(f"{module} on PostgreSQL left out: {reason}")


def measure(module: str, arguments: tuple[str, ...], url: str, folder: str, **settings: str) -> dict[str, Any]:
    """The last line of one such process, as JSON. `settings` are added to its environment."""
    environment = os.environ | {
        "ENV_FILE": os.devnull,
        "TESTING": "1",
        "DJANGO_SETTINGS_MODULE": "namsite.settings",
        "DATABASE_URL": url,
        "DATA_DIR": folder,
        "SECRET_KEY": "only-a-benchmark",
        "LLM_ENDPOINT": "",
        "VAULT_KEYS": "k1:" + base64.b64encode(bytes(range(32))).decode(),
        "VAULT_INDEX_KEY": base64.b64encode(bytes(range(32, 64))).decode(),
        **settings,
    }
    command = [sys.executable, "-m", f"tests.benchmarks.{module}", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    printed: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return printed


def processor_seconds() -> float:
    """Of this process and of PostgreSQL's that serves it; its parallel workers are switched off."""
    from django.db import connection

    if connection.vendor != "postgresql":
        return time.process_time()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        nanoseconds = Path(f"/proc/{cursor.fetchone()[0]}/schedstat").read_text().split()[0]
    return time.process_time() + int(nanoseconds) / 1e9
