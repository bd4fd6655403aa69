"""What an answer about a page may say: the page's own numbers, dates and times. Pure.

A small model that copies twelve characters gets one in ten wrong: it writes DESCO for DESO, or begins a number with the
end of the one before. Held to a list of what the page prints, it can only choose, and what it never saw it cannot say.
Everything that has roughly a number's shape is on the list, whatever the page calls it: telling numbers from what looks
like them is the model's part. What it says is traced back to the page all the same (`finders.model`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from extraction import nam
from extraction.finders import pattern
from extraction.finders.repair import LETTERS
from extraction.layout import Layout
from extraction.llm.prompts import visible
from extraction.visits.moments import bare_times_in, dates_in, puts_month_first, stays_in, times_in

_RUN = re.compile(r"[a-z]+|[0-9]+")
_FARTHEST = 3
"""Characters between two groups of a number."""
_FEWEST_LETTERS, _FEWEST_DIGITS = 2, 5
"""Among the first four and the last eight characters; the others may be misread."""
_REST = re.compile("[0-9oqdilszbga]{6}[0-9a-z][0-9oqdilszbga]")
"""Digits, or what readers make of them; the sequence character may be a letter."""


@dataclass(frozen=True, slots=True)
class Choices:
    """The numbers, dates and times of a page as an answer writes them, each once."""

    numbers: tuple[str, ...]
    dates: tuple[str, ...]
    times: tuple[str, ...]

    @classmethod
    def of(cls, layout: Layout) -> Choices:
        folded = layout.folded
        dates = [*dates_in(folded, month_first=puts_month_first(folded), ranges=True), *stays_in(folded)]
        times = [*times_in(folded), *bare_times_in(folded)]
        return cls(
            _once((*_written(layout, spans_in(folded)), *(shape.text for shape in pattern.shapes(layout)))),
            _once(_written(layout, ((found.start, found.end) for found in dates))),
            _once(_written(layout, ((found.start, found.end) for found in times))),
        )


def spans_in(folded: str) -> Iterator[tuple[int, int]]:
    """Twelve letters and digits of a row that may be a number's, in whatever groups, begun where their kind changes."""
    runs = [found.span() for found in _RUN.finditer(folded)]
    for first, (start, end) in enumerate(runs):
        glyphs = folded[start:end]
        for begin, stop in runs[first + 1 :]:
            if len(glyphs) >= nam.LENGTH or begin - end > _FARTHEST or "\n" in folded[end:begin]:
                break
            glyphs += folded[begin:stop]
            end = stop  # noqa: PLW2901 - the span grows with its characters
        if len(glyphs) == nam.LENGTH and _is_like(glyphs):
            yield start, end


def _is_like(glyphs: str) -> bool:
    letters, rest = glyphs[:LETTERS], glyphs[LETTERS:]
    enough = sum(map(str.isalpha, letters)) >= _FEWEST_LETTERS and sum(map(str.isdecimal, rest)) >= _FEWEST_DIGITS
    return enough and _REST.fullmatch(rest) is not None


def _written(layout: Layout, spans: Iterable[tuple[int, int]]) -> Iterator[str]:
    return (layout.printed[start:end] for start, end in spans)


def _once(texts: Iterable[str]) -> tuple[str, ...]:
    """The texts as the model sees them, with one space for every gap."""
    shown = (visible(" ".join(text.split())) for text in texts)
    return tuple(dict.fromkeys(text for text in shown if text))
