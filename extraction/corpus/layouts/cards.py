"""Cards of a reception desk, two across: a caption over every value, or under it; some times are missing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta

from extraction.corpus.layouts.sheet import Sheet
from extraction.corpus.people import Person
from extraction.corpus.wording import (
    DATE_STYLES,
    ENGLISH_DATE_STYLES,
    ENGLISH_TIME_STYLES,
    TIME_STYLES,
    iso_date,
)

NAMS, DOWN, TOP = 8, 5, 84.0
NO_TIME, NO_DAY = 0.2, 0.05
FRENCH = (
    "Nº d'assurance maladie",
    "Nom de l'usager",
    "Date de naissance",
    "Date de visite",
    "Heure",
    "Dossier",
    "Reçu",
)
ENGLISH = ("Health insurance no.", "Patient name", "Date of birth", "Visit date", "Time", "File no.", "Receipt")


@dataclass(frozen=True, slots=True)
class _Style:
    """What a page calls its values, what stands beside what, and how it says days and times."""

    captions: Sequence[str]
    rows: tuple[tuple[str, ...], ...]
    lefts: tuple[float, ...]
    high: float
    below: bool
    framed: bool
    say_day: Callable[[date], str]
    say_time: Callable[[time], str]


def draw(sheet: Sheet) -> None:
    """At most ten cards of one week, each with a day of its own."""
    style = _style(sheet)
    sheet.bold(36, 48, sheet.setting.clinic.name, 12)
    sheet.text(576, 48, f"Poste {sheet.rng.randint(1, 6)}", 9, align="right")
    for place in range(sheet.wanted(NAMS, DOWN * len(style.lefts))):
        down, across = divmod(place, len(style.lefts))
        _card(sheet, style, style.lefts[across], TOP + style.high * down)
    sheet.foot(f"Imprimé le {iso_date(sheet.setting.day + timedelta(days=1))} 07:45")


def _style(sheet: Sheet) -> _Style:
    rng = sheet.rng
    english = rng.random() < 1 / 4
    rows = rng.choice(
        (
            (("name",), ("nam", "born"), ("day", "clock"), ("file", "receipt")),
            (("nam", "name"), ("day", "clock"), ("born", "file")),
            (("day", "clock"), ("name",), ("nam", "receipt"), ("born", "file")),
            (("name", "born"), ("file", "nam"), ("clock", "day")),
        )
    )
    return _Style(
        ENGLISH if english else FRENCH,
        rows,
        rng.choice(((36.0, 312.0), (36.0,))),
        130.0,
        rng.random() < 1 / 4,
        rng.random() < 1 / 2,
        rng.choice(ENGLISH_DATE_STYLES if english else DATE_STYLES),
        rng.choice(ENGLISH_TIME_STYLES if english else TIME_STYLES),
    )


def _card(sheet: Sheet, style: _Style, x: float, top: float) -> None:
    rng, person = sheet.rng, sheet.patient()
    day = None if rng.random() < NO_DAY else sheet.setting.day - timedelta(days=rng.randrange(5))
    moment = None if rng.random() < NO_TIME else sheet.moment(8, 18)
    if style.framed:
        sheet.frame(x, top, x + 258, top + style.high - 12, 0.5)
    keys = ("nam", "name", "born", "day", "clock", "file", "receipt")
    captions = dict(zip(keys, style.captions, strict=True))
    values = _values(sheet, style, person, (day, moment))
    for down, row in enumerate(style.rows):
        for across, key in enumerate(row):
            left, y = x + 8 + 132 * across, top + 22 + 27 * down
            sheet.text(left, y + (9 if style.below else -10), captions[key], 6.5)
            if key == "nam":
                sheet.nam(left, y, person, 9, day=day, moment=moment)
            else:
                sheet.text(left, y, sheet.fit(values[key], 9, 124 if len(row) > 1 else 240), 9)


def _values(sheet: Sheet, style: _Style, person: Person, visit: tuple[date | None, time | None]) -> dict[str, str]:
    """What a card says, but the NAM."""
    day, moment = visit
    return {
        "name": person.full_name,
        "born": iso_date(person.birth),
        "day": style.say_day(day) if day else "",
        "clock": style.say_time(moment) if moment else sheet.rng.choice(("", "s. r.-v.", "–")),
        "file": f"{sheet.rng.randint(10_000, 999_999)}",
        "receipt": f"{sheet.rng.randint(1_000, 9_999)}",
    }
