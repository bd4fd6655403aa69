"""Newborn examinations: the baby has no number yet, and the mother's stands on the page, named as hers."""

from __future__ import annotations

from datetime import time, timedelta

from extraction.corpus.layouts.sheet import WIDTH, Sheet
from extraction.corpus.people import Person
from extraction.corpus.wording import DATE_STYLES, TIME_STYLES, iso_date, tight_time

PEOPLE, TOP, HIGH = 2, 108.0, 318.0
PENDING = ("à venir", "demandé à la RAMQ", "en attente", "______________", "n/d")
MOTHER = ("NAM de la mère :", "Nº ass. maladie (mère) :", "RAMQ mère :", "Mère - NAM")
YEARS = 18, 44


def draw(sheet: Sheet) -> None:
    """Two babies a page. Their birth, date and hour, is not the visit."""
    sheet.letterhead(46)
    sheet.bold(576, 46, "EXAMEN DU NOUVEAU-NÉ", 12, align="right")
    for place in range(sheet.wanted(PEOPLE, PEOPLE)):
        _baby(sheet, TOP + HIGH * place)
    sheet.foot("Pédiatrie NN-7")


def _mother(sheet: Sheet) -> Person:
    """A woman of an age to be one."""
    while True:
        person = sheet.patient()
        age = (sheet.setting.day - person.birth).days / 365.25
        if person.female and YEARS[0] <= age <= YEARS[1]:
            return person


def _baby(sheet: Sheet, top: float) -> None:
    rng, day, moment, mother = sheet.rng, sheet.setting.day, sheet.moment(8, 16, 15), _mother(sheet)
    born = day - timedelta(days=rng.randint(1, 20))
    girl = rng.random() < 1 / 2
    sheet.frame(36, top, 576, top + HIGH - 22, 0.9)
    sheet.bold(46, top + 20, f"{'Fille' if girl else 'Garçon'} {mother.surname}", 12)
    sheet.text(46, top + 36, f"NAM du bébé : {rng.choice(PENDING)}", 9)
    hour = time(rng.randint(0, 23), rng.randint(0, 59))
    sheet.text(46, top + 50, f"Naissance : {iso_date(born)} à {tight_time(hour)}", 9)
    sheet.text(306, top + 36, f"Dossier : {rng.randint(100_000, 999_999)}", 9)
    sheet.text(306, top + 50, f"Poids : {rng.randint(2_300, 4_400)} g   Apgar {rng.randint(7, 10)}", 9)
    sheet.line(36, top + 60, 576, top + 60, 0.5)
    sheet.text(46, top + 76, f"Mère : {mother.full_name}", 10)
    sheet.text(306, top + 76, f"Née le {iso_date(mother.birth)}", 9)
    caption = sheet.text(46, top + 94, rng.choice(MOTHER), 9)
    sheet.nam(caption.x1 * WIDTH + 5, top + 94, mother, 10.5, day=day, moment=moment)
    sheet.line(36, top + 106, 576, top + 106, 0.5)
    said = rng.choice(DATE_STYLES)(day), rng.choice(TIME_STYLES)(moment)
    sheet.bold(46, top + 124, f"Date de l'examen : {said[0]}", 10)
    sheet.bold(306, top + 124, f"Heure : {said[1]}", 10)
    _examination(sheet, top + 148)


def _examination(sheet: Sheet, top: float) -> None:
    organs = ("Tête et fontanelle", "Yeux", "Coeur", "Poumons", "Abdomen", "Hanches", "Peau", "Réflexes")
    for row, organ in enumerate(organs):
        x, y = 46 + 260 * (row % 2), top + 22 * (row // 2)
        sheet.frame(x, y - 8, x + 8, y, 0.5)
        sheet.text(x + 14, y, f"{organ} : {sheet.rng.choice(('normal', 'normal', 'à revoir'))}", 9)
    sheet.text(46, top + 100, f"{sheet.setting.physician.full_name}  ({sheet.setting.physician.licence})", 8.5)
    sheet.text(46, top + 116, f"Échantillon de sang : {sheet.decoy()}", 8.5)
