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
