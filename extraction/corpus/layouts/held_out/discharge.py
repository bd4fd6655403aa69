"""Summaries of day surgery: a band with the identity at the foot of each half page, and prose above it."""

from __future__ import annotations

from datetime import date, time, timedelta

from extraction.corpus.layouts.held_out.wording import (
    bare_french_date,
    capital_time,
    padded_tight_time,
    weekday_iso_date,
)
from extraction.corpus.layouts.sheet import WIDTH, Sheet
from extraction.corpus.people import Person
from extraction.corpus.wording import BIRTH, NamStyle

HALVES, HIGH = 2, 386.0
OPERATIONS = ("cataracte, œil droit", "hernie inguinale", "arthroscopie du genou", "colonoscopie", "tunnel carpien")
PROSE = (
    "L'usager a été opéré sous anesthésie {kind}, sans complication notée au protocole.",
    "Les signes sont demeurés stables à la salle de réveil; la douleur est de {pain} sur 10 au départ.",
    "La plaie est propre. Le pansement peut être retiré après 48 heures; pas de bain pendant 7 jours.",
    "Reprise des médicaments habituels. Acétaminophène 500 mg, 2 co. aux 6 h au besoin, maximum 4 g par jour.",
    "En cas de fièvre de plus de 38,5 °C ou de saignement, communiquer avec le service de garde.",
)


def draw(sheet: Sheet) -> None:
    """Two people a page. The visit is the arrival; the operation and the departure came later that day."""
    for place in range(sheet.wanted(HALVES, HALVES)):
        _summary(sheet, 20 + HIGH * place)
    sheet.line(0, 20 + HIGH - 8, WIDTH, 20 + HIGH - 8, 0.3)


def _summary(sheet: Sheet, top: float) -> None:
    rng, day, moment, person = sheet.rng, sheet.setting.day, sheet.moment(6, 10), sheet.patient()
    sheet.bold(60, top + 26, "Résumé de congé - chirurgie d'un jour", 13)
    sheet.text(60, top + 42, f"{sheet.setting.clinic.name}, {sheet.setting.clinic.town}", 9)
    say_day, say_time = rng.choice((bare_french_date, weekday_iso_date)), rng.choice((capital_time, padded_tight_time))
    left = time(moment.hour + rng.randint(4, 7), rng.randrange(0, 60, 5))
    sheet.text(60, top + 70, f"Date de la visite : {say_day(day)}", 10)
    sheet.text(60, top + 86, f"Heure d'arrivée : {say_time(moment)}", 10)
    sheet.text(320, top + 86, f"Heure de départ : {say_time(left)}", 10)
    sheet.text(60, top + 102, f"Intervention : {rng.choice(OPERATIONS)}", 10)
    for row, words in enumerate(PROSE):
        said = words.format(kind=rng.choice(("générale", "locale", "régionale")), pain=rng.randint(0, 4))
        sheet.text(60, top + 132 + 17 * row, said, 9.2)
    sheet.text(60, top + 232, f"Prochain rendez-vous : {day + timedelta(days=rng.randint(20, 60)):%Y-%m-%d}", 9.2)
    sheet.scribble(380, top + 262)
    _band(sheet, top + 290, person, (day, moment))


def _band(sheet: Sheet, top: float, person: Person, visit: tuple[date, time]) -> None:
    """Identity as a card embosser sets it, with the NAM broken after the birth date."""
    sheet.frame(60, top, 552, top + 58, 1.1)
    sheet.bold(70, top + 18, sheet.fit(person.index_name, 10.5, 220), 10.5)
    sheet.text(70, top + 33, f"Dossier {sheet.rng.randint(100_000, 9_999_999)}   Req. {sheet.decoy()}", 8.5)
    born = "Née" if person.female else "Né"
    sheet.text(70, top + 48, f"{born} : {person.birth:%Y.%m.%d}", 8.5)
    sheet.text(330, top + 12, "N.A.M.", 6.5)
    style = NamStyle(BIRTH, "  ") if sheet.rng.random() < 1 / 2 else None
    sheet.nam(330, top + 28, person, 13, day=visit[0], moment=visit[1], style=style)
    sheet.text(330, top + 48, "Expiration 2028 / 06", 7.5)
