"""How a page lies: it is righted for the finders, and what they find is put back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extraction.finders import pattern
from extraction.layout import Layout
from extraction.page import Box, Line, Page
from extraction.stance import LEVEL, Slant, Stance
from tests.unit.paper import page, words

ROWS = [
    "Heure|Nom|NAM|Motif",
    "08:30|Tremblay, Marie|TREM 0412 1925|Suivi",
    "09:00|Benali, Karim|BENK 4510 1216|Suivi",
    "09:30|Gagnon, Rosalie|GAGR 8756 0858|Suivi",
]


def askew(sheet: Page, slope: float, quarters: int = 0) -> Page:
    """The page as a camera or a scanner turned it."""
    lines = []
    for line in sheet.lines:
        lines.append(Line(tuple(word._replace(box=_lowered(word.box, slope)) for word in line.words)))
    return Page(sheet.number, sheet.width, sheet.height, tuple(lines), sheet.reader).turned(-quarters)


@pytest.mark.parametrize(("quarters", "slope"), [(0, 0.05), (1, 0.0), (2, -0.03), (3, 0.04)])
def test_the_stance_of_a_page_shows_in_its_lines(quarters: int, slope: float) -> None:
    seen = Stance.of(askew(page(*ROWS), slope, quarters))
    assert seen.quarters == quarters
    assert seen.slant.head == pytest.approx(slope, abs=0.003)


def test_what_is_level_is_left_as_it_is() -> None:
    sheet = page(*ROWS)
    assert Stance.of(sheet).slant == LEVEL
    assert Stance.of(sheet).righted(sheet) is sheet


def test_numbers_of_close_rows_on_a_slanted_page_are_all_found() -> None:
    """The boxes around slanted print of neighbouring rows overlap; their characters do not."""
    sheet = askew(page(*ROWS, spacing=0.018), -0.06)
    assert len(pattern.find(Stance.of(sheet).righted(sheet))) == len(pattern.find(page(*ROWS))) == 3


@given(st.floats(0, 0.8), st.floats(0.1, 0.9), st.floats(0.01, 0.2), st.floats(0.005, 0.03),
       st.floats(-0.08, 0.08), st.floats(-0.08, 0.08))  # fmt: skip
def test_a_box_that_is_put_back_goes_around_what_was_found(
    x: float, y: float, width: float, height: float, head: float, more: float
) -> None:
    shown, slant = Box(x, y, x + width, y + height), Slant(head, more)
    back = Stance(0, slant).put_back(slant.levelled(shown))
    assert back.y0 <= shown.y0 + 1e-9
    assert back.y1 >= shown.y1 - 1e-9
    assert (back.x0, back.x1) == (shown.x0, shown.x1)


def slanted(*, head: float, foot: float) -> Page:
    """Twenty rows of three cells each, whose lines sink by `head` at the head of the page and by `foot` at its foot."""
    lines = []
    for row in range(20):
        y = 0.1 + 0.04 * row
        for x in (0.1, 0.4, 0.7):
            placed = words(x, y, f"cellule {row} de trois")
            slope = head + (foot - head) * y
            sunk = [word._replace(box=_lowered(word.box, slope)) for word in placed]
            lines.append(Line(tuple(sunk)))
    return Page(1, 612, 792, tuple(lines), "local")


def _lowered(box: Box, slope: float) -> Box:
    down = slope * box.middle[0]
    return Box(box.x0, box.y0 + down, box.x1, box.y1 + down)


@pytest.mark.parametrize(("head", "foot"), [(0.02, 0.02), (-0.09, -0.09), (0.08, 0.02), (-0.03, 0.06)])
def test_rows_are_followed_across_a_page_whose_lines_converge(head: float, foot: float) -> None:
    sheet = slanted(head=head, foot=foot)
    layout = Layout.of(Stance.of(sheet).righted(sheet))
    assert [layout.printed[row.start : row.end].count("cellule") for row in layout.rows] == [3] * 20


def test_cells_that_stand_higher_than_their_row_do_not_make_it_slant() -> None:
    """Numbers in boxes of their own are set a little above the names beside them, on every row of a level page."""
    lines = list(page("Liste du 3 octobre 2025", "Heure|Nom|NAM|Naissance").lines)
    for row in range(12):
        y = 0.2 + 0.05 * row
        lines.append(Line(tuple(words(0.1, y, f"9 h {10 + row}") + words(0.25, y, "Tremblay, Marie"))))
        lines.append(Line(tuple(words(0.5, y - 0.006, "TREM 0462 1929"))))
        lines.append(Line(tuple(words(0.8, y, "2004-12-19"))))
    assert Stance.of(Page(1, 612, 792, tuple(lines), "local")).slant.more == 0
