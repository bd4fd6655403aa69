"""The fonts that documents are printed and filled in with: those of development, and those kept apart.

Each split has its own, so that a reader that was tuned on the fonts of development is measured on others. The files are
in `fonts/`, with their licences; Vera travels with reportlab, and the rest are the fonts that every PDF reader has.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

import reportlab
from PIL import ImageFont
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

FOLDER = Path(__file__).parent / "fonts"


class Face(NamedTuple):
    """Names of fonts that belong together; `figures` prints the numbers."""

    regular: str
    bold: str
    figures: str


FACES = (
    Face("Helvetica", "Helvetica-Bold", "Helvetica"),
    Face("Helvetica", "Helvetica-Bold", "Courier"),
    Face("Times-Roman", "Times-Bold", "Times-Roman"),
    Face("Vera", "Vera-Bold", "Vera"),
)
HELD_OUT_FACES = (
    Face("open-sans", "open-sans-bold", "open-sans"),
    Face("roboto-condensed", "roboto-condensed-bold", "roboto-condensed"),
    Face("noto-serif", "noto-serif-bold", "noto-serif"),
    Face("open-sans", "open-sans-bold", "inconsolata"),
    Face("roboto-condensed", "roboto-condensed-bold", "cousine"),
)

HANDS = ("caveat", "kalam", "indie-flower", "shadows-into-light", "architects-daughter", "gloria-hallelujah")
HELD_OUT_HANDS = (
    "patrick-hand", "reenie-beanie", "nothing-you-could-do", "covered-by-your-grace", "coming-soon",
)  # fmt: skip


@cache
def register_fonts() -> None:
    """Make every font that is embedded in our PDFs known to reportlab."""
    vera = Path(reportlab.__file__).parent / "fonts"
    pdfmetrics.registerFont(TTFont("Vera", vera / "Vera.ttf"))
    pdfmetrics.registerFont(TTFont("Vera-Bold", vera / "VeraBd.ttf"))
    for file in sorted(FOLDER.glob("*.ttf")):
        pdfmetrics.registerFont(TTFont(file.stem, file))


@dataclass(frozen=True, slots=True)
class Reach:
    """How far the capitals and digits of a font go above and below the baseline, in font sizes."""

    above: float
    below: float


@cache
def reach(font: str) -> Reach:
    """The reach of one of the fonts in `fonts/`, measured on its own outlines."""
    face = ImageFont.truetype(FOLDER / f"{font}.ttf", 1_000)
    _, top, _, bottom = face.getbbox("ABCDEFGHKLMNPRSTUVWXYZ0123456789", anchor="ls")
    return Reach(-top / 1_000, max(0.0, bottom / 1_000))
