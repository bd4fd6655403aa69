"""A second look at a small part of a page: every line in it, with all that each letter may be. Types only."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from extraction.page import Box, Word

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
"""What the columns of `chances` stand for, from the second on; the first is everything else, or nothing."""


class Glimpse(NamedTuple):
    """One printed line as a reader sees it: its words, and how likely each character is at each step along it.

    `chances` is steps × (1 + 36): rows sum to 1, capitals and small letters together, accents left out. `places` are
    the middles of the steps on the page, across, in fractions of its width. `box` goes around the line.
    """

    box: Box
    words: tuple[Word, ...]
    chances: NDArray[np.float32]
    places: NDArray[np.float64]
