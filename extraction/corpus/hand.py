"""Values written by hand: a handwriting font, made uneven the way people are."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfgen.canvas import Canvas

from extraction.corpus.faces import reach

CAPITAL = 0.72
"""The height of capitals of print, in font sizes: a hand of size 12 is as tall as print of size 12."""
NARROWEST = 0.44
"""The least room that a digit or capital takes, in heights of a capital."""


@dataclass(frozen=True, slots=True)
class Hand:
    """One person's writing with one pen.

    `slant` leans the letters (tangent, positive to the right), `rise` is how much a line climbs (tangent), `size` what
    the writer makes of the size that is asked for, `pen` the extra thickness of the strokes in points, `ink` their
    grey, 0 black to 1 white, and `unrest` how uneven it all is, 0..1.
    """

    font: str
    slant: float
    rise: float
    size: float
    pen: float
    ink: float
    unrest: float


def invent_hand(rng: random.Random, fonts: Sequence[str]) -> Hand:
    return Hand(
        font=rng.choice(fonts),
        slant=rng.uniform(-0.08, 0.2),
        rise=rng.uniform(-0.012, 0.018),
        size=rng.uniform(1.0, 1.22),
        pen=rng.choice((0.0, rng.uniform(0.25, 0.5), rng.uniform(0.4, 0.85))),
        ink=rng.choice((0.0, 0.12, 0.22, 0.32)),
        unrest=rng.uniform(0.4, 1.0),
    )


def size_of(hand: Hand, size: float) -> float:
    """The font size at which this hand writes as tall as print of `size` points, or as much taller as it does."""
    return size * hand.size * CAPITAL / reach(hand.font).above


def width_of(hand: Hand, words: str, size: float) -> float:
    """How wide `words` are about to be, in points."""
    return 1.02 * sum(_advance(hand, character, size_of(hand, size)) for character in words)


def _advance(hand: Hand, character: str, points: float) -> float:
    """From one character to the next; people leave room beside a 1 that fonts do not."""
    least = reach(hand.font).above * points * NARROWEST if character.isdigit() or character.isupper() else 0.0
    return max(least, float(pdfmetrics.stringWidth(character, hand.font, points)))


def write(
    canvas: Canvas, hand: Hand, rng: random.Random, words: str, *, x: float, y: float, size: float
) -> tuple[float, float, float, float]:
    """Write `words` from `x` on the baseline `y`, both in PDF points (y upwards); gives x0, y0, x1, y1 around them."""
    points, place, drift = size_of(hand, size), x, 0.0
    tall, deep = reach(hand.font).above, reach(hand.font).below
    bottoms, tops = [], []
    canvas.saveState()  # the thick strokes must not stay for what is printed next
    text = canvas.beginText()
    text.setTextRenderMode(2 if hand.pen else 0)
    canvas.setLineWidth(hand.pen)
    canvas.setFillGray(hand.ink)
    canvas.setStrokeGray(hand.ink)
    for character in words.replace("\u00a0", " "):
        here = points * (1 + hand.unrest * rng.uniform(-0.06, 0.06))
        drift = 0.8 * drift + hand.unrest * rng.uniform(-0.03, 0.03) * points
        base, angle = y + hand.rise * (place - x) + drift, hand.unrest * rng.uniform(-0.05, 0.05)
        advance = _advance(hand, character, here)
        inset = (advance - pdfmetrics.stringWidth(character, hand.font, here)) / 2
        _glyph(text, hand, character, size=here, x=place + inset, y=base, angle=angle)
        bottoms.append(base - deep * here)
        tops.append(base + tall * here)
        place += advance + hand.unrest * rng.uniform(-0.01, 0.05) * points
    canvas.drawText(text)
    canvas.restoreState()
    lean = hand.slant * tall * points
    return x + min(0.0, lean), min(bottoms), place + max(0.0, lean), max(tops)


def _glyph(text: Any, hand: Hand, character: str, *, size: float, x: float, y: float, angle: float) -> None:
    """One character, leaning and turned a little about its own foot."""
    cosine, sine = math.cos(angle), math.sin(angle)
    text.setFont(hand.font, size)
    text.setTextTransform(cosine, sine, hand.slant * cosine - sine, hand.slant * sine + cosine, x, y)
    text.textOut(character)
