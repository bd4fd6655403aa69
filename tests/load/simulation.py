"""A queue with several servers, by formula and by simulation. Pure; times are seconds, `draw` seeds everything.

Formula: Allen and Cunneen's for G/G/c, which for one server is Kingman's: the wait of M/M/c (Erlang's C), times the
mean of the squared coefficients of variation of arrivals and service (Hopp and Spearman, Factory Physics, ch. 8). Work
that comes in batches also waits for the rest of its batch, as in M[X]/G/1.
"""

from __future__ import annotations

import heapq
import random
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Station:
    """`servers` that take `service` on average, with a squared coefficient of variation `cv2`, and who comes to them.

    Arrivals are `batch` pieces of work at once, at random moments.
    """

    servers: int
    service: float
    cv2: float = 1.0
    batch: float = 1.0

    def use(self, rate: float) -> float:
        """The share of the time that a server is busy when so many pieces come a second."""
        return rate * self.service / self.servers

    def wait(self, rate: float) -> float:
        """The mean wait of a piece of work, for others and for the rest of its batch; infinite where more comes than is
        served."""
        return self.wait_for_others(rate) + self.service * (self.batch - 1) / (2 * self.servers)

    def wait_for_others(self, rate: float) -> float:
        """The part of it that a batch waits before any of its pieces is served."""
        use = self.use(rate)
        if use >= 1:
            return float("inf")
        spread = (self.batch + self.cv2) / 2  # Pieces that come in equal batches at random vary by their number.
        return self.service * spread * erlang_c(self.servers, rate * self.service) / (self.servers * (1 - use))

    def knee(self) -> float:
        """The rate from which on a batch waits for others longer than it is worked at: beyond it little more load costs
        much."""
        own = self.service * max(1.0, self.batch / self.servers)
        least, most = 0.0, self.servers / self.service
        for _halving in range(60):
            middle = (least + most) / 2
            least, most = (middle, most) if self.wait_for_others(middle) < own else (least, middle)
        return least


def erlang_c(servers: int, offered: float) -> float:
    """The probability of having to wait in M/M/c with `offered` = rate × service time, below `servers`."""
    blocked = 1.0
    for number in range(1, servers + 1):
        blocked = offered * blocked / (number + offered * blocked)
    return servers * blocked / (servers - offered * (1 - blocked))


def arrivals(rates: Sequence[float], hour: float, draw: random.Random) -> Iterator[float]:
    """Moments of batches over hours with `rates` a second each, at random within each hour."""
    for number, rate in enumerate(rates):
        now = 0.0
        while rate and (now := now + draw.expovariate(rate)) < hour:
            yield number * hour + now


def simulated(station: Station, moments: Iterator[float], draw: random.Random) -> list[float]:
    """The wait of each piece of work in the order of arrival, first come, first served."""
    free = [0.0] * station.servers
    waits = []
    for moment in moments:
        for _piece in range(round(station.batch)):
            starts = max(moment, heapq.heappop(free))
            waits.append(starts - moment)
            heapq.heappush(free, starts + _service(station, draw))
    return waits


def _service(station: Station, draw: random.Random) -> float:
    """Gamma: it has the mean and the variation that were measured, and is never negative."""
    if station.cv2 == 0:
        return station.service
    return draw.gammavariate(1 / station.cv2, station.service * station.cv2)


def mean_wait(station: Station, rate: float, *, batches: int, seed: int) -> float:
    """Simulated, with `rate` pieces of work a second."""
    draw = random.Random(seed)  # noqa: S311  (not a secret)
    moments = arrivals([rate / station.batch], batches * station.batch / rate, draw)
    return statistics.fmean(simulated(station, moments, draw))
