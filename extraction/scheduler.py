"""What has to happen in time without anybody asking: waking runs, taking them back from workers that died, looking at
the model servers, anchoring the journal, and raising alerts.

Any number of schedulers may run; the one that holds the lease works, and another takes over when it falls silent.
Everything here may be done twice without harm, so two that overlap for a moment (clocks differ) spoil nothing.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from django.db import Error as AnyDatabaseError
from django.db import IntegrityError, close_old_connections, transaction
from django.db.models import Q
from django.utils import timezone
from redis.exceptions import RedisError

from accounts import limits, sessions
from audit.anchors import Anchorer
from audit.record import JournalUnavailable
from extraction import alert_mail, claims, cloudwatch, deployments, following, queue, sampling, storage
from extraction.alerts import Watchman
from extraction.models import Lease
from extraction.ticking import ticking
from extraction.upkeep import LOOK_EVERY, Upkeep
from vault.errors import VaultError

logger = logging.getLogger(__name__)

LEASE = "scheduler"
LEASE_TIME = timedelta(seconds=30)
SWEEP_EVERY = timedelta(seconds=15)
CHORES_EVERY = timedelta(seconds=60)
EVALUATE_EVERY = timedelta(seconds=30)
TIDY_EVERY = timedelta(hours=1)
TICK = 2.0  # seconds between rounds
GLANCE = 0.2  # seconds between two looks at whether to stop


def take_lease(name: str, holder: UUID, moment: datetime) -> bool:
    """Takes or renews the lease for LEASE_TIME, by compare-and-swap. False while somebody else holds it."""
    until = moment + LEASE_TIME
    # A fresh lease is left alone, so that an idle scheduler writes to the database twice a minute and not each round.
    if Lease.objects.filter(name=name, holder=holder, until__gt=moment + LEASE_TIME / 2).exists():
        return True
    # One that ends later than any lease was taken by a clock that ran ahead.
    mine_or_over = Q(holder=holder) | Q(until__lte=moment) | Q(until__gt=moment + 2 * LEASE_TIME)
    if Lease.objects.filter(mine_or_over, name=name).update(holder=holder, until=until):
        return True
    try:
        with transaction.atomic():
            Lease(name=name, holder=holder, until=until).save(force_insert=True)
    except IntegrityError:
        return False
    return True


def give_up_lease(name: str, holder: UUID) -> None:
    """Lets the next scheduler begin at once."""
    Lease.objects.filter(name=name, holder=holder).delete()


@dataclass
class Scheduler:
    """One candidate. `trouble` is what stood in the way of its last round, so that an outage is one log line."""

    holder: UUID = field(default_factory=uuid.uuid4)
    swept_at: datetime | None = None
    missing: set[str] = field(default_factory=set)
    did_chores_at: datetime | None = None
    evaluated_at: datetime | None = None
    tidied_at: datetime | None = None
    strays: set[str] = field(default_factory=set)
    sampler: sampling.Sampler = field(default_factory=sampling.Sampler)
    anchorer: Anchorer = field(default_factory=Anchorer)
    watchman: Watchman = field(default_factory=Watchman)
    upkeep: Upkeep = field(default_factory=Upkeep)
    mail_due: datetime | None = None
    trouble: str = ""

    def round(self, moment: datetime) -> bool:
        """What is due at `moment`. False when another scheduler holds the lease. Raises database and Redis errors."""
        if not take_lease(LEASE, self.holder, moment):
            return False
        is_sweep = _is_due(self.swept_at, SWEEP_EVERY, moment)
        if is_sweep:
            claims.recover_orphans(moment)
        if _is_due(self.evaluated_at, EVALUATE_EVERY, moment):
            deployments.evaluate(moment)  # Before Redis is asked for: a bad model must go without it, too.
            self.evaluated_at = moment
        self.anchorer.round(moment)  # So before Redis, too.
        self.sampler.round(moment)  # Before Redis is needed: its outage says nothing about the model server.
        if self.watchman.round(moment):
            cloudwatch.publish(self.watchman.newest, moment)
        if self.mail_due is None or moment >= self.mail_due:
            is_sent = alert_mail.send_due(moment)
            self.mail_due = None if is_sent else moment + alert_mail.PAUSE
        queue.queue().connection.ping()
        if is_sweep:
            queue.forget_failed()
        if _is_due(self.did_chores_at, CHORES_EVERY, moment):
            following.do_chores()
            self.did_chores_at = moment
        claims.enqueue_due(moment)
        if is_sweep:
            self.missing = forget_lost_jobs(self.missing)
            self.swept_at = moment
        if _is_due(self.tidied_at, TIDY_EVERY, moment):
            self.tidy()
            deployments.forget_old_questions(moment)
            sampling.forget_old(moment)
            sessions.forget_old(moment)
            limits.forget_old(moment)
            self.tidied_at = moment
        return True

    def keep_up(self, is_stopping: Callable[[], bool]) -> bool:
        """One look of the upkeep, by whoever holds the lease. False where it could not be finished."""
        moment = timezone.now()
        if not Lease.objects.filter(name=LEASE, holder=self.holder, until__gt=moment).exists():
            return True
        return self.upkeep.look(moment, is_stopping)

    def tidy(self) -> None:
        """Removes files that were no document's an hour ago and are none's now, and what killed writers left."""
        storage.forget_leftovers()
        now_stray = storage.strays()
        storage.forget(now_stray & self.strays)
        self.strays = now_stray

    def attempt(self, moment: datetime) -> None:
        """A round that survives the loss of the database, the journal or Redis."""
        trouble = ""
        try:
            self.round(moment)
        except (AnyDatabaseError, JournalUnavailable, RedisError, VaultError) as error:
            trouble = type(error).__name__
        if trouble and trouble != self.trouble:
            logger.warning("the scheduler cannot work (%s); it goes on trying", trouble)
        elif self.trouble and not trouble:
            logger.info("the scheduler works again")
        self.trouble = trouble

    def run(self, is_stopping: Callable[[], bool]) -> None:
        """Rounds until `is_stopping` says so, with the upkeep beside them; then gives up the lease."""
        with ticking(LOOK_EVERY.total_seconds(), partial(self.keep_up, is_stopping), name="upkeep"):
            while not is_stopping():
                self.attempt(timezone.now())
                close_old_connections()  # A connection that broke is replaced by a new one in the next round.
                rest = time.monotonic() + TICK
                while not is_stopping() and time.monotonic() < rest:
                    time.sleep(GLANCE)
        with suppress(AnyDatabaseError):  # Or it runs out by itself.
            give_up_lease(LEASE, self.holder)


def _is_due(last: datetime | None, every: timedelta, moment: datetime) -> bool:
    """Also where `last` lies ahead: the clock was wrong then, or is put right now."""
    return last is None or not timedelta(0) <= moment - last < every


def forget_lost_jobs(before: set[str]) -> set[str]:
    """Takes jobs out of Redis that left the queue and never began; the next round asks for them again.

    RQ pops from several queues without a net: a worker that dies or a connection that breaks in that moment loses the
    job for good, and what is left of it bars the same turn. `before` are the jobs that were nowhere a sweep ago
    although their slice is free; returns those of now. Raises RedisError.
    """
    missing = claims.queued_jobs() - queue.known()
    for lost in missing & before:
        queue.forget(lost)
    return missing
