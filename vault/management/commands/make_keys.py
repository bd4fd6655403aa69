"""manage.py make_keys: fresh keys for the environment, on standard output and nowhere else."""

from __future__ import annotations

import base64
import secrets
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from vault.errors import VaultError
from vault.keys import INDEX_KEY_NAME, KEY_BYTES, configured_entries, is_key_id


class Command(BaseCommand):
    help = "Prints VAULT_KEYS and VAULT_INDEX_KEY lines with fresh keys, for an environment file. Stores nothing."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--kms", metavar="KEY_ID", default="", help="wrap the keys with this AWS KMS key")
        parser.add_argument("--id", metavar="ID", help="what to call the fresh key (default: k1, or the next number)")
        parser.add_argument(
            "--rotate", action="store_true", help="put the fresh key in front of the configured VAULT_KEYS"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            lines = _lines(kms_key_id=options["kms"], key_id=options["id"], rotate=options["rotate"])
        except VaultError as error:
            raise CommandError(str(error)) from error
        self.stdout.write("\n".join(lines))


def _lines(*, kms_key_id: str, key_id: str | None, rotate: bool) -> list[str]:
    """The lines to print. A rotation keeps the index key: a new one would orphan every index."""
    older = dict(configured_entries()) if rotate else {}
    if rotate and not older:
        raise CommandError("There is nothing to rotate: VAULT_KEYS is empty.")
    name = key_id or _next_id(older)
    if not is_key_id(name) or name in older:
        raise CommandError("A key id is 1 to 16 lower-case letters or digits, and new.")
    entries = {name: _fresh(name, kms_key_id), **older}
    lines = ["VAULT_KEYS=" + ",".join(f"{each}:{text}" for each, text in entries.items())]
    if not rotate:
        lines.append("VAULT_INDEX_KEY=" + _fresh(INDEX_KEY_NAME, kms_key_id))
    return lines


def _next_id(taken: dict[str, str]) -> str:
    number = len(taken) + 1
    while f"k{number}" in taken:
        number += 1
    return f"k{number}"


def _fresh(name: str, kms_key_id: str) -> str:
    key = secrets.token_bytes(KEY_BYTES)
    if kms_key_id:
        from vault import kms

        key = kms.wrap(key, name=name, kms_key_id=kms_key_id)
    return base64.b64encode(key).decode("ascii")
