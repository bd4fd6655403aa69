"""Boxes for one letter each, found by their shape and set as a line."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from extraction.readers.combs import combs

WIDE = 1700
PITCH, SIDE = 44, 46


def comb(text: str, *, x: int = 100, y: int = 60) -> np.ndarray:
    """A strip of a page with a box for each letter; a space leaves a gap between two groups."""
    strip = np.full((180, WIDE), 245, np.uint8)
    for letter in text:
        if letter != " ":
            cv2.rectangle(strip, (x, y), (x + PITCH, y + SIDE), 60, 2)
            if letter != "_":
                cv2.putText(strip, letter, (x + 12, y + 34), cv2.FONT_HERSHEY_SIMPLEX, 0.9, 20, 2)
        x += PITCH if letter != " " else PITCH // 2
    return strip


def test_a_filled_row_of_boxes_is_one_line_without_its_boxes() -> None:
    (found,) = combs(comb("TREM04121925"), page_width=WIDE)
    assert found.corners == pytest.approx((101, 61, 100 + 12 * PITCH - 1, 60 + SIDE - 1), abs=4)
    assert found.pixels.shape[1] < 12 * PITCH
    edges = (found.pixels < 150).mean(axis=0)
    assert edges.max() < 0.9, "the side of a box is left"


def test_groups_of_boxes_are_one_line_with_spaces() -> None:
    (together,) = combs(comb("TREM04121925"), page_width=WIDE)
    (apart,) = combs(comb("TREM 0412 1925"), page_width=WIDE)
    assert apart.pixels.shape[1] > together.pixels.shape[1] + together.pixels.shape[0]


def test_empty_boxes_are_left_alone() -> None:
    assert not list(combs(comb("____________"), page_width=WIDE))


def test_a_row_of_zeros_is_no_row_of_boxes() -> None:
    strip = np.full((180, WIDE), 245, np.uint8)
    cv2.putText(strip, "0000 0000 OOOO", (100, 100), cv2.FONT_HERSHEY_SIMPLEX, 1.4, 20, 3)
    assert not list(combs(strip, page_width=WIDE))


def test_a_page_without_boxes_has_none() -> None:
    assert not list(combs(np.full((300, WIDE), 255, np.uint8), page_width=WIDE))


def open_comb(text: str, *, x: int = 100, y: int = 110, tooth: int = 16, thick: int = 3) -> np.ndarray:
    """A strip of a form: a line with a tooth between every two letters; a space parts two combs."""
    strip = np.full((180, WIDE), 245, np.uint8)
    for group in text.split(" "):
        cv2.line(strip, (x, y), (x + PITCH * len(group), y), 60, thick)
        for place in range(len(group) + 1):
            cv2.line(strip, (x + PITCH * place, y - tooth), (x + PITCH * place, y), 60, thick)
        for place, letter in enumerate(group):
            cv2.putText(strip, letter, (x + PITCH * place + 12, y - 6), cv2.FONT_HERSHEY_SIMPLEX, 0.9, 20, 2)
        x += PITCH * len(group) + 12
    return strip


@pytest.mark.parametrize(("tooth", "thick"), [(10, 2), (16, 3), (30, 2)])
def test_a_comb_without_a_roof_is_a_line_of_letters_without_its_teeth(tooth: int, thick: int) -> None:
    rows = list(combs(open_comb("TREM 0412 1925", tooth=tooth, thick=thick), page_width=WIDE))
    assert sum(row.corners[2] - row.corners[0] for row in rows) > 11 * PITCH
    for row in rows:
        edges = (row.pixels < 150).mean(axis=0)
        assert edges.max() < 0.9, "a tooth is left"


def test_an_open_comb_on_a_crooked_scan_is_found() -> None:
    turn = cv2.getRotationMatrix2D((WIDE / 2, 90), 0.8, 1)
    crooked = cv2.warpAffine(open_comb("TREM 0412 1925", x=500), turn, (WIDE, 180), borderValue=245)
    assert sum(row.corners[2] - row.corners[0] for row in combs(crooked, page_width=WIDE)) > 11 * PITCH


def test_the_rows_of_a_table_are_no_combs() -> None:
    table = np.full((500, WIDE), 245, np.uint8)
    for row in range(4):
        cv2.line(table, (100, 60 + 130 * row), (100 + 8 * 70, 60 + 130 * row), 60, 2)
        for column in range(8):
            cv2.putText(table, "ab", (112 + 70 * column, 120 + 130 * row), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 20, 2)
    for column in range(9):
        cv2.line(table, (100 + 70 * column, 60), (100 + 70 * column, 450), 60, 2)
    assert not list(combs(table, page_width=WIDE))


def test_letters_on_a_line_are_no_comb() -> None:
    strip = np.full((180, WIDE), 245, np.uint8)
    cv2.line(strip, (100, 110), (700, 110), 60, 2)
    cv2.putText(strip, "Hilililli", (110, 106), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 20, 2)
    assert not list(combs(strip, page_width=WIDE))


def test_boxes_of_two_pixels_are_no_letters() -> None:
    """A second look cuts a page where it likes; what was cut may hold the corners of boxes only."""
    strip = np.full((40, 400), 245, np.uint8)
    for x in range(20, 380, 6):
        cv2.rectangle(strip, (x, 18), (x + 4, 22), 60, 1)
    assert list(combs(strip, page_width=400)) == []


@pytest.mark.filterwarnings("error")
def test_a_comb_whose_line_is_the_edge_of_the_picture_has_no_letters() -> None:
    assert list(combs(open_comb("TREM 0412 1925")[107:], page_width=WIDE)) == []
