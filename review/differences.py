"""Two extractions of one document, difference by difference. Pure: numbers in, differences out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from extraction.page import Box

CONFIDENCE_STEP = 0.01
"""Confidences that lie closer together are the same to a reader."""

Field = Literal["day", "clock", "place", "confidence"]
Right = Literal["first", "second", "neither"]


class Visit(NamedTuple):
    """A number with its visit, as it was proposed or decided."""

    nam: str
    day: str | None
    clock: str | None


class Proposed(NamedTuple):
    """A proposal of a run. `day` and `clock` are None where nobody knows them."""

    nam: str
    day: str | None
    clock: str | None
    box: Box
    confidence: float


@dataclass(frozen=True, slots=True)
class Difference:
    """A number of one page that only one run proposes, or that both do with other `fields`.

    `right` says which run has it as the signed page has it; None where the page is not signed, or where place and
    confidence are all that differs. A run that does not propose what does not stand there is right.
    """

    page: int
    first: Proposed | None
    second: Proposed | None
    fields: tuple[Field, ...] = ()
    right: Right | None = None

    @property
    def _either(self) -> Proposed:
        either = self.first or self.second
        if either is None:
            raise ValueError("a difference is of something")
        return either

    @property
    def nam(self) -> str:
        return self._either.nam

    @property
    def place(self) -> tuple[float, float]:
        """Where it stands in reading order."""
        return self._either.box.y0, self._either.box.x0


def between(
    first: Mapping[int, Sequence[Proposed]],
    second: Mapping[int, Sequence[Proposed]],
    truth: Mapping[int, Sequence[Visit]],
) -> list[Difference]:
    """By page and place. All three are by page; `truth` has the signed pages, those without a number too."""
    found: list[Difference] = []
    for page in sorted({*first, *second}):
        on_page = _on_page(page, first.get(page, ()), second.get(page, ()), truth.get(page))
        found += sorted(on_page, key=lambda difference: difference.place)
    return found


def _on_page(
    page: int, first: Sequence[Proposed], second: Sequence[Proposed], truth: Sequence[Visit] | None
) -> Iterator[Difference]:
    ours, theirs = _by_number(first), _by_number(second)
    for number in ours | theirs:
        left = [visit for visit in truth or () if visit.nam == number]
        pairs, alone, alone_there = _paired(ours.get(number, []), theirs.get(number, []))
        for one, other in pairs:
            true, fields = _take(left, one, other), _fields(one, other)
            if fields:
                yield Difference(
                    page, one, other, fields, _visit_right(fields, one, other, true) if truth is not None else None
                )
        for one in alone:
            stands = _take(left, one) is not None
            yield Difference(page, one, None, (), _right(stands, "first", "second") if truth is not None else None)
        for other in alone_there:
            stands = _take(left, other) is not None
            yield Difference(page, None, other, (), _right(stands, "second", "first") if truth is not None else None)


def _right(stands: bool, who_has_it: Right, who_has_not: Right) -> Right:
    return who_has_it if stands else who_has_not


def _by_number(proposals: Sequence[Proposed]) -> dict[str, list[Proposed]]:
    found: dict[str, list[Proposed]] = defaultdict(list)
    for proposal in proposals:
        found[proposal.nam].append(proposal)
    return dict(found)


def _paired(
    first: Sequence[Proposed], second: Sequence[Proposed]
) -> tuple[list[tuple[Proposed, Proposed]], list[Proposed], list[Proposed]]:
    """Proposals of one number, each with its likest one of the other run; and those of either that have none."""
    left = list(second)
    pairs: list[tuple[Proposed, Proposed]] = []
    for one in first[: len(second)]:
        other = max(left, key=lambda each: (one.box.overlap(each.box), each.day == one.day, each.clock == one.clock))
        left.remove(other)
        pairs.append((one, other))
    return pairs, list(first[len(second) :]), left


def _fields(one: Proposed, other: Proposed) -> tuple[Field, ...]:
    checks: tuple[tuple[Field, bool], ...] = (
        ("day", one.day != other.day),
        ("clock", one.clock != other.clock),
        ("place", one.box.overlap(other.box) == 0),
        ("confidence", abs(one.confidence - other.confidence) >= CONFIDENCE_STEP),
    )
    return tuple(name for name, differs in checks if differs)


def _take(left: list[Visit], *proposals: Proposed) -> Visit | None:
    """Takes the true visit that is likest to one of the proposals out of those left; None when none is."""
    if not left:
        return None
    likest = max(
        left, key=lambda visit: max((each.day == visit.day) + (each.clock == visit.clock) for each in proposals)
    )
    left.remove(likest)
    return likest


def _visit_right(fields: Sequence[Field], one: Proposed, other: Proposed, true: Visit | None) -> Right | None:
    """Which of two has the date and time that stand there, as far as they differ."""
    if "day" not in fields and "clock" not in fields:
        return None
    if true is None:
        return "neither"
    known = (true.day if "day" in fields else None, true.clock if "clock" in fields else None)
    first, second = (
        (each.day if "day" in fields else None, each.clock if "clock" in fields else None) == known
        for each in (one, other)
    )
    if first:
        return "first"
    return "second" if second else "neither"
