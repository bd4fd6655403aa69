"""A registration face sheet: two people on every line, such as a parent and a child seen together."""

from __future__ import annotations

from datetime import timedelta

from extraction.corpus.layouts.sheet import WIDTH, Sheet
from extraction.corpus.wording import TIME_STYLES, full_date, iso_date

NAMS, LINES, TOP, ROW = 16, 12, 142.0, 46.0
HALVES = (36.0, 312.0)
UNKNOWN = 0.05


def draw(sheet: Sheet) -> None:
    """At most 24 people, two a line; each has a time of their own, and the day stands at the head."""
    rng, day = sheet.rng, sheet.setting.day
    sheet.letterhead(46)
    sheet.bold(36, 98, f"Inscriptions du {full_date(day)}", 12)
    sheet.text(36, 112, f"Réf. {sheet.decoy()}   Guichet {rng.randint(1, 6)}", 8.5)
    captioned, say_time = rng.random() < 1 / 2, rng.choice(TIME_STYLES)
    for x in HALVES:
        sheet.bold(x, TOP - 16, "Heure     Usager" if captioned else "Heure     Usager / NAM", 8)
    wanted = sheet.wanted(NAMS, 2 * LINES)
    for place in range(wanted):
        line, half = divmod(place, 2)
        x, y, person = HALVES[half], TOP + ROW * line, sheet.patient()
        moment = None if rng.random() < UNKNOWN else sheet.moment()
        sheet.text(x, y, say_time(moment) if moment else "s. r.-v.", 9)
        sheet.text(x + 46, y, sheet.fit(person.index_name, 8.5, 112), 8.5)
        left = sheet.text(x + 160, y, "NAM ", 7).x1 * WIDTH if captioned else x + 160
        sheet.nam(left, y, person, 8, day=day, moment=moment)
        sheet.text(x + 46, y + 12, f"{iso_date(person.birth)}   {'F' if person.female else 'M'}", 8)
        sheet.line(36, y + 22, 576, y + 22, 0.25)
    sheet.foot(f"Imprimé le {iso_date(day + timedelta(days=1))} 08:05")
