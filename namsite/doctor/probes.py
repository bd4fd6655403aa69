"""What a probe is, and how probes are run: one after another, each for a limited time, and none ever raises."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from typing import Final

from django.db import connections
from django.utils import translation

SECONDS: Final = 10.0
"""For one probe, unless it says otherwise."""


class Section(StrEnum):
    """In the order of the page."""

    SETTINGS = "settings"
    SERVICES = "services"
    REGION = "region"
    PATCHES = "patches"
    ENCRYPTION = "encryption"
    BACKUPS = "backups"
    JOURNAL = "journal"
    UPKEEP = "upkeep"
    HOST = "host"


class State(StrEnum):
    OK = "ok"
    TO_DO = "to do"
    BROKEN = "broken"
    NOT_USED = "not used"


@dataclass(frozen=True, slots=True)
class Outcome:
    """`name` is given where one probe says several things, such as the ids of the system checks.

    `next_step` is empty where there is none of its own: all is well, or another probe's is to be taken first.
    """

    state: State
    sentence: str
    next_step: str = ""
    name: str = ""


def ok(sentence: str) -> Outcome:
    return Outcome(State.OK, sentence)


def to_do(sentence: str, next_step: str) -> Outcome:
    return Outcome(State.TO_DO, sentence, next_step)


def broken(sentence: str, next_step: str) -> Outcome:
    return Outcome(State.BROKEN, sentence, next_step)


def not_used(sentence: str) -> Outcome:
    return Outcome(State.NOT_USED, sentence)


Look = Callable[[], Outcome | Sequence[Outcome]]


@dataclass(frozen=True, slots=True)
class Probe:
    """`needs` names probes without which this one cannot look: where one of them is broken, it is not run."""

    name: str
    section: Section
    look: Look
    needs: tuple[str, ...] = ()
    seconds: float = SECONDS


@dataclass(frozen=True, slots=True)
class Result:
    """What one look said, under the name of its probe; `seconds` is how long the look took."""

    probe: str
    section: Section
    outcome: Outcome
    seconds: float

    @property
    def name(self) -> str:
        return self.outcome.name or self.probe


MODULES: Final = (
    "configuration", "services", "region", "patches", "encryption", "backups", "journal", "upkeep", "host"
)  # fmt: skip

_probes: dict[str, Probe] = {}


def probe(
    name: str, section: Section, *, needs: tuple[str, ...] = (), seconds: float = SECONDS
) -> Callable[[Look], Look]:
    """Makes a function a probe. Names are unique, and automation knows them: they stay as they are."""

    def add(look: Look) -> Look:
        _probes[name] = Probe(name, section, look, needs, seconds)
        return look

    return add


def every() -> list[Probe]:
    """All probes, in the order of the page."""
    for module in MODULES:
        import_module(f"namsite.doctor.{module}")
    sections = list(Section)
    return sorted(_probes.values(), key=lambda each: sections.index(each.section))


def examine(wanted: Iterable[Probe], *, known: Sequence[Probe] | None = None) -> Iterator[Result]:
    """What the wanted probes say, in their order. Raises nothing.

    What a wanted probe needs is run first and left out of the answer unless it is wanted itself. `known` are all probes
    there are.
    """
    by_name = {each.name: each for each in (every() if known is None else known)}
    done: dict[str, list[Result]] = {}
    for each in wanted:
        yield from _examined(each, by_name, done)


def _examined(wanted: Probe, by_name: dict[str, Probe], done: dict[str, list[Result]]) -> list[Result]:
    if wanted.name not in done:
        for name in wanted.needs:
            results = _examined(by_name[name], by_name, done)
            if any(result.outcome.state is State.BROKEN for result in results):
                missing = Outcome(State.BROKEN, f"Could not be looked at: {name} is broken.")
                done[wanted.name] = [Result(wanted.name, wanted.section, missing, 0.0)]
                break
        else:
            done[wanted.name] = _run(wanted)
    return done[wanted.name]


def _run(wanted: Probe) -> list[Result]:
    """In a thread of its own, because nothing ends a call that waits for a name server or a dead disk of another host:
    it is left behind, and ends with the process."""
    said: list[Outcome] = []
    thread = threading.Thread(target=_look, args=(wanted, said), name=wanted.name, daemon=True)
    began = time.perf_counter()
    thread.start()
    thread.join(wanted.seconds)
    seconds = time.perf_counter() - began
    if thread.is_alive():
        sentence = f"No answer within {wanted.seconds:.0f} seconds."
        said = [broken(sentence, "Look whether what is asked here is reachable.")]
    return [Result(wanted.name, wanted.section, outcome, seconds) for outcome in said]


def _look(wanted: Probe, said: list[Outcome]) -> None:
    try:
        with translation.override("en"):  # As commands speak; a language is a thread's own.
            found = wanted.look()
        said.extend([found] if isinstance(found, Outcome) else found)
    except Exception as error:  # Its text may quote anything; its kind does not.
        said.append(broken(f"The look broke off ({type(error).__name__}).", "Look at the logs of the service it asks."))
    finally:
        connections.close_all()  # This thread's own.


@contextmanager
def quiet() -> Iterator[None]:
    """What a probe finds is on the page; the log lines that led to it would stand between its lines."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
