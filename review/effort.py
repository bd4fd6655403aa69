"""What one item costs a reviewer's hands: how many keys and pointer presses, never which. Pure.

The browser counts them from one decision to the next (static/js/effort.js), as the seconds are counted. A key counts
when it goes down, Shift and Control too (the keystroke-level model: Card, Moran and Newell 1980); held down, it is one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

MOST = 999
"""A person who presses more for one item does something else meanwhile."""


class Effort(NamedTuple):
    """Presses for one item, 0 to MOST each."""

    keys: int
    presses: int


NOTHING = Effort(0, 0)


class Spread(NamedTuple):
    """The item in the middle, and the one that nine of ten stay at or under (nearest rank)."""

    median: int
    p90: int


def told(fields: Mapping[str, str]) -> Effort | None:
    """What the browser sends beside a decision; None from who counts nothing, or not in numbers of this size.

    A decision is never refused for its count.
    """
    numbers = [fields.get(name, "") for name in Effort._fields]
    if not all(text.isascii() and text.isdigit() and len(text) <= len(str(MOST)) for text in numbers):
        return None
    return Effort(*map(int, numbers))


def counted(items: Iterable[tuple[str, Effort]]) -> dict[str, int]:
    """How many items of an action took so many presses, as a page's score keeps it: {"correct/3/0": 2}."""
    return dict(Counter(f"{action}/{effort.keys}/{effort.presses}" for action, effort in items))


class Tally:
    """Items with their presses, summed up from what `counted` made."""

    def __init__(self) -> None:
        self._keys: Counter[int] = Counter()
        self._presses: Counter[int] = Counter()

    def add(self, keys: int, presses: int, items: int) -> None:
        self._keys[keys] += items
        self._presses[presses] += items

    @property
    def items(self) -> int:
        return self._keys.total()

    @property
    def keys(self) -> Spread | None:
        return _spread(self._keys)

    @property
    def presses(self) -> Spread | None:
        return _spread(self._presses)


def tallies(rows: Iterable[Mapping[str, int]]) -> dict[str, Tally]:
    """By action, from what `counted` made of each page."""
    known: defaultdict[str, int] = defaultdict(int)
    for row in rows:
        for name, items in row.items():
            known[name] += items
    found: dict[str, Tally] = {}
    for name, items in known.items():
        action, keys, presses = name.split("/")
        found.setdefault(action, Tally()).add(int(keys), int(presses), items)
    return found


def together(parts: Iterable[Tally]) -> Tally:
    """All of them as one."""
    whole = Tally()
    for part in parts:
        whole._keys += part._keys
        whole._presses += part._presses
    return whole


def _spread(counts: Counter[int]) -> Spread | None:
    return Spread(_ranked(counts, 50), _ranked(counts, 90)) if counts else None


def _ranked(counts: Counter[int], per_cent: int) -> int:
    """The least number that so many per cent of the items stay at or under."""
    reached = 0
    for number in sorted(counts):
        reached += counts[number]
        if 100 * reached >= per_cent * counts.total():
            return number
    raise ValueError("no item is counted")
