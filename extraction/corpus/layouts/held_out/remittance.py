"""A supplier's statement and the equipment room's inventory: serial numbers of every shape, and not one NAM."""

from __future__ import annotations

import random
from datetime import timedelta

from extraction.corpus.layouts.held_out.wording import military_date
from extraction.corpus.layouts.sheet import Sheet
from extraction.corpus.people import invent_postal_code, invent_telephone
from extraction.corpus.wording import LONG, NamStyle, choose_style, printed_nam

DEVICES = (
    "Tensiomètre mural", "Otoscope", "Glucomètre", "Pompe à perfusion", "Fauteuil de prélèvement", "Autoclave",
    "Balance néonatale", "Moniteur", "Réfrigérateur à vaccins", "Imprimante d'étiquettes",
)  # fmt: skip


def draw(sheet: Sheet) -> None:
    """Eighteen devices, each with numbers that look like a NAM, and a notice with a specimen card."""
    rng, day = sheet.rng, sheet.setting.day
    sheet.bold(60, 44, "INVENTAIRE ET RELEVÉ DE COMPTE", 13)
    sheet.text(60, 58, f"{sheet.setting.clinic.name}   {sheet.setting.clinic.postal_code}   {military_date(day)}", 8.5)
    sheet.text(60, 72, f"Compte {sheet.decoy()}   Réf. {printed_nam(sheet.decoy(), NamStyle(LONG, ' '))}", 9)
    for x, title in ((60, "Appareil"), (210, "Nº de série"), (330, "Étiquette"), (440, "Garantie"), (510, "Valeur")):
        sheet.bold(x, 104, title, 8.5)
    for row in range(18):
        y = 124 + 23 * row
        sheet.text(60, y, rng.choice(DEVICES), 9)
        sheet.text(210, y, _serial(rng), 9, font=sheet.setting.face.figures)
        sheet.text(330, y, printed_nam(sheet.decoy(), choose_style(rng)), 9, font=sheet.setting.face.figures)
        sheet.text(440, y, f"{day + timedelta(days=rng.randint(10, 900)):%Y-%m}", 9)
        sheet.text(560, y, f"{rng.randint(40, 9000)},00 $", 9, align="right")
    _notice(sheet)
    sheet.text(60, 770, f"Service à la clientèle {invent_telephone(rng)}   {invent_postal_code(rng)}", 7.5)


def _serial(rng: random.Random) -> str:
    """Four letters and eight digits that give no date of birth, or another shape altogether."""
    letters = "".join(rng.choices("BCDFGHKMPRSTVWX", k=4))
    return rng.choice(
        (
            f"{letters}{rng.randint(10, 99)}{rng.randint(63, 99)}{rng.randint(1000, 9999)}",
            f"{letters[:2]}-{rng.randint(10**9, 10**10 - 1)}",
            f"SN{rng.randint(10**9, 10**10 - 1)}",
        )
    )


def _notice(sheet: Sheet) -> None:
    sheet.shade(60, 580, 552, 700, 0.93)
    sheet.bold(76, 604, "Aide-mémoire pour l'accueil", 10)
    sheet.text(76, 624, "Le numéro d'assurance maladie compte quatre lettres et huit chiffres.", 9)
    sheet.text(76, 644, f"Par exemple : {printed_nam(sheet.specimen(), NamStyle(LONG, ' '))} (numéro fictif).", 9)
    sheet.text(76, 664, f"Spécimen : {sheet.specimen()}", 9)
