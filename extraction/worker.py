"""The worker process: takes turns at runs, for a minute or so in each of its forked processes.

What RQ's own command would get wrong is settled here once: jobs are read as JSON and never unpickled (`rqworker`
ignores the queue's serializer), no database connection is shared across the fork, the forked process dies with its
worker, and a Redis that goes away is waited for.
"""

from __future__ import annotations

import logging
import signal
import time
from types import FrameType
from typing import TYPE_CHECKING

import django_rq
from django.conf import settings
from django.db import connections
from redis.exceptions import RedisError
from rq import Worker
from rq.exceptions import StopRequested
from rq.serializers import JSONSerializer

from extraction import queue
from extraction.jobs import QuietJob
from extraction.processes import die_with_parent

if TYPE_CHECKING:
    from rq import Queue
    from rq.job import Job

logger = logging.getLogger(__name__)

FIRST_PAUSE = 1.0  # seconds before the second attempt to reach Redis; doubled each time
LONGEST_PAUSE = 15.0
IDLE_SECONDS = 60
"""RQ asks for the next job for a little less, and then anew: so long can a connection be dead and nobody notice."""


class RunWorker(Worker):
    """RQ's forking worker for runs. SIGTERM lets it finish its turns; a second one, later, ends them with it."""

    log_result_lifespan = False
    max_connection_wait_time = LONGEST_PAUSE
    is_stopping = False

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        self.is_stopping = True
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]

    def fork_work_horse(self, job: Job, queue: Queue) -> None:
        connections.close_all()  # Two processes speaking on one connection would read each other's answers.
        super().fork_work_horse(job, queue)

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        if self.pid is not None:
            die_with_parent(self.pid)
        super().main_work_horse(job, queue)


def make_worker() -> RunWorker:
    """A worker for runs, and for comparisons while there is no run. Raises RedisError when Redis is away."""
    return RunWorker(
        queue.every(),
        connection=django_rq.get_connection("default"),  # Its own: RQ changes how long it waits for an answer.
        job_class=QuietJob,
        serializer=JSONSerializer,
        log_job_description=False,
        default_result_ttl=queue.RESULT_TTL,
        worker_ttl=IDLE_SECONDS,
    )


def serve(*, burst: bool = False) -> None:
    """Works until it is told to stop, or with `burst` until the queue is empty. Waits for Redis as long as it takes."""
    pause = FIRST_PAUSE
    signal.signal(signal.SIGTERM, _stop_waiting)  # Each worker replaces it by its own, which lets a run end first.
    try:
        while True:
            began = time.monotonic()
            if _work(burst=burst):
                return
            if time.monotonic() - began > LONGEST_PAUSE:
                pause = FIRST_PAUSE
            logger.warning("the queue cannot be reached; next attempt in %d s", pause)
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
    except (StopRequested, KeyboardInterrupt):
        return


def _stop_waiting(_signum: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)  # An ordinary exception would be swallowed if it came in the middle of a log line.


def _work(*, burst: bool) -> bool:
    """One life of a worker. True when it ended because it was to end, False when Redis went away."""
    worker: RunWorker | None = None
    try:
        worker = make_worker()
        worker.work(burst=burst, logging_level=settings.LOGGING["loggers"]["rq.worker"]["level"])
    except RedisError:
        pass
    else:
        if burst:
            return True
    if worker is None:
        return False
    if worker.horse_pid:  # Redis went away under a run. The run needs no Redis: let it end before taking another.
        worker.wait_for_horse()
    return worker.is_stopping
