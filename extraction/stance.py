"""How the print of a page lies on it: turned by quarters, and slanted. Pure.

A page that was scanned on its side or photographed askew is righted for the finders, so that rows are level and boxes
as high as their print; what is found is put back to where it stands.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from statistics import median
from typing import NamedTuple

from extraction.layout import cell_gap, runs
from extraction.page import Box, Line, Page, Word
from extraction.readers.glimpse import Glimpse

_SAME_ROW = 0.5
"""Two stretches of print share a row when their middles differ by less than this part of their height."""
_LONG_LINE = 0.06
"""Only print longer than this part of the page's width tells its slope."""
_UPRIGHT = 0.001
"""Lines that sink by less than this part of the page's height, from edge to edge, are level."""
_TYPED = 0.0001
"""Stretches of typed print have one size each; only lines of several sizes seem to sink."""
_FEWEST_CHAINS = 5
_ASKEW, _CLEARLY, _VERY_CLEARLY = 0.02, 0.006, 0.012
"""With so many stretches of print in each half of a page, slopes that differ by so much are different. A page
that is no more askew than paper lies in a scanner is hardly a photograph: there they must differ by more."""
_AGREED = 1.2
"""And by so many times what the slopes of one half differ among themselves: cells of a row may stand at two heights."""
_LONGEST_GAP = 0.25
_ROUNDS = 3
"""The slant tells which stretches stand in one row, and these tell the slant better than each by itself."""
_MOST_SLANT = 0.6
"""A slant makes up at most this part of a box's height: the rest is print."""


class Slant(NamedTuple):
    """How far print sinks from the left to the right edge of the page: `head` at its head, `more` down to its foot.

    A scan is askew by the same angle everywhere; the lines of a photograph may converge.
    """

    head: float = 0.0
    more: float = 0.0

    def level(self, box: Box) -> float:
        """The height of the middle of `box`, followed along its line to the middle of the page."""
        y = (box.y0 + box.y1) / 2
        return y - (self.head + self.more * y) * ((box.x0 + box.x1) / 2 - 0.5)

    def levelled(self, box: Box) -> Box:
        """Where a box lies once print is level: less high, as the slant made it higher."""
        x0, y0, x1, y1 = box
        y = (y0 + y1) / 2
        less = min(abs(self.head + self.more * y) * (x1 - x0), _MOST_SLANT * (y1 - y0)) / 2
        shift = y - self.level(box)
        return Box(x0, y0 - shift + less, x1, y1 - shift - less)

    def slanted(self, box: Box) -> Box:
        """The inverse of `levelled`, cut at the page's edges."""
        x0, y0, x1, y1 = box
        aside = (x0 + x1) / 2 - 0.5
        level = (y0 + y1) / 2
        y = (level + self.head * aside) / (1 - self.more * aside)
        more = abs(self.head + self.more * y) * (x1 - x0) / 2
        return Box(x0, max(0.0, y0 + y - level - more), x1, min(1.0, y1 + y - level + more))


LEVEL = Slant()


class Stance(NamedTuple):
    """`quarters` turns against the clock put most of the print upright; then it is slanted by `slant`."""

    quarters: int = 0
    slant: Slant = LEVEL

    @classmethod
    def of(cls, page: Page) -> Stance:
        """The stance of a page as its lines show it; words of a line are in reading order."""
        quarters = _quarters(page)
        return cls(quarters, _slant(page.turned(quarters) if quarters else page))

    def righted(self, page: Page) -> Page:
        """The page with its print upright and level.

        Lines of a slanted page are cut where cells part: who put them together may have known the slant less well.
        """
        upright = page.turned(self.quarters) if self.quarters else page
        if self.slant == LEVEL:
            return upright
        gap = cell_gap(upright)
        lines = tuple(Line(self._levelled(words)) for line in upright.lines for words in runs(line.words, gap))
        return Page(page.number, upright.width, upright.height, lines, page.reader)

    def upright(self, box: Box) -> Box:
        """The box that a part of the righted page lies in on the page turned by quarters only."""
        return box if self.slant == LEVEL else self.slant.slanted(box)

    def put_back(self, box: Box) -> Box:
        """The box that a part of the righted page lies in on the page as it is shown."""
        return self.upright(box).turned(-self.quarters)

    def level(self, glimpse: Glimpse) -> Glimpse:
        """What was seen on the page turned by quarters, as it lies on the righted one."""
        if self.slant == LEVEL:
            return glimpse
        return glimpse._replace(box=self.slant.levelled(glimpse.box), words=self._levelled(glimpse.words))

    def _levelled(self, words: Iterable[Word]) -> tuple[Word, ...]:
        return tuple(Word(text, self.slant.levelled(box), confidence) for text, box, confidence in words)


def _slant(page: Page) -> Slant:
    """How print sinks on a page: the middle of its longer stretches, told apart by height if there are enough.

    Whole lines only tell whether a page is level: one may be put together from stretches of different rows.
    """
    ends = []
    for line in page.lines:
        if len(line.words) > 1:
            # As `_Chain.of` does, but fast: most pages are level.
            (x0, y0, _, y1), (x2, y2, _, y3) = line.words[0].box, line.words[-1].box
            if x2 - x0 > _LONG_LINE:
                ends.append(abs(y2 + y3 - y0 - y1) / (2 * (x2 - x0)))
    if not ends or median(ends) < _UPRIGHT:
        return LEVEL
    gap = cell_gap(page)
    stretches = [words for line in page.lines for words in runs(line.words, gap)]
    alone = [_Chain.of(words[0].box, words[-1].box) for words in stretches]
    long = [chain for chain in alone if chain.width > _LONG_LINE]
    if not long or median(abs(chain.slope) for chain in long) < _TYPED:
        return LEVEL
    slant = Slant(_weighted_median(long))
    for _ in range(_ROUNDS):
        slant = _fitted([*alone, *_links(stretches, slant)])
    return slant


class _Chain(NamedTuple):
    """A stretch of print, or two that follow each other in one row: its height, its slope and its width."""

    y: float
    slope: float
    width: float

    @classmethod
    def of(cls, left: Box, right: Box) -> _Chain:
        (x0, y0), (x1, y1) = left.middle, right.middle
        return cls(y0, (y1 - y0) / (x1 - x0) if x1 > x0 else 0.0, max(0.0, x1 - x0))


def _links(stretches: Sequence[Sequence[Word]], slant: Slant) -> Iterator[_Chain]:
    """From each stretch of print to the next one on its right that stands in its row, if print is slanted so."""
    ordered = sorted((slant.level(words[0].box), words) for words in stretches)
    levels = [level for level, _ in ordered]
    for _, words in ordered:
        box = words[-1].box
        reach = _SAME_ROW * (box.y1 - box.y0)
        end = slant.level(box)
        mates = ordered[bisect_left(levels, end - reach) : bisect_left(levels, end + reach)]
        right = [other for _, other in mates if box.x1 < other[0].box.x0 < box.x1 + _LONGEST_GAP]
        if right:
            yield _Chain.of(words[0].box, min(right, key=lambda other: other[0].box.x0)[-1].box)


def _fitted(chains: Iterable[_Chain]) -> Slant:
    """The slant that most print has: one for the page, or one at its head and another one at its foot."""
    long = sorted(chain for chain in chains if chain.width > _LONG_LINE)
    upper, lower = long[: len(long) // 2], long[len(long) // 2 :]
    if len(upper) < _FEWEST_CHAINS:
        return Slant(_weighted_median(long))
    high, low = (median(chain.y for chain in half) for half in (upper, lower))
    at_high, at_low = _weighted_median(upper), _weighted_median(lower)
    askew = max(abs(at_high), abs(at_low)) > _ASKEW
    vague = _AGREED * max(_spread(upper, at_high), _spread(lower, at_low))
    if abs(at_low - at_high) < max(_CLEARLY if askew else _VERY_CLEARLY, vague) or low <= high:
        return Slant(_weighted_median(long))
    more = (at_low - at_high) / (low - high)
    return Slant(at_high - more * high, more)


def _weighted_median(chains: Sequence[_Chain]) -> float:
    """The middle one of the slopes, counted by the squares of their widths: a rule below tilts short ones."""
    half = sum(chain.width * chain.width for chain in chains) / 2
    for _, slope, width in sorted(chains, key=_by_slope):
        half -= width * width
        if half <= 0:
            return slope
    return 0.0


def _spread(chains: Sequence[_Chain], slope: float) -> float:
    """How far half of the chains' slopes are from `slope`, at most."""
    return _weighted_median([chain._replace(slope=abs(chain.slope - slope)) for chain in chains])


def _by_slope(chain: _Chain) -> float:
    return chain.slope


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
