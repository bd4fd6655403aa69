"""manage.py recognise_export FILE: whether a file that turned up somewhere was exported here, when and for whom."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.record import JournalUnavailable
from review.exports.recognition import recognised
from vault.errors import VaultError


class Command(BaseCommand):
    help = "Looks in the journal for the export that made exactly this file. Exit code 0 found, 1 not."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *, file: Path, **_options: Any) -> None:
        try:
            found = recognised(file.read_bytes())
        except (OSError, VaultError, JournalUnavailable) as error:
            raise CommandError(f"It cannot be looked for ({type(error).__name__}).") from error
        for event in found:
            self.stdout.write(
                f"{event.clinic_id} event {event.seq}: export {event.object_id} of document {event.document_id}, "
                f"{event.at.isoformat(timespec='seconds')}, for {event.details['recipient']}"
            )
        if not found:
            self.stdout.write("not exported here")
            sys.exit(1)
