"""What a page calls its dates and times: labels beside them, headers above them. Pure.

A moment with the label of a birth, a printing or an expiry is no visit's. Where a label or a column says that a time
or a date must stand, and nothing legible does, what stands there is read once more with the slips that readers and
hands make (`slips`), and a ditto mark repeats what stands above it.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, time
from itertools import pairwise, zip_longest
from string import ascii_lowercase
from typing import Generic, NamedTuple, TypeVar

from extraction.layout import Layout
from extraction.page import Box
from extraction.visits import moments, parted, slips, weeks
from extraction.visits.moments import DateMatch, TimeMatch
from extraction.visits.steps import Steps

_RANGE_BETWEEN = re.compile(r"[ ]?(?:-|/|>|a|au|et|to|and|until|jusqu'a)[ ]?")
_HEADER_KINDS = ("birth", "other", "time", "visit", "plain")
"""Of several labels in one header the first of these names it: "Date de naissance" is a birth, not a plain date."""
_HEADER_GAP = 12
_OWN_CAPTION = re.compile(r"[a-z]{2}[^\n:]{0,16}:[ \t]*\Z")
"""What a form calls a value that stands right behind: no header above speaks for that."""
_GOES_ON = re.compile(r",?\n(?:a|vers|at|around|about)[ ]|[ ](?:a|vers|at)\n")
_PARTED = re.compile(r"^[^0-9:]*[,;\u2013-][ ](?:le[ ])?[a-z]+,?[ ](?:le[ ])?\Z")
"""The name of a day behind a comma says no more what the words before it say: "Références et facturation, lundi"."""
_LONGEST_MOMENT = 32
"""Characters of a date and its time: more are a sentence."""
_SHORTEST_MOMENT = 5
"""So many characters have the shortest dates and times that are common."""
_NEXT_SENTENCE = re.compile(r"[a-z]{3}[.!?][ \n]+[A-Z]")
_FIRST_SAID = re.compile(r"(?:\A|[.;][ \n]|[\n\t])(?:le|on)[ ]\Z")
"""A sentence that begins with its date says what happened behind it."""
_VISIT = re.compile(r"\b(?:visite?|consultation|rendez-?[ ]?vous|appointment)s?\b")
_JOINTS = str.maketrans("", "", " '/")
_BEHIND, _FAR_BEHIND, _SAME_LINE = 0.12, 0.4, 0.8
"""What is written behind its caption begins within this part of the page's width, further off where nothing stands
between, and within so many heights of print above it or below."""
_CAPTION_ROWS, _CAPTION_HEIGHTS = 3, 4.0
"""A caption stands within so many rows, and so many times its own height, of its value."""
_STAMP_BEHIND = re.compile(r"[^\n]{0,14}?\b(?:fax\b|tele?cop|(?:de|from)[ ]?:|p\.?[ ]?0?1\b)")
"""A fax machine prints its own date first and its name behind it."""
_LABEL_REACH = 80
"""How many characters may stand between a label and its value in the same row, or in running text."""
_TIME_AFTER_DATE = 8
"""A time this close behind a date, as in "2025-10-03 à 08:15", shares the date's label."""
_SAME_COLUMN = 0.02
"""Cells that start within this part of the page's width stand in one column."""
_LONGEST_HEAD = 32
"""A cell of more characters is a title or running text, and heads no column."""
_SAME_HAND, _GOES_UP = 0.03, 0.75
"""What a hand writes in one column begins within this part of the page's width, and this share of its times go up."""
_FEWEST_OF_SIDE = 4
"""So many different times run down the side of a page."""
_LONGEST_TITLE = 64
"""A cell of more characters is a line of running text."""
_SEPARATOR = ";"
"""What parts the fields of a file: a comma may be part of a name."""
_HEAD_CELLS = 3
"""So many cells make the head of a table."""
_COLUMN = 2
"""So many moments below each other make a column."""
_DITTO = re.compile(
    r"(?=['\"〃“”idhu=1l|!])"  # Where none begins, this says so at once.
    r"(?:''|[\"〃“”]{1,2}|idem|id\.|ditto|(?<![^\t\n])(?:[hu=]|[1il|!]{2}))(?=[\t\n])"
)
"""A mark by hand is read as two strokes, or as a letter made of two, alone in its cell."""

Value = TypeVar("Value", date, time)


class Mark(NamedTuple, Generic[Value]):
    """A date or time on the page, with the kind of the label that names it ("" for none) and the caption it is in."""

    value: Value
    kind: str
    row: int
    box: Box
    caption: int = -1


class Caption(NamedTuple):
    """Labels that follow each other closely, as in "Date de naissance": their kind, their characters and their row.

    A header has nothing countable behind it in its row: it names what stands below it, or above.
    """

    kind: str
    start: int
    end: int
    row: int
    header: bool


class _Label(NamedTuple):
    start: int
    end: int
    kind: str
    caption: int = -1


class _Head(NamedTuple):
    """The header of a column: the number and row of its caption, from where to where what it names may begin, and the
    left edges of the caption and of what stands before it in its cell.
    """

    number: int
    row: int
    low: float
    high: float
    x0: float
    left: float


UNKNOWN = -2
"""The caption of what words of its own name, or the head of its column, but none that are known here."""
_NO_NAME, _ARRIVAL, _OTHER_HEAD = _Label(0, 0, ""), _Label(0, 0, "time"), _Label(0, 0, "", UNKNOWN)


@dataclass(slots=True)
class Captions:
    """The labels of a page, and how they name the dates and times around them."""

    layout: Layout
    found: list[_Label]
    found_dates: list[DateMatch]
    found_times: list[TimeMatch]
    captions: list[Caption]
    headers: list[int]
    """The captions that are headers."""
    every_day: list[date]
    """All dates that are clearly written, the ends of ranges too."""
    _boxes: dict[int, Box] = field(default_factory=dict)
    _columns: list[_Head] | None = None
    _edges: dict[int, float] = field(default_factory=dict)
    """Where what stands under a centred head begins."""
    _tables: list[tuple[int, Sequence[Box]]] | None = None
    _fields: dict[int, Sequence[str]] = field(default_factory=dict)
    _all_times: list[TimeMatch] | None = None
    _named_times: list[Mark[time]] | None = None
    _told: Steps | None = None
    _under: bool | None = None
    _slipped: list[DateMatch] | None = None
    _born: set[date] = field(default_factory=set)
    _range_ends: list[int] = field(default_factory=list)
    _named_days: set[int] = field(default_factory=set)
    """Where days begin with their names and go without their month or year."""

    @classmethod
    def of(cls, layout: Layout, births: Collection[date] = ()) -> Captions:
        """The labels of a page; `births` are the birth dates in its numbers, which tell how it writes dates."""
        folded = layout.folded
        found = list(moments.LABEL.finditer(folded))
        every = moments.dates_in(folded, month_first=moments.puts_month_first(folded), ranges=True)
        short = moments.short_dates_in(folded, births)
        days, times = parted.in_columns_of_parts(layout)
        parts = [*parted.over_their_years(layout), *days, *parted.in_named_parts(layout)]
        named = list(weeks.days_named(layout, every))
        parts += named
        if not (parts or short) and _are_births(every, births):
            parts = list(parted.days_of_year(layout))
        every = sorted({*every, *short, *parts}) if short or parts else every
        dates = [match for match in every if not moments.ends_range(folded, match.start, match.end)]
        if len(dates) < len(every):
            stays = moments.stays_in(folded)
            dates = sorted([*stays, *(match for match in dates if match.start not in {stay.start for stay in stays})])
        times += [] if times else parted.in_an_agenda(layout)
        captions = cls(
            layout, [], dates, sorted([*moments.times_in(folded), *times]), [], [], [match.value for match in every]
        )
        if folded.count(_SEPARATOR) > _HEAD_CELLS:
            captions._fields = dict(_separated(layout))
        captions._named_days = {match.start for match in named}
        captions._range_ends = [match.end for match in every if match not in dates]
        captions._group(found)
        return captions

    def dates(self) -> list[Mark[date]]:
        """All clearly written dates in reading order, with the kind of each."""
        marks: list[Mark[date]] = []
        previous = 0
        for match in self.found_dates:
            heads = match.start in self._named_days and self.layout.cell(match.start) == match[:2]
            name = _NO_NAME if heads else self._name(match.start, previous)
            if name.end and self._has_its_time(name.end, match.start):
                name = _NO_NAME
            kind = name.kind or self._row_kind(match, previous, marks)
            if kind in ("other", "time") and self._heads(name, kind, match.start):
                kind = ""
            if not kind and _STAMP_BEHIND.match(self.layout.folded, match.end):
                kind = "other"
            if kind == "other" and name.end and _PARTED.search(self._behind(name, match.start)):
                kind = ""
            is_named = match.start in self._named_days or moments.follows_day_name(self.layout.folded, match.start)
            if kind in ("", "plain", "time") and is_named:
                kind = "visit"
            previous = match.end
            caption = UNKNOWN if not kind and name.caption < 0 and self._is_said_else(match.start) else name.caption
            if kind == "time":
                kind = "visit" if _VISIT.search(self.words(caption)) else "plain"
            marks.append(self._mark(*match, kind, caption))
        self._born = {mark.value for mark in marks if mark.kind == "birth"}
        return marks

    def box(self, number: int) -> Box:
        """Where a caption stands."""
        box = self._boxes.get(number)
        if box is None:
            box = self._boxes[number] = self.layout.box(*self.captions[number][1:3])
        return box

    def words(self, number: int) -> str:
        """What a caption says, in lower case; nothing for none."""
        return self.layout.folded[slice(*self.captions[number][1:3])] if number >= 0 else ""

    def asks_for(self, mark: Mark[Value], kind: str) -> bool:
        """Whether a moment stands right behind a caption of this kind, in its row: "Visite : 15 octobre 2025"."""
        return mark.kind == kind and mark.caption >= 0 and self.captions[mark.caption].row == mark.row

    def fields(self, kinds: Container[str]) -> Iterator[tuple[str, int]]:
        """The words and the number of each caption that begins its cell or ends in a colon, as those of a form do."""
        for number, (kind, start, end, _, _) in enumerate(self.captions):
            if kind in kinds:
                colon = self.layout.folded[end : end + 2].strip()[:1] == ":"
                if colon or self.layout.cell(start)[0] == start:
                    yield self.layout.folded[start:end], number

    def _has_its_time(self, end: int, offset: int) -> bool:
        """Whether a label that ends at `end` has a time, and what stands at `offset` words of its own in another cell:
        "Vu à 07:10", and beside it "Hép. B 2022-08-16".
        """
        start = self.layout.cell(offset)[0]
        if end > start or not self._has_other_words(offset):
            return False
        at = bisect_left(self.found_times, (end,))
        return at < len(self.found_times) and self.found_times[at].end <= start

    def _is_said_else(self, offset: int) -> bool:
        """Whether a short cell says with words before `offset` what stands there: "Hép. B"."""
        start, end = self.layout.cell(offset)
        return end - start <= _LONGEST_HEAD and self._has_other_words(offset)

    def _has_other_words(self, offset: int) -> bool:
        """Whether words stand before `offset` in its cell, other than names of days."""
        before = self.layout.folded[self.layout.cell(offset)[0] : offset]
        return any(map(str.isalpha, before)) and not moments.only_names_of_days(before)

    def _of_no_birth(self) -> list[date]:
        """The dates of the page that a visit's may be near to: a birth date says nothing of when people are seen."""
        return [day for day in self.every_day if day not in self._born]

    def _slips(self) -> list[DateMatch]:
        """Everything that could be a date with a slip, where none is clearly written."""
        if self._slipped is None:
            known = {match[:2] for match in self.found_dates}
            self._slipped = list(slips.dates_in(self.layout.plain, near=self._of_no_birth(), known=known))
        return self._slipped

    def _heads(self, name: _Label, kind: str, offset: int) -> bool:
        """Whether what a header names has a line to itself, and so heads what follows.

        "Liste de rappel" far above names no day of the list, nor does the column of hours that ended there.
        """
        if name.end or name.caption < 0:
            return False
        row = self.layout.row_at(offset)
        alone = self.layout.cell(offset) == self.layout.rows[row][:2]
        caption = self.captions[name.caption]
        named = moments.follows_day_name(self.layout.folded, offset) and self._is_said_on(caption)
        return alone and (kind == "time" or named or row - caption.row > _CAPTION_ROWS)

    def _is_said_on(self, caption: Caption) -> bool:
        """Whether a caption's line goes on, as that of a title does: "Liste de rappel - Ergothérapie"."""
        behind = self.layout.folded[caption.end : self.layout.rows[caption.row].end].lstrip(ascii_lowercase)
        return any(map(str.isalpha, behind))

    def _row_kind(self, match: DateMatch, previous: int, marks: Sequence[Mark[date]]) -> str:
        """The kind of the date right before: one label at the head of a row names all that stands in it."""
        if not marks or not self.layout.folded[previous : match.start].isspace():
            return ""
        return marks[-1].kind if marks[-1].row == self.layout.row_at(match.start) else ""

    def times(self, rows: Collection[int]) -> list[Mark[time]]:
        """The clearly written times in `rows` that may be visits, in reading order."""
        if self._named_times is None:
            self._named_times = self._name_times()
        return [mark for mark in self._named_times if mark.row in rows]

    def _name_times(self) -> list[Mark[time]]:
        """All clearly written times that may be visits, in reading order, with the kind of each."""
        marks = []
        previous = 0
        steps = self._steps()
        for match in self._every_time():
            row = self.layout.row_at(match.start)
            if self._ends_range(previous, match.start) or match.start in steps.later:
                previous = match.end
                continue
            day = self._date_before(match.start)
            shared = day is not None and self._is_close(day.end, match.start)
            until = day.start if day and shared else match.start
            name = self._name(until, previous if day is None or shared else max(previous, day.end))
            if shared and not name.end and name.kind != "time":
                # Two columns may be read as one cell: each has its own header.
                own = self._header(row, self.layout.box(match.start, match.start + 1))
                name = own if own.kind == "time" and self._are_beside(own.caption, name.caption) else name
            if match.start in steps.first and name.kind not in ("time", "visit"):
                name = _ARRIVAL
            previous = match.end
            stamped = shared and _STAMP_BEHIND.match(self.layout.folded, match.end)
            if name.kind not in ("birth", "other") and not stamped:
                marks.append(self._mark(*match, name.kind, name.caption))
        if any(mark.kind in ("time", "visit") and self.heads_column(mark.caption) for mark in marks):
            # Beside a column of the visits' times, one with another head has others.
            return [mark for mark in marks if mark.caption != UNKNOWN]
        return marks

    def _are_beside(self, number: int, other: int) -> bool:
        """Whether a caption stands in the row of another one, if there is another one."""
        return other < 0 or self.captions[number].row == self.captions[other].row

    def heads_column(self, number: int) -> bool:
        """Whether a caption heads what stands below it."""
        return number >= 0 and self.captions[number].header

    def _every_time(self) -> list[TimeMatch]:
        """All clearly written times."""
        if self._all_times is None:
            self._all_times = sorted([*self.found_times, *self._bare(), *self._down_columns()])
        return self._all_times

    def _steps(self) -> Steps:
        """Which of them are steps of a visit."""
        if self._told is None:
            self._told = Steps.of(self.layout, self._every_time())
        return self._told

    def _ends_range(self, previous: int, start: int) -> bool:
        """Whether a time is the end of "8 h 30 à 9 h", or stands behind the end of a range of days."""
        behind = any(self._is_close(end, start) for end in self._range_ends)
        return behind or bool(previous and _RANGE_BETWEEN.fullmatch(self.layout.folded, previous, start))

    def slipped_dates(self, known: Sequence[Mark[date]]) -> list[Mark[date]]:
        """Dates with a slip, half-written ones and ditto marks, where a label or a column of dates expects one."""
        near = self._of_no_birth()
        matches = list(self._slips())
        taken = sorted(match[:2] for match in (*self.found_dates, *matches))
        rest = slips.days_without_year_in(self.layout.plain, near=near)
        matches += [match for match in rest if not slips.is_taken(taken, match.start, match.end)]
        marks = self._expected(matches, [match[:2] for match in self.found_dates], {"plain", "visit"}, known)
        for match in slips.days_of_week_in(self.layout.plain, near=near):
            name = self._name(match.start, 0)
            if name.kind not in ("birth", "other"):
                marks.append(self._mark(*match, "visit", name.caption))
        return self._with_dittos([*known, *marks])[len(known) :]

    def slipped_headings(self) -> list[Mark[date]]:
        """Dates with a slip that stand alone in a cell: what heads a section is seldom labelled."""
        spans = {match.start for match in self.found_dates}
        marks = []
        for match in self._slips():
            if match.start in spans:
                continue
            start, end = self.layout.cell(match.start)
            around = self.layout.folded[start : match.start] + " " + self.layout.folded[match.end : end]
            if moments.says_no_more(around):
                marks.append(self._mark(*match, "", -1))
        return marks

    def slipped_above(self, row: int) -> list[Mark[date]]:
        """The date with a slip above a row, where there is one only: what a hand wrote at the head of a page."""
        marks = []
        for match in self._slips():
            if self.layout.row_at(match.start) < row:
                name = self._name(match.start, 0)
                if name.kind not in ("birth", "other"):
                    marks.append(self._mark(*match, name.kind, name.caption))
        return marks if len({mark.value for mark in marks}) == 1 else []

    def slipped_clocks(self) -> list[TimeMatch]:
        """Everything that could be a time with a slip, wherever it stands."""
        taken = sorted(match[:2] for match in (*self.found_times, *self.found_dates))
        return list(slips.times_in(self.layout.plain, beside=taken))

    def unnamed_times(self, extra: Iterable[TimeMatch] = ()) -> list[TimeMatch]:
        """The times, and `extra` ones, that begin their cell without a label before them, as hours of an agenda do."""
        times = []
        every = [match for match in self.found_times if match.start not in self._steps().later]
        for match in sorted([*every, *extra]):
            start, row = self.layout.cell(match.start)[0], self.layout.row_at(match.start)
            at = bisect_left(self.found, (match.start,)) - 1
            named = at >= 0 and self.found[at].start >= self.layout.rows[row].start
            if named and moments.only_small_words(self._behind(self.found[at], match.start)):
                continue
            if not any(map(str.isalnum, self.layout.folded[start : match.start])):
                times.append(match)
        return times

    def periods(self) -> list[Mark[time]]:
        """The times that head what stands below them: "Plage de 13 h", alone in a line."""
        marks = []
        for found in moments.PERIOD.finditer(self.layout.folded):
            at = bisect_left(self.found_times, (found.end(),))
            if at < len(self.found_times) and self.found_times[at].start == found.end():
                marks.append(self._mark(*self.found_times[at], "time", -1))
        return marks

    def is_other(self, row: int, box: Box) -> bool:
        """Whether a header says that what stands in the column of `box` is no visit's."""
        return self._header(row, box).kind in ("birth", "other")

    def slipped_times(self, known: Sequence[Mark[time]]) -> list[Mark[time]]:
        """Times with a slip and ditto marks, where a label or a column of times expects one."""
        taken = (*self.found_times, *self.found_dates, *slips.boxed_dates_in(self.layout.plain))
        spans = [match[:2] for match in taken]
        marks = self._expected(slips.times_in(self.layout.plain, beside=sorted(spans)), spans, {"time"}, known)
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
            if slips.is_taken(ordered, start, end):
                continue
            at = bisect_left(ordered, (end, 0))
            cell = self.layout.plain[self.layout.cell(start)[0] : start]
            begins = not any(map(str.isalnum, cell))
            name = self._name(start, ordered[at - 1][1] if at else 0, near=True, header=begins)
            box = self.layout.box(start, end)
            if name.kind in kinds or (begins and not name.kind and _column(edges, box.x0) >= _COLUMN):
                marks.append(Mark(value, name.kind, self.layout.row_at(start), box, name.caption))
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

    def _mark(self, start: int, end: int, value: Value, kind: str, caption: int) -> Mark[Value]:
        return Mark(value, kind, self.layout.row_at(start), self.layout.box(start, end), caption)

    def _date_before(self, offset: int) -> DateMatch | None:
        at = bisect_right(self.found_dates, offset, key=_end)
        return self.found_dates[at - 1] if at else None

    def _is_close(self, end: int, start: int) -> bool:
        """Whether what ends at `end` and what starts at `start` are said in one breath: in one cell, side by side, or
        broken where a line of prose ends.
        """
        if not 0 <= start - end <= _TIME_AFTER_DATE:
            return False
        between = self.layout.folded[end:start]
        return "\t" not in between and ("\n" not in between or _GOES_ON.fullmatch(between) is not None)

    def _name(self, offset: int, previous: int, *, near: bool = False, header: bool = True) -> _Label:
        """The last label in the row before `offset` and behind `previous`, else that in the column's header.

        With `near`, nothing but small words may stand between the label and `offset`; `header` says whether headers
        count.
        """
        row = self.layout.row_at(offset)
        floor = max(self._sentence_start(row, offset), previous)
        at = bisect_left(self.found, (offset,)) - 1
        known = self._field(row, offset) if row in self._fields else self._ahead(offset)
        if known is not None:
            return known
        if at >= 0 and self.found[at].start >= floor and self._reaches(self.found[at].end, offset):
            if near and not moments.only_small_words(self._behind(self.found[at], offset)):
                return _NO_NAME
            # "Heure du rendez-vous" and "Date de naissance" are named by their last word.
            return self._joined(at) if near else self._of_caption(self.found[at], offset)
        behind_colon = self.layout.folded[max(floor, offset - 4) : offset].rstrip().endswith(":")
        if not header or (behind_colon and _OWN_CAPTION.search(self.layout.folded, floor, offset)):
            return _NO_NAME
        name = self._header(row, self.layout.box(offset, offset + 1))
        is_far = name.caption >= 0 and row - self.captions[name.caption].row > 1
        return _NO_NAME if is_far and self._is_only_below(name.caption, offset) else name

    def _is_only_below(self, number: int, offset: int) -> bool:
        """Whether what stands at `offset` is a phrase with words of its own, and the caption that of some title above.

        Below "Service de santé" the phrase "Toux, écrou le 2025-06-18" is not about a service of that day.
        """
        return not self._is_table_row(self.captions[number].row) and self._has_other_words(offset)

    def _field(self, row: int, offset: int) -> _Label:
        """What the first row of a file says of the field at `offset`."""
        start = self.layout.rows[row].start
        kind = self._fields[row][self.layout.folded.count(_SEPARATOR, start, offset)]
        return _Label(0, 0, kind, -1 if kind else UNKNOWN)

    def _reaches(self, end: int, offset: int) -> bool:
        """Whether a label that ends at `end` may speak for what stands at `offset`: near, in the same sentence, and
        not of a value in its own cell: "Exp. 27-12" before the next one.
        """
        if offset - end > _LABEL_REACH or _NEXT_SENTENCE.search(self.layout.plain, end - 3, offset):
            return False
        own, tab, _ = self.layout.folded[end:offset].partition("\t")
        return not (tab and any(map(str.isdigit, own)))

    def _ahead(self, offset: int) -> _Label | None:
        """The label behind a date that begins a sentence: "Le 3 octobre, madame s'est présentée à l'urgence"."""
        folded = self.layout.folded
        if folded[max(0, offset - 3) : offset] not in ("le ", "on "):
            return None  # As nearly always.
        goes_on = self.layout.cell(offset)[1] - offset > _LONGEST_MOMENT
        if not goes_on or not _FIRST_SAID.search(folded, max(0, offset - 6), offset):
            return None
        at = bisect_left(self.found, (offset,))
        if at == len(self.found) or self.found[at].start - offset > _LABEL_REACH:
            return None
        label = self.found[at]
        row, other = self.layout.row_at(offset), self.layout.row_at(label.start)
        if other - row > 1 or "\t" in folded[offset : label.start]:
            return None
        return None if _NEXT_SENTENCE.search(self.layout.plain, offset, label.start) else label._replace(caption=-1)

    def _of_caption(self, label: _Label, offset: int) -> _Label:
        """The label; it is the caption of a field only where the value follows at once, and not in running text."""
        return label if moments.only_names_of_days(self._behind(label, offset)) else label._replace(caption=-1)

    def _behind(self, label: _Label, offset: int) -> str:
        """What stands between the word of a label and `offset`: a label may be the beginning of a word."""
        return self.layout.folded[label.end : offset].lstrip(ascii_lowercase)

    def _joined(self, at: int) -> _Label:
        """A label together with the one right before it: "Heure de la visite" asks for a time."""
        label, before = self.found[at], self.found[at - 1] if at else None
        if before is not None and label.kind == "visit" and before.kind == "time":
            between = self.layout.folded[before.end : label.start]
            return label._replace(kind="time") if moments.only_small_words(between) else label
        return label

    def _sentence_start(self, row: int, offset: int) -> int:
        """The start of the row, or of the row before where one sentence clearly runs on from it."""
        rows, printed = self.layout.rows, self.layout.printed
        start = rows[row].start
        if not row or "\t" in printed[rows[row - 1].start : offset] or printed[start : start + 1].isupper():
            return start
        close = rows[row].top - rows[row - 1].bottom < rows[row].bottom - rows[row].top
        # Lines of running text begin at one edge.
        edges = self.layout.left(rows[row - 1].start), self.layout.left(start)
        return rows[row - 1].start if close and abs(edges[0] - edges[1]) < _SAME_COLUMN else start

    def _header(self, row: int, box: Box) -> _Label:
        """The nearest header above, in the column of `box`; or below it, where captions stand under their values."""
        beside = self._beside(row, box)
        if beside is not None:
            return beside
        under = self._stand_under()
        if self._columns is None:
            self._columns = [self._head(number) for number in self.headers]
        x, best, nearest = box.x0, -1, (0, 0.0)
        for number, header_row, low, high, x0, left in self._columns:
            rows = header_row - row if under else row - header_row
            if rows > 0 and low <= x <= high:
                distance = (rows, min(abs(x0 - x), abs(left - x)))
                if best < 0 or distance < nearest:
                    best, nearest = number, distance
        if under:
            named = best >= 0 and nearest[0] <= _CAPTION_ROWS
        elif self._has_other_head(best, row, box):
            return _OTHER_HEAD
        else:
            best = best if best >= 0 else self._centred_head(row, box)
            named = best >= 0
        return _Label(0, 0, self.captions[best].kind, best) if named else _NO_NAME

    def _centred_head(self, row: int, box: Box) -> int:
        """The nearest header above that stands over what begins with `box`, though further in; or -1."""
        end = box.x0 + _SHORTEST_MOMENT * box.width
        over = [
            head
            for head in self._columns or ()
            if head.row < row
            and (box.x0 < head.low <= end or abs(self._edges.get(head.number, -1.0) - box.x0) < _SAME_COLUMN)
        ]
        if not over:
            return -1
        nearest = max(over, key=lambda head: (head.row, -head.low)).number
        self._edges.setdefault(nearest, box.x0)
        return nearest

    def _has_other_head(self, number: int, row: int, box: Box) -> bool:
        """Whether a table below the caption `number`, if there is one, has another head over `box`: "Modifié".

        Of several tables the one whose head is nearest counts: a letterhead of three cells is like one.
        """
        if self._tables is None:
            self._tables = sorted(self._table_heads(), reverse=True)
        above = self.captions[number].row if number >= 0 else -1
        for head, cells in self._tables:
            if head <= above:
                return False
            if head < row:
                other = any(cell.is_over(box) for cell in cells)
                return other and (number < 0 or not self._goes_on(self.captions[number], head, box))
        return False

    def _table_heads(self) -> Iterator[tuple[int, Sequence[Box]]]:
        """The rows that head the columns of a table, each with the cells in it that are no captions.

        Such a row has several cells and no figures, and one of them at least is a caption.
        """
        for number in {self.captions[number].row for number in self.headers}:
            row = self.layout.rows[number]
            if not self._is_table_row(number) or any(map(str.isdigit, self.layout.folded[row.start : row.end])):
                continue
            cells = list(self.layout.cells(number))
            named = [label.start for label in self.found if row.start <= label.start < row.end]
            others = [cell for cell in cells if not any(cell[0] <= start < cell[1] for start in named)]
            yield number, [self.layout.box(*cell) for cell in others]

    def _is_table_row(self, row: int) -> bool:
        """Whether a row has as many cells as the head of a table."""
        return self.layout.printed.count("\t", *self.layout.rows[row][:2]) + 1 >= _HEAD_CELLS

    def has_column_of_visits(self) -> bool:
        """Whether a table has a column that is called a visit's, and moments in it."""
        return any(
            caption.kind == "visit"
            and _VISIT.fullmatch(self.words(number))
            and self._is_table_row(caption.row)
            and any(self.layout.box(*match[:2]).is_over(self.box(number)) for match in self._moments_below(caption.row))
            for number, caption in ((number, self.captions[number]) for number in self.headers)
        )

    def _moments_below(self, row: int) -> Iterator[DateMatch | TimeMatch]:
        """The dates and times in the first rows below one."""
        return self._moments_in(row + 1, row + 1 + _CAPTION_ROWS) if row + 1 < len(self.layout.rows) else iter(())

    def _goes_on(self, caption: Caption, head: int, box: Box) -> bool:
        """Whether a caption is the first line of the head in the row below: "Rendez-vous" over "du patient"."""
        start, end = self.layout.cell(caption.start)
        cell = self.layout.box(start, end)
        near = head == caption.row + 1 and (abs(cell.x0 - box.x0) < _SAME_COLUMN or cell.is_over(box))
        return near and end - start <= _LONGEST_HEAD

    def _head(self, number: int) -> _Head:
        """A header with how far its column reaches."""
        box = self.box(number)
        margin, left = 0.5 * box.width, min(box.x0, self._left(number))
        return _Head(number, self.captions[number].row, left - margin, box.x1 + margin, box.x0, left)

    def _left(self, number: int) -> float:
        """Where the cell of a column's header begins, if that is its only caption: "Éval. préop. du"."""
        caption = self.captions[number]
        start, end = self.layout.cell(caption.start)
        if (start, end) == self.layout.rows[caption.row][:2]:
            return 1.0
        others = (self.captions[other] for other in (number - 1, number + 1) if 0 <= other < len(self.captions))
        alone = not any(start <= other.start < end for other in others)
        return self.layout.left(start) if alone and end - start <= _LONGEST_HEAD else 1.0

    def _beside(self, row: int, box: Box) -> _Label | None:
        """The caption right before `box`, though its row is another one: hands do not keep to the line."""
        for number in self.headers:
            caption = self.captions[number]
            if abs(caption.row - row) != 1:
                continue
            at = self.box(number)
            if at.x1 > box.x0:
                continue
            cell = self.layout.cell(caption.start)
            reach = _FAR_BEHIND if self._face(caption.row, cell, row, box) else _BEHIND
            near = -at.height <= box.x0 - self.layout.box(*cell).x1 < reach
            if near and abs(at.middle[1] - box.middle[1]) < _SAME_LINE * max(at.height, box.height):
                return _Label(0, 0, caption.kind, number)
        return None

    def _face(self, caption_row: int, cell: tuple[int, int], row: int, box: Box) -> bool:
        """Whether nothing stands behind the cell of a caption in its row, nor before `box` in its own."""
        first = self.layout.left(self.layout.rows[row].start)
        return cell[1] == self.layout.rows[caption_row].end and first >= box.x0 - _SAME_COLUMN

    def _stand_under(self) -> bool:
        """Whether captions stand under their values on this page: more headers are closer to a moment above than below.

        A table has a moment right below its headers and a form one below each caption; under the last line of a form
        whose captions stand below, there is none.
        """
        if self._under is None:
            votes = [self._side(self.captions[number].row, self.box(number)) for number in self.headers]
            self._under = votes.count(1) > max(1, votes.count(-1))
        return self._under

    def _side(self, header_row: int, header: Box) -> int:
        """1 where the nearest moment over or under a header stands above it, -1 where below, 0 where there is none."""
        first = max(0, header_row - 2)
        middles = [row.middle for row in self.layout.rows[first : header_row + 3]]
        best, side = _CAPTION_HEIGHTS * header.height, 0
        for match in self._moments_in(first, first + len(middles)):
            row = self.layout.row_at(match.start)
            apart = middles[row - first] - middles[header_row - first]
            if row != header_row and abs(apart) < best and self.layout.box(*match[:2]).is_over(header):
                best, side = abs(apart), 1 if apart < 0 else -1
        return side

    def _moments_in(self, first: int, end: int) -> Iterator[DateMatch | TimeMatch]:
        """The dates and times in the rows from `first` to before `end`."""
        start = self.layout.rows[first].start
        stop = self.layout.rows[min(end, len(self.layout.rows)) - 1].end
        for found in (self.found_dates, self.found_times):
            at = bisect_left(found, (start,))
            yield from found[at : bisect_left(found, (stop,))]

    def _group(self, labels: Sequence[re.Match[str]]) -> None:
        """Takes up the labels, and as captions those of them that follow each other closely."""
        number, first = 0, 0
        for label, following in zip_longest(labels, labels[1:]):
            kind, (start, end) = label.lastgroup or "", label.span()
            self.found.append(_Label(start, end, kind, number))
            row = self.layout.row_at(start)
            stop = self.layout.rows[row].end
            if following is not None and following.start() < stop:
                stop = following.start()
                if self._are_joined(end, stop):
                    continue
            kinds = {each.kind for each in self.found[first:]}
            kind = next(kind for kind in _HEADER_KINDS if kind in kinds)
            header = not any(map(str.isdigit, self.layout.folded[end:stop])) and not self._is_prose(start)
            if header:
                self.headers.append(number)
            self.captions.append(Caption(kind, self.found[first].start, end, row, header))
            number, first = number + 1, len(self.found)

    def _is_prose(self, offset: int) -> bool:
        """Whether what stands at `offset` is said in the middle of a sentence, which heads nothing."""
        start, end = self.layout.cell(offset)
        return end - start > _LONGEST_TITLE and offset > start

    def _are_joined(self, end: int, start: int) -> bool:
        """Whether a label that ends at `end` and one that starts at `start` make one caption."""
        between = self.layout.folded[end:start]
        joint = between.translate(_JOINTS)
        return len(between) <= _HEADER_GAP and (not joint or joint.isalpha())

    def _bare(self) -> list[TimeMatch]:
        """Times written 0830: those that a label asks for, right behind a date, that begin a cell below a label, and
        those that run down the side.
        """
        asked = any(label.kind == "time" for label in self.found)
        declared = moments.declares_bare_times(self.layout.folded)
        matches = moments.bare_times_in(self.layout.folded)
        rows = self.layout.rows
        first = [match for match in matches if match.start == rows[self.layout.row_at(match.start)].start]
        side, ranks = _down_the_side(first), _ranks(first)
        times: list[TimeMatch] = []
        for match in matches:
            if match.start in ranks:
                continue
            start, end = self.layout.cell(match.start)
            alone = self.layout.folded[match.end : end][:1] in ("", " ")
            below = asked and alone and start == match.start and self._is_below_times(match.start, match.end)
            named = below or moments.asks_for_time(self.layout.folded, match.start, match.end)
            # Words may stand behind a date's time only where a label on the page asks for times.
            if (
                named
                or match.start in side
                or (declared and alone and self._stands_for_itself(match.start))
                or (alone and (asked or match.end == end) and self._follows_date(match, start))
            ):
                times.append(match)
        return times

    def _down_columns(self) -> Iterator[TimeMatch]:
        """Times with a dot or a space, as hands write them, where a column of them goes on through the day."""
        found = moments.parted_times_in(self.layout.folded)
        if len(found) < _FEWEST_OF_SIDE:
            return
        known = {match.start for match in self.found_times} | {match.start for match in self.found_dates}
        columns: list[list[tuple[float, TimeMatch]]] = []
        for match in found:
            left = self.layout.left(match.start)
            near = (each for each in columns if abs(left - each[-1][0]) < _SAME_HAND)
            column = next(near, None)
            if column is None:
                columns.append([(left, match)])
            elif match.start not in known:
                column.append((left, match))
        for column in columns:
            values = [match.value for _, match in column]
            later = sum(above < below for above, below in pairwise(values))
            if len(values) >= _FEWEST_OF_SIDE and later >= _GOES_UP * (len(values) - 1):
                yield from (match for _, match in column)

    def _stands_for_itself(self, offset: int) -> bool:
        """Whether four digits begin a cell, or stand behind a word or a date, and not within a number."""
        before = self.layout.folded[self.layout.cell(offset)[0] : offset].rstrip()
        day = self._date_before(offset)
        return not before[-1:].isdigit() or (day is not None and self.layout.folded[day.end : offset].isspace())

    def _follows_date(self, match: TimeMatch, cell_start: int) -> bool:
        """Whether four digits stand right behind a date in their cell: "2025-10-03 0830"."""
        day = self._date_before(match.start)
        if day is None or day.start < cell_start:
            return False
        return self.layout.folded[day.end : match.start].isspace()

    def _is_below_times(self, start: int, end: int) -> bool:
        """Whether what begins a cell is of a column with the header of times: above it stands that, or a time."""
        layout = self.layout
        row, box = layout.row_at(start), layout.box(start, end)
        if self._header(row, box).kind != "time":
            return False
        if self._stand_under():
            return True
        for above in range(row - 1, -1, -1):
            for cell in layout.cells(above):
                if layout.box(*cell).is_over(box):
                    text = layout.folded[slice(*cell)]
                    return bool(moments.BEGINS_WITH_TIME.match(text)) or any(
                        self.captions[number].row == above for number in self.headers
                    )
        return False


def _down_the_side(first: Sequence[TimeMatch]) -> set[int]:
    """Where those stand of what begins rows, if all of them are times that go on in steps of five minutes.

    Numbers of rooms go up as well, but by ones and twos.
    """
    values = [match.value for match in first]
    runs = len(set(values)) >= _FEWEST_OF_SIDE and values == sorted(values)
    return {match.start for match in first} if runs and not any(value.minute % 5 for value in values) else set()


def _ranks(first: Sequence[TimeMatch]) -> set[int]:
    """Where the ranks of a list stand, which begin its rows and go up by one: 0001, 0002, 0003."""
    values = [60 * match.value.hour + match.value.minute for match in first]
    steps = sum(below - above == 1 for above, below in pairwise(values))
    return {match.start for match in first} if len(first) >= _FEWEST_OF_SIDE and 2 * steps > len(first) else set()


def _are_births(matches: Iterable[DateMatch], births: Collection[date]) -> bool:
    """Whether all dates are among the births, of which a number does not always tell the century."""
    born = {(birth.year % 100, birth.month, birth.day) for birth in births}
    return all((day.year % 100, day.month, day.day) in born for _, _, day in matches)


def _separated(layout: Layout) -> Iterator[tuple[int, Sequence[str]]]:
    """The rows of a file that somebody printed as it is, each with the kinds of its fields: "debut";"fin"."""
    heads: Sequence[str] = ()
    for number, row in enumerate(layout.rows):
        fields = layout.folded[row.start : row.end].split(_SEPARATOR)
        if len(fields) == len(heads):
            yield number, heads
        elif len(fields) > _HEAD_CELLS and not any(map(str.isdigit, "".join(fields))):
            heads = [_kind_of(each.strip(' "')) for each in fields]


def _kind_of(head: str) -> str:
    """The kind of the label in the head of a field."""
    label = moments.LABEL.search(head + "\n")
    return (label.lastgroup or "") if label else ""


def _end(match: DateMatch) -> int:
    return match.end


def _column(edges: Sequence[float], x: float) -> int:
    """How many of the sorted `edges` stand in the column that starts at `x`."""
    return bisect_right(edges, x + _SAME_COLUMN) - bisect_left(edges, x - _SAME_COLUMN)
