"""What a clinic owns and keeps: serial numbers, models, lots, asset tags, and who has the device."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from extraction.corpus.codes import Scheme, invent_scheme, with_look_alikes
from extraction.corpus.layouts.sheet import Sheet
from extraction.corpus.layouts.typeset import LEFT, RIGHT, Column, Rules, draw_columns, paragraph
from extraction.corpus.wording import DATE_STYLES, NAM_STYLES, iso_date, long_date, printed_nam

TITLES = (
    "Inventaire des équipements", "Registre d'étalonnage", "Prêt de matériel", "Fournitures et lots",
    "Equipment register", "Parc informatique", "Entretien préventif : appareils biomédicaux",
    "Décompte annuel", "Calibration log",
)  # fmt: skip
DEVICES = (
    "Tensiomètre mural", "Glucomètre", "Défibrillateur externe", "Oxymètre de pouls", "Thermomètre tympanique",
    "Otoscope", "Pèse-bébé", "Autoclave de table", "Réfrigérateur à vaccins", "Centrifugeuse", "Électrocardiographe",
    "Lampe frontale", "Ordinateur portable", "Téléphone sans fil", "Numériseur", "Pompe à perfusion", "Spiromètre",
)  # fmt: skip
CONSUMABLES = (
    "Seringues 3 ml", "Gants de nitrile M", "Bandelettes de glycémie", "Compresses 10 x 10", "Aiguilles 25G",
    "Solution saline 500 ml", "Tubes EDTA", "Écouvillons", "Sutures 4-0", "Masques de procédure", "Lancettes",
)  # fmt: skip
MAKERS = ("Boréa", "Medvale", "Trois-Caps", "Omnicar", "Lumex", "Helianthe", "Norda")
PLACES = ("Salle 1", "Salle 2", "Salle 4", "Accueil", "Urgence mineure", "Dépôt B", "Bureau 203", "Laboratoire")
SERIALS = (
    "Nº de série", "Série", "S/N", "Serial No.", "Numéro", "Identification", "Appareil", "Code", "N/S", "Matricule",
    "",
)  # fmt: skip
TAGS = ("Étiquette", "Actif", "Asset", "Code-barres", "Inv.", "Immobilisation", "Contrat", "")
LOTS = ("Lot", "Nº de lot", "Lot/Exp.", "Batch", "")
HOLDERS = ("Remis à", "Responsable", "Utilisateur", "Prêté à", "Détenteur", "Assigned to", "Nom")
WORDS = ("EQUI", "BIOM", "ACTF", "INVT", "MATR", "SERN", "ECGX")
NOTES = (
    "Les appareils sans étiquette sont retirés du service. Signaler tout écart à la coordonnatrice.",
    "Étalonnage fait selon les directives du fabricant; écart toléré de 2 %.",
    "Les lots périmés sont retournés au fournisseur avec le bordereau.",
    "Devices on loan must be returned within thirty days, with their charger.",
)  # fmt: skip
RULES: Sequence[Rules] = ("none", "rows", "cells", "shades")
SAME_SYSTEM = 0.7
"""The share of columns whose numbers are of one maker; the others have a system for every few lines."""


def draw(sheet: Sheet) -> None:
    """A list of devices or supplies, 14 to 30 lines, and one or two remarks that name some of them again."""
    rng, day = sheet.rng, sheet.setting.day
    sheet.letterhead(46)
    sheet.bold(LEFT, 98, f"{rng.choice(TITLES)}, {rng.choice((long_date, iso_date))(day)}", 12)
    count, row = rng.randint(14, 30), rng.uniform(15.0, 17.5)
    top = 122 + rng.randrange(14)
    columns = _supplies(sheet, count) if rng.random() < 1 / 3 else _devices(sheet, count)
    draw_columns(sheet, columns, top=top, row=row, size=rng.choice((7.5, 8.0, 8.5)), rules=rng.choice(RULES))
    _remarks(sheet, top + row * count + 26)
    sheet.foot(f"Inventaire IV-{rng.randint(2, 9)} (rév. {day.year - 1}-05)")


def _devices(sheet: Sheet, count: int) -> list[Column]:
    """What is counted piece by piece, often with the person who has it."""
    rng, day = sheet.rng, sheet.setting.day
    say_day = rng.choice(DATE_STYLES[:8])
    checked = [say_day(day - timedelta(days=rng.randint(3, 300))) for _ in range(count)]
    columns = [
        _numbers(sheet, rng.choice(SERIALS), count),
        Column("Description", [rng.choice(DEVICES) for _ in range(count)], cuttable=True),
        Column("Modèle", [_model(sheet) for _ in range(count)]),
        _numbers(sheet, rng.choice(TAGS), count) if rng.random() < 1 / 2 else _tags(sheet, count),
        Column(rng.choice(HOLDERS), _holders(sheet, count), cuttable=True),
        Column(rng.choice(("Vérifié", "Étalonné", "Date", "Calibrated")), checked),
    ]
    return rng.sample(columns, rng.choice((len(columns), len(columns), len(columns) - 1)))


def _supplies(sheet: Sheet, count: int) -> list[Column]:
    """What is counted by the box, with its lots."""
    rng, day = sheet.rng, sheet.setting.day
    columns = [
        Column("Article", [rng.choice(CONSUMABLES) for _ in range(count)], cuttable=True),
        _numbers(sheet, rng.choice(LOTS), count),
        Column("Qté", [str(rng.randint(1, 240)) for _ in range(count)], align="right"),
        Column(
            rng.choice(("Expiration", "Exp.", "Péremption")),
            [f"{day + timedelta(days=rng.randint(60, 900)):%Y-%m}" for _ in range(count)],
        ),
        Column("Emplacement", [rng.choice(PLACES) for _ in range(count)], cuttable=True),
        _numbers(sheet, rng.choice(("Catalogue", "Référence", "SKU", "Nº du fabricant", "")), count),
    ]
    rng.shuffle(columns)
    return columns


def _numbers(sheet: Sheet, heading: str, count: int) -> Column:
    """A column of serial numbers: of one maker, or of several in turn; some look-alikes stand among the digits."""
    rng = sheet.rng
    makers = 1 if rng.random() < SAME_SYSTEM else rng.randint(2, 4)
    systems = [(invent_scheme(rng, WORDS), rng.choice(NAM_STYLES)) for _ in range(makers)]
    owners = [rng.randrange(makers) for _ in range(count)]
    series = [iter(sheet.codes(scheme, owners.count(maker))) for maker, (scheme, _) in enumerate(systems)]
    alike = rng.random() < 1 / 5
    values = []
    for maker in owners:
        value = next(series[maker])
        if alike and value not in sheet.specimens:
            value = with_look_alikes(rng, value)
        values.append(printed_nam(value, systems[maker][1]))
    return Column(heading, values, figures=True)


def _tags(sheet: Sheet, count: int) -> Column:
    """Short tags that have not the shape of a NAM."""
    letters, first = sheet.rng.choice(("INV", "A", "EQ", "BIO")), sheet.rng.randint(1, 900)
    return Column(sheet.rng.choice(TAGS), [f"{letters}-{first + place:05d}" for place in range(count)])


def _model(sheet: Sheet) -> str:
    rng = sheet.rng
    letters = "".join(rng.choices("BCDFGHKLMNPRSTVX", k=rng.randint(1, 4)))
    return f"{rng.choice(MAKERS)} {letters}{rng.choice(('-', ' ', ''))}{rng.randint(10, 4_500)}"


def _holders(sheet: Sheet, count: int) -> list[str]:
    """Who has the device: people or rooms, one way a page, with the other one now and then."""
    rng = sheet.rng
    person: Callable[[], str] = rng.choice((
        lambda: sheet.person().index_name,
        lambda: sheet.person().full_name,
        lambda: f"{(person := sheet.person()).given_name[0]}. {person.surname}",
    ))  # fmt: skip
    people = rng.choice((0.1, 0.5, 0.9))
    return [person() if rng.random() < people else rng.choice(PLACES) for _ in range(count)]


def _remarks(sheet: Sheet, y: float) -> None:
    """Prose that names a device by its number, which a person of the staff has, lost or brought back."""
    rng = sheet.rng
    scheme, style = Scheme(invent_scheme(rng, WORDS).letters, "free"), rng.choice(NAM_STYLES)
    one, other = (printed_nam(sheet.code(scheme), style) for _ in range(2))
    name = sheet.person().full_name
    told = (
        f"{rng.choice(DEVICES)} {one} : en réparation chez {rng.choice(MAKERS)}, retour prévu sous peu.",
        f"Appareils {one} et {other} à remplacer; {name} fait le suivi.",
        f"{name} a rapporté l'appareil {one} (chargeur manquant).",
        f"Étiquette illisible, probablement {one} ou {other}.",
        f"Échange sous garantie : {one} remplace {other}.",
    )
    if y < 690:  # noqa: PLR2004 - as far as the page goes
        y = paragraph(sheet, rng.choice(told), y, size=9)
    if y < 720:  # noqa: PLR2004
        paragraph(sheet, rng.choice(NOTES), y + 2, size=9)
    sheet.text(RIGHT, 758, f"Vérifié par : {sheet.person().full_name}", 8.5, align="right")
