"""The visit date and time of a number: whose, among the dates and times of a page, and which are none. Pure.

How dates and times are written is in `moments`, whose functions are offered here too. A visit without a readable date
or time keeps None: nothing is taken from a neighbour, and a birth, a printing or an expiry date is never a visit.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, time
from itertools import zip_longest
from typing import Generic, NamedTuple, TypeVar

from extraction import moments, nam
from extraction.layout import Layout
from extraction.moments import DateMatch, TimeMatch, find_dates, find_times, parse_date, parse_time
from extraction.page import Box, Page

__all__ = [
    "FIRST_VISIT",
    "DateMatch",
    "TimeMatch",
    "VisitIndex",
    "find_dates",
    "find_times",
    "find_visit",
    "parse_date",
    "parse_time",
]

FIRST_VISIT = date(1970, 1, 1)
"""RAMQ has insured visits since 1970: an older date on a page is a birth, never a visit."""
_RANGE_BETWEEN = re.compile(r"[ ]?(?:-|a|au|to|until|jusqu'a)[ ]?")
_HEADER_KINDS = ("birth", "other", "time", "visit", "plain")
"""Of several labels in one header the first of these names it: "Date de naissance" is a birth, not a plain date."""
_HEADER_GAP = 12
_STAMP_BEHIND = re.compile(r"[^\n]{0,14}?\b(?:fax\b|tele?cop)")
"""A fax machine prints its own date first and its name behind it."""
_LABEL_REACH = 80
"""How many characters may stand between a label and its value in the same row, or in running text."""
_BIRTH_ROWS = 4
_TIMES_OF_AN_ENTRY = 3
"""An entry states a start, an end and perhaps an arrival; more times than that belong to several entries."""
_HEADING_LENGTH, _HEADING_DIGITS = 40, 8
"""A row with a date and little else, such as "lundi 6 octobre 2025", heads a section."""
_TIME_AFTER_DATE = 8
"""A time this close behind a date, as in "2025-10-03 à 08:15", shares the date's label."""


def find_visit(page: Page, box: Box) -> tuple[date | None, time | None]:
    """The visit date and time of the number at `box`. For many numbers of one page, keep a `VisitIndex`."""
    return VisitIndex.of(Layout.of(page), [(box, None)]).visit(box)


Value = TypeVar("Value", date, time)


class _Mark(NamedTuple, Generic[Value]):
    """A date or time on the page, with the kind of the label that stands at it ("" for none)."""

    value: Value
    kind: str
    row: int
    box: Box


class _Label(NamedTuple):
    start: int
    end: int
    kind: str


class _Anchor(NamedTuple):
    """A number whose visit is asked for, or a neighbour that a date may belong to instead."""

    row: int
    box: Box
    birth: date | None


@dataclass(slots=True)
class VisitIndex:
    """The dates, times and numbers of one page, prepared so that each number finds its visit quickly."""

    layout: Layout
    labels: _Labels
    dates: list[_Mark[date]]
    births: list[_Mark[date]]
    anchors: list[_Anchor]
    _taken: set[int]
    _times_in_rows: list[_Mark[time]]
    _times: list[_Mark[time]] | None = None

    @classmethod
    def of(cls, layout: Layout, numbers: Iterable[tuple[Box, date | None]] = ()) -> VisitIndex:
        """The index of a page. `numbers` are places of NAMs, each with the birth date in it, if known.

        Well-printed NAMs are noticed without being named.
        """
        anchors = _anchors(layout, list(numbers))
        labels = _Labels.of(layout)
        births = {anchor.birth for anchor in anchors}
        marks = labels.dates()
        dates = [
            mark
            for mark in marks
            if mark.kind not in ("birth", "other") and mark.value not in births and mark.value >= FIRST_VISIT
        ]
        born = [mark for mark in marks if mark.kind == "birth" or mark.value in births]
        taken = {anchor.row for anchor in anchors}
        return cls(layout, labels, dates, born, anchors, taken, labels.times(taken))

    @property
    def times(self) -> list[_Mark[time]]:
        """All times of the page. Agendas rarely need those outside the rows of numbers, so they are named late."""
        if self._times is None:
            self._times = self.labels.times(range(len(self.layout.rows)))
        return self._times

    def visit(self, box: Box) -> tuple[date | None, time | None]:
        """The visit date and time of the number at `box`: its row first, then its block, then the page's header."""
        if not self.layout.rows:
            return None, None
        anchor = next((anchor for anchor in self.anchors if anchor.box == box), None)
        if anchor is None:
            anchor = max(self.anchors, key=lambda a: a.box.overlap(box), default=None)
        if anchor is None or not anchor.box.overlap(box):
            anchor = _Anchor(self.layout.rows_near(box), box, None)
        day = self._in_row(self.dates, anchor) or self._date_around(anchor)
        if day is not None and anchor.birth is not None and day < anchor.birth:
            day = None
        clock = self._in_row(self._times_in_rows if anchor.row in self._taken else self.times, anchor)
        return day, clock if clock is not None else self._time_around(anchor)

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

    def _in_row(self, marks: Sequence[_Mark[Value]], anchor: _Anchor) -> Value | None:
        """The value in the anchor's row: the nearest on its left, or on its right, with no other number between."""
        here = [mark for mark in marks if mark.row == anchor.row]
        if not here:
            return None
        others = [a.box for a in self.anchors if a.row == anchor.row and a.box != anchor.box]
        if not others:
            labelled = [mark for mark in here if mark.kind in ("visit", "time")]
            return (labelled or here)[0].value
        before = max((b.x1 for b in others if b.x1 <= anchor.box.x0), default=0.0)
        after = min((b.x0 for b in others if b.x0 >= anchor.box.x1), default=1.0)
        left = [mark.value for mark in here if before <= mark.box.x0 <= anchor.box.x0]
        right = [mark.value for mark in here if anchor.box.x1 <= mark.box.x0 < after]
        if left or right:
            return left[-1] if left else right[0]
        return here[0].value if len({mark.value for mark in here}) == 1 else None

    def _date_around(self, anchor: _Anchor) -> date | None:
        """The date of the block, column or page that the anchor stands in.

        Where most numbers of the page have a date of their own, a number without one stays without.
        """
        free = [mark for mark in self.dates if mark.row not in self._taken and (mark.kind or self._is_heading(mark))]
        strong = [mark for mark in free if mark.kind == "visit"] or [m for m in free if m.kind == "plain"] or free
        # Only labelled dates can belong to blocks: a date that heads a section is shared by what follows it.
        blocks = self._block_side([mark for mark in strong if mark.kind])
        if blocks is not None:
            return _nearest(self._own(strong, anchor, below=blocks), anchor)
        above = [mark for mark in strong if mark.row < anchor.row]
        if above:
            return _nearest(above, anchor)
        below = {mark.value for mark in strong if mark.kind}
        return below.pop() if len(below) == 1 else None

    def _time_around(self, anchor: _Anchor) -> time | None:
        """The time of the block that the anchor stands in, or the only labelled time of the page.

        Where other numbers have the time in their row, or times run down the page as in an agenda with one number,
        the time of another row is somebody else's.
        """
        if any(mark.row in self._taken for mark in self.times) or len(self.times) > _TIMES_OF_AN_ENTRY * len(
            self._taken
        ):
            return None
        free = [mark for mark in self.times if mark.row not in self._taken]
        labelled = [mark for mark in free if mark.kind in ("time", "visit")]
        dated = {mark.row for mark in self.dates if mark.kind}
        beside = [mark for mark in labelled if mark.row in dated]
        if len(beside) == 1 and len(self._taken) == 1:
            return beside[0].value
        if len(labelled) == 1 and len(free) == len(self.times):
            return labelled[0].value
        near = [mark for mark in free if self._adjoins(mark, anchor) or mark.kind in ("time", "visit")]
        below = self._block_side(near)
        above_own = self._own(near, anchor, below=False)
        return _nearest(above_own if not below else self._own(near, anchor, below=True), anchor)

    def _is_heading(self, mark: _Mark[date]) -> bool:
        """Whether an unlabelled date can speak for what follows: at the head of the page, or alone in its row."""
        if mark.row < min(self._taken, default=0):
            return True
        row = self.layout.rows[mark.row]
        digits = sum(c.isdigit() for c in self.layout.folded[row.start : row.end])
        return row.end - row.start <= _HEADING_LENGTH and digits <= _HEADING_DIGITS

    def _adjoins(self, mark: _Mark[time], anchor: _Anchor) -> bool:
        """Whether an unlabelled time stands in the next row or two, close enough to be part of the same entry."""
        height = anchor.box.height or mark.box.height
        gap = max(mark.box.y0 - anchor.box.y1, anchor.box.y0 - mark.box.y1)
        # Two and a half heights hold two rows of ordinary spacing.
        return gap < 2.5 * height

    def _own(self, marks: Sequence[_Mark[Value]], anchor: _Anchor, *, below: bool) -> list[_Mark[Value]]:
        """The marks between the anchor and the next number in one direction."""
        rows = sorted(self._taken | {anchor.row})
        at = bisect_left(rows, anchor.row)
        if below:
            last = rows[at + 1] if at + 1 < len(rows) else len(self.layout.rows)
            return [mark for mark in marks if anchor.row < mark.row < last]
        first = rows[at - 1] if at else -1
        return [mark for mark in marks if first < mark.row < anchor.row]

    def _block_side(self, marks: Sequence[_Mark[Value]]) -> bool | None:
        """True or False where most numbers have a mark of their own below or above them; None where they share."""
        if len(self._taken) < 2 or len(marks) < 2:  # noqa: PLR2004 - one number or one date makes no pattern
            return None
        rows = {anchor.row: anchor for anchor in self.anchors}.values()
        below = sum(bool(self._own(marks, anchor, below=True)) for anchor in rows)
        above = sum(bool(self._own(marks, anchor, below=False)) for anchor in rows)
        if 2 * max(below, above) <= len(rows):
            return None
        # Number, date, number, date, number: what comes first tells which date belongs to which number.
        return below > above or (below == above and min(self._taken) < marks[0].row)


def _nearest(marks: Sequence[_Mark[Value]], anchor: _Anchor) -> Value | None:
    """The mark nearest in rows, then sideways."""
    middle = anchor.box.middle[0]
    if not marks:
        return None
    return min(marks, key=lambda mark: (abs(mark.row - anchor.row), abs(mark.box.middle[0] - middle))).value


_CLEAR_NUMBER = re.compile(r"\b[A-Z]{4}[ -]?[0-9]{4}[ -]?[0-9]{2}[1-9A-HJ-NP-Z][0-9]\b")


def _anchors(layout: Layout, numbers: list[tuple[Box, date | None]]) -> list[_Anchor]:
    if not layout.rows:
        return []
    anchors = [_Anchor(layout.rows_near(box), box, birth) for box, birth in numbers]
    for found in _CLEAR_NUMBER.finditer(layout.plain):
        row = layout.row_at(found.start())
        box = layout.box(found.start(), found.end())
        at = next((i for i, anchor in enumerate(anchors) if anchor.row == row and anchor.box.overlap(box)), None)
        if at is not None and anchors[at].birth is not None:
            continue
        birth = nam.birth_date(nam.normalise(found.group()))
        if birth is not None and at is None:
            anchors.append(_Anchor(row, box, birth))
        elif birth is not None and at is not None:
            anchors[at] = anchors[at]._replace(birth=birth)
    return anchors


@dataclass(slots=True)
class _Labels:
    """The labels of a page, and how they name the dates and times around them."""

    layout: Layout
    found: list[_Label]
    found_dates: list[DateMatch]
    found_times: list[TimeMatch]
    headers: list[tuple[int, Box, str]]

    @classmethod
    def of(cls, layout: Layout) -> _Labels:
        folded = layout.folded
        found = [_Label(m.start(), m.end(), m.lastgroup or "") for m in moments.LABEL.finditer(folded)]
        labels = cls(layout, found, moments.dates_in(folded), moments.times_in(folded), [])
        labels.headers = labels._headers()
        return labels

    def dates(self) -> list[_Mark[date]]:
        """All dates in reading order, with the kind of each."""
        marks = []
        previous = 0
        for match in self.found_dates:
            kind = self._kind(match.start, previous)
            if not kind and _STAMP_BEHIND.match(self.layout.folded, match.end):
                kind = "other"
            if kind in ("", "plain", "time") and moments.follows_day_name(self.layout.folded, match.start):
                kind = "visit"
            previous = match.end
            marks.append(self._mark(*match, "plain" if kind == "time" else kind))
        return marks

    def times(self, rows: Container[int]) -> list[_Mark[time]]:
        """The times in `rows` that may be visits, in reading order."""
        matches = sorted([*self.found_times, *self._bare()])
        marks = []
        previous = 0
        for match in matches:
            ends_range = previous and _RANGE_BETWEEN.fullmatch(self.layout.folded, previous, match.start)
            if ends_range or self.layout.row_at(match.start) not in rows:
                previous = match.end
                continue
            day = self._date_before(match.start)
            shared = day is not None and match.start - day.end <= _TIME_AFTER_DATE
            until = day.start if day and shared else match.start
            kind = self._kind(until, previous if day is None or shared else max(previous, day.end))
            previous = match.end
            if kind not in ("birth", "other") and not (shared and _STAMP_BEHIND.match(self.layout.folded, match.end)):
                marks.append(self._mark(*match, kind))
        return marks

    def _mark(self, start: int, end: int, value: Value, kind: str) -> _Mark[Value]:
        return _Mark(value, kind, self.layout.row_at(start), self.layout.box(start, end))

    def _date_before(self, offset: int) -> DateMatch | None:
        at = bisect_right(self.found_dates, offset, key=lambda match: match.end)
        return self.found_dates[at - 1] if at else None

    def _kind(self, offset: int, previous: int) -> str:
        """The kind of the last label in the row before `offset` and behind `previous`, else of the column's header."""
        row = self.layout.row_at(offset)
        floor = max(self._sentence_start(row, offset), previous)
        at = bisect_left(self.found, offset, key=lambda label: label.start) - 1
        if at >= 0 and self.found[at].start >= floor and offset - self.found[at].end <= _LABEL_REACH:
            # "Heure du rendez-vous" and "Date de naissance" are named by their last word.
            return self.found[at].kind
        return self._header_kind(row, self.layout.box(offset, offset + 1))

    def _sentence_start(self, row: int, offset: int) -> int:
        """The start of the row, or of the row before where one sentence clearly runs on from it."""
        rows, printed = self.layout.rows, self.layout.printed
        start = rows[row].start
        if not row or "\t" in printed[rows[row - 1].start : offset] or printed[start : start + 1].isupper():
            return start
        close = rows[row].top - rows[row - 1].bottom < rows[row].bottom - rows[row].top
        return rows[row - 1].start if close else start

    def _header_kind(self, row: int, box: Box) -> str:
        """The kind of the nearest header above, in the column of `box`."""
        kind, best = "", (0, 0.0)
        for header_row, header_box, header_kind in self.headers:
            margin = 0.5 * header_box.width
            if header_row < row and header_box.x0 - margin <= box.x0 <= header_box.x1 + margin:
                distance = (row - header_row, abs(header_box.x0 - box.x0))
                if not kind or distance < best:
                    kind, best = header_kind, distance
        return kind

    def _headers(self) -> list[tuple[int, Box, str]]:
        """The labels that name what stands below them: those with nothing countable behind them in their row.

        Labels that follow each other closely, as in "Date de naissance", are one header.
        """
        headers = []
        group: list[_Label] = []
        for label, following in zip_longest(self.found, self.found[1:]):
            group.append(label)
            end = self.layout.rows[self.layout.row_at(label.start)].end
            if following is not None and following.start < end:
                between = self.layout.folded[label.end : following.start]
                if len(between) <= _HEADER_GAP and between.replace(" ", "").replace("'", "").isalpha():
                    continue
                end = following.start
            if not any(c.isdigit() for c in self.layout.folded[label.end : end]):
                kinds = {each.kind for each in group}
                kind = next(kind for kind in _HEADER_KINDS if kind in kinds)
                box = self.layout.box(group[0].start, label.end)
                headers.append((self.layout.row_at(label.start), box, kind))
            group = []
        return headers

    def _bare(self) -> list[TimeMatch]:
        """Times written 0830: those right behind a label, and those alone in a cell below one."""
        folded, layout = self.layout.folded, self.layout
        if not any(label.kind == "time" for label in self.found):
            return []
        times = []
        for match in moments.bare_times_in(folded):
            start, end = layout.cell(match.start)
            alone = (start, end) == (match.start, match.end)
            below = alone and self._header_kind(layout.row_at(start), layout.box(start, end)) == "time"
            if below or moments.follows_time_label(folded, match.start):
                times.append(match)
        return times
