"""How far two reviewers agree who do not see each other: Cohen's kappa and the share of equal answers. Pure.

    J. Cohen, "A coefficient of agreement for nominal scales", Educational and Psychological Measurement 20 (1960):
        kappa = (po - pe) / (1 - pe), with po the share of items on the diagonal, pe what two people reach by chance
        who use the categories as often as these two and know nothing of the page.
    J. L. Fleiss, J. Cohen, B. S. Everitt, "Large sample standard errors of kappa and weighted kappa", Psychological
        Bulletin 72 (1969), equation 13: the standard error behind the interval.

An item is a proposal, or a number that at least one of the two added. What a person says of it is one of four
categories:

    correct   the proposal is the number that is printed
    wrong     it is not: rejected, or corrected to another number
    missing   nobody proposed this number, the person added it
    absent    the other one added it, and this person said that no other number stands on the page

Kappa asks whether two people judge the machine alike. Whether they wrote the same number, date and time is another
question, which the share of equal answers is for. That both saw nothing is nowhere an item, so of additions the
disagreements weigh more than they would if every empty place were counted.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from extraction.scoring import Z, wilson


class Category(StrEnum):
    """What a reviewer says of an item."""

    CORRECT = "correct"
    WRONG = "wrong"
    MISSING = "missing"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Agreement:
    """Pages that two people reviewed. `table` counts items by (first, second) category, `same` the equal answers."""

    pages: int = 0
    table: Mapping[tuple[str, str], int] = field(default_factory=dict)
    same: int = 0

    def __add__(self, other: Agreement) -> Agreement:
        table = Counter(self.table)
        table.update(other.table)
        return Agreement(self.pages + other.pages, table, self.same + other.same)

    @property
    def items(self) -> int:
        return sum(self.table.values())

    @property
    def rows(self) -> list[tuple[Category, list[int]]]:
        """The table by what the first person said, each row in the order of what the second one said."""
        return [(one, [self.table.get((one, other), 0) for other in Category]) for one in Category]

    @property
    def share(self) -> float | None:
        """Of items with the same number, date and time."""
        return self.same / self.items if self.items else None

    @property
    def share_interval(self) -> tuple[float, float] | None:
        return wilson(self.same, self.items)

    @property
    def kappa(self) -> float | None:
        return kappa(self.table)

    @property
    def kappa_interval(self) -> tuple[float, float] | None:
        return kappa_interval(self.table)


def kappa(table: Mapping[tuple[str, str], int]) -> float | None:
    """-1..1; 0 is what chance reaches. None where it is 0/0: without items, or when both used one category only."""
    total = sum(table.values())
    if not total:
        return None
    observed = sum(count for (one, other), count in table.items() if one == other) / total
    expected = _expected(table, total)
    return None if math.isclose(expected, 1.0) else (observed - expected) / (1 - expected)


def standard_error(table: Mapping[tuple[str, str], int]) -> float | None:
    """That of `kappa`, for large samples; None where kappa is."""
    value, total = kappa(table), sum(table.values())
    if value is None:
        return None
    rows, columns = _margins(table, total)
    expected, rest = _expected(table, total), 1 - value
    alike = unlike = 0.0
    for (one, other), count in table.items():
        share = count / total
        if one == other:
            alike += share * (1 - (rows[one] + columns[one]) * rest) ** 2
        else:
            unlike += share * (columns[one] + rows[other]) ** 2
    variance = alike + rest**2 * unlike - (value - expected * rest) ** 2
    return math.sqrt(max(0.0, variance) / total) / (1 - expected)


def kappa_interval(table: Mapping[tuple[str, str], int]) -> tuple[float, float] | None:
    """The 95 % interval around kappa, cut at -1 and 1.

    None where kappa is undefined, and where the formula's error is 0, as when both agree on every item or one of them
    used a single category: it is 0 then for two items as for a thousand, which nobody should read as certainty.
    """
    value, error = kappa(table), standard_error(table)
    if value is None or error is None or math.isclose(error, 0.0, abs_tol=1e-9):
        return None
    return max(-1.0, value - Z * error), min(1.0, value + Z * error)


def total(parts: Iterable[Agreement]) -> Agreement:
    """All of them as one."""
    return sum(parts, Agreement())


def _margins(table: Mapping[tuple[str, str], int], total: int) -> tuple[dict[str, float], dict[str, float]]:
    """How often the first and the second person used each category, as shares."""
    names = {name for pair in table for name in pair}
    rows, columns = dict.fromkeys(names, 0.0), dict.fromkeys(names, 0.0)
    for (one, other), count in table.items():
        rows[one] += count / total
        columns[other] += count / total
    return rows, columns


def _expected(table: Mapping[tuple[str, str], int], total: int) -> float:
    rows, columns = _margins(table, total)
    return sum(rows[name] * columns[name] for name in rows)
