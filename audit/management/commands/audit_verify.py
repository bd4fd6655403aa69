"""Verifies the journal and its anchors. Exit status: 0 intact, 1 tampered, 2 incomplete, 3 usage."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from contextlib import suppress
from typing import Any, NoReturn
from uuid import UUID

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from audit import losses, restores
from audit.losses import Loss
from audit.models import Event
from audit.signing import public_keys
from audit.verify import Problem, chains, verdict, verified

STATUS = {"intact": 0, "tampered": 1, "incomplete": 2}
USAGE = 3


class Command(BaseCommand):
    help = "Recomputes every chain of the journal. Exit: 0 intact, 1 tampered, 2 incomplete, 3 usage."
    requires_system_checks = []

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.error = _usage(parser)  # type: ignore[method-assign]
        return parser

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--clinic", type=UUID, help="only the chain of this clinic")
        parser.add_argument("--every-copy", action="store_true", help="read every anchor of a bucket, not the newest")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *, clinic: UUID | None, **options: Any) -> None:
        known = chains()
        if clinic is not None and clinic not in known:
            self.stderr.write(f"audit_verify: no journal for clinic {clinic}")
            sys.exit(USAGE)
        problems: list[Problem] = []
        for chain in [clinic] if clinic else known:
            problems += verified(chain, timezone.now(), every_copy=options["every_copy"])
        self._report(problems, as_json=options["json"], gone=self._gone([clinic] if clinic else known))
        sys.exit(STATUS[verdict(problems)])

    def _gone(self, asked: list[UUID]) -> list[tuple[Loss, bool]]:
        """What restores lost, and whether somebody acknowledged it."""
        gone = [(loss, True) for chain in asked for loss in losses.of_chain(chain, public_keys())]
        for chain in asked:
            with suppress(restores.CannotAcknowledge):
                if (loss := restores.lost(chain)) is not None:
                    gone.append((loss, False))
        return gone

    def _report(self, problems: list[Problem], *, as_json: bool, gone: list[tuple[Loss, bool]]) -> None:
        events = Event.objects.count()
        if as_json:
            listed = [
                {"clinic": str(p.clinic_id), "seq": p.seq, "kind": p.kind, **({"place": p.place} if p.place else {})}
                for p in problems
            ]
            lost = [
                {"clinic": str(loss.chain), "first": loss.first, "last": loss.last, "acknowledged": is_known}
                for loss, is_known in gone
            ]
            self.stdout.write(json.dumps({"events": events, "problems": listed} | ({"lost": lost} if lost else {})))
            return
        for loss, is_known in gone:
            word = "acknowledged" if is_known else "not acknowledged (manage.py acknowledge_restore)"
            self.stdout.write(f"{loss.chain} events {loss.first} to {loss.last} were lost in a restore: {word}")
        for problem in problems:
            place = f" ({problem.place})" if problem.place else ""
            self.stdout.write(f"{problem.clinic_id} event {problem.seq}: {problem.kind}{place}")
        self.stdout.write(f"{events} events, {len(problems)} problems")


def _usage(parser: ArgumentParser) -> Any:
    def error(message: str) -> NoReturn:
        parser.print_usage(sys.stderr)
        sys.stderr.write(f"audit_verify: {message}\n")
        sys.exit(USAGE)

    return error
