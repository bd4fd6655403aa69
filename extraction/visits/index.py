"""The visit date and time of a number: whose, among the dates and times of a page, and which are none. Pure.

Hours down the side of a page speak for what stands in their lines (`hours`). Else a number's own row speaks first; then
the captions that every entry of the page repeats, and the place where its entries keep their moments (`belonging`);
then what heads its section, its column or the page. A visit without a readable date or time keeps None: nothing is
taken from a neighbour, and a birth, a printing or an expiry date is never a visit. How dates and times are written is
in `moments`; what a page calls them is in `captions`.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from extraction import nam
from extraction.layout import Layout
from extraction.page import Box, Page
from extraction.visits import belonging, moments
from extraction.visits.belonging import Spot
from extraction.visits.captions import UNKNOWN, Captions, Mark, Value
from extraction.visits.columns import Columns
from extraction.visits.hours import LAST_EVENING, Hour, Hours
from extraction.visits.parted import days_of_month

FIRST_VISIT = date(1970, 1, 1)
"""RAMQ has insured visits since 1970: an older date on a page is a birth, never a visit."""
_CLEAR_NUMBER = re.compile(r"(?=[A-Z])\b[A-Z]{4}[ -]?[0-9]{4}[ -]?[0-9]{2}[1-9A-HJ-NP-Z][0-9]\b")
_BIRTH_ROWS = 4
_TIMES_OF_AN_ENTRY = 3
"""An entry states a start, an end and perhaps an arrival; more times than that belong to several entries."""
_ADMITTED, _ARRIVED = re.compile("admi"), re.compile("admi|arriv|entree|present")
_MET = re.compile(r"\b(?:visite?|consultation|vue?|seen)s?\b")
_HEADING_LENGTH, _HEADING_DIGITS = 40, 8
_HEADING_CELLS = 2
"""A row with a date and little else, such as "lundi 6 octobre 2025", heads a section."""
_HEAD_ROWS = 4
"""The first heading stands within so many rows above the first number."""
_ENTRY_ROWS = 12
_ENTRY_ENDS = 3
"""The date that ends a short entry stands at most so many rows below its number."""
_SAME_COLUMN = 0.03
_USUAL_LINE = 0.012
_FEWEST_TIMES = 0.4
"""Of the entries of a column, so many must have times for it to be one."""
_FEWEST_HEADS, _IN_GRID = 3, 0.6
"""So many days in a row head a grid. Its times stand so near to the middles of their days, in parts of their steps."""
_SEVERAL = 2
"""One number alone repeats nothing."""
_AFTER = 0.03
"""A time so close behind a date is said with it."""
_ABOUT = timedelta(days=30)
"""A list is dated within so many days of the visits on it."""
_ANY = "*"
"""Captions of one kind, whatever their words."""
_DATED = ("visit", "plain")
"""The kinds of captions that ask for the date of a visit."""
_ALIKE, _FAR = 0.45, 10.0
"""Captions stand alike where their distance from their numbers differs by less than this part of the way between two
numbers; two that stand far apart are so many lines from each other."""
_TORN = 2
"""A line of print that was taken apart is at most so many rows, and so many heights, high."""
_NAMED, _UNNAMED = 1.0, 0.7
"""How clearly a moment is a visit's: with a label or header that says so, and without."""


def find_visit(page: Page, box: Box) -> tuple[date | None, time | None]:
    """The visit date and time of the number at `box`. For many numbers of one page, keep a `VisitIndex`."""
    layout = Layout.of(page)
    others = [(other, birth) for other, birth in _clear_numbers(layout) if not other.overlap(box)]
    return VisitIndex.of(layout, [(box, None), *others]).visit(box)


class Visit(NamedTuple):
    """A visit's date and time with the boxes that they were read from; None where the page does not say."""

    day: date | None
    clock: time | None
    day_box: Box | None
    clock_box: Box | None


class _Anchor(NamedTuple):
    """A number whose visit is asked for."""

    row: int
    box: Box
    birth: date | None


@dataclass(slots=True)
class VisitIndex:
    """The dates, times and numbers of one page, prepared so that each number finds its visit quickly."""

    layout: Layout
    captions: Captions
    dates: list[Mark[date]]
    births: list[Mark[date]]
    anchors: list[_Anchor]
    _taken: set[int]
    """The rows of numbers: of those asked for, and of what looks like one in their columns."""
    _blocks: list[dict[int, int]] = field(default_factory=list)
    _line: float = 0.0
    _places: list[Spot] | None = None
    _texts: list[str] | None = None
    _columns: Columns | None = None
    _slipped: list[Mark[date]] | None = None
    _days: list[Mark[date] | None] | None = None
    _clocks: list[Mark[time] | None] | None = None

    @classmethod
    def of(cls, layout: Layout, numbers: Iterable[tuple[Box, date | None]] = ()) -> VisitIndex:
        """The index of a page. `numbers` are places of NAMs, each with the birth date in it, if known."""
        clear = _clear_numbers(layout)
        anchors = _anchors(layout, numbers, clear)
        births = {anchor.birth for anchor in anchors if anchor.birth}
        captions = Captions.of(layout, births)
        marks = captions.dates()
        # A newborn is seen on the day of birth: the page says that it is a visit's.
        dates = [m for m in marks if _may_be_visit(m, () if captions.asks_for(m, "visit") else births)]
        born = [m for m in marks if (m.kind == "birth" or m.value in births) and m not in dates]
        taken = {anchor.row for anchor in anchors}
        columns = [anchor.box.x0 for anchor in anchors]
        for box, _ in clear:
            # A misread number keeps its row; an invoice number elsewhere on the page does not.
            if any(abs(box.x0 - x) < _SAME_COLUMN for x in columns):
                taken.add(layout.rows_near(box))
        dates = _of_visits(captions, dates, taken)
        if not any(mark.kind or (mark.row in taken and mark.caption != UNKNOWN) for mark in dates):
            days = days_of_month(layout, taken, captions.found_times)
            dates = [Mark(day.value, "visit", day.row, day.box) for day in days] or dates
        return cls(layout, captions, dates, born, anchors, taken)

    def visit(self, box: Box) -> tuple[date | None, time | None]:
        """The visit date and time of the number at `box`: its row first, then its block, then the page's header."""
        visit = self.source(box)
        return visit.day, visit.clock

    def source(self, box: Box) -> Visit:
        """The visit of the number at `box` with the places that say so."""
        if not self.layout.rows:
            return Visit(None, None, None, None)
        at = next((i for i, anchor in enumerate(self.anchors) if anchor.box == box), None)
        if at is None:
            at = max(range(len(self.anchors)), key=lambda i: self.anchors[i].box.overlap(box), default=None)
        if at is None or not self.anchors[at].box.overlap(box):
            numbers = [(anchor.box, anchor.birth) for anchor in self.anchors]
            return VisitIndex.of(self.layout, [*numbers, (box, None)]).source(box)
        if self._days is None or self._clocks is None:
            self._clocks = self._shared(self._find_clocks())
            self._days = self._shared(self._find_days())
            self._clocks = self._shared(self._in_groups(self._days, self._at_their_days(self._days, self._clocks)))
            self._days = self._shared(self._of_their_clocks(self._days, self._clocks))
            self._days = self._under_days(self._days, self._clocks)
        day, clock, birth = self._days[at], self._clocks[at], self.anchors[at].birth
        if day is not None and birth is not None and day.value < birth:
            day = None
        return Visit(
            day.value if day else None,
            clock.value if clock else None,
            day.box if day else None,
            clock.box if clock else None,
        )

    def births_near(self, box: Box) -> list[date]:
        """The birth dates printed in the number's block, nearest first: at most four rows away."""
        if not self.births:
            return []
        row = self.layout.rows_near(box)
        mates = [anchor.box for anchor in self.anchors if anchor.row == row] or [box]
        near = [
            mark
            for mark in self.births
            if abs(mark.row - row) <= _BIRTH_ROWS
            and (mark.row == row or mark.row not in self._taken)
            # Of several numbers side by side, the one that starts nearest to the date has it.
            and min(mates, key=lambda mate: abs(mate.x0 - mark.box.x0)).overlap(box) > 0
        ]
        return [mark.value for mark in sorted(near, key=lambda mark: abs(mark.row - row))]

    def _find_clocks(self) -> list[Mark[time] | None]:
        """The time of each number. Lists rarely need the times outside the rows of numbers: they are named late."""
        chosen = self._in_rows(self._apart(self.captions.times(self._taken)))
        if all(mark is not None and mark.kind == "time" for mark in chosen):
            return chosen
        few = len(self.captions.found_times) <= len(self._taken) + _TIMES_OF_AN_ENTRY
        if few and all(mark is not None and mark.value.hour > LAST_EVENING for mark in chosen):
            return chosen
        at_hours = self._at_hours()
        if all(chosen) and any(mark.kind for mark in chosen if mark) and not any(at_hours):
            return chosen
        marks = self._apart(self.captions.times(range(len(self.layout.rows))))
        captioned = self._captioned(marks, ("time", "visit"))
        if captioned and all(captioned):
            return captioned
        known = at_hours if any(at_hours) else chosen
        return known if known is at_hours or all(known) else self._slipped_clocks(marks)

    def _slipped_clocks(self, marks: Sequence[Mark[time]]) -> list[Mark[time] | None]:
        """The time of each number, those with slips as well."""
        every = self._apart([*marks, *self.captions.slipped_times(marks)])
        captioned = self._captioned(every, ("time",)) or self._captioned(every, _DATED)
        return captioned or self._clocks_about(every)

    def _clocks_about(self, marks: Sequence[Mark[time]]) -> list[Mark[time] | None]:
        """The time of each number where entries have no captions: in its row, over its section, or about it."""
        chosen = self._in_rows(marks)
        periods = [mark for mark in self.captions.periods() if self._is_free(mark)]
        if periods:
            heads = self._heads_of_columns(periods)
            both = zip(chosen, self.anchors, strict=True)
            return [own or self._above(periods, heads, anchor) for own, anchor in both]
        free = [mark for mark in marks if self._is_free(mark)]
        if any(chosen):
            return self._on_lines(chosen, free)
        only = self._only(free)
        if only is not None:
            return [only for _ in chosen]
        if len(marks) > _TIMES_OF_AN_ENTRY * len(self._taken):
            # Times run down the page as in an agenda: a slot is not lent to a number without one.
            return chosen
        if len(self.anchors) == 1:
            free = [mark for mark in free if mark.kind or self._adjoins(mark)]
        return self._by_place(chosen, free)

    def _apart(self, marks: Sequence[Mark[Value]]) -> list[Mark[Value]]:
        """The marks that are no part of a number: "1404 2850" is neither a time nor a date."""
        boxes = [anchor.box for anchor in self.anchors]
        return [mark for mark in marks if not _is_part(mark.box, boxes)]

    def _at_hours(self) -> list[Mark[time] | None]:
        """For each number the hour down the side of the page that it stands at, or what its cell says more exactly."""
        numbers = [(anchor.row, anchor.box) for anchor in self.anchors]
        hours = Hours.beside(self.layout, self.captions.unnamed_times(), numbers)
        at = hours.of(self.layout, numbers) if hours else []
        if hours and not all(at):
            hours = (
                Hours.beside(self.layout, self.captions.unnamed_times(self.captions.slipped_clocks()), numbers) or hours
            )
            at = hours.of(self.layout, numbers)
        if hours is None or not any(at) or self.captions.is_other(hours.hours[0].row, hours.hours[0].box):
            return []
        if 2 * (len(self.captions.found_times) - len(hours.hours)) <= len(at):
            return [hour and _mark_of(hour) for hour in at]
        sides = {hour.row: hour.box for hour in hours.hours}
        marks = self.captions.times(range(len(self.layout.rows)))
        inside = [mark for mark in marks if not mark.box.is_over(sides.get(mark.row, hours.hours[0].box))]
        own = self._by_place([None for _ in at], self._apart(inside))
        return [
            mark if mark and (hour is None or hours.holds(hour, mark.value)) else hour and _mark_of(hour)
            for mark, hour in zip(own, at, strict=True)
        ]

    def _captioned(self, marks: Sequence[Mark[Value]], kinds: Container[str]) -> list[Mark[Value] | None] | None:
        """For each number what stands at its own caption, where every entry repeats one; None where entries do not."""
        if len(self.anchors) < _SEVERAL:
            return None
        said: dict[int, Mark[Value]] = {}
        for mark in marks:
            said.setdefault(mark.caption, mark)
        repeated: dict[str, list[int]] = {}
        for words, number in self.captions.fields(kinds):
            repeated.setdefault(words, []).append(number)
            repeated.setdefault(_ANY, []).append(number)
        best: list[Mark[Value] | None] | None = None
        for captions in repeated.values():
            # What is left blank at the end of a form belongs to nobody.
            filled = captions if len(captions) <= len(self.anchors) else [each for each in captions if each in said]
            pairs = self._paired(filled) if len(filled) == len(self.anchors) else None
            chosen = [said.get(caption) for caption in pairs or ()]
            if any(chosen) and (best is None or sum(map(bool, chosen)) > sum(map(bool, best))):
                best = chosen
        return best

    def _paired(self, captions: Sequence[int]) -> list[int] | None:
        """The caption of each number, column by column from top to bottom; None unless all stand alike."""
        places = self._spots()
        columns = self._page_columns()
        theirs = sorted(
            captions,
            key=lambda each: (columns.at(self.captions.box(each)), self.captions.captions[each].row, each),
        )
        ours = sorted(range(len(places)), key=lambda i: (columns.at(self.anchors[i].box), places[i].y))
        apart = []
        for number, each in zip(ours, theirs, strict=True):
            box = self.captions.box(each)
            if columns.at(box) != columns.at(self.anchors[number].box):
                return None
            apart.append(self._spot(self.captions.captions[each].row, box).y - places[number].y)
        usual = median(apart)
        steps = [
            places[below].y - places[above].y
            for above, below in pairwise(ours)
            if columns.at(self.anchors[above].box) == columns.at(self.anchors[below].box)
        ]
        if any(abs(each - usual) > _ALIKE * max(min(steps, default=_FAR), 1.0) for each in apart):
            return None
        own = dict(zip(ours, theirs, strict=True))
        return [own[number] for number in range(len(self.anchors))]

    def _at_their_days(
        self, days: Sequence[Mark[date] | None], clocks: list[Mark[time] | None]
    ) -> list[Mark[time] | None]:
        """`clocks`, and for a number without one what stands right behind the date that is its own."""
        if all(clocks):
            return clocks
        owners: dict[Box, set[str]] = {}
        for day, text in zip(days, self._printed(), strict=True):
            if day is not None:
                owners.setdefault(day.box, set()).add(text)
        rows = {day.row for day in days if day is not None and len(owners[day.box]) == 1}
        times = self.captions.times(rows)
        return [
            clock
            or next(
                (m for m in times if day and m.row == day.row and day.row in rows and _is_said_with(day, m)),
                None,
            )
            for clock, day in zip(clocks, days, strict=True)
        ]

    def _of_their_clocks(
        self, days: Sequence[Mark[date] | None], clocks: Sequence[Mark[time] | None]
    ) -> list[Mark[date] | None]:
        """`days`, and where a number's time is said with a date that one, unless its own is labelled as a visit's."""
        said = _by_row(self.dates)
        found = []
        for day, clock in zip(days, clocks, strict=True):
            before = [m for m in said.get(clock.row, ()) if _is_said_with(m, clock)] if clock else []
            own = before[-1] if before else None
            is_said = own is not None and (day is None or day.kind != "visit" or own.kind == "visit")
            found.append(own if is_said else day)
        return found

    def _under_days(
        self, days: list[Mark[date] | None], clocks: Sequence[Mark[time] | None]
    ) -> list[Mark[date] | None]:
        """`days`, and where a number's time stands in a column of a grid that a day heads, that one."""
        rows = _by_row([mark for mark in self.dates if mark.row < min(self._taken, default=0)])
        heads = next((here for _, here in sorted(rows.items(), reverse=True) if len(here) >= _FEWEST_HEADS), [])
        if not heads:
            return days
        steps = [right.box.middle[0] - left.box.middle[0] for left, right in pairwise(heads)]
        found = list(days)
        for i, (day, clock, anchor) in enumerate(zip(days, clocks, self.anchors, strict=True)):
            stands_in_it = heads[0].box.x0 < anchor.box.x1 and anchor.box.x0 < heads[-1].box.x1
            if clock is None or clock.row != anchor.row or stands_in_it or (day and day.row == anchor.row and day.kind):
                continue
            nearest = min(heads, key=lambda head: abs(head.box.middle[0] - clock.box.middle[0]))
            if abs(nearest.box.middle[0] - clock.box.middle[0]) < _IN_GRID * min(steps):
                found[i] = nearest
        return found

    def _in_groups(self, days: Sequence[Mark[date] | None], clocks: list[Mark[time] | None]) -> list[Mark[time] | None]:
        """`clocks`, and for a number without one what stands below its date: a cell beside a family speaks for all.

        That is known where several such dates of a column have one time below them, and none has more.
        """
        own = {day.box: day for day in days if day is not None and day.kind == "visit" and day.row in self._taken}
        if all(clocks) or not _SEVERAL <= len(own) < len(days):
            return clocks
        cells = [(day, self.layout.left(self._cell(day)[0])) for day in own.values()]
        times = self.captions.times(range(min(self._taken), len(self.layout.rows)))
        below: dict[Box, Mark[time]] = {}
        for mark in times:
            left = self.layout.left(self._cell(mark)[0])
            above = [day for day, edge in cells if day.row < mark.row and abs(edge - left) < _SAME_COLUMN]
            day = max(above, key=lambda day: day.row, default=None)
            if day is None:
                continue
            if day.box in below or mark.box.y0 - day.box.y1 > mark.box.height:
                return clocks
            below[day.box] = mark
        return [clock or (below.get(day.box) if day else None) for clock, day in zip(clocks, days, strict=True)]

    def _only(self, free: Sequence[Mark[time]]) -> Mark[time] | None:
        """The time that speaks for the page: behind the day that heads it, the only labelled one, or beside a date.

        Of "9 h 30, fin 11 h" in a heading the first is when it begins.
        """
        days = {mark.row for mark in self.dates if mark.kind == "visit" and mark.row < min(self._taken, default=0)}
        if free and free[0].row in days and all(mark.row == free[0].row for mark in free):
            return free[0]
        labelled = [mark for mark in free if mark.kind]
        dated = {mark.row for mark in self.dates if mark.kind}
        beside = [mark for mark in labelled if mark.row in dated]
        if len(beside) == 1 and len(self._taken) == 1:
            return beside[0]
        alone = len(self.anchors) == 1 or 2 * len(free) <= max(2, len(self.anchors))
        return labelled[0] if len(labelled) == 1 and alone else None

    def _adjoins(self, mark: Mark[time]) -> bool:
        """Whether an unlabelled time stands in the next row or two of a number: close enough to be of its entry."""
        height = self.anchors[0].box.height or mark.box.height
        gaps = (max(mark.box.y0 - a.box.y1, a.box.y0 - mark.box.y1) for a in self.anchors)
        # Two and a half heights hold two rows of ordinary spacing.
        return min(gaps) < 2.5 * height

    def _find_days(self) -> list[Mark[date] | None]:
        """The date of each number: of its row, of its block, or of what heads its section or the page.

        Where most numbers of the page have a date of their own, a number without one stays without.
        """
        marks = self.dates
        chosen = self._in_rows(marks)
        if all(chosen):
            return chosen
        captioned = self._captioned_days(marks)
        if captioned is not None:
            return captioned
        chosen = self._own_days(marks)
        if 2 * sum(mark is not None for mark in chosen) > len(chosen):
            return chosen
        chosen, strong = self._in_rows(marks), self._strongest(marks)
        if not strong:
            marks = self._with_slips()
            chosen, strong = self._in_rows(marks), self._strongest(marks)
        if not strong and not any(chosen):
            strong = self._may_be(self.captions.slipped_above(min(self._taken)))
        # One heading among others that a reader got wrong, or the only one.
        slipped = self._may_be(self.captions.slipped_headings())
        if strong and all(mark.row < min(self._taken) for mark in strong):
            slipped = [mark for mark in slipped if mark.row > min(self._taken)]
        strong += [mark for mark in slipped if self._is_free(mark) and mark.box not in {m.box for m in strong}]
        below = None if any(chosen) else self._below_numbers(strong)
        if below is not None:
            return below
        if not any(chosen) and len(strong) > 1 and all(self._is_sideways(mark) for mark in strong):
            return [min(strong, key=lambda mark: _between(mark.box, anchor.box)) for anchor in self.anchors]
        if all(mark.row < min(self._taken) for mark in strong):
            chosen = self._carried(chosen)
        heads = self._heads_of_columns(strong)
        return [day or self._heading(strong, heads, anchor) for day, anchor in zip(chosen, self.anchors, strict=True)]

    def _is_sideways(self, mark: Mark[Value]) -> bool:
        """Whether a moment runs up or down the page: it speaks for the rows beside it."""
        page = self.layout.page
        return mark.box.height * page.height > mark.box.width * page.width

    def _below_numbers(self, marks: Sequence[Mark[date]]) -> list[Mark[date] | None] | None:
        """The dates of entries that end with theirs, as cards do; None where they are not set so.

        Then a number stands over the first date, and one alone between each and the next; a label or the name of a day
        would open a section.
        """
        owners: dict[int, Mark[date]] = {}
        last = -1
        for mark in sorted(marks, key=lambda mark: mark.row):
            numbers = [i for i, anchor in enumerate(self.anchors) if last < anchor.row < mark.row]
            if mark.kind or len(numbers) != 1 or mark.row - self.anchors[numbers[0]].row > _ENTRY_ENDS:
                return None
            owners[numbers[0]] = mark
            last = mark.row
        return [owners.get(i) for i in range(len(self.anchors))] if len(owners) >= _SEVERAL else None

    def _captioned_days(self, marks: Sequence[Mark[date]]) -> list[Mark[date] | None] | None:
        """The dates at the captions that every entry repeats, if entries do."""
        chosen = self._captioned(marks, _DATED)
        if chosen is not None and all(chosen):
            return chosen
        if chosen is None and any(self._speaks(mark) for mark in marks):
            return None
        return self._captioned(self._with_slips(), _DATED)

    def _own_days(self, marks: Sequence[Mark[date]]) -> list[Mark[date] | None]:
        """The dates that entries state themselves, in their row or somewhere about it; or none."""
        chosen = self._in_rows(marks)
        if any(chosen) or not any(self._speaks(mark) for mark in marks):
            slipped = self._with_slips()
            return self._on_lines(self._in_rows(slipped), [mark for mark in slipped if self._is_free(mark)])
        # Only labelled dates can belong to blocks: a date that heads a section is shared by what follows it.
        labelled = self._labelled(marks)
        chosen = self._by_place(chosen, labelled) if min(len(labelled), len(chosen)) > 1 else chosen
        if any(chosen) and not all(chosen):
            chosen = self._by_place([None for _ in chosen], self._labelled(self._with_slips()))
        return chosen

    def _labelled(self, marks: Sequence[Mark[date]]) -> list[Mark[date]]:
        """The dates that may belong to one number each: labelled, and not those that open sections.

        A day with its name alone in a line opens a section where the first one stands above the first number.
        """
        labelled = [mark for mark in self._strongest(marks) if mark.kind]
        alone = [mark for mark in labelled if mark.caption < 0 and self._is_alone(mark)]
        if alone and alone[0].row < min(anchor.row for anchor in self.anchors):
            return [mark for mark in labelled if mark not in alone]
        return labelled

    def _is_alone(self, mark: Mark[date]) -> bool:
        """Whether nothing else stands in the cell of a date."""
        return moments.is_date_alone(self.layout.folded[slice(*self._cell(mark))])

    def _cell(self, mark: Mark[Value]) -> tuple[int, int]:
        """The span of the cell that holds a mark."""
        row = self.layout.rows[mark.row]
        cells = self.layout.cells(mark.row)
        return next((cell for cell in cells if self.layout.box(*cell).overlap(mark.box)), (row.start, row.end))

    def _with_slips(self) -> list[Mark[date]]:
        """The dates, and those that a reader or a hand got nearly right where a date is expected."""
        if self._slipped is None:
            self._slipped = [*self.dates, *self._may_be(self.captions.slipped_dates(self.dates))]
        return self._slipped

    def _may_be(self, marks: Iterable[Mark[date]]) -> list[Mark[date]]:
        births = {anchor.birth for anchor in self.anchors if anchor.birth}
        return self._apart([mark for mark in marks if _may_be_visit(mark, births)])

    def _speaks(self, mark: Mark[date]) -> bool:
        """Whether a date can speak for other rows than its own: it is labelled or heads what follows it."""
        return self._is_free(mark) and bool(mark.kind or self._is_heading(mark))

    def _strongest(self, marks: Sequence[Mark[date]]) -> list[Mark[date]]:
        """The dates outside the rows of numbers with the clearest labels."""
        free = [mark for mark in marks if self._speaks(mark)]
        return [mark for mark in free if mark.kind == "visit"] or [m for m in free if m.kind == "plain"] or free

    def _is_free(self, mark: Mark[Value]) -> bool:
        """Whether no number stands in the mark's row, or only in the columns beside it."""
        if mark.row not in self._taken:
            return True
        if len(self._page_columns().edges) == 1:
            return False
        column = self._page_columns().at(mark.box)
        return all(self._page_columns().at(anchor.box) != column for anchor in self.anchors if anchor.row == mark.row)

    def _is_heading(self, mark: Mark[date]) -> bool:
        """Whether an unlabelled date can speak for what follows: at the head of the page, or alone in its line."""
        if mark.row < min(self._taken, default=0):
            return True
        if any(abs(mark.box.x0 - born.box.x0) < _SAME_COLUMN for born in self.births):
            # It stands where birth dates stand: one whose number was not found.
            return False
        low, high = self._page_columns().reach(mark.box)
        cells = [cell for cell in self.layout.cells(mark.row) if low <= self.layout.left(cell[0]) < high]
        texts = [self.layout.folded[slice(*cell)] for cell in cells]
        if sum(map(len, texts)) + len(texts) <= _HEADING_LENGTH and _digits(texts) <= _HEADING_DIGITS:
            return True
        # What else the section is about may stand beside its date: a physician, a room.
        return len(cells) <= _HEADING_CELLS and self._is_alone(mark)

    def _heading(self, marks: Sequence[Mark[date]], heads: Sequence[Mark[date]], anchor: _Anchor) -> Mark[date] | None:
        """What heads the section of a number or the page; a date below is that of the page if it is labelled."""
        above = self._above(marks, heads, anchor)
        if above is not None:
            return above
        below = [mark for mark in marks if mark.kind]
        return below[0] if len({mark.value for mark in below}) == 1 else None

    def _heads_of_columns(self, marks: Sequence[Mark[Value]]) -> Sequence[Mark[Value]]:
        """The headings that speak for their own columns, where columns are read one after another; else none."""
        first = min(self._taken)
        near = [mark for mark in marks if mark.row >= first - _HEAD_ROWS]
        flow = len(self._page_columns().edges) > 1 and near and near[-1].row >= first and self._flows(near)
        return near if flow else ()

    def _above(self, marks: Sequence[Mark[Value]], heads: Sequence[Mark[Value]], anchor: _Anchor) -> Mark[Value] | None:
        """The nearest of the headings above a number, in its own column where those of columns (`heads`) are known."""
        if heads:
            columns = self._page_columns()
            at = columns.at(anchor.box)
            own = [mark for mark in heads if columns.at(mark.box) == at and mark.row < anchor.row]
            # A list that flows on at the head of the next column is still under the last heading of the one before.
            before = [mark for mark in heads if columns.at(mark.box) < at]
            if own or before:
                return max(own or before, key=lambda mark: (columns.at(mark.box), mark.row))
        middle = anchor.box.middle[0]
        above = _last_line([mark for mark in marks if mark.row < anchor.row])
        return min(above, key=lambda mark: abs(mark.box.middle[0] - middle), default=None)

    def _flows(self, body: Sequence[Mark[Value]]) -> bool:
        """Whether columns are read one after another: headings stand in several, or beside what goes on in another one.

        Otherwise a heading speaks for what stands below it in all columns.
        """
        columns = self._page_columns()
        rows = columns.rows(self.layout) if body else []
        for mark in body:
            own = columns.at(mark.box)
            at = bisect_left(rows[own], mark.row)
            before = rows[own][at - 1] if at else -1
            behind = rows[own][at + 1] if at + 1 < len(rows[own]) else len(self.layout.rows)
            if own or any(before < row < behind for each in rows[1:] for row in each):
                return True
        return False

    def _carried(self, chosen: list[Mark[date] | None]) -> list[Mark[date] | None]:
        """In a column that states a date only where it changes, each date holds for the rows below it."""
        order = sorted(range(len(chosen)), key=lambda i: (self.anchors[i].row, self.anchors[i].box.x0))
        held = chosen[order[0]] if order else None
        if held is None or not held.kind:
            return chosen
        carried = list(chosen)
        for i in order:
            mark = chosen[i]
            if mark is not None and abs(mark.box.x0 - held.box.x0) < _SAME_COLUMN:
                held = mark
            carried[i] = mark or held
        return carried

    def _in_rows(self, marks: Sequence[Mark[Value]]) -> list[Mark[Value] | None]:
        """The mark in each number's own row: the first labelled one, or the first; side by side, each has its part."""
        rows = _by_row(marks)
        chosen: list[Mark[Value] | None] = []
        for anchor in self.anchors:
            here = rows.get(anchor.row, [])
            chosen.append(self._first(self._part(here, anchor)) if here else None)
        return chosen

    def _first(self, marks: Sequence[Mark[Value]]) -> Mark[Value] | None:
        """The first mark whose label asks for a time, or says that it is a visit's, or the first.

        An arrival says less than what tells of the visit itself.
        """
        if len(marks) == 1:
            return marks[0]
        for kind in ("time", "visit"):
            named = [mark for mark in marks if mark.kind == kind]
            if named and _ARRIVED.match(self.captions.words(named[0].caption)):
                return next((mark for mark in named if _MET.search(self.captions.words(mark.caption))), named[0])
            if named:
                return named[0]
        return marks[0] if marks else None

    def _part(self, here: list[Mark[Value]], anchor: _Anchor) -> list[Mark[Value]]:
        """Those of a row's marks that belong to `anchor` and not to the numbers beside it."""
        mates = sorted(other.box.x0 for other in self.anchors if other.row == anchor.row)
        if len(mates) == len(self._page_columns().edges) == 1:
            return here
        if len(mates) == len(here) > 1:
            here = sorted(here, key=lambda mark: mark.box.x0)
            return [here[mates.index(anchor.box.x0)]]
        low, high = self._page_columns().reach(anchor.box)
        if len(mates) > 1 and len({mark.value for mark in here}) == 1 and not self._is_tabular():
            return here
        return [mark for mark in here if low <= mark.box.x0 < high]

    def _is_tabular(self) -> bool:
        """Whether entries stand side by side in several rows, so that a gap in one of them is a gap."""
        rows = [anchor.row for anchor in self.anchors]
        return len({row for row in rows if rows.count(row) > 1}) > 1

    def _page_columns(self) -> Columns:
        """The entries that stand side by side; found when they are first asked for."""
        if self._columns is None:
            numbers = [(anchor.row, anchor.box) for anchor in self.anchors]
            self._columns = Columns.of(self.layout, numbers, self._moments)
        return self._columns

    def _moments(self) -> Iterator[tuple[list[Box], float]]:
        """The boxes of the times, and of the dates, among the entries. A date may head several of them."""
        first, last = min(self._taken), max(self._taken)
        yield [mark.box for mark in self.captions.times(range(first - _BIRTH_ROWS, last + _BIRTH_ROWS))], _FEWEST_TIMES
        yield [mark.box for mark in self.dates if first <= mark.row <= last], 0.0

    def _on_lines(self, chosen: list[Mark[Value] | None], free: Sequence[Mark[Value]]) -> list[Mark[Value] | None]:
        """`chosen`, and what stands in the line of a number though it was read as a row of its own."""
        return self._assigned(chosen, free, same_line=True) if free else chosen

    def _by_place(self, chosen: list[Mark[Value] | None], free: Sequence[Mark[Value]]) -> list[Mark[Value] | None]:
        """`chosen`, and for the other numbers what stands where the entries of this page keep it."""
        return self._assigned(chosen, free, same_line=False) if free else chosen

    def _assigned(
        self, chosen: list[Mark[Value] | None], free: Sequence[Mark[Value]], *, same_line: bool
    ) -> list[Mark[Value] | None]:
        numbers = self._spots()
        owners = self._owners()
        places = [
            self._spot(mark.row, mark.box)._replace(owner=owners.get((mark.row, self._page_columns().at(mark.box))))
            for mark in free
        ]
        worths = [_NAMED if mark.kind else _UNNAMED for mark in free]
        wanted = [i for i, mark in enumerate(chosen) if mark is None]
        found = belonging.assign(numbers, places, worths, wanted=wanted, same_line=same_line, lean=self._lean(owners))
        completed = list(chosen)
        for number, place in found.items():
            low, high = self._page_columns().reach(self.anchors[number].box)
            if low <= free[place].box.x0 < high:
                completed[number] = free[place]
        return completed

    def _owners(self) -> dict[tuple[int, int], int]:
        """Whose entry a row of a column is part of: from each number to the birth date printed with it."""
        claims: dict[tuple[int, int], set[int]] = {}
        for i, anchor in enumerate(self.anchors):
            column = self._page_columns().at(anchor.box)
            own = [m.row for m in self.births if m.value == anchor.birth and self._page_columns().at(m.box) == column]
            nearest = min(own, key=lambda row: abs(row - anchor.row), default=anchor.row)
            rows = range(min(nearest, anchor.row), max(nearest, anchor.row) + 1)
            for row in rows if len(rows) <= _ENTRY_ROWS else ():
                claims.setdefault((row, column), set()).add(i)
        return {place: min(numbers) for place, numbers in claims.items() if len(numbers) == 1}

    def _lean(self, owners: dict[tuple[int, int], int]) -> int:
        """1 where the birth dates and times that are known to be of the numbers stand below them, -1 where above."""
        known = [(anchor.row, mark.row) for anchor, mark in zip(self.anchors, self._clocks or (), strict=False) if mark]
        for (row, _), i in owners.items():
            known.append((self.anchors[i].row, row))
        lean = sum((below > row) - (below < row) for row, below in known)
        return (lean > 0) - (lean < 0)

    def _spots(self) -> list[Spot]:
        """Where each number stands."""
        if self._places is None:
            self._places = [self._spot(anchor.row, anchor.box) for anchor in self.anchors]
        return self._places

    def _spot(self, row: int, box: Box) -> Spot:
        if not self._blocks:
            self._line = median(anchor.box.height for anchor in self.anchors) or _USUAL_LINE
            self._blocks = self._page_columns().blocks(self.layout)
        block = self._blocks[self._page_columns().at(box)].get(row, -1)
        return Spot(box.x0, self.layout.rows[row].middle / self._line, block)

    def _printed(self) -> list[str]:
        """The characters of each number."""
        if self._texts is None:
            self._texts = [_printed(self.layout, anchor) for anchor in self.anchors]
        return self._texts

    def _shared(self, chosen: list[Mark[Value] | None]) -> list[Mark[Value] | None]:
        """`chosen`, and the same visit for a number that is printed twice."""
        if all(chosen) or not any(chosen):
            return chosen
        printed = self._printed()
        known = {text: mark for text, mark in zip(printed, chosen, strict=True) if mark is not None}
        return [mark or known.get(text) for text, mark in zip(printed, chosen, strict=True)]


def _by_row(marks: Iterable[Mark[Value]]) -> dict[int, list[Mark[Value]]]:
    rows: dict[int, list[Mark[Value]]] = {}
    for mark in marks:
        rows.setdefault(mark.row, []).append(mark)
    return rows


def _is_said_with(day: Mark[date], clock: Mark[time]) -> bool:
    """Whether a time of a date's row stands right behind it."""
    return 0 <= clock.box.x0 - day.box.x1 < _AFTER


def _digits(texts: Iterable[str]) -> int:
    return sum(c.isdigit() for text in texts for c in text)


def _is_part(box: Box, numbers: Iterable[Box]) -> bool:
    """Whether the middle of a box lies in one of the wider `numbers`."""
    (x, y), width = box.middle, box.width
    return any(x0 <= x <= x1 and y0 <= y <= y1 and width < x1 - x0 for x0, y0, x1, y1 in numbers)


def _mark_of(hour: Hour) -> Mark[time]:
    return Mark(hour.value, "time", hour.row, hour.box)


def _may_be_visit(mark: Mark[date], births: Container[date]) -> bool:
    return mark.kind not in ("birth", "other") and mark.value not in births and mark.value >= FIRST_VISIT


def _of_visits(captions: Captions, marks: list[Mark[date]], taken: Collection[int]) -> list[Mark[date]]:
    """The dates without those that tell something else, where the page states elsewhere when its visits were.

    Where a heading above the first number's row says of which day's visits a page is, a column that tells since when
    people have been there says nothing of them ("Tournée : visites du 29 mai" over a column "Admission"). Nor does,
    in the row of a number (`taken`), what words of its own name ("Hép. B 2022-08-16") or the head of its column
    ("Modifié"); for those it is enough that another column has the dates of visits.
    """
    first = min(taken, default=0)
    admitted = [_ADMITTED.match(captions.words(mark.caption)) is not None for mark in marks]
    both = list(zip(marks, admitted, strict=True))
    heads = [mark for mark, other in both if mark.kind == "visit" and mark.row < first and not other]
    named = any(mark.caption >= 0 for mark in heads)
    known = bool(heads) or any(_is_in_column(captions, mark, first) for mark, other in both if not other)
    known = known or _is_far_from_head(marks, taken)
    if not known and any(mark.caption == UNKNOWN for mark in marks):
        known = captions.has_column_of_visits()
    return [
        mark for mark, other in both
        if mark.row < first or not ((other and named) or (known and mark.caption == UNKNOWN and mark.row in taken))
    ]  # fmt: skip


def _is_far_from_head(marks: Sequence[Mark[date]], taken: Collection[int]) -> bool:
    """Whether one date heads the page, and what words of its own name among the numbers is never of about that day."""
    heads = {mark.value for mark in marks if mark.row < min(taken, default=0)}
    others = [mark.value for mark in marks if mark.caption == UNKNOWN and mark.row in taken]
    return len(heads) == 1 and all(abs(day - head) > _ABOUT for day in others for head in heads)


def _is_in_column(captions: Captions, mark: Mark[date], first: int) -> bool:
    """Whether a date among the numbers, which begin in the row `first`, stands below a head that asks for it."""
    return mark.kind in _DATED and mark.row >= first and captions.heads_column(mark.caption)


def _printed(layout: Layout, anchor: _Anchor) -> str:
    """The characters of the words at a number."""
    row = layout.rows[anchor.row]
    words = (word for word in layout.words_in(row.start, row.end) if word.box.overlap(anchor.box))
    return "".join(c for word in words for c in word.text if c.isalnum()).upper()


def _between(one: Box, other: Box) -> float:
    """How far the middles of two boxes are apart down the page."""
    return abs(one.middle[1] - other.middle[1])


def _last_line(marks: Sequence[Mark[Value]]) -> list[Mark[Value]]:
    """The marks of the last row; with those beside them in rows just before: a reader may take a line apart."""
    last = max((mark.row for mark in marks), default=0)
    line = [mark for mark in marks if mark.row == last]
    for mark in marks:
        y = mark.box.middle[1]
        near = last - _TORN <= mark.row < last and abs(line[0].box.middle[1] - y) < _TORN * mark.box.height
        if near and not any(mark.box.is_over(other.box) for other in line):
            line.append(mark)
    return line


def _clear_numbers(layout: Layout) -> list[tuple[Box, date | None]]:
    """What is printed with the shape of a number and a real birth date, with its box and that date."""
    found: list[tuple[Box, date | None]] = []
    for match in _CLEAR_NUMBER.finditer(layout.plain):
        birth = nam.birth_date(nam.normalise(match.group()))
        if birth is not None:
            found.append((layout.box(*match.span()), birth))
    return found


def _anchors(
    layout: Layout, numbers: Iterable[tuple[Box, date | None]], clear: Sequence[tuple[Box, date | None]]
) -> list[_Anchor]:
    if not layout.rows:
        return []
    anchors: list[_Anchor] = []
    for box, birth in numbers:
        row = layout.rows_near(box)
        if any(other.row == row and other.box.overlap(box) for other in anchors):
            # Two readings of one number.
            continue
        printed = (other for at, other in clear if at.overlap(box)) if birth is None else iter(())
        anchors.append(_Anchor(row, box, birth or next(printed, None)))
    return anchors
