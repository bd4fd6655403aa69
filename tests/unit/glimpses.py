"""Second looks made by hand: what a reader would hold possible on a line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from extraction.page import Box, Word
from extraction.readers.glimpse import CHARACTERS, Glimpse


def chances(text: str, doubts: Mapping[int, Mapping[str, float]] | None = None) -> NDArray[np.float32]:
    """Two steps for each character of `text`: itself, then nothing. `doubts` says what else a place may hold."""
    table = np.zeros((2 * len(text), 1 + len(CHARACTERS)), np.float32)
    for place, character in enumerate(text):
        held = (doubts or {}).get(place, {character: 1.0})
        for other, chance in held.items():
            table[2 * place, CHARACTERS.find(other) + 1] = chance
        table[2 * place + 1, 0] = 1
    return table


def glimpse(text: str, box: Box, doubts: Mapping[int, Mapping[str, float]] | None = None) -> Glimpse:
    """A line of one word in `box`."""
    table = chances(text, doubts)
    places = box.x0 + box.width * (np.arange(len(table)) + 0.5) / len(table)
    return Glimpse(box, (Word(text, box, 0.99),), table, places)


def nothing(_: Box) -> Iterator[list[Glimpse]]:
    """A look at blank paper."""
    yield []
