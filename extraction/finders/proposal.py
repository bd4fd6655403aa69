"""What a finder returns for one page: proposed NAMs with their place and their evidence. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time
from typing import NamedTuple

from extraction.page import Box


class Checks(NamedTuple):
    """What holds of a value. `name` is None where no name stands near enough to compare with.

    A failed check means "a person looks first", never "rejected": cards exist that break every rule but the shape.
    """

    format: bool
    birth_date: bool
    check_character: bool
    name: bool | None

    @property
    def valid(self) -> bool:
        """Shape, birth date and check character hold."""
        return self.format and self.birth_date and self.check_character


class Repair(NamedTuple):
    """Another reading of the printed characters, offered to the reviewer and never applied in silence.

    `reason` is a closed code (`look_alike`, `check_character`, `name_nearby`, `second_look`, ...) that the interface
    translates; `score` orders the repairs of one proposal, best first, 0..1.
    """

    nam: str
    reason: str
    score: float


@dataclass(frozen=True, slots=True)
class Proposal:
    """One NAM on one page.

    `nam` is the normalised 12-character value that a reviewer is shown first, `text` what is printed there. `box` goes
    around the printed characters. `visit_date` and `visit_time` are None when the page does not say: unknown stays
    unknown. `found_by` holds "pattern", "model" or both.
    """

    nam: str
    page: int
    box: Box
    text: str
    visit_date: date | None
    visit_time: time | None
    found_by: tuple[str, ...]
    checks: Checks
    confidence: float
    repairs: tuple[Repair, ...] = ()
