"""The day agenda of one physician: a row for every quarter of an hour, some of them taken by a patient with a NAM."""

from __future__ import annotations

import random
from datetime import time, timedelta
from typing import NamedTuple

from extraction.corpus.layouts.sheet import Sheet
from extraction.corpus.people import Person, invent_decoy, invent_person, invent_telephone
from extraction.corpus.wording import colon_time, full_date, hour_time, iso_date, tight_time

NAMS = 5
"""On a page, unless the setting says otherwise: twenty pages hold a hundred."""

TOP, ROW = 128.0, 17.2
OPENING, SLOTS = 8 * 60, 36
LUNCH = range(16, 20)
"""The slots from noon to one o'clock."""

REASONS = (
    "Suivi diabète", "Suivi HTA", "Examen périodique", "Toux, fièvre", "Renouvellement Rx", "Résultats labo",
    "Douleur lombaire", "Vaccin", "Formulaire CNESST", "Retrait de points", "Suivi TDAH",
    "Lésion cutanée", "Santé mentale", "Allergies",
)  # fmt: skip
BUSY = ("Réservé – urgence du jour", "Appels et renouvellements", "Réunion d'équipe GMF", "Pause", "Bloqué – dossiers")


class Columns(NamedTuple):
    """Left edges, in points."""

    time: float = 36
    patient: float = 84
    nam: float = 262
    telephone: float = 366
    reason: float = 452
    end: float = 576


AT = Columns()


def draw(sheet: Sheet) -> None:
    """One day of one physician, at most 32 patients with a NAM."""
    _head(sheet)
    _grid(sheet)
    wanted = NAMS if sheet.setting.people is None else sheet.setting.people
    open_slots = [slot for slot in range(SLOTS) if slot not in LUNCH]
    taken = set(sheet.rng.sample(open_slots, min(wanted, len(open_slots))))
    clock = sheet.rng.choice((colon_time, colon_time, hour_time, tight_time))
    for slot in range(SLOTS):
        moment = _moment(slot)
        sheet.text(AT.time + 4, _baseline(slot), clock(moment), 8.5, font=sheet.setting.face.figures)
        if slot in taken:
            _patient(sheet, slot, moment)
        else:
            _other(sheet, slot)
    eve = sheet.setting.day - timedelta(days=3 if sheet.setting.day.weekday() == 0 else 1)
    sheet.foot(f"Imprimé le {iso_date(eve)} 16:42 par accueil2")


def _moment(slot: int) -> time:
    return time(*divmod(OPENING + 15 * slot, 60))


def _baseline(slot: int) -> float:
    return TOP + ROW * slot + 12


def _head(sheet: Sheet) -> None:
    setting = sheet.setting
    sheet.letterhead(46)
    sheet.bold(36, 96, f"Agenda du {full_date(setting.day)}", 13)
    sheet.bold(576, 46, setting.physician.full_name, 10, align="right")
    sheet.text(576, 58, f"Permis {setting.physician.licence}", 8, align="right")
    sheet.text(576, 69, f"Salle {sheet.rng.randint(1, 9)}", 8, align="right")


def _grid(sheet: Sheet) -> None:
    bottom = TOP + ROW * SLOTS
    sheet.shade(AT.time, TOP - 18, AT.end, TOP, 0.85)
    for slot in range(1, SLOTS, 2):
        sheet.shade(AT.time, TOP + ROW * slot, AT.end, TOP + ROW * (slot + 1), 0.955)
    for x, title in zip(AT, ("Heure", "Patient", "NAM", "Téléphone", "Motif"), strict=False):
        sheet.bold(x + 4, TOP - 6, title, 8.5)
    for x in AT:
        sheet.line(x, TOP - 18, x, bottom, 0.4)
    for y in (TOP - 18, TOP, bottom):
        sheet.line(AT.time, y, AT.end, y, 0.8)


def _patient(sheet: Sheet, slot: int, moment: time) -> None:
    y, person = _baseline(slot), sheet.patient()
    sheet.nam(AT.nam + 4, y, person, 9, day=sheet.setting.day, moment=moment)
    _appointment(sheet, y, person)


def _appointment(sheet: Sheet, y: float, person: Person) -> None:
    """Everything in a patient's row but the NAM."""
    sheet.text(AT.patient + 4, y, sheet.fit(person.index_name, 9, AT.nam - AT.patient - 8), 9)
    sheet.text(AT.telephone + 4, y, invent_telephone(sheet.rng), 8.5)
    sheet.text(AT.reason + 4, y, sheet.fit(sheet.rng.choice(REASONS), 8.5, AT.end - AT.reason - 8), 8.5)


def _other(sheet: Sheet, slot: int) -> None:
    """A slot without a NAM: lunch, a block, a patient whose card has not been seen, an errand, or nothing."""
    y = _baseline(slot)
    if slot in LUNCH:
        sheet.text(AT.patient + 4, y, "Dîner", 9)
        return
    {"free": _nothing, "busy": _busy, "no card": _no_card, "errand": _errand}[_what(sheet.rng)](sheet, y)


def _what(rng: random.Random) -> str:
    return rng.choices(("free", "busy", "no card", "errand"), weights=(50, 18, 22, 10))[0]


def _nothing(sheet: Sheet, y: float) -> None:
    """A free slot stays white."""


def _busy(sheet: Sheet, y: float) -> None:
    sheet.text(AT.patient + 4, y, sheet.rng.choice(BUSY), 9)


def _no_card(sheet: Sheet, y: float) -> None:
    sheet.text(AT.nam + 4, y, sheet.rng.choice(("carte à apporter", "NAM à venir", "nouveau patient")), 8.5)
    _appointment(sheet, y, invent_person(sheet.rng, sheet.setting.day))


def _errand(sheet: Sheet, y: float) -> None:
    """A note of the front desk, with a number that looks like a NAM and is none."""
    sheet.text(AT.patient + 4, y, f"Facture {invent_decoy(sheet.rng, sheet.setting.day)} à payer", 9)
    sheet.text(AT.telephone + 4, y, invent_telephone(sheet.rng), 8.5)
