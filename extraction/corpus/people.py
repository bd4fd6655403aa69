"""Invented people, physicians and clinics, each drawn from a seeded generator. Pure."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from extraction import nam

SURNAMES = (
    "Tremblay", "Gagnon", "Roy", "Côté", "Bouchard", "Gauthier", "Morin", "Lavoie", "Fortin", "Gagné", "Ouellet",
    "Pelletier", "Bélanger", "Lévesque", "Bergeron", "Leblanc", "Paquette", "Girard", "Simard", "Boucher", "Caron",
    "Beaulieu", "Cloutier", "Dubé", "Poirier", "Fournier", "Lapointe", "Leclerc", "Lefebvre", "Poulin", "Thibault",
    "Nadeau", "Martel", "Grenier", "Bédard", "Turcotte", "Lachance", "Parent", "Blais", "Gosselin", "Hébert", "Savard",
    "Thériault", "Émond", "Éthier", "Aubé", "Quévillon", "Zéphirin", "Vézina", "Jolicœur", "Desrosiers", "Huppé",
    "L'Heureux", "D'Amours", "L'Écuyer", "Le Bel", "De Grandpré", "O'Neil", "McKenzie", "Nguyen", "Haddad", "Diallo",
    "Benali", "Ramirez", "Kowalczyk", "Okafor", "Iacobucci", "Uwimana", "Wabanonik", "Xavier", "Yergeau",
)  # fmt: skip
SAINTS = (
    "Saint-Pierre", "St-Onge", "Saint-Hilaire", "Sainte-Marie", "Ste-Croix", "Saint-Amand", "St-Gelais", "St-Laurent",
)  # fmt: skip
SHORT_SURNAMES = ("Li", "Ng", "Wu", "Bâ", "Le", "Xu", "Sy", "Ly")
"""Surnames that the NAM pads with X."""

WOMEN = (
    "Marie", "Élise", "Chantal", "Zoé", "Maëlle", "Marie-Ève", "Josée", "Hélène", "Nathalie", "Françoise", "Anaïs",
    "Camille", "Léa", "Rosalie", "Thérèse", "Gisèle", "Béatrice", "Florence", "Inès", "Ophélie", "Ursule", "Danielle",
    "Jeanne-d'Arc", "Fatima", "Wen", "Quyen", "Yasmine", "Kim", "Victoria", "Paule",
)  # fmt: skip
MEN = (
    "Martin", "Étienne", "Jean-François", "Noël", "Loïc", "Benoît", "Jérôme", "André", "Théo", "Gaétan", "Réjean",
    "Xavier", "Zacharie", "Émile", "Hugo", "Félix", "Olivier", "Pierre-Luc", "Yvan", "Stéphane", "Ludovic", "Donald",
    "Ismaël", "Viateur", "Karim", "Wei", "Quentin", "Umberto", "Rosaire", "Côme",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Names:
    """The names that the people of a document may have."""

    surnames: Sequence[str]
    saints: Sequence[str]
    short_surnames: Sequence[str]
    women: Sequence[str]
    men: Sequence[str]


NAMES = Names(SURNAMES, SAINTS, SHORT_SURNAMES, WOMEN, MEN)
HELD_OUT_NAMES = Names(
    surnames=(
        "Arsenault", "Archambault", "Audet", "Beaudoin", "Bilodeau", "Boivin", "Brassard", "Carrier", "Chabot",
        "Charbonneau", "Couture", "Cyr", "Demers", "Deschênes", "Dufour", "Dupuis", "Forget", "Frenette", "Giguère",
        "Godin", "Guay", "Harvey", "Jobin", "Lacroix", "Lemieux", "Lussier", "Ménard", "Michaud", "Noël", "Pépin",
        "Plourde", "Proulx", "Rioux", "Séguin", "Tanguay", "Tessier", "Vachon", "Villeneuve", "Zakaria", "Öztürk",
        "Itoua", "Mbeki", "Owusu", "Santos", "Kovács", "L'Espérance", "D'Astous", "De Repentigny", "MacLeod", "Ikeda",
    ),
    saints=("Saint-Jean", "St-Cyr", "Saint-Germain", "Sainte-Foy", "Ste-Thérèse", "St-Denis"),
    short_surnames=("Yu", "Hu", "Ho", "Do", "Oh", "Ba"),
    women=(
        "Sylvie", "Louise", "Geneviève", "Élodie", "Océane", "Noémie", "Mégane", "Marie-Claude", "Annie", "Raphaëlle",
        "Edith", "Ginette", "Huguette", "Mireille", "Simone", "Aïcha", "Mei", "Ivana", "Odile", "Wilhelmine",
    ),
    men=(
        "Alexandre", "Guillaume", "Sébastien", "Maxime", "Jean-Guy", "Marc-André", "Normand", "Yves", "Raphaël",
        "Éloi", "Bruno", "Denis", "Fernand", "Gilles", "Isaac", "Oscar", "Ulric", "Mohamed", "Quang", "Zoltan",
    ),
)  # fmt: skip
"""Names of the held-out documents: none of them is one of development."""

TOWNS = (
    "Saint-Aubin-des-Rives", "Val-des-Tilleuls", "Rivière-aux-Merles", "Sainte-Odile-du-Lac", "Pointe-aux-Hérons",
    "Mont-Cendré", "Baie-des-Brumes", "L'Anse-Dorée",
)  # fmt: skip
STREETS = (
    "rue des Quatre-Moulins", "avenue du Vieux-Quai", "chemin de la Grande-Ourse", "boulevard des Érables-Rouges",
    "rue Abbé-Corriveau-Lemay", "côte des Trois-Sœurs", "rang de la Pointe-Sèche", "rue de l'Ancien-Pont",
)  # fmt: skip
CLINICS = (
    "Clinique médicale des Tilleuls", "GMF du Vieux-Quai", "Clinique familiale Rive-Claire",
    "Centre médical Grand-Héron", "Coopérative de santé des Brumes", "Clinique sans rendez-vous Mont-Cendré",
)  # fmt: skip

YEAR = 365.2425
"""Days in a year, on average."""
WEEK = 7
"""Nobody is younger in days, so that no list of a week shows a visit before a birth."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who does not exist, with the NAM that RAMQ's rule gives to these names and this birth."""

    surname: str
    given_name: str
    birth: date
    female: bool
    nam: str

    @property
    def full_name(self) -> str:
        return f"{self.given_name} {self.surname}"

    @property
    def index_name(self) -> str:
        """TREMBLAY, Martin, as in a file."""
        return f"{self.surname.upper()}, {self.given_name}"


@dataclass(frozen=True, slots=True)
class Physician:
    """`licence` has the shape of a professional's number: a decoy, never a NAM."""

    surname: str
    given_name: str
    female: bool
    licence: str

    @property
    def title(self) -> str:
        return "Dre" if self.female else "Dr"

    @property
    def full_name(self) -> str:
        return f"{self.title} {self.given_name} {self.surname}"


@dataclass(frozen=True, slots=True)
class Clinic:
    """`telephone` and `fax` use the 555-01xx numbers, which no telephone has."""

    name: str
    street: str
    town: str
    postal_code: str
    telephone: str
    fax: str


def invent_person(rng: random.Random, day: date, names: Names = NAMES) -> Person:
    """Anybody from a newborn to a person of 100 years on `day`."""
    female = rng.random() < 0.5  # noqa: PLR2004 - as many women as men
    surname, given_name = _surname(rng, names), rng.choice(names.women if female else names.men)
    birth = _birth(rng, day)
    value = nam.compose(surname, given_name, birth, female=female, sequence=_sequence(rng))
    return Person(surname, given_name, birth, female, value)


def _surname(rng: random.Random, names: Names) -> str:
    """Mostly plain surnames; one in eight is double, one in ten a saint's, one in fourteen short."""
    kinds = ("plain", "double", "saint", "short")
    kind = rng.choices(kinds, weights=(71, 12, 10, 7))[0]
    if kind == "double":
        return "-".join(rng.sample(names.surnames, 2))
    return rng.choice({"plain": names.surnames, "saint": names.saints, "short": names.short_surnames}[kind])


def _birth(rng: random.Random, day: date) -> date:
    """Any age from 0 to 100; infants and centenarians oftener than in life, for they are where centuries go wrong."""
    youngest, oldest = rng.choices(((0, 101), (0, 1), (99, 101)), weights=(92, 4, 4))[0]
    return day - timedelta(days=rng.randint(max(WEEK, int(youngest * YEAR)), int(oldest * YEAR) - 1))


def _sequence(rng: random.Random) -> str:
    """The eleventh character of the NAM: a letter one time in eight, far oftener than in life."""
    digits, letters = nam.SEQUENCE_CHARACTERS[:9], nam.SEQUENCE_CHARACTERS[9:]
    return rng.choice(letters if rng.random() < 1 / 8 else digits)


def misprint(value: str) -> str:
    """A NAM that somebody copied with a wrong check character.

    The right check characters of two centuries differ by 2, 3 or 5 modulo 10, so four more than the right one is wrong
    in every century.
    """
    return f"{value[:11]}{(int(value[11]) + 4) % 10}"


def invent_physician(rng: random.Random) -> Physician:
    female = rng.random() < 0.5  # noqa: PLR2004 - as many women as men
    given_name = rng.choice(WOMEN if female else MEN)
    return Physician(rng.choice(SURNAMES), given_name, female, f"1{rng.randint(0, 99_999):05d}")


def invent_clinic(rng: random.Random) -> Clinic:
    return Clinic(
        name=rng.choice(CLINICS),
        street=invent_street(rng),
        town=rng.choice(TOWNS),
        postal_code=invent_postal_code(rng),
        telephone=invent_telephone(rng),
        fax=invent_telephone(rng),
    )


def invent_street(rng: random.Random) -> str:
    return f"{rng.randint(2, 9_899)}, {rng.choice(STREETS)}"


def invent_postal_code(rng: random.Random) -> str:
    """A code of Québec's shape: G, H or J first."""
    letters = "ABCEGHJKLMNPRSTVWXYZ"
    first = rng.choice("GHJ")
    return (
        f"{first}{rng.randint(0, 9)}{rng.choice(letters)} {rng.randint(0, 9)}{rng.choice(letters)}{rng.randint(0, 9)}"
    )


def invent_telephone(rng: random.Random) -> str:
    """Area codes of Québec with 555-0100 to 555-0199, reserved for fiction."""
    return f"{rng.choice(('418', '514', '450', '819', '581'))} 555-01{rng.randint(0, 99):02d}"


def invent_decoy(rng: random.Random, day: date) -> str:
    """A number on an invoice or a laboratory request that has every mark of a NAM but the check character."""
    letters = rng.choice(("FACT", "COMM", "LABO", "REQU", "RECU"))
    value = nam.compose(letters[:3], letters[3], _birth(rng, day), female=rng.random() < 1 / 4, sequence=_sequence(rng))
    return misprint(value)
