"""The queue: ids only, JSON, short lives. The state of the work stands in our tables; the queue only wakes workers.

Job ids are made from the run and its turn, so that asking twice is one job, and losing Redis loses a hint.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from functools import lru_cache, partial
from typing import TYPE_CHECKING

import django_rq
from django.conf import settings
from django.db import transaction
from redis.exceptions import RedisError
from rq import Queue
from rq.exceptions import DuplicateJobError
from rq.job import Job
from rq.registry import FailedJobRegistry, StartedJobRegistry

if TYPE_CHECKING:
    from redis import Redis

    from extraction.models import Run

logger = logging.getLogger(__name__)

JOB = "extraction.jobs.run_extraction"
COMPARISON = "extraction.jobs.compare_in_shadow"
RESULT_TTL = 0  # seconds; a job returns nothing, and its outcome stands on the run
FAILURE_TTL = 24 * 3600


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


def enqueue_on_commit(run: Run) -> None:
    """Wakes a worker once the transaction holds. If Redis is away the scheduler does it later."""
    transaction.on_commit(partial(enqueue, run.pk.hex, run.turn), robust=True)


def job_id(run_id: str, turn: int) -> str:
    """One job for each time a run is queued."""
    return f"run-{run_id}-{turn}"


def enqueue(run_id: str, turn: int) -> bool:
    """Puts the run into the queue unless it is there already. False when the queue cannot be reached."""
    try:
        queue().enqueue_call(
            JOB,
            args=(run_id,),
            job_id=job_id(run_id, turn),
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


def waiting() -> set[str]:
    """The ids of the jobs that no worker took yet. Raises RedisError."""
    return set(queue().get_job_ids())


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
            job_id=f"comparison-{run_id}",
            description="comparison",
            result_ttl=RESULT_TTL,
            failure_ttl=FAILURE_TTL,
            unique=True,
        )
