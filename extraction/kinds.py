"""How a page came to be: made by a program, scanned, photographed or faxed. Pure.

A guess from what a PDF says of itself. What is looked at costs next to nothing: size, pixels and bits of the pictures
on a page, and how evenly its paper is lit where the page is drawn anyway. docs/quality.md says what is told apart by it
and what is not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from extraction.page import Box

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

COVERED = 0.5
"""Share of a page under pictures from which the page is a picture."""
FAX_DPI = 210
"""Group 3 has 204 dots an inch across (ITU-T T.4), and fax servers store 200: with a tolerance."""
COLOUR_BITS = 24
CAMERAS = (3 / 4, 2 / 3, 9 / 16)
"""Shorter to longer side of what cameras take. Letter paper has 0.773, A4 0.707, legal 0.607."""
LIKE_A_CAMERA = 0.012
UNEVEN = 0.06
"""From so much difference in the light on the paper no lamp of a scanner has lit it: development documents have at most
0.02 where they are scanned or copied, and at least 0.10 where they are photographed."""
MOST_PAGES = 0.9
"""Share of a document's pages that have its kind; else it is mixed."""
BLOCKS, PAPER = 8, 90
"""A page is looked at in so many parts each way; the paper is lighter than so many per cent of a part's points."""


class Kind(StrEnum):
    DIGITAL = "digital"
    SCAN = "scan"
    PHOTO = "photo"
    FAX = "fax"
    MIXED = "mixed"


class Picture(NamedTuple):
    """A picture on a page, larger than an icon: its place, its pixels, its bits a pixel (0: nobody knows)."""

    box: Box
    width: int
    height: int
    bits: int

    @property
    def area(self) -> float:
        return self.box.width * self.box.height


class Look(NamedTuple):
    """A page before it is read: its size in points, its pictures, how many things are drawn on it.

    `unevenness` is that of the light on its paper, 0 to 1; None where the page was not drawn.
    """

    width: float
    height: float
    pictures: tuple[Picture, ...]
    objects: int
    unevenness: float | None = None


def of_page(look: Look | None) -> Kind | None:
    """None for an empty page, or one that nobody looked at."""
    if look is None or not look.objects:
        return None
    if sum(picture.area for picture in look.pictures) < COVERED:
        return Kind.DIGITAL
    if all(picture.bits == 1 for picture in look.pictures):
        return Kind.FAX if _dpi(look) <= FAX_DPI else Kind.SCAN
    return Kind.PHOTO if _is_photo(look) else Kind.SCAN


def of_document(pages: Sequence[Kind]) -> Kind | None:
    """The kind of nearly all of its pages, mixed where there is none, None without any page that has one."""
    if not pages:
        return None
    kind, count = Counter(pages).most_common(1)[0]
    return kind if count >= MOST_PAGES * len(pages) else Kind.MIXED


def unevenness(grey: NDArray[np.uint8]) -> float:
    """By how much of the brightest paper the darkest is darker, 0 to 1, without the tenth at each edge.

    `grey` is the page's image, height × width grey levels. The darkest and the brightest eighth of its parts do not
    count: a table's head may be grey, and a stamp dark.
    """
    import numpy as np

    high, wide = grey.shape
    inner = grey[high // 10 : high - high // 10 : 4, wide // 10 : wide - wide // 10 : 4]
    if min(inner.shape) < BLOCKS:
        return 0.0
    parts = (part for row in np.array_split(inner, BLOCKS) for part in np.array_split(row, BLOCKS, axis=1))
    paper = np.sort([np.percentile(part, PAPER) for part in parts])
    dark, bright = paper[len(paper) // 8], paper[-1 - len(paper) // 8]
    return float((bright - dark) / max(bright, 1.0))


def _is_photo(look: Look) -> bool:
    """Lit as only a room is, or in colour and shaped as cameras take it."""
    if look.unevenness is not None and look.unevenness >= UNEVEN:
        return True
    main = _main(look.pictures)
    ratio = min(main.width, main.height) / max(main.width, main.height, 1)
    return main.bits >= COLOUR_BITS and any(abs(ratio - camera) < LIKE_A_CAMERA for camera in CAMERAS)


def _dpi(look: Look) -> float:
    """Dots an inch of the main picture, in the direction that has fewer."""
    main = _main(look.pictures)
    across = main.width / max(main.box.width * look.width / 72, 0.01)
    down = main.height / max(main.box.height * look.height / 72, 0.01)
    return min(across, down)


def _main(pictures: Iterable[Picture]) -> Picture:
    return max(pictures, key=lambda picture: picture.area)
