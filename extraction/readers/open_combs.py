"""Combs without a roof, as government forms have them: a line with short teeth, a letter between every two. Pure.

    | T | R | E | M |
    +---+---+---+---+

Between the teeth are cells as good as closed boxes; how high they are, the letters say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

FEWEST_TEETH = 4
"""Teeth on one line that make a comb, its ends counted."""
NARROWEST, WIDEST = 0.009, 0.05
"""Distance of two teeth, in widths of a page."""
SHORTEST, LONGEST = 0.15, 1.3
"""Height of a tooth, in distances of two teeth: a frame around a table has longer sides."""
EVEN = 0.25
"""Distances of the teeth of a comb differ by less than this."""
ROOF = 1.7
"""A letter is at most this high, in distances of two teeth."""


class Cell(NamedTuple):
    """The inside of one box, in pixels."""

    x: int
    y: int
    width: int
    height: int


class _Base(NamedTuple):
    """A line that teeth may stand on: its ends and its upper edge, in pixels."""

    x0: int
    x1: int
    y: int


def open_cells(ink: Pixels, *, page_width: float) -> Iterator[list[Cell]]:
    """The cells of each comb without a roof, left to right. `ink` is 255 where something is drawn, 0 elsewhere."""
    for base in _bases(ink, page_width):
        teeth = _teeth(ink, base, page_width)
        for run in _even_runs(teeth, page_width):
            cells = _cells(ink, base, run)
            if cells:
                yield cells


def _bases(ink: Pixels, page_width: float) -> Iterator[_Base]:
    """Lines across that are long enough for the narrowest comb, and thin."""
    import cv2
    import numpy as np

    shortest = max(8, int(NARROWEST * page_width * (FEWEST_TEETH - 1)))
    lines = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((1, shortest), np.uint8))
    # A line that is a little askew is cut into steps: they are put together again.
    lines = cv2.dilate(lines, np.ones((3, 3), np.uint8))
    # Outlines, because they cost what is drawn, and labels of components cost the whole page.
    outlines, tree = cv2.findContours(lines, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    for outline, links in zip(outlines, tree[0] if tree is not None else (), strict=True):
        x, y, width, height = cv2.boundingRect(outline)
        if links[3] < 0 and height < max(6, 0.1 * width):
            yield _Base(x, x + width, y)


def _teeth(ink: Pixels, base: _Base, page_width: float) -> list[int]:
    """The columns of strokes that rise from the line: letters do not touch it."""
    import numpy as np

    least = max(3, int(SHORTEST * NARROWEST * page_width))
    top = max(0, base.y - least)
    strip = ink[top : base.y + 2, base.x0 : base.x1] > 0
    filled = np.flatnonzero(strip.mean(axis=0) > 0.85)  # noqa: PLR2004 - a pixel may be missing
    if len(filled) == 0:
        return []
    runs = np.split(filled, np.flatnonzero(np.diff(filled) > 2) + 1)  # noqa: PLR2004 - a speck of paper
    widest = 0.006 * page_width
    return [base.x0 + int(run[0] + run[-1]) // 2 for run in runs if run[-1] - run[0] < widest]


def _even_runs(teeth: Sequence[int], page_width: float) -> Iterator[list[int]]:
    """The teeth that stand at one distance from each other."""
    steps = [b - a for a, b in pairwise(teeth)]
    usual = [step for step in steps if NARROWEST * page_width < step < WIDEST * page_width]
    if len(usual) < FEWEST_TEETH - 1:
        return
    pitch = median(usual)
    run = [teeth[0]]
    for tooth, step in zip(teeth[1:], steps, strict=True):
        if abs(step - pitch) < EVEN * pitch:
            run.append(tooth)
            continue
        if len(run) >= FEWEST_TEETH:
            yield run
        run = [tooth]
    if len(run) >= FEWEST_TEETH:
        yield run


def _cells(ink: Pixels, base: _Base, teeth: Sequence[int]) -> list[Cell]:
    """The cells between the teeth, as high as the letters in them; none where the teeth are sides of a table."""
    import numpy as np

    pitch = (teeth[-1] - teeth[0]) / (len(teeth) - 1)
    above: NDArray[np.bool_] = ink[max(0, base.y - int(ROOF * pitch)) : base.y].astype(np.bool_)
    if not len(above):
        return []  # The line is the edge of the page.
    # Above the highest teeth that a comb can have, the sides of a table go on.
    beyond = above[: max(1, len(above) - int(LONGEST * pitch))]
    if np.mean([beyond[:, tooth] for tooth in teeth if tooth < beyond.shape[1]]) > 0.5:  # noqa: PLR2004 - mostly
        return []
    roof = _roof(above[:, teeth[0] : teeth[-1]], pitch)
    thick = max(1, round(pitch / 20))
    return [Cell(one + thick, base.y - roof, other - one - 2 * thick, roof) for one, other in pairwise(teeth)]


def _roof(above: NDArray[np.bool_], pitch: float) -> int:
    """How far the letters reach up from the line: to the first row of paper over them."""
    import numpy as np

    paper = np.flatnonzero(above.sum(axis=1)[::-1] == 0)
    high = paper[paper > 0.7 * pitch]
    return int(high[0]) if len(high) else int(1.2 * pitch)
