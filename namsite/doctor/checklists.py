"""The planning document's three checklists (before a deployment, of the migration, of going back), item by item: which
probes answer it, or which command a person runs and reads.

Its machine in AWS is a host of the clinic's here, and its way back, another company's model, is one that no page may
take: a newcomer is rolled back to the model that was in service before (docs/rollout.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from namsite.doctor.page import worst
from namsite.doctor.probes import Outcome, Result, Section, State


class Checklist(StrEnum):
    DEPLOYMENT = "deployment"
    MIGRATION = "migration"
    ROLLBACK = "rollback"


@dataclass(frozen=True, slots=True)
class Item:
    """`probes` answer it; without any, a person runs `command`, which also says more where probes answer."""

    said: str
    probes: tuple[str, ...] = ()
    command: str = ""


ITEMS: Final[Mapping[Checklist, Sequence[Item]]] = {
    Checklist.DEPLOYMENT: (
        Item("The model's host runs and is healthy", ("model-server",)),
        Item("The model's service is enabled and started", ("model-server", "units")),
        Item(
            "The model is downloaded and loaded",
            ("model-server",),
            "sha256sum --check SHA256SUMS, in the model's folder",
        ),
        Item("The health address answers", ("model-server", "database")),
        Item("The application's code is up to date", ("packages", "migrations")),
        Item("The environment is configured", ("checks", "settings-file", "clinics")),
        Item("The tests pass", command="make test"),
        Item("Monitoring and logs are configured", ("mail", "scheduler", "alerts")),
        Item("A backup is verified", ("backup",)),
    ),
    Checklist.MIGRATION: (
        Item("The host has what it needs", ("disk", "clock", "packages", "python")),
        Item("Model downloaded, server tried", ("model-server",)),
        Item("Baseline measured", command="manage.py evaluate DIR --json, with documents of `manage.py make_corpus`"),
        Item("Code deployed, health checks pass", ("migrations", "database", "redis", "workers", "scheduler")),
        Item(
            "Tried with invented pages", ("local-reader", "textract", "file-store"), "manage.py extract FILE.pdf --json"
        ),
        Item("Monitoring and alerts set up", ("mail", "alerts", "scheduler")),
        Item("A small share first, then steps, watched", ("rollout",), "/models/ (docs/rollout.md)"),
        Item("No page leaves what the clinic controls", ("checks", "buckets", "sagemaker", "kms-keys")),
        Item("There is a way back", ("backup",), "deploy/GUIDE.en.md"),
    ),
    Checklist.ROLLBACK: (
        Item("The model in service answers, to go back to", ("model-server",)),
        Item("A newcomer is rolled back by itself", ("scheduler", "rollout"), "/models/ (docs/rollout.md)"),
        Item("Errors, accuracy, times, downtime: no trigger is reached", ("alerts",)),
        Item("The database fits the version that runs", ("migrations",)),
        Item("A backup from before can be restored", ("backup",), "deploy/GUIDE.en.md"),
        Item("Complaints of people", command="ask them: no command hears them"),
    ),
}


def needed(checklist: Checklist) -> set[str]:
    """The names of the probes that answer it."""
    return {name for item in ITEMS[checklist] for name in item.probes}


def answered(checklist: Checklist, results: Sequence[Result]) -> list[Result]:
    """One result for each item: as bad as the worst of its probes. What only a person can answer is to do."""
    return [_answer(item, [result for result in results if result.probe in item.probes]) for item in ITEMS[checklist]]


def _answer(item: Item, results: Sequence[Result]) -> Result:
    seconds = sum(result.seconds for result in results)
    if not results:
        outcome = Outcome(State.TO_DO, "For a person to say.", item.command)
        return Result(item.said, Section.SETTINGS, outcome, seconds)
    state = worst(result.outcome.state for result in results)
    said = next(result for result in results if result.outcome.state is state)
    sentence = f"{said.name}: {said.outcome.sentence}"
    return Result(item.said, said.section, Outcome(state, sentence, said.outcome.next_step or item.command), seconds)
