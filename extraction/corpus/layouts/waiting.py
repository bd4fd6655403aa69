"""Who came to an emergency room or a walk-in clinic, and the hours of all that was done for each.

Every entry states when the person arrived and up to four later steps, in blocks of a few lines or in a row of a table,
in the order in which they happened or not. The visit began when the physician saw the person, where that is said, and
else with the arrival.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, time, timedelta
from typing import NamedTuple

from extraction.corpus.layouts.sheet import WIDTH, Sheet
from extraction.corpus.wording import (
    ENGLISH_DATE_STYLES,
    ENGLISH_TIME_STYLES,
    TIME_STYLES,
    full_date,
    iso_date,
    long_date,
)

BLOCKS, MOST_BLOCKS, BLOCK, TOP = 6, 8, 76.0, 128.0
ROWS, MOST_ROWS, ROW = 14, 22, 25.0
TITLES = (
    "Registre de l'urgence",
    "Suivi des patients en attente",
    "Clinique sans rendez-vous : déroulement",
    "Tableau de garde",
)
ENGLISH_TITLES = ("Emergency department log", "Walk-in patients, step by step")
FIRST = ("Arrivée", "Heure d'arrivée", "Arrivé à", "Arr.", "Inscription", "Heure d'inscription", "Admission", "Accueil",
         "Enregistré à", "Heure d'entrée")  # fmt: skip
SEEN = ("Vu par le médecin", "Heure du médecin", "Médecin")
"""What a step is called with which the visit itself begins."""
LATER = (
    ("Triage", "Heure du triage", "Triage fait à", "Évaluation infirmière", "Trié à"),
    ("Pris en charge", "Heure de prise en charge", *SEEN),
    ("Prélèvement", "Radiologie", "Heure de l'ECG", "Réévaluation", "Heure des soins"),
    ("Départ", "Heure de départ", "Congé", "Heure du congé", "Sortie"),
)  # fmt: skip
ENGLISH_FIRST = ("Arrival", "Arrival time", "Arrived", "Registered", "Registration time", "Check-in")
ENGLISH_SEEN = ("Seen", "Physician", "Time seen", "Seen by physician")
ENGLISH_LATER = (
    ("Triage", "Triage time", "Triaged", "Time of triage"),
    ENGLISH_SEEN,
    ("X-ray", "Time of ECG", "Reassessed", "Blood drawn"),
    ("Departure", "Discharge", "Discharge time", "Left"),
)
WAITS = ((2, 25), (10, 140), (10, 60), (15, 90))
"""Minutes from each step to the next one, at least and at most."""
_SHUFFLED = 0.25
"""The share of pages that list the steps in another order than that of the day."""


class Told(NamedTuple):
    """What a page tells: the names of the steps, in what order they stand, and how hours are written."""

    names: Sequence[str]
    order: Sequence[int]
    say: Callable[[time], str]

    def steps(self, hours: Sequence[time]) -> list[tuple[str, str]]:
        """The names and hours of an entry, in the order of the page."""
        return [(self.names[step], self.say(hours[step])) for step in self.order]

    def beginning(self, hours: Sequence[time]) -> time:
        """When the visit of an entry began."""
        return next(
            (hour for name, hour in zip(self.names, hours, strict=True) if name in (*SEEN, *ENGLISH_SEEN)), hours[0]
        )


def draw(sheet: Sheet) -> None:
    """At most 8 people in blocks, or 22 in a table."""
    rng, day = sheet.rng, sheet.setting.day
    english = rng.random() < 1 / 4
    sheet.letterhead(44)
    said = rng.choice(ENGLISH_DATE_STYLES)(day) if english else rng.choice((long_date, full_date, iso_date))(day)
    title = rng.choice(ENGLISH_TITLES if english else TITLES)
    sheet.bold(36, 96, rng.choice((f"{title}, {said}", f"{title} - {said}", f"{title} ({said})")), 12)
    first, later = (ENGLISH_FIRST, ENGLISH_LATER) if english else (FIRST, LATER)
    count = rng.randint(1, len(later))
    names = [rng.choice(first), *(rng.choice(words) for words in _chosen(sheet, later, count))]
    order = list(range(len(names)))
    if rng.random() < _SHUFFLED:
        rng.shuffle(order)
    told = Told(names, order, rng.choice(ENGLISH_TIME_STYLES if english else TIME_STYLES))
    (_blocks if rng.random() < 2 / 3 else _table)(sheet, told)
    sheet.foot(f"Formulaire UR-{rng.randint(10, 99)}   Imprimé le {iso_date(day)} 23:50")


def _chosen(sheet: Sheet, later: Sequence[Sequence[str]], count: int) -> list[Sequence[str]]:
    """Some of the later steps, in their order."""
    return [later[place] for place in sorted(sheet.rng.sample(range(len(later)), count))]


def _hours(sheet: Sheet, count: int) -> list[time]:
    """The hours of a visit and what followed, all of one day."""
    rng = sheet.rng
    at = datetime.combine(sheet.setting.day, sheet.moment(7, 15, step=1))
    hours = [at.time()]
    for place in range(count - 1):
        at += timedelta(minutes=rng.randint(*WAITS[min(place, len(WAITS) - 1)]))
        hours.append(at.time())
    return hours


def _blocks(sheet: Sheet, told: Told) -> None:
    rng = sheet.rng
    form = rng.choice((_line_of_steps, _column_of_steps, _sentence_of_steps))
    above = rng.random() < 1 / 2
    number = rng.choice(("NAM :", "NAM", "RAMQ :", "Nº ass. maladie :", ""))
    for place in range(sheet.wanted(BLOCKS, MOST_BLOCKS)):
        y, person, hours = TOP + BLOCK * place, sheet.patient(), _hours(sheet, len(told.names))
        sheet.line(36, y - 13, 576, y - 13, 0.4)
        sheet.bold(36, y, person.index_name, 10)
        sheet.text(576, y, rng.choice(("P2", "P3", "P4", "P5")), 9, align="right")
        if above:
            form(sheet, y + 16, told.steps(hours))
            y += 46 if form is _column_of_steps else 32
        else:
            y += 14
            form(sheet, y + 16, told.steps(hours))
        end = sheet.text(36, y, number, 9).x1 * WIDTH + 5 if number else 36
        sheet.nam(end, y, person, 10, day=sheet.setting.day, moment=told.beginning(hours))
        sheet.text(330, y, f"Né(e) le {iso_date(person.birth)}", 9)


def _line_of_steps(sheet: Sheet, y: float, steps: Sequence[tuple[str, str]]) -> None:
    x = 36.0
    for name, hour in steps:
        x = sheet.text(x, y, f"{name} : {hour}", 8.5).x1 * WIDTH + 14


def _column_of_steps(sheet: Sheet, y: float, steps: Sequence[tuple[str, str]]) -> None:
    """Captions in a line and their hours below."""
    for place, (name, hour) in enumerate(steps):
        sheet.text(36 + 106 * place, y, name, 7)
        sheet.text(36 + 106 * place, y + 12, hour, 9.5)


def _sentence_of_steps(sheet: Sheet, y: float, steps: Sequence[tuple[str, str]]) -> None:
    said = ", ".join(f"{name.lower()} {hour}" for name, hour in steps)
    sheet.text(36, y, f"{said[:1].upper()}{said[1:]}.", 8.5)


def _table(sheet: Sheet, told: Told) -> None:
    rng = sheet.rng
    step = 250 / len(told.names)
    sheet.bold(36, TOP, rng.choice(("Nom", "Patient", "Nom, prénom")), 8)
    sheet.bold(176, TOP, rng.choice(("NAM", "Nº ass. maladie", "Carte")), 8)
    for place, name in enumerate(told.order):
        sheet.bold(290 + step * place, TOP, sheet.fit(told.names[name], 7, step - 3), 7)
    sheet.line(36, TOP + 5, 576, TOP + 5, 0.6)
    for row in range(sheet.wanted(ROWS, MOST_ROWS)):
        y, person, hours = TOP + ROW * row + 20, sheet.patient(), _hours(sheet, len(told.names))
        sheet.text(36, y, sheet.fit(person.index_name, 9, 134), 9)
        sheet.nam(176, y, person, 9.5, day=sheet.setting.day, moment=told.beginning(hours))
        for place, (_, hour) in enumerate(told.steps(hours)):
            sheet.text(290 + step * place, y, hour, 9)
