"""What an answer may say: everything on the page that is like a number, and its dates and times."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extraction.finders.choices import Choices, spans_in
from extraction.layout import Layout
from tests.unit.paper import page, page_of

NUMBER = "TREM04121925"
"""A published example, which is nobody's."""


def choices(*rows: str) -> Choices:
    return Choices.of(Layout.of(page(*rows)))


@pytest.mark.parametrize(
    "printed", [NUMBER, "TREM 0412 1925", "TREM-041219-25", "trem 0412 1925", "TREMO4I21925", "T R E M 0 4 1 2 1 9 2 5"]
)
def test_a_number_is_a_choice_as_it_is_printed(printed: str) -> None:
    assert printed in choices(f"8 h 30 Roy, Anne {printed} 2e visite").numbers


def test_a_number_in_several_cells_is_one_choice() -> None:
    assert choices("TREM|0412|1925|8 h").numbers == ("TREM 0412 1925",)


def test_a_number_on_two_lines_of_a_cell_is_a_choice() -> None:
    assert "TREM 0412 1925" in choices("a|TREM 0412", "b|1925").numbers


def test_what_looks_like_a_number_is_a_choice_too() -> None:
    assert choices("Facture REQU88040592").numbers == ("REQU88040592",)


@pytest.mark.parametrize(
    "text", ["", "Clinique du Lac", "418 555-0123", "TREM 0412 192", "TREM 0412 19256", "2025-10-03"]
)
def test_what_is_not_like_a_number_is_none(text: str) -> None:
    assert choices(text).numbers == ()


def test_dates_and_times_are_choices_as_they_are_printed() -> None:
    made = choices("Le 3 octobre 2025", f"8 h 30 {NUMBER}", f"08:45 {NUMBER} 1950-01-02")
    assert made.dates == ("3 octobre 2025", "1950-01-02")
    assert made.times[:2] == ("8 h 30", "08:45")
    assert made.numbers == (NUMBER,)


def test_a_choice_is_shown_as_the_page_is_shown() -> None:
    layout = Layout.of(page_of("3 octobre 2025 <TREM04121925> 8 h"))
    assert Choices.of(layout).numbers == (NUMBER,)


@given(st.text(alphabet="ab12 -\n", max_size=60))
def test_every_choice_has_twelve_characters_of_one_row(text: str) -> None:
    for start, end in spans_in(text):
        assert "\n" not in text[start:end]
        assert sum(map(str.isalnum, text[start:end])) == 12
