"""Verifies the journal. Exit status: 0 intact, 1 tampered, 2 incomplete, 3 usage."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from typing import Any, NoReturn
from uuid import UUID

from django.core.management.base import BaseCommand, CommandParser

from audit.models import Event
from audit.verify import Problem, chains, verify_chain

INTACT, TAMPERED, INCOMPLETE, USAGE = 0, 1, 2, 3


class Command(BaseCommand):
    help = "Recomputes every chain of the journal. Exit: 0 intact, 1 tampered, 2 incomplete, 3 usage."
    requires_system_checks = []

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.error = _usage(parser)  # type: ignore[method-assign]
        return parser

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--clinic", type=UUID, help="only the chain of this clinic")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *, clinic: UUID | None, **options: Any) -> None:
        known = chains()
        if clinic is not None and clinic not in known:
            self.stderr.write(f"audit_verify: no journal for clinic {clinic}")
            sys.exit(USAGE)
        problems = [problem for chain in ([clinic] if clinic else known) for problem in verify_chain(chain)]
        self._report(problems, as_json=options["json"])
        if any(problem.is_tampering for problem in problems):
            sys.exit(TAMPERED)
        sys.exit(INCOMPLETE if problems else INTACT)

    def _report(self, problems: list[Problem], *, as_json: bool) -> None:
        events = Event.objects.count()
        if as_json:
            listed = [{"clinic": str(p.clinic_id), "seq": p.seq, "kind": p.kind} for p in problems]
            self.stdout.write(json.dumps({"events": events, "problems": listed}))
            return
        for problem in problems:
            self.stdout.write(f"{problem.clinic_id} event {problem.seq}: {problem.kind}")
        self.stdout.write(f"{events} events, {len(problems)} problems")


def _usage(parser: ArgumentParser) -> Any:
    def error(message: str) -> NoReturn:
        parser.print_usage(sys.stderr)
        sys.stderr.write(f"audit_verify: {message}\n")
        sys.exit(USAGE)

    return error
