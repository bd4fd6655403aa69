"""manage.py export_journal CLINIC FOLDER: the journal, its anchors and the public keys, for a verifier elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from audit import anchors, queries, signing
from audit.formats import lines
from audit.record import record_alone
from audit.verbs import Purpose, Verb


class Command(BaseCommand):
    help = "Writes CLINIC.jsonl, CLINIC.anchors.jsonl and anchor.pub into FOLDER, and journals that it did."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("clinic", type=UUID)
        parser.add_argument("folder", type=Path)

    def handle(self, *, clinic: UUID, folder: Path, **_options: Any) -> None:
        record_alone(Verb.JOURNAL_EXPORTED, by=None, clinic_id=clinic, purpose=Purpose.AUDIT, reason_code="jsonl")
        moment = timezone.now()
        if not anchors.make_for_export(clinic, moment):
            self.stderr.write("no anchor could be made: the verifier will say that the end is not proven")
        span = queries.whole(clinic, moment)
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / f"{clinic}.jsonl").open("w", encoding="utf-8") as file:
            file.writelines(lines.write(span, queries.events_of(span)))
        with (folder / f"{clinic}.anchors.jsonl").open("w", encoding="utf-8") as file:
            file.writelines(queries.anchor_lines(clinic))
        (folder / "anchor.pub").write_bytes(signing.public_pem())
        self.stdout.write(f"{span.last} events")
