"""A worker. Start as many as there are processor cores to spare; each works off one part of a run at a time."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from extraction import worker


class Command(BaseCommand):
    help = "Takes runs from the queue and works them off, until SIGTERM (which lets the present turns end)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--burst", action="store_true", help="stop when the queue is empty")

    def handle(self, *, burst: bool, **_options: Any) -> None:
        worker.serve(burst=burst)
