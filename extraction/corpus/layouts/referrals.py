"""Referrals with their NAMs among more codes of the same shape: files, requests, acts, and prose full of digits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, time
from typing import NamedTuple

from extraction import nam
from extraction.corpus.codes import Numbering, Scheme, invent_scheme, with_look_alikes
from extraction.corpus.layouts.sheet import WIDTH, Sheet
from extraction.corpus.layouts.typeset import LEFT, RIGHT, Column, Rules, draw_columns, paragraph
from extraction.corpus.people import Person, invent_physician, invent_postal_code, invent_street, invent_telephone
from extraction.corpus.wording import (
    CARD,
    DATE_STYLES,
    NAM_STYLES,
    TIME_STYLES,
    NamStyle,
    full_date,
    iso_date,
    long_date,
    printed_nam,
)

FEWEST, MOST = 3, 8
TITLES = (
    "Demandes de consultation", "Références et facturation", "Referrals and billing", "Suivi des demandes",
    "Relevé des consultations", "Guichet d'accès : demandes traitées",
)  # fmt: skip
LABELS = ("NAM", "NAM :", "RAMQ", "RAMQ :", "Nº ass. maladie :", "Ass. mal.", "No d'assurance maladie", "HIN:", "", "")
FILES = (
    "Dossier", "Réf.", "Demande", "Nº de requête", "Dossier local", "Facture", "Transaction", "File no.", "Épisode",
    "Bon", "Autorisation", "Votre réf.",
)  # fmt: skip
DIAGNOSES = ("J06.9", "M54.5", "I10", "E11.9", "F41.1", "N39.0", "L20.9", "K21.0", "O24.4", "R10.4")
ACTS = ("08875", "15804", "15161", "09170", "08929", "00105", "20031")
NEAR_WORDS = ("CLSC", "AOUT", "MARS", "JUIN", "ZONE", "CODE", "BLOC", "AILE", "CHUM", "CRDS", "INFO", "POST")
"""Words of four letters that digits follow, as they do in a number."""
LONG_WORDS = ("SERVICE", "CLINIQUE", "REFERENCE", "GUICHET", "SALLE", "OCTOBRE", "TELECOPIE", "URGENCE")
PROSE = (
    "Les demandes reçues du {w} sont jointes au lot {c}; voir aussi {l} pour les délais.",
    "Transmis par télécopieur le {d} ({w}). En cas d'erreur, aviser le {t}, boîte {c}.",
    "Selon l'entente {l}, les demandes du {w} sont traitées avant celles de la liste {c}.",
    "Note : la réunion {w} est reportée; {l}. Les dossiers {c} et {e} restent ouverts.",
    "Fax reçu de {l}, page 2 de 4. Adresse de retour : {a}, {z} {n}.",
    "Retourner à {z} {n} avec le bordereau {e}, réf. {c}.",
    "Archives : les boîtes {c}, {e} et {k} ont été envoyées au {w}.",
)
SAMPLES = (
    "Exemple : {n}", "Inscrire le NAM comme suit (exemple) : {n}", "Spécimen : {n}",
    "Format : 4 lettres, 8 chiffres (p. ex. {n})",
    "Sample number, not a patient: {n}", "{n} (numéro fictif)",
)  # fmt: skip
RULES: Sequence[Rules] = ("none", "rows", "cells")


class Visit(NamedTuple):
    """Somebody who was seen, and when."""

    person: Person
    day: date
    moment: time


def draw(sheet: Sheet) -> None:
    """Three to eight people, in blocks or in a table, with prose above and the archives' files below."""
    rng, day = sheet.rng, sheet.setting.day
    count = sheet.wanted(rng.randint(FEWEST, MOST), MOST)
    sheet.letterhead(46)
    sheet.bold(LEFT, 96, f"{rng.choice(TITLES)}, {full_date(day)}", 12)
    y = 114.0
    for template in rng.sample(PROSE, 2):
        y = paragraph(sheet, _told(sheet, template), y, size=9, leading=12) + 2
    moments = sorted({sheet.moment() for _ in range(4 * count)})[:count]
    visits = [Visit(sheet.patient(), day, moment) for moment in moments]
    y = rng.choice((_blocks, _table))(sheet, visits, y + 10)
    y = _archives(sheet, y + 22)
    _sample(sheet, y + 14)
    sheet.foot(
        f"Imprimé le {iso_date(day)}   Travail {printed_nam(sheet.code(invent_scheme(rng)), NamStyle(CARD, '-'))}"
    )


def _told(sheet: Sheet, template: str) -> str:
    """A sentence with what looks like the parts of a number in it."""
    rng, day = sheet.rng, sheet.setting.day
    scheme, style = invent_scheme(rng), rng.choice(NAM_STYLES)

    def code() -> str:
        return printed_nam(sheet.code(scheme), style)

    near = Scheme(rng.choice(NEAR_WORDS), rng.choice(("yearly", "dated", "free")))
    say: dict[str, Callable[[], str]] = {
        "w": lambda: printed_nam(sheet.code(near), NamStyle(CARD, " ")),
        "l": lambda: f"{rng.choice(LONG_WORDS)} {rng.randint(1, 9_999):04d} {rng.randint(1_900, 2_025)}",
        "c": code,
        "e": code,
        "k": lambda: with_look_alikes(rng, scheme.invent(rng, day)),
        "d": lambda: rng.choice(DATE_STYLES)(day),
        "t": lambda: invent_telephone(rng),
        "a": lambda: invent_street(rng),
        "z": lambda: invent_postal_code(rng),
        "n": lambda: f"{rng.randint(1, 9_999):04d} {rng.randint(1, 9_999):04d}",
    }
    return template.format(**{name: draw() for name, draw in say.items() if f"{{{name}}}" in template})


def _blocks(sheet: Sheet, visits: Sequence[Visit], y: float) -> float:
    """Four lines a person: name, numbers in one of several orders, visit, and what was asked for."""
    rng = sheet.rng
    say = rng.choice(DATE_STYLES), rng.choice(TIME_STYLES)
    label, first = rng.choice(LABELS), rng.random() < 1 / 2
    files = [(rng.choice(FILES), invent_scheme(rng), rng.choice(NAM_STYLES)) for _ in range(2)]
    series = [sheet.codes(scheme, len(visits)) for _, scheme, _ in files]
    high = min(66.0, 400 / max(1, len(visits)))
    for place, visit in enumerate(visits):
        person = visit.person
        born = "née" if person.female else "né"
        sheet.bold(LEFT, y, sheet.fit(person.index_name, 9.5, 230, font=sheet.setting.face.bold), 9.5)
        sheet.text(LEFT + 250, y, f"{born} le {iso_date(person.birth)}", 8.5)
        sheet.text(RIGHT, y, invent_telephone(rng), 8.5, align="right")
        told = [
            f"{name} {printed_nam(values[place], style)}"
            for (name, _, style), values in zip(files, series, strict=True)
        ]
        _numbers(sheet, y + 12, label, visit, told, first=first)
        seen = "Vue" if person.female else "Vu"
        sheet.text(LEFT, y + 24, f"{seen} le {say[0](visit.day)} à {say[1](visit.moment)}", 8.5)
        door = f"{invent_postal_code(rng)} {rng.randint(1, 9_999):04d}"
        sheet.text(LEFT + 200, y + 24, f"Code {rng.choice(ACTS)}   Dx {rng.choice(DIAGNOSES)}   {door}", 8.5)
        if rng.random() < 1 / 2:
            physician = invent_physician(rng)
            sheet.text(RIGHT, y + 24, f"{physician.full_name}, {physician.licence}", 7.5, align="right")
        sheet.line(LEFT, y + 32, RIGHT, y + 32, 0.25)
        y += high
    return y - high + 32


def _numbers(sheet: Sheet, y: float, label: str, visit: Visit, told: list[str], *, first: bool) -> None:
    """The line of a person's numbers: the NAM before the codes, or between them."""
    x = LEFT
    if not first:
        x = sheet.text(x, y, told.pop(0), 8.5).x1 * WIDTH + 16
    if label:
        x = sheet.text(x, y, label, 8.5).x1 * WIDTH + 4
    box = sheet.nam(x, y, visit.person, 9, day=visit.day, moment=visit.moment)
    sheet.text(box.x1 * WIDTH + 16, y, "   ".join(told), 8.5)


def _table(sheet: Sheet, visits: Sequence[Visit], y: float) -> float:
    """One line a person: the NAM in a column beside one or two columns of codes."""
    rng = sheet.rng
    say = rng.choice(TIME_STYLES)
    printed = [sheet.figures(visit.person) for visit in visits]
    numbers = Column(rng.choice(("NAM", "RAMQ", "Ass. maladie", "Nº ass. mal.", "")), printed, figures=True)
    columns = [
        numbers,
        Column("Nom", [visit.person.index_name for visit in visits], cuttable=True),
        *(_files(sheet, len(visits)) for _ in range(rng.randint(1, 2))),
        Column("Dx", [rng.choice(DIAGNOSES) for _ in visits]),
        Column("Acte", [rng.choice(ACTS) for _ in visits]),
    ]
    rng.shuffle(columns)
    columns.insert(0, Column("Heure", [say(visit.moment) for visit in visits]))
    row = rng.uniform(18, 24)
    boxes = draw_columns(sheet, columns, top=y + 6, row=row, size=8.5, rules=rng.choice(RULES))
    for visit, box, words in zip(visits, boxes[columns.index(numbers)], printed, strict=True):
        sheet.know(visit.person, box, words, visit.day, visit.moment)
    return y + 10 + row * len(visits)


def _files(sheet: Sheet, count: int) -> Column:
    rng = sheet.rng
    values, style = sheet.codes(invent_scheme(rng), count), rng.choice(NAM_STYLES)
    return Column(rng.choice(FILES), [printed_nam(value, style) for value in values], figures=True)


def _archives(sheet: Sheet, y: float) -> float:
    """Other people's files, whose codes begin like their names and hold no birth date that checks."""
    rng, day = sheet.rng, sheet.setting.day
    sheet.bold(LEFT, y, rng.choice(("Dossiers demandés aux archives", "Files to return", "Dossiers en suspens")), 9.5)
    style = rng.choice(NAM_STYLES)
    numbering: Numbering = rng.choice(("yearly", "free", "running"))
    label, first = rng.choice(("Dossier", "File", "Nº de dossier", "Doss.")), rng.randrange(10**8)
    for place in range(rng.randint(3, 5)):
        y += 13
        person = sheet.person()
        letters = nam.surname_letters(person.surname) + nam.given_letter(person.given_name)
        value = Scheme(letters, numbering, first).invent(rng, day, place)
        sheet.text(LEFT + 10, y, sheet.fit(person.full_name, 8.5, 170), 8.5)
        sheet.text(LEFT + 190, y, f"{label} {printed_nam(value, style)}", 8.5)
        sheet.text(LEFT + 350, y, f"demandé le {long_date(day)}", 8.5)
    return y


def _sample(sheet: Sheet, y: float) -> None:
    """The box at the foot that says how a NAM is written."""
    number = printed_nam(sheet.specimen(), sheet.rng.choices((NamStyle(CARD, " "), sheet.setting.style), (2, 1))[0])
    words = sheet.rng.choice(SAMPLES).format(n=number)
    width = sheet.width(words, 9) + 20
    left = sheet.rng.choice((LEFT, (WIDTH - width) / 2, RIGHT - width))
    sheet.frame(left, y, left + width, y + 24, 0.8)
    sheet.text(left + 10, y + 15, words, 9)
