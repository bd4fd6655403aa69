"""The NAM (numéro d'assurance maladie) itself: shape, birth date, check character, display. Pure.

Twelve characters, printed in three groups of four:

    TREM 0412 1925
    │  │ │ │  ││└─ check character, a digit
    │  │ │ │  │└── sequence character, 1-9 or a letter other than I and O
    │  │ │ │  └─── day of birth, 01-31 (here 19, which straddles the groups)
    │  │ │ └────── month of birth, 01-12, plus 50 for women
    │  │ └──────── year of birth, two digits; the century is not printed
    │  └────────── first letter of the usual given name
    └───────────── first three letters of the surname at birth, padded with X

The check character is the one of INSPQ's `utilitaire-nam`: the four letters, the *four*-digit birth year, M or F, the
real month, the day and the sequence character are replaced by their EBCDIC codes, weighted, summed, and reduced modulo
10. Because the century takes part in the sum, a matching check character also tells the century.

No primary RAMQ document was found that promises this for every card ever issued, so a failed check means "a person
looks first" and nothing else in the project may turn it into "not a NAM" on its own.

Functions that take a `value` expect it as `normalise` leaves it. No exception of this module holds a value.
"""

from __future__ import annotations

import re
import unicodedata
from calendar import monthrange
from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from typing import NamedTuple

LENGTH = 12
SEQUENCE_CHARACTERS = "123456789ABCDEFGHJKLMNPQRSTUVWXYZ"
FORMAT = re.compile(r"[A-Z]{4}[0-9]{6}[1-9A-HJ-NP-Z][0-9]")
"""The shape of a normalised value. Not anchored: use `FORMAT.fullmatch` on a value."""

# RAMQ has insured people since 1970, so nobody born before 1860 ever had a number. A window of two hundred years leaves
# two centuries for each pair of digits, as INSPQ does with a clock ("younger than 100, else 100 years earlier").
FIRST_YEAR = 1860
LAST_YEAR = FIRST_YEAR + 199

_WEIGHTS = (1, 3, 7, 9, 1, 7, 1, 3, 4, 5, 7, 6, 9, 1)
_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
# cp037 is the EBCDIC page of the rule; each table holds what a character adds to the sum at its place.
_ADDS = [{c: weight * c.encode("cp037")[0] % 10 for c in _CHARACTERS} for weight in _WEIGHTS]
_ADDS_OF_BIRTH = _ADDS[4:13]
"""For four digits of the year, the letter for the sex, the month and the day; before them stand the four letters of a
NAM, behind them its sequence character."""
_BIRTH = slice(4, 10)
_FEMALE = 50
"""What the month is greater by for women."""
_NOT_KEPT = re.compile("[^A-Z0-9]+")
_NOT_LETTERS = re.compile("[^A-Z]+")
_SAINT = re.compile(r"^(?:SAINTE?S?|STE)(?=[\s\-‐-―'’.])")
# Letters that Unicode does not decompose into a base letter and an accent.
_UNDECOMPOSED = str.maketrans({"Æ": "AE", "Œ": "OE", "Ø": "O", "Đ": "D", "Ð": "D", "Ł": "L", "Þ": "TH", "ẞ": "SS"})


class NamChecks(NamedTuple):
    """What holds of a value on its own. Without the shape nothing else can hold."""

    format: bool
    birth_date: bool
    check_character: bool


_SHAPELESS = NamChecks(format=False, birth_date=False, check_character=False)
_UNBORN = NamChecks(format=True, birth_date=False, check_character=False)
_UNCONFIRMED = NamChecks(format=True, birth_date=True, check_character=False)
_CONFIRMED = NamChecks(format=True, birth_date=True, check_character=True)


def normalise(text: str) -> str:
    """`text` in upper case without accents, and without anything that is not A-Z or 0-9."""
    return _NOT_KEPT.sub("", _unaccented(text))


def check(value: str) -> NamChecks:
    """The shape, the birth date (a real day in a possible century) and the check character of `value`."""
    if FORMAT.fullmatch(value) is None:
        return _SHAPELESS
    births = _births(value[_BIRTH])
    if not births:
        return _UNBORN
    return _UNCONFIRMED if _matching(value, births) is None else _CONFIRMED


def birth_date(value: str) -> date | None:
    """The birth date in `value`, its century decided by the check character; None where that decides nothing."""
    if FORMAT.fullmatch(value) is None:
        return None
    return _matching(value, _births(value[_BIRTH]))


def check_character(letters: str, birth: date, female: bool, sequence: str) -> str:
    """The check character for four letters A-Z, a birth date, the +50 of the month and a sequence character.

    Raises ValueError when `letters` or `sequence` cannot stand in a NAM.
    """
    if re.fullmatch("[A-Z]{4}", letters) is None:
        raise ValueError("letters must be four of A-Z")
    if len(sequence) != 1 or sequence not in SEQUENCE_CHARACTERS:
        raise ValueError("sequence must be one of SEQUENCE_CHARACTERS")
    total = _sum_without_birth(letters, sequence) + _sum_of_birth(birth, female)
    return str(total % 10)


def compose(surname: str, given_name: str, birth: date, female: bool, sequence: str) -> str:
    """The NAM that the rule gives for a person: twelve characters that pass `check`.

    Raises ValueError for a birth year outside FIRST_YEAR..LAST_YEAR or an impossible sequence character.
    """
    if not FIRST_YEAR <= birth.year <= LAST_YEAR:
        raise ValueError("birth year outside the years a NAM can state")
    letters = surname_letters(surname) + given_letter(given_name)
    return letters + _six_digits(birth, female) + sequence + check_character(letters, birth, female, sequence)


def surname_letters(surname: str) -> str:
    """The three letters that a surname at birth gives: "Saint-Pierre" STP, "O'Neil" ONE, "Li" LIX."""
    plain = _unaccented(surname).strip()
    if plain.startswith("S"):
        plain = _SAINT.sub("ST", plain)
    return _NOT_LETTERS.sub("", plain)[:3].ljust(3, "X")


def given_letter(given_name: str) -> str:
    """The letter that a usual given name gives; X where there is none."""
    return _NOT_LETTERS.sub("", _unaccented(given_name))[:1] or "X"


def mask(value: str) -> str:
    """`value` as it may be shown to people who need not read it: "TREM •••• ••25". Anything else: only dots."""
    plain = normalise(value)
    if len(plain) != LENGTH:
        return "•" * min(len(plain), LENGTH)
    return f"{plain[:4]} •••• ••{plain[10:]}"


def grouped(value: str) -> str:
    """`value` in the card's groups of four: "TREM 0412 1925"."""
    plain = normalise(value)
    return " ".join(plain[start : start + 4] for start in range(0, len(plain), 4))


def _unaccented(text: str) -> str:
    if text.isascii():
        return text.upper()
    decomposed = unicodedata.normalize("NFKD", text.upper().translate(_UNDECOMPOSED))
    return "".join(c for c in decomposed if not unicodedata.combining(c)).upper()


def _six_digits(birth: date, female: bool) -> str:
    """Year, month and day as a NAM states them."""
    return f"{birth.year % 100:02d}{birth.month + _FEMALE if female else birth.month:02d}{birth.day:02d}"


@lru_cache(maxsize=1 << 14)
def _births(digits: str) -> tuple[tuple[date, int], ...]:
    """The real days that six digits of a well-shaped value can mean, one for each possible century, each with what it
    adds to the sum.

    Remembered by the digits alone, which are nobody's: a page asks for the same days again and again.
    """
    month, day = int(digits[2:4]), int(digits[4:6])
    female = month > _FEMALE
    if female:
        month -= _FEMALE
    if not (1 <= month <= 12 and 1 <= day <= 31):  # noqa: PLR2004 - months and days
        return ()
    short = int(digits[:2])
    first = FIRST_YEAR + (short - FIRST_YEAR) % 100
    days = [date(year, month, day) for year in (first + 100, first) if day <= monthrange(year, month)[1]]
    return tuple((day, _sum_of_birth(day, female)) for day in days)


def _matching(value: str, births: Iterable[tuple[date, int]]) -> date | None:
    """Which of the births in a well-shaped value its check character confirms.

    Two centuries never share a check character (they differ by 2 or 3 modulo 10), so the first match is the only one.
    """
    wanted = int(value[11]) - _sum_without_birth(value, value[10])
    for birth, adds in births:
        if (wanted - adds) % 10 == 0:
            return birth
    return None


def _sum_without_birth(letters: str, sequence: str) -> int:
    """What the first four of `letters` and the sequence character add to the sum."""
    first, second, third, fourth = _ADDS[:4]
    return first[letters[0]] + second[letters[1]] + third[letters[2]] + fourth[letters[3]] + _ADDS[13][sequence]


def _sum_of_birth(birth: date, female: bool) -> int:
    """What the birth year, the letter for the sex, the month and the day add to the sum."""
    text = f"{birth.year:04d}{'F' if female else 'M'}{birth.month:02d}{birth.day:02d}"
    return sum(adds[character] for adds, character in zip(_ADDS_OF_BIRTH, text, strict=True))
