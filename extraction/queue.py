"""The queue: ids only, JSON, short lives. The state of the work stands in our tables; the queue only wakes workers.

Job ids are made from the run and its turn, so that asking twice is one job, and losing Redis loses a hint.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import django_rq
from django.db import transaction
from redis.exceptions import RedisError
from rq import Queue, Worker
from rq.exceptions import DuplicateJobError

from audit.origin import current_origin

if TYPE_CHECKING:
    from extraction.models import Run

logger = logging.getLogger(__name__)

JOB = "extraction.jobs.run_extraction"
COMPARISON = "extraction.jobs.compare_in_shadow"
RESULT_TTL = 0  # seconds; a job returns nothing, and its outcome stands on the run
FAILURE_TTL = 24 * 3600
WORKER_SEEN = timedelta(minutes=8)
"""RQ's workers say every seven minutes at the latest that they live (`rq.defaults.DEFAULT_WORKER_TTL`)."""


def queue() -> Queue:
    found: Queue = django_rq.get_queue("default")
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
    """Wakes a worker once the transaction holds. If Redis is away the scheduler does it later."""
    transaction.on_commit(partial(enqueue, run.pk.hex, run.turn, run.request_id), robust=True)


def job_id(run_id: str, turn: int) -> str:
    """One job for each time a run is queued."""
    return f"run-{run_id}-{turn}"


def enqueue(run_id: str, turn: int, request_id: str = "") -> bool:
    """Puts the run into the queue unless it is there already. False when the queue cannot be reached.

    `request_id` is that of the HTTP request that asked for it, which the worker's log lines and events carry on.
    """
    try:
        queue().enqueue_call(
            JOB,
            args=(run_id,),
            meta={"request_id": request_id},
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
