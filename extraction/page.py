"""Text with boxes and confidences, as every reader returns it. Pure: no Django, no I/O, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple


class Box(NamedTuple):
    """A rectangle in fractions of the page as it is shown: origin top left, `x0 <= x1`, `y0 <= y1`, all in 0..1."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def width(self) -> float:
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        return self.y1 - self.y0

    @property
    def middle(self) -> tuple[float, float]:
        return (self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2

    def union(self, other: Box) -> Box:
        return Box(min(self.x0, other.x0), min(self.y0, other.y0), max(self.x1, other.x1), max(self.y1, other.y1))

    def overlap(self, other: Box) -> float:
        """Intersection over union, 0..1."""
        ax0, ay0, ax1, ay1 = self
        bx0, by0, bx1, by1 = other
        if ay0 >= by1 or by0 >= ay1 or ax0 >= bx1 or bx0 >= ax1:
            return 0.0  # As nearly all are, and asked for all pairs of a page.
        common = (min(ax1, bx1) - max(ax0, bx0)) * (min(ay1, by1) - max(ay0, by0))
        return common / ((ax1 - ax0) * (ay1 - ay0) + (bx1 - bx0) * (by1 - by0) - common)

    def inside(self, part: Box) -> Box:
        """Where this box lies on the page, if it was measured in fractions of a part of it."""
        x, y, width, height = part.x0, part.y0, part.width, part.height
        return Box(x + self.x0 * width, y + self.y0 * height, x + self.x1 * width, y + self.y1 * height)

    def holds(self, other: Box) -> bool:
        """Whether the middle of another box lies in this one."""
        x, y = other.middle
        return self.x0 <= x <= self.x1 and self.y0 <= y <= self.y1

    def is_over(self, other: Box) -> bool:
        """Whether one of two boxes stands over the other: they share a third of the narrower one's width."""
        shared = min(self.x1, other.x1) - max(self.x0, other.x0)
        return 3 * shared > min(self.x1 - self.x0, other.x1 - other.x0)

    def turned(self, quarters: int) -> Box:
        """Where this box lies once its page was turned by quarters against the clock."""
        box = self
        for _ in range(quarters % 4):
            box = Box(box.y0, 1 - box.x1, box.y1, 1 - box.x0)
        return box

    def grown(self, dx: float, dy: float) -> Box:
        """This box with a margin, cut at the page's edges."""
        return Box(max(0.0, self.x0 - dx), max(0.0, self.y0 - dy), min(1.0, self.x1 + dx), min(1.0, self.y1 + dy))

    @classmethod
    def around(cls, boxes: Iterable[Box]) -> Box:
        """The smallest box that holds all of `boxes`. Raises ValueError if there is none."""
        remaining = iter(boxes)
        first = next(remaining, None)
        if first is None:
            raise ValueError("no box to go around")
        x0, y0, x1, y1 = first
        # Two or three boxes as a rule: comparing is faster than min and max.
        for left, top, right, bottom in remaining:
            x0 = left if left < x0 else x0
            y0 = top if top < y0 else y0
            x1 = right if right > x1 else x1
            y1 = bottom if bottom > y1 else y1
        return cls(x0, y0, x1, y1)


class Word(NamedTuple):
    """What stands between two gaps. `confidence` is the reader's own, 0..1; a text layer says 1."""

    text: str
    box: Box
    confidence: float = 1.0


class Line(NamedTuple):
    """Words of one printed line, left to right."""

    words: tuple[Word, ...]

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)

    @property
    def box(self) -> Box:
        return Box.around(word.box for word in self.words)


@dataclass(frozen=True, slots=True)
class Page:
    """One page as read. `number` counts from 1; `width` and `height` are PDF points as shown (after /Rotate).

    Lines stand in reading order. A page that was read and holds nothing has no lines; a page that could not be read
    is never a Page (readers raise), so that "nothing there" and "nothing seen" cannot be confused. `warnings` are codes
    of what a person is to be told about the page (`extraction.injection`).
    """

    number: int
    width: float
    height: float
    lines: tuple[Line, ...]
    reader: str
    warnings: tuple[str, ...] = ()

    @property
    def is_typed(self) -> bool:
        """Whether its characters are those that somebody typed: a text layer's, which no reader had to recognise."""
        return self.reader == "text_layer"

    @property
    def words(self) -> Iterator[Word]:
        return (word for line in self.lines for word in line.words)

    @property
    def text(self) -> str:
        return "\n".join(line.text for line in self.lines)

    def turned(self, quarters: int) -> Page:
        """This page turned by quarters against the clock, with its words in the same order."""
        width, height = (self.height, self.width) if quarters % 2 else (self.width, self.height)
        lines = tuple(Line(tuple(w._replace(box=w.box.turned(quarters)) for w in line.words)) for line in self.lines)
        return Page(self.number, width, height, lines, self.reader, self.warnings)

    def to_json(self) -> dict[str, Any]:
        """A compact JSON-ready form; boxes keep five decimals (a fiftieth of a pixel at 200 dpi)."""
        warnings = {"warnings": list(self.warnings)} if self.warnings else {}
        return warnings | {
            "number": self.number,
            "width": self.width,
            "height": self.height,
            "reader": self.reader,
            "lines": [
                [[w.text, *(round(side, 5) for side in w.box), round(w.confidence, 4)] for w in line.words]
                for line in self.lines
            ],
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Page:
        """The inverse of `to_json`."""
        return cls(
            number=data["number"],
            width=data["width"],
            height=data["height"],
            reader=data["reader"],
            lines=tuple(Line(tuple(Word(w[0], Box(*w[1:5]), w[5]) for w in words)) for words in data["lines"]),
            warnings=tuple(data.get("warnings", ())),
        )
