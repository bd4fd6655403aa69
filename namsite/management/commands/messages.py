"""The French messages: collected from code and templates, kept in one file, compiled. Needs no gettext tools."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from namsite import messages


class Command(BaseCommand):
    help = "Brings the French messages up to date with the sources; with --check only says what is missing."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if anything is left to do")
        parser.add_argument("--prune", action="store_true", help="also drop translations whose source is gone")

    def handle(self, *, check: bool, prune: bool, **_options: Any) -> None:
        if not check:
            count = messages.update(prune=prune)
            left = len(list(messages.complaints()))
            self.stdout.write(f"{count} messages in {messages.PO}, {left} of them not ready (messages --check)")
            return
        complaints = list(messages.complaints())
        for complaint in complaints:
            self.stderr.write(complaint)
        if complaints:
            sys.exit(1)
