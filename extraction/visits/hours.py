"""Hours down the side of a page, as an agenda or a grid of rooms has them: which number stands at which hour. Pure.

An hour is stated once for all that stands in its line. An appointment may be a stack of lines, as may the slot that it
takes: the number stands in any of these lines, the hour at the first one, in the middle or somewhat above. People set
every appointment of a page the same way, so how far the hour stands from the number is learnt from all of them at once.
What has no hour at that distance has none; the hour of a slot above or below is not lent.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import time
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from extraction.layout import Layout
from extraction.page import Box
from extraction.visits.moments import TimeMatch

_FEWEST = 3
"""So many times below each other make a column of hours."""
_LEAST_STEP = 3
"""Minutes from one hour to the next: 1001, 1002, 1003 are serial numbers."""
_IN_ORDER = 0.8
"""This share of them must go up; the others are misread, or of something else."""
_MOST_LINES = 6
"""No appointment is taller than this many lines above or below its number."""
_LEADING = 1.5
"""Lines of one stack stand apart by less than this many times the usual step."""
_TALLEST_STEP = 2.2
"""The usual step is less than this many heights of a number, or there are no stacks."""
_MOST = 0.85
"""What so many of the numbers have is usual."""
_AT = 0.6
"""Heights that differ by less than this part of a step are the same."""
_OVER = 0.9
_NEAREST = 0.35
"""A number may stand so far from where the others of its page do, in parts of the way from one hour to the next: paper
is never quite level."""
_PART = 0.6
"""Without stacks, steps are this part of the way from one hour to the next: hands do not write at one height."""
_NOON, _LAST_MORNING, LAST_EVENING = 12, 11, 7
"""On a clock of twelve hours, 1 to 7 o'clock behind 11 or 12 are afternoon."""


class Hour(NamedTuple):
    """A time in a column of hours: its value on a clock of 24 hours, its characters, its row and its box."""

    value: time
    start: int
    end: int
    row: int
    box: Box


@dataclass(frozen=True, slots=True)
class Hours:
    """One column of hours, from top to bottom, or several where a list flows on in the next one."""

    columns: Sequence[Sequence[Hour]]

    @classmethod
    def beside(cls, layout: Layout, times: Iterable[TimeMatch], numbers: Sequence[tuple[int, Box]]) -> Hours | None:
        """The column of hours that stands beside the `numbers` (row and box) of a page: the one with most hours.

        `times` are sorted, and each begins its cell.
        """
        columns: list[list[Hour]] = []
        for match in times:
            hour = Hour(match.value, match.start, match.end, layout.row_at(match.start), layout.box(*match[:2]))
            own = next((column for column in columns if hour.box.is_over(column[-1].box)), None)
            if own is None:
                columns.append([hour])
            elif own[-1].row != hour.row:
                own.append(hour)
        found = [_in_order(column) for column in columns if len(column) >= _FEWEST]
        found = [column for column in found if column and not _holds(column, numbers)]
        columns = _following(found) if found else []
        # A second column of hours beside the first, with numbers of its own, makes them the times of entries.
        apart = [column for column in found if column not in columns[1:]]
        return cls(columns) if columns and not any(_parts(column, numbers) for column in apart) else None

    @property
    def hours(self) -> list[Hour]:
        """All hours, column by column."""
        return [hour for column in self.columns for hour in column]

    def of(self, layout: Layout, numbers: Sequence[tuple[int, Box]]) -> list[Hour | None]:
        """The hour of each of the `numbers`, in the last column before it; None for one that none stands at.

        None for all that are beside a column if it does not stand at most of them.
        """
        found: list[Hour | None] = [None] * len(numbers)
        own = [sum(column[0].box.x0 < box.x0 for column in self.columns[1:]) for _, box in numbers]
        for at, column in enumerate(self.columns):
            places = [place for place, number in enumerate(own) if number == at]
            if places:
                hours = self._of_column(column, layout, [numbers[place] for place in places])
                for place, hour in zip(places, hours, strict=True):
                    found[place] = hour
        return found

    @staticmethod
    def _of_column(hours: Sequence[Hour], layout: Layout, numbers: Sequence[tuple[int, Box]]) -> list[Hour | None]:
        step, above, below = _stack(layout, numbers)
        levels = sorted(hour.box.middle[1] for hour in hours)
        apart = median(b - a for a, b in pairwise(levels))
        if not above and not below:
            step = max(step, _PART * apart)
        # An hour may stand a little higher than the first line of a stack: on the rule above it.
        over = max(above + (_OVER if above else _AT), _NEAREST * apart / step)
        near = []
        for _, box in numbers:
            level = box.middle[1]
            first = bisect_left(levels, level - over * step)
            last = bisect_right(levels, level + (below + _AT) * step)
            near.append([((levels[i] - level) / step, hours[i]) for i in range(first, last)])
        usual = _usual([[distance for distance, _ in each] for each in near], first=-above)
        if usual is None:
            return [None] * len(numbers)
        most = max(1.25 * _AT * step, _NEAREST * apart)
        return [_at(box.middle[1] + usual * step, levels, hours, most) for _, box in numbers]

    def holds(self, hour: Hour, value: time) -> bool:
        """Whether a time lies in the slot that begins at `hour`."""
        later = [other.value for other in self.hours if other.value > hour.value]
        return hour.value <= value < min(later, default=time.max)


def _following(columns: Sequence[list[Hour]]) -> list[list[Hour]]:
    """The longest column, those on its left that end before it begins, and on its right that go on where it ends."""
    longest = max(columns, key=len)
    chain = [longest]
    for column in sorted(columns, key=lambda column: column[0].box.x0):
        first, last = chain[0], chain[-1]
        if column[0].box.x0 > last[0].box.x1 and column[0].value >= last[-1].value:
            chain.append(column)
        elif column[0].box.x1 < first[0].box.x0 and column[-1].value <= first[0].value:
            chain.insert(0, column)
    return chain


def _in_order(column: list[Hour]) -> list[Hour]:
    """The hours of a column that go up, or none if too few do."""
    hours: list[Hour] = []
    for hour in column:
        value, before = hour.value, hours[-1].value if hours else time.min
        if value < before and before.hour >= _LAST_MORNING and 1 <= value.hour <= LAST_EVENING:
            value = value.replace(hour=value.hour + _NOON)
        hours.append(hour._replace(value=value))
    kept = _ascending(hours)
    if len(kept) < max(_FEWEST, _IN_ORDER * len(column)):
        return []
    steps = median(_minutes(later.value) - _minutes(hour.value) for hour, later in pairwise(kept))
    return kept if steps >= _LEAST_STEP else []


def _minutes(value: time) -> int:
    return 60 * value.hour + value.minute


def _ascending(hours: Sequence[Hour]) -> list[Hour]:
    """The longest part of the sequence whose values go up."""
    longest: list[list[Hour]] = []
    for hour in hours:
        at = bisect_left(longest, hour.value, key=lambda chain: chain[-1].value)
        longest[at : at + 1] = [[*(longest[at - 1] if at else []), hour]]
    return longest[-1] if longest else []


def _parts(column: Sequence[Hour], numbers: Sequence[tuple[int, Box]]) -> bool:
    """Whether hours stand between numbers of one row: they are the times of those on their right then."""
    x = column[0].box.x0
    sides: dict[int, set[bool]] = {}
    for row, box in numbers:
        sides.setdefault(row, set()).add(box.x0 > x)
    return any(len(each) > 1 for each in sides.values())


def _holds(column: Sequence[Hour], numbers: Sequence[tuple[int, Box]]) -> bool:
    """Whether numbers stand over or under the hours nearest to them: these are moments of their entries then.

    On a page that is not quite straight the last hour may stand under the first numbers.
    """
    return any(min(column, key=lambda hour: abs(hour.box.y0 - box.y0)).box.is_over(box) for _, box in numbers)


def _stack(layout: Layout, numbers: Sequence[tuple[int, Box]]) -> tuple[float, int, int]:
    """The step from line to line of a stack, and how many lines of it stand above a number and below it."""
    rows: dict[int, list[Box]] = {}
    for row, box in numbers:
        rows.setdefault(row, []).append(box)
    lines = [_lines(layout, row, box, rows) for row, box in numbers]
    height = median(box.height for _, box in numbers)
    firsts = [[side[0] for side in sides if side] for sides in zip(*lines, strict=True)]
    step = min((median(each) for each in firsts if len(each) >= _MOST * len(numbers)), default=0.0)
    if not 0 < step < _TALLEST_STEP * height:
        return height, 0, 0
    above = [_contiguous(up, step) for up, _ in lines]
    below = [_contiguous(down, step) for _, down in lines]
    return step, _usual_count(above), _usual_count(below)


def _lines(
    layout: Layout, row: int, box: Box, numbers: Mapping[int, Sequence[Box]]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """How far from a number the lines over it stand, and those under it, up to the next one of `numbers` (the boxes of
    each row): nearest first.
    """
    level = box.middle[1]
    sides = []
    for way in (-1, 1):
        side = []
        for other in range(row + way, row + way * (2 * _MOST_LINES + 1), way):
            if not 0 <= other < len(layout.rows) or any(at.is_over(box) for at in numbers.get(other, ())):
                break
            at = layout.rows[other]
            words = layout.words_in(at.start, at.end)
            over = next((word.box for word in words if word.box.x0 < box.x1 and word.box.x1 > box.x0), None)
            if over is not None:
                side.append(abs(over.middle[1] - level))
        sides.append(tuple(side))
    return sides[0], sides[1]


def _contiguous(distances: Sequence[float], step: float) -> int:
    """How many lines follow each other as closely as lines of one stack."""
    before = 0.0
    for count, distance in enumerate(distances):
        if distance - before > _LEADING * step or count == _MOST_LINES:
            return count
        before = distance
    return len(distances)


def _usual_count(counts: Sequence[int]) -> int:
    """The greatest count that most numbers reach."""
    return sorted(counts)[int((1 - _MOST) * len(counts))]


def _usual(distances: Sequence[Sequence[float]], *, first: float) -> float | None:
    """The distance at which most numbers have an hour; of several, that nearest to the first line of an appointment."""
    served = {
        distance: sum(any(abs(other - distance) < _AT for other in each) for each in distances)
        for distance in {round(2 * distance) / 2 for each in distances for distance in each}
    }
    most = max(served.values(), default=0)
    if 2 * most < len(distances) or not most:
        return None
    usual = min((each for each in served if served[each] >= _MOST * most), key=lambda each: abs(each - first))
    return median(other for each in distances for other in each if abs(other - usual) < _AT)


def _at(level: float, levels: Sequence[float], hours: Sequence[Hour], most: float) -> Hour | None:
    """The hour that stands nearest to a level, at most so far off."""
    at = bisect_left(levels, level)
    near = min(range(max(0, at - 1), min(len(levels), at + 1)), key=lambda i: abs(levels[i] - level))
    return hours[near] if abs(levels[near] - level) < most else None
