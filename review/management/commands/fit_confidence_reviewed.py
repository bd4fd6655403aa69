"""Fits the weights of the confidence to what reviewers decided, by the same rules as `manage.py fit_confidence`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from accounts.models import Clinic
from audit.record import JournalUnavailable
from extraction import offline
from extraction.calibration import Sample, split
from extraction.management.commands import fit_confidence
from extraction.management.commands.fit_confidence import UNAVAILABLE, USAGE
from review.samples import Period, Reviewed, read

TOO_FEW = 1
LEAST_FINDINGS = 400
"""Some twenty for every weight: fewer move weights by chance."""
LEAST_WRONG = 20
"""Fewer say too little of what makes a proposal wrong, which is all that a confidence is for."""
LEAST_WRONG_HELD_OUT = 5
"""Where nothing that is held out is wrong, the weights that are surest of everything look best."""


class Command(fit_confidence.Command):
    """`manage.py fit_confidence_reviewed [DIR...] [--held-out DIR] [--clinic NAME] [--since DAY] [--until DAY] ...`.

    Learns from the signed-off pages of the database, together with the labelled documents of DIR..., a proposal of
    either counting once. A fourth of the documents is held out, of reviewed ones by the hash of their id: always the
    same. Exit status: 0 done, 1 refused (the fit is worse on held-out documents, or there is too little to learn
    from), 2 usage, 3 a service or the journal is down.
    """

    name = "fit_confidence_reviewed"
    help = "Fits the confidence to reviewed pages and to the labelled documents of DIR..., unless that makes it worse."
    requires_system_checks = "__all__"
    folders = "*"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--held-out", action="append", type=Path, default=[], metavar="DIR", help="labelled documents to measure on"
        )
        parser.add_argument("--clinic", metavar="NAME", help="learn from this clinic alone")
        parser.add_argument("--since", type=date.fromisoformat, metavar="DAY", help="pages signed off on or after it")
        parser.add_argument("--until", type=date.fromisoformat, metavar="DAY", help="pages signed off on or before it")

    def handle(self, *, folders: list[Path], write: bool, finder: str, jobs: int, **options: Any) -> None:
        offline.quiet()
        reviewed = self.reviewed(options["clinic"], Period(options["since"], options["until"]))
        learned, apart = split(reviewed.samples)
        if reason := too_few(learned, apart):
            self.stop(f"{reason} (findings without witnesses: {reviewed.left_out}); nothing was written", TOO_FEW)
        labelled, measured = split(self.samples(folders, finder=finder, jobs=jobs))
        measured += self.samples(options["held_out"], finder=finder, jobs=jobs)
        self.stdout.write(f"{len(reviewed.samples)} reviewed documents; {reviewed.left_out} findings without witnesses")
        held_out: Mapping[str, Sequence[Sample]] = {"documents": measured} if measured else {}
        self.fit([*learned, *labelled], {**held_out, "reviewed documents": apart}, write=write)

    def reviewed(self, clinic: str | None, period: Period) -> Reviewed:
        """What was decided, in one clinic or in all of them."""
        clinics = Clinic.objects.all() if clinic is None else Clinic.objects.filter(name=clinic)
        if clinic is not None and not clinics.exists():
            self.stop("there is no clinic of this name", USAGE)
        try:
            return read(clinics, period)
        except JournalUnavailable:
            self.stop("the journal cannot be written, so nothing was read", UNAVAILABLE)


def too_few(learned: Sequence[Sample], held_out: Sequence[Sample]) -> str:
    """Why these reviewed documents are too few to learn from: a sentence, or "" if they are enough."""
    findings = sum(len(sample.examples) for sample in (*learned, *held_out))
    wrong, wrong_held_out = count_wrong((*learned, *held_out)), count_wrong(held_out)
    if findings < LEAST_FINDINGS:
        return f"{findings} reviewed findings are too few to set weights by: it takes {LEAST_FINDINGS}"
    if wrong < LEAST_WRONG:
        return f"{wrong} wrong proposals do not show what makes one wrong: it takes {LEAST_WRONG}"
    if wrong_held_out < LEAST_WRONG_HELD_OUT:
        return (
            f"{wrong_held_out} wrong proposals in the held-out documents cannot tell a good fit from one that is sure "
            f"of everything: it takes {LEAST_WRONG_HELD_OUT}"
        )
    return ""


def count_wrong(samples: Sequence[Sample]) -> int:
    return sum(not example.is_true for sample in samples for example in sample.examples)
