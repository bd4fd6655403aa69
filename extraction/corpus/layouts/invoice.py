"""A supplier's invoice that was put in the wrong pile: numbers of every shape, and no NAM."""

from __future__ import annotations

from datetime import timedelta

from extraction.corpus.layouts.sheet import Sheet
from extraction.corpus.people import TOWNS, invent_decoy, invent_postal_code, invent_street, invent_telephone
from extraction.corpus.wording import choose_style, iso_date, printed_nam

SUPPLIERS = ("Fournitures médicales Boréa inc.", "Distribution Santé Trois-Caps", "Papeterie du Grand-Quai")
ARTICLES = (
    "Gants de nitrile, boîte de 100", "Papier pour table d'examen", "Seringues 3 ml, boîte de 100", "Abaisse-langues",
    "Compresses 4 x 4", "Solution antiseptique 500 ml", "Bandes de glycémie", "Cartouche d'encre noire",
    "Masques de procédure", "Contenants à urine stériles",
)  # fmt: skip


def draw(sheet: Sheet) -> None:
    """Twelve lines, each with a reference that looks like a NAM and fails its check."""
    _head(sheet)
    for x, title, align in ((40, "Référence", "left"), (160, "Description", "left"), (418, "Qté", "right"),
                            (494, "Prix", "right"), (572, "Montant", "right")):  # fmt: skip
        sheet.bold(x, 176, title, 9, align=align)
    total = sum(_article(sheet, 198 + 22 * row) for row in range(12))
    sheet.line(36, 448, 576, 448, 0.9)
    sheet.bold(572, 468, f"Total : {_money(total)}", 11, align="right")
    sheet.foot("Paiement net 30 jours")


def _head(sheet: Sheet) -> None:
    rng, day, clinic = sheet.rng, sheet.setting.day, sheet.setting.clinic
    sheet.bold(36, 50, rng.choice(SUPPLIERS), 14)
    sheet.text(36, 63, f"{invent_street(rng)}, {rng.choice(TOWNS)} (Québec)  {invent_postal_code(rng)}", 8)
    sheet.text(36, 73, f"Téléphone : {invent_telephone(rng)}   TPS {rng.randint(10**8, 10**9 - 1)} RT0001", 8)
    sheet.bold(576, 50, "FACTURE", 16, align="right")
    sheet.text(576, 66, f"Nº {invent_decoy(rng, day)}", 10, align="right")
    sheet.text(576, 80, f"Date : {iso_date(day)}   Échéance : {iso_date(day + timedelta(days=30))}", 9, align="right")
    sheet.text(36, 116, f"Client nº {rng.randint(10**11, 10**12 - 1)}", 9)
    sheet.text(36, 128, clinic.name, 9)
    sheet.text(36, 140, f"{clinic.street}, {clinic.town} (Québec)  {clinic.postal_code}", 9)


def _article(sheet: Sheet, y: float) -> int:
    """One line of the invoice; gives its amount in cents."""
    rng = sheet.rng
    count, price = rng.randint(1, 40), rng.randint(400, 12_000)
    sheet.line(36, y - 14, 576, y - 14, 0.3)
    reference = printed_nam(invent_decoy(rng, sheet.setting.day), choose_style(rng))
    sheet.text(40, y, reference, 9, font=sheet.setting.face.figures)
    sheet.text(160, y, rng.choice(ARTICLES), 9)
    for x, words in ((418, str(count)), (494, _money(price)), (572, _money(count * price))):
        sheet.text(x, y, words, 9, align="right")
    return count * price


def _money(cents: int) -> str:
    """12 345,67 $, with a space between the thousands."""
    return f"{cents / 100:,.2f} $".replace(",", " ").replace(".", ",")
