"""The register at the desk: a printed table that staff fill in by hand, with a printed label here and there."""

from __future__ import annotations

from datetime import time

from extraction.corpus.layouts.sheet import Sheet
from extraction.corpus.people import Person
from extraction.corpus.wording import colon_time, full_date, hour_time, iso_date, long_date, tight_time

NAMS, ROWS, TOP, ROW = 12, 15, 128.0, 42.0
COLUMNS = (36.0, 92.0, 290.0, 452.0, 576.0)
TITLES = ("Heure", "Nom et prénom", "Nº assurance maladie", "Médecin / motif")
LABELLED = 0.25
"""The share of rows where somebody stuck a printed label instead of writing."""
NOTES = ("suivi", "pansement", "prise de sang", "vaccin", "Rx", "TA", "retrait points", "poids", "test grossesse")


def draw(sheet: Sheet) -> None:
    """One day, at most 15 people."""
    wanted = sheet.wanted(NAMS, ROWS)
    _head(sheet)
    _grid(sheet)
    pen = sheet.hand
    clock = sheet.rng.choice((tight_time, hour_time, colon_time))
    moments = sorted(sheet.moment() for _ in range(wanted))
    for row, moment in enumerate(moments):
        sheet.hand, y = pen, TOP + ROW * row + 27
        person = sheet.patient()
        sheet.fill(COLUMNS[0] + 5, y + sheet.rng.uniform(-4, 3), clock(moment), 12.5, room=46)
        if sheet.rng.random() < LABELLED:
            _label(sheet, y, person, moment)
        else:
            _written(sheet, y, person, moment)


def _head(sheet: Sheet) -> None:
    sheet.letterhead(44)
    sheet.bold(576, 44, "REGISTRE DES VISITES", 13, align="right")
    sheet.text(392, 92, "Date :", 10)
    sheet.line(424, 94, 576, 94, 0.5)
    sheet.take_up_pen()
    day = sheet.rng.choice((iso_date, long_date, long_date, full_date))(sheet.setting.day)
    sheet.fill(430, 90, day, 13, room=140)


def _grid(sheet: Sheet) -> None:
    bottom = TOP + ROW * ROWS
    sheet.shade(COLUMNS[0], TOP - 18, COLUMNS[-1], TOP, 0.88)
    for x, title in zip(COLUMNS, TITLES, strict=False):
        sheet.bold(x + 4, TOP - 6, title, 8.5)
    for x in COLUMNS:
        sheet.line(x, TOP - 18, x, bottom, 0.6)
    for row in range(ROWS + 1):
        sheet.line(COLUMNS[0], TOP + ROW * row, COLUMNS[-1], TOP + ROW * row, 0.5)


def _written(sheet: Sheet, y: float, person: Person, moment: time) -> None:
    rng = sheet.rng
    sheet.fill(COLUMNS[1] + 6, y + rng.uniform(-4, 3), f"{person.surname} {person.given_name}", 12.5, room=186)
    sheet.nam(COLUMNS[2] + 7, y + rng.uniform(-4, 3), person, 13, day=sheet.setting.day, moment=moment, room=150)
    sheet.fill(COLUMNS[3] + 6, y + rng.uniform(-4, 3), rng.choice(NOTES), 12, room=112)


def _label(sheet: Sheet, y: float, person: Person, moment: time) -> None:
    """A label across two columns: name, NAM and birth as the card machine prints them."""
    sheet.hand, top = None, y - 23
    x = COLUMNS[1] + sheet.rng.uniform(6, 40)
    sheet.canvas.setFillGray(1)
    sheet.canvas.rect(x - 5, 792 - top - 36, 270, 34, stroke=1, fill=1)
    sheet.canvas.setFillGray(0)
    sheet.bold(x, top + 13, sheet.fit(person.index_name, 9, 180), 9)
    sheet.nam(x, top + 26, person, 10, day=sheet.setting.day, moment=moment)
    sheet.text(x + 118, top + 26, f"Naissance : {iso_date(person.birth)}  {'F' if person.female else 'M'}", 8)
