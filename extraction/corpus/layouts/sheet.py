"""One page being drawn, measured from the top left in points, that keeps the truth of what it prints."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, time

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfgen.canvas import Canvas

from extraction.corpus.codes import Scheme, lucky
from extraction.corpus.faces import Face
from extraction.corpus.hand import Hand, invent_hand, width_of, write
from extraction.corpus.people import Clinic, Names, Person, Physician, invent_decoy, invent_person, misprint
from extraction.corpus.truth import TruthItem
from extraction.corpus.wording import NamStyle, cut, printed_nam, usual_style
from extraction.nam import check
from extraction.page import Box

WIDTH, HEIGHT = 612.0, 792.0
"""US letter in points: the paper of Québec."""

ABOVE, BELOW = 0.76, 0.06
"""How far capitals and digits reach above and below the baseline, in font sizes, with a hair of margin."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What the pages of one document share, and the day of this one.

    `hands` are the handwriting fonts and `names` the names that this document may use. `people` is how many NAMs this
    page holds; None leaves it to the layout. `misprints` is the share of NAMs, 0..1, printed with a wrong check
    character.
    """

    clinic: Clinic
    physician: Physician
    day: date
    number: int
    pages: int
    face: Face
    style: NamStyle
    hands: Sequence[str]
    names: Names
    people: int | None = None
    misprints: float = 0.0


class Sheet:
    """A page of letter paper. `truth` fills as NAMs are printed.

    `hand` is who fills the page in; None means that values are typed. `specimens` are valid numbers that the page
    prints and that are nobody's: examples, and codes that pass every check by chance.
    """

    def __init__(self, canvas: Canvas, setting: Setting, rng: random.Random) -> None:
        self.canvas = canvas
        self.setting = setting
        self.rng = rng
        self.truth: list[TruthItem] = []
        self.specimens: list[str] = []
        self.hand: Hand | None = None

    def person(self) -> Person:
        """Somebody whose NAM this page does not print."""
        return invent_person(self.rng, self.setting.day, self.setting.names)

    def patient(self) -> Person:
        """Somebody whose NAM this page is going to print, as it is going to print it."""
        person = self.person()
        wrong = self.rng.random() < self.setting.misprints
        return replace(person, nam=misprint(person.nam)) if wrong else person

    def wanted(self, usual: int, most: int | None = None) -> int:
        """How many NAMs this page is to hold, at most `most`."""
        people = usual if self.setting.people is None else self.setting.people
        return people if most is None else min(people, most)

    def moment(self, first: int = 8, last: int = 16, step: int = 5) -> time:
        """A time of a visit, from `first` to `last` o'clock and 59."""
        return time(self.rng.randint(first, last), self.rng.randrange(0, 60, step))

    def decoy(self) -> str:
        """A number of the shape of a NAM that is none."""
        return invent_decoy(self.rng, self.setting.day)

    def codes(self, scheme: Scheme, count: int) -> list[str]:
        """`count` codes of one system in their order, some of which pass every check of a NAM by chance.

        They are for places that say what they are, or that hold enough of the same kind to show it.
        """
        valid = lucky(self.rng, count)
        values = [scheme.invent(self.rng, self.setting.day, place, valid=place in valid) for place in range(count)]
        self.specimens += [value for value in values if all(check(value))]
        return values

    def code(self, scheme: Scheme) -> str:
        """One code of a system, which passes every check by chance one time in thirty."""
        return self.codes(scheme, 1)[0]

    def specimen(self, person: Person | None = None) -> str:
        """A number for a box that says "exemple", of `person` if it is given: as right as one can be, or nearly."""
        value = (person or self.person()).nam
        if self.rng.random() < 1 / 2:
            value = misprint(value)
        else:
            self.specimens.append(value)
        return value

    def take_up_pen(self) -> None:
        """From here on somebody, not the same as before, fills the page in by hand."""
        self.hand = invent_hand(self.rng, self.setting.hands)

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

    def fill(
        self, x: float, y: float, words: str, size: float = 9, *, font: str | None = None, room: float | None = None
    ) -> Box:
        """Fill a value in, typed or by hand, from `x` on the baseline `y`; a hand keeps to `room` points, nearly."""
        if self.hand is None:
            return self.text(x, y, words, size, font=font)
        if room is not None:
            size = min(size, size * room * self.rng.uniform(0.98, 1.06) / max(1.0, width_of(self.hand, words, size)))
        left, bottom, right, top = write(self.canvas, self.hand, self.rng, words, x=x, y=HEIGHT - y, size=size)
        return Box(left / WIDTH, (HEIGHT - top) / HEIGHT, right / WIDTH, (HEIGHT - bottom) / HEIGHT)

    def figures(self, person: Person, style: NamStyle | None = None) -> str:
        """The person's NAM as this page would print it."""
        return printed_nam(person.nam, style or usual_style(self.rng, self.setting.style))

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
        style: NamStyle | None = None,
        room: float | None = None,
    ) -> Box:
        """Print the person's NAM and keep it as truth, with the visit that the page gives it."""
        printed = self.figures(person, style)
        box = self.fill(x, y, printed, size, font=font or self.setting.face.figures, room=room)
        self.know(person, box, printed, day, moment)
        return box

    def nam_in_cells(
        self,
        cells: Sequence[tuple[float, float]],
        groups: Sequence[int],
        y: float,
        person: Person,
        size: float = 9,
        *,
        day: date | None = None,
        moment: time | None = None,
    ) -> Box:
        """Print one group of the NAM in the middle of each cell (left, right) on one baseline."""
        parts = cut(person.nam, groups)
        boxes = [self._centred(cell, y, part, size) for cell, part in zip(cells, parts, strict=True)]
        box = Box.around(boxes)
        self.know(person, box, " ".join(parts), day, moment)
        return box

    def nam_in_lines(
        self,
        x: float,
        y: float,
        person: Person,
        size: float = 9,
        *,
        groups: Sequence[int] = (4, 8),
        leading: float = 10.5,
        day: date | None = None,
        moment: time | None = None,
    ) -> Box:
        """Print the NAM broken over lines, one group a line, as a narrow cell does."""
        parts = cut(person.nam, groups)
        boxes = [
            self.fill(x, y + leading * line, part, size, font=self.setting.face.figures)
            for line, part in enumerate(parts)
        ]
        box = Box.around(boxes)
        self.know(person, box, "\n".join(parts), day, moment)
        return box

    def comb(
        self, x: float, y: float, words: str, size: float = 11, *, pitch: float = 15.0, gaps: Sequence[int] = ()
    ) -> Box:
        """Ruled boxes of one character each, `pitch` apart, with a space before the characters `gaps`; their box."""
        boxes, left = [], x
        for place, character in enumerate(words):
            left += pitch / 2 if place in gaps else 0.0
            self.frame(left, y - size * 1.1, left + pitch, y + size * 0.35, 0.4)
            if character != " ":
                boxes.append(self._centred((left, left + pitch), y, character, size))
            left += pitch
        return Box.around(boxes)

    def _centred(self, cell: tuple[float, float], y: float, words: str, size: float) -> Box:
        middle = (cell[0] + cell[1]) / 2
        if self.hand is not None:
            left = middle - width_of(self.hand, words, size) / 2 + self.rng.uniform(-1.2, 1.2)
            return self.fill(left, y + self.rng.uniform(-1.2, 1.2), words, size)
        return self.text(middle, y, words, size, font=self.setting.face.figures, align="centre")

    def know(self, person: Person, box: Box, printed: str, day: date | None, moment: time | None) -> None:
        """Keep a NAM as truth that was printed piece by piece."""
        whose = (person.surname, person.given_name)
        self.truth.append(TruthItem(person.nam, self.setting.number, day, moment, box, printed, *whose))

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
