"""Fits the weights of the confidence to documents with known truth, and refuses what is worse than the present ones."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from extraction import offline
from extraction.calibration import Fitness, Sample, examples, fit, measure_by_layout, reliability, split
from extraction.calibration import measure as measure_fitness
from extraction.errors import ExtractionError
from extraction.evaluation import kind_of
from extraction.finders import confidence
from extraction.finders.confidence import Weights, present_weights
from extraction.measurement import Measured, NotATruth, labelled, measure

WORSE, USAGE, UNAVAILABLE = 1, 2, 3
FILE = Path(confidence.__file__).with_name("confidence.json")


class Command(BaseCommand):
    """`manage.py fit_confidence DIR... [--write] [--finder F] [--jobs N]`.

    Needs no database. Exit status: 0 done, 1 the fit is worse on held-out documents, 2 usage, 3 a service is down.
    """

    help = "Fits the confidence to every NAME.pdf with NAME.json in DIR..., and measures it on a fourth held out."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folders", nargs="+", type=Path, metavar="DIR")
        parser.add_argument("--write", action="store_true", help="replace the weights, unless the fit is worse")
        parser.add_argument("--finder", choices=offline.FINDERS, default="hybrid", help="as for manage.py extract")
        parser.add_argument("--jobs", type=int, default=2, metavar="N", help="documents at once (2)")

    def handle(self, *, folders: list[Path], write: bool, finder: str, jobs: int, **_options: Any) -> None:
        offline.quiet()
        samples = self._samples(folders, finder=finder, jobs=jobs)
        present, (to_fit, held_out) = present_weights(), split(samples)
        try:
            fitted = fit(to_fit, present)
            before, after = measure_fitness(held_out, present), measure_fitness(held_out, fitted)
            by_layout = measure_by_layout(samples, present)
        except ValueError as error:
            self._stop(str(error), USAGE)
        rows = {"held out, present": before, "held out, fitted": after, "each layout by the others": by_layout}
        self.stdout.write("\n".join(report(samples, rows, fitted, held_out)))
        if after.is_worse_than(before):
            self._stop("the fit is worse than the present weights on held-out documents; nothing was written", WORSE)
        if write:
            save(FILE, fitted, provenance(to_fit, after, by_layout))
            self.stdout.write(f"\n{FILE.name} written.")

    def _samples(self, folders: Sequence[Path], *, finder: str, jobs: int) -> list[Sample]:
        """What is proposed on every document, beside its truth."""
        try:
            documents = [document for folder in folders for document in labelled(folder)]
            works = {finder: offline.plan(reader="auto", finder=finder)}
            with ThreadPoolExecutor(max(1, jobs)) as threads:
                measured = threads.map(partial(measure, works=works), documents)
                return [sample(each[finder]) for each in measured]
        except NotATruth as error:
            self._stop(f"{error} is not a list of NAMs with pages", USAGE)
        except ExtractionError as error:
            self._stop(f"{error.code}: {error.sentence}", UNAVAILABLE)

    def _stop(self, reason: str, status: int) -> NoReturn:
        self.stderr.write(f"fit_confidence: {reason}")
        sys.exit(status)


def sample(measured: Measured) -> Sample:
    """What a measured document teaches."""
    result = measured.evaluation
    return Sample(measured.document.name, tuple(examples(result.outcomes)), result.score.tp + result.score.fn)


def report(
    samples: Sequence[Sample], rows: Mapping[str, Fitness], fitted: Weights, held_out: Sequence[Sample]
) -> Iterator[str]:
    """The lines that are printed: what was learned from, the losses, the reliability of the fit, its weights."""
    wrong = sum(not example.is_true for each in samples for example in each.examples)
    count = sum(len(each.examples) for each in samples)
    yield f"{len(samples)} documents, {count} proposals, {wrong} of them wrong"
    yield f"\n{'':26} proposals  wrong  log loss  calibration error  99.9 % from  NAMs from there"
    for name, row in rows.items():
        sure, share = ("–" if value is None else f"{value:.4f}" for value in (row.sure_from, row.share_sure))
        yield (
            f"{name:26} {row.proposals:9d} {row.proposals - row.right:6d} {row.log_loss:9.4f} "
            f"{row.calibration_error:18.4f} {sure:>12} {share:>16}"
        )
    yield "\nheld out, fitted: confidence from  proposals  mean confidence  share right"
    for row_ in reliability(held_out, fitted):
        yield f"{row_.low:33.3f} {row_.proposals:10d} {row_.confidence:16.4f} {row_.right:12.4f}"
    yield "\nweights"
    yield from (f"{name:32} {weight:8.4f}" for name, weight in fitted.to_json()["weights"].items())


def provenance(samples: Sequence[Sample], held_out: Fitness, by_layout: Fitness) -> dict[str, Any]:
    """What weights say of where they come from. No name of a document: those of real ones may name people."""
    from extraction.corpus.documents import KINDS

    kinds = {kind_of(each.name) for each in samples} & set(KINDS)
    parts = [kind.partition("-") for kind in kinds]
    seeds = sorted(int(each.people) for each in samples if kind_of(each.name) in KINDS)
    return {
        "on": timezone.localdate().isoformat(),
        "documents": len(samples),
        "nams": sum(each.nams for each in samples),
        "proposals": sum(len(each.examples) for each in samples),
        "layouts": " ".join(sorted({layout for layout, _, _ in parts})),
        "degradations": " ".join(sorted({degradation for _, _, degradation in parts if degradation})),
        "seeds": f"{seeds[0]} to {seeds[-1]}" if seeds else "",
        "not_synthetic": len(samples) - len(seeds),
        "held_out": held_out.to_json(),
        "each_layout_by_the_others": by_layout.to_json(),
    }


def save(file: Path, weights: Weights, fitted: dict[str, Any]) -> None:
    """Write the weights with their provenance, under a version that no other weights have."""
    body = json.dumps(weights.to_json()["weights"])
    version = f"{fitted['on']}-{hashlib.sha256(body.encode()).hexdigest()[:6]}"
    named = replace(weights, version=version, provenance=fitted)
    file.write_text(json.dumps(named.to_json(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
