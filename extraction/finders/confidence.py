"""How sure a proposal is, 0..1: a small additive formula until a calibrated model replaces it. Pure.

Each piece of evidence adds weight on the log-odds scale, and no weight is negative, so more evidence never lowers the
score. The weights are set by hand so that what needs eyes comes first: a sharp number that passes its checks is above
0.99, one beside somebody else's name about 0.9, and one that fails its check character below that whatever else holds.
They order proposals; they are not yet frequencies.
"""

from __future__ import annotations

from math import exp

from extraction.finders.proposal import Checks

_BASE = -8.8
_FORMAT = 0.8
_BIRTH_DATE = 0.9
_CHECK_CHARACTER = 6.0
_NO_NAME = 3.0
"""A name nearby that differs is worse than no name nearby, and a name that matches is best."""
_NAME = 4.6
_BIRTH_DATE_NEARBY = 1.2
_LABELLED = 0.8
_READING = 2.0
_AS_PRINTED = 1.2
_SECOND_FINDER = 1.2
_MOST_SUBSTITUTIONS = 3


def score(
    checks: Checks,
    *,
    reading: float,
    found_by: tuple[str, ...],
    labelled: bool = False,
    birth_date_nearby: bool = False,
    substitutions: int = 0,
) -> float:
    """The confidence of a proposal.

    `reading` is the reader's own confidence in the least certain word, 0..1. `labelled` says that the page calls the
    number a NAM, `birth_date_nearby` that a birth date printed near it is the one in the number. `substitutions` counts
    the printed characters that had to be read as their look-alikes: none is the best evidence.
    """
    evidence = (
        (_FORMAT, checks.format),
        (_BIRTH_DATE, checks.birth_date),
        (_CHECK_CHARACTER, checks.check_character),
        (_NO_NAME, checks.name is None),
        (_NAME, checks.name is True),
        (_BIRTH_DATE_NEARBY, birth_date_nearby),
        (_LABELLED, labelled),
        (_SECOND_FINDER, len(set(found_by)) > 1),
    )
    total = _BASE + sum(weight for weight, holds in evidence if holds)
    total += _READING * min(1.0, max(0.0, reading)) ** 2
    total += _AS_PRINTED * (1 - min(substitutions, _MOST_SUBSTITUTIONS) / _MOST_SUBSTITUTIONS)
    return round(1 / (1 + exp(-total)), 4)


def together(one: float, other: float) -> float:
    """The confidence in a value that two finders propose: at least that of the surer one."""
    return round(max(one, other, 1 - (1 - one) * (1 - 0.7 * other)), 4)
