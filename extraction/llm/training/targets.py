"""Where the values that a model should answer stand on a page whose truth is known. Pure.

A value is what the page prints, character by character, and null where it prints none: that is what the model finder
asks for and what it keeps. So a number is found by its place and by its text, a name by the person's names, a date
and a time by what they mean.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

from extraction import nam
from extraction.corpus.truth import TruthItem
from extraction.finders.location import LOOK_ALIKES, Locator, Span, text_of
from extraction.layout import Layout
from extraction.page import Box
from extraction.visits.moments import bare_times_in, dates_in, puts_month_first, stays_in, times_in

_SAME_PLACE = 0.2
"""The least overlap of a printed number with the box of a true one."""
_BELOW = 1.5
"""How many times as far off a date or time is that stands below its number."""
_ALIKE = 0.7
"""How much of a misread number must be right, 0..1: with less, what was read there is no number any more."""

Spans = tuple[Span, ...]
ToPage = Callable[[Box], Box]


class Target(NamedTuple):
    """One entry of an answer, as the characters of the layout's text; an empty tuple is a value that is not printed."""

    nam: Spans
    name: Spans = ()
    date: Spans = ()
    time: Spans = ()


def targets(layout: Layout, truth: Iterable[TruthItem], *, shown: ToPage = lambda box: box) -> list[Target] | None:
    """The entries for every NAM of `truth`, in reading order; None where one of them was not read at its place.

    `shown` says where a box of the layout lies on the page that the truth was measured on.
    """
    locator = Locator(layout)
    items = list(truth)
    found: list[Target] = []
    taken: set[int] = set()
    for item in items:
        place = _number(locator, item, len(items), taken, shown)
        if not place:
            return None
        taken.add(place[0][0])
        box = Box.around(layout.box(*span) for span in place)
        found.append(Target(place, (), _date(layout, item, box), _time(layout, item, box)))
    numbers = [span for target in found for span in target.nam]
    named = [
        target._replace(name=_name(locator, item, numbers, Box.around(layout.box(*span) for span in target.nam)))
        for item, target in zip(items, found, strict=True)
    ]
    return sorted(named, key=lambda target: target.nam)


def _number(locator: Locator, item: TruthItem, count: int, taken: set[int], shown: ToPage) -> Spans:
    """Where a number stands: by its text, or by its place where it was misread."""
    places = [place for place in locator.places(item.text, at_least=count) if place.start not in taken]
    best = max(places, key=lambda place: shown(place.box).overlap(item.box), default=None)
    if best is not None and shown(best.box).overlap(item.box) >= _SAME_PLACE:
        return best.spans
    inside = tuple(_inside(locator.layout, item.box, shown))
    read = nam.normalise(text_of(locator.layout, inside)).translate(LOOK_ALIKES)
    right = SequenceMatcher(None, read, item.nam.translate(LOOK_ALIKES), autojunk=False).ratio()
    return inside if right >= _ALIKE and inside[0][0] not in taken else ()


def _inside(layout: Layout, box: Box, shown: ToPage) -> Iterator[Span]:
    """The characters that stand in `box`, one span a row."""
    for row in layout.rows:
        inside = [
            offset
            for offset in range(row.start, row.end)
            if not layout.printed[offset].isspace() and box.holds(shown(layout.box(offset, offset + 1)))
        ]
        if inside:
            yield inside[0], inside[-1] + 1


def _name(locator: Locator, item: TruthItem, numbers: Sequence[Span], near: Box) -> Spans:
    """The nearest place of the whole name, in either order, in one line if there is such a place.

    The letters of a number may be a surname (AUBE), and are no part of a name.
    """
    if not (item.surname and item.given_name):
        return ()
    orders = (f"{item.surname} {item.given_name}", f"{item.given_name} {item.surname}")
    found = [place for order in orders for place in locator.places(order)]
    found = found or [place for order in orders for place in locator.look_alike_places(order)]
    places = [place for place in found if not _meet(place.spans, numbers)]
    best = min(places, key=lambda place: (len(place.spans), _distance(place.box, near)), default=None)
    return best.spans if best else ()


def _meet(one: Sequence[Span], other: Sequence[Span]) -> bool:
    """Whether some of two texts' spans share a character."""
    return any(start < stop and begin < end for start, end in one for begin, stop in other)


def _date(layout: Layout, item: TruthItem, near: Box) -> Spans:
    if item.date is None:
        return ()
    month_first = puts_month_first(layout.folded)
    matches = [*dates_in(layout.folded, month_first=month_first, ranges=True), *stays_in(layout.folded)]
    return _nearest(layout, near, [(match.start, match.end) for match in matches if match.value == item.date])


def _time(layout: Layout, item: TruthItem, near: Box) -> Spans:
    if item.time is None:
        return ()
    matches = [*times_in(layout.folded), *bare_times_in(layout.folded)]
    return _nearest(layout, near, [(match.start, match.end) for match in matches if match.value == item.time])


def _nearest(layout: Layout, near: Box, spans: Sequence[Span]) -> Spans:
    """The span that belongs to a number: of its row if there is one, else the nearest, rather above it than below.

    They all say the same, so that a heading of the page is taken only where the number's own block says nothing.
    """

    def order(span: Span) -> tuple[bool, float]:
        box = layout.box(*span)
        apart = abs(box.middle[1] - near.middle[1]) > near.height / 2
        return apart, _distance(box, near) * (_BELOW if box.middle[1] > near.middle[1] else 1)

    best = min(spans, key=order, default=None)
    if best is None:
        return ()
    return tuple(_by_row(layout, best))


def _by_row(layout: Layout, span: Span) -> Iterator[Span]:
    """The parts of a span that runs over the end of a line."""
    start, end = span
    while start < end:
        stop = min(end, layout.rows[layout.row_at(start)].end)
        if stop > start:
            yield start, stop
        start = stop + 1


def _distance(one: Box, other: Box) -> float:
    """How far apart two boxes are; a step down the page counts three times a step across it."""
    (x, y), (other_x, other_y) = one.middle, other.middle
    return 3 * abs(y - other_y) + abs(x - other_x)
