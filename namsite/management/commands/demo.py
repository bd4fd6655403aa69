"""The demonstration: `manage.py demo` (or `make demo`) and open the address that it prints."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from namsite import demo


class Command(BaseCommand):
    help = (
        "Starts a demonstration on this computer: web, worker, scheduler, Redis, an invented clinic. Ctrl-C stops it."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        step = parser.add_mutually_exclusive_group()
        step.add_argument("--prepare", action="store_true", help="(a step) only make tables, clinic and people")
        step.add_argument("--documents", action="store_true", help="(a step) only upload the documents")
        step.add_argument("--model", action="store_true", help="(a part) only the model server")

    def handle(self, *, prepare: bool, documents: bool, model: bool, **_options: Any) -> None:
        if model:
            from namsite import demo_model

            sys.exit(demo_model.serve(Path(sys.prefix) / "model", self._say))
        if prepare or documents:
            if not settings.DEMO:
                sys.exit("This is not a demonstration (DEMO is off), and its people have a published password.")
            (demo.prepare if prepare else demo.upload_documents)()
            return
        sys.exit(demo.run(Path(settings.DATA_DIR), self._say))

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
