"""A vaccination list: the day and place at the head, lot numbers beside the NAMs, and no time for anybody."""

from __future__ import annotations

import random

from extraction.corpus.layouts.held_out.wording import ENGLISH_DATES, FRENCH_DATES, capital_date
from extraction.corpus.layouts.sheet import Sheet
from extraction.corpus.wording import BIRTH, CARD, LONG, PAIRS, iso_date

NAMS, ROWS, TOP, ROW = 22, 26, 118.0, 24.6
VACCINES = ("INF", "COVID", "dcaT", "RRO", "Pneu-C-20", "Zona-SU", "VPH-9", "HB")


def draw(sheet: Sheet) -> None:
    """The NAM stands in the first column, whole or in cells; the name comes after it."""
    rng, day = sheet.rng, sheet.setting.day
    sheet.bold(30, 40, "Liste de vaccination / Immunization list", 13)
    said = rng.choice((*FRENCH_DATES, *ENGLISH_DATES, capital_date))(day)
    sheet.text(30, 58, f"Date de vaccination : {said}", 10)
    sheet.text(30, 72, f"Lieu : {sheet.setting.clinic.name}", 9)
    sheet.text(582, 58, f"Responsable {sheet.setting.physician.licence}", 8, align="right")
    groups = rng.choice((None, None, CARD, LONG, BIRTH, PAIRS))
    _titles(sheet, cut=groups is not None)
    for row in range(sheet.wanted(NAMS, ROWS)):
        y, person = TOP + ROW * row + 16, sheet.patient()
        if groups is None:
            sheet.nam(36, y, person, 10, day=day)
        else:
            ends = [sum(groups[: place + 1]) for place in range(len(groups))]
            cells = [(34 + 9.6 * (end - size), 34 + 9.6 * end) for end, size in zip(ends, groups, strict=True)]
            sheet.nam_in_cells(cells, groups, y, person, 8.5, day=day)
            for _, right in cells[:-1]:
                sheet.line(right, y - 16, right, y + 8.6, 0.3)
        sheet.text(158, y, sheet.fit(person.index_name, 9, 170), 9)
        sheet.text(334, y, iso_date(person.birth), 9)
        sheet.text(402, y, rng.choice(VACCINES), 9)
        sheet.text(460, y, _lot(rng), 9)
        sheet.text(530, y, rng.choice(("D 0,5 ml", "G 0,5 ml", "D 0,25 ml")), 8)
        sheet.line(30, y + 8.6, 582, y + 8.6, 0.3)


def _titles(sheet: Sheet, *, cut: bool) -> None:
    head = "NAM" if cut else "No assurance maladie"
    for x, title in ((36, head), (158, "Nom"), (334, "Naissance"), (402, "Produit"), (460, "Lot"), (530, "Site")):
        sheet.bold(x, TOP - 5, title, 8)
    sheet.line(30, TOP, 582, TOP, 1)


def _lot(rng: random.Random) -> str:
    return f"{''.join(rng.choices('ABCDEFHJKMNPRT', k=2))}{rng.randint(1000, 9999)}{rng.choice(('', 'A', 'B2'))}"
