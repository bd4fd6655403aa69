"""Reads page images on this machine: PP-OCRv6 as RapidOCR ships it, on OpenVINO. No network, no download.

Detection finds lines of print on a page reduced to 960 pixels; each is cut out straight, at full resolution, and
recognised by itself: by a quick model first, and the words that it is not sure of by a careful one. That takes a
fraction of the time of RapidOCR's own pipeline, because of that and for five more reasons:

- widths are rounded so that the engine meets few sizes, because it prepares itself anew for each;
- lines of about one width are recognised together, because what a line costs by itself is mostly weights to fetch;
- the recognisers' last layer keeps the Latin letters only, 327 classes of 18,710;
- for the careful model lines are 32 pixels high instead of 48. They stay as wide, because a narrower line has too few
  steps to tell 5555 from 555;
- every core always has a line to work on.

docs/local-ocr.md has the figures, and what else was tried.
"""

from __future__ import annotations

import os
import threading
import unicodedata
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from itertools import chain, pairwise
from pathlib import Path
from statistics import fmean, median
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from extraction.errors import UnreadablePage
from extraction.page import Box, Line, Page, Word
from extraction.readers import outlines
from extraction.readers.combs import Comb, combs
from extraction.readers.glimpse import CHARACTERS, Glimpse
from extraction.readers.lines import join_directions, join_pieces

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]
    Floats = NDArray[np.float32]

NAME = "local"

DETECTION_SIDE = 960  # pixels of the longer side that lines are looked for in
STEP = 8  # pixels of a line that one of its answers stands for
WIDTH_STEP = 16  # line widths are rounded up to this
FEW_WIDTHS = 4  # and wide ones to one of eight from a power of two to the next: each width costs a program of its own
MIN_WIDTH, MAX_WIDTH = 32, 3200
MOST_TOGETHER = 8  # lines that are recognised together
BATCH_WIDTH = 1024  # pixels of width that they have together, unless a single one has more
NARROWEST = 0.5  # of the width of the widest of them is what the narrowest may have
MIN_CONFIDENCE = 0.3  # less is noise taken for print
DOUBTFUL = 0.95  # sureness of its least sure letter below which a word is read again
DOUBTFUL_NUMBER = 0.99  # the same for one with a digit, for no other word says what it must be
SPECKS = 0.004  # of a row of pixels: less ink is dirt
TRIMMED = 32  # rows of a line that the quick model reads where its ink fits into them
MOSTLY = 0.6  # of a line: with more than this in doubt, all of it is read again
HARD = 0.3  # of the width of a page's lines: with more than this in doubt, all of them are read again
MARGIN = 6  # pixels of its neighbours left and right of what is read again
WIDE_GAP = 2.2  # distance between letters, in usual distances, from which they belong to two words
WIDE_SPACE = 1.6  # the same, in usual gaps of the line
TALL = 1.5  # height to width of a box from which its text runs up or down
TOWER = 2  # heights of a usual line from which a tall box may hold a part of a line that is set sideways
WIDE = 4  # width to height from which a box on the turned page holds a line, and no letter
SURE = 0.88  # mean confidence below which a page may be upside down: upright ones have 0.95, others 0.75
BESIDE_THIN = 1.6  # times as wide a gap is needed beside such a letter
THIN = frozenset("1Iil|-:.,;'()/")  # letters with much paper beside them where all are equally wide: gaps count less
TINY = Path(__file__).with_name("models") / "PP-OCRv6_rec_tiny.onnx"
FEWEST_LINES = 4  # of fewer, none can be called taller than usual
STACKED = 1.7  # times as high as most lines is what may hold several
WIDEST_STACK = 5  # times its height: wider print is large, not stacked
LEAST_INK = 0.08  # of a line's most inked row; less is paper
LOWEST_BAND = 0.25  # of the usual height of a line, which a detector draws about twice as high as its print
BESIDE_BAND = 0.15  # of it are left above and below
SAMPLE = 8  # lines that tell which way up a page is
OTHER_SIGNS = "–—‘’“”•…€œŒ°№"
PLAIN = frozenset("éèêëàâçîïôùûüœæÉÈÊËÀÂÇÎÏÔÙÛÜŒÆ«»°" + OTHER_SIGNS)  # other signs beyond ASCII are doubtful


class Size(NamedTuple):
    """How lines are cut out for a recogniser, in pixels, and the paper between two of its letters that parts words."""

    high: int
    wide_as: int  # lines are as wide as if they were so high
    space: float


QUICK = Size(high=48, wide_as=64, space=10)
CAREFUL = Size(high=32, wide_as=48, space=9)


def read(image: Pixels, *, number: int, width: float, height: float) -> Page:
    """The page on `image` (height × width grey levels, or × 3), whatever way up it was scanned.

    `width` and `height` are the page's points as shown. Raises UnreadablePage if there is print and none can be read.
    """
    import cv2

    grey = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)  # noqa: PLR2004 - rows, columns
    grey, quarters, quads = _upright(grey)
    quads, sideways = _apart(grey, quads)
    pieces = _pieces(grey, quads, QUICK, page_width=grey.shape[1])
    texts = _read_quickly(pieces)
    if quarters % 2 == 0 and texts and fmean(text.confidence for text in texts) < SURE and _is_upside_down(pieces):
        grey, quarters, quads = np.rot90(grey, 2), quarters + 2, _engine().detect(np.rot90(grey, 2))
        quads, sideways = _apart(grey, quads)
        pieces = _pieces(grey, quads, QUICK, page_width=grey.shape[1])
        texts = _read_quickly(pieces)
    texts = _read_with_care(pieces, texts)
    lines = _lines(pieces, texts, grey.shape, _slope(quads, grey.shape)) + _read_sideways(sideways, grey.shape)
    if not lines and page_image_has_ink(image):
        raise UnreadablePage("page_unreadable")
    upright = Page(number, height, width, lines, NAME) if quarters % 2 else Page(number, width, height, lines, NAME)
    return upright.turned(-quarters)


def load() -> None:
    """Loads the models, once, so that the first page has not to wait for them. Raises FileNotFoundError."""
    _engine()


def glimpses(image: Pixels, region: Box) -> Iterator[list[Glimpse]]:
    """The lines in one part of a page, looked at again: as it is, then smoothed, then in black and white.

    `image` (height × width grey levels) shows only the part `region` of the page, with print running across it.
    """
    for treat in (np.ascontiguousarray, _smoothed, _black_and_white):
        yield _glimpsed(treat(image), region)


def page_image_has_ink(image: Pixels) -> bool:
    """Whether anything is printed on a page image: more than about one word at 200 dots per inch.

    The outermost 2 % are left out, where scanners leave shadows; specks vanish when the image is reduced.
    """
    import cv2

    grey = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)  # noqa: PLR2004 - rows, columns
    high, wide = grey.shape
    inner = grey[high // 50 : high - high // 50, wide // 50 : wide - wide // 50]
    small = cv2.resize(inner, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    paper = float(np.median(small))
    return bool(np.count_nonzero(np.abs(small - paper) > 50) > 0.0001 * small.size)  # noqa: PLR2004 - grey levels


# A second look


def _glimpsed(grey: Pixels, region: Box) -> list[Glimpse]:
    pieces = _pieces(grey, _engine().detect(grey), CAREFUL, page_width=grey.shape[1] / max(region.width, 0.01))
    seen = _engine().careful.chances([piece.pixels for piece in pieces])
    return [_glimpse(piece, chances, grey.shape, region) for piece, chances in zip(pieces, seen, strict=True)]


def _glimpse(piece: Piece, chances: Floats, shape: tuple[int, ...], region: Box) -> Glimpse:
    engine = _engine()
    high, width = piece.pixels.shape
    words = _words(piece, engine.careful.decoded(chances, width), shape)
    placed = tuple(word._replace(box=word.box.inside(region)) for word in words)
    middles = np.stack([(np.arange(len(chances)) + 0.5) * STEP, np.full(len(chances), high / 2), np.ones(len(chances))])
    places = region.x0 + region.width * (piece.to_page @ middles)[0] / shape[1]
    box = _on_page(piece, (0.0, 0.0, float(width), float(high)), shape).inside(region)
    return Glimpse(box, placed, chances @ engine.characters, places)


def _smoothed(grey: Pixels) -> Pixels:
    import cv2

    return np.asarray(cv2.GaussianBlur(cv2.medianBlur(grey, 3), (0, 0), 1.0), np.uint8)


def _black_and_white(grey: Pixels) -> Pixels:
    import cv2

    _, parted = cv2.threshold(cv2.GaussianBlur(grey, (0, 0), 0.8), 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    return np.asarray(cv2.GaussianBlur(parted, (0, 0), 0.8), np.uint8)


# From the page to straight lines of print


class Piece(NamedTuple):
    """A line cut out of the page at some size, the matrix that takes its pixels' places back to the page, its ink."""

    pixels: Pixels
    size: Size
    to_page: NDArray[np.float64]
    ink: NDArray[np.bool_]

    @classmethod
    def of(cls, pixels: Any, size: Size, to_page: NDArray[np.float64]) -> Piece:
        line = np.asarray(pixels, np.uint8)
        return cls(line, size, to_page, _ink(line))


def _upright(grey: Pixels) -> tuple[Pixels, int, NDArray[np.float32]]:
    """The page turned so that its lines run across, the quarter turns against the clock, and its lines' corners."""
    quads = _engine().detect(grey)
    if len(quads) == 0:
        return grey, 0, quads
    across, down = _sizes(quads)
    if np.sum(down[down > TALL * across]) <= np.sum(across[across > TALL * down]):
        return grey, 0, quads
    on_side = np.ascontiguousarray(np.rot90(grey))
    quads = _engine().detect(on_side)
    if not _is_upside_down([_cut(on_side, quad, QUICK) for quad in quads]):
        return on_side, 1, quads
    on_side = np.ascontiguousarray(np.rot90(on_side, 2))
    return on_side, 3, _engine().detect(on_side)


def _apart(grey: Pixels, quads: NDArray[np.float32]) -> tuple[NDArray[np.float32], list[list[Piece]]]:
    """The lines that run across an upright page, and those that are set sideways, cut out both ways: downwards, up.

    The detector sees a line on its side in bits, so that it is asked again of the page turned.
    """
    if len(quads) == 0:
        return quads, []
    across, down = _sizes(quads)
    is_tall = down > TALL * across
    towers = quads[is_tall & (down > TOWER * np.median(down))]
    if not len(towers):
        return quads, []
    turned = np.ascontiguousarray(np.rot90(grey))
    found = _engine().detect(turned)
    across, down = _sizes(found)
    wide = [_turned_back(quad, grey.shape) for quad in found[across > WIDE * down]]
    sideways = [quad for quad in wide if any(_is_inside(tower.mean(axis=0), quad) for tower in towers)]
    level = [quad for quad in quads if not any(_is_inside(quad.mean(axis=0), line) for line in sideways)]
    return np.array(level, np.float32).reshape(-1, 4, 2), [
        [_cut(grey, np.roll(quad, half, axis=0), QUICK) for half in (0, 2)] for quad in sideways
    ]


def _turned_back(quad: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Where the corners of a line lie on a page of this shape that was turned by a quarter against the clock."""
    return np.stack([shape[1] - quad[:, 1], quad[:, 0]], axis=1)


def _is_inside(place: NDArray[np.float32], quad: NDArray[np.float32]) -> bool:
    low, high = quad.min(axis=0), quad.max(axis=0)
    return bool(np.all((low <= place) & (place <= high)))


def _read_sideways(both: Sequence[Sequence[Piece]], shape: tuple[int, ...]) -> tuple[Line, ...]:
    """Lines that are set sideways, each the way that reads better."""
    read: list[tuple[list[Word], int]] = []
    for pieces in both:
        texts = _read_with_care(pieces, _read_quickly(pieces))
        way = max(range(len(pieces)), key=lambda index: texts[index].confidence)
        if texts[way].confidence >= MIN_CONFIDENCE:
            read.append((_words(pieces[way], texts[way], shape), 1 + 2 * way))
    return join_directions(read)


def _sizes(quads: NDArray[np.float32]) -> tuple[Floats, Floats]:
    """The widths and heights of lines, along their own sides."""
    return np.linalg.norm(quads[:, 1] - quads[:, 0], axis=1), np.linalg.norm(quads[:, 3] - quads[:, 0], axis=1)


def _is_upside_down(pieces: Sequence[Piece]) -> bool:
    """Whether the widest lines read better turned by half."""
    widest = sorted((piece.pixels for piece in pieces), key=lambda pixels: -pixels.shape[1])[:SAMPLE]
    if not widest:
        return False
    upright = _engine().quick.recognise(widest)
    over = _engine().quick.recognise([np.ascontiguousarray(pixels[::-1, ::-1]) for pixels in widest])
    return fmean(text.confidence for text in over) > fmean(text.confidence for text in upright)


def _pieces(grey: Pixels, quads: NDArray[np.float32], size: Size, *, page_width: float) -> list[Piece]:
    """Every line of print, and every row of boxes with a letter in each, which are no lines to the detector."""
    rows = list(combs(grey, page_width=page_width))
    quads = _unstacked(grey, quads)
    middles = [quad.mean(axis=0) for quad in quads]
    lines = [
        _cut(grey, quad, size)
        for quad, (x, y) in zip(quads, middles, strict=True)
        if not any(x0 <= x <= x1 and y0 <= y <= y1 for x0, y0, x1, y1 in (row.corners for row in rows))
    ]
    return lines + [_set(row, size) for row in rows]


def _unstacked(grey: Pixels, quads: NDArray[np.float32]) -> NDArray[np.float32]:
    """The lines with those taken apart that are several, set so closely that the detector took them for one."""
    if len(quads) < FEWEST_LINES:
        return quads
    widths, heights = _sizes(quads)
    usual = float(np.median(heights))
    tall = (heights > STACKED * usual) & (widths < WIDEST_STACK * heights)
    lines = [_bands(grey, quad, usual) if is_tall else [quad] for quad, is_tall in zip(quads, tall, strict=True)]
    return np.array(list(chain.from_iterable(lines)), np.float32)


def _bands(grey: Pixels, quad: NDArray[np.float32], usual: float) -> list[NDArray[np.float32]]:
    """The lines of a stack, told apart by the paper between them; all of it where there is none."""
    wide, high = (max(2, round(float(np.linalg.norm(quad[end] - quad[0])))) for end in (1, 3))
    rows = _ink(_flattened(grey, quad, wide, high)[0]).sum(axis=1)
    inked = np.concatenate([[False], rows > LEAST_INK * rows.max(), [False]])
    edges = np.flatnonzero(inked[1:] != inked[:-1]).reshape(-1, 2)
    bands = [(int(top), int(end)) for top, end in edges if end - top >= LOWEST_BAND * usual]
    if len(bands) < 2 or max(end - top for top, end in bands) > STACKED * usual:  # noqa: PLR2004 - one is no stack
        return [quad]
    return [_part(quad, (top - BESIDE_BAND * usual) / high, (end + BESIDE_BAND * usual) / high) for top, end in bands]


def _part(quad: NDArray[np.float32], top: float, end: float) -> NDArray[np.float32]:
    """A line from one height of a quadrangle to another, both in 0..1."""
    left, right = quad[3] - quad[0], quad[2] - quad[1]
    top, end = max(0.0, top), min(1.0, end)
    return np.stack([quad[0] + top * left, quad[1] + top * right, quad[1] + end * right, quad[0] + end * left])


def _set(row: Comb, size: Size) -> Piece:
    """A row of boxes as a straight line; places on it are those of the boxes, about."""
    import cv2

    high, wide = row.pixels.shape
    width = int(np.clip(round(wide * size.wide_as / high), MIN_WIDTH // 2, MAX_WIDTH))
    x0, y0, x1, y1 = row.corners
    to_page = np.array([[(x1 - x0) / width, 0, x0], [0, (y1 - y0) / size.high, y0]])
    pixels = cv2.resize(row.pixels, (width, size.high), interpolation=cv2.INTER_AREA)
    return Piece.of(pixels, size, to_page)


def _cut(grey: Pixels, quad: NDArray[np.float32], size: Size) -> Piece:
    """The line between four corners (top left, top right, bottom right, bottom left), straight and of a size."""
    wide = float(np.linalg.norm(quad[1] - quad[0]))
    high = max(1.0, float(np.linalg.norm(quad[3] - quad[0])))
    width = int(np.clip(round(wide * size.wide_as / high), MIN_WIDTH // 2, MAX_WIDTH))
    pixels, to_page = _flattened(grey, quad, width, size.high)
    return Piece.of(pixels, size, to_page)


def _flattened(grey: Pixels, quad: NDArray[np.float32], wide: int, high: int) -> tuple[Pixels, NDArray[np.float64]]:
    """What stands between four corners as a rectangle of a size, and the matrix that takes its places to the page."""
    import cv2

    corners = np.array([[0, 0], [wide, 0], [0, high]], np.float32)
    to_page = cv2.getAffineTransform(corners, np.ascontiguousarray(quad[[0, 1, 3]], np.float32))
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    flat = cv2.warpAffine(grey, to_page, (wide, high), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(flat, np.uint8), to_page


def _slope(quads: NDArray[np.float32], shape: tuple[int, ...]) -> float:
    """How far lines sink across the page, in fractions: the middle value of all lines that are wide enough to tell."""
    slopes = [
        float((quad[1][1] - quad[0][1]) / shape[0]) / float((quad[1][0] - quad[0][0]) / shape[1])
        for quad in quads
        if quad[1][0] - quad[0][0] > 4 * abs(quad[3][1] - quad[0][1])
    ]
    return median(slopes) if slopes else 0.0


# From straight lines to recognised letters


class Text(NamedTuple):
    """What was recognised on one line: letters, the pixel column of each, how sure each is, and the mean of that."""

    letters: str
    columns: tuple[float, ...]
    sureness: tuple[float, ...]
    confidence: float


class Doubt(NamedTuple):
    """Some letters of one line, and the pixel columns that they stand between."""

    line: int
    first: int
    last: int
    left: int
    right: int


def _read_quickly(pieces: Sequence[Piece]) -> list[Text]:
    return _engine().quick.recognise([_trimmed(piece.pixels, piece.ink) for piece in pieces])


def _read_with_care(pieces: Sequence[Piece], quickly: Sequence[Text]) -> list[Text]:
    """What stands on each line, with the words read again that were in doubt when they were read quickly."""
    texts = list(quickly)
    doubts = [doubt for line, piece in enumerate(pieces) for doubt in _doubts(line, texts[line], _inked(piece.ink))]
    if sum(doubt.right - doubt.left for doubt in doubts) > HARD * sum(piece.pixels.shape[1] for piece in pieces):
        # Hands and bad copies: where so much is in doubt, the quick model is also wrong where it is sure.
        doubts = [
            Doubt(line, 0, len(text.letters), 0, piece.pixels.shape[1])
            for line, (piece, text) in enumerate(zip(pieces, texts, strict=True))
        ]
    parts = [_for_care(pieces[doubt.line].pixels, doubt) for doubt in doubts]
    # From right to left, so that places further left stay true.
    for doubt, again in sorted(zip(doubts, _engine().careful.recognise(parts), strict=True), reverse=True):
        texts[doubt.line] = _mended(texts[doubt.line], doubt, again)
    return texts


def _trimmed(pixels: Pixels, ink: NDArray[np.bool_]) -> Pixels:
    """A line without the paper above and below it, of which a detector leaves as much as the print is high."""
    rows = np.flatnonzero(ink.sum(axis=1) > max(1.0, SPECKS * ink.shape[1]))
    if len(rows) == 0 or rows[-1] - rows[0] > TRIMMED - 3:
        return pixels
    top = min(max(0, int(rows[0] + rows[-1] + 1 - TRIMMED) // 2), len(pixels) - TRIMMED)
    return pixels[top : top + TRIMMED]


def _doubts(line: int, text: Text, inked: bytes) -> list[Doubt]:
    """The words of a line that are to be read again, neighbours together; all of the line where most is in doubt."""
    gaps = [_gap(inked, left, right) for left, right in pairwise(text.columns)]
    spans = _spans(text, gaps, QUICK)
    edges = [0, *_edges(text, spans, inked), len(inked)]
    blank = _blank(gaps, QUICK)
    runs: list[Doubt] = []
    for (first, last), (left, right) in zip(spans, pairwise(edges), strict=False):
        one_word = all(gap.width < blank for gap in gaps[first : last - 1])
        if one_word and _is_sure(text.letters[first:last], min(text.sureness[first:last])):
            continue
        if runs and runs[-1].right == left:
            runs[-1] = runs[-1]._replace(last=last, right=right)
        else:
            runs.append(Doubt(line, first, last, left, right))
    if not spans or sum(run.right - run.left for run in runs) > MOSTLY * len(inked):
        return [Doubt(line, 0, len(text.letters), 0, len(inked))]
    return runs


def _is_sure(word: str, sureness: float) -> bool:
    """Whether a word needs no second reading: all its signs are French, and it is not "1er" misread."""
    enough = DOUBTFUL_NUMBER if any(letter.isdecimal() for letter in word) else DOUBTFUL
    return sureness >= enough and word != "ler" and all(letter.isascii() or letter in PLAIN for letter in word)


def _for_care(pixels: Pixels, doubt: Doubt) -> Pixels:
    """The doubtful part of a line that was cut out for the quick recogniser as the careful one takes it."""
    import cv2

    part = pixels[:, max(0, doubt.left - MARGIN) : doubt.right + MARGIN]
    width = max(MIN_WIDTH // 2, round(part.shape[1] * CAREFUL.wide_as / QUICK.wide_as))
    return np.asarray(cv2.resize(part, (width, CAREFUL.high), interpolation=cv2.INTER_AREA), np.uint8)


def _mended(text: Text, doubt: Doubt, again: Text) -> Text:
    """The line with its doubtful letters as they were read again."""
    start, scale = max(0, doubt.left - MARGIN), QUICK.wide_as / CAREFUL.wide_as
    columns = tuple(start + column * scale for column in again.columns)
    sureness = (*text.sureness[: doubt.first], *again.sureness, *text.sureness[doubt.last :])
    return Text(
        text.letters[: doubt.first] + again.letters + text.letters[doubt.last :],
        (*text.columns[: doubt.first], *columns, *text.columns[doubt.last :]),
        sureness,
        fmean(sureness) if sureness else 0.0,
    )


# From recognised letters to words


def _lines(pieces: Sequence[Piece], texts: Sequence[Text], shape: tuple[int, ...], slope: float) -> tuple[Line, ...]:
    read = [
        _words(piece, text, shape)
        for piece, text in zip(pieces, texts, strict=True)
        if text.confidence >= MIN_CONFIDENCE
    ]
    return join_pieces(read, slope=slope)


def _words(piece: Piece, text: Text, shape: tuple[int, ...]) -> list[Word]:
    """The words of one line, each with its own box drawn around its ink."""
    ink = piece.ink
    inked = _inked(ink)
    spans = _spans(text, [_gap(inked, left, right) for left, right in pairwise(text.columns)], piece.size)
    if not spans:
        return []
    edges = _edges(text, spans, inked)
    words = []
    for (start, end), left, right in zip(spans, [0, *edges], [*edges, ink.shape[1]], strict=True):
        place = _ink_box(ink, left, right)
        confidence = fmean(text.sureness[start:end])
        words.append(Word(text.letters[start:end], _on_page(piece, place, shape), confidence))
    return words


def _spans(text: Text, gaps: Sequence[Gap], size: Size) -> list[tuple[int, int]]:
    """First and last (exclusive) letter of each word: what stands between spaces or wide gaps.

    The recogniser drops a space now and then; the paper between the letters tells better.
    """
    steps = [b - a for a, b in pairwise(text.columns)]
    wide = max(WIDE_GAP * median(steps), size.wide_as) if steps else 0.0
    blank = _blank(gaps, size)
    spans: list[tuple[int, int]] = []
    start = 0
    for index, letter in enumerate(text.letters):
        if letter == " " or (index > start and (steps[index - 1] > wide or _is_blank(text, gaps, index, blank))):
            if index > start:
                spans.append((start, index))
            start = index + 1 if letter == " " else index
    if start < len(text.letters):
        spans.append((start, len(text.letters)))
    return spans


def _blank(gaps: Sequence[Gap], size: Size) -> float:
    """How much paper between two letters parts words, where neither of them is thin."""
    return max(size.space, WIDE_SPACE * median(gap.width for gap in gaps)) if gaps else 0.0


def _is_blank(text: Text, gaps: Sequence[Gap], index: int, blank: float) -> bool:
    """Whether so much paper lies before a letter that another word begins with it."""
    thin = not THIN.isdisjoint(text.letters[index - 1 : index + 1])
    return gaps[index - 1].width >= (BESIDE_THIN * blank if thin else blank)


class Gap(NamedTuple):
    """An inkless stretch between two letters: its middle column and its width, in pixels."""

    middle: int
    width: int


def _edges(text: Text, spans: Sequence[tuple[int, int]], inked: bytes) -> list[int]:
    """The columns where one word ends and the next begins."""
    return [_gap(inked, text.columns[a[1] - 1], text.columns[b[0]]).middle for a, b in pairwise(spans)]


def _gap(inked: bytes, left: float, right: float) -> Gap:
    """The widest inkless stretch between two letters, whose columns are known to a step only."""
    start = int(left)
    stretches = inked[start : max(int(right), start + 1)].split(b"\1")
    width, begin = 0, start
    for stretch in stretches:
        if len(stretch) > width:
            width, first = len(stretch), begin
        begin += len(stretch) + 1
    return Gap(first + width // 2, width) if width else Gap(start, 0)


def _ink(pixels: Pixels) -> NDArray[np.bool_]:
    """Where a line's pixels stand out from its paper by more than half of its contrast."""
    counts = np.bincount(pixels.ravel(), minlength=256)  # All grey levels at once: sorting pixels takes much longer.
    paper = int(np.searchsorted(np.cumsum(counts), pixels.size / 2))
    distance = np.abs(np.arange(256) - paper)
    distances = np.cumsum(np.bincount(distance, weights=counts))
    contrast = int(np.searchsorted(distances, 0.98 * pixels.size))
    return np.asarray((distance > max(20.0, contrast / 2))[pixels])


def _inked(ink: NDArray[np.bool_]) -> bytes:
    """1 for each column of a line with ink in it, 0 for paper."""
    return ink.any(axis=0).tobytes()


def _ink_box(ink: NDArray[np.bool_], left: int, right: int) -> tuple[float, float, float, float]:
    """The box around the ink between two columns; all of it where there is no ink."""
    part = ink[:, left:right]
    rows, columns = np.flatnonzero(part.any(axis=1)), np.flatnonzero(part.any(axis=0))
    if len(rows) == 0 or len(columns) == 0:
        return float(left), 0.0, float(right), float(ink.shape[0])
    return left + float(columns[0]), float(rows[0]), left + float(columns[-1]) + 1, float(rows[-1]) + 1


def _on_page(piece: Piece, place: tuple[float, float, float, float], shape: tuple[int, ...]) -> Box:
    x0, y0, x1, y1 = place
    corners = np.array([[x0, y0, 1], [x1, y0, 1], [x1, y1, 1], [x0, y1, 1]]) @ piece.to_page.T
    fractions = np.clip(corners / (shape[1], shape[0]), 0, 1)
    (left, top), (right, bottom) = fractions.min(axis=0).tolist(), fractions.max(axis=0).tolist()
    return Box(left, top, right, bottom)


# The models


@dataclass
class Engine:
    """The models, ready to run. Threads may share it: each has inference requests of its own."""

    detector: Any
    quick: Recogniser
    careful: Recogniser
    characters: Floats
    own: threading.local

    def detect(self, grey: Pixels) -> NDArray[np.float32]:
        """The corners of each line of print: lines × 4 × (x, y) in pixels."""
        if not hasattr(self.own, "request"):
            self.own.request = self.detector.create_infer_request()
        self.own.request.infer([_reduced(grey)])
        return outlines.quads(self.own.request.get_output_tensor().data[0, 0], grey.shape)


@dataclass
class Recogniser:
    """One model that reads lines, and the letters that it knows; the first stands for none."""

    model: Any
    letters: tuple[str, ...]
    own: threading.local

    def recognise(self, lines: Sequence[Pixels]) -> list[Text]:
        """What stands on each line image, in the same order."""
        return [self.decoded(chances, line.shape[1]) for chances, line in zip(self.chances(lines), lines, strict=True)]

    def chances(self, lines: Sequence[Pixels]) -> list[Floats]:
        """How likely each of `letters` is at each step of each line image: steps × letters."""
        chances: list[Floats] = [np.empty((0, len(self.letters)), np.float32)] * len(lines)
        requests = self._requests()
        under_way: dict[int, Sequence[int]] = {}

        def collect(slot: int) -> None:
            requests[slot].wait()
            read = requests[slot].get_output_tensor().data
            for index, steps in zip(under_way.pop(slot), read, strict=True):
                chances[index] = steps[: -(-lines[index].shape[1] // STEP)].copy()

        for turn, together in enumerate(_batches([line.shape for line in lines])):
            slot = turn % len(requests)
            if slot in under_way:
                collect(slot)
            requests[slot].start_async([_batch([lines[index] for index in together])])
            under_way[slot] = together
        for slot in list(under_way):
            collect(slot)
        return chances

    def _requests(self) -> Any:
        """This thread's requests, one for each line that is worked on at once.

        They are waited for in turn. A callback would be less code, but its thread needs the interpreter's lock for a
        moment after the last wait has returned: where the requests or the process end in that moment, the process
        hangs or aborts.
        """
        if not hasattr(self.own, "requests"):
            self.own.requests = [self.model.create_infer_request() for _ in range(workers())]
        return self.own.requests

    def decoded(self, chances: Floats, width: int) -> Text:
        """Best letter of each step; repeated and empty steps are dropped (connectionist temporal classification)."""
        best = chances.argmax(axis=1)
        kept = np.flatnonzero((best != 0) & np.concatenate([[True], best[1:] != best[:-1]]))
        letters = "".join(self.letters[index] for index in best[kept])
        sure = chances[kept, best[kept]]
        columns = np.minimum((kept + 0.5) * STEP, width)
        return Text(letters, tuple(columns.tolist()), tuple(sure.tolist()), float(sure.mean()) if len(kept) else 0.0)


def workers() -> int:
    """How many pages, or lines of one page, are worth working on at once."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(4, cores))


def models() -> tuple[Path, Path]:
    """The detection and recognition models inside the installed RapidOCR package. Raises FileNotFoundError."""
    package = find_spec("rapidocr")  # Importing it takes half a second, and nothing but its models is needed.
    folder = Path(package.origin if package and package.origin else "").parent / "models"
    found = folder / "PP-OCRv6_det_small.onnx", folder / "PP-OCRv6_rec_small.onnx"
    for path in found:
        if not path.is_file():
            raise FileNotFoundError("the installed rapidocr package has no PP-OCRv6 models")
    return found


_starting = threading.Lock()


def _engine() -> Engine:
    with _starting:  # Two threads with a page each would load everything twice.
        return _loaded()


@cache
def _loaded() -> Engine:
    import cv2
    import openvino

    cv2.setNumThreads(1)
    core = openvino.Core()
    how = {"INFERENCE_NUM_THREADS": workers(), "NUM_STREAMS": workers(), "ENABLE_CPU_PINNING": False}

    def recogniser(model: Any, letters: Sequence[str], high: int | None) -> Recogniser:
        # Class 0 is "no letter here", the last is a space; RapidOCR builds its table the same way.
        adapted, kept = _adapted(model, ["", *letters, " "], high)
        return Recogniser(core.compile_model(adapted, "CPU", how), kept, threading.local())

    def detector(path: Path) -> Any:
        model = core.read_model(path)
        _accept_grey(model, None)
        return core.compile_model(model, "CPU", how)

    def careful(path: Path) -> Recogniser:
        model = core.read_model(path)
        return recogniser(model, model.get_rt_info()["framework"]["character"].value.splitlines(), CAREFUL.high)

    detection, recognition = models()
    # One by itself: OpenVINO's Python layer makes tables of types when it is first asked for one, and two threads that
    # ask then wait for each other for ever, one with the table's lock and one with the interpreter's.
    quick = recogniser(core.read_model(TINY), TINY.with_suffix(".txt").read_text("utf-8").splitlines(), None)
    with ThreadPoolExecutor(2) as pool:  # Pages wait for all of them.
        lines, small = pool.submit(detector, detection), pool.submit(careful, recognition)
        return Engine(lines.result(), quick, small.result(), _characters(small.result().letters), threading.local())


def _adapted(model: Any, classes: Sequence[str], high: int | None) -> tuple[Any, tuple[str, ...]]:
    """A recogniser for grey lines of one height, or any, and Latin letters only, and what its classes stand for."""
    import openvino

    kept = [index for index, letter in enumerate(classes) if _is_wanted(letter)]
    chances = _latin_only(model, kept)
    _accept_any_height(model)
    _accept_grey(model, high)
    adapted = openvino.Model([chances], model.get_parameters(), "recogniser")
    return adapted, tuple(classes[index] for index in kept)


def _accept_grey(model: Any, high: int | None) -> None:
    """Takes grey levels 0..255 in place of three equal channels from -1 to 1: images of one height, or of any."""
    import openvino
    from openvino import opset13 as ops

    old = model.get_parameters()[0]
    (target,) = old.output(0).get_target_inputs()
    first = target.get_node()
    weights = _above(first.input(1).get_source_output().get_node(), "Constant").data.sum(axis=1, keepdims=True)
    grey = ops.parameter(openvino.PartialShape([-1, 1, high or -1, -1]), np.uint8, "grey")
    levels = ops.subtract(ops.divide(ops.convert(grey, np.float32), np.float32(127.5)), np.float32(1))
    target.replace_source_output(levels.output(0))
    first.input(1).replace_source_output(ops.constant(weights).output(0))
    model.add_parameters([grey])
    model.remove_parameter(old)
    model.validate_nodes_and_infer_types()


def _latin_only(model: Any, kept: Sequence[int]) -> Any:
    """A last layer that knows the classes `kept`, in place of the one that knows all."""
    from openvino import opset13 as ops

    softmax = _above(model.output(0).get_node(), "Softmax")
    add = _above(softmax, "Add")
    product = _above(add, "MatMul")
    weights = product.input(1).get_source_output().get_node().data[:, kept].copy()
    bias = add.input(1).get_source_output().get_node().data[kept].copy()
    scores = ops.matmul(product.input(0).get_source_output(), ops.constant(weights), False, False)
    return ops.softmax(ops.add(scores, ops.constant(bias)), -1)


def _accept_any_height(model: Any) -> None:
    """Averages all rows that are left of a line before letters are told apart, where the model counts on three."""
    from openvino import opset13 as ops

    pool = next(node for node in model.get_ordered_ops() if node.get_type_name() == "AvgPool")
    rows = ops.reduce_mean(pool.input(0).get_source_output(), ops.constant(np.array([2])), keep_dims=True)
    pairs = ops.avg_pool(rows, [1, 2], [0, 0], [0, 0], [1, 2], exclude_pad=False)
    for target in list(pool.output(0).get_target_inputs()):
        target.replace_source_output(pairs.output(0))


def _above(node: Any, kind: str) -> Any:
    """The nearest node of a kind that the first input of `node` comes from."""
    while node.get_type_name() != kind:
        node = node.input(0).get_source_output().get_node()
    return node


def _characters(letters: Sequence[str]) -> Floats:
    """Which of a glimpse's characters each letter counts as: letters × (1 + 36), one 1 in each row."""
    plain = [unicodedata.normalize("NFKD", letter)[:1].upper() for letter in letters]
    table = np.zeros((len(letters), 1 + len(CHARACTERS)), np.float32)
    table[range(len(letters)), [CHARACTERS.find(letter) + 1 if letter else 0 for letter in plain]] = 1
    return table


def _is_wanted(letter: str) -> bool:
    latin_extended_a_ends = 0x180
    return letter in ("", *OTHER_SIGNS) or (len(letter) == 1 and ord(letter) < latin_extended_a_ends)


def _reduced(grey: Pixels) -> Pixels:
    """A page as the detector takes it: 1 × 1 × height × width, multiples of 32."""
    import cv2

    scale = min(1.0, DETECTION_SIDE / max(grey.shape))
    high, wide = (max(32, round(side * scale / 32) * 32) for side in grey.shape)
    small = cv2.resize(np.ascontiguousarray(grey), (wide, high), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)[None, None]


def _batches(shapes: Sequence[tuple[int, ...]]) -> list[list[int]]:
    """Which lines a recogniser takes together: one height, about one width, one, two, four or eight of them.

    The widest come first, so that no core is left alone with the widest line at the end.
    """
    left = sorted(range(len(shapes)), key=lambda index: (shapes[index][1], shapes[index][0]), reverse=True)
    batches = []
    while left:
        high, wide = shapes[left[0]]
        width = _padded(wide)
        alike = [index for index in left if shapes[index][0] == high and shapes[index][1] >= NARROWEST * wide]
        most = min(len(alike), MOST_TOGETHER, max(1, BATCH_WIDTH // width))
        batches.append(alike[: 1 << (most.bit_length() - 1)])  # Each number of lines, too, costs a program.
        left = [index for index in left if index not in batches[-1]]
    return batches


def _batch(lines: Sequence[Pixels]) -> Pixels:
    """Lines of one height as a recogniser takes them: lines × 1 × height × width, filled up with a middle grey."""
    high, wide = lines[0].shape[0], max(line.shape[1] for line in lines)
    batch = np.full((len(lines), 1, high, _padded(wide)), 128, np.uint8)
    for filled, line in zip(batch, lines, strict=True):
        filled[..., : line.shape[1]] = line
    return batch


def _padded(wide: int) -> int:
    """The width that a line is filled up to."""
    step = max(WIDTH_STEP, 1 << max(0, wide.bit_length() - FEW_WIDTHS))
    return -(-max(wide, MIN_WIDTH) // step) * step


# An engine's threads do not survive a fork (RQ forks for every job): the child loads its own when it needs one.
# The parent's engine is kept, because taking it down would wait for its threads for ever.
_abandoned: list[Engine] = []

if hasattr(os, "register_at_fork"):

    def _start_afresh() -> None:
        global _starting  # noqa: PLW0603 - the old lock may be held by a thread that does not exist any more
        _starting = threading.Lock()
        if _loaded.cache_info().currsize:
            _abandoned.append(_loaded())
        _loaded.cache_clear()

    os.register_at_fork(after_in_child=_start_afresh)
