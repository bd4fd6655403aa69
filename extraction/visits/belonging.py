"""Which moment of a page belongs to which of its numbers, from where they stand alone. Pure.

People set every entry of a page the same way: the time stands left of each number, or two lines below it, or at the
head of its block. So the place of the moments is learnt from all numbers at once: of all ways from a number to a
moment, the one that serves the most numbers is the page's, and each moment serves one number only. What the page's
way does not reach may be reached by a second one, if that serves several numbers too and leads the same way. A number
that no way reaches has no moment: nothing is taken from a neighbour.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise, product
from statistics import median
from typing import NamedTuple

_COLUMN = 0.1
"""Numbers that start within this part of the page's width stand in one column: a moment beyond the next is not mine."""
_FARTHEST = 25.0
"""No entry is taller than this many lines."""
_STEP_X, _STEP_Y = 0.03, 0.6
"""Ways are counted in cells of this size, in parts of the page's width and in lines."""
_NEARLY = {
    (x, y): nearly_x * nearly_y
    for (x, nearly_x), (y, nearly_y) in product(((-2, 0.5), (-1, 0.9), (0, 1.0), (1, 0.9), (2, 0.5)), repeat=2)
}
"""What a way counts for another one that is so many cells away."""
_NEAR_X, _NEAR_Y = 0.08, 1.2
_SAME_LINE, _WIDEST_LINE = 1.0, 2.0
"""Numbers and moments of one row may be set or read so many lines apart, where rows are far enough from each other."""
_OTHER_BLOCK = 0.6
"""What a way is worth that leaves the block of lines that its number stands in."""
_RIGHT = 0.95
_AGAINST = 0.98
"""What a way is worth that leads from a number to the other side than the rest of its entry: little less, for a tie."""
_WAY = 2
"""So many numbers make a way; a single one may be chance."""
_CLEARLY = 0.45
"""What a single pair must be worth."""
_NEXT_LINES = 3.0


class Spot(NamedTuple):
    """Where something stands: its left edge in parts of the page's width, its height in lines, and its block.

    `owner` is the number that a moment surely belongs to because other things of that number stand beside it.
    """

    x: float
    y: float
    block: int
    owner: int | None = None


class _Pair(NamedTuple):
    number: int
    moment: int
    dx: float
    dy: float
    worth: float


def assign(
    numbers: Sequence[Spot],
    moments: Sequence[Spot],
    worths: Sequence[float],
    *,
    wanted: Iterable[int] | None = None,
    same_line: bool = False,
    lean: int = 0,
) -> dict[int, int]:
    """The moment of each number that has one, both as indices; no moment is given twice.

    `worths` say how clearly each moment is a visit's, 0..1. Only the `wanted` numbers are served. With `same_line` the
    page's way is known: moments stand in the line of their number. `lean` is 1 where the entries go on below their
    numbers, -1 where above, 0 where that is not known.
    """
    candidates = range(len(numbers)) if wanted is None else wanted
    reach = _line_reach(numbers) if same_line else _FARTHEST
    pairs = [pair for i in candidates for pair in _pairs(i, numbers, moments, worths, reach)]
    if lean:
        pairs = [pair._replace(worth=pair.worth * _AGAINST) if pair.dy * lean < 0 else pair for pair in pairs]
    if same_line:
        return _one_to_one(sorted(pairs, key=lambda pair: (abs(pair.dy), abs(pair.dx))))
    chosen: dict[int, int] = {}
    while pairs:
        group, dy = _best_way(pairs)
        if len(group) < _WAY:
            break
        chosen |= group
        pairs = [pair for pair in _remaining(pairs, group) if _leads(pair.dy, dy)]
    # A lone number, or one that is set a little otherwise, has what clearly stands at it.
    near = [pair for pair in pairs if pair.worth >= _CLEARLY and _is_at(pair, numbers, moments)]
    return chosen | _one_to_one(sorted(near, key=lambda pair: -pair.worth))


def _line_reach(numbers: Sequence[Spot]) -> float:
    """How many lines above or below a number its own line may end."""
    ordered = sorted(numbers, key=lambda spot: spot.y)
    steps = [
        below.y - above.y
        for above, below in pairwise(ordered)
        if below.y > above.y and abs(below.x - above.x) < _COLUMN
    ]
    return max(_SAME_LINE, min(_WIDEST_LINE, 0.45 * min(steps, default=0.0)))


def _pairs(
    i: int, numbers: Sequence[Spot], moments: Sequence[Spot], worths: Sequence[float], reach: float
) -> Iterator[_Pair]:
    """The moments that number `i` may have: those up to the next numbers of its column."""
    own = numbers[i]
    column = sorted(spot.y for spot in numbers if abs(spot.x - own.x) < _COLUMN)
    at, behind = bisect_left(column, own.y), bisect_right(column, own.y)
    highest = column[at - 1] + 0.5 if at else own.y - _FARTHEST
    lowest = column[behind] - 0.5 if behind < len(column) else own.y + _FARTHEST
    for j, moment in enumerate(moments):
        dx, dy = moment.x - own.x, moment.y - own.y
        if highest < moment.y < lowest and abs(dy) <= reach and moment.owner in (None, i):
            worth = worths[j] / ((1 + abs(dx)) * (1 + 0.02 * abs(dy)))
            worth *= _RIGHT if dx > 0 else 1.0
            mine = moment.owner == i or own.block == moment.block
            yield _Pair(i, j, dx, dy, worth if mine else worth * _OTHER_BLOCK)


def _best_way(pairs: Sequence[_Pair]) -> tuple[dict[int, int], float]:
    """The pairs along the way that is worth the most, one moment for each number, and its height in lines."""
    cells: dict[tuple[int, int], dict[int, float]] = {}
    for pair in pairs:
        cell = cells.setdefault(_cell(pair), {})
        cell[pair.number] = max(cell.get(pair.number, 0.0), pair.worth)
    best = max(cells, key=lambda cell: _worth(cells, cell))
    centre = [pair for pair in pairs if _cell(pair) == best]
    dx, dy = median(pair.dx for pair in centre), median(pair.dy for pair in centre)
    # Tall entries differ more than flat ones: a name or an address takes a line more or less.
    tall = _NEAR_Y + 0.15 * abs(dy)
    along = [pair for pair in pairs if abs(pair.dx - dx) <= _NEAR_X and abs(pair.dy - dy) <= tall]
    along.sort(key=lambda pair: abs(pair.dx - dx) / _NEAR_X + abs(pair.dy - dy) / tall)
    return _one_to_one(along), dy


def _cell(pair: _Pair) -> tuple[int, int]:
    return round(pair.dx / _STEP_X), round(pair.dy / _STEP_Y)


def _worth(cells: dict[tuple[int, int], dict[int, float]], cell: tuple[int, int]) -> float:
    """What the way of a cell is worth to all numbers together, those included that it nearly serves."""
    worths: dict[int, float] = {}
    for (x, y), nearly in _NEARLY.items():
        for number, worth in cells.get((cell[0] + x, cell[1] + y), {}).items():
            worths[number] = max(worths.get(number, 0.0), nearly * worth)
    return sum(worths.values())


def _one_to_one(pairs: Iterable[_Pair]) -> dict[int, int]:
    """The pairs, first ones first, without those whose number or moment is gone."""
    chosen: dict[int, int] = {}
    gone: set[int] = set()
    for pair in pairs:
        if pair.number not in chosen and pair.moment not in gone:
            chosen[pair.number] = pair.moment
            gone.add(pair.moment)
    return chosen


def _remaining(pairs: Iterable[_Pair], chosen: dict[int, int]) -> list[_Pair]:
    gone = set(chosen.values())
    return [pair for pair in pairs if pair.number not in chosen and pair.moment not in gone]


def _leads(dy: float, page: float) -> bool:
    """Whether a way leads to the same side as the page's: into the line, below it, or above it."""
    if abs(page) <= _SAME_LINE:
        return abs(dy) <= _WIDEST_LINE
    return dy > -_SAME_LINE if page > 0 else dy < _SAME_LINE


def _is_at(pair: _Pair, numbers: Sequence[Spot], moments: Sequence[Spot]) -> bool:
    """Whether the moment stands in its number's block, or next to it."""
    return numbers[pair.number].block == moments[pair.moment].block or abs(pair.dy) <= _NEXT_LINES
