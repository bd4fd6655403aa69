"""Something small that is done every few seconds while something large goes on."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import Error as AnyDatabaseError
from django.db import connection

logger = logging.getLogger(__name__)


@contextmanager
def ticking(seconds: float, act: Callable[[], bool], *, name: str) -> Iterator[None]:
    """Calls `act` every so many seconds from a thread of this name, with a database connection of its own.

    Where `act` says False, or the database fails it, its connection is closed, because a broken one would never answer
    again; the next call opens another.
    """
    stop = threading.Event()

    def run() -> None:
        try:
            while not stop.wait(seconds):
                if not _is_well(act, name):
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


def _is_well(act: Callable[[], bool], name: str) -> bool:
    """A database that is away for a moment must not end what has to go on for days."""
    try:
        return act()
    except AnyDatabaseError as error:
        logger.warning("%s could not be done (%s); it is tried again", name, type(error).__name__)
        return False
