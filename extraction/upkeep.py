"""What has to happen in time and takes longer than a scheduler's round: verifying the journal every day, giving clinics
a new key every VAULT_RENEW_DAYS and moving what is sealed to it.

In a thread of the scheduler that holds the lease, in small steps between which it may be stopped or killed: what was
done is read from the journal and from the keys, so the next look goes on with the rest. After a timer that runs the
same commands (`deploy/systemd/`) nothing is due here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import Error as AnyDatabaseError
from django.utils import timezone

from audit import verify
from audit.record import JournalUnavailable
from extraction import rotation
from vault.errors import VaultError
from vault.rotation import Moved

logger = logging.getLogger(__name__)

LOOK_EVERY = timedelta(minutes=10)


@dataclass
class Upkeep:
    """`keys_done_on` is the day on which nothing was left to do for the keys: asking again costs a look at each."""

    keys_done_on: date | None = None

    def look(self, moment: datetime, is_stopping: Callable[[], bool]) -> bool:
        """Does what is due. False after an error, which is logged by its kind; the next look tries again."""
        try:
            for chain in verify.due(moment):
                if is_stopping():
                    return True
                verify.verified(chain, moment)
            self._keep_keys(moment, is_stopping)
        except (AnyDatabaseError, JournalUnavailable, VaultError) as error:
            logger.warning("upkeep could not be finished (%s); it is tried again", type(error).__name__)
            return False
        return True

    def _keep_keys(self, moment: datetime, is_stopping: Callable[[], bool]) -> None:
        today = timezone.localdate(moment)
        if self.keys_done_on == today:
            return
        rotation.renew_due(moment)
        if rotation.is_unfinished():
            moved = Moved()
            for _step in rotation.move_all(moved):
                if is_stopping():
                    return
            if moved.broken:
                logger.error("%d values or files do not open under any key", moved.broken)
        self.keys_done_on = today
