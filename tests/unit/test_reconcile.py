"""One list from two finders: who found what, what wins, and what is left out."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time

import pytest

from extraction import nam
from extraction.finders import pattern
from extraction.finders.confidence import PROPOSED_FROM
from extraction.finders.proposal import Checks, Proposal, Repair
from extraction.finders.reconcile import OTHER_FINDER, reconcile
from extraction.page import Box
from tests.unit.paper import box_of, page

SHEET = page(
    "Agenda du vendredi 3 octobre 2025",
    "Heure|Patient|NAM",
    "08:30|Tremblay, Martin|TREM 0412 1925",
    "08:45|Cotsu, Serge|COTS 8005 10A4",
)
FOUND = pattern.find(SHEET)
TREM, COTS = FOUND


def by_model(value: str, box: Box, **others: object) -> Proposal:
    proposal = Proposal(
        nam=value,
        page=1,
        box=box,
        text=nam.grouped(value),
        visit_date=None,
        visit_time=None,
        found_by=("model",),
        checks=Checks(*nam.check(value), name=None),
        confidence=0.9,
    )
    return replace(proposal, **others)  # type: ignore[arg-type]


def test_without_a_model_the_pattern_stands() -> None:
    assert reconcile(SHEET, FOUND, None) == FOUND


def test_a_model_that_finds_nothing_takes_nothing_away() -> None:
    assert reconcile(SHEET, FOUND, []) == FOUND


def test_the_same_value_at_the_same_place_is_found_by_both_and_surer() -> None:
    (first, second) = reconcile(SHEET, FOUND, [by_model("TREM04121925", TREM.box.grown(0.002, 0.001))])
    assert first.found_by == ("pattern", "model")
    assert first.confidence >= TREM.confidence
    assert (first.box, first.text) == (TREM.box, TREM.text)
    assert second == COTS


def test_the_model_may_add_the_time_of_the_numbers_own_row() -> None:
    unknown = replace(TREM, visit_time=None)
    model = by_model("TREM04121925", TREM.box, visit_date=date(2025, 9, 1), visit_time=time(8, 30))
    (merged,) = reconcile(SHEET, [unknown], [model])
    assert (merged.visit_date, merged.visit_time) == (date(2025, 10, 3), time(8, 30))


def test_midnight_beside_the_number_is_a_time_too() -> None:
    sheet = page("00:00|Tremblay, Martin|TREM 0412 1925")
    (found,) = pattern.find(sheet)
    model = by_model("TREM04121925", found.box, visit_time=time(0, 0))
    (merged,) = reconcile(sheet, [replace(found, visit_time=None)], [model])
    assert merged.visit_time == time(0, 0)


def test_what_the_model_takes_from_elsewhere_leaves_an_unknown_visit_unknown() -> None:
    unknown = replace(TREM, visit_date=None, visit_time=None)
    model = by_model("TREM04121925", TREM.box, visit_date=date(2025, 10, 3), visit_time=time(8, 45))
    (merged,) = reconcile(SHEET, [unknown], [model])
    assert (merged.visit_date, merged.visit_time) == (None, None)


@pytest.mark.parametrize(
    "row",
    ["Reçu à 9 h 08|Tremblay, Martin|TREM 0412 1925", "9 h 08|TREM 0412 1925|COTS 8005 10A4"],
    ids=["behind a word", "beside another number"],
)
def test_the_model_adds_no_time_that_is_not_the_beginning_of_the_numbers_own_line(row: str) -> None:
    sheet = page(row)
    found = [replace(each, visit_time=None) for each in pattern.find(sheet)]
    model = by_model("TREM04121925", found[0].box, visit_time=time(9, 8))
    assert {each.visit_time for each in reconcile(sheet, found, [model])} == {None}


@pytest.mark.parametrize(("printed", "value"), [("TREM O412 1925", "TREM04121925"), ("TREM 0412 1935", "TREM04121935")])
def test_the_model_cannot_make_a_misread_number_surer(printed: str, value: str) -> None:
    sheet = page(f"NAM : {printed}")
    (misread,) = pattern.find(sheet)
    model = by_model(value, misread.box, confidence=0.999)
    (merged,) = reconcile(sheet, [misread], [model])
    assert merged.found_by == ("pattern", "model")
    assert merged.confidence == misread.confidence


def test_a_conflict_is_won_by_more_checks_and_the_other_becomes_a_repair() -> None:
    (merged,) = reconcile(SHEET, [TREM], [by_model("TREM04121935", TREM.box)])
    assert (merged.nam, merged.found_by) == ("TREM04121925", ("pattern",))
    assert [(repair.nam, repair.reason) for repair in merged.repairs] == [("TREM04121935", OTHER_FINDER)]


def test_a_model_with_more_checks_wins_the_conflict() -> None:
    sheet = page("NAM : TREM 0412 1935")
    (doubtful,) = pattern.find(sheet)
    (merged,) = reconcile(sheet, [doubtful], [by_model("TREM04121925", doubtful.box)])
    assert (merged.nam, merged.found_by) == ("TREM04121925", ("model",))
    assert "TREM04121935" in [repair.nam for repair in merged.repairs]


@pytest.mark.parametrize(("value", "kept"), [("TREM04621918", True), ("TREM04621928", False)])
def test_what_only_the_model_sees_stays_if_it_passes_its_checks(value: str, kept: bool) -> None:
    sheet = page("Note manuscrite illisible", "", "TREM 0412 1925")
    found = reconcile(sheet, [], [by_model(value, box_of(sheet, "illisible"))])
    assert [proposal.found_by for proposal in found] == ([("model",)] if kept else [])


def test_what_only_the_model_sees_against_a_check_is_a_hint_if_the_page_calls_it_a_number() -> None:
    sheet = page("NAM : TREM????1935", "", "rien")
    (found,) = reconcile(sheet, [], [by_model("TREM04121935", box_of(sheet, "TREM????1935"))])
    assert found.found_by == ("model",)
    assert found.confidence < PROPOSED_FROM


@pytest.mark.parametrize(
    ("before", "number", "is_sure"),
    [
        ("Vu", "TR.EM-04121925", False),
        ("NAM :", "TR.EM-04121925", True),
        ("Vu", "TREM-04121925", True),
        ("Bracelet :", "TREM-04121925", False),
    ],
)
def test_cut_letters_and_other_captions_make_a_hint_of_what_only_the_model_sees(
    before: str, number: str, is_sure: bool
) -> None:
    sheet = page(f"{before} {number}")
    (found,) = reconcile(sheet, [], [by_model("TREM04121925", box_of(sheet, number), text=number)])
    assert (found.confidence >= PROPOSED_FROM) == is_sure


@pytest.mark.parametrize("row", ["Facture : TREM04121925", "SPÉCIMEN TREM04121925"])
def test_the_model_does_not_bring_back_what_the_page_calls_something_else(row: str) -> None:
    sheet = page(row)
    assert reconcile(sheet, [], [by_model("TREM04121925", box_of(sheet, "TREM04121925"))]) == []


def test_the_same_value_at_another_place_is_a_proposal_of_its_own() -> None:
    sheet = page("NAM : TREM 0412 1925", "", "Copie : NAM TREM 0412 1925")
    first, second = pattern.find(sheet)
    merged = reconcile(sheet, [first], [by_model(second.nam, second.box)])
    assert [proposal.found_by for proposal in merged] == [("pattern",), ("model",)]


def test_overlapping_duplicates_are_one() -> None:
    assert reconcile(SHEET, [TREM, replace(TREM, box=TREM.box.grown(0.001, 0.001))], None) == [TREM]
    twice = [by_model("TREM04121925", TREM.box), by_model("TREM04121925", TREM.box.grown(0.001, 0.0))]
    (merged,) = reconcile(SHEET, [TREM], twice)
    assert merged.found_by == ("pattern", "model")


def test_numbers_in_neighbouring_rows_are_never_merged() -> None:
    tight = page(*(f"NAM|{value}" for value in ("TREM 0412 1925", "COTS 8005 10A4", "TREM 0462 1918")), spacing=0.012)
    found = pattern.find(tight)
    assert len(reconcile(tight, found, [by_model(p.nam, p.box.grown(0.004, 0.003)) for p in found])) == 3


def test_the_list_is_in_reading_order() -> None:
    assert reconcile(SHEET, [COTS], [by_model("TREM04121925", TREM.box)])[0].nam == "TREM04121925"
    side = page("COTS 8005 10A4|TREM 0412 1925")
    right, left = reversed(pattern.find(side))
    slanted = replace(right, box=right.box._replace(y0=right.box.y0 - 0.002, y1=right.box.y1 - 0.002))
    assert [proposal.nam for proposal in reconcile(side, [slanted, left], None)] == ["COTS800510A4", "TREM04121925"]


def test_repairs_of_both_are_kept_best_first_and_few() -> None:
    repairs = tuple(Repair(f"TREM0412192{digit}", "look_alike", 0.1 * digit) for digit in range(4))
    more = (*repairs[2:], Repair("TREM04121918", "second_look", 0.9))
    (merged,) = reconcile(SHEET, [replace(TREM, repairs=repairs)], [by_model(TREM.nam, TREM.box, repairs=more)])
    assert [repair.nam for repair in merged.repairs] == ["TREM04121918", "TREM04121923", "TREM04121922", "TREM04121921"]


def test_a_number_that_the_model_cuts_out_of_a_longer_word_breaks_nothing() -> None:
    sheet = replace(page(f'Assistant:|["{TREM.nam}|2025-10-03|08:30"]'), reader="text_layer")
    word = next(word for word in sheet.words if TREM.nam in word.text)
    part = Box(word.box.x0, word.box.y0, word.box.x0 + word.box.width / 3, word.box.y1)
    assert [each.nam for each in reconcile(sheet, [], [by_model(TREM.nam, part)])] == [TREM.nam]
