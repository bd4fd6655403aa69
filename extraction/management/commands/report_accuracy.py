"""Measures accuracy on held-out documents and writes docs/accuracy.md. Can be stopped and started again.

Documents and results are kept in a working folder, results under a fingerprint of the code that made them, so that a
second start goes on where the first one stopped and a change of the code measures anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from extraction import offline
from extraction.accuracy import CATEGORIES, EMPTY_PAGES, LEAST_NAMS, Category, Measurement, report
from extraction.corpus.documents import build
from extraction.corpus.groups import kinds_in
from extraction.corpus.layouts import HELD_OUT
from extraction.corpus.split import first_seed, layout_of
from extraction.errors import ServiceUnavailable
from extraction.evaluation import Evaluation, by_kind
from extraction.management.commands import evaluate
from extraction.management.commands.make_corpus import save
from extraction.measurement import Labelled, labelled, measure
from extraction.pipeline import Work
from extraction.scoring import Score

SOFTWARE = ("rapidocr", "openvino", "opencv-python-headless", "pypdfium2")
FULL = {"nams": LEAST_NAMS, "pages": 2, "empty_pages": EMPTY_PAGES, "side_by_side": 20}
QUICK = {"nams": 1, "pages": 1, "empty_pages": 4, "side_by_side": 4}
ALONE, TOGETHER = "pattern", "hybrid"
"""The finders that all documents are searched with."""
SOURCES = Path(__file__).resolve().parents[2]


class Command(BaseCommand):
    help = "Measures accuracy on held-out synthetic documents and writes docs/accuracy.md. It takes long."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        names = [category.name for category in CATEGORIES]
        folder = Path(tempfile.gettempdir()) / "nam-accuracy"
        few = "NAMs of each kind of document (500; three times as many of fax and handwriting)"
        parser.add_argument("--nams", type=int, metavar="N", help=few)
        parser.add_argument("--pages", type=int, metavar="N", help="pages of each document (2)")
        parser.add_argument("--empty-pages", type=int, metavar="N", help="pages of the kinds without NAMs (200)")
        parser.add_argument("--side-by-side", type=int, metavar="N", help="pages of each kind for peers (20; 0: none)")
        parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="KIND", help=", ".join(names))
        parser.add_argument(
            "--work", type=Path, default=folder, metavar="DIR", help="documents and results are kept here"
        )
        parser.add_argument("--output", type=Path, metavar="FILE", help="the report (docs/accuracy.md)")
        parser.add_argument("--corpus-only", action="store_true", help="write the documents to DIR/corpus and stop")
        parser.add_argument(
            "--quick", action="store_true", help="a page of each layout, to DIR/accuracy.md: for trying this command"
        )

    def handle(self, *, work: Path, output: Path | None, only: list[str], **options: Any) -> None:
        offline.quiet()
        usual = QUICK if options["quick"] else FULL
        sizes = {name: usual[name] if options[name] is None else options[name] for name in usual}
        categories = [category for category in CATEGORIES if category.name in only]
        corpus = self._corpus(work, categories, **sizes)
        if options["corpus_only"]:
            return
        works = plans()
        asked = f"{settings.LLM_MODEL} {settings.LLM_PROMPT}".replace("/", "-") if TOGETHER in works else "alone"
        kept = work / f"results-{fingerprint(SOURCES)}-{sizes['pages']}-{asked}"
        folders = [corpus / category.name for category in categories]
        results = {folder.name: self._measure(folder, works, kept) for folder in folders}
        rows = self._side_by_side(folders, work / "side-by-side", sizes["side_by_side"])
        measurement = Measurement(
            {name: by_kind(each[ALONE]) for name, each in results.items()},
            rows,
            software(),
            "manage.py report_accuracy",
            split_sentence(folders),
            {name: sum(each[TOGETHER].values(), Evaluation()) for name, each in results.items() if TOGETHER in each},
        )
        text = report(measurement)
        output = output or (work if options["quick"] else Path(settings.BASE_DIR) / "docs") / "accuracy.md"
        output.write_text(text, encoding="utf-8")
        self.stdout.write(f"{output} written.")

    def _corpus(
        self, work: Path, categories: list[Category], *, nams: int, pages: int, empty_pages: int, **_sizes: int
    ) -> Path:
        """The documents, made where they are not there yet; all anew when their generator or numbers changed."""
        corpus, mark = work / "corpus", work / "corpus-made-with"
        made_with = f"{fingerprint(SOURCES / 'corpus')} {nams} {pages} {empty_pages}"
        if mark.is_file() and mark.read_text() != made_with:
            shutil.rmtree(corpus, ignore_errors=True)
        corpus.mkdir(parents=True, exist_ok=True)
        mark.write_text(made_with)
        for category in categories:
            folder = corpus / category.name
            least = empty_pages if category.recall is None else nams * category.sample
            count = make(folder, category, least=least, pages=pages)
            self._say(f"{category.name}: {count} documents")
        return corpus

    def _measure(self, folder: Path, works: dict[str, Work], kept: Path) -> dict[str, dict[str, Evaluation]]:
        """The results of a category's documents by finder and document. Each is kept as soon as it is there."""
        documents, began = labelled(folder), time.monotonic()
        results: dict[str, dict[str, Evaluation]] = {finder: {} for finder in works}
        for number, document in enumerate(documents, start=1):
            for finder, each in measured(document, works, kept / folder.name / f"{document.name}.json").items():
                results[finder][document.name] = each
            left = (time.monotonic() - began) / number * (len(documents) - number)
            counts = "; ".join(f"{finder} {_counts(each)}" for finder, each in results.items())
            self._say(f"{folder.name}: {number} of {len(documents)} documents, {counts}, {left / 60:.0f} min left")
        return results

    def _side_by_side(self, categories: list[Path], folder: Path, pages: int) -> list[dict[str, Any]]:
        """The peers' rows, from the benchmark of that name; none where it cannot run."""
        if not pages:
            return []
        shutil.rmtree(folder, ignore_errors=True)
        for category in categories:
            copy_first(category, folder / category.name, pages)
        self._say("side by side…")
        peers = Path(settings.BASE_DIR) / ".venv" / "peers" / "bin"
        done = subprocess.run(  # noqa: S603 - our own module on our own files
            [sys.executable, "-m", "tests.benchmarks.side_by_side", str(folder)],
            cwd=settings.BASE_DIR, capture_output=True, text=True, check=False,
            env=os.environ | {"PATH": f"{os.environ.get('PATH', '')}{os.pathsep}{peers}"},
        )  # fmt: skip
        if done.returncode:
            self.stderr.write(f"The side-by-side benchmark could not run:\n{done.stderr}")
            return []
        rows: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
        return rows

    def _say(self, words: str) -> None:
        self.stdout.write(words)
        self.stdout.flush()


def make(folder: Path, category: Category, *, least: int, pages: int) -> int:
    """Writes documents until they hold `least` NAMs (pages, where there are none to find); returns how many.

    Every kind gives one, and the one that has given the fewest NAMs is always the next: no layout outweighs another.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kinds = kinds_in(category.group, "held-out") if category.group else category.kinds
    held, written = dict.fromkeys(kinds, 0), dict.fromkeys(kinds, 0)
    while sum(held.values()) < least or not all(written.values()):
        kind = min(kinds, key=lambda each: (written[each] > 0, held[each]))
        name = f"{kind}-{first_seed('held-out') + written[kind]}"
        truth = folder / f"{name}.json"
        if not truth.is_file():
            save(folder, name, build(kind, seed=first_seed("held-out") + written[kind], pages=pages))
        written[kind] += 1
        held[kind] += len(json.loads(truth.read_text())) if category.recall is not None else pages
    return sum(written.values())


def plans() -> dict[str, Work]:
    """What is measured: the pattern finder, and the same with the model's opinion where one is set."""
    works = evaluate.plans(reader="auto", finder=evaluate.ALL)
    return {name: replace(works[name], ocr="local") for name in (ALONE, TOGETHER) if name in works}


def measured(document: Labelled, works: dict[str, Work], kept: Path) -> dict[str, Evaluation]:
    """The results of one document by finder: the kept ones, or measured now and kept.

    Raises ServiceUnavailable where the model was asked in vain: what it would have said must not count as silence.
    """
    if kept.is_file():
        return {finder: from_json(body) for finder, body in json.loads(kept.read_text()).items()}
    results = measure(document, works)
    if any(result.model_errors for result in results.values()):
        raise ServiceUnavailable("model_unavailable")
    evaluations = {finder: result.evaluation for finder, result in results.items()}
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps({finder: asdict(each) for finder, each in evaluations.items()}))
    return evaluations


def _counts(results: dict[str, Evaluation]) -> str:
    score = sum(results.values(), Evaluation()).score
    return f"TP {score.tp} FP {score.fp} FN {score.fn}"


def from_json(body: dict[str, Any]) -> Evaluation:
    """The inverse of `asdict`."""
    outcomes = tuple((confidence, right) for confidence, right in body["outcomes"])
    return Evaluation(**body | {"score": Score(**body["score"]), "outcomes": outcomes})


def copy_first(source: Path, target: Path, pages: int) -> None:
    """Copies one document of each kind, then the second of each, and so on, up to so many pages."""
    import pypdfium2

    target.mkdir(parents=True)
    for pdf in _in_turn(sorted(source.glob("*.pdf"))):
        with pypdfium2.PdfDocument(pdf) as document:
            pages -= len(document)
        if pages < 0:
            return
        for file in (pdf, pdf.with_suffix(".json")):
            shutil.copy(file, target)


def _in_turn(pdfs: list[Path]) -> Iterator[Path]:
    """By seed first: every layout's first document comes before any layout's second."""
    yield from sorted(pdfs, key=lambda pdf: (pdf.stem.rpartition("-")[2], pdf.stem))


def split_sentence(categories: list[Path]) -> str:
    """Where the documents come from, for the report."""
    names = [pdf.stem.rpartition("-") for folder in categories for pdf in folder.glob("*.pdf")]
    seeds = [int(seed) for _, _, seed in names]
    layouts = {layout_of(kind) for kind, _, _ in names}
    developed = sorted(layouts - set(HELD_OUT))
    sentence = f"Documents are held out: seeds {min(seeds)} to {max(seeds)}, which nothing is tuned on"
    if not developed:
        return f"{sentence}, and layouts, fonts, names and wording of their own."
    own = ", ".join(sorted(layouts & set(HELD_OUT))) or "none"
    return f"{sentence}. Layouts that are held out too: {own}; of development: {', '.join(developed)}."


def fingerprint(folder: Path) -> str:
    """Changes with every source file of a folder."""
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*.py")):
        digest.update(str(file.relative_to(folder)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def software() -> list[str]:
    python = ".".join(map(str, sys.version_info[:3]))
    return [f"Python {python}", *(f"{name} {version(name)}" for name in SOFTWARE)]
