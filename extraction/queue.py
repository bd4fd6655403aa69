"""The queue: ids only, JSON, short lives. The state of the work stands in our tables; the queue only wakes workers.

A job only says that there is something to do; whose slice a worker takes is decided when it takes it. Job ids are made
from the run, its turn and the slice, so that asking twice is one job, and losing Redis loses a hint.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from typing import TYPE_CHECKING

import django_rq
from django.conf import settings
from django.db import transaction
from redis.exceptions import RedisError
from rq import Queue, Worker
from rq.exceptions import DuplicateJobError
from rq.job import Job
from rq.registry import FailedJobRegistry, StartedJobRegistry

from audit.origin import current_origin

if TYPE_CHECKING:
    from redis import Redis

    from extraction.models import Run

logger = logging.getLogger(__name__)

JOB = "extraction.jobs.take_turns"
COMPARISON = "extraction.jobs.compare_in_shadow"
RESULT_TTL = 0  # seconds; a job returns nothing, and its outcome stands on the run
FAILURE_TTL = 24 * 3600
WORKER_SEEN = timedelta(minutes=2)
"""Workers say once a minute that they live (`worker.IDLE_SECONDS`)."""
MOST_JOBS = 64
"""For one run at once, so that who uploads a long document does not wait for them; the scheduler adds the others."""


def queue() -> Queue:
    found: Queue = django_rq.get_queue("default", connection=_connection(settings.RQ_QUEUES["default"]["URL"]))
    return found


@lru_cache(maxsize=1)
def _connection(_url: str) -> Redis:
    """One pool for the process. django-rq would make another for each call, and connections that nobody closes."""
    found: Redis = django_rq.get_connection("default")
    return found


def comparisons() -> Queue:
    """On the same server, for what may wait until no run does: workers take runs first."""
    runs = queue()
    # Not django_rq's class, which looks every queue up in the settings.
    return Queue("comparisons", connection=runs.connection, job_class=runs.job_class, serializer=runs.serializer)


def every() -> list[Queue]:
    """In the order in which workers take from them."""
    return [queue(), comparisons()]


def oldest_wait(waiting: Queue, moment: datetime) -> timedelta:
    """How long the first job has waited for a worker. Raises RedisError."""
    first = waiting.get_jobs(0, 1)
    since = _aware(first[0].enqueued_at) if first else None
    return max(timedelta(), moment - since) if since is not None else timedelta()


def workers_alive(moment: datetime) -> int:
    """How many workers gave a sign of life in time. Raises RedisError."""
    beats = [_aware(each.last_heartbeat) for each in Worker.all(queue=queue())]
    return sum(beat is not None and beat > moment - WORKER_SEEN for beat in beats)


def _aware(at: datetime | None) -> datetime | None:
    return at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at


def enqueue_on_commit(run: Run) -> None:
    """Wakes workers once the transaction holds. If Redis is away the scheduler does it later."""
    transaction.on_commit(partial(_enqueue_all, run), robust=True)


def _enqueue_all(run: Run) -> None:
    for first in run.slices.order_by("first").values_list("first", flat=True)[:MOST_JOBS]:
        if not enqueue(run.pk.hex, run.turn, first):
            return


def job_id(run_id: str, turn: int, first: int = 1) -> str:
    """One job for each slice, each time its run is queued."""
    return f"run-{run_id}-{turn}" if first == 1 else f"run-{run_id}-{turn}-{first}"


def forgotten(slices: Sequence[tuple[str, int, int]]) -> list[tuple[str, int, int]]:
    """Those (run, turn and first page) without a job, in one exchange: to ask for each again costs two milliseconds of
    processor, every two seconds while many wait. All of them when the queue cannot be reached."""
    try:
        with queue().connection.pipeline(transaction=False) as pipeline:
            for run_id, turn, first in slices:
                pipeline.exists(Job.key_for(job_id(run_id, turn, first)))
            known = pipeline.execute()
    except RedisError:
        return list(slices)
    return [each for each, is_known in zip(slices, known, strict=True) if not is_known]


def enqueue(run_id: str, turn: int, first: int = 1) -> bool:
    """Wakes a worker for the run's slice from page `first` on, unless that was done. False when the queue is away."""
    try:
        queue().enqueue_call(
            JOB,
            job_id=job_id(run_id, turn, first),
            description="extraction",  # RQ's default would be the call with its arguments, also in its logs
            result_ttl=RESULT_TTL,
            failure_ttl=FAILURE_TTL,
            unique=True,
        )
    except DuplicateJobError:
        return True
    except RedisError as error:
        logger.warning("the queue cannot be reached (%s); the scheduler will try again", type(error).__name__)
        return False
    return True


def known() -> set[str]:
    """The ids of the jobs that wait, and of those that a worker is at. Raises RedisError."""
    started = StartedJobRegistry(queue=queue())
    return {*queue().get_job_ids(), *started.get_job_ids()}


def forget(job_id: str) -> None:
    """Takes a job out of Redis, so that the same turn can be asked for again. Raises RedisError."""
    queue().connection.delete(Job.key_for(job_id))


def forget_failed() -> None:
    """Takes jobs out of Redis whose worker is gone or which failed. Raises RedisError.

    The outcome stands on the run. A failed job that stayed would bar a run that is still queued, because asking for the
    same turn again is the same job. Workers do this too, but only every ten minutes.
    """
    StartedJobRegistry(queue=queue()).cleanup()
    failed = FailedJobRegistry(queue=queue())
    for job_id in failed.get_job_ids():
        failed.remove(job_id, delete_job=True)


def enqueue_comparison(run_id: str) -> None:
    """Asks for a comparison in the shadow. A comparison that the queue loses is missed by nobody."""
    with suppress(RedisError, DuplicateJobError):
        comparisons().enqueue_call(
            COMPARISON,
            args=(run_id,),
            meta={"request_id": current_origin().request_id},
            job_id=f"comparison-{run_id}",
            description="comparison",
            result_ttl=RESULT_TTL,
            failure_ttl=FAILURE_TTL,
            unique=True,
        )
