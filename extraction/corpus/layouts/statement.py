"""A payer's statement: claims, cheques, batches and files by their numbers, most of them of the shape of a NAM."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta

from extraction.corpus.codes import Scheme, invent_scheme
from extraction.corpus.layouts.sheet import Sheet
from extraction.corpus.layouts.typeset import LEFT, RIGHT, Column, Rules, draw_columns, paragraph
from extraction.corpus.people import TOWNS, invent_postal_code, invent_street, invent_telephone
from extraction.corpus.wording import DATE_STYLES, NAM_STYLES, NamStyle, iso_date, long_date, printed_nam

PAYERS = (
    "Mutuelle des Trois-Rives", "Assurance collective Boréale", "Agence de facturation Médi-Compte",
    "Groupe Vie-Santé du Fleuve", "Caisse d'indemnités des Brumes", "Northgate Benefits Administrators",
    "Services de paiement Grand-Héron inc.", "Fiducie de soins L'Estacade",
)  # fmt: skip
TITLES = (
    "RELEVÉ DE PAIEMENT", "ÉTAT DES RÉCLAMATIONS", "Avis de dépôt direct", "Sommaire des demandes traitées",
    "Claims statement", "État de compte du fournisseur", "Relevé mensuel", "Explication des prestations",
)  # fmt: skip
HEADINGS = (
    "Réclamation", "No de dossier", "Trans.", "Réf. interne", "Votre no", "Confirmation", "Nº de demande", "Dossier",
    "Référence", "Claim No.", "Our ref.", "Nº transaction", "Code", "Identifiant", "Nº", "Votre réf.", "Pièce", "",
)  # fmt: skip
WORDS = ("RECL", "TRAN", "CONF", "DOSS", "CLAM", "PAIE", "BORD", "DEMX")
ORGANISATIONS = (
    "Transport adapté Rive-Claire", "CPE Les Petits Merles", "Garage Bellehumeur et fils", "Ville de Mont-Cendré",
    "École des Tilleuls", "Scierie du Vieux-Quai", "Coop de taxis des Brumes", "Ferme Lisière inc.",
)  # fmt: skip
OUTCOMES = ("Payé", "Payé", "Payé", "Refusé", "En attente", "Ajusté", "Payé en partie", "Code 12")
CLOSINGS = (
    "Les montants sont déposés à votre compte dans les deux jours ouvrables. Conservez ce relevé sept ans.",
    "Pour toute question, ayez en main le numéro de la demande. Les ajustements paraîtront au prochain relevé.",
    "Amounts are in Canadian dollars. Please quote our reference in all correspondence.",
    "Un montant négatif indique une récupération. Les demandes en attente n'ont pas à être soumises de nouveau.",
)  # fmt: skip
ROWS = (12, 26)
BLOCKS, BLOCK = 11, 38.0
RULES: Sequence[Rules] = ("none", "rows", "cells", "shades")


def draw(sheet: Sheet) -> None:
    """A page of claims in columns, or one time in three in blocks of two lines, with the payer's own references."""
    top = _head(sheet)
    draw_body = _blocks if sheet.rng.random() < 1 / 3 else _list
    y = draw_body(sheet, top)
    _close(sheet, y + 18)
    sheet.foot(sheet.rng.choice(("", f"{_printed(sheet)}", f"Produit le {iso_date(sheet.setting.day)}")))


def _printed(sheet: Sheet) -> str:
    """A code of a system that nothing else on the page is numbered by."""
    return printed_nam(sheet.code(invent_scheme(sheet.rng, WORDS)), sheet.rng.choice(NAM_STYLES))


def _head(sheet: Sheet) -> float:
    """The payer, the clinic and the payment; gives the baseline of the headings of the list."""
    rng, clinic = sheet.rng, sheet.setting.clinic
    sheet.bold(LEFT, 48, rng.choice(PAYERS), 12.5)
    sheet.text(LEFT, 61, f"{invent_street(rng)}, {rng.choice(TOWNS)} (Québec)  {invent_postal_code(rng)}", 8)
    sheet.text(LEFT, 71, f"Téléphone : {invent_telephone(rng)}", 8)
    sheet.bold(RIGHT, 48, rng.choice(TITLES), 13, align="right")
    for row, words in enumerate(_payment(sheet)):
        sheet.text(RIGHT, 64 + 12 * row, words, 9, align="right")
    for row, words in enumerate((clinic.name, clinic.street, f"{clinic.town} (Québec)  {clinic.postal_code}")):
        sheet.text(LEFT, 98 + 12 * row, words, 9.5)
    return 160 + rng.randrange(16)


def _payment(sheet: Sheet) -> list[str]:
    """What identifies the payment: a few of these lines, in any order."""
    rng, day = sheet.rng, sheet.setting.day
    lines = [
        f"Date : {iso_date(day)}",
        f"Période du {long_date(day - timedelta(days=14))} au {long_date(day)}",
        rng.choice((f"Chèque nº {rng.randint(10**6, 10**8 - 1)}", f"Chèque {_printed(sheet)}")),
        rng.choice((f"Lot {_printed(sheet)}", f"Lot nº {rng.randint(1000, 99999)}", f"Batch {_printed(sheet)}")),
        rng.choice((f"Fournisseur {rng.randint(10**5, 10**6 - 1)}", f"Fournisseur {_printed(sheet)}", _printed(sheet))),
    ]
    chosen = rng.sample(lines[1:], rng.randint(2, 4))
    return [lines[0], *chosen]


def _list(sheet: Sheet, top: float) -> float:
    """The claims as a table; gives the baseline of its last row."""
    rng = sheet.rng
    count, row = rng.randint(*ROWS), rng.uniform(15.5, 18.5)
    columns = _columns(sheet, count)
    if rng.random() < 0.15:  # noqa: PLR2004 - some systems print no headings at all
        columns = [column._replace(heading="") for column in columns]
    draw_columns(sheet, columns, top=top, row=row, size=rng.choice((7.5, 8.0, 8.5)), rules=rng.choice(RULES))
    return top + row * count


def _columns(sheet: Sheet, count: int) -> list[Column]:
    """One or two columns of codes and the rest of a statement, in an order that changes."""
    rng, day = sheet.rng, sheet.setting.day
    headings = rng.sample(HEADINGS, 3)
    say_day = rng.choice(DATE_STYLES[:8])
    served = [say_day(day - timedelta(days=rng.randint(5, 60))) for _ in range(count)]
    billed = [rng.randint(1_800, 42_000) for _ in range(count)]
    columns = [
        _codes(sheet, headings[0], count),
        Column(rng.choice(("Assuré", "Adhérent", "Bénéficiaire", "Claimant", "Nom")), _claimants(sheet, count),
               cuttable=True),
        Column(rng.choice(("Date", "Service", "Date du service")), served),
    ]  # fmt: skip
    if rng.random() < 0.5:  # noqa: PLR2004 - every other system keeps two numbers
        columns.append(_codes(sheet, headings[1], count))
    else:
        columns.append(Column(headings[2], [f"{rng.randint(10**6, 10**9)}" for _ in range(count)], figures=True))
    rng.shuffle(columns)
    outcomes = [rng.choice(OUTCOMES) for _ in range(count)]
    amounts = Column(rng.choice(("Montant", "Payé", "Amount")), [_money(cents) for cents in billed], align="right")
    return [*columns, Column(rng.choice(("État", "Statut", "Note")), outcomes, cuttable=True), amounts]


def _codes(sheet: Sheet, heading: str, count: int) -> Column:
    """A column of one system's codes, all printed the same way."""
    style = sheet.rng.choice(NAM_STYLES)
    values = sheet.codes(invent_scheme(sheet.rng, WORDS), count)
    return Column(heading, [printed_nam(value, style) for value in values], figures=True)


def _claimants(sheet: Sheet, count: int) -> list[str]:
    """Who claims, as the payer writes it: one way a page, with an organisation now and then."""
    rng = sheet.rng
    say: Callable[[], str] = rng.choice((
        lambda: sheet.person().index_name,
        lambda: sheet.person().full_name,
        lambda: f"{(person := sheet.person()).given_name[0]}. {person.surname}",
        lambda: f"{(person := sheet.person()).given_name[0]}. {person.surname[0]}.",
        lambda: f"Assuré {rng.randint(1, 9_999):04d}",
        lambda: rng.choice(ORGANISATIONS),
    ))  # fmt: skip
    return [rng.choice(ORGANISATIONS) if rng.random() < 1 / 10 else say() for _ in range(count)]


def _blocks(sheet: Sheet, top: float) -> float:
    """The claims one under the other, each with its references named in its second line."""
    rng = sheet.rng
    names = _claimants(sheet, BLOCKS)
    labels = rng.sample([heading for heading in HEADINGS if heading], 2)
    schemes: list[tuple[Scheme, NamStyle]] = [
        (invent_scheme(rng, WORDS), rng.choice(NAM_STYLES)) for _ in labels
    ]  # fmt: skip
    numbers = [[printed_nam(value, style) for value in sheet.codes(scheme, BLOCKS)] for scheme, style in schemes]
    colon = rng.choice((" : ", " ", ": "))
    sheet.line(LEFT, top - 10, RIGHT, top - 10, 0.8)
    for place, name in enumerate(names):
        y = top + 4 + BLOCK * place
        sheet.bold(LEFT, y, name, 9)
        sheet.text(RIGHT, y, _money(rng.randint(1_800, 42_000)), 9, align="right")
        first, second = (f"{label}{colon}{row[place]}" for label, row in zip(labels, numbers, strict=True))
        sheet.text(LEFT, y + 13, first, 8.5)
        sheet.text(LEFT + 210, y + 13, second, 8.5)
        sheet.text(RIGHT, y + 13, _service(sheet, sheet.setting.day), 8.5, align="right")
        sheet.line(LEFT, y + 20, RIGHT, y + 20, 0.25)
    return top + BLOCK * BLOCKS


def _service(sheet: Sheet, day: date) -> str:
    return f"Service du {iso_date(day - timedelta(days=sheet.rng.randint(5, 60)))}"


def _close(sheet: Sheet, y: float) -> None:
    rng = sheet.rng
    sheet.bold(RIGHT, y, f"Total : {_money(rng.randint(80_000, 900_000))}", 10, align="right")
    if rng.random() < 0.6:  # noqa: PLR2004 - most of them say how the money travels
        sheet.text(LEFT, y, rng.choice((f"Dépôt {_printed(sheet)}", _printed(sheet), f"Trace : {_printed(sheet)}")), 9)
    paragraph(sheet, rng.choice(CLOSINGS), y + 24, size=8.5, leading=11)


def _money(cents: int) -> str:
    """345,67 $."""
    return f"{cents / 100:,.2f} $".replace(",", " ").replace(".", ",")
