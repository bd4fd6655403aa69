"""Instructions on how a NAM is written: sample cards, sample forms, explained groups, and not one real number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from extraction import nam
from extraction.corpus.layouts.sheet import HEIGHT, Sheet
from extraction.corpus.layouts.typeset import LEFT, RIGHT, paragraph
from extraction.corpus.people import Person
from extraction.corpus.wording import BIRTH, CARD, LONG, SHORT, NamStyle, iso_date, long_date, printed_nam

BOTTOM = 640.0
"""No section begins lower on the page; the tallest takes 120 points."""
TITLES = (
    "Bien écrire le numéro d'assurance maladie", "Aide-mémoire : saisie du NAM", "Votre carte, à chaque visite",
    "Procédure d'accueil : identification de l'usager", "How to enter the health insurance number",
    "Remplir le formulaire d'inscription", "Guide de l'utilisateur, section 4", "Avis à la clientèle",
)  # fmt: skip
PRETENDED = (
    ("Untel", "Jean"), ("Exemple", "Marie"), ("Doe", "John"), ("Doe", "Jane"), ("Unetelle", "Anne"),
    ("Modèle", "Luc"), ("Fictif", "Paul"), ("Sample", "Mary"), ("Spécimen", "Julie"), ("Essai", "Test"),
)  # fmt: skip
"""Surnames and given names that say of themselves that nobody has them."""
WORDS = (
    "SPÉCIMEN", "Spécimen", "EXEMPLE", "Exemple", "Exemple :", "Modèle", "MODÈLE", "Numéro fictif", "FICTIF", "Sample",
    "SAMPLE", "Example only", "For illustration only", "À titre d'exemple", "Carte fictive", "SPECIMEN",
    "Exemple (ne pas utiliser)", "Aucune valeur réelle", "Image à titre indicatif", "Not a real card",
)  # fmt: skip
BEHIND = (
    "exemple", "fictif", "spécimen", "numéro fictif", "sample", "p. ex.", "exemple seulement", "for illustration",
    "à titre d'exemple", "nom et numéro inventés", "modèle",
)  # fmt: skip
BEFORE = (
    "Exemple :", "Ex. :", "P. ex.", "p. ex. :", "Par exemple :", "Comme suit :", "Sample:", "e.g.", "Tel que", "Soit :",
    "Example:", "Format :", "Spécimen :", "Numéro fictif :",
)  # fmt: skip
SHAPES = (
    "Format : ABCD 1234 5678", "Format : AAAA 9999 9999", "ABCD 1234 5678", "NOMP AAMM JJ00", "XXXX 0000 0000",
    "Format attendu : ABCD12345678 (sans espace)", "AAAA-MMJJ-0000", "LLLL 9999 9999 (L : lettre, 9 : chiffre)",
)  # fmt: skip
SENTENCES = (
    "Le numéro d'assurance maladie s'écrit comme suit : {n}, sans tiret ni point.",
    "Entrez quatre lettres et huit chiffres, tel que {n}, puis appuyez sur Entrée.",
    "Le numéro (p. ex. {n}) figure au recto de la carte, au-dessus du nom.",
    "Numéro fictif : {n}. Ne l'utilisez pas pour une demande de paiement.",
    "Pour vous exercer, cherchez l'usager fictif {p}, NAM {n}, dans l'environnement de formation.",
    "Au téléphone, faites épeler les lettres. Pour {n}, par exemple, on dira : « {s} ».",
    "Imaginons que {p} se présente avec la carte {n} : vérifiez d'abord la date d'expiration.",
    "Un numéro de la forme {n} est complet; s'il manque un chiffre, redemandez la carte.",
    "Le dossier d'essai au nom de {p} ({n}) ne doit jamais être facturé.",
    "Les espaces ne comptent pas : {n} et {m} désignent la même carte modèle.",
    "Enter the number exactly as printed, for example {n}, and check the expiry date.",
    "The card of a fictitious patient, {p}, would read {n}. It is shown for illustration only.",
    "Health insurance numbers look like {n}: four letters, then eight digits.",
    "Use the sample number {n} in the training environment.",
)
HEADINGS = (
    "Exemple", "Un exemple", "Illustration", "Exemple de formulaire rempli", "Sample form", "Modèle à suivre",
    "Cas fictif", "À quoi ressemble le numéro?", "Spécimen",
)  # fmt: skip
ADVICE = (
    "Demandez la carte à chaque visite, même si vous connaissez la personne, et comparez la photo.",
    "Si la carte est expirée, remettez le feuillet de renouvellement et notez-le au dossier.",
    "N'acceptez pas de photocopie. Une carte illisible doit être remplacée par la Régie.",
    "Ask for the card at every visit. A photograph of the card on a telephone is not accepted.",
    "Les parents d'un nouveau-né présentent leur propre carte pendant la première année.",
    "Le numéro ne sert pas à établir l'identité : demandez aussi la date de naissance.",
    "Une personne sans carte signe le formulaire prévu et paie la visite; elle sera remboursée plus tard.",
    "Les cartes d'une autre province se saisissent dans l'onglet Hors Québec, jamais ici.",
    "If the card has expired, give the person the renewal form and make a note in the file.",
    "Le nom qui paraît sur la carte est celui de la naissance; il peut différer du nom d'usage.",
    "Write in block letters, one character in each box, with a black pen.",
    "Signalez toute erreur à la réception. Merci de votre collaboration.",
    "Le lecteur de cartes émet deux sons lorsque la bande est lue; autrement, saisissez le numéro à la main.",
    "Deux personnes peuvent avoir le même nom : c'est le numéro qui les distingue.",
)
PARTS = (
    ("{0} : trois premières lettres du nom de famille", "{1} : première lettre du prénom"),
    ("{0} = nom de famille à la naissance", "{1} = initiale du prénom usuel"),
    ("{0}: first three letters of the surname", "{1}: first letter of the given name"),
)
DIGITS = (
    ("{0} : deux derniers chiffres de l'année de naissance", "{1} : mois de naissance (plus 50 pour une femme)",
     "{2} : jour de naissance", "{3} : caractères attribués par la Régie"),
    ("{0} = année", "{1} = mois (+ 50, sexe féminin)", "{2} = jour", "{3} = code administratif"),
    ("{0}: year of birth", "{1}: month of birth (plus 50 for women)", "{2}: day", "{3}: assigned by the Régie"),
)  # fmt: skip

Section = Callable[[Sheet, float], float]
"""Draws from the baseline it is given down; gives the baseline that the next one may start on."""


def draw(sheet: Sheet) -> None:
    """A notice of four to seven sections, each of which shows a number another way."""
    rng = sheet.rng
    sheet.letterhead(46)
    sheet.bold(LEFT, 100, rng.choice(TITLES), 14)
    y = paragraph(sheet, rng.choice(ADVICE), 122) + 12
    sections = list(_SECTIONS)
    rng.shuffle(sections)
    for section in sections:
        if y < BOTTOM:
            y = section(sheet, y) + rng.uniform(10, 18)
    sheet.foot(f"Communications {sheet.setting.day.year - 1}-{rng.randint(1, 12):02d}")


def _pretended(sheet: Sheet) -> Person:
    """Somebody whose name says that there is no such person, or, one time in three, any invented one."""
    person = sheet.person()
    if sheet.rng.random() < 1 / 3:
        return person
    surname, given_name = sheet.rng.choice(PRETENDED)
    value = nam.compose(surname, given_name, person.birth, female=person.female, sequence=person.nam[10])
    return replace(person, surname=surname, given_name=given_name, nam=value)


def _style(sheet: Sheet) -> NamStyle:
    return sheet.rng.choices((NamStyle(CARD, " "), NamStyle(SHORT, ""), sheet.setting.style), weights=(5, 2, 1))[0]


def _number(sheet: Sheet, person: Person) -> str:
    """The number of a pretended person, right or nearly, as it is printed."""
    return printed_nam(sheet.specimen(person), _style(sheet))


def _heading(sheet: Sheet, y: float, words: str) -> float:
    sheet.bold(LEFT, y, words, 11)
    return y + 18


def _card(sheet: Sheet, y: float) -> float:
    """A card in a frame, with the word that says so in one of six places; the advice stands beside it."""
    rng, person = sheet.rng, _pretended(sheet)
    left = rng.choice((LEFT, LEFT + 30, 330.0))
    right, bottom = left + 196, y + 102
    place = rng.choice(("above", "inside", "below", "beside", "stamp", "stamp"))
    word = rng.choice(WORDS)
    if place == "stamp":
        _stamp(sheet, (left + right) / 2, y + 58, word.strip(" :").upper())
    sheet.frame(left, y + 10, right, bottom, 1.1)
    sheet.text(left + 10, y + 26, rng.choice(("RÉGIE DE L'ASSURANCE MALADIE", "ASSURANCE MALADIE", "Québec")), 7)
    sheet.text(left + 10, y + 52, _number(sheet, person), 13, font=sheet.setting.face.figures)
    sheet.text(left + 10, y + 70, person.full_name.upper(), 9)
    expiry = f"Expiration {sheet.setting.day.year + rng.randint(1, 4)}-{rng.randint(1, 12):02d}"
    sheet.text(left + 10, y + 88, expiry, 7.5)
    middle = (left + right) / 2
    spots = {
        "above": (middle, y + 5, "centre"), "inside": (right - 10, y + 88, "right"),
        "below": (middle, bottom + 11, "centre"), "beside": (right + 10, y + 52, "left"),
    }  # fmt: skip
    if place in spots:
        x, baseline, align = spots[place]
        if place == "beside" and left > LEFT + 30:
            x, align = left - 10, "right"
        sheet.bold(x, baseline, word, 8.5 if place == "inside" else 9.5, align=align)
    if place != "beside":
        room = (LEFT, left - 16) if left > LEFT + 30 else (right + 16, RIGHT)
        paragraph(sheet, rng.choice(ADVICE), y + 30, x=room[0], right=room[1], size=9, leading=12)
    return bottom + 24


def _stamp(sheet: Sheet, x: float, y: float, word: str) -> None:
    """A pale word set slantwise, as over a picture that nobody may use."""
    canvas = sheet.canvas
    canvas.saveState()
    canvas.translate(x, HEIGHT - y)
    canvas.rotate(sheet.rng.choice((18, 22, 26)))
    canvas.setFillGray(0.78)
    size = min(30.0, 30 * 180 / sheet.width(word, 30, font=sheet.setting.face.bold))
    canvas.setFont(sheet.setting.face.bold, size)
    canvas.drawCentredString(0, -size / 3, word)
    canvas.restoreState()


def _prose(sheet: Sheet, y: float) -> float:
    """Two or three sentences with numbers in them."""
    rng = sheet.rng
    for template in rng.sample(SENTENCES, rng.randint(2, 3)):
        y = paragraph(sheet, _told(sheet, template), y) + 3
    return y


def _told(sheet: Sheet, template: str) -> str:
    person = _pretended(sheet)
    value = sheet.specimen(person)
    number, other = (printed_nam(value, style) for style in (_style(sheet), NamStyle(SHORT, "")))
    return template.format(n=number, m=other, p=person.full_name, s=", ".join(value[:4]))


def _shape(sheet: Sheet, y: float) -> float:
    """The shape without a number, and one number that has it."""
    rng, person = sheet.rng, _pretended(sheet)
    sheet.text(LEFT, y, rng.choice(SHAPES), 11, font=sheet.setting.face.figures)
    number = _number(sheet, person)
    shown = rng.choice((f"{rng.choice(BEFORE)} {number}", f"{number} ({rng.choice(BEHIND)})"))
    sheet.text(LEFT + 20, y + 18, shown, 11)
    return y + 36


def _lined_up(sheet: Sheet, y: float) -> float:
    """A list of samples under one heading, each with the pretended name."""
    rng = sheet.rng
    y = _heading(sheet, y, rng.choice(("Exemples", "Exemples fictifs", "Samples", "Quelques modèles", "Specimens")))
    for _ in range(rng.randint(2, 4)):
        person = _pretended(sheet)
        sheet.text(LEFT + 12, y, person.index_name, 10)
        sheet.text(LEFT + 190, y, iso_date(person.birth), 10)
        sheet.text(LEFT + 290, y, _number(sheet, person), 10, font=sheet.setting.face.figures)
        y += 14
    return y


def _analysis(sheet: Sheet, y: float) -> float:
    """A number taken apart, group by group, in lines or in a row of boxes."""
    rng, person = sheet.rng, _pretended(sheet)
    value = sheet.specimen(person)
    born = "née" if person.female else "né"
    opening = rng.choice((
        f"Prenons {person.full_name}, {born} le {long_date(person.birth)} :",
        f"Exemple : {person.full_name}, {iso_date(person.birth)}",
        f"For example, {person.full_name}, born {iso_date(person.birth)}:",
        f"Décodons le numéro de {person.full_name} (personne fictive), {born} le {long_date(person.birth)}.",
    ))  # fmt: skip
    y = paragraph(sheet, opening, y) + 6
    return _in_lines(sheet, value, y) if rng.random() < 1 / 2 else _in_boxes(sheet, value, y)


def _in_lines(sheet: Sheet, value: str, y: float) -> float:
    """The whole number, then a line for each part of it."""
    rng = sheet.rng
    sheet.text(LEFT + 24, y, printed_nam(value, NamStyle(CARD, " ")), 12, font=sheet.setting.face.figures)
    language = rng.randrange(3)
    if language == 0:
        parts = [f"{value[:4]} : trois premières lettres du nom de famille, puis première lettre du prénom"]
    else:
        parts = [words.format(value[:3], value[3]) for words in PARTS[language]]
    parts += [words.format(value[4:6], value[6:8], value[8:10], value[10:]) for words in DIGITS[language]]
    for place, words in enumerate(parts, 1):
        sheet.text(LEFT + 24, y + 4 + 12.5 * place, words, 9)
    return y + 8 + 12.5 * (len(parts) + 1)


def _in_boxes(sheet: Sheet, value: str, y: float) -> float:
    """The groups in boxes of their own, each over what it means."""
    meanings = ("Nom et prénom", "Année et mois", "Jour et code"), ("Nom, prénom", "Naissance", "Code")
    for style, words in zip((NamStyle(CARD, " "), NamStyle(BIRTH, " ")), meanings, strict=True):
        if style.groups == BIRTH and sheet.rng.random() < 1 / 2:
            break
        groups = printed_nam(value, style).split(" ")
        for place, (group, meaning) in enumerate(zip(groups, words, strict=True)):
            middle = LEFT + 60 + 110 * place
            sheet.frame(middle - 38, y, middle + 38, y + 22, 0.6)
            sheet.text(middle, y + 15.5, group, 12, font=sheet.setting.face.figures, align="centre")
            sheet.text(middle, y + 34, meaning, 8, align="centre")
        y += 52
    return y + 4


def _form(sheet: Sheet, y: float) -> float:
    """A form that was filled in for show, under a heading with a paragraph in between."""
    rng, person = sheet.rng, _pretended(sheet)
    y = _heading(sheet, y, rng.choice(HEADINGS))
    y = paragraph(sheet, rng.choice(ADVICE), y, size=9.5, leading=12.5) + 8
    middle = LEFT + 170
    for left, right, caption, words in (
        (LEFT, middle, "Nom", person.surname.upper()), (middle, LEFT + 320, "Prénom", person.given_name),
        (LEFT + 320, RIGHT, "Date de naissance", iso_date(person.birth)),
    ):  # fmt: skip
        sheet.frame(left, y, right, y + 30, 0.6)
        sheet.text(left + 4, y + 9, caption, 6.8)
        sheet.text(left + 6, y + 24, sheet.fit(words, 10.5, right - left - 12), 10.5)
    sheet.frame(LEFT, y + 30, RIGHT, y + 64, 0.6)
    sheet.text(LEFT + 4, y + 39, "Numéro d'assurance maladie", 6.8)
    if rng.random() < 1 / 2:
        sheet.comb(LEFT + 8, y + 57, sheet.specimen(person), 11, pitch=16, gaps=(4, 8))
    else:
        sheet.text(LEFT + 6, y + 57, _number(sheet, person), 12, font=sheet.setting.face.figures)
    sheet.text(RIGHT - 6, y + 57, f"({rng.choice(BEHIND)})", 9, align="right")
    return y + 84


def _right_and_wrong(sheet: Sheet, y: float) -> float:
    """One sample number written in ways to follow and in ways to avoid."""
    rng, person = sheet.rng, _pretended(sheet)
    value = sheet.specimen(person)
    titles = rng.choice((("À faire", "À éviter"), ("Correct", "Incorrect"), ("Bon exemple", "Mauvais exemple")))
    good = [printed_nam(value, NamStyle(*style)) for style in ((CARD, " "), (SHORT, ""), (LONG, " "))]
    bad = [
        f"{value[:11]}",
        f"{value[:4]} {value[4:7]} {value[7:]}",
        value.lower(),
        printed_nam(value, NamStyle(CARD, ".")),
    ]
    y = _heading(sheet, y, rng.choice(("Saisie", "Saisie du numéro", "Data entry", "Comment l'écrire")))
    for x, title, numbers in ((LEFT + 12, titles[0], good), (LEFT + 250, titles[1], rng.sample(bad, 3))):
        sheet.bold(x, y, title, 9.5)
        for place, words in enumerate(numbers, 1):
            sheet.text(x, y + 14 * place, words, 10, font=sheet.setting.face.figures)
    sheet.text(
        LEFT + 12, y + 60, f"{person.full_name} : {rng.choice(('usager fictif', 'nom inventé', 'test patient'))}", 8.5
    )
    return y + 76


def _beside(sheet: Sheet, y: float) -> float:
    """A label, its sample and the word for it, on one line."""
    rng, person = sheet.rng, _pretended(sheet)
    label = rng.choice(("NAM :", "Nº d'assurance maladie :", "RAMQ :", "Numéro :", "Health insurance no.:", ""))
    number = _number(sheet, person)
    word = rng.choice(BEHIND)
    shown = rng.choice(
        (f"{label} {number}   ({word})", f"{word.capitalize()} : {label} {number}", f"{label} {number} - {word}")
    )
    sheet.text(LEFT, y, shown.strip(), 10.5)
    return y + 18


_SECTIONS: tuple[Section, ...] = (
    _card, _card, _prose, _prose, _shape, _lined_up, _analysis, _form, _right_and_wrong, _beside, _beside,
)  # fmt: skip
