"""A day plan of several rooms: hours down, rooms or practitioners across, a stack of lines for each appointment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import time, timedelta

from extraction.corpus.layouts.sheet import WIDTH, Sheet
from extraction.corpus.people import Person, invent_physician, invent_telephone
from extraction.corpus.wording import (
    TIME_STYLES,
    colon_time,
    english_time,
    full_date,
    full_english_date,
    hour_time,
    iso_date,
    long_date,
    slashed,
    weekday_date,
)

NAMS, TOP, FOOT, LEADING, SIZE = 14, 128.0, 756.0, 9.2, 7.8
LEFT, RIGHT, HOURS = 36.0, 576.0, 44.0
OPEN = 12 * 60
"""Minutes from the first slot, at eight, to the end of the last."""
FULL = 0.45
"""The share of slots that are taken, where the setting does not say how many people there are."""
NOTES = (
    "Suivi",
    "1re visite",
    "Pansement",
    "Vaccin",
    "Bilan",
    "Infiltration",
    "Retrait points",
    "Ret. labo",
    "Échec TA",
)
BUSY = ("Bloqué", "Réunion", "Dossiers", "Pause", "Libre", "Ménage")
TITLES = ("Grille du", "Horaire des salles –", "Plan de la journée :", "Rendez-vous –", "")


@dataclass(frozen=True, slots=True)
class _Plan:
    """How one page is set: the columns' left edges, the lines of a stack, and where and how hours are printed.

    A slot is `lines` high and a stack `stack` of them; `sink` is how far an hour stands below the slot's first line.
    `own` says that every appointment states its time itself, `both` that hours stand on the right too.
    """

    edges: tuple[float, ...]
    width: float
    stack: Sequence[str]
    minutes: int
    lines: int
    pitch: float
    sink: float
    own: bool
    both: bool
    say: Callable[[time], str]


def draw(sheet: Sheet) -> None:
    """One day; where a slot is lower than a stack, an appointment takes two slots and its time is that of the first."""
    plan = _plan(sheet)
    _head(sheet, plan)
    slots = min(int((FOOT - TOP) / plan.pitch), OPEN // plan.minutes)
    free = [True] * (len(plan.edges) * (slots + 1))
    _hours(sheet, plan, slots)
    span = 2 if len(plan.stack) > plan.lines else 1
    places = [(slot, column) for slot in range(slots - span + 1) for column in range(len(plan.edges))]
    sheet.rng.shuffle(places)
    wanted = sheet.wanted(int(FULL * len(places) / span))
    taken: list[tuple[int, int]] = []
    for slot, column in places:
        own = [column + len(plan.edges) * (slot + step) for step in range(span)]
        if len(taken) < wanted and all(free[place] for place in own):
            taken.append((slot, column))
            for place in own:
                free[place] = False
        elif free[own[0]] and sheet.rng.random() < 1 / 8:
            free[own[0]] = False
            sheet.text(plan.edges[column] + 4, _baseline(plan, slot), sheet.rng.choice(BUSY), SIZE)
    for slot, column in sorted(taken):
        _appointment(sheet, plan, slot, column)
    sheet.foot(f"Imprimé le {iso_date(sheet.setting.day - timedelta(days=1))} à 17:40")


def _plan(sheet: Sheet) -> _Plan:
    rng = sheet.rng
    across = rng.choice((2, 3, 3, 4))
    both = rng.random() < 1 / 4
    width = (RIGHT - LEFT - HOURS * (2 if both else 1)) / across
    own = rng.random() < 1 / 5
    rest = rng.sample(("telephone", "note", "born"), rng.choice((0, 1, 1, 2)))
    stack = rng.choice((("name", "nam", *rest), ("nam", "name", *rest), ("name", *rest, "nam")))
    stack = ("name", *(part for part in stack if part != "name")) if own else stack
    lines = len(stack) if len(stack) == 2 or rng.random() < 3 / 4 else 2  # noqa: PLR2004 - a slot of two lines
    gap = rng.choice((0.0, 3.0, 7.0)) if len(stack) <= lines else 0.0
    return _Plan(
        tuple(LEFT + HOURS + width * column for column in range(across)),
        width,
        stack,
        rng.choice((15, 15, 20, 30)) if len(stack) <= lines else 15,
        lines,
        LEADING * lines + gap,
        rng.choice((0.0, 0.0, -2.5, LEADING * (len(stack) - 1) / 2 if len(stack) <= lines else 0.0)),
        own,
        both,
        rng.choice((*TIME_STYLES, english_time, _hour_minutes)),
    )


def _hour_minutes(moment: time) -> str:
    """8h00, on the hour too."""
    return f"{moment.hour}h{moment:%M}"


def _head(sheet: Sheet, plan: _Plan) -> None:
    rng, day = sheet.rng, sheet.setting.day
    sheet.letterhead(44)
    english = plan.say is english_time
    said = (
        full_english_date(day) if english else rng.choice((full_date, long_date, iso_date, slashed, weekday_date))(day)
    )
    title = "Schedule for" if english else rng.choice(TITLES)
    if rng.random() < 1 / 2:
        sheet.bold(LEFT, 96, f"{title} {said}".strip(), 12)
    else:
        sheet.bold(RIGHT, 44, title.strip(" –:") or "Horaire", 11, align="right")
        sheet.text(306, 96, said, 11, align="centre")
    sheet.shade(LEFT, TOP - 20, RIGHT, TOP - 6, 0.88)
    names = rng.random() < 1 / 2
    for number, x in enumerate(plan.edges, 1):
        title = invent_physician(rng).full_name if names else f"Salle {number + rng.randint(0, 3) * 10}"
        sheet.bold(x + 4, TOP - 10, sheet.fit(title, 8, plan.width - 8, font=sheet.setting.face.bold), 8)


def _baseline(plan: _Plan, slot: int) -> float:
    return TOP + plan.pitch * slot + 2


def _moment(plan: _Plan, slot: int) -> time:
    return time(*divmod(8 * 60 + plan.minutes * slot, 60))


def _hours(sheet: Sheet, plan: _Plan, slots: int) -> None:
    ruled = sheet.rng.random() < 2 / 3
    for slot in range(slots):
        y = _baseline(plan, slot)
        said = plan.say(_moment(plan, slot))
        sheet.text(LEFT + 2, y + plan.sink, said, 7.5)
        if plan.both:
            sheet.text(RIGHT - 2, y + plan.sink, said, 7.5, align="right")
        if ruled:
            sheet.line(LEFT, y - 7, RIGHT, y - 7, 0.25)
    for x in plan.edges if ruled else ():
        sheet.line(x, TOP - 20, x, _baseline(plan, slots - 1) + plan.pitch - 7, 0.4)


def _appointment(sheet: Sheet, plan: _Plan, slot: int, column: int) -> None:
    person, moment = sheet.patient(), _moment(plan, slot)
    x, y = plan.edges[column] + 4, _baseline(plan, slot)
    for line, part in enumerate(plan.stack):
        words = _words(sheet, person, part)
        if part == "name" and plan.own:
            say = plan.say if plan.say in (colon_time, hour_time, english_time) else _hour_minutes
            x1 = sheet.bold(x, y + LEADING * line, f"{say(moment)} ", SIZE).x1 * WIDTH
            sheet.text(x1, y + LEADING * line, sheet.fit(words, SIZE, x + plan.width - 8 - x1), SIZE)
        elif part == "nam":
            sheet.nam(x, y + LEADING * line, person, SIZE, day=sheet.setting.day, moment=moment)
        else:
            sheet.text(x, y + LEADING * line, sheet.fit(words, SIZE, plan.width - 8), SIZE)


def _words(sheet: Sheet, person: Person, part: str) -> str:
    """One line of a stack but the NAM."""
    return {
        "name": person.index_name,
        "nam": "",
        "telephone": invent_telephone(sheet.rng),
        "note": sheet.rng.choice(NOTES),
        "born": f"{'Née' if person.female else 'Né'} {iso_date(person.birth)}",
    }[part]
