"""What state this installation is in, and what to do next. Exit status: 0 all well, 1 broken, 2 to do, 3 usage."""

from __future__ import annotations

import json
import os
import sys
from argparse import ArgumentParser
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from namsite.doctor import page, probes
from namsite.doctor.checklists import Checklist, answered, needed
from namsite.doctor.probes import Section


class Command(BaseCommand):
    help = (
        "Says what is configured, reachable, patched, encrypted, backed up, anchored. Exit: 0 well, 1 broken, 2 to do."
    )
    requires_system_checks = []  # They are a probe.

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.error = _usage(parser)  # type: ignore[method-assign]
        return parser

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument("--section", choices=[each.value for each in Section], help="only this section")
        parser.add_argument(
            "--checklist", choices=[each.value for each in Checklist], help="the planning document's, item by item"
        )

    def run_from_argv(self, argv: list[str]) -> None:
        """As any command, but nothing is waited for at the end: a probe that got no answer may still be waiting."""
        try:
            super().run_from_argv(argv)
        except SystemExit as ended:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(ended.code if isinstance(ended.code, int) else 1)

    def handle(self, *, section: str | None, checklist: str | None, **options: Any) -> None:
        wanted = [each for each in probes.every() if section in (None, each.section.value)]
        title = ""
        if checklist:
            wanted = [each for each in wanted if each.name in needed(Checklist(checklist))]
            title = f"Checklist: {checklist}"
        with probes.quiet():
            results = list(probes.examine(wanted))
        if checklist:
            results = answered(Checklist(checklist), results)
        if options["json"]:
            self.stdout.write(json.dumps(page.as_json(results, timezone.now()), ensure_ascii=False))
        else:
            self.stdout.write(page.as_text(results, title=title, coloured=self._is_coloured(options)))
        sys.exit(page.status(results))

    def _is_coloured(self, options: dict[str, Any]) -> bool:
        return self.stdout.isatty() and not options["no_color"] and "NO_COLOR" not in os.environ


def _usage(parser: ArgumentParser) -> Any:
    def error(message: str) -> NoReturn:
        parser.print_usage(sys.stderr)
        sys.stderr.write(f"doctor: {message}\n")
        sys.exit(page.USAGE)

    return error
