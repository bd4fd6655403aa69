"""The codes that offices and machines give to things, of the shape of a NAM. Pure."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from string import ascii_uppercase
from typing import Literal

from extraction import nam

CHANCE = 1 / 30
"""The share of codes that pass every check of a NAM. Of free digits one in seventy does, and one in five of those that
begin with a day; a page holds some of both."""
FEWEST_TO_HEAP = 8
"""Chance heaps only in lists at least as long."""
HEAPS = 1 / 8
"""The share of such lists in which it does."""
_TRIES = 2_000
_YEAR = 365
LOOK_ALIKES = {"0": "O", "1": "I", "5": "S", "8": "B", "2": "Z"}

Numbering = Literal["free", "running", "dated", "yearly"]


@dataclass(frozen=True, slots=True)
class Scheme:
    """How one system numbers what it keeps: four letters, then eight digits or seven about a letter.

    `letters` begins every code; each "?" of it is any letter. The digits are any ("free"), one after the other from
    `first` ("running"), a day of the past year with two more ("dated"), or the year and four more ("yearly").
    """

    letters: str
    numbering: Numbering
    first: int = 0

    def invent(self, rng: random.Random, day: date, place: int = 0, *, valid: bool = False) -> str:
        """The code at `place` of a list: `valid` says whether it passes every check of a NAM.

        Where no number of the system can pass, as with the year first, none does.
        """
        value = ""
        for _ in range(_TRIES):
            letters = "".join(rng.choice(ascii_uppercase) if letter == "?" else letter for letter in self.letters)
            value = letters + self._digits(rng, day, place)
            if all(nam.check(value)) == valid:
                break
        return value

    def _digits(self, rng: random.Random, day: date, place: int) -> str:
        if self.numbering == "running":
            return f"{(self.first + 40 * place + rng.randrange(40)) % 10**8:08d}"
        if self.numbering == "dated":
            return f"{day - timedelta(days=rng.randrange(_YEAR)):%y%m%d}{rng.randrange(100):02d}"
        if self.numbering == "yearly":
            return f"{day.year}{rng.randrange(10**4):04d}"
        digits = f"{rng.randrange(10**8):08d}"
        return digits if rng.random() < 0.9 else f"{digits[:6]}{rng.choice('ABCDEFGHJKLMNPRSTUVWXYZ')}{digits[7]}"  # noqa: PLR2004


def invent_scheme(rng: random.Random, words: Sequence[str] = ()) -> Scheme:
    """A system of its own: its letters are one of `words` one time in three, or fixed, partly fixed, or any."""
    mask = rng.choice(("????", "????", "????", "-???", "--??", "---?", "?---", "-?--", "----", "----"))
    letters = "".join(rng.choice(ascii_uppercase) if mark == "-" else mark for mark in mask)
    if words and rng.random() < 1 / 3:
        letters = rng.choice(words)
    numbering: Numbering = rng.choices(("free", "running", "dated", "yearly"), weights=(5, 2, 2, 1))[0]
    return Scheme(letters, numbering, first=rng.randrange(10**8))


def lucky(rng: random.Random, count: int) -> set[int]:
    """Which of `count` codes pass every check by chance: one in thirty, and on some lists two to four of them."""
    if count >= FEWEST_TO_HEAP and rng.random() < HEAPS:
        return set(rng.sample(range(count), rng.randint(2, 4)))
    return {place for place in range(count) if rng.random() < CHANCE}


def with_look_alikes(rng: random.Random, value: str) -> str:
    """A code with up to two of its first six digits as letters that look like them: of no NAM's shape any more."""
    places = [place for place in range(4, 10) if value[place] in LOOK_ALIKES]
    for place in rng.sample(places, min(2, len(places))):
        value = f"{value[:place]}{LOOK_ALIKES[value[place]]}{value[place + 1 :]}"
    return value
