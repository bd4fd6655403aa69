"""Runs the chaos and prints a table. Exit status: 0 nothing lost, 1 something was, 2 usage, 3 it does not start here.

python -m tests.chaos [--seed N] [--rounds N] [--faults N] [--keep FOLDER] [NAME…]
python -m tests.chaos drill [--seconds N]
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import boto3
import psycopg
from botocore.config import Config

from tests.chaos import checker
from tests.chaos.documents import Known, known_set, uploads
from tests.chaos.drill import OPTIONS, Drill
from tests.chaos.driver import Client, Ledger, Reviewer, Uploader
from tests.chaos.faults import FAULTS
from tests.chaos.site import Site, site

RECOVERY_SECONDS = 120.0
"""The bar: from the end of the last fault until everything accepted is over and every person has an answer."""
GIVE_UP_SECONDS = 600.0
APART = (0.3, 3.0)
"""Seconds between two faults of a round, which overlap."""
UPLOAD_PAUSE = 0.4
DRILL = "drill"


@dataclass
class Tally:
    """Of one fault: how often, and the longest recovery of a round that it was in."""

    times: int = 0
    longest: float = 0.0


@dataclass
class Chaos:
    """One run: the people at work, and what came of each round."""

    site: Site
    known: list[Known]
    chance: random.Random
    ledger: Ledger = field(default_factory=Ledger)
    tallies: dict[str, Tally] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @property
    def clinic(self) -> UUID:
        return UUID(self.site.people["staff"]["clinic"])

    def calm(self) -> dict[str, checker.Outcome]:
        """What an undisturbed run makes of each document: in the same clinic, because the index of a number is keyed by
        it, and before the first fault."""
        ledger = Ledger()
        uploader = Uploader(Client(self.site, "staff", ledger), iter(()), ledger, 0)
        for number, known in enumerate(self.known):
            uploader.upload(known, known.copy(1_000_000 + number))
        self.wait_until_over(GIVE_UP_SECONDS)
        with closing(self.site.cluster.connect()) as connection:
            there = checker.outcomes(connection, self.clinic)
        self.ledger.documents |= ledger.documents
        return {known.name: there[document] for document, known in ledger.documents.items()}

    def wait_until_over(self, seconds: float, and_until: Callable[[], bool] = lambda: True) -> float:
        """Seconds until nothing accepted is unfinished."""
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            with suppress(psycopg.Error), closing(self.site.cluster.connect()) as connection:
                if and_until() and not checker.unfinished(connection, self.clinic):
                    return time.monotonic() - began
            time.sleep(0.25)
        return seconds

    def round(self, number: int, names: list[str], people: list[Uploader | Reviewer]) -> None:
        """Some faults that overlap, with people at work; then rest until everything is over."""
        for each in people:
            each.is_resting.clear()
            each.is_idle.clear()
        time.sleep(self.chance.uniform(1.0, 3.0))
        threads = []
        for name in names:
            chance = random.Random(self.chance.random())  # noqa: S311 - repeatable on purpose
            threads.append(threading.Thread(target=self._act, args=(name, chance), name=name))
            threads[-1].start()
            time.sleep(self.chance.uniform(*APART))
        for thread in threads:
            thread.join()
        for each in people:
            each.is_resting.set()
        seconds = self.wait_until_over(GIVE_UP_SECONDS, lambda: all(each.is_idle.is_set() for each in people))
        for name in names:
            tally = self.tallies.setdefault(name, Tally())
            tally.times += 1
            tally.longest = max(tally.longest, seconds)
        if seconds > RECOVERY_SECONDS:
            self.problems.append(f"round {number} ({', '.join(names)}): recovered after {seconds:.0f} s")
        print(f"round {number:3}  {seconds:5.1f} s  {len(self.ledger.documents):4} documents  "
              f"{len(self.ledger.made):4} decisions  {' '.join(names)}", flush=True)  # fmt: skip

    def _act(self, name: str, chance: random.Random) -> None:
        try:
            FAULTS[name](self.site, chance, time.sleep)
        except Exception as error:
            self.site.supervisor.errors.append(f"{name}: {error!r}")

    def check(self, calm: dict[str, checker.Outcome], *, folders: list[Path]) -> Iterator[str]:
        yield from self.problems
        yield from self.site.supervisor.errors
        yield from self.ledger.unexpected
        with closing(self.site.cluster.connect()) as connection:
            there = checker.outcomes(connection, self.clinic)
            events = checker.events(connection, self.clinic)
            accepted = {document: known.name for document, known in self.ledger.documents.items()}
            yield from checker.document_problems(accepted, there, calm)
            yield from checker.decision_problems(self.ledger.made, checker.decisions(connection, self.clinic), events)
            yield from checker.journal_problems(connection, accepted, events)
        keys = {each.name for each in (self.site.folder / "keys" / "keys").iterdir()}
        yield from checker.file_problems(there, keys, set(self._bodies()))
        verdict = self.site.manage("audit_verify", check=False)
        if " 0 problems" not in verdict:
            yield f"audit_verify: {verdict.strip()[-500:]}"
        secrets = [secret for known in self.known for secret in known.secrets]
        yield from checker.readable(folders, secrets, scratch=Path(tempfile.gettempdir()))
        pages = [page for outcome in there.values() for page in outcome.pages]
        print("failed with a reason:", dict(Counter(each.error for each in there.values() if each.status == "failed")))
        print("unread pages:", dict(Counter(page.error for page in pages if page.state == "unread")))
        print("without the model:", dict(Counter(page.model_error for page in pages if page.model_error)))

    def _bodies(self) -> Iterator[str]:
        client = boto3.client(
            "s3",
            endpoint_url=self.site.envs["direct"]["AWS_ENDPOINT_URL"],
            region_name="ca-central-1",
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
            config=Config(s3={"addressing_style": "path"}),
        )
        for page in client.get_paginator("list_objects_v2").paginate(Bucket="documents", Prefix="files/"):
            yield from (each["Key"].rpartition("/")[2] for each in page.get("Contents", ()))


def schedule(chance: random.Random, names: list[str], rounds: int, faults: int) -> Iterator[list[str]]:
    """Every fault comes once before any comes twice."""
    bag: list[str] = []
    for _ in range(rounds):
        chosen = []
        while len(chosen) < faults:
            if not bag:
                bag = chance.sample(names, len(names))
            chosen.append(bag.pop())
        yield chosen


def run(made: Site, known: list[Known], arguments: argparse.Namespace) -> list[str]:
    chaos = Chaos(made, known, random.Random(arguments.seed))  # noqa: S311 - repeatable on purpose
    calm = chaos.calm()
    documents = uploads(known)
    people: list[Uploader | Reviewer] = [
        Uploader(Client(made, "staff", chaos.ledger), documents, chaos.ledger, UPLOAD_PAUSE),
        Reviewer(Client(made, "reviewer", chaos.ledger), chaos.ledger, arguments.seed),
    ]
    for each in people:
        each.start()
    deadline = time.monotonic() + 60 * arguments.minutes
    for number, names in enumerate(
        schedule(chaos.chance, arguments.names or list(FAULTS), arguments.rounds, arguments.faults), 1
    ):
        chaos.round(number, names, people)
        if time.monotonic() > deadline:
            break
    for each in people:
        each.is_over.set()
        each.join(60)
    problems = list(chaos.check(calm, folders=[made.folder, made.cluster.folder]))
    _report(chaos)
    return problems


def _report(chaos: Chaos) -> None:
    print("\n| fault | times | longest recovery (s) |\n|---|---|---|")
    for name, tally in sorted(chaos.tallies.items()):
        print(f"| {name} | {tally.times} | {tally.longest:.1f} |")
    ledger = chaos.ledger
    faults = sum(tally.times for tally in chaos.tallies.values())
    print(f"\n{faults} faults, {len(ledger.documents)} documents, {len(ledger.made)} decisions and sign-offs")
    print(f"{ledger.refused} refused, {ledger.attempts} requests")
    print("answers that were none:", dict(sorted(ledger.errors.items())))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description="Loses nothing, or says what.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--faults", type=int, default=6, help="of one round")
    parser.add_argument("--keep", type=Path, help="an empty folder for logs, which stays")
    parser.add_argument("--minutes", type=float, default=600.0, help="after which no round begins")
    parser.add_argument("--seconds", type=float, default=60.0, help="for which people work before the drill's disaster")
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these faults: " + " ".join(FAULTS))
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - {DRILL, *FAULTS}:
        parser.error(f"unknown: {' '.join(sorted(unknown))}")
    return arguments


def main() -> int:
    arguments = _arguments()
    folder = arguments.keep or Path(tempfile.mkdtemp(prefix="namsite-chaos-"))
    folder.mkdir(parents=True, exist_ok=True)
    known, originals = known_set()
    try:
        if DRILL in arguments.names:
            with site(folder, originals, OPTIONS) as made:
                problems = list(Drill(made, known).run(arguments.seconds))
        else:
            with site(folder, originals) as made:
                problems = run(made, known, arguments)
    finally:
        if not arguments.keep:
            shutil.rmtree(folder, ignore_errors=True)
    for problem in problems:
        print("LOST:", problem)
    print(f"seed {arguments.seed}: {len(problems)} problems")
    return int(bool(problems))


if __name__ == "__main__":
    os.environ.setdefault("ENV_FILE", os.devnull)
    sys.exit(main())
