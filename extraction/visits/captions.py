"""What a page calls its dates and times: labels beside them, headers above them. Pure.

A moment with the label of a birth, a printing or an expiry is no visit's. Where a label or a column says that a time
or a date must stand, and nothing legible does, what stands there is read once more with the slips that readers and
hands make (`slips`), and a ditto mark repeats what stands above it.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, time
from itertools import zip_longest
from typing import Generic, NamedTuple, TypeVar

from extraction.layout import Layout
from extraction.page import Box
from extraction.visits import moments, slips
from extraction.visits.moments import DateMatch, TimeMatch

_RANGE_BETWEEN = re.compile(r"[ ]?(?:-|/|>|a|au|et|to|and|until|jusqu'a)[ ]?")
_HEADER_KINDS = ("birth", "other", "time", "visit", "plain")
"""Of several labels in one header the first of these names it: "Date de naissance" is a birth, not a plain date."""
_HEADER_GAP = 12
_STAMP_BEHIND = re.compile(r"[^\n]{0,14}?\b(?:fax\b|tele?cop)")
"""A fax machine prints its own date first and its name behind it."""
_LABEL_REACH = 80
"""How many characters may stand between a label and its value in the same row, or in running text."""
_TIME_AFTER_DATE = 8
"""A time this close behind a date, as in "2025-10-03 à 08:15", shares the date's label."""
_SAME_COLUMN = 0.02
"""Cells that start within this part of the page's width stand in one column."""
_COLUMN = 2
"""So many moments below each other make a column."""
_DITTO = re.compile(r"(?:''|[\"〃“”]{1,2}|idem|id\.|ditto)(?=[\t\n])")

Value = TypeVar("Value", date, time)


class Mark(NamedTuple, Generic[Value]):
    """A date or time on the page, with the kind of the label that stands at it ("" for none)."""

    value: Value
    kind: str
    row: int
    box: Box


class _Label(NamedTuple):
    start: int
    end: int
    kind: str


@dataclass(slots=True)
class Captions:
    """The labels of a page, and how they name the dates and times around them."""

    layout: Layout
    found: list[_Label]
    found_dates: list[DateMatch]
    found_times: list[TimeMatch]
    headers: list[tuple[int, Box, str]]

    @classmethod
    def of(cls, layout: Layout) -> Captions:
        folded = layout.folded
        found = [_Label(m.start(), m.end(), m.lastgroup or "") for m in moments.LABEL.finditer(folded)]
        dates = moments.dates_in(folded, month_first=moments.puts_month_first(folded))
        captions = cls(layout, found, dates, moments.times_in(folded), [])
        captions.headers = captions._headers()
        return captions

    def dates(self) -> list[Mark[date]]:
        """All clearly written dates in reading order, with the kind of each."""
        marks: list[Mark[date]] = []
        previous = 0
        for match in self.found_dates:
            kind = self._kind(match.start, previous) or self._row_kind(match, previous, marks)
            if not kind and _STAMP_BEHIND.match(self.layout.folded, match.end):
                kind = "other"
            if kind in ("", "plain", "time") and moments.follows_day_name(self.layout.folded, match.start):
                kind = "visit"
            previous = match.end
            marks.append(self._mark(*match, "plain" if kind == "time" else kind))
        return marks

    def _row_kind(self, match: DateMatch, previous: int, marks: Sequence[Mark[date]]) -> str:
        """The kind of the date right before: one label at the head of a row names all that stands in it."""
        if not marks or not self.layout.folded[previous : match.start].isspace():
            return ""
        return marks[-1].kind if marks[-1].row == self.layout.row_at(match.start) else ""

    def times(self, rows: Collection[int]) -> list[Mark[time]]:
        """The clearly written times in `rows` that may be visits, in reading order."""
        marks = []
        previous = 0
        for match in sorted([*self.found_times, *self._bare()]):
            row = self.layout.row_at(match.start)
            ends_range = previous and _RANGE_BETWEEN.fullmatch(self.layout.folded, previous, match.start)
            if ends_range or row not in rows:
                previous = match.end
                continue
            day = self._date_before(match.start)
            shared = day is not None and self._is_close(day.end, match.start)
            until = day.start if day and shared else match.start
            kind = self._kind(until, previous if day is None or shared else max(previous, day.end))
            previous = match.end
            if kind not in ("birth", "other") and not (shared and _STAMP_BEHIND.match(self.layout.folded, match.end)):
                marks.append(self._mark(*match, kind))
        return marks

    def slipped_dates(self, known: Sequence[Mark[date]]) -> list[Mark[date]]:
        """Dates with a slip, half-written ones and ditto marks, where a label or a column of dates expects one."""
        spans = [match[:2] for match in self.found_dates]
        near = [match.value for match in moments.dates_in(self.layout.folded, ranges=True)]
        matches = slips.dates_in(self.layout.plain, near=near)
        marks = self._expected(matches, spans, {"plain", "visit"}, known)
        for match in slips.days_of_week_in(self.layout.plain, near=near):
            if self._kind(match.start, 0) not in ("birth", "other"):
                marks.append(self._mark(*match, "visit"))
        return self._with_dittos([*known, *marks])[len(known) :]

    def slipped_times(self, known: Sequence[Mark[time]]) -> list[Mark[time]]:
        """Times with a slip and ditto marks, where a label or a column of times expects one."""
        taken = (*self.found_times, *self.found_dates, *slips.boxed_dates_in(self.layout.plain))
        spans = [match[:2] for match in taken]
        marks = self._expected(slips.times_in(self.layout.plain), spans, {"time"}, known)
        return self._with_dittos([*known, *marks])[len(known) :]

    def _expected(
        self,
        matches: Iterable[tuple[int, int, Value]],
        spans: Sequence[tuple[int, int]],
        kinds: Collection[str],
        known: Sequence[Mark[Value]],
    ) -> list[Mark[Value]]:
        """The matches beside `spans` that a label of one of the `kinds` names, or that stand in a column of `known`."""
        ordered = sorted(spans)
        edges = sorted(mark.box.x0 for mark in known)
        marks: list[Mark[Value]] = []
        for start, end, value in matches:
            at = bisect_left(ordered, (end, 0))
            if at and ordered[at - 1][1] > start:
                continue
            cell = self.layout.plain[self.layout.cell(start)[0] : start]
            begins = not any(c.isalnum() for c in cell)
            kind = self._kind(start, ordered[at - 1][1] if at else 0, near=True, header=begins)
            box = self.layout.box(start, end)
            if kind in kinds or (begins and not kind and _column(edges, box.x0) >= _COLUMN):
                marks.append(Mark(value, kind, self.layout.row_at(start), box))
        return marks

    def _with_dittos(self, marks: list[Mark[Value]]) -> list[Mark[Value]]:
        """`marks`, and behind them one for each ditto mark in a column of theirs."""
        for found in _DITTO.finditer(self.layout.folded):
            row, box = self.layout.row_at(found.start()), self.layout.box(*found.span())
            above = [mark for mark in marks if mark.row < row and mark.box.x0 - _SAME_COLUMN <= box.middle[0]]
            above = [mark for mark in above if box.middle[0] <= mark.box.x1 + _SAME_COLUMN]
            if above:
                nearest = max(above, key=lambda mark: mark.row)
                marks.append(nearest._replace(row=row, box=box))
        return marks

    def _mark(self, start: int, end: int, value: Value, kind: str) -> Mark[Value]:
        return Mark(value, kind, self.layout.row_at(start), self.layout.box(start, end))

    def _date_before(self, offset: int) -> DateMatch | None:
        at = bisect_right(self.found_dates, offset, key=lambda match: match.end)
        return self.found_dates[at - 1] if at else None

    def _is_close(self, end: int, start: int) -> bool:
        """Whether what ends at `end` and what starts at `start` are said in one breath: in one cell, side by side."""
        between = self.layout.printed[end:start]
        return start - end <= _TIME_AFTER_DATE and "\t" not in between and "\n" not in between

    def _kind(self, offset: int, previous: int, *, near: bool = False, header: bool = True) -> str:
        """The kind of the last label in the row before `offset` and behind `previous`, else of the column's header.

        With `near`, nothing but small words may stand between the label and `offset`; `header` says whether headers
        count.
        """
        row = self.layout.row_at(offset)
        floor = max(self._sentence_start(row, offset), previous)
        at = bisect_left(self.found, offset, key=lambda label: label.start) - 1
        if at >= 0 and self.found[at].start >= floor and offset - self.found[at].end <= _LABEL_REACH:
            if near and not moments.only_small_words(self.layout.folded[self.found[at].end : offset]):
                return ""
            # "Heure du rendez-vous" and "Date de naissance" are named by their last word.
            return self._joined_kind(at) if near else self.found[at].kind
        return self._header_kind(row, self.layout.box(offset, offset + 1)) if header else ""

    def _joined_kind(self, at: int) -> str:
        """The kind of a label together with the one right before it: "Heure de la visite" asks for a time."""
        label, before = self.found[at], self.found[at - 1] if at else None
        if before is not None and label.kind == "visit" and before.kind == "time":
            between = self.layout.folded[before.end : label.start]
            return "time" if moments.only_small_words(between) else label.kind
        return label.kind

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
        for group, end in self._groups():
            if not any(c.isdigit() for c in self.layout.folded[group[-1].end : end]):
                kinds = {each.kind for each in group}
                kind = next(kind for kind in _HEADER_KINDS if kind in kinds)
                box = self.layout.box(group[0].start, group[-1].end)
                headers.append((self.layout.row_at(group[-1].start), box, kind))
        return headers

    def _groups(self) -> Iterator[tuple[list[_Label], int]]:
        """Labels that follow each other closely, with the end of what stands behind them before the next one."""
        group: list[_Label] = []
        for label, following in zip_longest(self.found, self.found[1:]):
            group.append(label)
            end = self.layout.rows[self.layout.row_at(label.start)].end
            if following is not None and following.start < end:
                between = self.layout.folded[label.end : following.start]
                if len(between) <= _HEADER_GAP and between.replace(" ", "").replace("'", "").isalpha():
                    continue
                end = following.start
            yield group, end
            group = []

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


def _column(edges: Sequence[float], x: float) -> int:
    """How many of the sorted `edges` stand in the column that starts at `x`."""
    return bisect_right(edges, x + _SAME_COLUMN) - bisect_left(edges, x - _SAME_COLUMN)
