"""A sheet of 30 adhesive labels, three across: the patient's identity for a file, without any visit."""

from __future__ import annotations

from datetime import timedelta

from extraction.corpus.layouts.sheet import WIDTH, Sheet
from extraction.corpus.people import invent_telephone
from extraction.corpus.wording import iso_date

ACROSS, DOWN = 3, 10
LEFT, TOP, WIDE, HIGH, PITCH = 13.5, 36.0, 189.0, 72.0, 198.0
NAMS = 24


def draw(sheet: Sheet) -> None:
    """One person a label, from the top left; the last labels of the sheet have already been used."""
    wanted = NAMS if sheet.setting.people is None else min(sheet.setting.people, ACROSS * DOWN)
    for place in range(wanted):
        down, across = divmod(place, ACROSS)
        _label(sheet, LEFT + PITCH * across + 8, TOP + HIGH * down)


def _label(sheet: Sheet, x: float, y: float) -> None:
    rng, person = sheet.rng, sheet.patient()
    expiry = sheet.setting.day + timedelta(days=rng.randint(30, 2_800))
    sheet.bold(x, y + 17, sheet.fit(person.index_name, 10, WIDE - 16, font=sheet.setting.face.bold), 10)
    caption = sheet.text(x, y + 30, "NAM : ", 9)
    box = sheet.nam(x + caption.width * WIDTH, y + 30, person, 9)
    sheet.text(box.x1 * WIDTH + 6, y + 30, f"Exp. {expiry:%Y-%m}", 7)
    born, sex = ("Née", "F") if person.female else ("Né", "M")
    sheet.text(x, y + 42, f"{born} le {iso_date(person.birth)}   Sexe : {sex}", 8)
    sheet.text(x, y + 53, f"Tél. {invent_telephone(rng)}   Dossier {rng.randint(10_000, 999_999)}", 8)
