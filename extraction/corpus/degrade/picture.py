"""A page as a machine leaves it: pixels, and where every point of the printed page went. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import cv2
import numpy as np
import numpy.typing as npt

from extraction.page import Box

Pixels = npt.NDArray[np.uint8]
Matrix = npt.NDArray[np.float64]

RESOLUTION = 200
"""Dots per inch of the page that comes in."""


Word = tuple[str, Box]


@dataclass(frozen=True, slots=True)
class Scene:
    """What a degradation may know of the page: its day (machines stamp it), the boxes of its NAMs and its words."""

    day: date
    nams: tuple[Box, ...] = ()
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """A degraded page.

    `pixels` is grey (height, width) or colour (height, width, blue green red). `moves` maps points of the printed page
    to points of the picture, both in fractions (3 x 3, homogeneous). `quality` is the JPEG quality to keep it with, 1
    to 100; None means one bit a pixel, black or white. `size` is the paper in points. `words` is what an invisible text
    layer over the picture says, with the places it says it at: right or, mostly, wrong.
    """

    pixels: Pixels
    moves: Matrix
    quality: int | None
    size: tuple[float, float] = (612.0, 792.0)
    words: tuple[Word, ...] = ()

    def place(self, box: Box) -> Box:
        """Where a box of the printed page is seen: the upright box around its four moved corners."""
        corners = np.array([[[box.x0, box.y0]], [[box.x1, box.y0]], [[box.x1, box.y1]], [[box.x0, box.y1]]])
        moved = np.clip(cv2.perspectiveTransform(corners, self.moves)[:, 0, :], 0.0, 1.0)
        (x0, y0), (x1, y1) = moved.min(axis=0).tolist(), moved.max(axis=0).tolist()
        return Box(x0, y0, x1, y1)


Degradation = Callable[[Pixels, np.random.Generator, Scene], Picture]
"""The page as printed, in grey at RESOLUTION; chance; and what is known of the page."""
