"""The main job on one file. Exit status: 0 done, 1 unreadable input, 2 usage, 3 a service it needs is down."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandParser

from extraction import nam, offline
from extraction.errors import WARNINGS, ExtractionError, UnreadableDocument
from extraction.offline import Extraction
from extraction.readers.choosing import Reader

UNREADABLE, UNAVAILABLE = 1, 3


class Command(BaseCommand):
    help = "Finds every NAM in one PDF, without database or queue."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE.pdf")
        offline.add_arguments(parser)

    def run_from_argv(self, argv: list[str]) -> None:
        """As any command, but what the process holds is not freed at its end: that takes some tenths of a second."""
        super().run_from_argv(argv)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)

    def handle(self, *, file: Path, reader: Reader, finder: str, **options: Any) -> None:
        offline.quiet()
        try:
            data = file.read_bytes()
        except OSError as error:
            self._stop(f"{error.strerror}", UNREADABLE)
        try:
            result = offline.extract_document(data, offline.plan(reader=reader, finder=finder))
        except UnreadableDocument as error:
            self._stop(f"{error.code}: {error.sentence}", UNREADABLE)
        except ExtractionError as error:
            self._stop(f"{error.code}: {error.sentence}", UNAVAILABLE)
        for code, pages in result.model_errors.items():
            self.stderr.write(f"extract: pages without an answer of the model: {pages} ({code})")
        if options["json"]:
            self.stdout.write(json.dumps(result.to_json(), ensure_ascii=False))
        else:
            self._print(result)

    def _stop(self, reason: str, status: int) -> NoReturn:
        self.stderr.write(f"extract: {reason}")
        sys.exit(status)

    def _print(self, result: Extraction) -> None:
        for found in result.proposals:
            clock = found.visit_time.strftime("%H:%M") if found.visit_time else "--:--"
            when = f"{found.visit_date or '----------'} {clock}"
            mark = "ok" if found.checks.valid else "? "
            self.stdout.write(
                f"p. {found.page:>4}  {nam.grouped(found.nam)}  {when}  {mark}  {'+'.join(found.found_by)}"
            )
        for hint in result.hints:
            self.stdout.write(f"p. {hint.page:>4}  {nam.grouped(hint.nam)}  perhaps: look there")
        for number, code in sorted(result.warnings):
            self.stdout.write(f"p. {number:>4}  {WARNINGS[code]}")
        for number in sorted(result.failed_pages):
            self.stdout.write(f"p. {number:>4}  could not be read")
        readers = ", ".join(f"{name} {count}" for name, count in sorted(result.readers.items()))
        self.stdout.write(f"{len(result.proposals)} NAMs on {result.pages} pages ({readers}) in {result.total_s:.2f} s")
