"""Several servers of one model: which one gets the next question, and which ones are left alone for a while.

Contract
- A question goes to the replica with the fewest open questions of this process; of equals, to the one that was asked
  least. Every process draws its own order, or all of them would begin at the same replica.
- A replica that cannot be reached rests, longer with each failure in a row. After its rest it gets one question; the
  others wait for the outcome of that one (circuit breaker: closed, open, half-open).
- A question that one replica cannot answer goes to another before it fails. So it takes at most as long as asking every
  replica once takes.
- What is remembered is the memory of one process. A forked child begins anew: its parent's open questions are not its
  own.

Only servers on which the answer does not depend are replicas of each other: same model, same adapter.
"""

from __future__ import annotations

import functools
import os
import random
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from extraction.llm import client
from extraction.llm.client import Answer, Completion, ModelBadReply, ModelServer, ModelUnreachable
from extraction.llm.prompts import Message

FIRST_REST = 5.0
"""Seconds that a replica is left alone after its first failure; doubled with each further one in a row."""
LONGEST_REST = 60.0

_WRONG_SERVER = frozenset({"status", "not_json"})
"""Bad replies that may come from this one replica: an adapter that is not loaded, a proxy's error page. They send the
question to another replica, but no replica to rest: a page that is too long is refused by each of them."""


class AllResting(ModelUnreachable):
    """No replica was asked, because all of them failed a moment ago."""

    def __init__(self) -> None:
        super().__init__("unreachable")


@dataclass
class Replica:
    """What is known of one server. `failures` counts those in a row, `rests_until` is a moment of the clock."""

    order: float = 0.0
    open: int = 0
    asked: int = 0
    failures: int = 0
    rests_until: float = 0.0

    def may_be_asked(self, now: float) -> bool:
        """Well, or rested and without the one question that finds out."""
        return self.failures == 0 or (now >= self.rests_until and self.open == 0)

    def failed(self, now: float) -> None:
        self.failures += 1
        # Six doublings are past the longest rest; a power of the failures would overflow in a long outage.
        self.rests_until = now + min(LONGEST_REST, FIRST_REST * 2.0 ** min(self.failures - 1, 6))

    def answered(self) -> None:
        self.failures = 0
        self.rests_until = 0.0


class Balancer:
    """Shares questions out over `count` replicas. Threads may share one."""

    def __init__(
        self, count: int, *, clock: Callable[[], float] = time.monotonic, draw: Callable[[], float] = random.random
    ) -> None:
        self.replicas = [Replica(order=draw()) for _ in range(count)]
        self._clock = clock
        self._lock = threading.Lock()

    @contextmanager
    def turn(self, tried: Collection[int] = ()) -> Iterator[int | None]:
        """The replica for the next question, and the question counted as open meanwhile; None if none may be asked.

        ModelUnreachable that passes through sends the replica to rest. Every other outcome shows that it answers,
        except one that is not its doing (an interrupted process).
        """
        index = self._take(tried)
        if index is None:
            yield None
            return
        try:
            yield index
        except ModelUnreachable:
            self._end(index, lambda replica: replica.failed(self._clock()))
            raise
        except Exception:
            self._end(index, Replica.answered)
            raise
        except BaseException:
            self._end(index, lambda _replica: None)
            raise
        self._end(index, Replica.answered)

    def _take(self, tried: Collection[int]) -> int | None:
        with self._lock:
            now = self._clock()
            able = [i for i, each in enumerate(self.replicas) if i not in tried and each.may_be_asked(now)]
            if not able:
                return None
            chosen = min(able, key=lambda i: (self.replicas[i].open, self.replicas[i].asked, self.replicas[i].order))
            self.replicas[chosen].open += 1
            self.replicas[chosen].asked += 1
            return chosen

    def _end(self, index: int, note: Callable[[Replica], None]) -> None:
        with self._lock:
            self.replicas[index].open -= 1
            note(self.replicas[index])


@dataclass(frozen=True)
class Replicas:
    """The servers of one model as one."""

    servers: tuple[ModelServer, ...]

    def chat(
        self,
        messages: Sequence[Message],
        schema: type[Answer],
        *,
        max_tokens: int,
        allowed: dict[str, Any] | None = None,
    ) -> Completion[Answer]:
        """As `client.chat`, by whichever replica can. Raises the last replica's ModelUnreachable or ModelBadReply, or
        AllResting."""
        balancer = _balancer(tuple((server.endpoint, server.model) for server in self.servers))
        tried: set[int] = set()
        failure: ModelUnreachable | ModelBadReply | None = None
        while len(tried) < len(self.servers):
            try:
                with balancer.turn(tried) as index:
                    if index is None:
                        break
                    tried.add(index)
                    server = self.servers[index]
                    return client.chat(server, messages, schema, max_tokens=max_tokens, allowed=allowed)
            except ModelUnreachable as error:
                failure = error
            except ModelBadReply as error:
                if error.reason not in _WRONG_SERVER:
                    raise
                failure = error
        raise failure or AllResting()


@functools.cache
def _balancer(servers: tuple[tuple[str, str], ...]) -> Balancer:
    return Balancer(len(servers))


# A worker's child must not inherit questions that threads of its parent have open.
os.register_at_fork(after_in_child=_balancer.cache_clear)
