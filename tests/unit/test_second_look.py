"""A second look: what is doubtful, what it settles, and what it brings to light."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import pytest

from extraction.finders import pattern, second_look
from extraction.finders.proposal import Proposal
from extraction.page import Box, Page
from extraction.readers.glimpse import Glimpse
from tests.unit.glimpses import glimpse, nothing
from tests.unit.paper import box_of, page

VALUE = "TREM04121925"


def seeing(
    text: str, box: Box, doubts: Mapping[int, Mapping[str, float]] | None = None
) -> Callable[[Box], Iterator[list[Glimpse]]]:
    """A look that sees the same line however often it looks."""

    def look(_: Box) -> Iterator[list[Glimpse]]:
        for _turn in range(3):
            yield [glimpse(text, box, doubts)]

    return look


def refusing(_: Box) -> Iterator[list[Glimpse]]:
    pytest.fail("nothing here is doubtful")


def improved(sheet: Page, look: second_look.Look) -> list[Proposal]:
    return second_look.improve(sheet, pattern.find(sheet), look)


def test_what_passes_every_check_and_was_read_clearly_is_not_looked_at_again() -> None:
    sheet = page("08:30|Tremblay, Marie|TREM 0412 1925")
    assert [p.nam for p in improved(sheet, refusing)] == [VALUE]


def test_a_letter_that_a_name_restored_is_not_looked_for_again() -> None:
    sheet = page("08:30|Tremblay, Marie|TEM 0412 1925")
    assert [p.nam for p in improved(sheet, refusing)] == [VALUE]


def test_a_misread_digit_is_put_right_and_the_first_reading_stays_as_a_repair() -> None:
    sheet = page("NAM : TREM 0412 1935|Tremblay, Marie")
    look = seeing("TREM04121925", box_of(sheet, "TREM 0412 1935"))
    (proposal,) = improved(sheet, look)
    assert (proposal.nam, proposal.text) == (VALUE, "TREM 0412 1935")
    assert ("TREM04121935", "second_look") in [(repair.nam, repair.reason) for repair in proposal.repairs]


def test_a_misprint_that_is_seen_again_stays_as_printed() -> None:
    sheet = page("NAM : TREM 0412 1935|Tremblay, Marie")
    look = seeing("TREM04121935", box_of(sheet, "TREM 0412 1935"))
    (proposal,) = improved(sheet, look)
    assert proposal.nam == "TREM04121935"
    assert not proposal.checks.valid


def test_a_number_that_fails_keeps_its_place_when_nothing_can_be_seen() -> None:
    sheet = page("NAM : TREM 0412 1935|Tremblay, Marie")
    assert [p.nam for p in improved(sheet, nothing)] == ["TREM04121935"]


def test_letters_of_a_name_without_a_number_are_looked_at() -> None:
    sheet = page("Tremblay, Marie|TREM|12O")
    where = box_of(sheet, "TREM")
    around = Box(where.x0, where.y0, where.x0 + 0.12, where.y1)
    assert [p.nam for p in improved(sheet, seeing("TREM04121925", around))] == [VALUE]


def test_something_of_nearly_the_right_shape_is_spelled_out_if_a_name_confirms_it() -> None:
    sheet = page("Tremblay, Marie|TREM 04:12: 1'25")
    look = seeing("TREM04121925", box_of(sheet, "TREM 04:12: 1'25"))
    assert [p.nam for p in improved(sheet, look)] == [VALUE]


def test_what_the_page_calls_an_invoice_is_not_looked_at() -> None:
    sheet = page("Facture : FACT 04:12: 1'25")
    assert improved(sheet, refusing) == []


def test_words_that_say_there_is_no_number_are_believed() -> None:
    rows = [f"{name}|{value}" for name, value in _PEOPLE]
    sheet = page(*rows, "Gagnon, Luc|NAM à venir")
    assert len(improved(sheet, refusing)) == len(_PEOPLE)


_PEOPLE = [
    ("Tremblay, Marie", "TREM 0412 1925"),
    ("Tremblay, Mona", "TREM 0412 1916"),
    ("Tremblay, Max", "TREM 0412 1925"),
]


def test_what_a_person_points_at_is_read_out_although_the_page_knows_nothing_of_it() -> None:
    sheet = page("Agenda du 3 octobre 2025", "Notes : ............")
    place = box_of(sheet, "............")
    proposal = second_look.read_out(sheet, place, seeing(VALUE, place))
    assert proposal is not None
    assert (proposal.nam, proposal.box) == (VALUE, place)


def test_nothing_is_read_out_of_blank_paper() -> None:
    sheet = page("Agenda du 3 octobre 2025")
    assert second_look.read_out(sheet, Box(0.1, 0.8, 0.3, 0.82), nothing) is None
