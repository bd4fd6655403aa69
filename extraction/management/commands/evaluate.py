"""Measures a folder of documents with known truth. Exit status as `manage.py extract`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandParser

from extraction import offline
from extraction.errors import ExtractionError, UnreadableDocument
from extraction.evaluation import Evaluation, Known, evaluate
from extraction.pipeline import Work
from extraction.readers.choosing import Reader

UNREADABLE, USAGE, UNAVAILABLE = 1, 2, 3


class Command(BaseCommand):
    help = "Runs the main job on every NAME.pdf of a folder and compares it with NAME.json."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, metavar="DIR")
        offline.add_arguments(parser)

    def handle(self, *, folder: Path, reader: Reader, finder: str, **options: Any) -> None:
        offline.quiet()
        pairs = [(pdf, pdf.with_suffix(".json")) for pdf in sorted(folder.glob("*.pdf"))]
        pairs = [(pdf, truth) for pdf, truth in pairs if truth.is_file()]
        if not pairs:
            self._stop(f"no NAME.pdf with NAME.json in {folder}", USAGE)
        try:
            work = offline.plan(reader=reader, finder=finder)
            results = {pdf.stem: self._evaluate(pdf, truth, work) for pdf, truth in pairs}
        except ExtractionError as error:
            self._stop(f"{error.code}: {error.sentence}", UNAVAILABLE)
        total = sum(results.values(), Evaluation())
        if options["json"]:
            documents = [{"name": name, **result.to_json()} for name, result in results.items()]
            self.stdout.write(json.dumps({"documents": documents, "total": total.to_json()}, ensure_ascii=False))
        else:
            self._print(results, total)

    def _evaluate(self, pdf: Path, truth_file: Path, work: Work) -> Evaluation:
        """One document; one that cannot be read at all counts as found nothing, and is named on stderr."""
        try:
            truth = [Known.from_json(item) for item in json.loads(truth_file.read_text(encoding="utf-8"))]
        except (ValueError, KeyError, TypeError):
            self._stop(f"{truth_file.name} is not a list of NAMs with pages", USAGE)
        try:
            result = offline.extract_document(pdf.read_bytes(), work)
        except UnreadableDocument as error:
            self.stderr.write(f"evaluate: {pdf.name}: {error.code}: {error.sentence}")
            return evaluate([], truth, pages=0, failed_pages=0, seconds=0.0)
        return evaluate(
            result.proposals, truth, pages=result.pages, failed_pages=len(result.failed_pages), seconds=result.total_s
        )

    def _stop(self, reason: str, status: int) -> NoReturn:
        self.stderr.write(f"evaluate: {reason}")
        sys.exit(status)

    def _print(self, results: dict[str, Evaluation], total: Evaluation) -> None:
        width = max(len(name) for name in [*results, "total"])
        self.stdout.write(f"{'':{width}}   TP   FP   FN      P      R     F1   date   time  s/page")
        for name, result in [*results.items(), ("total", total)]:
            row = result.to_json()
            shares = [row[key] for key in ("precision", "recall", "f1", "date_accuracy", "time_accuracy")]
            cells = " ".join("     –" if share is None else f"{share:6.3f}" for share in shares)
            pace = "     –" if row["seconds_per_page"] is None else f"{row['seconds_per_page']:6.3f}"
            self.stdout.write(f"{name:{width}} {row['tp']:4d} {row['fp']:4d} {row['fn']:4d} {cells}  {pace}")
