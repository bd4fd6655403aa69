"""From the detector's map to the corners of lines."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from extraction.readers.outlines import quads


def likely(*boxes: tuple[int, int, int, int], sure: float = 0.9) -> np.ndarray:
    """A map of 100 × 200 pixels with print in the boxes (x0, y0, x1, y1)."""
    drawn = np.zeros((100, 200), np.float32)
    for x0, y0, x1, y1 in boxes:
        drawn[y0:y1, x0:x1] = sure
    return drawn


def test_a_line_is_grown_back_and_scaled_to_its_image() -> None:
    (found,) = quads(likely((20, 40, 120, 50)), (200, 400))
    (x0, y0), (x1, y1) = found[0], found[2]
    # A strip of 100 × 10 grows by 1.6 × 1000 / 220, about 7 pixels, on each side; the image is twice as large.
    assert (x0, y0, x1, y1) == pytest.approx((26, 66, 254, 114), abs=4)


def test_corners_go_round_from_the_top_left_one() -> None:
    drawn = np.zeros((100, 200), np.float32)
    cv2.line(drawn, (30, 40), (150, 60), 0.9, 9)
    (found,) = quads(drawn, drawn.shape)
    (left, top), (right, upper), (_, bottom), _ = found.tolist()
    assert left < right
    assert top < upper < bottom


def test_what_is_hardly_likely_or_very_small_is_no_line() -> None:
    assert len(quads(likely((20, 40, 120, 50), sure=0.4), (100, 200))) == 0
    assert len(quads(likely((20, 40, 21, 41)), (100, 200))) == 0


def test_lines_stay_inside_their_image() -> None:
    (found,) = quads(likely((0, 0, 200, 12)), (100, 200))
    assert found.min() >= 0
    assert (found.max(axis=0) <= (200, 100)).all()


def test_a_blank_page_has_no_lines() -> None:
    assert quads(likely(), (100, 200)).shape == (0, 4, 2)
