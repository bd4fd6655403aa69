"""A walk-in clinic's log in English and French: labels in both, dates and times in English."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, time

from extraction.corpus.layouts.sheet import WIDTH, Sheet
from extraction.corpus.people import Person, invent_telephone
from extraction.corpus.wording import ENGLISH_DATE_STYLES, ENGLISH_TIME_STYLES, full_english_date, iso_date

NAMS, TOP, HIGH = 6, 122.0, 106.0
LABELS = (
    "Health insurance no. / No d'assurance maladie", "RAMQ no. / No RAMQ", "Medicare / Ass. maladie", "QC health card",
)  # fmt: skip
COMPLAINTS = (
    "Sore throat / Mal de gorge", "Back pain / Douleur au dos", "Rx renewal / Renouvellement", "Follow-up / Suivi",
    "Ankle sprain / Entorse", "Blood pressure / Tension artérielle", "Work note / Billet de travail",
)  # fmt: skip
UNKNOWN = 0.06


def draw(sheet: Sheet) -> None:
    """Six visits, their date on each block or only at the head of the page."""
    rng, day = sheet.rng, sheet.setting.day
    sheet.letterhead(46)
    sheet.bold(576, 46, "VISIT LOG / REGISTRE DES VISITES", 11, align="right")
    own_day = rng.random() < 1 / 2
    if not own_day:
        sheet.bold(36, 98, f"Visits of {full_english_date(day)}", 11)
    label, say_day, say_time = rng.choice(LABELS), rng.choice(ENGLISH_DATE_STYLES), rng.choice(ENGLISH_TIME_STYLES)
    for place in range(sheet.wanted(NAMS, NAMS)):
        top, person = TOP + HIGH * place, sheet.patient()
        moment = None if rng.random() < UNKNOWN else sheet.moment(8, 19)
        _block(sheet, top, person, label, (day, moment))
        _visit(sheet, top, (say_day(day) if own_day else None, moment), say_time)
    sheet.foot(f"Printed / Imprimé {iso_date(day)} 21:15")


def _block(sheet: Sheet, top: float, person: Person, label: str, visit: tuple[date, time | None]) -> None:
    rng = sheet.rng
    sheet.frame(36, top, 576, top + HIGH - 10, 0.6)
    sheet.text(44, top + 12, "Patient name / Nom", 7)
    sheet.bold(44, top + 26, sheet.fit(person.index_name, 11, 250), 11)
    if rng.random() < 1 / 2:
        sheet.text(310, top + 12, label, 7)
        sheet.nam(310, top + 26, person, 11, day=visit[0], moment=visit[1])
    else:
        caption = sheet.text(310, top + 26, f"{label}: ", 7)
        sheet.nam(caption.x1 * WIDTH, top + 26, person, 10, day=visit[0], moment=visit[1])
    sheet.text(
        44, top + 42, f"DOB / Naissance: {iso_date(person.birth)}    Sex / Sexe: {'F' if person.female else 'M'}", 8
    )
    sheet.text(310, top + 42, f"Phone / Tél.: {invent_telephone(rng)}", 8)
    sheet.text(44, top + 78, f"Reason / Raison: {rng.choice(COMPLAINTS)}", 9)
    sheet.text(568, top + 78, f"File / Dossier {rng.randint(10_000, 999_999)}", 8, align="right")


def _visit(sheet: Sheet, top: float, said: tuple[str | None, time | None], say_time: Callable[[time], str]) -> None:
    day, moment = said
    if day:
        sheet.text(44, top + 60, f"Visit date / Date de la visite: {day}", 9)
    clock = say_time(moment) if moment else "________"
    sheet.text(310 if day else 44, top + 60, f"Time / Heure: {clock}", 9)
