"""The place of one number on a laid-out page. Pure."""

from __future__ import annotations

from typing import NamedTuple

from extraction.layout import Layout
from extraction.page import Box


class Span(NamedTuple):
    """The characters of one number in the layout's text, and their box."""

    start: int
    end: int
    box: Box

    @classmethod
    def inside(cls, layout: Layout, box: Box) -> Span:
        """The characters from the first to the last word with its middle in `box`, or of the word it is cut from.

        None where there is no word.
        """
        inside = [i for i, word in enumerate(layout.words) if box.holds(word.box)] or [
            i for i, word in enumerate(layout.words) if word.box.holds(box)
        ][:1]
        if not inside:
            return cls(0, 0, box)
        last = inside[-1]
        return cls(layout.starts[inside[0]], layout.starts[last] + len(layout.words[last].text), box)
