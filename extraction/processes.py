"""Child processes that never outlive who started them, however that one ends."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # prctl(2)


def die_with_parent(parent: int) -> None:
    """Called in a child right after fork: the kernel kills it when `parent`, the process that forked it, is gone.

    Without this a killed worker leaves a process behind that goes on reading a document nobody waits for. Elsewhere
    than on Linux it does nothing.
    """
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # The parent died between fork and prctl, so no signal will come.
        os._exit(1)
