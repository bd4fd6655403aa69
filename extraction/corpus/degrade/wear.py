"""What else befalls a page: turned over, copied again and again, printed with little toner, stamped, struck through."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import reportlab
from PIL import Image, ImageDraw, ImageFont

from extraction.corpus.degrade.machines import noise, photocopy, scan, to_bytes
from extraction.corpus.degrade.picture import Matrix, Picture, Pixels, Scene
from extraction.corpus.wording import iso_date
from extraction.page import Box

STAMPS = ("REÇU LE {day}", "COPIE CONFORME", "NUMÉRISÉ", "FACTURÉ {day}", "CONFIDENTIEL", "ARCHIVES", "TRAITÉ {day}")
QUARTER_TURNS = (
    np.array([[0, -1, 1], [1, 0, 0], [0, 0, 1]], np.float64),
    np.array([[-1, 0, 1], [0, -1, 1], [0, 0, 1]], np.float64),
    np.array([[0, 1, 0], [-1, 0, 1], [0, 0, 1]], np.float64),
)
"""Where points go, in fractions, when a page is turned by 90, 180 and 270 degrees clockwise."""


def turned(page: Pixels, rng: np.random.Generator, scene: Scene) -> Picture:
    """A page that was fed sideways or upside down: the picture itself is turned, and nothing in the PDF says so."""
    copied = (scan if rng.random() < 2 / 3 else photocopy)(page, rng, scene)
    quarter = int(rng.integers(1, 4))
    pixels = np.ascontiguousarray(np.rot90(copied.pixels, -quarter))
    size = copied.size if quarter == 2 else copied.size[::-1]  # noqa: PLR2004 - upside down
    return replace(copied, pixels=pixels, moves=QUARTER_TURNS[quarter - 1] @ copied.moves, size=size)


def faint(page: Pixels, rng: np.random.Generator, scene: Scene) -> Picture:
    """The cartridge is nearly empty: pale in patches and bands, with white streaks down the page; then scanned."""
    height, width = page.shape
    patches = cv2.resize(
        rng.uniform(0.34, 0.6, (9, 7)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC
    )
    bands = 1 - 0.25 * rng.random() * (0.5 + 0.5 * np.sin(np.arange(height, dtype=np.float32) / rng.uniform(18, 60)))
    ink = patches * bands[:, None].astype(np.float32) * _white_streaks(width, rng)
    grain = 1 - 0.35 * rng.random(page.shape, dtype=np.float32)
    pale = 255 - (255 - page.astype(np.float32)) * ink * grain
    return scan(to_bytes(pale), rng, scene)


def stamp(page: Pixels, rng: np.random.Generator, scene: Scene) -> Picture:
    """Rubber stamps and pen strokes, some of them over the numbers; what lies below can still be read. Then scanned."""
    page = page.copy()
    chosen = [scene.nams[place] for place in rng.permutation(len(scene.nams))]
    for box in chosen[: int(rng.integers(1, 4))]:
        _rubber(page, rng, scene, box.middle)
    for box in chosen[3 : 3 + int(rng.integers(1, 3))] or chosen[:1]:
        _strike(page, rng, box)
    for _ in range(int(rng.integers(0, 2)) if chosen else 1):
        _rubber(page, rng, scene, (rng.uniform(0.2, 0.8), rng.uniform(0.05, 0.9)))
    return scan(page, rng, scene)


def copies(page: Pixels, rng: np.random.Generator, scene: Scene) -> Picture:
    """A copy of a copy of a copy, each a little larger or smaller than its original."""
    moves: Matrix = np.eye(3)
    for _ in range(int(rng.integers(2, 4)) - 1):
        page, step = _copied(page, rng)
        moves = step @ moves
    last = photocopy(page, rng, scene)
    return replace(last, moves=last.moves @ moves)


def _copied(page: Pixels, rng: np.random.Generator) -> tuple[Pixels, Matrix]:
    """One generation: scaled about its middle and turned a little, softened, and the contrast pulled up again."""
    height, width = page.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), rng.uniform(-0.5, 0.5), rng.uniform(0.96, 1.01))
    moved = cv2.warpAffine(page, turn, (width, height), flags=cv2.INTER_LINEAR, borderValue=255)
    soft = cv2.GaussianBlur(moved, (0, 0), rng.uniform(0.8, 1.1)).astype(np.float32)
    grey = (soft - 140) * np.float32(rng.uniform(1.5, 2.2)) + np.float32(rng.uniform(140, 160))
    grey += noise(grey.shape, rng, 8)
    to_pixels = np.diag([width, height, 1.0])
    return to_bytes(grey), np.linalg.inv(to_pixels) @ np.vstack([turn, [0, 0, 1]]) @ to_pixels


def _white_streaks(width: int, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """How much ink reaches each column of the page, 0.45..1."""
    columns = np.ones(width, np.float32)
    for _ in range(int(rng.integers(2, 7))):
        place, spread = rng.uniform(0, width), rng.uniform(2, 14)
        columns -= np.float32(rng.uniform(0.3, 0.55)) * np.exp(
            -(((np.arange(width, dtype=np.float32) - place) / spread) ** 2)
        ).astype(np.float32)
    return np.clip(columns, 0.45, 1)


@cache
def _rubber_font() -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(Path(reportlab.__file__).parent / "fonts" / "VeraBd.ttf"), 44)


def _rubber(page: Pixels, rng: np.random.Generator, scene: Scene, middle: tuple[float, float]) -> None:
    """A framed stamp about `middle`, aslant, in uneven grey ink that lets the print below show through."""
    later = scene.day + timedelta(days=int(rng.integers(1, 12)))
    words = str(rng.choice(STAMPS)).format(day=iso_date(later))
    wide, high = int(_rubber_font().getlength(words)) + 44, 78
    plate = Image.new("L", (wide, high), 0)
    pen = ImageDraw.Draw(plate)
    pen.rectangle((2, 2, wide - 3, high - 3), outline=255, width=5)
    pen.text((22, 12), words, fill=255, font=_rubber_font())
    tilted = np.asarray(plate.rotate(rng.uniform(-22, 22), Image.Resampling.BILINEAR, expand=True), np.float32) / 255
    worn = tilted * (0.55 + 0.45 * rng.random(tilted.shape, dtype=np.float32)) * np.float32(rng.uniform(0.3, 0.52))
    _press(page, worn, middle, rng)


def _press(page: Pixels, ink: npt.NDArray[np.float32], middle: tuple[float, float], rng: np.random.Generator) -> None:
    """Lay `ink`, 0..1, over the page about a point given in fractions; what hangs over the edge is lost."""
    height, width = page.shape
    high, wide = ink.shape
    left = int(middle[0] * width - wide / 2 + rng.uniform(-60, 60))
    top = int(middle[1] * height - high / 2 + rng.uniform(-25, 25))
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + wide, width), min(top + high, height)
    part = page[y0:y1, x0:x1].astype(np.float32)
    page[y0:y1, x0:x1] = to_bytes(part * (1 - ink[y0 - top : y1 - top, x0 - left : x1 - left]))


def _strike(page: Pixels, rng: np.random.Generator, box: Box) -> None:
    """One stroke of a pen through a number: thinner than its digits, so that they remain legible."""
    height, width = page.shape
    start = (box.x0 - rng.uniform(0, 0.02)) * width, (box.y0 + box.height * rng.uniform(0.3, 0.8)) * height
    end = (box.x1 + rng.uniform(0, 0.02)) * width, (box.y0 + box.height * rng.uniform(0.3, 0.8)) * height
    bend, count = rng.uniform(-4, 4), 24
    points = [
        (
            start[0] + (end[0] - start[0]) * share,
            start[1] + (end[1] - start[1]) * share + bend * math.sin(math.pi * share),
        )
        for share in (step / count for step in range(count + 1))
    ]
    line = np.array([points]).round().astype(np.int32)
    cv2.polylines(page, [line], isClosed=False, color=int(rng.integers(30, 110)), thickness=2, lineType=cv2.LINE_AA)
