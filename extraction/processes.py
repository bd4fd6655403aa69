"""Child processes that never outlive who started them, however that one ends.

    python processes.py PARENT USER PROGRAM [ARGUMENT...]

becomes PROGRAM after it tied its life to process PARENT and, where USER is not -1, became that user. `subprocess` could
do this between fork and exec, but not in a process with threads: the copy of a lock that another thread held stays
locked for ever.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # prctl(2)

# Loaded before any fork, for the same reason.
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent(parent: int) -> None:
    """Called in a fresh child: the kernel kills it when `parent`, the process that forked it, is gone.

    Without this a killed worker leaves a process behind that goes on reading a document nobody waits for. Elsewhere
    than on Linux it does nothing.
    """
    if _LIBC is None:
        return
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # The parent died between fork and prctl, so no signal will come.
        os._exit(1)


def become_user(user: int) -> None:
    """Gives up root's rights for those of `user`, without coming back."""
    import pwd

    os.setgroups([])
    os.setgid(pwd.getpwuid(user).pw_gid)
    os.setuid(user)


if __name__ == "__main__":
    if int(sys.argv[2]) >= 0:
        become_user(int(sys.argv[2]))
    die_with_parent(int(sys.argv[1]))  # Last: a change of user would undo it.
    os.execv(sys.argv[3], sys.argv[3:])  # noqa: S606  (no shell is wanted)
