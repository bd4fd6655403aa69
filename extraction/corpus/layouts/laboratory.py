"""A laboratory's cumulative report: three people a page, their numbers in a column beside the labels."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, time, timedelta

from extraction.corpus.layouts.sheet import Sheet
from extraction.corpus.people import Person, invent_physician, invent_telephone
from extraction.corpus.wording import TIME_STYLES, day_first, iso_date, slashed

PEOPLE, TOP, HIGH = 3, 96.0, 222.0
TESTS = (
    ("Hémoglobine", "g/L", 110, 165, "120 - 160"), ("Leucocytes", "10^9/L", 3, 12, "4,0 - 11,0"),
    ("Plaquettes", "10^9/L", 130, 420, "150 - 400"), ("Glucose à jeun", "mmol/L", 4, 9, "3,9 - 6,1"),
    ("HbA1c", "%", 5, 9, "< 6,5"), ("Créatinine", "umol/L", 50, 120, "53 - 97"), ("TSH", "mUI/L", 1, 6, "0,4 - 4,5"),
    ("Cholestérol LDL", "mmol/L", 1, 5, "< 3,5"), ("Potassium", "mmol/L", 3, 6, "3,5 - 5,1"),
    ("Ferritine", "ug/L", 12, 300, "20 - 250"), ("ALT", "U/L", 9, 70, "< 41"), ("INR", "", 1, 4, "0,9 - 1,2"),
)  # fmt: skip


def draw(sheet: Sheet) -> None:
    """The visit is when the sample was taken; receipt and report came later and are not it."""
    rng = sheet.rng
    sheet.bold(36, 44, "Laboratoire médical Trois-Rives", 14)
    sheet.text(36, 57, f"Téléphone {invent_telephone(rng)}   Permis de laboratoire LM-{rng.randint(1000, 9999)}", 8)
    sheet.bold(576, 44, "RAPPORT CUMULATIF", 11, align="right")
    sheet.text(576, 57, f"Rapport {sheet.decoy()}", 8.5, align="right")
    sheet.line(36, 66, 576, 66, 1.2)
    for place in range(sheet.wanted(PEOPLE, PEOPLE)):
        _block(sheet, TOP + HIGH * place)
    sheet.foot(f"Rapport produit le {iso_date(sheet.setting.day + timedelta(days=2))} 06:40")


def _block(sheet: Sheet, top: float) -> None:
    rng, day, moment = sheet.rng, sheet.setting.day, sheet.moment(6, 11)
    person = sheet.patient()
    sheet.shade(36, top - 14, 576, top + 54, 0.94)
    _identity(sheet, top, person, (day, moment))
    _sample(sheet, top, (day, moment), rng.choice((iso_date, slashed, day_first)))
    for x, title in ((44, "Analyse"), (230, "Résultat"), (310, "Unité"), (390, "Référence"), (500, "Méthode")):
        sheet.bold(x, top + 70, title, 8.5)
    for row, (name, unit, low, high, usual) in enumerate(rng.sample(TESTS, 8)):
        y = top + 84 + 13.5 * row
        value = f"{rng.uniform(low, high):.1f}".replace(".", ",")
        for x, words in ((44, name), (230, value), (310, unit), (390, usual), (500, f"M{rng.randint(10, 99)}")):
            sheet.text(x, y, words, 8.5)


def _identity(sheet: Sheet, top: float, person: Person, visit: tuple[date, time]) -> None:
    """Labels in one column and values in the next."""
    labels = ("Patient", "NAM", "Naissance", "Sexe")
    for row, label in enumerate(labels):
        sheet.text(44, top + 14 * row, label, 8.5)
    sheet.bold(120, top, sheet.fit(person.index_name, 9, 190), 9)
    sheet.nam(120, top + 14, person, 9.5, day=visit[0], moment=visit[1])
    sheet.text(120, top + 28, iso_date(person.birth), 9)
    sheet.text(120, top + 42, "Féminin" if person.female else "Masculin", 9)


def _sample(sheet: Sheet, top: float, visit: tuple[date, time], say_day: Callable[[date], str]) -> None:
    rng, (day, moment) = sheet.rng, visit
    say_time = rng.choice(TIME_STYLES)
    received = time(moment.hour + 3, rng.randint(0, 59))
    rows = (
        ("Date du prélèvement", f"{say_day(day)}  {say_time(moment)}"),
        ("Reçu le", f"{say_day(day)}  {say_time(received)}"),
        ("Prescripteur", f"{invent_physician(rng).full_name}"),
        ("Nº de requête", sheet.decoy() if rng.random() < 1 / 2 else f"R{rng.randint(10**8, 10**9)}"),
    )
    for row, (label, value) in enumerate(rows):
        sheet.text(324, top + 14 * row, label, 8.5)
        sheet.text(430, top + 14 * row, sheet.fit(value, 8.5, 142), 8.5)
