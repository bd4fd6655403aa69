"""A ruled table whose columns cut the NAM: over cells, or over the lines of one narrow cell."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, time, timedelta

from extraction.corpus.layouts.sheet import Sheet
from extraction.corpus.people import Person
from extraction.corpus.wording import BIRTH, CARD, DATE_STYLES, PAIRS, TIME_STYLES, iso_date, long_date

NAMS, ROWS, TOP, ROW = 14, 20, 140.0, 30.0
EDGES = (36.0, 106.0, 160.0, 318.0, 486.0, 576.0)
NAM_LEFT, NAM_RIGHT = EDGES[3], EDGES[4]
GROUPS = (CARD, CARD, BIRTH, PAIRS)
HEADINGS = {
    CARD: ("NAM 1-4", "5-8", "9-12"), BIRTH: ("Lettres", "Chiffres", "Fin"), PAIRS: ("Nom", "AA", "MM", "JJ", "Adm."),
}  # fmt: skip
LINES = ((4, 8), (4, 4, 4), (8, 4), (6, 6))
ACTS = ("Visite", "Visite périodique", "Suivi", "Chirurgie mineure", "Prise en charge", "Urgence", "Appel")


def draw(sheet: Sheet) -> None:
    """Visits of one week, at most 20; the whole page cuts its NAMs the same way."""
    rng, setting = sheet.rng, sheet.setting
    monday = setting.day - timedelta(days=setting.day.weekday())
    sheet.letterhead(46)
    sheet.bold(36, 94, f"Relevé des services, semaine du {long_date(monday)}", 12)
    sheet.text(36, 107, f"{setting.physician.full_name}, permis {setting.physician.licence}", 9)
    wanted = sheet.wanted(NAMS, ROWS)
    print_nam = _in_lines(sheet) if rng.random() < 1 / 3 else _in_cells(sheet)
    visits = sorted((monday + timedelta(days=rng.randrange(5)), sheet.moment()) for _ in range(wanted))
    say_day, say_time = rng.choice(DATE_STYLES), rng.choice(TIME_STYLES)
    for row, visit in enumerate(visits):
        y, person = TOP + ROW * row + 18, sheet.patient()
        sheet.text(EDGES[0] + 3, y, say_day(visit[0]), 8.5)
        sheet.text(EDGES[1] + 3, y, say_time(visit[1]), 8.5)
        sheet.text(EDGES[2] + 3, y, sheet.fit(person.index_name, 8.5, EDGES[3] - EDGES[2] - 6), 8.5)
        print_nam(y, person, visit)
        sheet.text(EDGES[4] + 4, y, sheet.fit(rng.choice(ACTS), 8.5, 84), 8.5)
    _rule(sheet, wanted)
    sheet.foot(f"Imprimé le {iso_date(monday + timedelta(days=8))}   Lot {sheet.decoy()}")


PrintNam = Callable[[float, Person, tuple[date, time]], None]


def _in_cells(sheet: Sheet) -> PrintNam:
    """Each group in a ruled cell of its own."""
    groups = sheet.rng.choice(GROUPS)
    ends = [sum(groups[: place + 1]) for place in range(len(groups))]
    unit = (NAM_RIGHT - NAM_LEFT) / 12
    cells = [(NAM_LEFT + unit * (end - size), NAM_LEFT + unit * end) for end, size in zip(ends, groups, strict=True)]
    for (left, right), title in zip(cells, HEADINGS[groups], strict=True):
        sheet.bold((left + right) / 2, TOP - 6, title, 7, align="centre")
        sheet.line(right, TOP - 18, right, TOP + ROW * sheet.wanted(NAMS, ROWS), 0.5)

    def show(y: float, person: Person, visit: tuple[date, time]) -> None:
        sheet.nam_in_cells(cells, groups, y, person, 9.5, day=visit[0], moment=visit[1])

    return show


def _in_lines(sheet: Sheet) -> PrintNam:
    """A cell too narrow for the whole number: it is broken over two or three lines."""
    groups = sheet.rng.choice(LINES)
    leading = 8.6 if len(groups) > 2 else 10.6  # noqa: PLR2004 - three lines must share the height of two
    sheet.bold((NAM_LEFT + NAM_RIGHT) / 2, TOP - 6, "Nº d'assurance maladie", 7.5, align="centre")

    def show(y: float, person: Person, visit: tuple[date, time]) -> None:
        up = leading * (len(groups) - 1) / 2
        sheet.nam_in_lines(
            NAM_LEFT + 50, y - up, person, 8.6, groups=groups, leading=leading, day=visit[0], moment=visit[1]
        )

    return show


def _rule(sheet: Sheet, rows: int) -> None:
    for x, title in zip(EDGES, ("Date", "Heure", "Nom, prénom", "", "Service"), strict=False):
        sheet.bold(x + 3, TOP - 6, title, 8)
    for x in EDGES:
        sheet.line(x, TOP - 18, x, TOP + ROW * rows, 0.5)
    for row in range(-1, rows + 1):
        y = TOP + ROW * row if row >= 0 else TOP - 18
        sheet.line(EDGES[0], y, EDGES[-1], y, 0.5)
