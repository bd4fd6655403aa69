"""What is printed around a number: the label that names it, the names that it abbreviates. Pure."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from extraction import nam
from extraction.layout import Layout
from extraction.page import Box

_LABEL = re.compile(
    r"""(?<![a-z0-9_])(?=[abcdefhilmnoprst])  # Where no label begins, this says so at once.
    (?:(?P<nam>n\.?a\.?m\b|ramq\b|assurance[- ]?mal|ass\.?[ ]?mal|carte[ ](?:soleil|d'assurance)|hin\b
        |health[ ](?:insurance|card)|medicare\b)
    | (?P<decoy>factur|invoice|commande|order\b|lots?\b|batch|permis|licen[cs]e|ref\b|reference|requete|requisition
        |recu\b|receipt|contrat|contract|serie\b|serial|bon[ ]de\b|articles?\b|produits?\b|product|modele|compte
        |account|echantillon|colis|suivi[ ]postal|transaction|autorisation)
    | (?P<file>dossiers?\b|file\b|mrn\b|chart\b|clients?\b)
    | (?P<specimen>specimens?\b|exemples?\b|examples?\b|sample\b|ex\.[ ]?:|illustrati(?:on|f)
        |ficti(?:f|ve)s?\b))""",
    re.VERBOSE,
)
_DOCUMENT_STAMP = re.compile(r"donnees|synthet|document|demonstration|\bdemo\b")
_REACH = 60
_PROSE_REACH = 45
_SPECIMEN_ROWS = 4
_SPECIMEN_GAP = 2.5
"""Lines of a card stand at most so many of their heights apart."""
_ROWS_ABOVE, _ROWS_BELOW = 5, 2

_TOKEN = re.compile(r"([A-Za-z][A-Za-z'.-]*)(,?)|([\t\n:;()])")
_TITLES = frozenset(["dr", "dre", "docteur", "docteure", "doctor", "inf", "infirmiere", "md"])
_NOT_NAMES = frozenset(
    ["nom", "noms", "prenom", "prenoms", "patient", "patients", "patiente", "patientes", "usager", "usagers", "usagere", "usageres", "client", "clients", "cliente", "clientes", "m", "mr", "mme", "mrs", "ms", "mlle", "ne", "nee", "name", "surname", "first", "last", "given", "family", "nam", "ramq", "no", "num", "numero", "usuel", "naissance", "birth", "assurance", "maladie", "carte", "sex", "sexe", "date", "heure", "time", "motif", "raison", "tel", "telephone", "exp", "expiration", "dossier", "objet", "re", "est", "et", "a", "au", "d", "l", "janvier", "fevrier", "mars", "avril", "mai", "juin", "juillet", "aout", "septembre", "octobre", "novembre", "decembre", "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche", "commande", "recu", "recus", "lot", "lots", "permis", "invoice", "order", "qc", "quebec", "montreal", "laval", "gatineau", "longueuil", "levis", "sherbrooke", "canada"]
)
"""Words next to names that are none: captions, titles, months, and the towns that letters are dated from."""
_NOT_NAME_STEMS = ("factur", "requ", "refer", "labo")
_PARTICLES = frozenset(
    ("de", "du", "des", "la", "le", "les", "st", "ste", "saint", "sainte", "van", "von", "da", "dos")
)
_SUBJECT = re.compile(r"\b(?:objet|patiente?|usagere?|re|nom)[ ]?:")
_SURNAME_CAPTION = re.compile(r"\b(?:nom|surname|last name|family name)\b(?! et prenom| du | de la clin)")
_GIVEN_CAPTION = re.compile(r"\b(?:prenom|first name|given name)")


class Span(NamedTuple):
    """The characters of one number in the layout's text, and their box."""

    start: int
    end: int
    box: Box

    @classmethod
    def inside(cls, layout: Layout, box: Box) -> Span:
        """The characters from the first to the last word whose middle lies in `box`; none where there is no word."""
        inside = [
            i
            for i, word in enumerate(layout.words)
            if box.x0 <= word.box.middle[0] <= box.x1 and box.y0 <= word.box.middle[1] <= box.y1
        ]
        if not inside:
            return cls(0, 0, box)
        last = inside[-1]
        return cls(layout.starts[inside[0]], layout.starts[last] + len(layout.words[last].text), box)


class Names(NamedTuple):
    """The names around a number. `words` are in reading order, `sure` the letters of what is clearly a full name."""

    words: tuple[str, ...]
    sure: frozenset[str]

    def match(self, letters: str) -> bool | None:
        """Whether a surname and a given name side by side give the four letters; None when no name is near."""
        if letters in self.sure or any(code == letters for code in self._codes(letters[0])):
            return True
        return False if self.sure else None

    def _codes(self, first: str) -> Iterator[str]:
        """The letters of every pair of neighbouring words in which the surname starts with `first`."""
        words = self.words
        for i, word in enumerate(words):
            if word[0].upper() != first:
                continue
            length = _surname_length(words, i)
            surname = nam.surname_letters(" ".join(words[i : i + length]))
            for j in (i + length, i + length + 1, i - 1, i - 2):
                if 0 <= j < len(words) and words[j][0].isupper():
                    yield surname + nam.given_letter(words[j])


class _Header(NamedTuple):
    row: int
    box: Box
    kind: str


@dataclass(slots=True)
class Surroundings:
    """One page with the places of its numbers, ready to say what stands around each of them."""

    layout: Layout
    spans: Sequence[Span]
    labels: list[tuple[int, int, str]]
    headers: list[_Header]
    rows: dict[int, list[Span]]
    _has_captions: bool
    _read: dict[tuple[int, int], tuple[list[str], set[str]]] = field(default_factory=dict)
    _shares: dict[tuple[int, int], list[tuple[int, int, Span]]] = field(default_factory=dict)

    @classmethod
    def of(cls, layout: Layout, spans: Sequence[Span]) -> Surroundings:
        labels = [(m.start(), m.end(), m.lastgroup or "") for m in _LABEL.finditer(layout.folded)]
        rows: dict[int, list[Span]] = {}
        for span in spans:
            rows.setdefault(layout.row_at(span.start), []).append(span)
        captions = _SURNAME_CAPTION.search(layout.folded) and _GIVEN_CAPTION.search(layout.folded)
        return cls(layout, spans, labels, list(_headers(layout, labels, rows)), rows, bool(captions))

    def label(self, span: Span) -> str:
        """How the page names the number: "nam", "decoy" (an invoice, an order, ...), "file", or "" if it does not.

        The nearest label counts: on the left in the row, at the end of the line before (in running text), or above.
        """
        row = self.layout.row_at(span.start)
        start = self.layout.rows[row].start
        floor = max([start, span.start - _REACH, *(s.end for s in self.rows.get(row, ()) if s.end <= span.start)])
        kind = self._last_label(floor, span.start)
        if kind or not row:
            return kind
        before = self.layout.rows[row - 1]
        if "\t" not in self.layout.printed[start : span.start] and self._follows_closely(row):
            kind = self._last_label(max(before.start, start - _PROSE_REACH), start, digits=False)
        return kind or self._header(row, span.box)

    def is_specimen(self, span: Span) -> bool:
        """Whether the number stands in a box that calls itself a specimen or an example."""
        row = self.layout.row_at(span.start)
        for start, end, kind in self.labels:
            if kind != "specimen":
                continue
            label_row = self.layout.row_at(start)
            if label_row == row and (start < span.start or self._is_remark(span, start)):
                return True
            if 0 < row - label_row <= _SPECIMEN_ROWS and self._titles(label_row, row, start, end, span.box):
                return True
        return False

    def names(self, span: Span) -> Names:
        """The names in the number's row and block."""
        words: list[str] = []
        sure: set[str] = set()
        for parts in self._regions(span):
            for start, end in parts:
                cell_words, cell_sure = self._names_in(start, end)
                words += cell_words
                sure |= cell_sure
            sure = sure or self._captioned(parts)
            if sure:
                break
        return Names(tuple(words), frozenset(sure))

    def _last_label(self, start: int, end: int, *, digits: bool = True) -> str:
        at = bisect_left(self.labels, (end, 0, "")) - 1
        if at < 0 or self.labels[at][0] < start or self.labels[at][2] == "specimen":
            return ""
        between = self.layout.folded[self.labels[at][1] : end]
        return self.labels[at][2] if digits or not any(c.isdigit() for c in between) else ""

    def _is_remark(self, span: Span, start: int) -> bool:
        """Whether what begins at `start` is said of the number in parentheses right behind it."""
        return self.layout.plain[span.end : start].strip() == "("

    def _follows_closely(self, row: int, heights: float = 1.0) -> bool:
        above, own = self.layout.rows[row - 1], self.layout.rows[row]
        return own.top - above.bottom < heights * (own.bottom - own.top)

    def _header(self, row: int, box: Box) -> str:
        """The kind of the nearest label above that stands over the number and names nothing in its own row."""
        best: tuple[float, float] | None = None
        kind = ""
        for header in self.headers:
            margin = 0.3 * box.width
            if header.row < row and header.box.x0 - margin <= box.x1 and header.box.x1 + margin >= box.x0:
                distance = (row - header.row, abs(header.box.x0 - box.x0))
                if best is None or distance < best:
                    best, kind = distance, header.kind
        return kind

    def _titles(self, label_row: int, row: int, start: int, end: int, box: Box) -> bool:
        """Whether a specimen label heads the block of the number, and is no stamp on the whole page."""
        rows = self.layout.rows
        if _DOCUMENT_STAMP.search(self.layout.folded, rows[label_row].start, rows[label_row].end):
            return False
        if any(other in self.rows for other in range(label_row, row)):
            return False
        if not all(self._follows_closely(below, _SPECIMEN_GAP) for below in range(label_row + 1, row + 1)):
            return False
        label = self.layout.box(start, end)
        return label.x0 <= box.x1 and label.x1 >= box.x0 - box.width

    def _regions(self, span: Span) -> Iterator[list[tuple[int, int]]]:
        """Where names may stand, nearest first: the row, the rows above, the rows below, the subject of the page.

        A row that holds another number belongs to somebody else. Where several numbers share a row, each cell belongs
        to the number that starts nearest to it.
        """
        row = self.layout.row_at(span.start)
        yield self._parts(row, span)
        above: list[tuple[int, int]] = []
        for other in range(row - 1, max(-1, row - 1 - _ROWS_ABOVE), -1):
            if other in self.rows:
                break
            above[:0] = self._parts(other, span)
        yield above
        below = []
        for other in range(row + 1, min(len(self.layout.rows), row + 1 + _ROWS_BELOW)):
            if other in self.rows:
                break
            below += self._parts(other, span)
        yield below
        if len(self.rows) <= 2:  # noqa: PLR2004 - a letter about one person, or about two
            yield [(r.start, r.end) for r in self.layout.rows if _SUBJECT.search(self.layout.folded, r.start, r.end)]

    def _names_in(self, start: int, end: int) -> tuple[list[str], set[str]]:
        """What `_names_in` reads in a stretch of the page: once, though several numbers may ask."""
        read = self._read.get((start, end))
        if read is None:
            read = self._read[start, end] = _names_in(self.layout.plain[start:end])
        return read

    def _parts(self, row: int, span: Span) -> list[tuple[int, int]]:
        """The stretches of a row without its numbers, as far as they belong to `span`."""
        own = self.layout.row_at(span.start)
        mates = self.rows.get(own, [])
        if span not in mates:
            return _of(span, self._shared(row, [*mates, span])) if mates else self._between_numbers(row)
        if len(mates) == 1:
            return self._between_numbers(row)
        shared = self._shares.get((row, own))
        if shared is None:
            shared = self._shares[row, own] = self._shared(row, mates)
        return _of(span, shared)

    def _shared(self, row: int, mates: Sequence[Span]) -> list[tuple[int, int, Span]]:
        """The stretches of a row without its numbers, each with the number of `mates` that starts nearest to it."""
        shared = []
        for start, end in self._between_numbers(row):
            while start < end:
                tab = self.layout.printed.find("\t", start, end)
                stop = end if tab < 0 else tab
                if start < stop:
                    x0 = self.layout.left(start)
                    shared.append((start, stop, min(mates, key=lambda mate: abs(mate.box.x0 - x0))))
                start = stop + 1
        return shared

    def _between_numbers(self, row: int) -> list[tuple[int, int]]:
        start, end = self.layout.rows[row][:2]
        parts = []
        for span in self.rows.get(row, ()):
            parts.append((start, span.start))
            start = span.end
        parts.append((start, end))
        return parts

    def _captioned(self, parts: list[tuple[int, int]]) -> set[str]:
        """The letters of a surname and a given name that stand under or behind their captions."""
        if not self._has_captions:
            return set()
        surname, given = self._behind(parts, _SURNAME_CAPTION), self._behind(parts, _GIVEN_CAPTION)
        return {nam.surname_letters(surname) + nam.given_letter(given)} if surname and given else set()

    def _behind(self, parts: list[tuple[int, int]], caption: re.Pattern[str]) -> str:
        """What stands behind a caption in its cell, or else below it."""
        layout = self.layout
        for start, end in parts:
            found = caption.search(layout.folded, start, end)
            if found is None:
                continue
            cell_start, cell_end = layout.cell(found.start())
            colon = layout.folded.find(":", found.end(), cell_end)
            if colon >= 0:
                words, _ = _names_in(layout.plain[colon + 1 : cell_end])
                return " ".join(words[: _surname_length(words, 0)]) if words else ""
            box = layout.box(cell_start, cell_end)
            for below_start, below_end in layout.cells(min(layout.row_at(start) + 1, len(layout.rows) - 1)):
                below = layout.box(below_start, below_end)
                if below.y0 > box.y0 and abs(below.x0 - box.x0) < max(box.width, below.height):
                    words, _ = _names_in(layout.plain[below_start:below_end])
                    return " ".join(words)
        return ""


def _of(span: Span, shared: list[tuple[int, int, Span]]) -> list[tuple[int, int]]:
    return [(start, end) for start, end, owner in shared if owner == span]


def _headers(layout: Layout, labels: list[tuple[int, int, str]], numbered: Container[int]) -> Iterator[_Header]:
    """The labels with nothing countable behind them, in rows without a number: they name what stands below."""
    for i, (start, end, kind) in enumerate(labels):
        row = layout.row_at(start)
        if kind == "specimen" or row in numbered:
            continue
        stop = layout.rows[row].end
        if i + 1 < len(labels):
            stop = min(stop, labels[i + 1][0])
        if not any(c.isdigit() for c in layout.folded[end:stop]):
            yield _Header(row, layout.box(start, end), kind)


def _surname_length(words: Sequence[str], start: int) -> int:
    """How many words from `start` on make one surname: more than one where it begins with a particle."""
    length = 1
    while (
        start + length < len(words) and words[start + length - 1].lower().strip(".") in _PARTICLES and length < 3  # noqa: PLR2004 - "de la Rue"
    ):
        length += 1
    return length


def _names_in(text: str) -> tuple[list[str], set[str]]:
    """The words of `text` that may be names, and the letters of those that clearly are: "Roy, Anne" and "ROY Anne"."""
    words: list[str] = []
    sure: set[str] = set()
    run: list[str] = []
    comma = False
    titled = False
    for token, behind, stop in _TOKEN.findall(text):
        word = token.rstrip(".-'")
        lower = word.lower()
        if not word or lower in _TITLES or lower in _NOT_NAMES or lower.startswith(_NOT_NAME_STEMS):
            titled = lower in _TITLES or (titled and stop not in ("\t", "\n"))
            run, comma = [], False
            continue
        # A surname starts with a capital or a particle; a word in lower case ends what was collected so far.
        if word[0].isupper():
            if run and not titled:
                _learn(sure, run, word, comma=comma)
        elif lower not in _PARTICLES:
            run, comma = [], False
            continue
        words.append(word)
        run = [word] if comma else [*run, word]
        comma = bool(behind)
    return words, sure


def _learn(sure: set[str], run: list[str], given: str, *, comma: bool) -> None:
    """Add the letters of the surname in `run` and the given name after it, if they are written as a full name."""
    capitals = len(run[-1]) > 1 and run[-1].isupper() and not given.isupper()
    if comma or capitals:
        sure.add(nam.surname_letters(" ".join(run)) + nam.given_letter(given))


def codes_on(layout: Layout) -> frozenset[str]:
    """The four letters that every name on the page gives which is clearly a full name."""
    return frozenset().union(*(codes_in(layout.plain[row.start : row.end]) for row in layout.rows))


def codes_in(text: str) -> set[str]:
    """The four letters that each name in `text` gives which is clearly a full name."""
    return _names_in(text)[1]
