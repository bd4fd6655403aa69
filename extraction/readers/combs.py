"""Rows of small boxes for one letter each, as forms have them, set close together as a line of print. Pure.

Recognisers are trained on words: of letters that stand alone in boxes they lose every third, and take the boxes' sides
for more. So the boxes are found by their shape, and what stands in them is set side by side.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import TYPE_CHECKING

from extraction.readers.open_combs import Cell, open_cells

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

FEWEST = 4
"""Boxes in a row that make a comb."""
SMALLEST, LARGEST = 0.008, 0.05
"""Height of a box, in widths of a page: 1.7 to 11 mm on letter paper."""
NARROWEST, WIDEST = 0.5, 1.7
"""Width of a box, in heights."""
ALIKE = 0.25
"""Boxes of one comb differ in size by less than this."""
FULL = 0.8
"""A box fills so much of the rectangle around it; the inside of an O fills less."""
CLOSE = 0.25
"""Boxes of one group share a wall: they stand closer than this, in heights; groups stand closer than APART."""
APART = 1.2
FILLED = 0.5
"""Boxes of a comb that must hold ink for it to be read."""


@dataclass(frozen=True, slots=True)
class Comb:
    """What stands in a row of boxes as a line: `pixels`, and the corners (x0, y0, x1, y1) of the row on the page."""

    pixels: Pixels
    corners: tuple[float, float, float, float]


def combs(grey: Pixels, *, page_width: float) -> Iterator[Comb]:
    """The filled rows of boxes on a page image or a part of one; `page_width` is that of the whole page in pixels."""
    for row in _rows(_cells(grey, page_width)):
        comb = _line(grey, row)
        if comb is not None:
            yield comb


def _cells(grey: Pixels, page_width: float) -> list[Cell]:
    """Every rectangular hole of about the right size in what is drawn, and what stands between teeth."""
    import cv2
    import numpy as np

    size = max(15, int(page_width / 60) | 1)
    ink = cv2.adaptiveThreshold(grey, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, size, 12)
    drawn = np.asarray(ink, np.uint8)
    ink = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    contours, tree = cv2.findContours(ink, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    cells = []
    for contour, links in zip(contours, tree[0] if tree is not None else (), strict=True):
        x, y, width, height = cv2.boundingRect(contour)
        if links[3] < 0 or not SMALLEST * page_width < height < LARGEST * page_width:
            continue
        if NARROWEST * height < width < WIDEST * height and cv2.contourArea(contour) > 0.7 * width * height:
            cells.append(Cell(x, y, width, height))
    # Closed boxes have a line and teeth too.
    rows = (row for row in open_cells(drawn, page_width=page_width) if not any(_share(row, cell) for cell in cells))
    return [*cells, *chain.from_iterable(rows)]


def _share(row: Sequence[Cell], other: Cell) -> bool:
    """Whether a box is one of a row; a smaller one is the inside of an O."""
    x, y = other.x + other.width / 2, other.y + other.height / 2
    inside = (cell for cell in row if cell.x < x < cell.x + cell.width and cell.y < y < cell.y + cell.height)
    return any(2 * other.width > cell.width and 2 * other.height > cell.height for cell in inside)


def _rows(cells: Sequence[Cell]) -> Iterator[list[Cell]]:
    """Boxes of one size that stand side by side, left to right."""
    left = sorted(cells)
    while left:
        row = [left.pop(0)]
        for cell in list(left):
            if _continues(row[-1], cell):
                row.append(cell)
                left.remove(cell)
        if sum(other.x - one.x - one.width < CLOSE * one.height for one, other in pairwise(row)) >= FEWEST - 2:
            yield row


def _continues(last: Cell, cell: Cell) -> bool:
    alike = abs(cell.height - last.height) < ALIKE * last.height and abs(cell.width - last.width) < ALIKE * last.width
    level = abs(cell.y - last.y) < ALIKE * last.height
    gap = cell.x - last.x - last.width
    return alike and level and -0.2 * last.width < gap < APART * last.height


def _line(grey: Pixels, row: Sequence[Cell]) -> Comb | None:
    """The letters of a row of boxes set close together; None where most of the boxes are empty."""
    import numpy as np

    letters = [_letter(grey, cell) for cell in row]
    if sum(letter is not None for letter in letters) < FILLED * len(row):
        return None
    high = max(letter.shape[0] for letter in letters if letter is not None)
    paper = int(np.median([np.median(letter) for letter in letters if letter is not None]))
    gaps = [_gap(one, other, high) for one, other in pairwise(row)]
    parts: list[Pixels] = [_blank(high, high // 4, paper)]
    for letter, gap in zip(letters, [*gaps, high // 4], strict=True):
        parts += [_padded(letter, high, paper) if letter is not None else _blank(high, high // 3, paper)]
        parts += [_blank(high, gap, paper)]
    first, last = row[0], row[-1]
    corners = (first.x, min(cell.y for cell in row), last.x + last.width, max(cell.y + cell.height for cell in row))
    return Comb(np.hstack(parts), corners)


def _gap(one: Cell, other: Cell, high: int) -> int:
    """The paper between two letters on the line: a space between groups of boxes."""
    return int(0.75 * high if other.x - one.x - one.width > CLOSE * one.height else 0.12 * high)


def _letter(grey: Pixels, cell: Cell) -> Pixels | None:
    """What stands in a box, without the paper left and right of it; None for an empty box."""
    import numpy as np

    edge = max(1, cell.height // 14)
    inside = grey[cell.y + edge : cell.y + cell.height - edge, cell.x + edge : cell.x + cell.width - edge]
    if inside.size == 0:  # A box of two or three pixels, of a place that was cut out for a second look.
        return None
    paper = float(np.median(inside))
    ink = paper - inside.astype(np.float32) > max(25.0, (paper - float(inside.min())) * 0.4)
    columns = np.flatnonzero(ink.sum(axis=0) > 0)
    if int(ink.sum()) < 0.01 * ink.size or len(columns) == 0:
        return None
    return inside[:, max(0, columns[0] - 1) : columns[-1] + 2]


def _padded(letter: Pixels, high: int, paper: int) -> Pixels:
    import numpy as np

    missing = high - letter.shape[0]
    return np.pad(letter, ((missing // 2, missing - missing // 2), (0, 0)), constant_values=paper)


def _blank(high: int, wide: int, paper: int) -> Pixels:
    import numpy as np

    return np.full((high, max(1, wide)), paper, np.uint8)
