"""Measures a folder of documents with known truth. Exit status as `manage.py extract`."""

from __future__ import annotations

import csv
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from extraction import offline
from extraction.errors import ExtractionError
from extraction.evaluation import Error, Evaluation, Known, by_kind, kind_of
from extraction.measurement import Measured, NotATruth, labelled, measure
from extraction.page import Page
from extraction.pipeline import Work
from extraction.readers.choosing import Reader
from extraction.visits.moments import write_date, write_time

UNREADABLE, USAGE, UNAVAILABLE = 1, 2, 3
ALL = "all"

UNKNOWN = Known("", 0, (None, None))

Results = dict[str, Measured]
"""By name of document."""


class Command(BaseCommand):
    help = "Runs the main job on every NAME.pdf of a folder and compares it with NAME.json."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, metavar="DIR")
        offline.add_arguments(parser, finders=(*offline.FINDERS, ALL))
        parser.add_argument(
            "--errors",
            type=Path,
            metavar="FILE.csv",
            help="write every miss, false proposal and wrong visit there. The file holds NAMs in clear: use this with "
            "synthetic documents, or treat the file as health information",
        )
        parser.add_argument(
            "--jobs", type=int, default=1, metavar="N", help="documents at once (1); pays for short ones"
        )

    def handle(self, *, folder: Path, reader: Reader, finder: str, **options: Any) -> None:
        offline.quiet()
        try:
            documents = labelled(folder)
            if not documents:
                self._stop(f"no NAME.pdf with NAME.json in {folder}", USAGE)
            works = plans(reader=reader, finder=finder)
            with ThreadPoolExecutor(max(1, options["jobs"])) as threads:
                measured = list(threads.map(partial(measure, works=works), documents))
        except NotATruth as error:
            self._stop(f"{error} is not a list of NAMs with pages", USAGE)
        except ExtractionError as error:
            self._stop(f"{error.code}: {error.sentence}", UNAVAILABLE)
        finders = {name: {each[name].document.name: each[name] for each in measured} for name in works}
        self._report(finders, finder=finder, **options)

    def _report(self, finders: dict[str, Results], *, finder: str, **options: Any) -> None:
        for result in next(iter(finders.values())).values():
            if result.refusal:
                self.stderr.write(
                    f"evaluate: {result.document.pdf.name}: {result.refusal.code}: {result.refusal.sentence}"
                )
        for name, results in finders.items():
            for code, pages in sum((each.model_errors for each in results.values()), Counter()).items():
                self.stderr.write(f"evaluate: {name}: pages without an answer of the model: {pages} ({code})")
        if options["errors"]:
            write_errors(options["errors"], finders)
        if options["json"]:
            body = {name: _body(results) for name, results in finders.items()}
            shown = body[list(finders)[-1]] | ({"finders": body} if finder == ALL else {})
            self.stdout.write(json.dumps(shown, ensure_ascii=False))
            return
        for name, results in finders.items():
            if finder == ALL:
                self.stdout.write(f"\n{name}")
            self.stdout.write("\n".join(table({key: result.evaluation for key, result in results.items()})))
        if finder == ALL and not settings.LLM_ENDPOINT:
            self.stdout.write("\nmodel, hybrid: need LLM_ENDPOINT")

    def _stop(self, reason: str, status: int) -> NoReturn:
        self.stderr.write(f"evaluate: {reason}")
        sys.exit(status)


def plans(*, reader: Reader, finder: str) -> dict[str, Work]:
    """The work of each finder that the option asks for; the last one is what the main job does without the option."""
    if finder != ALL:
        return {finder: offline.plan(reader=reader, finder=finder)}
    names = ("pattern", "model", "hybrid") if settings.LLM_ENDPOINT else ("pattern",)
    return {name: offline.plan(reader=reader, finder=name) for name in names}


def _body(results: Results) -> dict[str, Any]:
    evaluations = {name: result.evaluation for name, result in results.items()}
    return {
        "documents": [{"name": name, **each.to_json()} for name, each in evaluations.items()],
        "total": sum(evaluations.values(), Evaluation()).to_json(),
        "kinds": [{"kind": kind, **each.to_json()} for kind, each in by_kind(evaluations).items()],
    }


def table(results: dict[str, Evaluation]) -> Iterator[str]:
    """The lines of the printed table: documents, kinds where a kind has several of them, total, calibration."""
    kinds, total = by_kind(results), sum(results.values(), Evaluation())
    groups = [results, kinds if len(kinds) < len(results) else {}, {"total": total}]
    width = max(len(name) for group in groups for name in group)
    yield (
        f"{'shares in %':{width}}   TP   FP   FN   {'P':>6} {'(95 %)':<15} {'R':>6} {'(95 %)':<15} "
        f"{'F1':>6} {'date':>6} {'time':>6}  s/page"
    )
    for number, group in enumerate(filter(None, groups)):
        if number:
            yield "-" * (width + 91)
        yield from (_row(f"{name:{width}}", result) for name, result in group.items())
    if total.outcomes:
        yield f"\n{_calibration(total)}"


def _row(name: str, result: Evaluation) -> str:
    score = result.score
    pace = f"{result.seconds / result.pages:7.3f}" if result.pages else f"{'–':>7}"
    return (
        f"{name} {score.tp:4d} {score.fp:4d} {score.fn:4d}   "
        f"{_percent(score.precision)} {_ends(score.precision_interval)} "
        f"{_percent(score.recall)} {_ends(score.recall_interval)} "
        f"{_percent(score.f1)} {_percent(result.date_accuracy)} {_percent(result.time_accuracy)} {pace}"
    )


def _percent(share: float | None) -> str:
    return f"{'–':>6}" if share is None else f"{100 * share:6.2f}"


def _ends(interval: tuple[float, float] | None) -> str:
    return f"{'':15}" if interval is None else f"({100 * interval[0]:.2f}–{100 * interval[1]:.2f})".ljust(15)


def _calibration(total: Evaluation) -> str:
    error = f"calibration: expected error {total.calibration_error:.4f} (15 bins)"
    if total.sure_from is None:
        return f"{error}; precision is 99.9 % from no confidence on"
    share = _percent(total.share_sure).strip()
    return f"{error}; precision is at least 99.9 % from {total.sure_from:.4f} on, which holds {share} % of all NAMs"


COLUMNS = (
    "finder", "document", "kind", "page", "error", "nam", "proposed", "printed", "read", "confidence", "found_by",
    "name_check", "visit", "proposed_visit",
)  # fmt: skip


def write_errors(file: Path, finders: dict[str, Results]) -> None:
    """Every error of every finder as CSV, with the NAMs in clear."""
    with file.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(COLUMNS)
        for finder, results in finders.items():
            writer.writerows(_error_rows(finder, results.values()))


def _error_rows(finder: str, results: Iterable[Measured]) -> Iterator[tuple[Any, ...]]:
    for result in results:
        name = result.document.name
        for error in result.errors:
            yield (finder, name, kind_of(name), *_sides(error, result.pages))


def _sides(error: Error, pages: Iterable[Page]) -> tuple[Any, ...]:
    """What is true and what was proposed; of a missed NAM, the words that were read where it is printed."""
    known, ours = error.known or UNKNOWN, error.proposed
    printed = (known.page, error.what, known.nam)
    visit = _visit(*known.visit)
    if ours is None:
        return (*printed, "", known.text, _words_at(known, pages), "", "", "", visit, "")
    proposed_visit = _visit(write_date(ours.visit_date), write_time(ours.visit_time))
    evidence = (f"{ours.confidence:.4f}", "+".join(ours.found_by), ours.checks.name)
    return (ours.page, error.what, known.nam, ours.nam, known.text, ours.text, *evidence, visit, proposed_visit)


def _words_at(known: Known, pages: Iterable[Page]) -> str:
    words = [word for page in pages if page.number == known.page for word in page.words]
    return " ".join(word.text for word in words if known.box and word.box.overlap(known.box) > 0)


def _visit(day: str | None, clock: str | None) -> str:
    return f"{day or '–'} {clock or '–'}"
