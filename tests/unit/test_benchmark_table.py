"""The table of `make bench` says which bars were missed."""

from __future__ import annotations

import pytest

from tests.benchmarks import Result, table


@pytest.mark.parametrize(
    ("result", "ok"),
    [
        (Result("time", 1.5, "s", bar=1.5), True),
        (Result("time", 1.51, "s", bar=1.5), False),
        (Result("recall", 0.9, "", bar=0.9, higher_is_better=True), True),
        (Result("recall", 0.89, "", bar=0.9, higher_is_better=True), False),
        (Result("time", 99, "s"), True),
    ],
)
def test_a_bar_is_kept_or_missed(result, ok):
    assert result.ok is ok


def test_the_table_shows_value_bar_and_verdict():
    shown = table([Result("time", 1.234, "s", bar=1), Result("memory", 512, "MB"), Result("recall", 1, "", 0.9, True)])
    assert shown.splitlines() == [
        "benchmark   value    bar",
        "--------------------------------",
        "time       1.23 s    ≤ 1  MISSED",
        "memory     512 MB",
        "recall          1  ≥ 0.9  ok",
    ]
