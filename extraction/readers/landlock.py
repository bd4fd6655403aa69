"""Landlock: a process takes from itself, for good, every file that it does not name. Linux 5.13 and newer.

Standard library only, because the process that opens PDFs loads this file by its path. System calls, structures and
versions of the interface (ABI) are those of https://docs.kernel.org/userspace-api/landlock.html; their numbers are the
same on every architecture. Later versions add rights, and what a kernel does not know is not asked of it.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterable

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
CREATE_RULESET_VERSION = 1
RULE_PATH_BENEATH = 1
READ_FILE, READ_DIR = 1 << 2, 1 << 3
FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 5: 16}
"""How many rights on files each version knows, from execute (bit 0) to ioctl of a device (bit 15)."""
NETWORK_SINCE, NETWORK = 4, 0b11  # bind and connect of TCP
SCOPES_SINCE, SCOPES = 6, 0b11  # abstract sockets and signals of processes outside


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scopes", ctypes.c_uint64))


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def abi() -> int:
    """The version of the interface that this kernel offers; 0 where it has none, or a filter of calls hides it."""
    if sys.platform != "linux":
        return 0
    return max(0, _call(CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(CREATE_RULESET_VERSION)))


def confine(readable: Iterable[str]) -> bool:
    """From now on this thread and what it starts may read what stands in these places, and touch no other file.

    Files that are open stay open. Places that do not exist are passed over. False where the kernel cannot do it; the
    caller has to have given up gaining rights before (PR_SET_NO_NEW_PRIVS).
    """
    version = abi()
    if not version:
        return False
    rules = _Ruleset(
        files=(1 << next(count for since, count in sorted(FILE_RIGHTS.items(), reverse=True) if since <= version)) - 1,
        network=NETWORK if version >= NETWORK_SINCE else 0,
        scopes=SCOPES if version >= SCOPES_SINCE else 0,
    )
    size = 24 if version >= SCOPES_SINCE else 16 if version >= NETWORK_SINCE else 8
    ruleset = _call(CREATE_RULESET, ctypes.byref(rules), ctypes.c_size_t(size), ctypes.c_uint32(0))
    if ruleset < 0:
        return False
    try:
        for place in readable:
            _allow(ruleset, place)
        return _call(RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint32(0)) == 0
    finally:
        os.close(ruleset)


def _allow(ruleset: int, place: str) -> None:
    try:
        parent = os.open(place, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        rights = READ_FILE | READ_DIR if os.path.isdir(place) else READ_FILE  # noqa: PTH112 - no pathlib in the child
        rule = _PathBeneath(allowed=rights, parent=parent)
        _call(ADD_RULE, ctypes.c_int(ruleset), ctypes.c_int(RULE_PATH_BENEATH), ctypes.byref(rule), ctypes.c_uint32(0))
    finally:
        os.close(parent)


def _call(number: int, *arguments: object) -> int:
    syscall = ctypes.CDLL(None).syscall
    syscall.restype = ctypes.c_long
    return int(syscall(ctypes.c_long(number), *arguments))
