"""Benchmarks: modules with a `benchmarks()` generator of Results. `make bench` runs them and prints one table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Result:
    """One measured value and the bar it is held against, if any: not above it, or not below if higher is better."""

    name: str
    value: float
    unit: str
    bar: float | None = None
    higher_is_better: bool = False

    @property
    def ok(self) -> bool:
        if self.bar is None:
            return True
        return self.value >= self.bar if self.higher_is_better else self.value <= self.bar


def table(results: Iterable[Result]) -> str:
    """The results as lines of text: name, value, bar, verdict."""
    rows = [("benchmark", "value", "bar", ""), *(_row(result) for result in results)]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [f"{row[0]:<{widths[0]}}  {row[1]:>{widths[1]}}  {row[2]:>{widths[2]}}  {row[3]}".rstrip() for row in rows]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])


def _row(result: Result) -> tuple[str, str, str, str]:
    value = f"{_number(result.value)} {result.unit}".strip()
    if result.bar is None:
        return result.name, value, "", ""
    sign = "≥" if result.higher_is_better else "≤"
    return result.name, value, f"{sign} {_number(result.bar)}", "ok" if result.ok else "MISSED"


def _number(value: float) -> str:
    """Three significant figures, and no fewer digits than the number has before its point."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
