"""The summary of a stay: prose with an arrival and a departure, and who it is about in a band at the foot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, time, timedelta

from extraction.corpus.layouts.sheet import Sheet
from extraction.corpus.people import Person, invent_telephone
from extraction.corpus.wording import (
    colon_time,
    day_first,
    hour_time,
    iso_date,
    long_date,
    short_date,
    tight_time,
)

LEFT, RIGHT, SIZE, LEADING, BAND = 60.0, 552.0, 10.5, 15.0, 690.0
ARRIVALS = (
    "Arrivée le {day} à {time} par ses propres moyens, {who} se plaint de douleurs depuis la veille.",
    "{who} s'est présenté à l'accueil le {day} vers {time} et a été vu au triage dans la demi-heure.",
    "Date d'arrivée : {day}. Heure d'arrivée : {time}. {who} est accompagné d'un proche.",
    "Admission le {day} à {time} pour observation; {who} est connu de nos services depuis 2019.",
)
COURSES = (
    "Les signes vitaux sont stables, tension de 132/78, saturation à 97 % à l'air ambiant.",
    "Le bilan sanguin montre une légère anémie, sans autre particularité. La radiographie est normale.",
    "Un traitement par acétaminophène 500 mg aux 6 h a été donné, avec bonne réponse au bout de deux heures.",
    "L'évolution a été favorable et la douleur est passée de 7/10 à 2/10. Aucun vomissement noté.",
)
DEPARTURES = (
    "Congé donné le {day} à {time}, retour à domicile avec ordonnance et feuille de conseils.",
    "Départ le {day} à {time} en compagnie de sa famille. Suivi prévu le {later} à la clinique externe.",
    "L'usager a quitté le {day} vers {time}. Prochain rendez-vous : {later}.",
)
DAYS: tuple[Callable[[date], str], ...] = (long_date, long_date, iso_date, short_date, day_first)
TIMES: tuple[Callable[[time], str], ...] = (hour_time, tight_time, colon_time)


def draw(sheet: Sheet) -> None:
    """One stay of one person; its visit is the arrival."""
    rng, day, person = sheet.rng, sheet.setting.day, sheet.patient()
    arrival = sheet.moment(7, 14)
    leaves = day + timedelta(days=rng.choice((0, 0, 1, 3)))
    departure = time(rng.randint(16, 20), rng.randrange(0, 60, 5))
    say_day, say_time = rng.choice(DAYS), rng.choice(TIMES)
    who = f"{'Mme' if person.female else 'M.'} {person.surname}"
    sheet.letterhead(46)
    sheet.bold(306, 106, rng.choice(("RÉSUMÉ DE SÉJOUR", "SOMMAIRE D'OBSERVATION", "NOTE DE FIN D'ÉPISODE")), 12,
               align="centre")  # fmt: skip
    later = say_day(leaves + timedelta(days=rng.randint(7, 30)))
    paragraphs = (
        rng.choice(ARRIVALS).format(day=say_day(day), time=say_time(arrival), who=who),
        " ".join(rng.sample(COURSES, rng.randint(2, 4))),
        rng.choice(DEPARTURES).format(day=say_day(leaves), time=say_time(departure), later=later),
    )
    y = 140.0
    for paragraph in paragraphs:
        y = _flow(sheet, paragraph.split(), y) + 8
    sheet.scribble(LEFT + 10, y + 36)
    sheet.text(LEFT, y + 56, f"{sheet.setting.physician.full_name}, permis {sheet.setting.physician.licence}", 9)
    sheet.text(LEFT, y + 68, f"Dicté et signé le {iso_date(leaves + timedelta(days=1))}", 8)
    _band(sheet, person, day, arrival)
    sheet.foot(f"AH-{rng.randint(100, 999)} DT{rng.randint(1000, 9999)} (rév. 2018-03)")


def _flow(sheet: Sheet, words: Sequence[str], y: float) -> float:
    """Set words in lines from `y` down; gives the baseline after the last."""
    x, gap = LEFT, sheet.width(" ", SIZE)
    for word in words:
        width = sheet.width(word, SIZE)
        if x + width > RIGHT:
            x, y = LEFT, y + LEADING
        sheet.text(x, y, word, SIZE)
        x += width + gap
    return y + LEADING


def _band(sheet: Sheet, person: Person, day: date, moment: time) -> None:
    """The identity, in one line of cells or in two."""
    rng = sheet.rng
    sheet.frame(36, BAND, 576, BAND + 52, 0.8)
    sheet.bold(44, BAND + 16, sheet.fit(person.index_name, 10, 200, font=sheet.setting.face.bold), 10)
    sheet.text(44, BAND + 34, f"Naissance : {iso_date(person.birth)}", 8.5)
    left = rng.choice((262.0, 300.0, 400.0))
    sheet.text(left, BAND + 14, "NAM", 7)
    sheet.nam(left, BAND + 28, person, 10, day=day, moment=moment)
    sheet.text(left, BAND + 44, f"Dossier {rng.randint(10_000, 999_999)}   {invent_telephone(rng)}", 8)
