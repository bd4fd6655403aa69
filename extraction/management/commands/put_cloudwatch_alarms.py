"""The alarms of AWS CloudWatch, once for each installation and again when there is a new kind of alert."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from extraction import cloudwatch


class Command(BaseCommand):
    help = "Makes or renews an alarm in AWS CloudWatch for each kind of alert, and prints their names."

    def handle(self, **_options: Any) -> None:
        try:
            names = cloudwatch.put_alarms()
        except cloudwatch.Refused as error:
            raise CommandError(str(error)) from None
        for name in names:
            self.stdout.write(name)
