"""What happens in time by itself: one scheduler at a time, runs woken and recovered, outages survived."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import OperationalError
from django.utils import timezone
from rq.job import JobStatus
from rq.registry import FailedJobRegistry

from extraction import claims, queue, scheduler
from extraction.models import Lease, Run, Status
from extraction.scheduler import LEASE, LEASE_TIME, Scheduler, give_up_lease, take_lease
from tests.factories import RunFactory

pytestmark = [pytest.mark.django_db, pytest.mark.queue]

ROOT = Path(__file__).resolve().parents[2]
NOW = timezone.now()
FIRST, SECOND = uuid.UUID(int=1), uuid.UUID(int=2)


def test_a_lease_nobody_holds_is_taken():
    assert take_lease(LEASE, FIRST, NOW)
    assert Lease.objects.get(name=LEASE).until == NOW + LEASE_TIME


@pytest.mark.parametrize(
    ("seconds", "holder", "taken"),
    [(1, SECOND, False), (29, SECOND, False), (30, SECOND, True), (1, FIRST, True), (29, FIRST, True)],
)
def test_a_lease_is_its_holders_until_it_runs_out(seconds, holder, taken):
    take_lease(LEASE, FIRST, NOW)
    assert take_lease(LEASE, holder, NOW + timedelta(seconds=seconds)) is taken


def test_a_lease_is_renewed_before_it_runs_out():
    take_lease(LEASE, FIRST, NOW)
    take_lease(LEASE, FIRST, NOW + timedelta(seconds=20))
    assert not take_lease(LEASE, SECOND, NOW + timedelta(seconds=31))


def test_a_lease_of_a_clock_that_ran_ahead_is_over():
    take_lease(LEASE, FIRST, NOW + timedelta(hours=1))
    assert take_lease(LEASE, SECOND, NOW)


def test_a_lease_given_up_is_free_at_once():
    take_lease(LEASE, FIRST, NOW)
    give_up_lease(LEASE, FIRST)
    assert take_lease(LEASE, SECOND, NOW)


def test_nobody_gives_up_the_lease_of_another():
    take_lease(LEASE, FIRST, NOW)
    give_up_lease(LEASE, SECOND)
    assert not take_lease(LEASE, SECOND, NOW)


def test_only_the_holder_of_the_lease_works(empty_redis):
    run = RunFactory(status=Status.QUEUED)
    assert Scheduler(FIRST).round(NOW)
    queue.queue().empty()
    assert not Scheduler(SECOND).round(NOW)
    assert queue.queue().get_job_ids() == []
    assert Run.objects.get(pk=run.pk).status == Status.QUEUED


def test_a_round_wakes_runs_whose_wait_is_over(empty_redis):
    due = RunFactory(status=Status.WAITING, next_attempt_at=NOW)
    later = RunFactory(status=Status.WAITING, next_attempt_at=NOW + timedelta(seconds=1))
    Scheduler().round(NOW)
    assert Run.objects.get(pk=due.pk).status == Status.QUEUED
    assert Run.objects.get(pk=later.pk).status == Status.WAITING
    assert len(queue.queue().get_job_ids()) == 1


def test_a_round_reminds_a_queue_that_forgot(empty_redis):
    RunFactory(status=Status.QUEUED)
    Scheduler().round(NOW)
    assert len(queue.queue().get_job_ids()) == 1


def test_two_rounds_queue_a_run_once(empty_redis):
    RunFactory(status=Status.QUEUED)
    waker = Scheduler()
    waker.round(NOW)
    waker.round(NOW + timedelta(seconds=2))
    assert len(queue.queue().get_job_ids()) == 1


def silent_run():
    run = RunFactory(status=Status.QUEUED)
    claims.take(run.pk)
    run.slices.update(heartbeat_at=NOW - claims.ORPHAN_AFTER * 2)
    return run


def test_the_run_of_a_dead_worker_is_queued_again_in_the_same_round(empty_redis):
    run = silent_run()
    Scheduler().round(NOW)
    assert Run.objects.get(pk=run.pk).status == Status.QUEUED
    assert len(queue.queue().get_job_ids()) == 1


def test_dead_workers_are_looked_for_four_times_a_minute(empty_redis):
    waker = Scheduler()
    waker.round(NOW)
    run = silent_run()
    waker.round(NOW + timedelta(seconds=14))
    assert Run.objects.get(pk=run.pk).status == Status.READING
    waker.round(NOW + timedelta(seconds=15))
    assert Run.objects.get(pk=run.pk).status == Status.QUEUED


def test_a_job_that_failed_does_not_bar_its_run_from_the_queue(empty_redis):
    run = RunFactory(status=Status.QUEUED)
    queue.enqueue(run.pk.hex, run.turn)
    (job_id,) = queue.queue().get_job_ids()
    queue.queue().remove(job_id)
    job = queue.queue().fetch_job(job_id)
    job.set_status(JobStatus.FAILED)
    FailedJobRegistry(queue=queue.queue()).add(job, ttl=1000, exc_string="JobFailed")
    Scheduler().round(NOW)
    assert queue.queue().get_job_ids() == [job_id]


def test_a_job_that_was_lost_on_its_way_to_a_worker_does_not_bar_its_run_from_the_queue(empty_redis):
    run = RunFactory(status=Status.QUEUED)
    waker = Scheduler()
    waker.round(NOW)
    runs = queue.queue()
    runs.connection.lpop(runs.key)
    for seconds in (2, 15, 17):
        waker.round(NOW + timedelta(seconds=seconds))
        assert runs.get_job_ids() == [], "a worker may just have begun with it"
    for seconds in (30, 32):
        waker.round(NOW + timedelta(seconds=seconds))
    assert runs.get_job_ids() == [queue.job_id(run.pk.hex, run.turn)]


@pytest.mark.parametrize("seconds", [-3600, 3600])
def test_a_clock_that_is_put_right_stops_no_sweep(empty_redis, seconds):
    waker = Scheduler()
    waker.round(NOW + timedelta(seconds=seconds))
    run = silent_run()
    waker.round(NOW)
    assert Run.objects.get(pk=run.pk).status == Status.QUEUED


def test_orphans_are_recovered_while_redis_is_away():
    run = silent_run()
    Scheduler().attempt(NOW)
    assert Run.objects.get(pk=run.pk).status == Status.QUEUED


def test_an_outage_of_redis_is_one_log_line(caplog):
    waker = Scheduler()
    for seconds in (0, 2, 4):
        waker.attempt(NOW + timedelta(seconds=seconds))
    assert [record.levelname for record in caplog.records if record.name == scheduler.__name__] == ["WARNING"]


def test_an_outage_of_the_database_is_survived_and_its_end_told(empty_redis, caplog, monkeypatch):
    waker = Scheduler()

    def broken(*_: object) -> bool:
        raise OperationalError

    with monkeypatch.context() as patch:
        patch.setattr(scheduler, "take_lease", broken)
        waker.attempt(NOW)
    waker.attempt(NOW)
    lines = [record.getMessage() for record in caplog.records if record.name == scheduler.__name__]
    assert lines == ["the scheduler cannot work (OperationalError); it goes on trying", "the scheduler works again"]


def test_once_does_one_round_and_leaves_no_lease(empty_redis):
    RunFactory(status=Status.QUEUED)
    call_command("scheduler", "--once")
    assert len(queue.queue().get_job_ids()) == 1
    assert not Lease.objects.exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_cleanly(number, tmp_path):
    environment = {**os.environ, "DATABASE_URL": f"sqlite:///{tmp_path / 'scheduler.sqlite3'}"}
    process = subprocess.Popen(
        [sys.executable, "manage.py", "scheduler"], cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stderr is not None
        assert "the scheduler cannot work" in process.stderr.readline()  # There are no tables, and it goes on trying.
        process.send_signal(number)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.communicate()
