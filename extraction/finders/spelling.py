"""The most likely NAMs on a line of which only chances are known: what each step along it may show. Pure.

A reader names the likeliest letter at each step, and one slip breaks a number. Here all that the reader holds possible
is searched for numbers of the right shape, twelve characters long (a prefix beam search over connectionist temporal
classification: Hannun et al., "First-pass large vocabulary continuous speech recognition", 2014), and each is weighed
by what is known of NAMs: nearly all have a real birth date and a check character that holds.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import fsum
from typing import TYPE_CHECKING, NamedTuple

from extraction import nam
from extraction.finders.repair import DIGIT_FOR, LETTER_FOR, LETTERS, SEQUENCE, SEQUENCE_FOR
from extraction.readers.glimpse import CHARACTERS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BEAM = 48
"""Beginnings that are followed at the same time."""
LEAST = 0.002
"""Characters less likely than this at a step are not followed."""
SPECK = 0.02
"""How likely a character is no character but dirt or a ruled line."""
LOOK_ALIKE = 0.03
"""How likely a reader is quite sure of the look-alike of a character."""
MISPRINT = 0.01
"""How likely a number is printed with a check character or a birth date that does not hold, of those that hold."""

_LETTERS, _DIGITS = CHARACTERS[:26], CHARACTERS[26:]
_ALLOWED = (_LETTERS,) * LETTERS + (_DIGITS,) * (SEQUENCE - LETTERS) + (nam.SEQUENCE_CHARACTERS, _DIGITS)
# A zero by hand is often open: a C or a U.
_BY_HAND = DIGIT_FOR | {"C": "0", "U": "0"}
_MEANT = ((LETTER_FOR,) * LETTERS) + ((_BY_HAND,) * (SEQUENCE - LETTERS)) + (SEQUENCE_FOR, _BY_HAND)


class Spelling(NamedTuple):
    """A NAM that a line may show, and how likely, among all that were followed."""

    nam: str
    probability: float


def spell(chances: NDArray[np.float32]) -> list[Spelling]:
    """The numbers that `chances` (steps × (1 + 36), as in a Glimpse) may show, likeliest first; none if too short."""
    beams: dict[str, tuple[float, float]] = {"": (1.0, 0.0)}
    for step in chances.tolist():
        beams = _follow(beams, step)
        best = sorted(beams.items(), key=_chance, reverse=True)[:BEAM]
        scale = sum(best[0][1]) or 1.0
        beams = {text: (blank / scale, ended / scale) for text, (blank, ended) in best}
    weighed = [
        (text, (blank + ended) * _prior(text)) for text, (blank, ended) in beams.items() if len(text) == nam.LENGTH
    ]
    return normalised(Spelling(*each) for each in weighed)


def normalised(spellings: Iterable[Spelling]) -> list[Spelling]:
    """The same with probabilities that sum to 1, likeliest first."""
    each = [spelling for spelling in spellings if spelling.probability > 0]
    total = fsum(spelling.probability for spelling in each)
    return sorted((Spelling(s.nam, s.probability / total) for s in each), key=lambda s: (-s.probability, s.nam))


def _follow(beams: dict[str, tuple[float, float]], step: list[float]) -> dict[str, tuple[float, float]]:
    """The beginnings after one more step: each with the chance that it ends in a blank, and in its last character."""
    blank = step[0] + SPECK * (1 - step[0])
    likely = {c: chance for c, chance in zip(CHARACTERS, step[1:], strict=True) if chance >= LEAST}
    places = [_options(place, likely) for place in range(nam.LENGTH)]
    after: dict[str, tuple[float, float]] = {}
    for text, (blanks, ended) in beams.items():
        _add(after, text, blank * (blanks + ended), 0.0)
        length = len(text)
        if length:
            _add(after, text, 0.0, ended * places[length - 1].get(text[-1], 0.0))
        if length < nam.LENGTH:
            for character, chance in places[length].items():
                _add(after, text + character, 0.0, chance * (blanks if text[-1:] == character else blanks + ended))
    return after


def _options(place: int, likely: dict[str, float]) -> dict[str, float]:
    """What may stand at a place of the number: what is seen, and what that may be the look-alike of."""
    options: dict[str, float] = {}
    allowed = _ALLOWED[place]
    for character, chance in likely.items():
        if character in allowed:
            options[character] = options.get(character, 0.0) + chance
        for meant in _MEANT[place].get(character, ""):
            if meant in allowed:
                share = chance * (LOOK_ALIKE if character in allowed else 1.0)
                options[meant] = options.get(meant, 0.0) + share
    return options


def _add(beams: dict[str, tuple[float, float]], text: str, blank: float, ended: float) -> None:
    before = beams.get(text, (0.0, 0.0))
    beams[text] = (before[0] + blank, before[1] + ended)


def _chance(beam: tuple[str, tuple[float, float]]) -> float:
    return beam[1][0] + beam[1][1]


def _prior(text: str) -> float:
    return 1.0 if all(nam.check(text)) else MISPRINT
