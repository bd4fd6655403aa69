"""Something small that is done every few seconds while something large goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def ticking(seconds: float, act: Callable[[], bool], *, name: str) -> Iterator[None]:
    """Calls `act` every so many seconds from a thread of this name, with a database connection of its own.

    Where `act` says False its connection is closed, because a broken one would never answer again; the next call opens
    another.
    """
    stop = threading.Event()

    def run() -> None:
        try:
            while not stop.wait(seconds):
                if not act():
                    connection.close()
        finally:
            connection.close()

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
