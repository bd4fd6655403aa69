"""Write synthetic documents with their truth, for `manage.py evaluate` and for looking at."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Sequence
from itertools import count, cycle
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from extraction.corpus.documents import KINDS, CorpusDocument, build
from extraction.corpus.golden import functional_tests, golden_cases
from extraction.corpus.groups import GROUPS, kinds_in
from extraction.corpus.split import SPLITS, Split, first_seed, in_split


class Command(BaseCommand):
    """`manage.py make_corpus DIR [--kind K ... | --group G] [--split S] [--pages N] [--documents N] [--nams N]`.

    Needs no database. `--golden` writes the golden cases and the functional tests instead, each under its own name.
    """

    help = "Write synthetic documents, each as NAME.pdf with its NAMs in NAME.json."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("directory", metavar="DIR", type=Path, help="where to write; made if missing")
        parser.add_argument(
            "--kind", nargs="+", choices=KINDS, metavar="K", help=f"any of: {', '.join(KINDS)} (all of the split)"
        )
        parser.add_argument(
            "--group", choices=GROUPS, help="kinds that are measured together; --documents and --nams count them all"
        )
        parser.add_argument(
            "--split", choices=SPLITS, default="development", help="whose kinds and seeds, where none are named"
        )
        parser.add_argument("--pages", type=int, default=1, metavar="N", help="pages of each document (1)")
        parser.add_argument("--documents", type=int, default=1, metavar="N", help="documents of each kind (1)")
        parser.add_argument(
            "--nams",
            type=int,
            metavar="N",
            help="documents of each kind until they hold N NAMs",
        )
        parser.add_argument("--seed", type=int, metavar="S", help="seed of the first document (2026; held out 1002026)")
        parser.add_argument(
            "--misprints",
            type=float,
            default=0.0,
            metavar="X",
            help="share of NAMs, 0..1, printed with a wrong check character (0)",
        )
        parser.add_argument("--golden", action="store_true", help="the golden cases and the functional tests")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["pages"] < 1 or options["documents"] < 1:
            raise CommandError("--pages and --documents must be at least 1.")
        directory: Path = options["directory"]
        directory.mkdir(parents=True, exist_ok=True)
        if options["golden"]:
            cases = [*golden_cases(), *functional_tests()]
            for case in cases:
                save(directory, case.name, case.document())
            self.stdout.write(f"{len(cases)} documents written.")
            return
        split: Split = options["split"]
        first = first_seed(split) if options["seed"] is None else options["seed"]
        asked = {name: options[name] for name in ("pages", "documents", "nams", "misprints")}
        if options["group"]:
            runs = [kinds_in(options["group"], split)]
        else:
            runs = [(kind,) for kind in options["kind"] or KINDS if options["kind"] or in_split(kind, split)]
        written = sum(len(write(directory, kinds, first=first, **asked)) for kinds in runs)
        self.stdout.write(f"{written} documents written.")


def write(
    directory: Path,
    kinds: Sequence[str],
    *,
    first: int,
    pages: int,
    documents: int,
    nams: int | None,
    misprints: float = 0.0,
) -> list[str]:
    """Write KIND-SEED.pdf and KIND-SEED.json for seeds from `first` on, the kinds in turn; gives those names.

    There are `documents` of them, and more until they hold `nams` NAMs and every kind has had its turn; kinds that have
    none stop at `documents`.
    """
    names: list[str] = []
    held = 0
    for seed, kind in zip(count(first), cycle(kinds), strict=False):
        document = build(kind, seed=seed, pages=pages, misprints=misprints)
        names.append(f"{kind}-{seed}")
        save(directory, names[-1], document)
        held += len(document.truth)
        enough = not nams or (len(names) >= len(kinds) and (held >= nams or not held))
        if len(names) >= documents and enough:
            break
    return names


def save(directory: Path, name: str, document: CorpusDocument) -> None:
    """Write NAME.pdf and its truth, NAME.json."""
    (directory / f"{name}.pdf").write_bytes(document.pdf)
    items = [json.dumps(item.to_json(), ensure_ascii=False) for item in document.truth]
    lines = "[" + ",\n ".join(items) + "]\n"
    (directory / f"{name}.json").write_text(lines, encoding="utf-8")
