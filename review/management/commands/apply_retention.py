"""manage.py apply_retention: destroys what is due, as the scheduler does daily, or only lists it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.models import Clinic
from review.retention import certificates, destroying, due
from vault.errors import VaultError


class Command(BaseCommand):
    help = "Destroys what has been kept for its period and issues certificates. May be stopped and started again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only list what would be destroyed")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["dry_run"]:
            self._list()
            return
        try:
            count = destroying.apply(timezone.now())
        except VaultError as error:
            raise CommandError(str(error)) from error
        issued = certificates.issue_due()
        self.stdout.write(f"{count} destructions, {len(issued)} certificates")

    def _list(self) -> None:
        count = 0
        for clinic in Clinic.objects.order_by("created_at"):
            for each in due.due(clinic.pk, timezone.now()):
                state = "held" if each.is_held else f"after {each.days} days"
                self.stdout.write(f"{clinic.pk} {each.document_id} {each.data_class} {state}")
                count += not each.is_held
        self.stdout.write(f"{count} would be destroyed")
