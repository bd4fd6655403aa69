"""From a printed value to its place on the page."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extraction import nam
from extraction.finders.location import Locator, locate
from extraction.layout import Layout
from extraction.page import Box, Line, Page, Word

NAM = "TREM04121925"
CHARACTER = 0.01
HEIGHT = 0.012


def row(y: float, *cells: tuple[float, str]) -> Line:
    """One line: each cell begins at its x, words are parted by half a character."""
    words = []
    for x, text in cells:
        at = x
        for word in text.split():
            words.append(Word(word, Box(at, y, at + CHARACTER * len(word), y + HEIGHT)))
            at += CHARACTER * (len(word) + 0.5)
    return Line(tuple(words))


def page_of(*lines: Line) -> Page:
    return Page(1, 612, 792, lines, "test")


@pytest.mark.parametrize(
    "printed", ["TREM04121925", "TREM 0412 1925", "TREM-0412-1925", "T R E M 0 4 1 2 1 9 2 5", "trem 04121925"]
)
def test_a_number_is_found_however_it_is_spaced(printed: str) -> None:
    located = locate(page_of(row(0.1, (0.1, "NAM : " + printed + " fin"))), NAM)
    assert located is not None
    assert located.text == printed


@pytest.mark.parametrize("asked", ["TREM04121925", "TREM 0412 1925", "trem-0412-1925"])
def test_a_number_is_found_however_it_is_asked_for(asked: str) -> None:
    assert locate(page_of(row(0.1, (0.1, "TREM 0412 1925"))), asked) is not None


def test_the_box_goes_around_the_words_of_the_number_and_no_others() -> None:
    located = locate(page_of(row(0.2, (0.1, "08:30"), (0.3, "TREM 0412 1925"), (0.7, "Salle 3"))), NAM)
    assert located is not None
    assert located.box == pytest.approx((0.3, 0.2, 0.43, 0.212))
    assert [word.text for word in located.words] == ["TREM", "0412", "1925"]


def test_a_label_glued_to_the_number_is_cut_off_its_box() -> None:
    located = locate(page_of(row(0.2, (0.1, "NAM:TREM04121925"))), NAM)
    assert located is not None
    assert located.text == NAM
    assert located.box == pytest.approx((0.14, 0.2, 0.26, 0.212))


@pytest.mark.parametrize(
    ("printed", "asked"),
    [
        ("18:30", "8:30"),
        ("2025-10-03", "5-10-03"),
        ("TREM041219251", "TREM04121925"),
        ("XTREM04121925", "TREM04121925"),
        ("Tremblay-Roy", "blay-Roy"),
        ("TREM 0412 1925", "TREM04121926"),
        ("TREM 0412 x 1925", "TREM04121925"),
        ("TREM O412 1925", "TREM04121925"),
        ("1925 0412 TREM", "TREM04121925"),
        ("", "TREM04121925"),
    ],
)
def test_what_is_not_printed_as_a_whole_is_not_found(printed: str, asked: str) -> None:
    assert locate(page_of(row(0.1, (0.1, printed))), asked) is None


@pytest.mark.parametrize("asked", ["", " - ", "…"])
def test_a_value_without_letters_and_digits_stands_nowhere(asked: str) -> None:
    assert locate(page_of(row(0.1, (0.1, "TREM - 0412"))), asked) is None


def test_an_accent_makes_no_difference() -> None:
    located = locate(page_of(row(0.1, (0.1, "BÉLANGER, Héloïse"))), "Belanger, Heloise")
    assert located is not None
    assert located.text == "BÉLANGER, Héloïse"


def test_a_number_goes_on_in_the_cell_below() -> None:
    page = page_of(
        row(0.1, (0.1, "08:30"), (0.3, "TREM 0412"), (0.6, "Suivi")), row(0.114, (0.3, "1925"), (0.6, "annuel"))
    )
    located = locate(page, NAM)
    assert located is not None
    assert located.text == "TREM 0412 1925"
    assert located.box == pytest.approx((0.3, 0.1, 0.385, 0.126))


def test_a_number_may_run_over_three_lines_of_a_cell() -> None:
    page = page_of(row(0.1, (0.3, "TREM")), row(0.114, (0.3, "0412")), row(0.128, (0.3, "1925")))
    located = locate(page, NAM)
    assert located is not None
    assert located.text == "TREM 0412 1925"


def test_a_number_does_not_go_on_in_another_column() -> None:
    assert locate(page_of(row(0.1, (0.3, "TREM 0412")), row(0.114, (0.6, "1925"))), NAM) is None


def test_a_number_does_not_go_on_far_below() -> None:
    assert locate(page_of(row(0.1, (0.3, "TREM 0412")), row(0.2, (0.3, "1925"))), NAM) is None


def test_a_number_does_not_go_on_into_the_middle_of_a_longer_one() -> None:
    assert locate(page_of(row(0.1, (0.3, "TREM 0412")), row(0.114, (0.3, "19257"))), NAM) is None


def test_every_place_is_given_in_reading_order() -> None:
    page = page_of(row(0.3, (0.3, NAM)), row(0.1, (0.3, "TREM 0412 1925")), row(0.2, (0.1, NAM), (0.6, NAM)))
    places = Locator(Layout.of(page)).places(NAM)
    assert [(round(p.box.y0, 2), round(p.box.x0, 2)) for p in places] == [
        (0.1, 0.3),
        (0.2, 0.1),
        (0.2, 0.6),
        (0.3, 0.3),
    ]


def test_places_do_not_overlap() -> None:
    places = Locator(Layout.of(page_of(row(0.1, (0.1, "10 10 10"))))).places("1010")
    assert [place.text for place in places] == ["10 10"]


@pytest.mark.parametrize("printed", ["TREMO4121925", "TREM O412 I925", "TREM 04l2 1925", "TREM 04|2 19Z5"])
def test_a_look_alike_place_says_what_is_printed(printed: str) -> None:
    locator = Locator(Layout.of(page_of(row(0.1, (0.1, printed)))))
    assert locator.places(NAM) == []
    assert [place.text for place in locator.look_alike_places(NAM)] == [printed]


def test_another_digit_is_no_look_alike() -> None:
    assert Locator(Layout.of(page_of(row(0.1, (0.1, "TREM 0412 1926"))))).look_alike_places(NAM) == []


@given(
    words=st.lists(st.text(alphabet="ABÉ019-:", min_size=1, max_size=6), min_size=1, max_size=8),
    asked=st.text(alphabet="ABÉ019-: ", max_size=10),
)
def test_whatever_is_found_is_printed_with_just_the_characters_asked_for(words: list[str], asked: str) -> None:
    located = locate(page_of(row(0.1, (0.05, " ".join(words)))), asked)
    if located is not None:
        assert nam.normalise(located.text) == nam.normalise(asked)


@given(
    words=st.lists(st.text(alphabet="AB01", min_size=1, max_size=6), min_size=1, max_size=8),
    span=st.tuples(st.integers(0, 7), st.integers(1, 8)),
)
def test_whole_words_side_by_side_are_always_found(words: list[str], span: tuple[int, int]) -> None:
    asked = " ".join(words[span[0] : span[0] + span[1]])
    found = locate(page_of(row(0.1, (0.05, " ".join(words)))), asked)
    assert (found is not None) == bool(asked)
