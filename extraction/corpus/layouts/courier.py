"""What comes and goes: parcels, tubes, messages and appointments, by codes that are whole, cut or broken over lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from string import ascii_lowercase, ascii_uppercase

from extraction.corpus.codes import invent_scheme
from extraction.corpus.layouts.sheet import Sheet
from extraction.corpus.layouts.typeset import LEFT, RIGHT, Column, Rules, draw_columns, paragraph
from extraction.corpus.people import TOWNS, invent_postal_code, invent_street, invent_telephone
from extraction.corpus.wording import NAM_STYLES, TIME_STYLES, cut, full_date, iso_date, long_date, printed_nam

CARRIERS = ("Messagerie Vif-Argent", "Transport Grand-Quai", "Navette Laboratoires du Nord", "Courrier des Rives")
WORDS = ("COLI", "SUIV", "EXPD", "PREL", "TUBE", "RDVC", "MSGX", "LIVR")
TRACKING = (
    "Suivi", "Nº de colis", "Colis", "Tracking", "Bordereau", "Envoi", "Référence", "Connaissement", "Waybill", "Code",
    "",
)  # fmt: skip
TUBES = ("Tube", "Échantillon", "Nº de prélèvement", "Accession", "Spécimen", "Requête", "Étiquette", "Code", "")
TESTS = ("FSC", "TSH", "Glucose", "Créatinine", "Bilan lipidique", "Culture d'urine", "INR", "HbA1c", "Ferritine")
TOPICS = (
    "Votre envoi est en route", "Confirmation de rendez-vous", "Rapport d'incident", "Changement de mot de passe",
    "Delivery notification", "Relance : formulaires manquants", "Résultats de la maintenance",
)  # fmt: skip
BODIES = (
    "Votre code de confirmation est le {a}. Il expire dans 30 minutes.",
    "Le colis {a} a quitté notre centre; le colis {b} suivra demain.",
    "Prière de citer {a} dans toute correspondance.",
    "Pour annuler, répondez à ce message en indiquant {a}.",
    "The parcel {a} was left at the front desk at 14:05 and signed for by {p}.",
    "{p} a ouvert le billet {a} hier; il remplace le billet {b}.",
    "Nom d'utilisateur : {u}. Mot de passe provisoire : {a}.",
    "Suivez votre envoi à l'adresse https://suivi.example/colis/{c} ou composez le {t}.",
    "See https://portail.example/doc?id={c}&lang=fr for the form.",
    "Le véhicule immatriculé {v} se présentera au quai {n} avec la commande {a}.",
    "Pièces jointes : {c}.pdf, scan_{n}.jpg",
    "Code d'accès {a}\u00a0; poste {n}.",
)
CHECKED = ("Remis", "En transit", "Reçu", "Refusé", "Au dépôt", "2e avis")
RULES: Sequence[Rules] = ("none", "rows", "cells", "shades")
CUTS = ((8, 4), (4, 8), (4, 4, 4), (4, 6, 2))
"""How a code is shared out between the columns of a list, or the lines of a cell."""


def draw(sheet: Sheet) -> None:
    """One of four papers: a dispatch list, a log of samples, a message that was printed, or a list of confirmations."""
    sheet.rng.choice((_dispatch, _samples, _message, _confirmations))(sheet)


def _code(sheet: Sheet) -> str:
    """A code of a system that nothing else on the page is numbered by, as it is printed."""
    return printed_nam(sheet.code(invent_scheme(sheet.rng, WORDS)), sheet.rng.choice(NAM_STYLES))


def _column(sheet: Sheet, headings: Sequence[str], count: int) -> list[Column]:
    """The codes of a list: in one column, or one time in three shared out over two or three that stand together."""
    rng = sheet.rng
    values = sheet.codes(invent_scheme(rng, WORDS), count)
    if rng.random() < 2 / 3:
        style = rng.choice(NAM_STYLES)
        return [Column(rng.choice(headings), [printed_nam(value, style) for value in values], figures=True)]
    groups = rng.choice(CUTS)
    parts = zip(*(cut(value, groups) for value in values), strict=True)
    titles = (rng.choice(headings), *rng.sample(("Nº", "Seq.", "Suite", "Pal.", "Vol", "Clé", ""), len(groups) - 1))
    return [
        Column(title, part, figures=True, joined=place > 0)
        for place, (title, part) in enumerate(zip(titles, parts, strict=True))
    ]


def _plate(sheet: Sheet) -> str:
    """A licence plate of Québec's shape: A12 BCD or 123 ABC."""
    rng = sheet.rng
    letters = "".join(rng.choices("ABCDEFGHJKLMNPRSTVWXYZ", k=3))
    return rng.choice((f"F{rng.randint(10, 99)} {letters}", f"{rng.randint(100, 999)} {letters}"))


def _list(sheet: Sheet, groups: list[list[Column]], top: float, count: int) -> float:
    """A table whose columns, or groups of columns, stand in any order; gives the baseline of its last row."""
    rng = sheet.rng
    rng.shuffle(groups)
    row = rng.uniform(15.5, 18.5)
    columns = [column for group in groups for column in group]
    draw_columns(sheet, columns, top=top, row=row, size=rng.choice((7.5, 8.0, 8.5)), rules=rng.choice(RULES))
    return top + row * count


def _dispatch(sheet: Sheet) -> None:
    rng, day = sheet.rng, sheet.setting.day
    count = rng.randint(12, 24)
    sheet.bold(LEFT, 52, rng.choice(CARRIERS), 13)
    sheet.text(LEFT, 66, f"{invent_street(rng)}, {rng.choice(TOWNS)}  {invent_postal_code(rng)}", 8.5)
    title = rng.choice(("FEUILLE DE ROUTE", "Bordereau d'expédition", "DISPATCH LIST", "Manifeste de transport"))
    sheet.bold(RIGHT, 52, title, 13, align="right")
    sheet.text(RIGHT, 66, f"{full_date(day)}, tournée {rng.randint(1, 40)}", 9, align="right")
    sheet.text(RIGHT, 79, f"Véhicule {_plate(sheet)}   Trajet {_code(sheet)}", 9, align="right")
    groups = [
        _column(sheet, TRACKING, count),
        [Column("Destinataire", [sheet.person().full_name for _ in range(count)], cuttable=True)],
        [Column("Ville", [rng.choice(TOWNS) for _ in range(count)], cuttable=True),
         Column("Code postal", [invent_postal_code(rng) for _ in range(count)])],
        [Column(rng.choice(("Poids", "Pièces", "kg")), [str(rng.randint(1, 30)) for _ in range(count)], align="right")],
        [Column("État", [rng.choice(CHECKED) for _ in range(count)], cuttable=True)],
    ]  # fmt: skip
    y = _list(sheet, groups, 116 + rng.randrange(12), count)
    last = f"Scellé {_code(sheet)}   Départ {rng.choice(TIME_STYLES)(sheet.moment())}   Signature du chauffeur"
    sheet.text(LEFT, y + 30, last, 9)
    sheet.line(LEFT + 350, y + 30, RIGHT, y + 30, 0.5)
    sheet.scribble(LEFT + 380, y + 22)
    sheet.foot("Formulaire TR-12")


def _samples(sheet: Sheet) -> None:
    rng, day = sheet.rng, sheet.setting.day
    count = rng.randint(14, 26)
    sheet.letterhead(46)
    title = rng.choice(("Registre des prélèvements", "Sample log", "Envoi au laboratoire", "Suivi des échantillons"))
    sheet.bold(LEFT, 96, f"{title}, {long_date(day)}", 12)
    say = rng.choice(TIME_STYLES)
    moments = sorted(sheet.moment() for _ in range(count))
    initials = ["".join(rng.choices(ascii_uppercase, k=2)) for _ in range(4)]
    groups = [
        [Column("Heure", [say(moment) for moment in moments])],
        _column(sheet, TUBES, count),
        [Column("Analyse", [rng.choice(TESTS) for _ in range(count)], cuttable=True)],
        [Column("Prélevé par", [rng.choice(initials) for _ in range(count)])],
        [
            Column(
                rng.choice(("Glacière", "Casier", "Position")),
                [f"{rng.choice('ABCD')}{rng.randint(1, 12)}" for _ in moments],
            )
        ],
    ]
    if rng.random() < 1 / 2:
        groups.append(_column(sheet, ("Requête", "Lot du tube", "Réf.", ""), count))
    y = _list(sheet, groups, 122 + rng.randrange(12), count)
    sheet.text(LEFT, y + 28, f"Glacière scellée {_code(sheet)}, {rng.randint(2, 7)} °C au départ.", 9)
    sheet.text(LEFT, y + 42, f"Remis à {sheet.person().full_name}, {rng.choice(CARRIERS)}.", 9)
    sheet.foot(f"Registre RP-4   {iso_date(day)}")


def _user(sheet: Sheet) -> str:
    """A user name as systems make them: letters of a name and digits."""
    person, rng = sheet.person(), sheet.rng
    letters = person.surname.lower().replace(" ", "").replace("'", "")[:4]
    return f"{letters}{person.given_name[0].lower()}{rng.randint(0, 9999):04d}"


def _hexadecimal(sheet: Sheet, length: int) -> str:
    return "".join(sheet.rng.choices("0123456789ABCDEF", k=length))


def _message(sheet: Sheet) -> None:
    """An e-mail as it is printed: its heads, its sentences, the message it answers, and the address of the page."""
    rng, day = sheet.rng, sheet.setting.day
    host = "".join(rng.choices(ascii_lowercase, k=5)) + ".example"
    say = rng.choice(TIME_STYLES)
    sheet.bold(LEFT, 52, rng.choice(TOPICS), 14)
    sheet.line(LEFT, 60, RIGHT, 60, 0.8)
    identifier = rng.choice(
        (f"<{_hexadecimal(sheet, 16)}@{host}>", f"<{_whole(sheet)}.{_hexadecimal(sheet, 6)}@{host}>")
    )
    heads = [
        ("De", f"{_user(sheet)}@{host}"), ("À", f"accueil@{host}"),
        ("Date", f"{iso_date(day)} {say(sheet.moment())}"),
        ("Objet", f"{rng.choice(TOPICS)} [{_code(sheet)}]"), ("Message-ID", identifier),
    ]  # fmt: skip
    for place, (name, words) in enumerate(heads):
        sheet.bold(LEFT, 78 + 13 * place, f"{name} :", 9)
        sheet.text(LEFT + 72, 78 + 13 * place, words, 9)
    y = paragraph(sheet, "Bonjour,", 78 + 13 * len(heads) + 16) + 4
    right = rng.choice((RIGHT, 470.0, 380.0))
    for template in rng.sample(BODIES, rng.randint(5, 8)):
        y = paragraph(sheet, _told(sheet, template), y, right=right) + 5
    y = paragraph(sheet, f"{sheet.person().full_name}, poste {rng.randint(100, 9999)}", y + 6) + 14
    sheet.text(LEFT, y, f"Le {long_date(day - timedelta(days=2))}, {_user(sheet)} a écrit :", 9)
    for template in rng.sample(BODIES, 3):
        top = y + 14
        y = paragraph(sheet, _told(sheet, template), top, x=LEFT + 14, size=9, leading=12)
        sheet.line(LEFT + 6, top - 9, LEFT + 6, y - 10, 1.0)
        y -= 8
    sheet.text(LEFT, 760, f"https://courriel.example/imprimer?id={_whole(sheet)}&vue=pt", 7)
    sheet.foot(f"{iso_date(day)}, {say(sheet.moment())}")


def _whole(sheet: Sheet) -> str:
    """A code in one piece, in the case that its system writes it."""
    value = sheet.code(invent_scheme(sheet.rng, WORDS))
    return sheet.rng.choice((value, value.lower()))


def _told(sheet: Sheet, template: str) -> str:
    """A sentence with codes, people and machines in it; those that it does not name are not drawn."""
    say: dict[str, Callable[[Sheet], str]] = {
        "a": _code, "b": _code, "c": _whole, "u": _user, "v": _plate, "p": lambda sheet: sheet.person().full_name,
        "t": lambda sheet: invent_telephone(sheet.rng), "n": lambda sheet: str(sheet.rng.randint(1, 9_999)),
    }  # fmt: skip
    return template.format(**{name: draw(sheet) for name, draw in say.items() if f"{{{name}}}" in template})


def _confirmations(sheet: Sheet) -> None:
    """Appointments with the code that each person was given, in a column, under the name, or broken over two lines."""
    rng, day = sheet.rng, sheet.setting.day
    sheet.letterhead(46)
    sheet.bold(LEFT, 96, f"Rendez-vous en ligne du {full_date(day)}", 12)
    label = rng.choice(("Confirmation", "Code", "Code de confirmation", "Confirmation no.", "Réservation", "Clé"))
    scheme, count, row = invent_scheme(rng, WORDS), rng.randint(9, 14), rng.uniform(36, 42)
    values, style, groups = sheet.codes(scheme, count), rng.choice(NAM_STYLES), rng.choice(CUTS[:2])
    place = rng.choice(("line", "under", "broken"))
    sheet.line(LEFT, 112, RIGHT, 112, 0.8)
    for number, value in enumerate(values):
        y = 130 + row * number
        sheet.text(LEFT, y, f"{8 + number // 2:02d}:{30 * (number % 2):02d}", 9.5)
        sheet.bold(LEFT + 46, y, sheet.fit(sheet.person().full_name, 9.5, 170, font=sheet.setting.face.bold), 9.5)
        sheet.text(RIGHT, y, invent_telephone(rng), 9, align="right")
        if place == "line":
            sheet.text(LEFT + 230, y, f"{label} {printed_nam(value, style)}", 9)
        elif place == "under":
            sheet.text(LEFT + 46, y + 13, f"{label} : {printed_nam(value, style)}", 9)
        else:
            sheet.text(LEFT + 230, y, label, 7)
            for line, part in enumerate(cut(value, groups)):
                sheet.text(LEFT + 320, y + 11 * line, part, 9, font=sheet.setting.face.figures)
        sheet.line(LEFT, y + 20, RIGHT, y + 20, 0.25)
    sheet.foot(rng.choice((f"Session {_code(sheet)}", "Plateforme de rendez-vous")))
