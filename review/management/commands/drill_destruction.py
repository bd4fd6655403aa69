"""manage.py drill_destruction: plants a marked document, destroys it, and looks for it everywhere."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from review.retention import drill
from vault.errors import VaultError


class Command(BaseCommand):
    help = (
        "A drill in a clinic of its own: upload, extraction, decision, export, destruction, search. It rotates "
        "keys, and reads every cell of the database twice. Exit code 0 when nothing is left, 1 when something is."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            looks = drill.run()
        except (VaultError, RuntimeError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{'place':<26}{'before':>16}{'after':>16}")
        for look in looks:
            before, after = (f"{found} of {looked}" for looked, found in (look.before, look.after))
            self.stdout.write(f"{look.place:<26}{before:>16}{after:>16}")
        self.stdout.write("nothing is left" if drill.is_passed(looks) else "SOMETHING IS LEFT, or was not looked for")
        if not drill.is_passed(looks):
            sys.exit(1)
