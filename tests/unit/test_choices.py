"""What an answer may say: everything on the page that is like a number, with the dates and times that it may have."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extraction.finders.choices import Choice, choices, spans_in
from extraction.layout import Layout
from tests.unit.paper import page, page_of

NUMBER, OTHER = "TREM04121925", "BELF85562314"
"""Published examples, which are nobody's."""


def chosen_from(*rows: str, spacing: float = 0.013) -> list[Choice]:
    return choices(Layout.of(page(*rows, spacing=spacing)))


def numbers(*rows: str) -> list[str]:
    return [choice.number for choice in chosen_from(*rows, spacing=0.02)]


@pytest.mark.parametrize(
    "printed", [NUMBER, "TREM 0412 1925", "TREM-041219-25", "trem 0412 1925", "TREMO4I21925", "T R E M 0 4 1 2 1 9 2 5"]
)
def test_a_number_is_a_choice_as_it_is_printed(printed: str) -> None:
    assert printed in numbers(f"8 h 30 Roy, Anne {printed} 2e visite")


def test_a_number_in_several_cells_is_one_choice() -> None:
    assert numbers("TREM|0412|1925|8 h") == ["TREM 0412 1925"]


def test_a_number_on_two_lines_of_a_cell_is_a_choice() -> None:
    assert "TREM 0412 1925" in numbers("a|TREM 0412", "b|1925")


def test_the_year_of_a_date_is_no_time_on_a_page_without_times() -> None:
    (choice,) = chosen_from(f"{NUMBER} 3 octobre 2025")
    assert choice.times == ("",)


def test_what_looks_like_a_number_is_a_choice_too() -> None:
    assert numbers("Facture REQU88040592") == ["REQU88040592"]


@pytest.mark.parametrize(
    "text", ["", "Clinique du Lac", "418 555-0123", "TREM 0412 192", "TREM 0412 19256", "P1 DDN 1933/02/11 92 ans"]
)
def test_what_is_not_like_a_number_is_none(text: str) -> None:
    assert numbers(text) == []


def test_a_choice_is_shown_as_the_page_is_shown() -> None:
    assert [choice.number for choice in choices(Layout.of(page_of("3 octobre 2025 <TREM04121925> 8 h")))] == [NUMBER]


def test_a_number_has_the_time_of_its_row() -> None:
    first, second = chosen_from("3 octobre 2025", f"08:30|{NUMBER}", f"08:45|{OTHER}")
    assert (first.times, second.times) == (("08:30",), ("08:45",))


def test_a_number_has_a_time_of_its_block_and_none_of_another_one() -> None:
    first, second = chosen_from("08:30", f"NAM {NUMBER}", "", "08:45", f"NAM {OTHER}", "Arrivée 08:40")
    assert first.times == ("08:30",)
    assert second.times == ("08:45", "08:40")


def test_a_number_whose_block_has_no_time_may_have_one_that_stands_with_no_number() -> None:
    (choice,) = chosen_from("Arrivée 08:30", "Départ 09:00", "", "", NUMBER, "Roy, Anne")
    assert choice.times == ("", "08:30", "09:00")


def test_a_number_without_a_time_of_its_own_has_none_of_its_neighbour() -> None:
    first, second = chosen_from(f"08:30|{NUMBER}", f"-|{OTHER}")
    assert (first.times, second.times) == (("08:30",), ("",))


def test_days_above_are_for_all_numbers_below() -> None:
    first, second = chosen_from("3 octobre 2025", f"08:30|{NUMBER}", f"08:45|{OTHER}")
    assert first.dates == second.dates == ("", "3 octobre 2025")


def test_the_date_of_a_row_is_its_numbers_and_may_be_repeated_where_it_is_the_same() -> None:
    rows = [f"{day}/10/2025|{number}" for day, number in (("13", NUMBER), ("13", OTHER), ("14", NUMBER))]
    made = chosen_from(*rows)
    assert [(choice.dates, choice.repeats) for choice in made] == [
        (("13/10/2025",), True),
        (("13/10/2025",), True),
        (("14/10/2025",), False),
    ]


def test_the_birth_date_that_a_number_says_is_no_visit() -> None:
    (choice,) = chosen_from("3 octobre 2025", f"{NUMBER}|2004-12-19")
    assert choice.dates == ("", "3 octobre 2025")


def test_digits_of_a_number_are_no_time() -> None:
    (choice,) = chosen_from("Arrivée 0830", "NAM TREM 0412 1925")
    assert choice.times == ("0830",)


@given(st.text(alphabet="ab12 -\n", max_size=60))
def test_every_choice_has_twelve_characters_of_one_row(text: str) -> None:
    for start, end in spans_in(text):
        assert "\n" not in text[start:end]
        assert sum(map(str.isalnum, text[start:end])) == 12
