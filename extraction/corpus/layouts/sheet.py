"""One page being drawn, measured from the top left in points, that keeps the truth of what it prints."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import date, time
from functools import cache
from pathlib import Path
from typing import NamedTuple

import reportlab
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from extraction.corpus.people import Clinic, Person, Physician, invent_person, misprint
from extraction.corpus.truth import TruthItem
from extraction.corpus.wording import printed_nam, usual_separator
from extraction.page import Box

WIDTH, HEIGHT = 612.0, 792.0
"""US letter in points: the paper of Québec."""

ABOVE, BELOW = 0.76, 0.06
"""How far capitals and digits reach above and below the baseline, in font sizes, with a hair of margin."""


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


@cache
def register_fonts() -> None:
    """Make the fonts that travel with reportlab, and are embedded in the PDF, known to it."""
    folder = Path(reportlab.__file__).parent / "fonts"
    pdfmetrics.registerFont(TTFont("Vera", folder / "Vera.ttf"))
    pdfmetrics.registerFont(TTFont("Vera-Bold", folder / "VeraBd.ttf"))


@dataclass(frozen=True, slots=True)
class Setting:
    """What the pages of one document share, and the day of this one.

    `people` is how many NAMs this page holds; None leaves it to the layout. `misprints` is the share of NAMs, 0..1,
    printed with a wrong check character.
    """

    clinic: Clinic
    physician: Physician
    day: date
    number: int
    pages: int
    face: Face
    separator: str
    people: int | None = None
    misprints: float = 0.0


class Sheet:
    """A page of letter paper. `truth` fills as NAMs are printed."""

    def __init__(self, canvas: Canvas, setting: Setting, rng: random.Random) -> None:
        self.canvas = canvas
        self.setting = setting
        self.rng = rng
        self.truth: list[TruthItem] = []

    def patient(self) -> Person:
        """Somebody whose NAM this page is going to print, as it is going to print it."""
        person = invent_person(self.rng, self.setting.day)
        wrong = self.rng.random() < self.setting.misprints
        return replace(person, nam=misprint(person.nam)) if wrong else person

    def text(
        self, x: float, y: float, words: str, size: float = 9, *, font: str | None = None, align: str = "left"
    ) -> Box:
        """Print `words` with the baseline at `y`; `align` says which end of them stands at `x`. Gives their box."""
        font = font or self.setting.face.regular
        width = self.width(words, size, font=font)
        left = x - {"left": 0.0, "centre": width / 2, "right": width}[align]
        self.canvas.setFont(font, size)
        self.canvas.drawString(left, HEIGHT - y, words)
        return Box(left / WIDTH, (y - ABOVE * size) / HEIGHT, (left + width) / WIDTH, (y + BELOW * size) / HEIGHT)

    def bold(self, x: float, y: float, words: str, size: float = 9, *, align: str = "left") -> Box:
        return self.text(x, y, words, size, font=self.setting.face.bold, align=align)

    def width(self, words: str, size: float, *, font: str | None = None) -> float:
        """How wide `words` print, in points."""
        return float(pdfmetrics.stringWidth(words, font or self.setting.face.regular, size))

    def fit(self, words: str, size: float, room: float, *, font: str | None = None) -> str:
        """As much of `words` as `room` points hold."""
        if self.width(words, size, font=font) <= room:
            return words
        while words and self.width(words + "…", size, font=font) > room:
            words = words[:-1]
        return words.rstrip(" ,-") + "…"

    def figures(self, person: Person) -> str:
        """The person's NAM as this page would print it."""
        return printed_nam(person.nam, usual_separator(self.rng, self.setting.separator))

    def nam(
        self,
        x: float,
        y: float,
        person: Person,
        size: float = 9,
        *,
        day: date | None = None,
        moment: time | None = None,
        font: str | None = None,
    ) -> Box:
        """Print the person's NAM and keep it as truth, with the visit that the page gives it."""
        printed = self.figures(person)
        box = self.text(x, y, printed, size, font=font or self.setting.face.figures)
        self.know(person, box, printed, day, moment)
        return box

    def know(self, person: Person, box: Box, printed: str, day: date | None, moment: time | None) -> None:
        """Keep a NAM as truth that was printed piece by piece."""
        self.truth.append(TruthItem(person.nam, self.setting.number, day, moment, box, printed))

    def line(self, x0: float, y0: float, x1: float, y1: float, width: float = 0.6) -> None:
        self.canvas.setLineWidth(width)
        self.canvas.line(x0, HEIGHT - y0, x1, HEIGHT - y1)

    def frame(self, x0: float, y0: float, x1: float, y1: float, width: float = 0.6) -> None:
        self.canvas.setLineWidth(width)
        self.canvas.rect(x0, HEIGHT - y1, x1 - x0, y1 - y0, stroke=1, fill=0)

    def scribble(self, x: float, y: float) -> None:
        """Loops that pass for a signature, from `x` about the height `y`."""
        path = self.canvas.beginPath()
        path.moveTo(x, HEIGHT - y)
        for _ in range(self.rng.randint(6, 10)):
            (x1, y1), (x2, y2) = ((x + self.rng.uniform(-6, 22), y + self.rng.uniform(-16, 10)) for _ in "ab")
            x += self.rng.uniform(5, 15)
            path.curveTo(x1, HEIGHT - y1, x2, HEIGHT - y2, x, HEIGHT - y - self.rng.uniform(-4, 4))
        self.canvas.setLineWidth(0.9)
        self.canvas.drawPath(path, stroke=1, fill=0)

    def shade(self, x0: float, y0: float, x1: float, y1: float, grey: float = 0.92) -> None:
        """A filled rectangle under what is printed next."""
        self.canvas.setFillGray(grey)
        self.canvas.rect(x0, HEIGHT - y1, x1 - x0, y1 - y0, stroke=0, fill=1)
        self.canvas.setFillGray(0)

    def letterhead(self, y: float) -> None:
        """The clinic's name and addresses, from the left margin."""
        clinic = self.setting.clinic
        self.bold(36, y, clinic.name, 12.5)
        self.text(36, y + 13, f"{clinic.street}, {clinic.town} (Québec)  {clinic.postal_code}", 8)
        self.text(36, y + 23, f"Téléphone : {clinic.telephone}   Télécopieur : {clinic.fax}", 8)

    def foot(self, left: str) -> None:
        """The last line of the page."""
        self.text(36, 776, left, 7)
        self.text(576, 776, f"Page {self.setting.number} de {self.setting.pages}", 7, align="right")
