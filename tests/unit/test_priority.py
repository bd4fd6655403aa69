"""Which document comes first, and the reasons that are given for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from review.priority import MOST_HOURS, Because, Left, Proposal, place, reasons, risk, tally

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def proposal(page=1, confidence=0.99, *, doubtful=False, decided=False):
    return Proposal(page, confidence, doubtful, decided)


def test_only_undecided_proposals_on_open_pages_are_left():
    found = tally([proposal(1), proposal(1, decided=True), proposal(2, doubtful=True)], open_pages={1}, searched={1, 2})
    assert (found.pages, found.undecided, found.doubtful) == (1, 1, 0)


def test_faint_ones_are_counted_and_every_ones_chance_to_be_wrong_is_added_up():
    found = tally([proposal(confidence=0.5), proposal(confidence=0.9)], open_pages={1}, searched={1})
    assert found.faint == 1
    assert found.expected_errors == pytest.approx(0.6)


def test_a_page_that_was_not_searched_is_unread_until_it_is_signed():
    assert tally([], open_pages={1, 2}, searched={1}).unread == 1
    assert tally([], open_pages={1}, searched={1}).unread == 0


def test_an_unread_page_is_taken_to_hide_five_numbers():
    assert risk(Left(unread=2, expected_errors=0.5)) == pytest.approx(10.5)


def test_without_risk_a_documents_place_is_its_age():
    assert place(NOON, Left(pages=3)) == NOON


def test_a_number_expected_to_be_wrong_weighs_four_hours():
    assert place(NOON, Left(expected_errors=1.5)) == NOON - 6 * HOUR


def test_the_riskier_of_two_documents_of_one_age_comes_first():
    assert place(NOON, Left(expected_errors=2)) < place(NOON, Left(expected_errors=1))


def test_a_harmless_document_overtakes_any_new_one_after_ten_days():
    hopeless = Left(unread=200, expected_errors=500)
    assert place(NOON, Left()) < place(NOON + timedelta(hours=MOST_HOURS + 1), hopeless)


def test_reasons_begin_with_the_weightiest_and_end_with_the_age():
    found = reasons(Left(unread=3, doubtful=5, faint=2), timedelta(days=3, hours=5))
    assert found == [(Because.UNREAD, 3), (Because.DOUBTFUL, 5), (Because.FAINT, 2), (Because.DAYS, 3)]


@pytest.mark.parametrize(
    ("waited", "expected"),
    [
        (timedelta(minutes=59), (Because.FRESH, 0)),
        (timedelta(hours=1), (Because.HOURS, 1)),
        (timedelta(hours=23, minutes=59), (Because.HOURS, 23)),
        (timedelta(hours=24), (Because.DAYS, 1)),
    ],
)
def test_there_is_always_a_reason(waited, expected):
    assert reasons(Left(), waited) == [expected]
