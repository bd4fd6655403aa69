"""From the detector's map of print to the corners of each line. Pure.

The map says for each pixel how likely it is inside a line of print, drawn smaller than the line is, so that neighbours
stay apart (differentiable binarization, arXiv:1911.08947). What stands together is a line; its upright or tilted
rectangle is grown back by as much as it was shrunk.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

# The values that the model's publisher ships with it (RapidOCR's config.yaml).
PRINT = 0.3  # likelihood from which a pixel is taken for print
LINE = 0.5  # mean likelihood that an outline must have
GROWN = 1.6  # times its area over its circumference is what a rectangle grows by on each side
MOST = 1000  # outlines of one page
THINNEST, THINNEST_GROWN = 3, 5  # pixels


def quads(likely: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """The corners of each line (lines × 4 × (x, y), from the top left one with the clock) in pixels of an image.

    `likely` is the map (height × width, 0..1); `shape` the height and width of the image that it was drawn from.
    """
    scale = np.array([shape[1] / likely.shape[1], shape[0] / likely.shape[0]])
    found = [np.round(corners * scale) for corners in _rectangles(likely)]
    if not found:
        return np.empty((0, 4, 2), np.float32)
    return np.asarray(np.clip(np.array(found), 0, [shape[1], shape[0]]), np.float32)


def _rectangles(likely: NDArray[np.float32]) -> Iterator[NDArray[np.float64]]:
    import cv2

    bitmap = cv2.dilate((likely > PRINT).astype(np.uint8), np.ones((2, 2), np.uint8))
    outlines, _ = cv2.findContours(bitmap, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    for outline in outlines[:MOST]:
        middle, (wide, high), angle = cv2.minAreaRect(outline)
        if min(wide, high) < THINNEST or _mean(likely, _corners((middle, (wide, high), angle))) < LINE:
            continue
        more = GROWN * wide * high / (wide + high)  # Twice the area over the circumference: both sides of it.
        if min(wide, high) + more >= THINNEST_GROWN:
            yield _corners((middle, (wide + more, high + more), angle))


def _corners(rectangle: Any) -> NDArray[np.float64]:
    """The corners of a tilted rectangle: top left, top right, bottom right, bottom left."""
    import cv2

    points = sorted(cv2.boxPoints(rectangle).tolist())
    left, right = sorted(points[:2], key=_height), sorted(points[2:], key=_height)
    return np.array([left[0], right[0], right[1], left[1]])


def _height(point: list[float]) -> float:
    return point[1]


def _mean(likely: NDArray[np.float32], corners: NDArray[np.float64]) -> float:
    """The mean of the map inside a rectangle."""
    import cv2

    high, wide = likely.shape
    x0, y0 = np.clip(np.floor(corners.min(axis=0)), 0, [wide - 1, high - 1]).astype(int)
    x1, y1 = np.clip(np.ceil(corners.max(axis=0)), 0, [wide - 1, high - 1]).astype(int)
    mask = np.zeros((y1 - y0 + 1, x1 - x0 + 1), np.uint8)
    cv2.fillPoly(mask, [(corners - [x0, y0]).astype(np.int32)], (1,))
    return float(cv2.mean(likely[y0 : y1 + 1, x0 : x1 + 1], mask)[0])
