"""`python -m tests.load [PART...]`: runs the parts (all by default), each followed by its table.

A missed bar is a finding, not an error: the exit status is 0 unless a part could not run.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
import time
import traceback
from types import FrameType

from tests.benchmarks import Result, table

PARTS = ("long", "hosts", "depth", "documents", "together", "hours", "day", "capacity")


def main(names: list[str]) -> int:
    unknown = sorted(set(names) - set(PARTS))
    if unknown:
        print(f"No such part: {', '.join(unknown)}. There are {', '.join(PARTS)}.")
        return 2
    signal.signal(signal.SIGTERM, _end)
    broken = [name for name in names or PARTS if not run(name)]
    if broken:
        print(f"Could not run: {', '.join(broken)}")
    return 1 if broken else 0


def _end(_signum: int, _frame: FrameType | None) -> None:
    """As Ctrl-C does: hosts, servers and folders are taken down on the way out."""
    raise KeyboardInterrupt


def run(name: str) -> bool:
    print(f"\n{name} (others kept {os.getloadavg()[0]:.1f} of {os.cpu_count()} cores busy at its start)", flush=True)
    began = time.monotonic()
    found: list[Result] = []
    try:
        found.extend(importlib.import_module(f"tests.load.{name}").results())
    except Exception:
        traceback.print_exc()
        return False
    finally:
        print(table(found))
        print(f"{name}: {time.monotonic() - began:.0f} s, load at its end {os.getloadavg()[0]:.1f}", flush=True)
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
