"""Looking at the model servers once a minute, beside the scheduler's other work.

A look takes up to fifteen seconds at a server that hangs, and a name server may take longer. So it has a thread of its
own, which touches no database; the scheduler collects what is finished at its next round. A server whose last look is
still going on is left alone.
"""

from __future__ import annotations

import logging
import threading
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from extraction.models import Sample

if TYPE_CHECKING:
    from extraction.llm.client import ModelServer
    from extraction.llm.metrics import Load
    from extraction.traffic import Watched

logger = logging.getLogger(__name__)

KEPT = timedelta(days=400)
"""A year, and the month before it to compare with."""
METRICS_TIMEOUT = 5.0
PATIENCE = 20.0
"""Seconds in which a look is over, unless a name cannot be resolved."""
_OK = 200


def look(name: str, server: ModelServer, minute: datetime) -> Sample:
    """Asks the server how it is, and if it answers, how busy. Touches no database, raises nothing of the network's."""
    from extraction.llm.health import health
    from extraction.llm.metrics import Load

    seen = health(server)
    load = _load(server) if seen.ok else Load()
    return Sample(
        server=name,
        minute=minute,
        state=seen.detail,
        seconds=seen.seconds,
        running=load.running,
        waiting=load.waiting,
        cache_use=load.cache_use,
        prefix_hits=load.prefix_hits,
    )


def _load(server: ModelServer) -> Load:
    """A server that shows no metrics, or nonsense, is as well as any other."""
    from extraction.llm import client, metrics

    if server.is_managed:
        return metrics.Load()
    try:
        reply = client.get(server, f"{server.base}/metrics", timeout=METRICS_TIMEOUT)
    except (client.ModelUnreachable, client.ModelBadReply):
        return metrics.Load()
    return metrics.parse(reply.body) if reply.status == _OK else metrics.Load()


class Look(threading.Thread):
    """One look under way. `sample` is there when it is over; it ends with the process, whatever the server does."""

    def __init__(self, name: str, server: ModelServer, minute: datetime) -> None:
        super().__init__(name=f"look-{name}", daemon=True)
        self.sample: Sample | None = None
        self._at = (name, server, minute)

    def run(self) -> None:
        try:
            self.sample = look(*self._at)
        except Exception as error:  # An error's text may quote an address or a key.
            logger.error("a look at a model server broke off (%s)", type(error).__name__)  # noqa: TRY400


class Sampler:
    """Takes a sample of every model server each minute."""

    def __init__(self) -> None:
        self._looks: dict[str, Look] = {}
        self._minute: datetime | None = None

    def round(self, moment: datetime) -> None:
        """Stores the looks that are over and begins those that are due. Does not wait. Raises database errors."""
        self.collect()
        minute = moment.replace(second=0, microsecond=0)
        if minute == self._minute:
            return
        self._minute = minute
        for each in _watched():
            if each.name not in self._looks:
                self._looks[each.name] = Look(each.name, each.server, minute)
                self._looks[each.name].start()

    def collect(self, *, wait: float = 0.0) -> None:
        """Stores the looks that are over, each awaited for so many seconds."""
        over = []
        for name, each in list(self._looks.items()):
            each.join(wait)
            if not each.is_alive():
                over.append(self._looks.pop(name).sample)
        # Another scheduler may have looked in the same minute, just before it lost the lease.
        Sample.objects.bulk_create([sample for sample in over if sample is not None], ignore_conflicts=True)


def _watched() -> list[Watched]:
    from extraction.traffic import watched

    try:
        return watched()
    except ValueError as error:  # Wrong settings stop the samples and not the scheduler.
        logger.error("the model server cannot be looked at: %s", error)  # noqa: TRY400
        return []


def forget_old(moment: datetime) -> None:
    """Removes the samples that are older than KEPT."""
    Sample.objects.filter(minute__lt=moment - KEPT).delete()
