"""The list of a week's visits: date, time, file, patient, NAM, act and fee on every row."""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import NamedTuple

from extraction.corpus.layouts.sheet import Sheet
from extraction.corpus.people import invent_decoy
from extraction.corpus.wording import TIME_STYLES, day_first, iso_date, long_date, short_date

NAMS, ROWS, TOP, ROW = 24, 33, 132.0, 18.6
OPENING_DAYS = 5


class Columns(NamedTuple):
    """Left edges, in points."""

    day: float = 36
    time: float = 104
    file: float = 148
    patient: float = 202
    nam: float = 362
    act: float = 462
    fee: float = 516
    end: float = 576


AT = Columns()
TITLES = ("Date", "Heure", "Dossier", "Nom, prénom", "Nº ass. maladie", "Acte", "Montant")


def draw(sheet: Sheet) -> None:
    """Visits of one week in their order, at most 33 of them."""
    rng, setting = sheet.rng, sheet.setting
    monday = setting.day - timedelta(days=setting.day.weekday())
    _head(sheet, monday)
    wanted = NAMS if setting.people is None else min(setting.people, ROWS)
    visits = sorted((monday + timedelta(days=rng.randrange(OPENING_DAYS)), _moment(sheet)) for _ in range(wanted))
    say_day, say_time = rng.choice((iso_date, iso_date, day_first, short_date)), rng.choice(TIME_STYLES)
    for row, (day, moment) in enumerate(visits):
        y = TOP + ROW * row + 13
        sheet.text(AT.day + 3, y, say_day(day), 8.5)
        sheet.text(AT.time + 3, y, say_time(moment), 8.5)
        _visit(sheet, y, day, moment)
        sheet.line(AT.day, y + 5.6, AT.end, y + 5.6, 0.25)
    sheet.bold(AT.day, TOP + ROW * wanted + 22, f"Nombre de visites : {wanted}", 9)
    sheet.text(AT.end, TOP + ROW * wanted + 22, f"Lot {invent_decoy(rng, setting.day)}", 8.5, align="right")
    sheet.foot(f"Rapport RV-07 produit le {iso_date(monday + timedelta(days=7))} 07:15")


def _moment(sheet: Sheet) -> time:
    return time(sheet.rng.randint(8, 17), sheet.rng.randrange(0, 60, 5))


def _head(sheet: Sheet, monday: date) -> None:
    friday = monday + timedelta(days=OPENING_DAYS - 1)
    sheet.letterhead(46)
    sheet.bold(AT.day, 92, f"Liste des visites du {long_date(monday)} au {long_date(friday)}", 12)
    physician = sheet.setting.physician
    sheet.text(AT.day, 105, f"{physician.full_name}, permis {physician.licence}", 9)
    sheet.line(AT.day, TOP - 16, AT.end, TOP - 16, 0.9)
    sheet.line(AT.day, TOP, AT.end, TOP, 0.9)
    for x, title in zip(AT, TITLES, strict=False):
        sheet.bold(x + 3, TOP - 5, title, 8)


def _visit(sheet: Sheet, y: float, day: date, moment: time) -> None:
    rng, person = sheet.rng, sheet.patient()
    sheet.text(AT.file + 3, y, str(rng.randint(10_000, 999_999)), 8.5)
    sheet.text(AT.patient + 3, y, sheet.fit(person.index_name, 8.5, AT.nam - AT.patient - 6), 8.5)
    sheet.nam(AT.nam + 3, y, person, 8.5, day=day, moment=moment)
    sheet.text(AT.act + 3, y, f"{rng.randint(800, 15_999):05d}", 8.5)
    sheet.text(AT.end - 3, y, f"{rng.randint(1_500, 18_999) / 100:.2f} $".replace(".", ","), 8.5, align="right")
