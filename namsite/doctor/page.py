"""What the probes said, as a page for people and as JSON for programs."""

from __future__ import annotations

import shutil
import textwrap
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, Final

from namsite.doctor.probes import Result, Section, State

STATUS: Final = {State.BROKEN: 1, State.TO_DO: 2}
USAGE: Final = 3
COLOURS: Final = {State.OK: "32", State.TO_DO: "33", State.BROKEN: "31;1", State.NOT_USED: "2"}
LEAST_WIDTH, MOST_WIDTH = 60, 110

TITLES: Final = {
    Section.SETTINGS: "What is configured",
    Section.SERVICES: "What is reachable",
    Section.REGION: "Where it lies",
    Section.PATCHES: "What is patched",
    Section.ENCRYPTION: "What is encrypted",
    Section.BACKUPS: "What is backed up",
    Section.JOURNAL: "Whether the journal can be believed",
    Section.UPKEEP: "What happens by itself",
    Section.HOST: "The host",
}


def worst(states: Iterable[State]) -> State:
    """Broken before to do before ok; what is not used weighs nothing, unless nothing else is there."""
    found = set(states)
    return next((each for each in (State.BROKEN, State.TO_DO, State.OK) if each in found), State.NOT_USED)


def status(results: Iterable[Result]) -> int:
    """The exit status: 0 all well, 1 something is broken, 2 something is to do."""
    return STATUS.get(worst(result.outcome.state for result in results), 0)


def as_json(results: Sequence[Result], moment: datetime) -> dict[str, Any]:
    return {
        "at": moment.isoformat(timespec="seconds"),
        "status": status(results),
        "probes": [
            {
                "section": result.section.value,
                "name": result.name,
                "state": result.outcome.state.value,
                "sentence": result.outcome.sentence,
                "next_step": result.outcome.next_step,
                "seconds": round(result.seconds, 3),
            }
            for result in results
        ],
    }


def as_text(results: Sequence[Result], *, title: str = "", coloured: bool) -> str:
    """The page, section by section or all under one title, and at its end what to do, the broken first."""
    width = max(LEAST_WIDTH, min(MOST_WIDTH, shutil.get_terminal_size().columns))
    names = max((len(result.name) for result in results), default=0)
    lines: list[str] = []
    for heading, group in groupby(results, key=lambda result: title or TITLES[result.section]):
        lines += ["", heading]
        for result in group:
            lines += _lines(result.outcome.state, result.name, result.outcome.sentence, names, width, coloured=coloured)
    return "\n".join([*lines[1:], *_next_steps(results, width), "", summary(results)])


def _lines(state: State, name: str, sentence: str, names: int, width: int, *, coloured: bool) -> list[str]:
    mark = f"{state.value:<8}"
    shown = f"\033[{COLOURS[state]}m{mark}\033[0m" if coloured else mark
    indent = 2 + len(mark) + 2 + names + 2
    first, *rest = textwrap.wrap(sentence, max(20, width - indent), break_on_hyphens=False) or [""]
    return [f"  {shown}  {name:<{names}}  {first}", *(" " * indent + line for line in rest)]


def _next_steps(results: Sequence[Result], width: int) -> list[str]:
    lines: list[str] = []
    wrong = [
        result
        for state in (State.BROKEN, State.TO_DO)
        for result in results
        if result.outcome.state is state and result.outcome.next_step
    ]
    for number, result in enumerate(wrong, start=1):
        lead = f"  {number:>2}. "
        step = f"{result.name}: {result.outcome.next_step}"
        lines += textwrap.wrap(
            step, width, initial_indent=lead, subsequent_indent=" " * len(lead), break_on_hyphens=False,
            break_long_words=False,
        )  # fmt: skip
    return ["", "What to do next", *lines] if lines else []


def summary(results: Iterable[Result]) -> str:
    """One line: how many are in which state."""
    count = Counter(result.outcome.state for result in results)
    return ", ".join(f"{count[state]} {state.value}" for state in State) + "."
