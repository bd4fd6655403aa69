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
from typing import Any, Literal, NoReturn

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from extraction import offline
from extraction.calibration import (
    Fitness,
    Sample,
    Trial,
    attempt,
    examples,
    measure_by_layout,
    reliability,
    split,
)
from extraction.errors import ExtractionError
from extraction.evaluation import kind_of
from extraction.finders import confidence
from extraction.finders.confidence import Weights, present_weights
from extraction.measurement import Measured, NotATruth, labelled, measure

WORSE, USAGE, UNAVAILABLE = 1, 2, 3
FILE = Path(confidence.__file__).with_name("confidence.json")


class Command(BaseCommand):
    """`manage.py fit_confidence DIR... [--write] [--finder F] [--jobs N]`.

    Needs no database. Exit status: 0 done, 1 the fit is worse on held-out documents, 2 usage, 3 a service is down or
    the weights cannot be written.
    """

    name = "fit_confidence"
    help = "Fits the confidence to every NAME.pdf with NAME.json in DIR..., and measures it on a fourth held out."
    requires_system_checks: tuple[str, ...] | Literal["__all__"] = ()
    folders = "+"
    """How many there must be, as argparse says it."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folders", nargs=self.folders, type=Path, metavar="DIR")
        parser.add_argument("--write", action="store_true", help="replace the weights, unless the fit is worse")
        parser.add_argument("--finder", choices=offline.FINDERS, default="hybrid", help="as for manage.py extract")
        parser.add_argument("--jobs", type=int, default=2, metavar="N", help="documents at once (2)")

    def handle(self, *, folders: list[Path], write: bool, finder: str, jobs: int, **_options: Any) -> None:
        offline.quiet()
        to_fit, held_out = split(self.samples(folders, finder=finder, jobs=jobs))
        self.fit(to_fit, {"documents": held_out}, write=write)

    def fit(self, to_fit: Sequence[Sample], held_out: Mapping[str, Sequence[Sample]], *, write: bool) -> None:
        """Prints what a fit gives, stops if it is worse on anything that is held out, and writes it if asked to."""
        present, apart = present_weights(), [sample for samples in held_out.values() for sample in samples]
        try:
            trial = attempt(to_fit, held_out, present)
            by_layout = measure_by_layout([*to_fit, *apart], present)
        except ValueError as error:
            self.stop(str(error), USAGE)
        self.stdout.write("\n".join(report([*to_fit, *apart], trial, by_layout, apart)))
        if trial.refusal:
            self.stop(f"{trial.refusal}; nothing was written", WORSE)
        if write:
            try:
                save(FILE, trial.fitted, provenance(to_fit, trial.after, by_layout))
            except OSError:
                self.stop(f"{FILE} cannot be written by this user; nothing was written", UNAVAILABLE)
            self.stdout.write(f"\n{FILE.name} written.")

    def samples(self, folders: Sequence[Path], *, finder: str, jobs: int) -> list[Sample]:
        """What is proposed on every document, beside its truth."""
        try:
            documents = [document for folder in folders for document in labelled(folder)]
            works = {finder: offline.plan(reader="auto", finder=finder)}
            with ThreadPoolExecutor(max(1, jobs)) as threads:
                measured = threads.map(partial(measure, works=works), documents)
                return [sample(each[finder]) for each in measured]
        except NotATruth as error:
            self.stop(f"{error} is not a list of NAMs with pages", USAGE)
        except ExtractionError as error:
            self.stop(f"{error.code}: {error.sentence}", UNAVAILABLE)

    def stop(self, reason: str, status: int) -> NoReturn:
        """Ends the command with one line that says why."""
        self.stderr.write(f"{self.name}: {reason}")
        sys.exit(status)


def sample(measured: Measured) -> Sample:
    """What a measured document teaches: hints too, so that the weights are not fitted to half of the range."""
    result = measured.weighed
    return Sample(measured.document.name, tuple(examples(result.outcomes)), result.score.tp + result.score.fn)


def report(samples: Sequence[Sample], trial: Trial, by_layout: Fitness, held_out: Sequence[Sample]) -> Iterator[str]:
    """The lines that are printed: what was learned from, the losses, the reliability of the fit, its weights."""
    wrong = sum(not example.is_true for each in samples for example in each.examples)
    count = sum(len(each.examples) for each in samples)
    yield f"{len(samples)} documents, {count} proposals, {wrong} of them wrong"
    yield f"\n{'':36} proposals  wrong  log loss  calibration error  99.9 % from  NAMs from there"
    for name, row in measures(trial, by_layout):
        sure, share = ("–" if value is None else f"{value:.4f}" for value in (row.sure_from, row.share_sure))
        yield (
            f"{name:36} {row.proposals:9d} {row.proposals - row.right:6d} {row.log_loss:9.4f} "
            f"{row.calibration_error:18.4f} {sure:>12} {share:>16}"
        )
    yield "\nheld out, fitted: confidence from  proposals  mean confidence  share right"
    for row_ in reliability(held_out, trial.fitted):
        yield f"{row_.low:33.3f} {row_.proposals:10d} {row_.confidence:16.4f} {row_.right:12.4f}"
    yield "\nweights"
    yield from (f"{name:32} {weight:8.4f}" for name, weight in trial.fitted.to_json()["weights"].items())


def measures(trial: Trial, by_layout: Fitness) -> Iterator[tuple[str, Fitness]]:
    """The rows of the table of losses."""
    for called, after in trial.after.items():
        yield f"held-out {called}, present", trial.before[called]
        yield f"held-out {called}, fitted", after
    yield "each layout by the others", by_layout


def provenance(samples: Sequence[Sample], held_out: Mapping[str, Fitness], by_layout: Fitness) -> dict[str, Any]:
    """What weights say of where they come from. No name of a document: those of real ones may name people.

    `held_out` is of the first of what is held out, and every other has a line of its own.
    """
    from extraction.corpus.documents import KINDS

    kinds = {kind_of(each.name) for each in samples} & set(KINDS)
    parts = [kind.partition("-") for kind in kinds]
    (_, first), *others = held_out.items()
    reviewed = [each for each in samples if each.is_reviewed]
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
        "reviewed": {"documents": len(reviewed), "findings": sum(len(each.examples) for each in reviewed)},
        "held_out": first.to_json(),
        **{f"held_out_{called.replace(' ', '_')}": fitness.to_json() for called, fitness in others},
        "each_layout_by_the_others": by_layout.to_json(),
    }


def save(file: Path, weights: Weights, fitted: dict[str, Any]) -> None:
    """Write the weights with their provenance, under a version that no other weights have."""
    body = json.dumps(weights.to_json()["weights"])
    version = f"{fitted['on']}-{hashlib.sha256(body.encode()).hexdigest()[:6]}"
    named = replace(weights, version=version, provenance=fitted)
    part = file.with_suffix(".part")
    part.write_text(json.dumps(named.to_json(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    part.replace(file)
