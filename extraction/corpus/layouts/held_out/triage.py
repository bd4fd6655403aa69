"""An emergency triage sheet: a stack of wide strips, the NAM to the right of its short label, arrival in capitals."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from extraction.corpus.layouts.held_out.wording import bare_french_date, dotted_date, military_date, padded_tight_time
from extraction.corpus.layouts.sheet import WIDTH, Sheet
from extraction.corpus.people import Person
from extraction.corpus.wording import colon_time

NAMS, STRIPS, TOP, HIGH = 6, 7, 76.0, 100.0
LABELS = ("RAMQ:", "NAM#", "Assurance-maladie", "No RAMQ")
MODES = ("AMBULANT", "AMBULANCE", "POLICE", "TRANSFERT")
REASONS = ("DRS", "dyspnée", "chute", "lacération main G", "fièvre 39,4", "céphalée", "douleur abdo", "trauma cheville")
STRANGER = 0.12


def draw(sheet: Sheet) -> None:
    """Seven arrivals; now and then somebody whom nobody knows."""
    rng = sheet.rng
    sheet.shade(0, 0, WIDTH, 44, 0.82)
    sheet.bold(34, 28, "TRIAGE - URGENCE", 16)
    sheet.text(578, 28, f"{sheet.setting.clinic.name}   Poste {rng.randint(1, 4)}", 8.5, align="right")
    label = rng.choice(LABELS)
    strips = [True] * sheet.wanted(NAMS, STRIPS)
    while len(strips) < STRIPS and rng.random() < STRANGER * 4:
        strips.insert(rng.randrange(len(strips) + 1), False)
    say_day = rng.choice((military_date, dotted_date, bare_french_date))
    for place, known in enumerate(strips):
        top, moment = TOP + HIGH * place, sheet.moment(0, 23, 1)
        _strip(sheet, top)
        clock = rng.choice((colon_time, padded_tight_time))
        sheet.bold(120, top + 66, f"ARRIVÉE {say_day(sheet.setting.day)} {clock(moment)}", 9.5)
        later = datetime.combine(sheet.setting.day, moment) + timedelta(minutes=rng.randint(5, 40))
        if later.date() == sheet.setting.day:
            sheet.text(400, top + 66, f"Évalué {later:%H:%M}", 8.5)
        if known:
            _identity(sheet, top, sheet.patient(), label, moment)
        else:
            sheet.bold(120, top + 24, "INCONNU X", 12)
            sheet.text(400, top + 24, f"{label} inconnu", 9)


def _strip(sheet: Sheet, top: float) -> None:
    rng = sheet.rng
    sheet.line(34, top + HIGH - 12, 578, top + HIGH - 12, 1.4)
    sheet.frame(34, top + 4, 104, top + 74, 1.6)
    sheet.bold(69, top + 52, f"P{rng.randint(1, 5)}", 30, align="centre")
    sheet.text(120, top + 81, f"Motif : {rng.choice(REASONS)}   Mode : {rng.choice(MODES)}", 9)
    sheet.text(400, top + 81, f"TA {rng.randint(95, 180)}/{rng.randint(50, 100)}  SpO2 {rng.randint(88, 100)}", 9)


def _identity(sheet: Sheet, top: float, person: Person, label: str, moment: time) -> None:
    age = (sheet.setting.day - person.birth).days // 365
    sheet.bold(120, top + 24, sheet.fit(f"{person.surname.upper()} {person.given_name.upper()}", 12, 265), 12)
    sheet.text(120, top + 42, f"DDN {person.birth:%Y/%m/%d}  {age} ans  {'F' if person.female else 'M'}", 9)
    caption = sheet.text(400, top + 24, label, 7.5)
    sheet.nam(caption.x1 * WIDTH + 3, top + 24, person, 10, day=sheet.setting.day, moment=moment)
    sheet.text(400, top + 42, f"No visite V{sheet.rng.randint(10**7, 10**8 - 1)}", 8.5)
