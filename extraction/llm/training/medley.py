"""Pages whose layout nobody has designed: columns, captions, order and wording are drawn anew for every page.

A small model that has only seen the few dozen layouts of the corpus has them by heart, and skips numbers on any other.
Here a page is put together from what pages are made of everywhere: a heading, perhaps sections by day, then people in
a table, in blocks of captions and values, in loose lines or in sentences, with the numbers and dates around them that
are none of theirs. It is drawn and read like any page of the corpus, and only ever trained on.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from io import BytesIO

from reportlab.pdfgen.canvas import Canvas

from extraction.corpus.documents import EARLIEST, CorpusDocument
from extraction.corpus.faces import FACES, HANDS, register_fonts
from extraction.corpus.layouts.sheet import HEIGHT, WIDTH, Setting, Sheet
from extraction.corpus.people import (
    NAMES,
    Person,
    invent_clinic,
    invent_physician,
    invent_postal_code,
    invent_street,
    invent_telephone,
)
from extraction.corpus.wording import (
    DATE_STYLES,
    ENGLISH_DATE_STYLES,
    ENGLISH_TIME_STYLES,
    TIME_STYLES,
    NamStyle,
    choose_style,
    compact_date,
    full_date,
    full_english_date,
    weekday_date,
)

KIND = "medley"
LEFT, RIGHT, TOP, FOOT = 36.0, 576.0, 40.0, 760.0
_MOST = 26
_NO_NUMBER = 0.05
"""The share of people whose number the page does not know."""
_NO_TIME = 0.06
_MISSING = ("–", "à venir", "aucune carte", "non assuré", "s. o.", "N/A", "carte expirée", "?", "...")

_NAM = (
    "NAM", "N.A.M.", "No NAM", "RAMQ", "No RAMQ", "N° RAMQ", "No d'assurance maladie", "Numéro d'assurance maladie",
    "Assurance maladie", "Ass. maladie", "No ass.-mal.", "Carte RAMQ", "Carte soleil", "Carte d'assurance maladie",
    "Carte", "No de carte", "NAM (RAMQ)", "Identifiant", "No AM", "Health card", "Health insurance no.", "HIN",
    "Medicare no.", "RAMQ no.", "Card number", "Health ins. number", "NAM du patient", "No assuré",
)  # fmt: skip
_NAME = (
    "Nom", "Nom, prénom", "Patient", "Patiente ou patient", "Usager", "Client", "Bénéficiaire", "Résident", "Enfant",
    "Nom de l'usager", "Nom et prénom", "Name", "Patient name", "Client name", "Personne", "Assuré",
)  # fmt: skip
_DATE = (
    "Date", "Date de visite", "Date du rendez-vous", "Date rdv", "Jour", "Visite du", "Vu le", "Consultation du",
    "Rendez-vous", "Date de service", "Présence", "Séance du", "Visit date", "Service date", "Date of visit", "Seen on",
)  # fmt: skip
_TIME = (
    "Heure", "H", "Hre", "Heure rdv", "Heure de visite", "Arrivée", "Début", "À", "Heure d'arrivée", "Time", "Start",
    "Visit time", "Arrival", "Plage", "Case horaire",
)  # fmt: skip
_BORN = ("DDN", "Né(e) le", "Naissance", "Date de naissance", "Naiss.", "D.N.", "DOB", "Date of birth", "Born")
_TITLES = (
    "Liste des patients", "Rendez-vous", "Feuille de route", "Registre", "Consultations", "Suivi des soins",
    "Présences", "Patients à voir", "Relevé des visites", "Appointments", "Visit log", "Patient list",
    "Clinique externe", "Rappels", "Tournée", "Demandes reçues", "Transferts", "Soins à domicile", "Liste de travail",
    "Bordereau", "Cahier de bord",
)  # fmt: skip
_REASONS = (
    "suivi", "contrôle TA", "vaccin", "pansement", "prise de sang", "renouvellement Rx", "examen annuel", "douleur",
    "nouveau patient", "urgence", "résultats", "follow-up", "BP check", "labs", "retrait points", "counselling", "INR",
    "grossesse 24 sem.", "échographie", "physio", "certificat CNESST", "référence", "annulé", "absent", "en attente",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Entry:
    """One person on the page; a `person` whose number is not known is None for the number only."""

    person: Person
    is_known: bool
    day: date | None
    moment: time | None


@dataclass(slots=True)
class _Plan:
    """What one page draws once, so that all its people look alike."""

    sheet: Sheet
    is_english: bool
    say_day: Callable[[date], str]
    say_time: Callable[[time], str]
    dated: str
    """Where the visit's date stands: "page", "section", "entry" or "" (nowhere)."""
    timed: bool
    size: float
    style: NamStyle
    captions: dict[str, str] = field(default_factory=dict)

    @property
    def rng(self) -> random.Random:
        return self.sheet.rng

    def caption(self, kind: str, choices: Sequence[str]) -> str:
        """The page's own word for a kind of value, always the same one."""
        if kind not in self.captions:
            word = self.rng.choice(choices)
            self.captions[kind] = self.rng.choice((word, word, word.upper(), word.lower()))
        return self.captions[kind]


def medley(seed: int, *, people: int | None = None, misprints: float = 0.0) -> CorpusDocument:
    """A document of one such page with its truth, always the same one for a seed."""
    rng = random.Random(f"{seed}/{KIND}")  # noqa: S311 - repeatable on purpose, and nothing secret comes from it
    setting = Setting(
        clinic=invent_clinic(rng),
        physician=invent_physician(rng),
        day=EARLIEST + timedelta(days=rng.randrange(400)),
        number=1,
        pages=rng.choice((1, 1, 2, 4, 12)),
        face=rng.choice(FACES),
        style=choose_style(rng),
        hands=HANDS,
        names=NAMES,
        people=people,
        misprints=misprints,
    )
    register_fonts()
    file = BytesIO()
    canvas = Canvas(file, pagesize=(WIDTH, HEIGHT), pageCompression=1, invariant=1)
    sheet = Sheet(canvas, setting, rng)
    draw(sheet)
    canvas.showPage()
    canvas.save()
    return CorpusDocument(file.getvalue(), sorted(sheet.truth, key=lambda item: item.box.y0), KIND, seed)


def draw(sheet: Sheet) -> None:
    """One page."""
    plan = _plan(sheet)
    y = _head(plan)
    draw_people = sheet.rng.choices((_table, _blocks, _loose, _prose), weights=(45, 28, 19, 8))[0]
    draw_people(plan, y)
    if sheet.rng.random() < 2 / 3:
        sheet.foot(
            sheet.rng.choice(
                (f"Imprimé le {plan.say_day(sheet.setting.day)} 06:30", "Confidentiel", "Page vérifiée par :")
            )
        )


def _plan(sheet: Sheet) -> _Plan:
    rng = sheet.rng
    is_english = rng.random() < 1 / 5
    days: list[Callable[[date], str]] = [
        *(ENGLISH_DATE_STYLES if is_english else DATE_STYLES),
        compact_date,
        weekday_date,
    ]
    return _Plan(
        sheet,
        is_english,
        rng.choice(days),
        rng.choice(ENGLISH_TIME_STYLES if is_english else TIME_STYLES),
        rng.choices(("page", "section", "entry", ""), weights=(30, 22, 38, 10))[0],
        rng.random() < 4 / 5,
        rng.choice((7.5, 8.0, 8.5, 9.0, 10.0)),
        choose_style(rng),
    )


def _head(plan: _Plan) -> float:
    """What stands above the people; gives the next baseline."""
    sheet, rng, y = plan.sheet, plan.rng, TOP
    if rng.random() < 2 / 3:
        sheet.letterhead(y)
        y += 40
    if rng.random() < 4 / 5:
        sheet.bold(rng.choice((LEFT, 200.0)), y, rng.choice(_TITLES), 12)
        y += 16
    said = (full_english_date if plan.is_english else full_date)(sheet.setting.day)
    said = rng.choice((said, plan.say_day(sheet.setting.day), said.capitalize()))
    notes = [
        plan.caption("physician", ("Médecin", "Dr", "Physician", "Prof."))
        + f" : {sheet.setting.physician.full_name} ({sheet.setting.physician.licence})"
    ]
    if plan.dated == "page":
        notes.append(rng.choice((said, f"{plan.caption('date', _DATE)} : {said}", f"Le {said}", f"Journée du {said}")))
    notes += [
        f"Salle {rng.randint(1, 12)}",
        f"Ouvert de 8 h à {rng.randint(17, 21)} h",
        f"Version {rng.randint(1, 9)}.{rng.randint(0, 9)}",
    ][: rng.randint(0, 2)]
    rng.shuffle(notes)
    together = rng.random() < 1 / 3
    for note in ["     ".join(notes)] if together else notes:
        sheet.text(LEFT, y, note, plan.size)
        y += plan.size + 4
    return y + 10


def _entries(plan: _Plan, most: int) -> Iterator[tuple[_Entry, bool]]:
    """The people in their order, and whether a section begins with each; a page of unknown dates has none."""
    rng, sheet = plan.rng, plan.sheet
    day, left = sheet.setting.day, 0
    minutes = rng.randint(7 * 60, 10 * 60)
    for _ in range(sheet.wanted(rng.randint(2, most), most)):
        opens = plan.dated == "section" and left == 0
        if opens:
            left = rng.randint(1, 7)
            day += timedelta(days=rng.choice((0, 1, 1, 2, 7)))
        left -= 1
        if plan.dated == "entry" and rng.random() < 1 / 2:
            day += timedelta(days=rng.choice((0, 1, 3, -2)))
        minutes = (minutes + rng.choice((0, 5, 10, 15, 20, 30, 45))) % (24 * 60)
        moment = time(minutes // 60, minutes % 60) if plan.timed and rng.random() > _NO_TIME else None
        is_known = rng.random() > _NO_NUMBER
        yield _Entry(sheet.patient(), is_known, day if plan.dated else None, moment), opens


def _section(plan: _Plan, y: float, day: date) -> float:
    """The line that says the day of those below it."""
    said = plan.rng.choice((plan.say_day, full_english_date if plan.is_english else full_date))(day)
    said = {"": said, "caption": f"{plan.caption('date', _DATE)} : {said}", "stars": f"*** {said} ***"}[
        plan.caption("section", ("", "caption", "stars")).lower()
    ]
    plan.sheet.bold(LEFT, y + 2, said, plan.size + 1)
    return y + plan.size + 8


# What stands beside a number: caption, then value


def _aside(plan: _Plan, kind: str, entry: _Entry) -> tuple[str, str]:
    """Something that is none of number, name, date and time of the visit."""
    rng, person = plan.rng, entry.person
    said: dict[str, tuple[Sequence[str], Callable[[], str]]] = {
        "born": (_BORN, lambda: plan.say_day(person.birth)),
        "sex": (("Sexe", "S", "Sex", "F/M"), lambda: "F" if person.female else "M"),
        "telephone": (("Téléphone", "Tél.", "Phone", "Cell."), lambda: invent_telephone(rng)),
        "file": (("Dossier", "No dossier", "Doss.", "File no.", "Chart"), lambda: f"{rng.randint(1_000, 999_999)}"),
        "invoice": (("Facture", "No facture", "Requête", "Invoice", "Réf."), plan.sheet.decoy),
        "address": (("Adresse", "Domicile", "Address"), lambda: f"{invent_street(rng)} {invent_postal_code(rng)}"),
        "reason": (("Motif", "Raison", "Reason", "Remarques", "Note"), lambda: rng.choice(_REASONS)),
        "expiry": (("Exp.", "Expiration", "Expiry"), lambda: f"{rng.randint(2026, 2031)}-{rng.randint(1, 12):02d}"),
        "physician": (("Médecin", "MD", "Dr", "Physician"), lambda: f"Dr {rng.choice(NAMES.surnames)}"),
        "licence": (("Permis", "No permis", "Licence"), lambda: f"1{rng.randint(0, 99_999):05d}"),
        "amount": (("Montant", "Honoraires", "Fee"), lambda: f"{rng.randint(12, 240)},{rng.randint(0, 99):02d} $"),
        "length": (("Durée", "Min", "Length"), lambda: f"{rng.choice((10, 15, 20, 30, 45))} min"),
        "age": (("Âge", "Age"), lambda: f"{rng.randint(0, 99)} ans"),
        "sin": (("NAS", "SIN"), lambda: f"{rng.randint(100, 999)} {rng.randint(100, 999)} {rng.randint(100, 999)}"),
        "room": (("Salle", "Local", "Room", "Lit"), lambda: f"{rng.choice('ABC')}-{rng.randint(1, 40)}"),
    }  # fmt: skip
    captions, value = said[kind]
    return plan.caption(kind, captions), value()


_ASIDES = (
    "born", "sex", "telephone", "file", "invoice", "address", "reason", "expiry", "physician", "licence", "amount",
    "length", "age", "sin", "room",
)  # fmt: skip


def _name(plan: _Plan, person: Person) -> str:
    form = plan.caption("form of names", ("index", "plain", "upper", "comma", "initial")).lower()
    return {
        "index": person.index_name,
        "plain": person.full_name,
        "upper": person.full_name.upper(),
        "comma": f"{person.surname}, {person.given_name}",
        "initial": f"{person.surname} {person.given_name[0]}.",
    }[form]


def _pair(plan: _Plan, kind: str, entry: _Entry) -> tuple[str, str]:
    """Caption and value of everything but the number."""
    if kind == "name":
        return plan.caption(kind, _NAME), _name(plan, entry.person)
    if kind == "date":
        return plan.caption(kind, _DATE), plan.say_day(entry.day) if entry.day else "–"
    if kind == "time":
        return plan.caption(kind, _TIME), plan.say_time(entry.moment) if entry.moment else "–"
    return _aside(plan, kind, entry)


def _kinds(plan: _Plan, most: int) -> list[str]:
    """What is said of each person, in an order of the page's own; the number is always among it."""
    rng = plan.rng
    kinds = ["nam"] + ["name"] * (rng.random() < 5 / 6) + ["time"] * plan.timed + ["date"] * (plan.dated == "entry")
    kinds += rng.sample(_ASIDES, rng.randint(0, max(0, most - len(kinds))))
    rng.shuffle(kinds)
    return kinds


def _print_nam(plan: _Plan, x: float, y: float, entry: _Entry) -> float:
    """The number, or a word in its place; gives where it ends."""
    sheet = plan.sheet
    if not entry.is_known:
        return sheet.text(x, y, plan.rng.choice(_MISSING), plan.size).x1 * WIDTH
    box = sheet.nam(x, y, entry.person, plan.size, day=entry.day, moment=entry.moment, style=plan.style)
    return box.x1 * WIDTH


# The four ways to set people


def _table(plan: _Plan, y: float) -> None:
    """A row each, under captions or not; what finds no room in the row stands in a line below it."""
    sheet, rng = plan.sheet, plan.rng
    kinds = _kinds(plan, rng.randint(3, 7))
    per_line = rng.choice((4, 5, 6, 7))
    split = [kinds[start : start + per_line] for start in range(0, len(kinds), per_line)]
    broken = "lines" if rng.random() < 1 / 10 else "cells" if rng.random() < 1 / 10 else ""
    ruled, step = rng.random() < 1 / 3, plan.size + rng.choice((3.0, 5.0, 8.0))
    if rng.random() < 5 / 6:
        for line in split:
            for kind, x in zip(line, _lefts(plan, line), strict=True):
                said = plan.caption(kind, _NAM) if kind == "nam" else _pair(plan, kind, _nobody(plan))[0]
                sheet.bold(x, y, sheet.fit(said, plan.size, (RIGHT - LEFT) / len(line)), plan.size)
            y += step
    high = step * len(split) + (step if broken == "lines" else 0)
    for entry, opens in _entries(plan, _MOST):
        if y + high + step > FOOT:
            return
        y = _section(plan, y, entry.day) if opens and entry.day else y
        if ruled:
            sheet.line(LEFT, y - plan.size, RIGHT, y - plan.size, 0.4)
        for place, line in enumerate(split):
            _row(plan, line, y + place * step, entry, broken)
        y += high


def _nobody(plan: _Plan) -> _Entry:
    return _Entry(plan.sheet.person(), False, None, None)


def _lefts(plan: _Plan, line: Sequence[str]) -> list[float]:
    """Where the cells of a row begin; names, addresses and numbers are given more room than others."""
    wide = [{"name": 2.0, "address": 2.4, "nam": 1.9, "reason": 1.5, "invoice": 1.7}.get(kind, 1.0) for kind in line]
    room = (RIGHT - LEFT) / sum(wide)
    return [LEFT + room * sum(wide[:place]) for place in range(len(line))]


def _row(plan: _Plan, line: Sequence[str], y: float, entry: _Entry, broken: str) -> None:
    sheet = plan.sheet
    lefts = [*_lefts(plan, line), RIGHT]
    for place, kind in enumerate(line):
        x, room = lefts[place], lefts[place + 1] - lefts[place] - 4
        if kind != "nam":
            sheet.text(x, y, sheet.fit(_pair(plan, kind, entry)[1], plan.size, room), plan.size)
        elif entry.is_known and broken == "lines":
            sheet.nam_in_lines(
                x, y, entry.person, plan.size, leading=plan.size + 1.5, day=entry.day, moment=entry.moment
            )
        elif entry.is_known and broken == "cells" and room > 9 * plan.size:
            cells = [(x + third * room / 3, x + (third + 1) * room / 3) for third in range(3)]
            sheet.nam_in_cells(cells, (4, 4, 4), y, entry.person, plan.size, day=entry.day, moment=entry.moment)
        else:
            _print_nam(plan, x, y, entry)


def _blocks(plan: _Plan, y: float) -> None:
    """A block each of captions and values, in one to three columns."""
    rng, sheet = plan.rng, plan.sheet
    columns = rng.choice((1, 1, 2, 2, 3))
    kinds = _kinds(plan, rng.randint(3, 8))
    colon, pairs_a_line = rng.choice((" : ", ": ", " ", " - ", " = ")), rng.choice((1, 1, 2, 3)) if columns == 1 else 1
    bare = frozenset(kind for kind in kinds if rng.random() < 1 / 4)
    step, room = plan.size + rng.choice((2.5, 4.0, 6.0)), (RIGHT - LEFT) / columns
    lines = [kinds[start : start + pairs_a_line] for start in range(0, len(kinds), pairs_a_line)]
    title = rng.choice(("", "", "Patient {}", "{}.", "No {}", "Fiche {}"))
    tops = [y] * columns
    for number, (entry, opens) in enumerate(_entries(plan, _MOST)):
        column = number % columns
        if opens and entry.day:
            tops = [_section(plan, max(tops), entry.day)] * columns
        if tops[column] + step * (len(lines) + 2) > FOOT:
            return
        x, at = LEFT + column * room, tops[column]
        if title:
            sheet.bold(x, at, title.format(number + 1), plan.size)
            at += step
        for line in lines:
            _captioned(plan, line, (x, at), entry, (colon, bare, room))
            at += step
        tops[column] = at + step * 0.8


def _captioned(
    plan: _Plan, line: Sequence[str], at: tuple[float, float], entry: _Entry, how: tuple[str, frozenset[str], float]
) -> None:
    """Captions with their values in one line of a block; those of `bare` have no caption."""
    (x, y), (colon, bare, room), sheet = at, how, plan.sheet
    right = x + room
    for kind in line:
        caption = plan.caption("nam", _NAM) if kind == "nam" else ""
        value = ""
        if kind != "nam":
            caption, value = _pair(plan, kind, entry)
        before = "" if kind in bare else caption + colon
        if kind == "nam":
            x = sheet.text(x, y, before, plan.size).x1 * WIDTH if before else x
            x = _print_nam(plan, x + 1, y, entry) + 14
        else:
            x = sheet.text(x, y, sheet.fit(before + value, plan.size, max(40.0, right - x)), plan.size).x1 * WIDTH + 14


def _loose(plan: _Plan, y: float) -> None:
    """One to three lines each, values one after the other with the page's own signs between them."""
    rng, sheet = plan.rng, plan.sheet
    kinds = _kinds(plan, rng.randint(2, 5))
    sign, step = rng.choice((", ", " - ", " / ", "  ", " | ", " ; ", " – ", " ")), plan.size + rng.choice((3.0, 5.0))
    bullet = rng.choice(("", "", "- ", "• ", "{}. ", "{}) ", "[ ] "))
    around = rng.choice((("", ""), ("", ""), ("(", ")"), ("NAM ", ""), ("NAM: ", ""), ("RAMQ ", ""), ("#", "")))
    lines = rng.choice((1, 1, 2))
    per_line = -(-len(kinds) // lines)
    for number, (entry, opens) in enumerate(_entries(plan, _MOST)):
        if y + step * (lines + 2) > FOOT:
            return
        y = _section(plan, y, entry.day) if opens and entry.day else y
        x = sheet.text(LEFT, y, bullet.format(number + 1), plan.size).x1 * WIDTH if bullet else LEFT
        for place, kind in enumerate(kinds):
            if place and place % per_line == 0:
                x, y = LEFT + 12, y + step
            elif place:
                x = sheet.text(x, y, sign, plan.size).x1 * WIDTH
            if kind == "nam":
                x = sheet.text(x, y, around[0], plan.size).x1 * WIDTH if around[0] else x
                x = _print_nam(plan, x, y, entry)
                x = sheet.text(x, y, around[1], plan.size).x1 * WIDTH if around[1] else x
            else:
                value = sheet.fit(_pair(plan, kind, entry)[1], plan.size, 170)
                x = sheet.text(x, y, value, plan.size).x1 * WIDTH
        y += step * rng.choice((1.0, 1.0, 1.5))


_SENTENCES = (
    "{title} {name} (NAM {nam}) a été vu(e) le {day} à {time} pour {reason}.",
    "Le {day} à {time}, {name}, {nam}, s'est présenté(e) pour {reason}.",
    "Nous avons reçu {name} ; numéro d'assurance maladie {nam} ; visite du {day}, {time}.",
    "Demande pour {name}, né(e) le {born}, carte {nam}. Rendez-vous fixé au {day} à {time}.",
    "{nam} – {name} – rencontre du {day} ({time}) : {reason}. Rappel au {telephone}.",
    "Please see {name}, health card {nam}, on {day} at {time} for {reason}.",
    "Objet : {name}, dossier {file}, RAMQ {nam}. Consultation le {day} vers {time}.",
    "À {time} le {day}, appel de {name} ({telephone}) : {reason}. Son NAM est le {nam}.",
)


def _prose(plan: _Plan, y: float) -> None:
    """A sentence or two each, broken where the line ends."""
    rng, sheet = plan.rng, plan.sheet
    plan.dated = "entry"
    sentence, right, step = rng.choice(_SENTENCES), rng.choice((576.0, 470.0, 330.0)), plan.size + 5
    sentence = (
        sentence.replace(" à {time}", "").replace(", {time}", "").replace(" ({time})", "")
        if not plan.timed
        else sentence
    )
    for entry, _opens in _entries(plan, 8):
        x = LEFT
        moment = None if "{time}" not in sentence else entry.moment
        said = _Entry(entry.person, entry.is_known, entry.day, moment)
        for word in _words(plan, sentence, said):
            wide = 14 * plan.size * 0.62 if word == "{nam}" else sheet.width(word + " ", plan.size)
            if x + wide > right:
                x, y = LEFT, y + step
            if word == "{nam}":
                x = _print_nam(plan, x, y, said) + 3
            else:
                x = sheet.text(x, y, word + " ", plan.size).x1 * WIDTH
        y += step * 1.6
        if y + 4 * step > FOOT:
            return


def _words(plan: _Plan, sentence: str, entry: _Entry) -> Iterator[str]:
    """The sentence in words, with the number as one word of its own; signs that touch it stand apart."""
    rng, person = plan.rng, entry.person
    said = sentence.replace("{nam}", " \0 ").format(
        title="Mme" if person.female else "M.", name=person.full_name, day=plan.say_day(entry.day or EARLIEST),
        time=plan.say_time(entry.moment) if entry.moment else "une heure inconnue", reason=rng.choice(_REASONS),
        born=plan.say_day(person.birth), telephone=invent_telephone(rng), file=rng.randint(1_000, 99_999),
    )  # fmt: skip
    for word in said.split(" "):
        if word:
            yield "{nam}" if word == "\0" else word
