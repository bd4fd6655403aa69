"""A clinic's day sheet: the hours run down the left, one column a physician, and each cell is a little stack."""

from __future__ import annotations

from datetime import time

from extraction.corpus.layouts.held_out.wording import (
    capital_date,
    english_weekday_date,
    padded_tight_time,
    seconds_time,
)
from extraction.corpus.layouts.sheet import Sheet
from extraction.corpus.people import invent_physician, invent_telephone

SLOTS, TOP, ROW = 18, 104.0, 36.0
EDGES = (30.0, 78.0, 248.0, 418.0, 588.0)
NAMS = 18
LABELS = ("RAMQ", "N.A.M.", "Carte", "")
OTHER = ("ABSENT", "libre", "libre", "libre", "Téléconsultation - dossier {file}", "Représentant")


def draw(sheet: Sheet) -> None:
    """Eighteen half-hours of three physicians: at most 54 people with a NAM."""
    rng = sheet.rng
    say_day = rng.choice((capital_date, english_weekday_date))
    sheet.bold(588, 34, say_day(sheet.setting.day), 11, align="right")
    sheet.bold(30, 34, "FEUILLE DE JOURNÉE", 14)
    sheet.text(30, 48, f"{sheet.setting.clinic.name} · {sheet.setting.clinic.telephone}", 8)
    physicians = [invent_physician(rng) for _ in range(3)]
    for column, physician in enumerate(physicians):
        sheet.text(EDGES[column + 1] + 5, TOP - 10, f"{physician.title} {physician.surname} ({physician.licence})", 8.5)
    clock, label = rng.choice((padded_tight_time, seconds_time)), rng.choice(LABELS)
    places = [(slot, column) for slot in range(SLOTS) for column in range(3)]
    taken = set(rng.sample(places, sheet.wanted(NAMS, len(places))))
    for slot in range(SLOTS):
        moment = time(*divmod(8 * 60 + 30 * slot, 60))
        sheet.text(EDGES[0] + 3, TOP + ROW * slot + 14, clock(moment), 9)
        for column in range(3):
            _cell(sheet, (EDGES[column + 1] + 5, TOP + ROW * slot), label, moment if (slot, column) in taken else None)
    _rule(sheet)


def _cell(sheet: Sheet, corner: tuple[float, float], label: str, moment: time | None) -> None:
    (x, top), rng = corner, sheet.rng
    if moment is None:
        words = rng.choice(OTHER).format(file=sheet.decoy()) if rng.random() < 1 / 3 else ""
        sheet.text(x, top + 14, sheet.fit(words, 8, 160), 8)
        return
    person = sheet.patient()
    sheet.bold(x, top + 11, sheet.fit(f"{person.given_name} {person.surname.upper()}", 8.5, 160), 8.5)
    left = sheet.text(x, top + 21.5, f"{label} ", 7).x1 * 612 if label else x
    sheet.nam(left, top + 21.5, person, 8.5, day=sheet.setting.day, moment=moment)
    sheet.text(x, top + 31, f"tél {invent_telephone(rng)}", 7)


def _rule(sheet: Sheet) -> None:
    bottom = TOP + ROW * SLOTS
    for x in EDGES:
        sheet.line(x, TOP, x, bottom, 0.3)
    for slot in range(SLOTS + 1):
        sheet.line(EDGES[0], TOP + ROW * slot, EDGES[-1], TOP + ROW * slot, 0.8 if slot % 2 == 0 else 0.2)
