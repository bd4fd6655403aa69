"""The names in a stretch of print, and the four letters that they give to a NAM. Pure.

Names are found by how they are written, not by a list of them: a capital, a comma behind a surname, a surname in
capitals. Readers slip in names too, so that a character which no name has stands for the letters that look like it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from extraction import nam

# Four capitals right before figures are the letters of a number, but for a name before a telephone number; and one
# capital before a figure is of a code.
_WORD = r"(?<![A-Za-z])(?![A-Z]{4}[ ./-]?[0-9](?![0-9]{2}[ )-])|[A-Z][2-9])"
_LETTER = "(?=[A-Za-z])"
"""Said first, because it is known at once."""
_TOKEN = re.compile(rf"({_LETTER}{_WORD}[A-Za-z][A-Za-z'.-]*)(,?)|([\t\n:;()])")
_TOKEN_WITH_FIGURES = re.compile(
    rf"({_WORD}(?:(?<![A-Za-z0-9])[01568|](?=[A-Z]{{2}}|[a-z]{{3}}))?[A-Za-z](?:[A-Za-z'.-]|[01568|](?=[A-Za-z]))*)(,?)|([\t\n:;()])"
)
_FIGURE = re.compile("[01568|][A-Za-z]")
_SLIP = re.compile(
    r"(?<=[a-z]{3})(?=[A-Z])|(?<=[A-Z]{3})(?=[A-Z][a-z])|(?<=[A-Za-z]{3})\.(?=[A-Z])"
    r"|(?<![A-Za-z'.-])(?:l(?=[b-df-hj-kmnp-tv-xz])|[a-z]{1,3}(?=[A-Z][a-z])|[a-z](?=[a-z]*['-][A-Z]|[A-Z]+(?![A-Za-z])))"
)
"""A lost space (TremblayMarie, TREMBLAYMarie, Tremblay.Marie, lyIsmael, but not McKenzie or St.Pierre) or capital
(ste-Croix, d'Amours, xU). No word begins with l and another consonant: it is a capital I, as in lsabelle."""
_MISREAD = re.compile("[01568|]|^I(?=[aeou][a-z])")
_MEANT = {"0": "O", "1": "IL", "5": "S", "6": "G", "8": "B", "|": "IL", "I": "IL"}
_MOST_MISREAD = 2
_TITLES = frozenset(["dr", "dre", "docteur", "docteure", "doctor", "inf", "infirmiere", "md"])
_NOT_NAMES = _TITLES.union(
    word
    for words in (
        "nom noms prenom prenoms patient patients patiente patientes usager usagers usagere usageres client clients",
        "cliente clientes m mr mme mrs ms mlle ne nee name surname first last given family nam ramq hin no num numero",
        "number usuel naissance birth ddn dob assurance maladie health insurance card carte sex sexe date heure time",
        "motif raison reason tel telephone phone adresse address courriel email exp expiration dossier file mrn objet",
        "re est et and a au d l age medecin physician clinique clinic hopital hospital visite visit",
        "janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre",
        "january february march july september october november december",
        "lundi mardi mercredi jeudi vendredi samedi dimanche monday tuesday wednesday thursday friday saturday sunday",
        "commande recu recus requete requetes requis requisition lot lots permis labo labos laboratoire laboratory",
        "dn doss prel req adr medicare telecopieur fax nas sin dx rx",
        "invoice order qc quebec montreal laval gatineau longueuil levis sherbrooke canada",
    )
    for word in words.split()
)
"""Words next to names that are none: captions, titles, months, and the towns that letters are dated from."""
_NOT_NAME_STEMS = ("factur", "refer")
_PARTICLES = frozenset(
    ("de", "du", "des", "la", "le", "les", "st", "ste", "saint", "sainte", "van", "von", "da", "dos")
)
_LONGEST_SURNAME = 3
"""Words: de la Rue."""


class Names(NamedTuple):
    """The names around a number. `words` are in reading order, `sure` the letters of what is clearly a full name."""

    words: tuple[str, ...]
    sure: frozenset[str]

    def match(self, letters: str) -> bool | None:
        """Whether a surname and a given name side by side give the four letters; None when no name is near.

        False says little: many people are called by another surname than the one they were born with.
        """
        if letters in self.sure or any(code == letters for code in self._codes(letters[0])):
            return True
        return False if self.sure else None

    def _codes(self, first: str) -> Iterator[str]:
        """The letters of every pair of neighbouring words in which the surname starts with `first`."""
        words = self.words
        for i, word in enumerate(words):
            if word[0].upper() != first and word[0] not in _MEANT:
                continue
            end = i + surname_length(words, i)
            surname = " ".join(words[i:end])
            for j in (end, end + 1, i - 1, i - 2):
                if 0 <= j < len(words) and not words[j][0].islower():
                    yield from codes(surname, words[j])


def codes(surname: str, given_name: str) -> Iterator[str]:
    """The four letters that a surname and a given name give: more than one where they hold a misread character."""
    for spelled in _spellings(surname):
        letters = nam.surname_letters(spelled)
        for given in _spellings(given_name[:2]):
            yield letters + nam.given_letter(given)


def names_in(text: str, *, mended: bool = False) -> tuple[list[str], set[str]]:
    """The words of `text` that may be names, and the letters of those that clearly are: "Roy, Anne" and "ROY Anne".

    `text` has no accents (`layout.plain`). Where a word is oddly written, it is read again with the reader's slips
    `mended`.
    """
    tokens = (_TOKEN_WITH_FIGURES if _FIGURE.search(text) else _TOKEN).findall(text)
    words: list[str] = []
    sure: set[str] = set()
    run: list[str] = []
    comma = titled = False
    for token, behind, stop in tokens:
        if stop:
            titled = titled and stop not in ("\t", "\n")
            run, comma = [], False
            continue
        word = token.rstrip(".-'")
        lower = word.lower()
        if lower in _NOT_NAMES or lower.startswith(_NOT_NAME_STEMS):
            titled = titled or lower in _TITLES
            run, comma = [], False
            continue
        capital = not word[0].islower()
        odd = "." in word or not (word.istitle() or word.isupper()) if capital else word != lower or word[0] == "l"
        if odd and not mended and _SLIP.search(word):
            return names_in(_SLIP.sub(_mended, text), mended=True)
        # A surname starts with a capital or a particle; a word in lower case ends what was collected so far.
        if capital:
            if run and not titled and (comma or _is_in_capitals(run[-1], word)):
                sure.update(_sure_codes(run, word))
        elif lower not in _PARTICLES:
            run, comma = [], False
            continue
        words.append(word)
        run = [word] if comma else [*run, word]
        comma = bool(behind)
    return words, sure


def surname_length(words: Sequence[str], start: int) -> int:
    """How many words from `start` on make one surname: more than one where it begins with a particle."""
    length = 1
    while (
        length < _LONGEST_SURNAME and start + length < len(words) and _is_particle(words[start + length - 1])
    ):  # fmt: skip
        length += 1
    return length


def _mended(slip: re.Match[str]) -> str:
    """What was lost, restored."""
    lost, after = slip[0], slip.string[slip.end() : slip.end() + 2]
    if lost in ("", "."):
        return " "
    if after[0].isupper():
        return lost.capitalize() + " " if after[1:].islower() else lost.upper()
    return "I" if lost == "l" and after[0] not in "aeiouy'-" else lost.upper()


def _is_in_capitals(surname: str, given_name: str) -> bool:
    return len(surname) > 1 and surname.isupper() and not given_name.isupper()


def _sure_codes(run: list[str], given_name: str) -> Iterator[str]:
    """The letters of a full name. The first words may stand before it, and be none of it ("Suivi Tremblay, Marie")."""
    yield from codes(" ".join(run), given_name)
    for start in range(1, len(run)):
        if not _is_particle(run[start - 1]):
            yield from codes(" ".join(run[start:]), given_name)


def _is_particle(word: str) -> bool:
    return word.lower().strip(".") in _PARTICLES


def _spellings(word: str) -> list[str]:
    """A word as it stands, or with letters instead of what no name holds."""
    if (word.isalpha() and word[0] != "I") or not 0 < len(_MISREAD.findall(word)) <= _MOST_MISREAD:
        return [word]
    spelled = [""]
    for place, character in enumerate(word):
        meant = _MEANT.get(character, character) if character != "I" or _MISREAD.match(word, place) else character
        spelled = [start + letter for start in spelled for letter in meant]
    return spelled
