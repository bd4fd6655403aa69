"""The worker process: JSON only, one fork a job, and a Redis that comes and goes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import django_rq
import pytest
from django.conf import settings
from rq.serializers import JSONSerializer

from extraction import queue, worker
from extraction.jobs import QuietJob
from namsite.devservers import EmbeddedRedis

pytestmark = pytest.mark.queue

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", settings.RQ_QUEUES)
def test_every_queue_writes_json(name, redis_server):
    assert django_rq.get_queue(name).serializer is JSONSerializer


def test_the_worker_reads_json_as_quiet_jobs_of_its_queues_and_takes_runs_first(redis_server):
    made = worker.make_worker()
    assert made.serializer is JSONSerializer
    assert made.job_class is QuietJob
    assert [(each.name, each.serializer, each.job_class) for each in made.queues] == [
        ("default", JSONSerializer, QuietJob),
        ("comparisons", JSONSerializer, QuietJob),
    ]


def test_a_process_keeps_its_connections_to_redis(redis_server):
    assert queue.queue().connection is queue.queue().connection


def test_nobody_waits_long_for_a_redis_that_hangs(redis_server):
    assert queue.queue().connection.connection_pool.get_connection().socket_timeout == 5
    assert worker.make_worker().connection.connection_pool.connection_kwargs["socket_timeout"] <= 60


def test_the_worker_logs_no_description_of_a_job(redis_server):
    assert worker.make_worker().log_job_description is False


def work(seconds: float, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", "worker", *arguments]
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


@pytest.fixture
def marked_job(empty_redis, tmp_path):
    """A queued job that makes a folder, which the test can see from outside."""
    target = tmp_path / "made-by-the-job"
    queue.queue().enqueue_call("os.mkdir", args=(str(target),), description="extraction", result_ttl=0)
    return target


def test_burst_works_the_queue_off_and_ends(marked_job):
    done = work(60, "--burst")
    assert done.returncode == 0
    assert marked_job.is_dir()
    assert len(queue.queue()) == 0


def test_a_pickled_job_is_never_unpickled(empty_redis, tmp_path):
    target = tmp_path / "made-by-the-job"
    pickled = django_rq.get_queue("default", serializer="rq.serializers.PickleSerializer")
    pickled.enqueue_call("os.mkdir", args=(str(target),))
    work(60, "--burst")
    assert not target.exists()


def test_a_worker_that_starts_before_redis_waits_for_it(tmp_path):
    server = EmbeddedRedis()
    process = subprocess.Popen(
        [sys.executable, "manage.py", "worker"], cwd=ROOT, env={**os.environ, "REDIS_URL": server.url},
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stderr is not None
        assert "cannot be reached" in process.stderr.readline()
        with server:
            assert any("Listening on" in line for line in iter(process.stderr.readline, ""))
            process.send_signal(signal.SIGTERM)
            assert process.wait(15) == 0
    finally:
        process.kill()
        process.communicate()


def test_a_worker_outlives_a_restart_of_redis(tmp_path):
    target = tmp_path / "made-by-the-job"
    with EmbeddedRedis() as server:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "worker"], cwd=ROOT, env={**os.environ, "REDIS_URL": server.url},
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            assert process.stderr is not None
            assert any("Listening on" in line for line in iter(process.stderr.readline, ""))
            server.process.kill()
            server.process.wait()
            time.sleep(1.5)
            server.start()
            waking = django_rq.get_queue("default", connection=client(server.url))
            waking.enqueue_call("os.mkdir", args=(str(target),), description="extraction", result_ttl=0)
            deadline = time.monotonic() + 30
            while not target.exists() and time.monotonic() < deadline:
                time.sleep(0.1)
            assert target.is_dir()
        finally:
            process.kill()
            process.communicate()


def client(url: str):
    from redis import Redis

    return Redis.from_url(url)
