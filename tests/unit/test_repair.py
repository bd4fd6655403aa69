"""Other readings of a number: what is offered, why, and in which order."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extraction import nam
from extraction.finders import repair
from extraction.finders.repair import Reading

VALUE = "TREM04121925"


def test_what_is_printed_comes_first_among_the_readings() -> None:
    assert repair.readings(VALUE)[0] == Reading(VALUE, 0)


@pytest.mark.parametrize(
    ("glyphs", "cost"),
    [("TREMO4121925", 1), ("TREM04l2I92S", 3), ("TREM0412|925", 1), ("trem0412i925", 1), ("TREMQ4121925", 1)],
)
def test_each_look_alike_costs_one(glyphs: str, cost: int) -> None:
    assert Reading(VALUE, cost) in repair.readings(glyphs)


@pytest.mark.parametrize("glyphs", ["TREMOAIZISZS", "TREMX4121925", "TR7M04121925"])
def test_too_many_or_unlike_characters_have_no_reading(glyphs: str) -> None:
    assert repair.readings(glyphs) == []


def test_a_one_among_the_letters_is_i_or_l() -> None:
    assert {reading.value[:4] for reading in repair.readings("L1RS75113016")} == {"LIRS", "LLRS"}


@pytest.mark.parametrize(
    ("glyphs", "value"), [("trem04121925", VALUE), ("TREM0412|925", VALUE), ("TR|M04121925", "TRIM04121925")]
)
def test_literal_keeps_what_stands_there(glyphs: str, value: str) -> None:
    assert repair.literal(glyphs) == value


def test_a_valid_value_needs_no_repair() -> None:
    assert repair.rank(VALUE) == ()


@pytest.mark.parametrize("printed", ["TREM04121923", "TREM04121926", "TREM04127925", "TREM04121625", "TREMO4121925"])
def test_a_misread_character_is_offered_back(printed: str) -> None:
    valid = [reading for reading in repair.readings(printed) if all(nam.check(reading.value))]
    offered = {each.nam for each in repair.rank(printed, valid_readings=valid)}
    assert VALUE in offered or printed in {"TREM04121926", "TREM04121625"}
    assert all(all(nam.check(value)) for value in offered)


def test_a_name_nearby_restores_letters_that_the_check_character_cannot_see() -> None:
    value = nam.compose("Laird", "Sam", date(1975, 11, 30), False, "1")
    misread = value.replace("LAI", "LAL")
    assert all(nam.check(misread))
    (offered,) = repair.rank(misread, names=["LAIS"])
    assert (offered.nam, offered.reason) == (value, "name_nearby")


def test_another_persons_name_restores_nothing() -> None:
    assert repair.rank(VALUE, names=["GAGL"]) == ()


def test_a_birth_date_nearby_restores_digits() -> None:
    offered = repair.rank("TREM04151825", births=[date(2004, 12, 19)])
    assert (VALUE, "birth_date_nearby") in [(each.nam, each.reason) for each in offered]


def test_agreement_with_a_name_puts_a_look_alike_first() -> None:
    offered = repair.rank(
        "L11S75113016", valid_readings=[Reading("LIIS75113016", 2), Reading("LILS75113016", 2)], names=["LILS"]
    )
    assert [each.nam for each in offered] == ["LILS75113016", "LIIS75113016"]


@given(
    st.text("ABCDEFGHILMNOPQRSTUVXYZ", min_size=4, max_size=4),
    st.text("0123456789", min_size=8, max_size=8),
    st.lists(st.text("ABCDEILMNOST", min_size=4, max_size=4), max_size=5),
    st.lists(st.dates(date(1900, 1, 1)), max_size=3),
)
def test_repairs_are_few_different_valid_and_ordered(
    letters: str, digits: str, names: list[str], births: list[date]
) -> None:
    offered = repair.rank(letters + digits, names=names, births=births)
    assert len(offered) <= repair.MOST
    assert len({each.nam for each in offered}) == len(offered)
    assert all(all(nam.check(each.nam)) and 0 <= each.score <= 1 for each in offered)
    assert [each.score for each in offered] == sorted((each.score for each in offered), reverse=True)
