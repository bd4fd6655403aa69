"""The likeliest number on a line of which only chances are known."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from extraction import nam
from extraction.finders.spelling import Spelling, normalised, spell
from tests.unit.glimpses import chances

VALUE = "TREM04121925"
BORN = date(2004, 12, 19)


def test_what_is_clear_is_read_as_it_stands() -> None:
    best = spell(chances(VALUE))[0]
    assert best.nam == VALUE
    assert best.probability > 0.95


def test_a_doubtful_character_is_decided_by_the_check_character() -> None:
    """3 is likelier than 4 at the sixth place, but only with 4 does the number hold."""
    best = spell(chances(VALUE, {5: {"3": 0.6, "4": 0.4}}))[0]
    assert best.nam == VALUE


def test_a_look_alike_that_the_reader_was_sure_of_is_still_thought_of() -> None:
    value = nam.compose("Tremblay", "Marie", BORN, False, "Z")
    assert spell(chances(value[:10] + "2" + value[11]))[0].nam == value


def test_a_sharp_misprint_stays_what_is_printed_when_nothing_else_is_possible() -> None:
    misprint = VALUE[:11] + "7"
    assert spell(chances(misprint))[0].nam == misprint


def test_specks_and_separators_between_the_characters_do_not_count() -> None:
    table = chances("TREM-0412.1925")
    assert spell(table)[0].nam == VALUE


def test_a_character_that_stands_twice_is_not_taken_for_one() -> None:
    value = nam.compose("Abbott", "Bea", BORN, True, "1")
    assert spell(chances(value))[0].nam == value


@pytest.mark.parametrize("text", ["", "TREM", "TREM041219"])
def test_a_line_too_short_for_a_number_spells_none(text: str) -> None:
    assert spell(chances(text)) == []


def test_a_line_without_any_print_spells_none() -> None:
    assert spell(np.eye(37, dtype=np.float32)[np.zeros(30, int)]) == []


def test_probabilities_sum_to_one_likeliest_first() -> None:
    spellings = normalised([Spelling("A", 1.0), Spelling("B", 3.0), Spelling("C", 0.0)])
    assert spellings == [Spelling("B", 0.75), Spelling("A", 0.25)]
