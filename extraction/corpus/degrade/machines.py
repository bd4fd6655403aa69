"""Scanner, photocopier, fax machine, telephone. Pure but for reading a font that travels with reportlab."""

from __future__ import annotations

import math
from datetime import timedelta
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import reportlab
from PIL import Image, ImageDraw, ImageFont

from extraction.corpus.degrade.picture import RESOLUTION, Matrix, Picture, Pixels, Scene
from extraction.corpus.wording import iso_date


def scan(page: Pixels, rng: np.random.Generator, scene: Scene) -> Picture:
    """An office scanner: grey, slightly askew, a little noise, JPEG."""
    turned, moves = skew(page, rng, most=1.2)
    soft = cv2.GaussianBlur(turned, (0, 0), rng.uniform(0.5, 0.8))
    paper = rng.uniform(0.93, 0.98)
    grey = 20.0 + soft.astype(np.float32) * np.float32(paper - 20.0 / 255)
    grey += noise(grey.shape, rng, rng.uniform(3, 7))
    return Picture(to_bytes(grey), moves, int(rng.integers(60, 81)))


def photocopy(page: Pixels, rng: np.random.Generator, scene: Scene) -> Picture:
    """A copy of a copy: hard contrast, thick strokes, specks of toner, a dark edge, a pale streak."""
    turned, moves = skew(page, rng, most=0.9)
    thick = cv2.GaussianBlur(cv2.erode(turned, np.ones((2, 2), np.uint8)), (0, 0), 0.9)
    grey = (thick.astype(np.float32) - 128) * np.float32(rng.uniform(1.4, 1.9)) + np.float32(rng.uniform(135, 165))
    _streak(grey, rng)
    _edge_shadow(grey, rng)
    grey += noise(grey.shape, rng, 6)
    copied = to_bytes(grey)
    specks(copied, rng, count=int(rng.integers(250, 900)))
    return Picture(copied, moves, int(rng.integers(55, 76)))


def fax(page: Pixels, rng: np.random.Generator, scene: Scene) -> Picture:
    """A fax of group 3: 204 dots an inch across and 98 or 196 down, black or white, with lost lines and specks."""
    turned, moves = skew(page, rng, most=0.6)
    _stamp(turned, f"{iso_date(scene.day + timedelta(days=1))} 07:{rng.integers(10, 60)}  TELECOPIE  P. 01")
    down = 196 if rng.random() < 1 / 2 else 98
    lines = cv2.resize(turned, (1734, 11 * down), interpolation=cv2.INTER_AREA).astype(np.float32)
    lines += noise(lines.shape, rng, 18)
    bits = np.where(lines < rng.uniform(150, 180), 0, 255).astype(np.uint8)
    _lose_lines(bits, rng)
    specks(bits, rng, count=int(rng.integers(60, 250)))
    return Picture(bits, moves, None)


def photo(page: Pixels, rng: np.random.Generator, scene: Scene) -> Picture:
    """A telephone held over a desk: perspective, uneven light, the shadow of a hand, a colour cast."""
    width, height = 1656, 2208
    unit = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    moves = np.asarray(cv2.getPerspectiveTransform(unit, _corners(rng)), np.float64)
    grey = _on_desk(page, moves, (width, height), rng)
    light = _light((height, width), rng)
    grey = cv2.GaussianBlur(grey, (0, 0), rng.uniform(0.6, 1.0)) * light + noise(light.shape, rng, 5)
    cast = np.array([rng.uniform(0.84, 0.93), rng.uniform(0.93, 0.97), 1.0], np.float32)
    colours = cv2.merge([to_bytes(grey * channel) for channel in cast])
    return Picture(colours, moves, int(rng.integers(65, 86)), (612.0, 816.0))


def skew(page: Pixels, rng: np.random.Generator, *, most: float) -> tuple[Pixels, Matrix]:
    """The page turned by up to `most` degrees about its middle and shifted by up to a twelfth of an inch."""
    height, width = page.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), rng.uniform(-most, most), 1.0)
    turn[:, 2] += rng.uniform(-RESOLUTION / 12, RESOLUTION / 12, size=2)
    turned = cv2.warpAffine(page, turn, (width, height), flags=cv2.INTER_LINEAR, borderValue=255)
    to_pixels = np.diag([width, height, 1.0])
    moves = np.linalg.inv(to_pixels) @ np.vstack([turn, [0, 0, 1]]) @ to_pixels
    return turned, moves


def noise(shape: tuple[int, ...], rng: np.random.Generator, strength: float) -> npt.NDArray[np.float32]:
    """Gaussian noise; `strength` is its standard deviation in grey levels."""
    return rng.standard_normal(shape, dtype=np.float32) * np.float32(strength)


def to_bytes(grey: npt.NDArray[np.float32]) -> Pixels:
    return np.clip(grey, 0, 255).astype(np.uint8)


def specks(pixels: Pixels, rng: np.random.Generator, *, count: int) -> None:
    """Black dots of one to three pixels, anywhere."""
    height, width = pixels.shape
    rows, columns = rng.integers(0, height - 3, count), rng.integers(0, width - 3, count)
    for row, column, size in zip(rows, columns, rng.integers(1, 4, count), strict=True):
        pixels[row : row + size, column : column + max(1, size - 1)] = 25


def _edge_shadow(grey: npt.NDArray[np.float32], rng: np.random.Generator) -> None:
    """The lid was not quite shut: one long side and the top go dark."""
    height, width = grey.shape
    reach = rng.uniform(0.015, 0.05) * width
    across = 170 * np.exp(-np.arange(width, dtype=np.float32) / np.float32(reach))
    down = 120 * np.exp(-np.arange(height, dtype=np.float32) / np.float32(reach / 2))
    grey -= across if rng.random() < 1 / 2 else across[::-1]
    grey -= down[:, None]


def _streak(grey: npt.NDArray[np.float32], rng: np.random.Generator) -> None:
    """A pale band from top to bottom, where the drum is worn."""
    width = grey.shape[1]
    place, spread = rng.uniform(0.1, 0.9) * width, rng.uniform(8, 30)
    band = np.exp(-(((np.arange(width, dtype=np.float32) - place) / spread) ** 2))
    grey += band * np.float32(rng.uniform(20, 70))


def _lose_lines(bits: Pixels, rng: np.random.Generator) -> None:
    """Bad line: pieces of some scan lines arrive white, and others repeat the line before."""
    height, width = bits.shape
    for row in rng.integers(1, height, int(rng.integers(8, 25))):
        start, length = rng.integers(0, width), rng.integers(width // 20, width // 3)
        bits[row, start : start + length] = 255
    for row in rng.integers(1, height, int(rng.integers(6, 18))):
        bits[row] = bits[row - 1]


@cache
def _stamp_font() -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(Path(reportlab.__file__).parent / "fonts" / "VeraBd.ttf"), 24)


def _stamp(page: Pixels, words: str) -> None:
    """The line that the sending machine prints along the top: a date and a time that are not the visit's."""
    strip = Image.new("L", (page.shape[1], 34), 255)
    ImageDraw.Draw(strip).text((90, 2), words, fill=0, font=_stamp_font())
    page[8:42] = np.minimum(page[8:42], np.asarray(strip))


def _corners(rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Where the corners of the page lie in the photograph, in fractions: nearly fills it, never cut off."""
    straight = np.array([[0.05, 0.05], [0.95, 0.05], [0.95, 0.95], [0.05, 0.95]])
    shaken = straight + rng.uniform(-0.035, 0.035, size=(4, 2))
    angle = math.radians(rng.uniform(-1.5, 1.5))
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    inside = np.clip((shaken - 0.5) @ turn.T + 0.5, 0.005, 0.995)
    return np.asarray(inside, np.float32)


def _on_desk(page: Pixels, moves: Matrix, size: tuple[int, int], rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """The page seen at an angle on a darker desk with a coarse grain, grey, `size` = (width, height)."""
    width, height = size
    to_page = np.linalg.inv(np.diag([page.shape[1], page.shape[0], 1.0]))
    matrix = np.diag([width, height, 1.0]) @ moves @ to_page
    grain = rng.uniform(-14, 14, size=(40, 8)).astype(np.float32) + np.float32(rng.uniform(60, 120))
    desk = cv2.resize(grain, size, interpolation=cv2.INTER_CUBIC)
    seen = cv2.warpPerspective(page, matrix, size, flags=cv2.INTER_AREA, borderValue=0).astype(np.float32)
    paper = cv2.warpPerspective(np.full_like(page, 255), matrix, size, borderValue=0).astype(np.float32) / 255
    ink = np.float32(28) + seen * np.float32(0.86)
    result: npt.NDArray[np.float32] = ink * paper + desk * (1 - paper)
    return result


def _light(shape: tuple[int, int], rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """How bright each pixel is lit, 0..1: a slope across the page and the soft shadow of a hand or a head."""
    rows, columns = np.mgrid[0:1:64j, 0:1:48j].astype(np.float32)
    angle = rng.uniform(0, 2 * math.pi)
    slope = 1 - 0.22 * (0.5 + 0.5 * (math.cos(angle) * (columns - 0.5) + math.sin(angle) * (rows - 0.5)) * 2)
    edge = (columns - rng.uniform(0.2, 0.8)) + (rows - 0.5) * rng.uniform(-0.8, 0.8)
    shadow = 1 - rng.uniform(0.18, 0.38) / (1 + np.exp(-edge * rng.uniform(8, 30)))
    light: npt.NDArray[np.float32] = cv2.resize((slope * shadow).astype(np.float32), shape[::-1])
    return light
