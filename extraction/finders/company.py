"""The company that a number keeps: codes come in series, and most of their look-alikes are no NAMs. Pure.

One code in thirty passes every check of a NAM by chance, and nearly every NAM passes. So what looks like a NAM is
judged with its kin on the page: numbers whose letters are the same or nearly so (BIOM 4865 2327, BIOM-1704-2434), and
those cut alike in its column. Where most of the kin fail, chance made the one that holds. Numbers whose letters a full
name on the page gives are nobody's kin.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from string import ascii_uppercase, digits
from typing import Literal, NamedTuple

from extraction import nam
from extraction.finders.repair import differences
from extraction.layout import Layout

SYSTEM_LETTERS = frozenset(
    "FACT LABO RECU REQU DOSS CLIE CLNT COMM CMDE LOTS LOTN ORDR ORDE INVC INVO PROD SERV FORM SESS TRAV".split(" ")  # noqa: SIM905
)
"""What systems put before their own numbers."""
FEWEST = 3
"""So many numbers tell what they are; of fewer each stands for itself."""
_CODE = re.compile(
    r"(?<![A-Za-z0-9])([A-Z]{4})(?:[ .\-/]{0,2}([0-9](?:[ .\-/]?[0-9A-Z]){7})|[ .\-/]?([0-9A-Z]{2,11}))(?![A-Za-z0-9])"
)
ANY = frozenset(("12345678", "00000000", "99999999", "01234567"))
"""Figures that stand for any."""
_WITHOUT_SEPARATORS = str.maketrans("", "", " .-/")
_ALL_ALIKE = dict.fromkeys(map(ord, digits + ascii_uppercase), "9")
"""Shows how a number is cut, whatever its characters are."""
_FEWEST_DIGITS = 5
_NEARLY_ALL = 0.75
_COLUMN = 0.012
"""Numbers of one column start within this part of the page's width."""


Verdict = Literal["", "code", "decoy", "nam"]


class Member(NamedTuple):
    """Something with four letters and figures: `value` without separators, how it is cut, where it starts."""

    letters: str
    value: str
    cut: str
    start: int
    x0: float
    holds: bool

    @property
    def has_shape(self) -> bool:
        return len(self.value) == nam.LENGTH


@dataclass(slots=True)
class Company:
    """The numbers of one page by their letters. `failing` are the letters of those that do not all hold.

    `find_named` gives the letters that full names on the page give: asked once, and only where there are enough numbers
    to tell anything. `is_named` says whether a name in the row of an offset gives these letters, `is_labelled` whether
    the page calls the number there something.
    """

    members: dict[str, list[Member]]
    failing: frozenset[str]
    _find_named: Callable[[], frozenset[str]]
    _is_named: Callable[[int, str], bool]
    _is_labelled: Callable[[int], bool]
    _failing_halves: frozenset[str]
    _is_small: bool
    _named: frozenset[str] | None = None
    _stood: dict[str, bool] = field(default_factory=dict)
    _crowd_fails: bool | None = None

    @classmethod
    def of(
        cls,
        layout: Layout,
        find_named: Callable[[], frozenset[str]],
        is_named: Callable[[int, str], bool],
        is_labelled: Callable[[int], bool],
    ) -> Company:
        members: dict[str, list[Member]] = {}
        for member in _members(layout):
            members.setdefault(member.letters, []).append(member)
        failing = frozenset(letters for letters, each in members.items() if not all(member.holds for member in each))
        halves = frozenset(half for letters in failing for half in (letters[:2], letters[2:]))
        is_small = len({member.value for each in members.values() for member in each}) < FEWEST
        return cls(members, failing, find_named, is_named, is_labelled, halves, is_small)

    @property
    def named(self) -> frozenset[str]:
        """The letters that full names on the page give."""
        if self._named is None:
            self._named = self._find_named()
        return self._named

    def verdict(self, letters: str, start: int) -> Verdict:
        """What its company makes of the number with these letters at this offset.

        "code" if its kin say that it is a system's, which only a full name can outweigh; "decoy" if it begins as
        systems begin their numbers, or has no kin and most of the page's numbers like it fail; "nam" if nearly all of
        its column are NAMs, so that it may be one that is misread or misprinted; "" if nothing is known.
        """
        read = letters.replace("Q", "O")  # COMM is read as CQMM now and then
        is_of_system = letters in SYSTEM_LETTERS or read in SYSTEM_LETTERS
        if (self._is_small and not is_of_system) or letters in self.named:
            return ""
        own = next((each for each in self.members.get(letters, ()) if each.start == start), None)
        # Where none fails, as on most pages of people, nobody's kin can.
        if self._resembles_failing(letters) and _fails(self._alike(letters), self._holds):
            return "code"
        if is_of_system:
            return "decoy"
        column = self._column(own) if own else []
        if len({each.value for each in column}) >= FEWEST:
            return "code" if _fails(column, self._stands) else self._vouches(column)
        if self._crowd_fails is None:
            crowd = self._unlabelled() if self._has_people() else self._unnamed()
            self._crowd_fails = _fails(crowd, self._stands)
        return "decoy" if self._crowd_fails else ""

    def _resembles_failing(self, letters: str) -> bool:
        """Whether letters differ at one place at most from those of numbers that fail: then one half is the same."""
        if letters[:2] not in self._failing_halves and letters[2:] not in self._failing_halves:
            return False
        return any(differences(letters, other) <= 1 for other in self.failing)

    def _vouches(self, members: Iterable[Member]) -> Verdict:
        """ "nam" if nearly all of these are NAMs that hold."""
        held = {each.value: each.holds for each in members}
        return "nam" if sum(held.values()) >= max(FEWEST, _NEARLY_ALL * len(held)) else ""

    def _alike(self, letters: str) -> Iterator[Member]:
        """Numbers whose letters differ at one place at most: XKRE, XKRW, XKRS."""
        for other, members in self.members.items():
            if differences(letters, other) <= 1 and other not in self.named:
                yield from members

    def _column(self, own: Member) -> list[Member]:
        """Numbers cut alike that start at the same place of their rows, those of people that the page names as well."""
        every = (each for members in self.members.values() for each in members)
        return [each for each in every if each.cut == own.cut and abs(each.x0 - own.x0) < _COLUMN and each.has_shape]

    def _has_people(self) -> bool:
        """Whether a number that holds on this page is that of a person whom it names."""
        return any(each.holds for letters in self.named for each in self.members.get(letters, ()))

    def _unnamed(self) -> Iterator[Member]:
        for letters, members in self.members.items():
            if letters not in self.named:
                yield from (each for each in members if each.has_shape)

    def _unlabelled(self) -> Iterator[Member]:
        """Numbers that are neither of people whom the page names nor called anything."""
        return (each for each in self._unnamed() if not self._is_labelled(each.start))

    @staticmethod
    def _holds(member: Member) -> bool:
        return member.holds

    def _stands(self, member: Member) -> bool:
        """Whether a number holds, or a name in its row gives its letters: then it may be a misread NAM."""
        stands = self._stood.get(member.value)
        if stands is None:
            stands = member.holds or member.letters in self.named or self._is_named(member.start, member.letters)
            self._stood[member.value] = stands
        return stands


def _fails(members: Iterable[Member], stands: Callable[[Member], bool]) -> bool:
    """Whether these are enough to tell, and most of them are no NAMs."""
    distinct = {each.value: each for each in members}
    if len(distinct) < FEWEST:
        return False
    standing = sum(stands(each) for each in distinct.values())
    # Where not even one holds, names in their rows only say what the codes were made from.
    return 2 * standing < len(distinct) or not any(each.holds for each in distinct.values())


def _members(layout: Layout) -> Iterator[Member]:
    for found in _CODE.finditer(layout.plain):
        figures = found[2] or found[3]
        value = found[1] + figures.translate(_WITHOUT_SEPARATORS)
        enough = _FEWEST_DIGITS if found[2] else 2
        if sum(map(str.isdecimal, value)) < enough or value[4:] in ANY:
            continue
        cut = found[0].translate(_ALL_ALIKE)
        holds = len(value) == nam.LENGTH and all(nam.check(value))
        yield Member(found[1], value, cut, found.start(), layout.left(found.start()), holds)
