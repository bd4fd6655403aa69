"""Two people's answers to one page, item by item. Pure.

A proposal is one item. Numbers that were added are paired by their value, those on the same place first, then by place
alone (two different readings of one print); what is left over stands alone: the other person saw no number there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from extraction.page import Box
from review.agreement import Agreement, Category

if TYPE_CHECKING:
    from uuid import UUID

SAME_PLACE = 0.3
"""Intersection over union from which two boxes drawn by hand are around the same print."""


class Said(NamedTuple):
    """One answer. `id` is its row's; `finding` and `proposed` (the proposed NAM) are None for an addition.

    `nam` is None where the proposal was rejected, `day` (YYYY-MM-DD) and `clock` (HH:MM) where nobody knows them.
    """

    id: UUID
    finding: UUID | None
    proposed: str | None
    nam: str | None
    day: str | None = None
    clock: str | None = None
    box: Box | None = None

    @property
    def category(self) -> Category:
        if self.finding is None:
            return Category.MISSING
        return Category.CORRECT if self.nam == self.proposed else Category.WRONG

    @property
    def visit(self) -> tuple[str | None, str | None, str | None]:
        """What the truth would be."""
        return self.nam, self.day, self.clock


@dataclass(frozen=True, slots=True)
class Pair:
    """What both say of one item; None is said by who saw no number there."""

    first: Said | None
    second: Said | None

    @property
    def categories(self) -> tuple[str, str]:
        one, other = (said.category if said else Category.ABSENT for said in (self.first, self.second))
        return str(one), str(other)

    @property
    def is_same(self) -> bool:
        """The same number, date and time; two rejections are the same whatever their reasons."""
        return self.first is not None and self.second is not None and self.first.visit == self.second.visit


def compare(first: Iterable[Said], second: Iterable[Said]) -> list[Pair]:
    """Every item once: the proposals in the order of `first`, then what was added."""
    first, second = list(first), list(second)
    theirs = {said.finding: said for said in second if said.finding is not None}
    pairs = [Pair(said, theirs.pop(said.finding, None)) for said in first if said.finding is not None]
    pairs += [Pair(None, said) for said in theirs.values()]
    return pairs + list(_added([s for s in first if s.finding is None], [s for s in second if s.finding is None]))


def tally(pairs: Iterable[Pair]) -> Agreement:
    """One page's items by category, and how many are the same."""
    pairs = list(pairs)
    table: dict[tuple[str, str], int] = {}
    for pair in pairs:
        table[pair.categories] = table.get(pair.categories, 0) + 1
    return Agreement(1, table, sum(pair.is_same for pair in pairs))


def _added(first: list[Said], second: list[Said]) -> Iterator[Pair]:
    """Pairs what both lists hold, likest first, and empties them."""
    yield from _paired(first, second, lambda one, other: one.nam == other.nam and 1 + _overlap(one, other))
    yield from _paired(first, second, lambda one, other: _overlap(one, other) >= SAME_PLACE and _overlap(one, other))
    yield from (Pair(said, None) for said in first)
    yield from (Pair(None, said) for said in second)


def _paired(first: list[Said], second: list[Said], likeness: Callable[[Said, Said], float]) -> Iterator[Pair]:
    """The likest pairs, each person's answer in one of them; a likeness of 0 is none."""
    ranked = [(likeness(one, other), one, other) for one in first for other in second]
    for value, one, other in sorted(ranked, key=lambda each: -each[0]):
        if value and one in first and other in second:
            first.remove(one)
            second.remove(other)
            yield Pair(one, other)


def _overlap(one: Said, other: Said) -> float:
    return one.box.overlap(other.box) if one.box and other.box else 0.0
