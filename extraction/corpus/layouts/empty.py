"""A sheet with nothing on it, as separates two patients in a stack of scans."""

from __future__ import annotations

from extraction.corpus.layouts.sheet import Sheet


def draw(sheet: Sheet) -> None:
    """Nothing: the page is read, and it holds no NAM."""
