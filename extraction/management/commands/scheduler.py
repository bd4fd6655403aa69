"""The scheduler. Start two on different hosts if one must never be missing; only one of them works at a time."""

from __future__ import annotations

import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from extraction.sampling import PATIENCE
from extraction.scheduler import LEASE, Scheduler, give_up_lease


class Command(BaseCommand):
    help = "Wakes runs that are due, takes runs back from workers that died, looks at the model server; until SIGTERM."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="one round, then stop; errors are not survived")

    def handle(self, *, once: bool, **_options: Any) -> None:
        scheduler = Scheduler()
        if once:
            scheduler.round(timezone.now())
            scheduler.sampler.collect(wait=PATIENCE)
            give_up_lease(LEASE, scheduler.holder)
            return
        caught: list[int] = []
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda caught_number, _frame: caught.append(caught_number))
        scheduler.run(lambda: bool(caught))
