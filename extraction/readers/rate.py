"""A process-wide brake for a service that counts calls per second."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class TokenBucket:
    """At most `rate` calls a second on average, and at most `burst` of them at once. Safe for threads.

    Threads are served in the order in which they ask: each one books the next free moment under a lock, then sleeps
    without holding it. The bucket knows nothing of other processes: N workers share a quota by taking 1/N of it each.
    """

    def __init__(
        self,
        rate: float,
        *,
        burst: int = 1,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if rate <= 0 or burst < 1:
            raise ValueError("a bucket needs a rate above zero and a burst of at least one")
        self._interval = 1 / rate
        self._credit = (burst - 1) * self._interval
        self._clock = clock
        self._sleep = sleep
        self._next = clock() - self._credit
        self._lock = threading.Lock()

    def take(self) -> float:
        """Waits until one more call is allowed. Returns how long that was, in seconds."""
        with self._lock:
            now = self._clock()
            booked = max(self._next, now - self._credit)
            self._next = booked + self._interval
        wait = max(0.0, booked - now)
        if wait:
            self._sleep(wait)
        return wait
