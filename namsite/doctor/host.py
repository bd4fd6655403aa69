"""The host: room on its disks, and its clock."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import connection

from namsite.doctor.probes import Outcome, Section, broken, ok, probe, to_do

GIB: Final = 1024**3
FULL_SHARE, FULL_BYTES = 0.05, 1 * GIB
NARROW_SHARE: Final = 0.15
SKEW: Final = 2.0  # seconds that clocks of two hosts may differ


@probe("disk", Section.HOST)
def disk() -> Outcome:
    """Of the disks that hold data, documents, keys, backups and temporary files, the one with the least room."""
    folders = _folders()
    room = {name: shutil.disk_usage(folder) for name, folder in folders.items()}
    name, least = min(room.items(), key=lambda item: item[1].free / item[1].total)
    share = least.free / least.total
    said = f"{least.free / GIB:.1f} GiB ({share:.0%})"
    if share < FULL_SHARE or least.free < FULL_BYTES:
        return broken(f"{said} are left for {name}.", "Make room, or add some, before uploads are refused.")
    if share < NARROW_SHARE:
        return to_do(f"{said} are left for {name}.", "Plan for more room.")
    return ok(f"The fullest of the disks has {said} left ({name}).")


def _folders() -> dict[str, Path]:
    """By the setting that names them; of a folder that is not there yet, the nearest above."""
    named: dict[str, str | Path] = {"DATA_DIR": settings.DATA_DIR, "TMPDIR": tempfile.gettempdir()}
    if not settings.VAULT_S3_BUCKET:
        named["VAULT_DIR"] = settings.VAULT_DIR
    if settings.VAULT_KEY_DIR and not settings.VAULT_S3_KEY_BUCKET:
        named["VAULT_KEY_DIR"] = settings.VAULT_KEY_DIR
    if settings.BACKUP_STAMP_FILE:
        named["BACKUP_STAMP_FILE"] = Path(settings.BACKUP_STAMP_FILE).parent
    return {name: _nearest(Path(folder)) for name, folder in named.items()}


def _nearest(folder: Path) -> Path:
    return next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists())


@probe("clock", Section.HOST, needs=("database",))
def clock() -> Outcome:
    """Events and anchors are told by their time. The journal's order does not depend on it."""
    return clock_outcome(is_synchronised=_is_synchronised(), ahead=_ahead())


def clock_outcome(*, is_synchronised: bool | None, ahead: Mapping[str, float]) -> Outcome:
    """`ahead` is by how many seconds the clock of a service is ahead of ours; None: nobody says whether it is set."""
    name, most = max(ahead.items(), key=lambda item: abs(item[1]), default=("", 0.0))
    if abs(most) > SKEW:
        return broken(f"The clock of {name} differs from this host's by {abs(most):.0f} s.", "Set both by NTP.")
    if is_synchronised is None:
        others = f" It agrees with {' and '.join(sorted(ahead))}." if ahead else ""
        return to_do(
            f"Nobody here says whether the clock is set by NTP.{others}",
            "timedatectl, or chronyc tracking, on the host.",
        )
    if not is_synchronised:
        return to_do("The clock is not set by NTP.", "timedatectl set-ntp true")
    return ok("The clock is set by NTP, and agrees with the others.")


def _is_synchronised() -> bool | None:
    program = shutil.which("timedatectl")
    if program is None:
        return None
    words = [program, "show", "--property", "NTPSynchronized", "--value"]
    try:
        said = subprocess.run(words, capture_output=True, text=True, check=False, timeout=3).stdout.strip()  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return None
    return {"yes": True, "no": False}.get(said)


def _ahead() -> dict[str, float]:
    """Of the database and of Redis, where they answer. The answer is taken to be of the middle of the question."""
    found = {}
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            began = time.time()
            cursor.execute("SELECT extract(epoch FROM clock_timestamp())")
            found["the database"] = float(cursor.fetchone()[0]) - (began + time.time()) / 2
    from redis.exceptions import RedisError

    from extraction import queue

    try:
        began = time.time()
        seconds, microseconds = queue.queue().connection.time()
        found["Redis"] = seconds + microseconds / 1e6 - (began + time.time()) / 2
    except RedisError:
        pass
    return found
