"""Rows and cells of a page, and the way back from a span of text to its box."""

from __future__ import annotations

import pytest

from extraction.layout import Layout, plain
from extraction.page import Box, Line, Page, Word
from tests.unit.paper import box_of, page, words


def cells_as_lines(*rows: str) -> Page:
    """A page whose reader made a line of every cell, in columns from top to bottom."""
    lines = []
    for number, row in enumerate(rows):
        for column, cell in enumerate(row.split("|")):
            x = 0.05 + 0.3 * column
            lines.append((column, Line(tuple(words(x, 0.1 + 0.02 * number, cell)))))
    return Page(1, 612, 792, tuple(line for _, line in sorted(lines)), "local")


def test_cells_at_one_height_are_one_row_whatever_the_reader_made_of_them() -> None:
    layout = Layout.of(cells_as_lines("08:30|Roy, Anne|514", "08:45|Li, Wei|450"))
    assert layout.printed == "08:30\tRoy, Anne\t514\n08:45\tLi, Wei\t450\n"


def test_the_words_of_a_line_keep_their_order_beside_other_lines() -> None:
    phone, letters = Word("555-010", Box(0.5, 0.05, 0.56, 0.06)), Word("TREM", Box(0.565, 0.05, 0.59, 0.06))
    five = Word("5", Box(0.566, 0.05, 0.566, 0.06))
    cells = (Line((phone, five, letters)), Line(tuple(words(0.2, 0.05, "Roy"))))
    assert Layout.of(Page(1, 612, 792, cells, "local")).printed == "Roy\t555-010 5 TREM\n"


def test_a_line_in_a_gap_of_another_one_stands_in_that_gap() -> None:
    around = (*words(0.1, 0.05, "08:30"), *words(0.6, 0.05, "suivi"))
    layout = Layout.of(Page(1, 612, 792, (Line(around), Line(tuple(words(0.3, 0.05, "TREM 0412")))), "local"))
    assert layout.printed == "08:30\tTREM 0412\tsuivi\n"


@pytest.mark.parametrize("x", [0.05, 0.9])
def test_a_line_that_is_set_sideways_shares_no_row(x: float) -> None:
    level = [Line(tuple(words(0.3, y, f"rangée {y}"))) for y in (0.2, 0.3, 0.4)]
    upwards = tuple(
        Word(text, Box(x, y, x + 0.01, y + 0.07)) for text, y in (("TREM", 0.345), ("0412", 0.265), ("1375", 0.19))
    )
    layout = Layout.of(Page(1, 612, 792, (*level, Line(upwards)), "local"))
    assert layout.printed.splitlines() == ["rangée 0.2", "TREM 0412 1375", "rangée 0.3", "rangée 0.4"]


def test_a_span_inside_a_word_gets_its_part_of_the_box() -> None:
    sheet = page("NAM:TREM fin")
    layout = Layout.of(sheet)
    whole = box_of(sheet, "NAM:TREM")
    assert layout.box(4, 8).x0 == pytest.approx((whole.x0 + whole.x1) / 2)
    assert layout.box(4, 8).x1 == pytest.approx(whole.x1)
    assert layout.box(0, 12).x1 == box_of(sheet, "fin").x1


def test_the_left_edge_of_a_character_is_that_of_its_part_of_the_word() -> None:
    sheet = page("NAM:TREM fin")
    layout = Layout.of(sheet)
    assert layout.left(4) == pytest.approx(layout.box(4, 8).x0)
    assert layout.left(9) == box_of(sheet, "fin").x0


def test_a_box_over_several_words_is_cut_at_both_ends() -> None:
    sheet = page("NAM:TREM 0412 1925.")
    layout = Layout.of(sheet)
    box = layout.box(4, 18)
    assert box.x0 == pytest.approx(layout.left(4))
    assert box.x1 == pytest.approx(layout.left(18))


def test_the_texts_have_equal_length() -> None:
    layout = Layout.of(page("Côté – L’Œuvre №7 ½ İstanbul ﬁn naı̈f e\u0301te\u0301"))
    assert len(layout.printed) == len(layout.plain) == len(layout.folded)
    assert "été" in layout.printed


@pytest.mark.parametrize(
    ("text", "bare"), [("Été", "Ete"), ("a–b", "a-b"), ("l’an", "l'an"), ("ﬁn", "fn"), ("日", "日")]
)
def test_plain_keeps_the_length(text: str, bare: str) -> None:
    assert plain(text) == bare


def test_words_without_print_are_passed_over() -> None:
    blank = Word("  ", Box(0.1, 0.1, 0.2, 0.12), 1.0)
    layout = Layout.of(Page(1, 612, 792, (Line((blank,)), Line(tuple(words(0.1, 0.2, "ici")))), "local"))
    assert layout.printed == "ici\n"


def test_an_empty_page_has_no_rows() -> None:
    layout = Layout.of(page())
    assert (layout.printed, layout.rows) == ("", ())
    with pytest.raises(ValueError, match="no rows"):
        layout.rows_near(Box(0, 0, 1, 1))
