"""Opens a clinic with its first administrator, who then adds everybody else in the browser."""

from __future__ import annotations

import secrets
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from accounts import actions
from accounts.models import Role, User


class Command(BaseCommand):
    help = "Opens a clinic with its first administrator and prints a first password, once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="the clinic's name")
        parser.add_argument("--admin", required=True, metavar="EMAIL", help="the administrator's address")
        parser.add_argument("--admin-name", default="Administration", help="the administrator's name")

    def handle(self, *, name: str, admin: str, admin_name: str, **_options: Any) -> None:
        if User.objects.filter(email__iexact=admin).exists():
            raise CommandError("somebody already signs in with this address")
        password = secrets.token_urlsafe(15)
        with transaction.atomic():
            clinic = actions.create_clinic(name=name)
            actions.create_user(
                clinic=clinic, email=admin, name=admin_name, role=Role.ADMIN, password=password, by=None
            )
        self.stdout.write(f"{clinic.name}: {admin} signs in with {password}, and should change it.")
