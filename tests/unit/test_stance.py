"""How a page lies: it is righted for the finders, and what they find is put back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extraction.finders import pattern
from extraction.page import Box, Page
from extraction.stance import LEAST_SLOPE, Stance
from tests.unit.paper import page

STANCES = [Stance(0, 0.05), Stance(1, 0.0), Stance(2, -0.03), Stance(3, 0.04)]
ROWS = [
    "Heure|Nom|NAM|Motif",
    "08:30|Tremblay, Marie|TREM 0412 1925|Suivi",
    "09:00|Benali, Karim|BENK 4510 1216|Suivi",
]


def askew(sheet: Page, stance: Stance) -> Page:
    """The page as a camera or a scanner turned it."""
    return sheet.levelled(-stance.slope).turned(-stance.quarters)


@pytest.mark.parametrize("stance", STANCES)
def test_the_stance_of_a_page_shows_in_its_lines(stance: Stance) -> None:
    seen = Stance.of(askew(page(*ROWS), stance))
    assert seen.quarters == stance.quarters
    assert seen.slope == pytest.approx(stance.slope, abs=0.002)


def test_what_is_nearly_level_is_left_as_it_is() -> None:
    sheet = page(*ROWS)
    crooked = sheet.levelled(LEAST_SLOPE / 2)
    assert Stance.of(crooked).righted(crooked) is crooked


def test_numbers_of_close_rows_on_a_slanted_page_are_all_found() -> None:
    """The boxes around slanted print of neighbouring rows overlap; their characters do not."""
    rows = [*ROWS, "09:30|Gagnon, Rosalie|GAGR 8756 0858|Suivi"]
    sheet = askew(page(*rows, spacing=0.018), Stance(0, -0.06))
    assert len(pattern.find(sheet)) == len(pattern.find(page(*rows))) == 3


@given(st.floats(0, 0.8), st.floats(0.1, 0.9), st.floats(0.01, 0.2), st.floats(0.005, 0.03), st.floats(-0.08, 0.08))
def test_a_box_that_is_put_back_goes_around_what_was_found(
    x: float, y: float, width: float, height: float, slope: float
) -> None:
    shown = Box(x, y, x + width, y + height)
    back = Stance(0, slope).put_back(shown.levelled(slope))
    assert back.y0 <= shown.y0 + 1e-9
    assert back.y1 >= shown.y1 - 1e-9
    assert (back.x0, back.x1) == (shown.x0, shown.x1)
