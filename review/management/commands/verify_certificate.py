"""manage.py verify_certificate: whether a certificate of destruction is exactly what was signed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from review.retention import certificates
from vault.errors import VaultError


class Command(BaseCommand):
    help = "Checks the signature of a downloaded certificate. Exit code 0 valid, 1 not."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--public-key", metavar="HEX", help="the clinic's public key (default: of this installation's keys)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            known = bytes.fromhex(options["public_key"]) if options["public_key"] else None
            is_valid = certificates.is_valid(options["file"].read_bytes(), public_key=known)
        except (OSError, ValueError, VaultError) as error:
            raise CommandError(f"It cannot be checked ({type(error).__name__}).") from error
        self.stdout.write("valid" if is_valid else "NOT valid")
        if not is_valid:
            sys.exit(1)
