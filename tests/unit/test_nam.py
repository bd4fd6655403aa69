"""The number itself: INSPQ's published vectors, and what must hold of every value."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from extraction import nam

LETTERS = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=4, max_size=4)
BIRTHS = st.dates(date(nam.FIRST_YEAR, 1, 1), date(nam.LAST_YEAR, 12, 31))
SEQUENCES = st.sampled_from(nam.SEQUENCE_CHARACTERS)
NAMES = st.text("abcdéÉèçœ'- ABCXYZ", min_size=1, max_size=12)
NAMS = st.builds(nam.compose, NAMES, NAMES, BIRTHS, st.booleans(), SEQUENCES)


def series(start: str, endings: str) -> list[str]:
    return [start + ending for ending in endings.split()]


def all_sequences(start: str, first: int) -> list[str]:
    """The 33 values of one person: the check character goes up with the EBCDIC code of the sequence character."""
    codes = [character.encode("cp037")[0] for character in nam.SEQUENCE_CHARACTERS]
    return [
        f"{start}{character}{(first + code - codes[0]) % 10}"
        for character, code in zip(nam.SEQUENCE_CHARACTERS, codes, strict=True)
    ]


PUBLISHED = [
    ("TREM04121925", date(2004, 12, 19)),
    ("TREM04621918", date(2004, 12, 19)),
    ("TREM04121916", date(1904, 12, 19)),
    ("TEST54122816", date(1954, 12, 28)),
    ("QWEA10510170", date(2010, 1, 1)),
    *((value, date(2000, 1, 18)) for value in series("TREM000118", "11 22 33 44 55 66 77 88 99")),
    *((value, date(2010, 1, 1)) for value in series("QWEA100101", "10 21 32 43 54 65 76 87 98")),
    *((value, date(1975, 11, 30)) for value in series("SERE756130", "18 29 30 A0 B1 Z0")),
    *((value, date(1975, 11, 30)) for value in all_sequences("SERE756130", 8)),
    *((value, date(1980, 5, 10)) for value in series("COTS800510", "12 23 A4 Z4")),
    *((value, date(1980, 5, 10)) for value in all_sequences("COTS800510", 2)),
]


@pytest.mark.parametrize(("value", "birth"), PUBLISHED)
def test_published_values_pass_and_tell_their_century(value: str, birth: date) -> None:
    assert nam.check(value) == (True, True, True)
    assert nam.birth_date(value) == birth


@pytest.mark.parametrize("value", ["TREM04121935", "AAAA01510117"])
def test_published_wrong_values_fail_only_the_check_character(value: str) -> None:
    assert nam.check(value) == (True, True, False)
    assert nam.birth_date(value) is None


@pytest.mark.parametrize(
    ("letters", "birth", "female", "sequence", "expected"),
    [
        ("TREM", date(2004, 12, 19), False, "2", "5"),
        ("TREM", date(2004, 12, 19), True, "1", "8"),
        ("TREM", date(1904, 12, 19), False, "1", "6"),
        ("COTS", date(1980, 5, 10), False, "A", "4"),
    ],
)
def test_check_character_of_the_worked_examples(
    letters: str, birth: date, female: bool, sequence: str, expected: str
) -> None:
    assert nam.check_character(letters, birth, female, sequence) == expected


@pytest.mark.parametrize(
    "value",
    [
        "",
        "TREM0412192",
        "TREM041219255",
        "TREM04121905",
        "TREM041219I5",
        "TREM041219O5",
        "TR3M04121925",
        "trem04121925",
    ],
)
def test_nothing_holds_without_the_shape(value: str) -> None:
    assert nam.check(value) == (False, False, False)
    assert nam.birth_date(value) is None


@pytest.mark.parametrize("digits", ["041319", "045019", "046319", "040019", "040431", "040230", "010229", "040400"])
def test_a_day_that_no_calendar_has_fails_the_birth_date(digits: str) -> None:
    assert nam.check(f"TREM{digits}12").birth_date is False


def test_a_leap_day_counts_in_the_century_that_has_it() -> None:
    assert nam.check("TREM00022912").birth_date is True  # 2000 was a leap year, 1900 was not.


@pytest.mark.parametrize(
    ("surname", "letters"),
    [
        ("Tremblay", "TRE"),
        ("Côté", "COT"),
        ("Li", "LIX"),
        ("U", "UXX"),
        ("O'Neil", "ONE"),
        ("O’Neil", "ONE"),
        ("D'Amours", "DAM"),
        ("Le Bel", "LEB"),
        ("Saint-Pierre", "STP"),
        ("SAINTE-MARIE", "STM"),
        ("Ste-Marie", "STM"),
        ("Saints Martyrs", "STM"),
        ("St-Onge", "STO"),
        ("Saintonge", "SAI"),
        ("Sterling", "STE"),
        ("Œuvray", "OEU"),
        ("Bélanger-Côté", "BEL"),
    ],
)
def test_surname_letters(surname: str, letters: str) -> None:
    assert nam.surname_letters(surname) == letters


@pytest.mark.parametrize(("name", "letter"), [("Martin", "M"), ("Éric", "E"), ("  zoé", "Z"), ("'Ana", "A"), ("", "X")])
def test_given_letter(name: str, letter: str) -> None:
    assert nam.given_letter(name) == letter


def test_composed_like_the_worked_example() -> None:
    assert nam.compose("Tremblay", "Martin", date(2004, 12, 19), False, "2") == "TREM04121925"


@pytest.mark.parametrize("year", [nam.FIRST_YEAR - 1, nam.LAST_YEAR + 1])
def test_compose_refuses_a_year_that_a_number_cannot_state(year: int) -> None:
    with pytest.raises(ValueError, match="birth year"):
        nam.compose("Tremblay", "Martin", date(year, 1, 1), False, "1")


@pytest.mark.parametrize(
    ("letters", "sequence"), [("TRE", "1"), ("TREM", "I"), ("TREM", "0"), ("TREM", ""), ("tREM", "1")]
)
def test_check_character_refuses_what_cannot_stand_in_a_number_without_repeating_it(
    letters: str, sequence: str
) -> None:
    with pytest.raises(ValueError, match="must be") as caught:
        nam.check_character(letters, date(2004, 12, 19), False, sequence)
    assert "TRE" not in str(caught.value)


@pytest.mark.parametrize(
    ("printed", "shown"),
    [("TREM04121925", "TREM •••• ••25"), ("trem 0412 1925", "TREM •••• ••25"), ("TREM0412", "••••••••"), ("", "")],
)
def test_mask(printed: str, shown: str) -> None:
    assert nam.mask(printed) == shown


def test_grouped_in_fours() -> None:
    assert nam.grouped("TREM04121925") == "TREM 0412 1925"


@pytest.mark.parametrize("printed", ["TREM 0412 1925", "trem-0412-1925", "TRÉM.0412.1925", "T R E M 0 4 1 2 1 9 2 5"])
def test_normalise_takes_every_way_of_printing(printed: str) -> None:
    assert nam.normalise(printed) == "TREM04121925"


@given(NAMES, NAMES, BIRTHS, st.booleans(), SEQUENCES)
def test_what_is_composed_passes_and_gives_its_birth_back(
    surname: str, given_name: str, birth: date, female: bool, sequence: str
) -> None:
    value = nam.compose(surname, given_name, birth, female, sequence)
    assert nam.check(value) == (True, True, True)
    assert nam.birth_date(value) == birth
    assert (value[6] in "56") is female
    assert value[:4] == nam.surname_letters(surname) + nam.given_letter(given_name)


@given(NAMS, st.sampled_from("0123456789"))
def test_another_check_character_fails_or_means_another_century(value: str, last: str) -> None:
    changed = value[:11] + last
    assume(changed != value)
    birth, other = nam.birth_date(value), nam.birth_date(changed)
    assert birth is not None
    assert nam.check(changed).check_character is (other is not None)
    if other is not None:
        assert abs(birth.year - other.year) == 100
        assert (birth.month, birth.day) == (other.month, other.day)


@given(LETTERS, st.integers(0, 3), st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), BIRTHS, SEQUENCES)
def test_another_letter_is_unseen_exactly_if_the_codes_differ_by_a_multiple_of_ten(
    letters: str, place: int, letter: str, birth: date, sequence: str
) -> None:
    changed = letters[:place] + letter + letters[place + 1 :]
    difference = changed.encode("cp037")[place] - letters.encode("cp037")[place]
    one, other = (nam.check_character(each, birth, False, sequence) for each in (letters, changed))
    assert (one == other) is (difference % 10 == 0)


@pytest.mark.parametrize(("one", "other"), [("S", "5"), ("B", "8"), ("G", "6"), ("Z", "2")])
@given(letters=LETTERS, birth=BIRTHS, female=st.booleans())
def test_look_alikes_in_the_eleventh_place_never_share_a_check_character(
    one: str, other: str, letters: str, birth: date, female: bool
) -> None:
    assert nam.check_character(letters, birth, female, one) != nam.check_character(letters, birth, female, other)


@given(st.text())
def test_normalise_twice_is_normalise_once(text: str) -> None:
    once = nam.normalise(text)
    assert nam.normalise(once) == once
    assert all(character in "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789" for character in once)


@given(st.text() | NAMS)
def test_mask_shows_at_most_six_characters_and_never_the_birth_date(text: str) -> None:
    shown = nam.mask(text)
    assert sum(character not in "• " for character in shown) <= 6
    assert shown[4:12] in ("", " •••• ••") or set(shown) <= {"•"}


@given(st.text(max_size=16))
def test_no_text_makes_check_raise(text: str) -> None:
    checks = nam.check(text)
    assert checks.format or not (checks.birth_date or checks.check_character)
