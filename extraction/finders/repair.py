"""Other readings of printed characters, for a person to choose from: never applied in silence. Pure.

Three sources, each with its reason code: characters that readers take for one another (`look_alike`), letters restored
from a name nearby (`name_nearby`) and digits restored from a birth date nearby (`birth_date_nearby`). A repair is only
offered if its birth date is real and its check character holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from functools import cache
from itertools import accumulate
from operator import ne
from string import ascii_uppercase
from typing import NamedTuple

from extraction import nam
from extraction.finders.proposal import Repair

MOST = 4
"""Repairs of one proposal: more than a person can weigh at a glance helps nobody."""
MOST_SUBSTITUTIONS = 3
NAME_NEARBY = 0.75
_NAME_AGREES, _BIRTH_DATE_AGREES = 0.25, 0.2
LETTERS = 4
SEQUENCE = 10

LETTER_FOR = {"0": "O", "1": "IL", "2": "Z", "4": "A", "5": "S", "6": "G", "8": "B", "|": "IL", "!": "I", "]": "JI"}
"""What a digit in the four letters may have been."""
DIGIT_FOR = {"O": "0", "Q": "0", "D": "0", "I": "1", "L": "1", "|": "1", "!": "1", "Z": "2", "A": "4"} | {
    "S": "5",
    "G": "6",
    "B": "8",
}
"""What a letter in the digits may have been."""
SEQUENCE_FOR = DIGIT_FOR | {"0": "DQ", "2": "Z", "4": "A", "5": "S", "6": "G", "8": "B", "O": "DQ"}
"""What the eleventh character may have been: it can be a letter (not I, not O) or a digit (not 0).

A 1 is not read as L: to the check character they are the same, so it could never tell them apart.
"""

_CONFUSED_DIGITS = {"0": "68", "1": "74", "2": "7", "3": "85", "4": "19", "5": "63", "6": "850", "7": "12", "8": "360"}
_CONFUSED_DIGITS["9"] = "4"
_CONFUSED_LETTERS = {
    "A": "R", "B": "RPE", "C": "GO", "D": "O", "E": "FB", "F": "EP", "G": "C", "H": "NM", "I": "LTJ", "J": "I",
    "K": "X", "L": "I", "M": "NH", "N": "MH", "O": "QDCU", "P": "FRB", "Q": "O", "R": "PBK", "S": "Z", "T": "IY",
    "U": "VO", "V": "UY", "W": "V", "X": "K", "Y": "VT", "Z": "S",
}  # fmt: skip


class Reading(NamedTuple):
    """A value of twelve characters, and how many printed ones were taken for their look-alikes."""

    value: str
    substitutions: int


def are_letters_cut(lengths: Iterable[int]) -> bool:
    """Whether gaps stand between some of the four letters and not between others, from how long each piece is.

    Nobody prints a number so: a space may be the end of the word before, a mark the rest of a misread letter.
    """
    return 0 < sum(end < LETTERS for end in accumulate(lengths)) < LETTERS - 1


def literal(glyphs: str) -> str:
    """Twelve printed characters in upper case, as they stand; a bar becomes the I or 1 that it looks like."""
    upper = unmixed(glyphs).upper()
    if upper.isalnum():
        return upper
    bars = str.maketrans("|!]", "IIJ")
    ones = str.maketrans("|!", "11")
    return upper[:LETTERS].translate(bars) + upper[LETTERS:].translate(ones)


def unmixed(glyphs: str) -> str:
    """Twelve printed characters with I for an l among capital letters: a capital L is never mistaken for one."""
    letters = glyphs[:LETTERS]
    is_small = letters[1:] == letters[1:].lower()  # "ulym", and "Ulym"
    return letters.replace("l", "I") + glyphs[LETTERS:] if "l" in letters and not is_small else glyphs


def readings(glyphs: str) -> list[Reading]:
    """The values of the right shape that twelve printed characters may mean, fewest substitutions first."""
    upper = glyphs.upper()
    digits = upper[LETTERS:SEQUENCE] + upper[SEQUENCE + 1 :]
    if len(upper) == nam.LENGTH and upper[:LETTERS].isalpha() and digits.isdecimal():
        # As most are printed: only the sequence character may be another one.
        start, end = upper[:SEQUENCE], upper[SEQUENCE + 1 :]
        return [Reading(start + character + end, cost) for character, cost in _options(SEQUENCE, upper[SEQUENCE])]
    partial = [("", 0)]
    for place, glyph in enumerate(upper):
        partial = [
            (value + character, substitutions + cost)
            for value, substitutions in partial
            for character, cost in _options(place, glyph)
            if substitutions + cost <= MOST_SUBSTITUTIONS
        ]
    return sorted(map(Reading._make, partial), key=lambda reading: reading.substitutions)


def lettered(glyphs: str) -> Iterator[Reading]:
    """The values that hold with any letter where one of the four was lost, or was read as no letter."""
    letters, digits = glyphs[:-8].upper(), glyphs[-8:].upper()
    for filled in {letters[:at] + letter + letters[stop:] for at, stop in _gaps(letters) for letter in ascii_uppercase}:
        if all(nam.check(filled + digits)):
            yield Reading(filled + digits, 1)


def _gaps(letters: str) -> list[tuple[int, int]]:
    """Where a letter is missing in what was read of the four."""
    if len(letters) < LETTERS:
        return [(at, at) for at in range(LETTERS)]
    others = [at for at, letter in enumerate(letters) if not letter.isalpha()]
    return [(at, at + 1) for at in others] if len(others) == 1 else []


def rank(
    value: str, *, valid_readings: Iterable[Reading] = (), names: Iterable[str] = (), births: Iterable[date] = ()
) -> tuple[Repair, ...]:
    """At most MOST repairs of `value`, best first.

    `valid_readings` are readings of the printed characters that pass every check, `names` the four letters that names
    nearby give, `births` birth dates printed nearby. Where a repair agrees with a name, its score is higher.
    """
    near, born = set(names), list(births)
    best: dict[str, Repair] = {}
    for repair in _candidates(value, list(valid_readings), near, born):
        if value[:LETTERS] in near and repair.nam[:LETTERS] not in near:
            continue  # A name nearby already confirms the letters that this repair would change.
        scored = repair._replace(score=_score(repair, near, born))
        if repair.nam not in best or best[repair.nam].score < scored.score:
            best[repair.nam] = scored
    return tuple(sorted(best.values(), key=lambda repair: (-repair.score, repair.nam))[:MOST])


def _score(repair: Repair, names: set[str], births: list[date]) -> float:
    """The points of a repair, with what a name or a birth date nearby adds to a look-alike that agrees with it."""
    points = repair.score
    if repair.reason == "look_alike":
        points += _NAME_AGREES if repair.nam[:LETTERS] in names else 0
        points += _BIRTH_DATE_AGREES if nam.birth_date(repair.nam) in births else 0
    return round(min(0.95, points), 2)


def _candidates(value: str, valid: list[Reading], names: set[str], births: list[date]) -> Iterator[Repair]:
    for reading in valid:
        yield Repair(reading.value, "look_alike", 0.9 - 0.1 * reading.substitutions)
    if len(value) != nam.LENGTH:
        return
    for letters in sorted(names):
        if 0 < differences(letters, value[:LETTERS]) <= 2:  # noqa: PLR2004 - more would be another person
            yield from _if_valid(letters + value[LETTERS:], "name_nearby", NAME_NEARBY)
    for birth in births:
        for digits in (f"{birth:%y%m%d}", f"{birth:%y}{birth.month + 50}{birth:%d}"):
            if 0 < differences(digits, value[LETTERS:SEQUENCE]) <= 2:  # noqa: PLR2004 - as above
                yield from _if_valid(value[:LETTERS] + digits + value[SEQUENCE:], "birth_date_nearby", 0.7)
    if not all(nam.check(value)):
        for changed in _confused(value):
            yield from _if_valid(changed, "look_alike", 0.5)


def _confused(value: str) -> Iterator[str]:
    """`value` with one character replaced by one of its own kind that it is often taken for."""
    for place, character in enumerate(value):
        swaps = _CONFUSED_LETTERS.get(character, "") + _CONFUSED_DIGITS.get(character, "")
        if place == SEQUENCE:
            swaps += SEQUENCE_FOR.get(character, "")
        for swap in swaps:
            yield value[:place] + swap + value[place + 1 :]


def _if_valid(value: str, reason: str, points: float) -> Iterator[Repair]:
    if all(nam.check(value)):
        yield Repair(value, reason, points)


def differences(one: str, other: str) -> int:
    """At how many places two values of one length differ."""
    return sum(map(ne, one, other))


@cache
def _options(place: int, glyph: str) -> list[tuple[str, int]]:
    """What a printed character may mean at a place (0..11), each with its cost: 0 as it stands, 1 as a look-alike."""
    if place < LETTERS:
        return [(glyph, 0)] if glyph.isalpha() else [(letter, 1) for letter in LETTER_FOR.get(glyph, "")]
    if place == SEQUENCE:
        own = [(glyph, 0)] if glyph in nam.SEQUENCE_CHARACTERS else []
        others = SEQUENCE_FOR.get(glyph, "")
        return own + [(c, 1) for c in others if c in nam.SEQUENCE_CHARACTERS]
    return [(glyph, 0)] if glyph.isdecimal() else [(digit, 1) for digit in DIGIT_FOR.get(glyph, "")]
