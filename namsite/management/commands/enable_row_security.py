"""Row-level security on PostgreSQL, switched on by whoever owns the tables; again after each `migrate`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, transaction

from namsite import row_security


class Command(BaseCommand):
    help = "Lets PostgreSQL show a role the rows of one clinic at a time. Run it as the owner of the tables."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--role", help="the role that the application connects as; it exists and owns no table")
        parser.add_argument("--off", action="store_true", help="take the policies away")
        parser.add_argument("--check", action="store_true", help="exit 1 unless they hold for the role of DATABASE_URL")

    def handle(self, *, role: str | None, off: bool, check: bool, **_options: Any) -> None:
        if connection.vendor != "postgresql":
            raise CommandError("Row-level security needs PostgreSQL.", returncode=2)
        if check:
            self._check()
        elif off:
            self._run(row_security.removal())
            self.stdout.write("Row-level security is off.")
        elif role:
            self._run(row_security.statements(role))
            self.stdout.write(f"{len(row_security.rules())} tables show {role} one clinic at a time.")
        else:
            raise CommandError("Say which --role the application connects as, or --check or --off.", returncode=2)

    def _run(self, statements: Any) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def _check(self) -> None:
        found = list(row_security.problems())
        for problem in found:
            self.stderr.write(problem)
        if found:
            raise CommandError(f"{len(found)} problems.")
        self.stdout.write("Row-level security holds for this role.")
