"""Write synthetic documents with their truth, for `manage.py evaluate` and for looking at."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from extraction.corpus.documents import KINDS, build


class Command(BaseCommand):
    """`manage.py make_corpus DIR [--kind K ...] [--pages N] [--documents N] [--seed S]`; needs no database."""

    help = "Write synthetic documents, each as NAME.pdf with its NAMs in NAME.json."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("directory", metavar="DIR", type=Path, help="where to write; made if missing")
        parser.add_argument(
            "--kind", nargs="+", choices=KINDS, default=list(KINDS), metavar="K", help=f"any of: {', '.join(KINDS)}"
        )
        parser.add_argument("--pages", type=int, default=1, metavar="N", help="pages of each document (1)")
        parser.add_argument("--documents", type=int, default=1, metavar="N", help="documents of each kind (1)")
        parser.add_argument("--seed", type=int, default=2026, metavar="S", help="seed of the first document (2026)")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["pages"] < 1 or options["documents"] < 1:
            raise CommandError("--pages and --documents must be at least 1.")
        directory: Path = options["directory"]
        directory.mkdir(parents=True, exist_ok=True)
        seeds = range(options["seed"], options["seed"] + options["documents"])
        names = [
            write(directory, kind, seed=seed, pages=options["pages"]) for kind in options["kind"] for seed in seeds
        ]
        self.stdout.write(f"{len(names)} documents written.")


def write(directory: Path, kind: str, *, seed: int, pages: int) -> str:
    """Write KIND-SEED.pdf and KIND-SEED.json; gives that name."""
    name, document = f"{kind}-{seed}", build(kind, seed=seed, pages=pages)
    (directory / f"{name}.pdf").write_bytes(document.pdf)
    items = [json.dumps(item.to_json(), ensure_ascii=False) for item in document.truth]
    lines = "[" + ",\n ".join(items) + "]\n"
    (directory / f"{name}.json").write_text(lines, encoding="utf-8")
    return name
