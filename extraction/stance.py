"""How the print of a page lies on it: turned by quarters, and slanted. Pure.

A page that was scanned on its side or photographed askew is righted for the finders, so that rows are level and boxes
as high as their print; what is found is put back to where it stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from extraction.page import Box, Line, Page
from extraction.readers.glimpse import Glimpse

LEAST_SLOPE = 0.004
"""Lines that sink by less than this part of the page's height across it are level: a third of a line of small print."""
_LONG_LINE = 0.06
"""Only lines longer than this part of the page's width tell its slope."""


class Stance(NamedTuple):
    """`quarters` turns against the clock put most of the print upright; then its lines sink by `slope`.

    The slope is that of y for x, both in fractions of the page: positive where the right end of a line is lower.
    """

    quarters: int = 0
    slope: float = 0.0

    @classmethod
    def of(cls, page: Page) -> Stance:
        """The stance of a page as its lines show it; words of a line are in reading order."""
        quarters = _quarters(page)
        slope = slope_of(page.turned(quarters).lines if quarters else page.lines)
        return cls(quarters, slope if abs(slope) >= LEAST_SLOPE else 0.0)

    def righted(self, page: Page) -> Page:
        """The page with its print upright and level."""
        upright = page.turned(self.quarters) if self.quarters else page
        return upright.levelled(self.slope) if self.slope else upright

    def upright(self, box: Box) -> Box:
        """The box that a part of the righted page lies in on the page turned by quarters only."""
        return box.slanted(self.slope) if self.slope else box

    def put_back(self, box: Box) -> Box:
        """The box that a part of the righted page lies in on the page as it is shown."""
        return self.upright(box).turned(-self.quarters)

    def level(self, glimpse: Glimpse) -> Glimpse:
        """What was seen on the page turned by quarters, as it lies on the righted one."""
        if not self.slope:
            return glimpse
        words = tuple(word._replace(box=word.box.levelled(self.slope)) for word in glimpse.words)
        return glimpse._replace(box=glimpse.box.levelled(self.slope), words=words)


def slope_of(lines: Sequence[Line]) -> float:
    """How far the lines of a page sink from its left to its right edge: the median of those that are long enough."""
    slopes = []
    for line in lines:
        if len(line.words) > 1:
            first, last = line.words[0].box, line.words[-1].box
            width = last.x0 - first.x0
            if width > _LONG_LINE:
                slopes.append(((last.y0 + last.y1) - (first.y0 + first.y1)) / (2 * width))
    return median(slopes) if slopes else 0.0


def _quarters(page: Page) -> int:
    """How many quarter turns against the clock put most of a page's print upright: 0 where that is how it stands.

    A line's words are in reading order, so the way from its first to its last word is the way its print runs.
    """
    letters = [0, 0, 0, 0]
    for line in page.lines:
        if len(line.words) > 1:
            (x0, y0), (x1, y1) = line.words[0].box.middle, line.words[-1].box.middle
            across, down = (x1 - x0) * page.width, (y1 - y0) * page.height
            direction = (0 if across >= 0 else 2) if abs(across) >= abs(down) else (1 if down >= 0 else 3)
            letters[direction] += sum(len(word.text) for word in line.words)
    return max(range(4), key=letters.__getitem__)
