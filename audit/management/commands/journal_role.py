"""manage.py journal_role ROLE: the grants of the application's PostgreSQL role, printed or carried out."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, transaction

from audit import roles


class Command(BaseCommand):
    help = "Prints the SQL that lets ROLE work and only add to the journal; --apply carries it out. The role exists."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("role")
        parser.add_argument("--apply", action="store_true", help="as the owner of the tables, over DATABASE_URL")

    def handle(self, *, role: str, apply: bool, **_options: Any) -> None:
        statements = [statement.as_string(None) for statement in roles.statements(role)]
        if not apply:
            self.stdout.write("".join(f"{statement};\n" for statement in statements), ending="")
            return
        if connection.vendor != "postgresql":
            raise CommandError("The database is not PostgreSQL.")
        with transaction.atomic(), connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
        self.stdout.write(f"{len(statements)} statements carried out")
