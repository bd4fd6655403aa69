"""A page as a reader of images would have misread it: rows stay, values can be followed."""

from __future__ import annotations

import random

import pytest

from extraction.layout import Layout
from extraction.llm.training.noise import Wear, worn
from tests.unit.paper import page_of

ROWS = ("NAM : TREM 0412 1925\tTremblay, Martin", "08:30\tSuivi médical annuel", "Imprimé le 2025-10-03")
HEAVY = Wear(look_alikes=0.4, lost_spaces=0.4, split_words=0.4)


def chance(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - repeatable on purpose


def layout_of(*rows: str) -> Layout:
    return Layout.of(page_of(*rows))


def test_without_wear_nothing_changes() -> None:
    layout = layout_of(*ROWS)
    same = worn(layout, chance(1), Wear())
    assert same is not None
    assert same.layout.printed == layout.printed
    assert same.moved == tuple(range(len(layout.printed) + 1))


@pytest.mark.parametrize("seed", range(30))
def test_rows_and_cells_stay_as_they_are(seed: int) -> None:
    layout = layout_of(*ROWS)
    misread = worn(layout, chance(seed), HEAVY)
    assert misread is not None
    assert misread.layout.printed != layout.printed
    assert [row.count("\t") for row in misread.layout.printed.split("\n")] == [1, 1, 0, 0]


@pytest.mark.parametrize("seed", range(30))
def test_a_value_can_be_followed_and_its_edges_are_kept(seed: int) -> None:
    layout = layout_of(*ROWS)
    start = layout.printed.index("TREM")
    span = (start, start + len("TREM 0412 1925"))
    misread = worn(layout, chance(seed), Wear(lost_spaces=1.0, look_alikes=0.3), apart={start - 1, span[1]})
    assert misread is not None
    first, last = misread.span(span)
    text = misread.layout.printed
    assert len(text[first:last]) >= 10
    assert text[first - 1] == " "
    assert text[last] == "\t"


def test_every_character_moves_to_what_it_was_taken_for() -> None:
    layout = layout_of("TREM 0412 1925")
    misread = worn(layout, chance(3), Wear(look_alikes=1.0))
    assert misread is not None
    pairs = {layout.printed[i]: misread.layout.printed[misread.moved[i]] for i in range(4, 9)}
    assert pairs["0"] in "OoQD"
    assert pairs["2"] == "Z"


def test_a_split_word_is_two_words_side_by_side() -> None:
    misread = worn(layout_of("TREM04121925"), chance(1), Wear(split_words=1.0))
    assert misread is not None
    one, other = misread.layout.words
    assert one.text + other.text == "TREM04121925"
    assert one.box.x1 == other.box.x0


def test_a_lost_space_makes_one_word_of_two() -> None:
    misread = worn(layout_of("Tremblay Martin"), chance(1), Wear(lost_spaces=1.0))
    assert misread is not None
    assert [word.text for word in misread.layout.words] == ["TremblayMartin"]


def test_the_same_seed_misreads_the_same() -> None:
    layout = layout_of(*ROWS)
    one, other = (worn(layout, chance(5), HEAVY) for _ in range(2))
    assert one is not None
    assert one == other
