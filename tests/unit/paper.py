"""Pages set by hand: words at places, as a reader would return them."""

from __future__ import annotations

from datetime import date, time

from extraction import visits
from extraction.layout import Layout
from extraction.page import Box, Line, Page, Word

PITCH, HEIGHT = 0.009, 0.012
"""Width of a character and height of a line, in fractions of the page."""


def words(x: float, y: float, text: str, confidence: float = 1.0) -> list[Word]:
    """The words of `text`, set from `x` on at the height `y`, one space apart."""
    placed = []
    for part in text.split():
        placed.append(Word(part, Box(x, y, x + PITCH * len(part), y + HEIGHT), confidence))
        x += PITCH * (len(part) + 0.6)
    return placed


def page(*rows: str, reader: str = "local", confidence: float = 1.0, spacing: float = 0.02) -> Page:
    """A page with these rows; "|" in a row starts the next cell, each 0.2 further to the right. Empty rows are gaps."""
    lines = []
    for number, row in enumerate(rows):
        placed = []
        for column, cell in enumerate(row.split("|")):
            placed += words(0.04 + 0.2 * column, 0.05 + spacing * number, cell, confidence)
        if placed:
            lines.append(Line(tuple(placed)))
    return Page(1, 612, 792, tuple(lines), reader)


def page_of(*rows: str) -> Page:
    """A page with one line a row, set more loosely than `page` does.

    Cells are parted by a tab, words by a space, each character 0.01 of the page wide.
    """
    lines = []
    for number, row in enumerate(rows):
        placed, x = [], 0.05
        for cell in row.split("\t"):
            for word in cell.split():
                placed.append(Word(word, Box(x, 0.1 + 0.02 * number, x + 0.01 * len(word), 0.112 + 0.02 * number)))
                x += 0.01 * len(word) + 0.005
            x += 0.1
        lines.append(Line(tuple(placed)))
    return Page(1, 612, 792, tuple(lines), "test")


def box_of(sheet: Page, text: str) -> Box:
    """The box around the first words of the page that read `text`."""
    wanted = text.split()
    every = list(sheet.words)
    for start in range(len(every)):
        if [word.text for word in every[start : start + len(wanted)]] == wanted:
            return Box.around(word.box for word in every[start : start + len(wanted)])
    raise AssertionError("these words are not on the page")


def visit_of(sheet: Page, *numbers: str) -> list[tuple[date | None, time | None]]:
    """The visits of these numbers, which are all that the page has."""
    boxes = [box_of(sheet, number) for number in numbers]
    index = visits.VisitIndex.of(Layout.of(sheet), [(box, None) for box in boxes])
    return [index.visit(box) for box in boxes]


def times_of(sheet: Page, *numbers: str) -> list[time | None]:
    return [clock for _, clock in visit_of(sheet, *numbers)]


def dates_of(sheet: Page, *numbers: str) -> list[date | None]:
    return [day for day, _ in visit_of(sheet, *numbers)]
