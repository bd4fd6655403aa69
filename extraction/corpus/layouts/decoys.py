"""A page of numbers and not one NAM: files, invoices, licences, other provinces' cards, and an example of a card."""

from __future__ import annotations

import random
from datetime import timedelta

from extraction.corpus.layouts.sheet import Sheet
from extraction.corpus.people import invent_physician, invent_postal_code, invent_telephone
from extraction.corpus.wording import CARD, NamStyle, choose_style, full_date, iso_date, printed_nam

TOP, ROW = 132.0, 21.0
EXAMPLES = ("SPÉCIMEN", "EXEMPLE", "Exemple de carte", "SPÉCIMEN - NE PAS UTILISER", "Modèle (fictif)")


def draw(sheet: Sheet) -> None:
    """A day's list of people without a card of this province, and everything else a front desk writes down."""
    rng, day = sheet.rng, sheet.setting.day
    sheet.letterhead(46)
    sheet.bold(36, 96, f"Usagers hors RAMQ du {full_date(day)}", 12)
    for x, title in ((36, "Heure"), (84, "Nom"), (230, "Couverture"), (330, "Numéro"), (440, "Téléphone")):
        sheet.bold(x, TOP - 10, title, 8.5)
    for row in range(16):
        y, person = TOP + ROW * row + 10, sheet.person()
        cover, number = rng.choice(COVERS)
        sheet.text(36, y, f"{8 + row // 2:02d}:{30 * (row % 2):02d}", 9)
        sheet.text(84, y, sheet.fit(person.index_name, 9, 140), 9)
        sheet.text(230, y, cover, 9)
        sheet.text(330, y, number(rng), 9, font=sheet.setting.face.figures)
        sheet.text(440, y, invent_telephone(rng), 9)
    _notes(sheet, TOP + ROW * 16 + 30)
    _example(sheet)
    sheet.foot(f"Imprimé le {iso_date(day + timedelta(days=1))}")


def _ontario(rng: random.Random) -> str:
    digits = f"{rng.randint(10**9, 10**10 - 1)}"
    return f"{digits[:4]}-{digits[4:7]}-{digits[7:]}-{rng.choice('ABCDEFGH')}{rng.choice('JKLMNPRS')}"


def _british_columbia(rng: random.Random) -> str:
    return f"9{rng.randint(0, 999):03d} {rng.randint(0, 999):03d} {rng.randint(0, 999):03d}"


def _nine_digits(rng: random.Random) -> str:
    return f"{rng.randint(0, 999):03d}-{rng.randint(0, 999):03d}-{rng.randint(0, 999):03d}"


def _social_insurance(rng: random.Random) -> str:
    """None is issued that begins with 0."""
    return f"0{rng.randint(0, 99):02d} {rng.randint(0, 999):03d} {rng.randint(0, 999):03d}"


def _compensation(rng: random.Random) -> str:
    return f"{rng.randint(10**8, 10**9 - 1)}-{rng.randint(1, 9)}"


def _policy(rng: random.Random) -> str:
    return f"{''.join(rng.choices('ABCDEFGHKLMNPRST', k=4))}-{rng.randint(10**5, 10**6 - 1)}"


def _refugee(rng: random.Random) -> str:
    return f"{rng.randint(10**7, 10**8 - 1)} (PFSI)"


COVERS = (
    ("Ontario", _ontario), ("Colombie-Brit.", _british_columbia), ("Alberta", _nine_digits),
    ("Nouv.-Brunswick", _nine_digits), ("NAS", _social_insurance), ("CNESST", _compensation),
    ("Assurance privée", _policy), ("Fédéral", _refugee),
)  # fmt: skip


def _notes(sheet: Sheet, top: float) -> None:
    rng = sheet.rng
    decoys = [printed_nam(sheet.decoy(), choose_style(rng)) for _ in range(4)]
    physician = invent_physician(rng)
    lines = (
        f"Facture {decoys[0]} acquittée; facture {decoys[1]} en souffrance.",
        f"Dossier {decoys[2]} archivé, boîte {rng.randint(100, 999)}; requête {decoys[3]} annulée.",
        f"{physician.full_name}, permis {physician.licence}, code postal {invent_postal_code(rng)}.",
        f"Série de l'appareil : {''.join(rng.choices('BCDFGHJK', k=4))}{rng.randint(10, 99)}{rng.randint(63, 99)}"
        f"{rng.randint(1000, 9999)}; "
        f"lot {rng.randint(10**11, 10**12 - 1)}.",
    )
    for row, words in enumerate(lines):
        sheet.text(36, top + 18 * row, words, 9.5)


def _example(sheet: Sheet) -> None:
    """The picture of a card on a notice, for people to know which number is asked for."""
    top = 624.0
    sheet.frame(200, top, 412, top + 104, 1.2)
    sheet.bold(306, top + 18, sheet.rng.choice(EXAMPLES), 9, align="centre")
    sheet.text(212, top + 38, "RÉGIE DE L'ASSURANCE MALADIE", 7)
    number = printed_nam(sheet.specimen(), NamStyle(CARD, " "))
    sheet.text(212, top + 60, number, 14, font=sheet.setting.face.figures)
    sheet.text(212, top + 80, f"{sheet.person().full_name}   Expiration 2029-01", 7.5)
    sheet.text(306, top + 118, "Présentez votre carte à chaque visite.", 9, align="centre")
