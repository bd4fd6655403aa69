"""manage.py anchor_journal: what the scheduler does about anchors, once and now."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from audit import anchors
from audit.models import AnchorMark
from audit.signing import NoAnchorKey, private_key


class Command(BaseCommand):
    help = "Signs where every chain stands and takes the anchors to every place. Exit 1 where one cannot be kept."

    def handle(self, **_options: Any) -> None:
        try:
            key = private_key()
        except NoAnchorKey as error:
            raise CommandError(str(error)) from None
        made = anchors.make_now(timezone.now(), key)
        anchors.deliver(timezone.now())
        failing = AnchorMark.objects.exclude(failing_since=None)
        self.stdout.write(f"{made} anchors made")
        for mark in failing.order_by("place", "clinic_id"):
            self.stderr.write(f"{mark.clinic_id} {mark.place or 'signing'}: {mark.error}")
        sys.exit(1 if failing.exists() else 0)
