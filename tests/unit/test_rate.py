"""The brake that keeps calls within a quota."""

import threading

import pytest

from extraction.readers.rate import TokenBucket


class Time:
    """A clock that moves only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def bucket(rate: float, burst: int = 1) -> tuple[TokenBucket, Time]:
    time = Time()
    return TokenBucket(rate, burst=burst, clock=time.clock, sleep=time.sleep), time


def test_calls_are_spaced_by_the_rate() -> None:
    limited, time = bucket(4)
    assert [limited.take() for _ in range(3)] == pytest.approx([0, 0.25, 0.25])
    assert time.now == pytest.approx(100.5)


def test_a_burst_passes_at_once_and_is_then_paid_back() -> None:
    limited, _ = bucket(2, burst=3)
    assert [limited.take() for _ in range(5)] == pytest.approx([0, 0, 0, 0.5, 0.5])


def test_idle_time_earns_no_more_than_the_burst() -> None:
    limited, time = bucket(2, burst=2)
    time.now += 3600
    assert [limited.take() for _ in range(3)] == pytest.approx([0, 0, 0.5])


def test_threads_share_one_rate() -> None:
    waits: list[float] = []
    limited = TokenBucket(10, clock=lambda: 0.0, sleep=waits.append)
    threads = [threading.Thread(target=limited.take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(waits) == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7])


@pytest.mark.parametrize(("rate", "burst"), [(0, 1), (-1, 1), (1, 0)])
def test_a_rate_that_lets_nothing_through_is_refused(rate: float, burst: int) -> None:
    with pytest.raises(ValueError, match="rate above zero"):
        TokenBucket(rate, burst=burst)
