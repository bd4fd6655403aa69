"""Says, in a named person's name, that a restore lost what anchors elsewhere speak of. Where the anchor key is."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.models import Role, User
from audit import restores
from audit.anchors import BrokenChain
from audit.losses import Loss
from audit.signing import NoAnchorKey
from audit.verify import chains


class Command(BaseCommand):
    help = "Shows what a restore lost and, with --by and --reason, acknowledges it in the journal of each clinic."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--by", metavar="EMAIL", help="the administrator who answers for it")
        parser.add_argument("--reason", choices=restores.REASONS)

    def handle(self, *, by: str | None, reason: str | None, **_options: Any) -> None:
        if (by is None) != (reason is None):
            raise CommandError("--by and --reason belong together")
        person = _administrator(by) if by else None
        found = 0
        for chain in chains():
            try:
                loss = (
                    restores.acknowledge(chain, timezone.now(), reason=reason, by=person)
                    if person is not None and reason is not None
                    else restores.lost(chain)
                )
            except (restores.CannotAcknowledge, NoAnchorKey, BrokenChain) as error:
                raise CommandError(f"{chain}: {error or type(error).__name__}") from None
            if loss is not None:
                found += 1
                self.stdout.write(told(chain, loss) + (": acknowledged" if person else ""))
        if not found:
            self.stdout.write("No anchor speaks of a lost event.")


def told(chain: UUID, loss: Loss) -> str:
    """What was lost, in one line."""
    return f"{chain} lost events {loss.first} to {loss.last} (anchors {loss.first_anchor} to {loss.last_anchor})"


def _administrator(address: str) -> User:
    person = User.objects.filter(email__iexact=address, is_active=True, role=Role.ADMIN).first()
    if person is None:
        raise CommandError("no administrator who may act signs in with this address")
    return person
