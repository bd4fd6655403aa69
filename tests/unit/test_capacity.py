"""The formula and the simulation behind docs/capacity.md agree where the truth is known."""

from __future__ import annotations

import random

import pytest

from tests.load.simulation import Station, arrivals, erlang_c, mean_wait, simulated


@pytest.mark.parametrize(("servers", "offered", "expected"), [(1, 0.5, 0.5), (2, 1.0, 1 / 3), (5, 4.0, 0.5541)])
def test_erlangs_c_has_the_values_of_the_tables(servers, offered, expected):
    assert erlang_c(servers, offered) == pytest.approx(expected, abs=1e-4)


def test_one_server_with_random_arrivals_and_service_waits_as_the_textbook_says():
    assert Station(1, 2.0).wait(0.4) == pytest.approx(0.8 * 2.0 / 0.2)


def test_equal_service_halves_the_wait_of_one_server():
    assert Station(1, 1.0, cv2=0.0).wait(0.5) == pytest.approx(Station(1, 1.0).wait(0.5) / 2)


@pytest.mark.parametrize("station", [Station(1, 1.0), Station(4, 1.0), Station(3, 1.0, cv2=0.1, batch=3)], ids=str)
def test_the_simulation_waits_as_long_as_the_formula_says(station):
    rate = 0.8 * station.servers
    assert mean_wait(station, rate, batches=60_000, seed=7) == pytest.approx(station.wait(rate), rel=0.25)


def test_nobody_waits_for_more_servers_than_there_is_work():
    draw = random.Random(1)  # noqa: S311  (not a secret)
    assert sum(simulated(Station(50, 0.001), arrivals([1.0], 1000, draw), draw)) == 0


@pytest.mark.parametrize(
    ("station", "own"),
    [(Station(4, 2.0, cv2=0.5), 2.0), (Station(2, 2.0, batch=20), 20.0)],
    ids=["alone", "in batches"],
)
def test_beyond_the_knee_a_batch_waits_for_others_longer_than_it_takes(station, own):
    knee = station.knee()
    assert station.wait_for_others(0.99 * knee) < own < station.wait_for_others(1.01 * knee)


def test_more_work_than_servers_never_ends():
    assert Station(2, 1.0).wait(2.0) == float("inf")
