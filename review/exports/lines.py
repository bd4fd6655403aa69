"""The numbers of a document that may leave, and each of the others with the reason why it may not. Pure.

Nothing is dropped in silence: what is not in the file is in the list beside it. A rejected proposal is no number.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from extraction import nam


class Line(NamedTuple):
    """One number of one page. `day` (YYYY-MM-DD) and `clock` (HH:MM) are None where nobody knows them.

    `verdict` is a reviewer's, empty for a proposal that nobody decided on. Of a disputed page two reviewers say
    different things; a hidden one's decisions are not for the person who asks. A restricted number is masked.
    """

    page: int
    nam: str
    day: str | None
    clock: str | None
    verdict: str
    is_signed: bool
    is_disputed: bool = False
    is_hidden: bool = False
    is_restricted: bool = False

    @property
    def is_valid(self) -> bool:
        """Whether format, birth date and check character hold."""
        return all(nam.check(self.nam))


class Reason(StrEnum):
    """Why a number stays here; of several the first."""

    RESTRICTED = "restricted"
    HIDDEN = "hidden"
    UNDECIDED = "undecided"
    UNSIGNED = "unsigned"
    DISPUTED = "disputed"
    UNDATED = "undated"
    BEFORE_BIRTH = "before_birth"
    FAILED_CHECK = "failed_check"
    REPEATED = "repeated"


class Withheld(NamedTuple):
    """A number that stays here."""

    line: Line
    reason: Reason


@dataclass(frozen=True, slots=True)
class Selection:
    """What a person lets go out all the same: numbers that fail a check (real cards may), and repeated visits."""

    failed_checks: bool = False
    repeats: bool = False


@dataclass(frozen=True, slots=True)
class Sorted:
    """The lines of a document in the order of its pages: those that leave, and those that stay."""

    leaving: list[Line]
    staying: list[Withheld]


def sort_out(lines: Iterable[Line], selection: Selection = Selection()) -> Sorted:
    """Sorts `lines`, in the order of the pages. A visit is repeated if its number, day and time were there before."""
    found = Sorted([], [])
    seen: set[tuple[str, str | None, str | None]] = set()
    for line in lines:
        visit = line.nam, line.day, line.clock
        reason = _reason(line, selection)
        if reason is None and visit in seen and not selection.repeats:
            reason = Reason.REPEATED
        if reason is None:
            seen.add(visit)
            found.leaving.append(line)
        else:
            found.staying.append(Withheld(line, reason))
    return found


def _reason(line: Line, selection: Selection) -> Reason | None:
    born = None if line.is_restricted else nam.birth_date(line.nam)
    holds = {
        Reason.RESTRICTED: line.is_restricted,
        Reason.HIDDEN: line.is_hidden,
        Reason.UNDECIDED: not line.verdict,
        Reason.UNSIGNED: not line.is_signed,
        Reason.DISPUTED: line.is_disputed,
        Reason.UNDATED: line.day is None,
        Reason.BEFORE_BIRTH: line.day is not None and born is not None and line.day < born.isoformat(),
        Reason.FAILED_CHECK: not (line.is_restricted or line.is_valid or selection.failed_checks),
    }
    return next((reason for reason, is_so in holds.items() if is_so), None)
