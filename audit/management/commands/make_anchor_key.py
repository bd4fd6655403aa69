"""manage.py make_anchor_key FILE: the key that signs the journal's anchors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit import signing


class Command(BaseCommand):
    help = "Writes a fresh Ed25519 key to FILE (mode 0600) and adds its public half to FILE.pub."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="where the private key goes; refused if it exists")

    def handle(self, *, file: Path, **_options: Any) -> None:
        try:
            made = signing.make(file)
        except FileExistsError:
            raise CommandError("There is a file already. To rotate, move it away and keep FILE.pub.") from None
        except OSError as error:
            raise CommandError(f"The key cannot be written ({type(error).__name__}).") from None
        self.stdout.write(f"key {made}\nAUDIT_ANCHOR_KEY_FILE={file}\nAUDIT_ANCHOR_PUBLIC_KEYS={file}.pub")
