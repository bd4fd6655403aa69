"""Lists in columns and running text, set to fit the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from extraction.corpus.layouts.sheet import Sheet
from extraction.page import Box

LEFT, RIGHT = 36.0, 576.0
GAP, LEAST, SMALLEST = 9.0, 64.0, 6.0
"""Points between columns, of the narrowest column that may be cut, and of the smallest print."""

Rules = Literal["none", "rows", "cells", "shades"]


class Column(NamedTuple):
    """One column of a list: its heading, its values from the top, and how they are set.

    `cuttable` values end in "…" where the page is too narrow; `figures` sets them in the face of the numbers.
    A `joined` column stands close behind the one before it.
    """

    heading: str
    values: Sequence[str]
    align: str = "left"
    cuttable: bool = False
    figures: bool = False
    joined: bool = False


def draw_columns(
    sheet: Sheet, columns: Sequence[Column], *, top: float, row: float, size: float = 8.5, rules: Rules = "rows"
) -> list[list[Box]]:
    """Set the columns side by side over the whole page, headings on the baseline `top`, one value every `row` points.

    Gives the boxes of the values of each column.
    """
    widths = _widths(sheet, columns, size)
    while sum(widths) + GAP * (len(columns) - 1) > RIGHT - LEFT and size > SMALLEST:
        size -= 0.25
        widths = _widths(sheet, columns, size)
    gaps = _gaps(columns, RIGHT - LEFT - sum(widths))
    lefts = [LEFT + sum(widths[:place]) + sum(gaps[:place]) for place in range(len(columns))]
    rows = max(len(column.values) for column in columns)
    _rule(
        sheet, [left - gap / 2 for left, gap in zip(lefts[1:], gaps, strict=True)], top, row=row, rows=rows, rules=rules
    )
    boxes = []
    for column, left, width in zip(columns, lefts, widths, strict=True):
        x = left + {"left": 0.0, "centre": width / 2, "right": width}[column.align]
        sheet.bold(x, top, column.heading, size - 0.5, align=column.align)
        font = _font(sheet, column)
        fitted = [sheet.fit(words, size, width + 0.1, font=font) for words in column.values]
        boxes.append(
            [
                sheet.text(x, top + row * place, words, size, font=font, align=column.align)
                for place, words in enumerate(fitted, 1)
            ]
        )
    return boxes


def _gaps(columns: Sequence[Column], room: float) -> list[float]:
    """The space behind each column but the last: as much as there is, and no more than GAP before a joined one."""
    joined = [column.joined for column in columns[1:]]
    free = joined.count(False)
    wide = (room - GAP * joined.count(True)) / free if free else GAP
    return [GAP if close else wide for close in joined]


def _font(sheet: Sheet, column: Column) -> str:
    return sheet.setting.face.figures if column.figures else sheet.setting.face.regular


def _widths(sheet: Sheet, columns: Sequence[Column], size: float) -> list[float]:
    """The width of each column: its widest value, or less for those that may be cut where all do not fit."""
    natural = [
        max(
            sheet.width(column.heading, size - 0.5, font=sheet.setting.face.bold),
            *(sheet.width(words, size, font=_font(sheet, column)) for words in column.values),
        )
        for column in columns
    ]
    over = sum(natural) + GAP * (len(columns) - 1) - (RIGHT - LEFT)
    spare = [
        max(0.0, width - LEAST) if column.cuttable else 0.0 for column, width in zip(columns, natural, strict=True)
    ]
    share = min(1.0, max(0.0, over) / (sum(spare) or 1.0))
    return [width - share * give for width, give in zip(natural, spare, strict=True)]


def _rule(sheet: Sheet, between: Sequence[float], top: float, *, row: float, rows: int, rules: Rules) -> None:
    """The lines or shades of a list: under the headings always, and about its rows as `rules` says."""
    sheet.line(LEFT - 4, top + 4, RIGHT + 4, top + 4, 0.8)
    bottom = top + row * rows + 4
    if rules in {"rows", "cells"}:
        for place in range(1, rows + 1):
            sheet.line(LEFT - 4, top + row * place + 4, RIGHT + 4, top + row * place + 4, 0.25)
    if rules == "cells":
        sheet.frame(LEFT - 4, top - 11, RIGHT + 4, bottom, 0.5)
        for x in between:
            sheet.line(x, top - 11, x, bottom, 0.3)
    if rules == "shades":
        for place in range(1, rows + 1, 2):
            sheet.shade(LEFT - 4, top + row * place + 4 - row, RIGHT + 4, top + row * place + 4)


def paragraph(
    sheet: Sheet,
    words: str,
    y: float,
    *,
    x: float = LEFT,
    right: float = RIGHT,
    size: float = 10,
    leading: float = 13.5,
) -> float:
    """Set running text from the baseline `y` down; gives the baseline after the last line.

    Lines break at spaces, and so may the numbers in them.
    """
    line = ""
    for word in words.split(" "):
        longer = f"{line} {word}" if line else word
        if line and x + sheet.width(longer, size) > right:
            sheet.text(x, y, line, size)
            line, y = word, y + leading
        else:
            line = longer
    sheet.text(x, y, line, size)
    return y + leading
