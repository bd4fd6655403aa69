"""The daily job, as a chore of the scheduler: a few documents a minute until nothing is due, then the certificates."""

from __future__ import annotations

from datetime import date

from django.utils import timezone

from extraction import rotation
from review.retention import certificates, destroying


class Daily:
    """Done once a day and process; what a killed one left is found by the next."""

    def __init__(self) -> None:
        self.done_on: date | None = None

    def __call__(self) -> None:
        """Raises what the database, the journal or the vault raise; the next minute tries again."""
        moment = timezone.now()
        today = timezone.localdate(moment)
        if self.done_on == today:
            return
        if destroying.apply(moment, most=destroying.AT_ONCE) < destroying.AT_ONCE:
            certificates.issue_due()
            rotation.retire(moment)
            self.done_on = today
