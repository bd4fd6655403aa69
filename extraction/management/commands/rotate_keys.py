"""manage.py rotate_keys: moves everything sealed to the current keys while people go on working."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.models import Clinic
from extraction import rotation
from vault.errors import VaultError
from vault.rotation import Moved

SAY_EVERY = 2.0  # seconds between two lines of progress


class Command(BaseCommand):
    help = (
        "Wraps the keys of clinics under the current root key (or KMS) and moves every value and file to the current "
        "keys. May be stopped at any time and started again. Exit code 1 when something does not open."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--new-clinic-keys", action="store_true", help="first give clinics a new key")
        parser.add_argument("--due", action="store_true", help="first give a new key to clinics whose own is old")
        parser.add_argument("--clinic", metavar="ID", help="the only clinic that gets a new key")
        parser.add_argument("--retire", action="store_true", help="then destroy former keys whose days are over")
        parser.add_argument("--status", action="store_true", help="only say how much is sealed under which key")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["status"]:
                self.stdout.write("\n".join(f"{count:>10} {name}" for name, count in rotation.status().items()))
                return
            if options["new_clinic_keys"]:
                self._renew(options["clinic"])
            if options["due"]:
                self.stdout.write(f"{rotation.renew_due(timezone.now())} new keys")
            broken = self._move()
            if options["retire"]:
                self.stdout.write(f"{rotation.retire(timezone.now())} former keys destroyed")
        except VaultError as error:
            raise CommandError(str(error)) from error
        if broken:
            raise CommandError(f"{broken} rows or files do not open and stay as they are.")

    def _renew(self, clinic_id: str | None) -> None:
        clinics = Clinic.objects.filter(pk=clinic_id) if clinic_id else Clinic.objects.all()
        for clinic in clinics.order_by("created_at"):
            self.stdout.write(f"new key {clinic.pk}/{rotation.renew(clinic)}")

    def _move(self) -> int:
        moved, said = Moved(), time.monotonic()
        for place in rotation.move_all(moved):
            if time.monotonic() - said >= SAY_EVERY:
                self.stdout.write(f"{moved.values.total()} values so far, at {place}")
                said = time.monotonic()
        self.stdout.write(f"{moved.values.total()} values moved, {moved.broken} do not open")
        return moved.broken
