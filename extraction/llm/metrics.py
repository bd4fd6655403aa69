"""What vLLM says of itself at /metrics: how busy it is. A reader of the few lines that are wanted. Pure.

The text is Prometheus' exposition format, version 0.0.4: `name{label="value",...} number [timestamp]`, one a line.
Names are those of vLLM's V1 engine (`vllm/v1/metrics/loggers.py`), and the one that the cache had before it. A server
with several engines has a line for each: counts are added up, and the cache that is fullest counts.

The server is not trusted with anything: whatever is not a number in its range is as if it were absent.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

RUNNING = "vllm:num_requests_running"
WAITING = "vllm:num_requests_waiting"
CACHE_USE = ("vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc")
"""Both are shares of 1, whatever their names say. The second is of engines before V1."""
PREFIX_QUERIES = ("vllm:prefix_cache_queries_total", "vllm:prefix_cache_queries")
PREFIX_HITS = ("vllm:prefix_cache_hits_total", "vllm:prefix_cache_hits")
"""Prompt tokens that were looked for and found; a counter's name ends in _total since OpenMetrics."""

MOST_REQUESTS = 1_000_000
_LONGEST_LINE = 2_000
_MOST_LINES = 20_000

# A label's value is quoted and may hold braces and escaped quotes.
_LINE = re.compile(rb'(vllm:[a-z_]+)(?:\{(?:[^"{}]|"(?:[^"\\]|\\.)*")*\})?[ \t]+([0-9.eE+-]{1,32})(?:[ \t]+-?[0-9]+)?')


@dataclass(frozen=True, slots=True)
class Load:
    """Requests at work and in the queue, the share of the KV cache in use, and the share of prompt tokens that the
    prefix cache spared since the server started. None is what the server did not say."""

    running: int | None = None
    waiting: int | None = None
    cache_use: float | None = None
    prefix_hits: float | None = None


def parse(body: bytes) -> Load:
    """The load in a reply of /metrics. Raises nothing."""
    said: dict[str, list[float]] = {}
    for name, value in numbers(body):
        said.setdefault(name, []).append(value)
    return Load(
        running=_count(said, RUNNING),
        waiting=_count(said, WAITING),
        cache_use=_share(max(_first(said, CACHE_USE), default=None)),
        prefix_hits=_ratio(_first(said, PREFIX_HITS), _first(said, PREFIX_QUERIES)),
    )


def numbers(body: bytes) -> Iterator[tuple[str, float]]:
    """Name and value of the lines that are vLLM's and well formed."""
    for line in body.split(b"\n", _MOST_LINES)[:_MOST_LINES]:
        found = _LINE.fullmatch(line.rstrip(b"\r")) if len(line) <= _LONGEST_LINE else None
        if found is None:
            continue
        try:
            value = float(found[2])
        except ValueError:  # Such as "1.2.3".
            continue
        if math.isfinite(value) and value >= 0:
            yield found[1].decode("ascii"), value


def _first(said: dict[str, list[float]], names: tuple[str, ...]) -> list[float]:
    """What was said under the first of several names for the same thing."""
    return next((said[name] for name in names if name in said), [])


def _count(said: dict[str, list[float]], name: str) -> int | None:
    total = sum(said.get(name, []))
    return round(total) if name in said and total <= MOST_REQUESTS else None


def _share(value: float | None) -> float | None:
    return value if value is not None and value <= 1 else None


def _ratio(parts: list[float], wholes: list[float]) -> float | None:
    return _share(sum(parts) / sum(wholes)) if parts and sum(wholes) else None
