"""Two columns of appointments, each a small block of its own: what one block says, its neighbour may leave out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, time, timedelta

from extraction.corpus.layouts.sheet import WIDTH, Sheet
from extraction.corpus.people import Person, invent_telephone
from extraction.corpus.wording import DATE_STYLES, TIME_STYLES, iso_date, long_date

NAMS, DOWN, TOP, HIGH = 12, 7, 118.0, 91.0
COLUMNS = (40.0, 318.0)
UNKNOWN = 0.08
"""The share of blocks without a date, and of those without a time."""
LABELS = ("NAM :", "NAM:", "RAMQ :", "Nº ass. maladie:", "No d'assurance maladie :", "Ass. mal. :", "Carte soleil :")

DayStyle = Callable[[date], str]
TimeStyle = Callable[[time], str]


def draw(sheet: Sheet) -> None:
    """Blocks of one week, down the first column and then down the second; at most 14."""
    rng, setting = sheet.rng, sheet.setting
    monday = setting.day - timedelta(days=setting.day.weekday())
    sheet.letterhead(46)
    sheet.bold(36, 96, f"Rendez-vous de la semaine du {long_date(monday)}", 12)
    sheet.line(306, TOP - 8, 306, TOP + HIGH * DOWN, 0.4)
    styles = rng.choice(DATE_STYLES), rng.choice(TIME_STYLES)
    label, place_label = rng.choice(LABELS), rng.choice((_before, _before, _above, _below, _behind))
    for place in range(sheet.wanted(NAMS, DOWN * len(COLUMNS))):
        column, row = divmod(place, DOWN)
        x, y = COLUMNS[column], TOP + HIGH * row
        day = None if rng.random() < UNKNOWN else monday + timedelta(days=rng.randrange(5))
        moment = None if rng.random() < UNKNOWN else sheet.moment()
        person = sheet.patient()
        sheet.bold(x, y + 12, sheet.fit(person.full_name, 10.5, 240, font=setting.face.bold), 10.5)
        place_label(sheet, (x, y + 27), label, person, (day, moment))
        _rest(sheet, (x, y), person, (day, moment), styles)
    sheet.foot(f"Généré le {iso_date(monday - timedelta(days=3))} 17:02")


def _before(
    sheet: Sheet, at: tuple[float, float], label: str, person: Person, visit: tuple[date | None, time | None]
) -> None:
    caption = sheet.text(*at, label, 9)
    gap = sheet.rng.choice((0.5, 3.0, 6.0))
    sheet.nam(caption.x1 * WIDTH + gap, at[1], person, 9.5, day=visit[0], moment=visit[1])


def _above(
    sheet: Sheet, at: tuple[float, float], label: str, person: Person, visit: tuple[date | None, time | None]
) -> None:
    sheet.text(at[0], at[1] - 2, label, 6.5)
    sheet.nam(at[0], at[1] + 8, person, 9.5, day=visit[0], moment=visit[1])


def _below(
    sheet: Sheet, at: tuple[float, float], label: str, person: Person, visit: tuple[date | None, time | None]
) -> None:
    sheet.nam(*at, person, 9.5, day=visit[0], moment=visit[1])
    sheet.text(at[0], at[1] + 8, label.strip(" :"), 6.5)


def _behind(
    sheet: Sheet, at: tuple[float, float], label: str, person: Person, visit: tuple[date | None, time | None]
) -> None:
    box = sheet.nam(*at, person, 9.5, day=visit[0], moment=visit[1])
    sheet.text(box.x1 * WIDTH + 5, at[1], f"({label.strip(' :')})", 8)


def _rest(
    sheet: Sheet,
    at: tuple[float, float],
    person: Person,
    visit: tuple[date | None, time | None],
    styles: tuple[DayStyle, TimeStyle],
) -> None:
    (x, y), (day, moment) = at, visit
    born = "Née" if person.female else "Né"
    sheet.text(x, y + 47, f"{born} le {iso_date(person.birth)}    Tél. {invent_telephone(sheet.rng)}", 8.5)
    said_day = styles[0](day) if day else "à confirmer"
    said_time = styles[1](moment) if moment else "à confirmer"
    sheet.text(x, y + 60, f"Date de visite : {said_day}", 8.5)
    sheet.text(x + 140, y + 60, f"Heure : {said_time}", 8.5)
    sheet.text(x, y + 72, f"Dossier {sheet.rng.randint(10_000, 999_999)}", 8)
    sheet.line(x, y + 81, x + 250, y + 81, 0.2)
