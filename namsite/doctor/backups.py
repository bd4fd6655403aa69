"""Whether there is a backup of late. What a backup is worth only restoring shows; so whoever makes one says when it was
restored and found whole, by touching a file (`deploy/backup/namsite-backup`), and here its age is looked at."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

from django.conf import settings

from namsite.doctor.probes import Outcome, Section, broken, ok, probe, to_do

HOUR: Final = 3600
AHEAD: Final = 300  # seconds that clocks of two hosts may differ


@probe("backup", Section.BACKUPS)
def backup() -> Outcome:
    next_step = "systemctl status namsite-backup; what it does: deploy/GUIDE.en.md"
    if not settings.BACKUP_STAMP_FILE:
        sentence = "Nobody says when a backup was last verified."
        return to_do(sentence, "Install namsite-backup.timer, and set BACKUP_STAMP_FILE (deploy/GUIDE.en.md).")
    try:
        seconds = time.time() - Path(settings.BACKUP_STAMP_FILE).stat().st_mtime
    except FileNotFoundError:
        return broken("No backup was ever verified.", next_step)
    except OSError as error:
        return broken(f"When a backup was last verified cannot be read ({type(error).__name__}).", next_step)
    if seconds < -AHEAD:
        return broken("The last backup is of the future: a clock is wrong.", "Set the clocks; then make a backup.")
    age = f"{max(0.0, seconds) / HOUR:.0f} hours"
    if seconds > settings.BACKUP_MAX_HOURS * HOUR:
        return broken(f"The last verified backup is {age} old; {settings.BACKUP_MAX_HOURS} are allowed.", next_step)
    return ok(f"The last backup was verified {age} ago.")
