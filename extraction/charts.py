"""Where the marks of a chart lie. Pure: templates write them as SVG, and every chart has a table beside it.

A chart is WIDTH by HEIGHT units, which the page stretches to the room it has. Coordinates are text, with a point as
decimal sign in every language.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from extraction.availability import Bucket

WIDTH, HEIGHT = 720, 100


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle. `kind` is the style: up, idle, unknown or down."""

    kind: str
    x: str
    y: str
    width: str
    height: str


@dataclass(frozen=True, slots=True)
class Curve:
    """A line; where nothing is known it is interrupted, so it has several parts, each an SVG `points` attribute."""

    kind: str
    parts: tuple[str, ...]


def state_bars(buckets: Sequence[Bucket]) -> list[Bar]:
    """For each bucket the shares of its minutes, stacked from below: up, idle, unknown, down."""
    bars: list[Bar] = []
    width = WIDTH / len(buckets)
    for place, bucket in enumerate(buckets):
        minutes = {"up": bucket.up, "idle": bucket.idle, "unknown": bucket.unknown, "down": bucket.down}
        total = sum(minutes.values())
        top = float(HEIGHT)
        for kind, count in minutes.items():
            if count:
                height = HEIGHT * count / total
                top -= height
                bars.append(Bar(kind, _n(place * width), _n(top), _n(width), _n(height)))
    return bars


def share_bars(kind: str, shares: Sequence[float | None]) -> list[Bar]:
    """A bar for each share of 0..1, from below; none where nothing is known."""
    width = WIDTH / len(shares)
    return [
        Bar(kind, _n(place * width), _n(HEIGHT - HEIGHT * share), _n(width), _n(HEIGHT * share))
        for place, share in enumerate(shares)
        if share is not None
    ]


def curve(kind: str, values: Sequence[float | None], top: float) -> Curve:
    """The values, one a bucket, from 0 at the bottom to `top`; higher ones are cut off there."""
    width = WIDTH / len(values)
    parts: list[list[str]] = [[]]
    for place, value in enumerate(values):
        if value is None:
            parts.append([])
            continue
        y = _n(HEIGHT - HEIGHT * min(value, top) / top)
        # A level for each bucket, so that one that stands alone is seen too.
        parts[-1] += [f"{_n(place * width)},{y}", f"{_n((place + 1) * width)},{y}"]
    return Curve(kind, tuple(" ".join(part) for part in parts if part))


def height_of(value: float, top: float) -> str:
    """Where a level line lies."""
    return _n(HEIGHT - HEIGHT * min(value, top) / top)


def ceiling(highest: float) -> float:
    """A round number that `highest` does not exceed: 1, 2 or 5 times a power of ten."""
    if highest <= 0:
        return 1.0
    step = 1e-6
    while True:
        for factor in (1, 2, 5):
            if factor * step >= highest:
                return float(f"{factor * step:.6g}")
        step *= 10


def _n(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
