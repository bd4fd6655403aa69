"""A roll of everybody who came on one day: the day stands once on the page, among other dates, and mostly no time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from extraction.corpus.layouts.sheet import WIDTH, Sheet
from extraction.corpus.wording import (
    colon_time,
    day_first,
    english_date,
    full_date,
    iso_date,
    long_date,
    short_date,
    slashed,
    slashed_day_first,
    weekday_date,
)

NAMS, ROWS, TOP, ROW = 18, 24, 178.0, 22.5
TITLES = ("Clinique de dépistage", "Prise de sang sans rendez-vous", "Feuille de présence", "Clinique de vaccination",
          "Séance d'enseignement", "Screening clinic")  # fmt: skip
LABELS = ("Date :", "Date de la clinique :", "Tenue le", "Journée du", "Date", "Séance du", "Clinic date:", "Le", "")
DAYS: tuple[Callable[[date], str], ...] = (
    iso_date, long_date, full_date, short_date, day_first, slashed, slashed_day_first, weekday_date, english_date,
)  # fmt: skip
PLACES = {
    "left": (36.0, 122.0, "left"), "below": (36.0, 112.0, "left"), "right": (576.0, 98.0, "right"),
    "middle": (306.0, 116.0, "centre"), "letterhead": (576.0, 57.0, "right"), "foot": (36.0, 748.0, "left"),
}  # fmt: skip
TIMED = 0.25
"""The share of pages with a time in every row."""


def draw(sheet: Sheet) -> None:
    """At most 24 people of one day."""
    rng, day = sheet.rng, sheet.setting.day
    sheet.letterhead(44)
    place = rng.choice((*PLACES, "line"))
    title = rng.choice(TITLES)
    if place in ("left", "below"):
        sheet.bold(36, 98, title, 13)
    else:
        sheet.bold(306, 98, title, 13, align="centre")
    _day(sheet, place, rng.choice(LABELS[:-2] if place == "foot" else LABELS), rng.choice(DAYS)(day))
    _others(sheet, place)
    _rows(sheet, timed=rng.random() < TIMED)
    sheet.foot(f"Formulaire 12-{rng.randint(100, 999)} (rév. 2021-04)   Imprimé le {iso_date(day - timedelta(days=3))}")


def _day(sheet: Sheet, place: str, label: str, said: str) -> None:
    if place == "line":
        start = sheet.text(36, 122, "Date de la séance : ", 9.5).x1 * WIDTH
        sheet.line(start, 124, 260, 124, 0.5)
        sheet.text(start + 6, 121, said, 10.5)
        return
    x, y, align = PLACES[place]
    sheet.text(x, y, f"{label} {said}".strip(), 10, align=align)


def _others(sheet: Sheet, place: str) -> None:
    """Dates that are not the day's: an expiry, the next session, the last revision."""
    rng, day = sheet.rng, sheet.setting.day
    expiry = day + timedelta(days=rng.randint(90, 900))
    if rng.random() < 2 / 3:
        words = rng.choice(("Trousse lot {lot}, exp. {day}", "Lot : {lot}   Péremption : {day}", "Lot {lot} EXP {day}"))
        said = words.format(lot=f"{rng.choice('ABKRT')}{rng.randint(1000, 99999)}", day=rng.choice(DAYS)(expiry))
        sheet.text(36, 138, said, 8.5)
    if rng.random() < 1 / 2:
        later = day + timedelta(days=rng.choice((7, 14, 28)))
        words = rng.choice(("Prochaine séance : {}", "Prochaine clinique le {}", "Next session: {}"))
        sheet.text(576, 138, words.format(rng.choice(DAYS)(later)), 8.5, align="right")
    if place != "foot":
        sheet.text(36, 748, f"Signature : ____________________   Permis 2{rng.randint(10_000, 99_999)}", 8.5)


def _rows(sheet: Sheet, *, timed: bool) -> None:
    rng, day = sheet.rng, sheet.setting.day
    first, again = rng.random() < 1 / 2, rng.random() < 1 / 3
    at = {"nam": 62.0, "name": 176.0} if first else {"name": 62.0, "nam": 226.0}
    heads = {"no": 36.0, **at, "born": 334.0, "clock": 404.0, "note": 448.0}
    titles = {
        "no": "Nº",
        "nam": "NAM",
        "name": "Nom, prénom",
        "born": "Naissance",
        "note": "Rappel" if again else "Note",
    }
    titles |= {"clock": "Heure"} if timed else {}
    for key, words in titles.items():
        sheet.bold(heads[key], TOP - 14, words, 8)
    for row in range(sheet.wanted(NAMS, ROWS)):
        y, person = TOP + ROW * row, sheet.patient()
        moment = sheet.moment() if timed else None
        sheet.text(heads["no"], y, str(row + 1), 8.5)
        sheet.text(heads["name"], y, sheet.fit(person.index_name, 8.5, 155 if first else 160), 8.5)
        sheet.nam(heads["nam"], y, person, 8.5, day=day, moment=moment)
        sheet.text(heads["born"], y, iso_date(person.birth), 8.5)
        if moment:
            sheet.text(heads["clock"], y, colon_time(moment), 8.5)
        note = iso_date(day + timedelta(days=rng.choice((28, 60, 180)))) if again else rng.choice("✓ABC").strip("✓")
        sheet.text(heads["note"], y, note or "fait", 8.5)
        sheet.line(36, y + 6, 576, y + 6, 0.2)
