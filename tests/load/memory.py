"""The memory of an installation's processes over time, and whether it grows."""

from __future__ import annotations

import math
import statistics
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil

from tests.benchmarks import Result
from tests.load.site import Site

EVERY = 2.0
SETTLED = 0.25
"""The share of the time that is left out at its beginning: a process that just started fills its caches."""


class Memory:
    """Megabytes (PSS: what is shared is divided by those who share it) of each process that lives throughout.

    The processes that workers fork live a minute; what they leak ends with them, so they are not counted.
    """

    def __init__(self) -> None:
        self.samples: dict[str, list[tuple[float, float]]] = defaultdict(list)

    def look(self, made: Site) -> None:
        for name, process in made.processes.items():
            with suppress(psutil.Error):
                megabytes = psutil.Process(process.pid).memory_full_info().pss / 1e6
                self.samples[name].append((time.monotonic(), megabytes))

    def results(self) -> Iterator[Result]:
        """For each process its size, what it grows by in all that time, and half the 95 % interval of that."""
        for name, samples in sorted(self.samples.items()):
            settled = samples[int(SETTLED * len(samples)) :]
            if len(settled) < 3:
                continue
            slope, error = fitted(settled)
            span = settled[-1][0] - settled[0][0]
            size = statistics.median(megabytes for _moment, megabytes in settled)
            yield Result(f"memory of {name}, {len(settled)} looks in {span:.0f} s: median", size, "MB")
            growth = f"… grows by (± {1.96 * error * span:.2f} MB)"
            yield Result(growth, slope * span, "MB", bar=max(1.0, 0.02 * size))


def fitted(samples: list[tuple[float, float]]) -> tuple[float, float]:
    """Slope of the least-squares line, a second, and its standard error."""
    middle = statistics.fmean(moment for moment, _ in samples)
    line = statistics.linear_regression(*zip(*samples, strict=True))
    spread = sum((moment - middle) ** 2 for moment, _ in samples)
    rest = sum((size - line.slope * moment - line.intercept) ** 2 for moment, size in samples)
    return line.slope, math.sqrt(rest / (len(samples) - 2) / spread)


@contextmanager
def watched(made: Site) -> Iterator[Memory]:
    memory, stop = Memory(), threading.Event()

    def watch() -> None:
        while not stop.wait(EVERY):
            memory.look(made)

    thread = threading.Thread(target=watch, name="memory", daemon=True)
    thread.start()
    try:
        yield memory
    finally:
        stop.set()
        thread.join()
