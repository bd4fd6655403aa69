"""For processes of the working host, found through PYTHONPATH: a wall clock as wrong as the file CHAOS_CLOCK says.

A library that replaces the C library's functions (libfaketime) would do without Python, but its clock_nanosleep refuses
what Python's time.sleep asks for. time-machine changes what Python calls the time; monotonic clocks stay.
"""

import os
import threading
import time
from contextlib import suppress
from pathlib import Path

import time_machine

EVERY = 0.3


def follow(clock: Path) -> None:
    """Sets the clock whenever the file says another number of seconds."""
    traveller, offset = None, 0.0
    while True:
        with suppress(OSError, ValueError):
            said = float(clock.read_text())
            if said != offset:
                if traveller is not None:
                    traveller.stop()
                traveller, offset = None, said
                if said:
                    traveller = time_machine.travel(time.time() + said, tick=True)
                    traveller.start()
        threading.Event().wait(EVERY)


if os.environ.get("CHAOS_CLOCK"):
    threading.Thread(target=follow, args=(Path(os.environ["CHAOS_CLOCK"]),), name="clock", daemon=True).start()
