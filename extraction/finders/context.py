"""What is printed around a number: the label that names it, the names that it abbreviates. Pure.

A label names what follows it or stands below it, once: what has its own value names nothing further on. Where nothing
names a number, the company that it keeps may: codes come in series, and most of their look-alikes are no NAMs.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NamedTuple

from extraction import nam
from extraction.finders.company import Company
from extraction.finders.names import Names, codes, names_in, surname_length
from extraction.finders.span import Span
from extraction.finders.specimens import Specimens
from extraction.layout import Layout
from extraction.page import Box
from extraction.visits.moments import dates_in

__all__ = ["Names", "Span", "Surroundings", "codes_in"]

_LABEL = re.compile(
    r"""(?<![a-z0-9_])(?=[abcdefhilmnopqrstv5])  # Where no label begins, this says so at once.
    (?:(?P<nam>n\.?a\.?m\b|ram[qoag0]\b|assurance[- ]?ma[l1i|]|ass\.?[ ]?mal|carte[ ](?:soleil|sante|d'assurance)|hin\b
        |health[ ](?:insurance|card|(?:care[ ])?(?:number|no\b))|medicare\b)
    | (?P<decoy>factur|invoice|commande|order\b|lots?\b|batch|permis|licen[cs]e|ref\b|reference|requete|requisition
        |req\b|recu\b|receipt|contra[ct]t?\b|serie\b|serial|bon[ ]de\b|articles?\b|produits?\b|product|modele
        |compte(?![- ]rendu)|account|echantillon|colis|suivi[ ]postal|transaction|autorisation|police\b|policy|bordereau
       |matricule|passe?port|livraison|delivery|expedition\b|shipment|tracking|soumission|quote\b|devis
        |cheque|ticket|billet|plaque|catalog|sku\b|barcode|code[ ]barres?|visa\b|accession|protocol|no[ ]d'employe)
    | (?P<file>dossiers?\b|doss?\b|file\b|mrn\b|chart\b|clients?\b))""",
    re.VERBOSE,
)
_REACH = 60
_PROSE_REACH = 45
_HEAD_GAP = 3.0
"""What is set right above a number stands at most so many line heights away."""
_CAPTION_GAP = 1.0
_CELL_HEAD = 16
"""So many characters may stand before a number in its cell, for what heads the column to name it."""
_IN_LINE = 0.03
"""Numbers of one column start, end or have their middles within this part of the page's width."""
_OWN_CAPTION = re.compile(r"(?:^|(?<=[\t\n0-9·;,|]))[ ]*([a-z][^:\t\n0-9]{1,40}?)[ ]?:[ \t]*\Z")
_WORD_BEFORE = re.compile(r"(?<![a-z0-9'-])([a-z]{4,})[ ]\Z")
_OF_PEOPLE = re.compile(
    r"patient|usag|client|benef|assur|\bnom|name|number|num|\bno?\b|ident|\bid\b|cart|card|m[eo]re|moth|pere|father|enf|child"
    r"|beb|baby|conj|spouse|paren|epou|nais|birth|hosp|admis|sex|malad|sant|health|regi|medic"
)
"""Captions that may well stand before a NAM, or say nothing of what follows."""
_LONGEST_HEAD = 48
"""A cell of more characters is running text, and heads nothing."""
_ROWS_ABOVE, _ROWS_BELOW = 5, 2
_TALL = 1.6
"""A box so many times as high as its first word holds more than one line."""
_LIST = re.compile(r"[ ]?(?:[,;/&+]|et|and|ou|or)[ ]?")
"""What stands between numbers that share one label: "factures A, B et C"."""
_ONE_MORE = re.compile(r"[ ]?\([^()\n\t]{0,12}")
_VALUE = re.compile(r"[a-z]{0,5}[0-9][0-9a-z./-]{2,}")
_CONNECTOR = re.compile(
    r"[^a-z]+|(?<![a-z])(?:no|nos|num|numeros?|number|de|du|des|d|la|le|l|the|of|our|your)(?![a-z])"
)
_MOST_WORDS = 2
"""Between a label and the number that it names, besides "no" and the like."""
_SUBJECT = re.compile(r"(?=[a-z])\b(?:objet|patiente?|usagere?|re|nom)[ ]?:")
_SURNAME_CAPTION = re.compile(r"(?=[a-z])\b(?:nom|surname|last name|family name)\b(?! et prenom| du | de la clin)")
_GIVEN_CAPTION = re.compile(r"(?=[a-z])\b(?:prenom|first name|given name)")
_A_YEAR = timedelta(days=365)
_FIGURES = re.compile("[0-9]{2}")
_PARTED = re.compile(r"(?<=, )([A-Z])[ ](?=[a-z]{2})")
_SPACED = re.compile(r"(?:[A-Z015|'-]{1,2}[ ]){2,}[A-Z015|]{1,2}")
"""A name with every letter in a box of its own; a reader may take two together."""


class _Header(NamedTuple):
    row: int
    box: Box
    kind: str


def labels_in(layout: Layout) -> Iterator[tuple[int, int, str]]:
    """Start, end and kind ("nam", "decoy" or "file") of every label of numbers on a page."""
    return ((m.start(), m.end(), m.lastgroup or "") for m in _LABEL.finditer(layout.folded))


@dataclass(slots=True)
class Surroundings:
    """One page with the places of its numbers, ready to say what stands around each of them."""

    layout: Layout
    spans: Sequence[Span]
    labels: list[tuple[int, int, str]]
    headers: list[_Header]
    rows: dict[int, list[Span]]
    _specimens: Specimens
    _read: dict[tuple[int, int], tuple[list[str], set[str]]] = field(default_factory=dict)
    _shares: dict[tuple[int, int], list[tuple[int, int, Span]]] = field(default_factory=dict)
    _has_captions: bool | None = None
    _company: Company | None = None
    _dates: frozenset[date] | None = None

    @classmethod
    def of(cls, layout: Layout, spans: Sequence[Span]) -> Surroundings:
        labels = list(labels_in(layout))
        rows: dict[int, list[Span]] = {}
        for span in spans:
            rows.setdefault(layout.row_at(span.start), []).append(span)
        headers = list(_headers(layout, labels, rows))
        return cls(layout, spans, labels, headers, rows, Specimens.of(layout, rows))

    def label(self, span: Span) -> str:
        """How the page names the number: "nam", "decoy" (an invoice, an order, ...), "file", or "" if it does not.

        The nearest label counts: on the left in the row, at the end of the line before (in running text), in
        parentheses behind it, above, or as the caption of its line. A caption of another kind right before the number
        ("Bracelet : ...") makes it "other". What nothing calls a NAM, its company may make one, or a "decoy", or even a
        "code": one of a system's own.
        """
        kind = self._printed_label(span)
        if kind == "nam":
            return kind
        verdict = self._verdict(span)
        if verdict == "code" or not kind or (verdict == "nam" and kind == "word"):
            return verdict
        kind = "other" if kind == "word" else kind
        return "decoy" if "decoy" in (kind, verdict) else kind

    def _printed_label(self, span: Span) -> str:
        row = self.layout.row_at(span.start)
        start = self.layout.rows[row].start
        before = max((s for s in self.rows.get(row, ()) if s.end <= span.start), default=None)
        if before is not None and _LIST.fullmatch(self.layout.folded, before.end, span.start):
            return self._printed_label(before)
        floor = max(start, span.start - _REACH, before.end if before else 0)
        kind = self._last_label(floor, span.start) or self._other(floor, span)
        if kind == "word" and self._header(row, span) == "nam":
            return "nam"
        if not kind and row and "\t" not in self.layout.printed[start : span.start] and self._follows_closely(row):
            above = self.layout.rows[row - 1].start
            kind = self._last_label(max(above, start - _PROSE_REACH), start, digits=False)
        return kind or self._remark(span) or self._header(row, span) or self._caption(row, span.box)

    def _other(self, floor: int, span: Span) -> str:
        """ "other" or "word" where a caption or a word before the number speaks neither of people nor of numbers."""
        folded = self.layout.folded
        colon = _OWN_CAPTION.search(folded, floor, span.start)
        caption = colon or _WORD_BEFORE.search(folded, floor, span.start)
        if caption is None or _OF_PEOPLE.search(caption[1]):
            return ""
        letters = self.layout.plain[span.start : span.start + 4].upper()
        word = self.layout.plain[slice(*caption.span(1))]
        if not colon and nam.surname_letters(word) == letters[:3]:
            return ""  # A surname whose given name was not read.
        words, sure = names_in(word)
        return "" if Names(tuple(words), frozenset(sure)).match(letters) else "other" if colon else "word"

    def _verdict(self, span: Span) -> str:
        if self._company is None:
            self._company = Company.of(self.layout, lambda: self.named, self._is_named, self._is_labelled)
        return self._company.verdict(self.layout.plain[span.start : span.start + 4].upper(), span.start)

    @property
    def named(self) -> frozenset[str]:
        """The four letters that every name on the page gives which is clearly a full name."""
        return frozenset().union(*(self._names_in(row.start, row.end)[1] for row in self.layout.rows))

    def _is_named(self, start: int, letters: str) -> bool:
        row = self.layout.rows[self.layout.row_at(start)]
        words, sure = self._names_in(row.start, row.end)
        return Names(tuple(words), frozenset(sure)).match(letters) is True

    def _is_labelled(self, start: int) -> bool:
        return bool(self._printed_label(Span(start, start + 4, self.layout.box(start, start + 4))))

    def _remark(self, span: Span) -> str:
        """The label in parentheses right behind the number."""
        at = bisect_left(self.labels, (span.end, 0, ""))
        if at == len(self.labels):
            return ""
        start, _, kind = self.labels[at]
        return kind if _ONE_MORE.fullmatch(self.layout.folded, span.end, start) else ""

    def _caption(self, row: int, box: Box) -> str:
        """ "nam" where a form's caption stands in small print under the number, and no other number under that."""
        for header in self.headers:
            if header.row == row + 1 and header.kind == "nam" and _stands_over(header.box, box):
                below = any(s.box.y0 > header.box.y1 and _stands_over(header.box, s.box) for s in self.spans)
                return "" if below or not self._follows_closely(row + 1, _CAPTION_GAP) else "nam"
        return ""

    @property
    def dates(self) -> frozenset[date]:
        """The dates that the page prints and that somebody may be born on, who already has a number of their own: not
        those of the last year before the latest one.
        """
        if self._dates is None:
            every = [match.value for match in dates_in(self.layout.folded)]
            latest, only = max(every, default=date.min), len(set(every)) == 1
            self._dates = frozenset(day for day in every if only or latest - day > _A_YEAR)
        return self._dates

    def is_specimen(self, span: Span) -> bool:
        """Whether the page shows the number as an example."""
        return self._specimens.holds(span)

    def names(self, span: Span) -> Names:
        """The names in the number's row and block."""
        letters = self.layout.plain[span.start : span.start + 4].upper()
        words: list[str] = []
        sure: set[str] = set()
        seen: list[tuple[int, int]] = []
        for parts in self._regions(span):
            # A full name speaks for a number; one that does not give its letters may be its neighbour's.
            if letters in sure or (sure and Names(tuple(words), frozenset(sure)).match(letters)):
                break
            for start, end in parts:
                part_words, part_sure = self._names_in(start, end)
                words += part_words
                sure |= part_sure
            seen += parts
            sure = sure or self._captioned(seen)
        return Names(tuple(words), frozenset(sure))

    def _last_label(self, start: int, end: int, *, digits: bool = True) -> str:
        at = bisect_left(self.labels, (end, 0, "")) - 1
        if at < 0 or self.labels[at][0] < start:
            return ""
        between = self.layout.folded[self.labels[at][1] : end]
        if not digits and ("\t" in between or any(map(str.isdigit, between))):
            return ""  # It has a value, or heads a column.
        kind = self.labels[at][2]
        return "" if kind == "decoy" and _has_own_value(between) else kind

    def _follows_closely(self, row: int, heights: float = 1.0) -> bool:
        above, own = self.layout.rows[row - 1], self.layout.rows[row]
        return own.top - above.bottom < heights * (own.bottom - own.top)

    def _header(self, row: int, span: Span) -> str:
        """The kind of the nearest label above that stands over the number and names nothing in its own row."""
        above = [header for header in self.headers if header.row < row and _stands_over(header.box, span.box)]
        if not above:
            return ""
        nearest = min(above, key=lambda header: (row - header.row, abs(header.box.x0 - span.box.x0)))
        if span.start - self.layout.cell(span.start)[0] > _CELL_HEAD:
            return ""  # Running text stands under no head of a column.
        if not self._is_in_line(nearest, span):
            return ""
        return nearest.kind if self._heads(nearest.row, row) else ""

    def _is_in_line(self, header: _Header, span: Span) -> bool:
        """Whether the number is the first one under its head, or in line with that."""
        middle, (low, _, high, _) = header.box.middle[0], span.box
        is_column = "\t" in self.layout.printed[slice(*self.layout.rows[header.row][:2])]
        if is_column and (low <= middle <= high or header.box.x0 <= span.box.middle[0] <= header.box.x1):
            return True  # Hands begin where they like.
        under = (other for other in self.spans if self.layout.row_at(other.start) > header.row)
        first = min(
            (other for other in under if _stands_over(header.box, other.box)),
            key=lambda other: other.start,
            default=span,
        )
        return any(abs(a - b) < _IN_LINE for a, b in zip(_sides(first.box), _sides(span.box), strict=True))

    def _heads(self, header_row: int, row: int) -> bool:
        """Whether what stands in `header_row` heads a column, or is set right above; a title alone names the page."""
        header = self.layout.rows[header_row]
        if "\t" in self.layout.printed[header.start : header.end]:
            return True
        return all(self._follows_closely(below, _HEAD_GAP) for below in range(header_row + 1, row + 1))

    def _regions(self, span: Span) -> Iterator[list[tuple[int, int]]]:
        """Where names may stand, nearest first: the row, the rows above, the rows below, the subject of the page.

        A row that holds another number belongs to somebody else. Where several numbers share a row, each cell belongs
        to the number that starts nearest to it.
        """
        row = self.layout.row_at(span.start)
        last = self._last_row(span, row)
        yield [part for own in range(row, last + 1) for part in self._parts(own, span)]
        above: list[tuple[int, int]] = []
        for other in range(row - 1, max(-1, row - 1 - _ROWS_ABOVE), -1):
            if self._is_of_another(other, span):
                break
            above[:0] = self._parts(other, span)
        yield above
        below = []
        for other in range(last + 1, min(len(self.layout.rows), last + 1 + _ROWS_BELOW)):
            if self._is_of_another(other, span):
                break
            below += self._parts(other, span)
        yield below
        if len(self.rows) <= 2:  # noqa: PLR2004 - a letter about one person, or about two
            yield [(r.start, r.end) for r in self.layout.rows if _SUBJECT.search(self.layout.folded, r.start, r.end)]

    def _last_row(self, span: Span, row: int) -> int:
        """The last of the rows that a number stands in: more than one if it is broken over the lines of a cell."""
        last = row
        if span.box.height > _TALL * self.layout.words_in(span.start, span.start + 1)[0].box.height:
            for below in range(row + 1, len(self.layout.rows)):
                top, bottom = self.layout.rows[below][2:4]
                if (top + bottom) / 2 > span.box.y1 or self._is_of_another(below, span):
                    break
                last = below
        return last

    def _is_of_another(self, row: int, span: Span) -> bool:
        """Whether a row holds another number than that of `span`, which people may print twice."""
        text = self.layout.plain
        for other in self.rows.get(row, ()):
            if text[other.end - 1] != text[span.end - 1]:
                return True
            if nam.normalise(text[other.start : other.end]) != nam.normalise(text[span.start : span.end]):
                return True
        return False

    def _names_in(self, start: int, end: int) -> tuple[list[str], set[str]]:
        """What `names_in` reads in a stretch of the page: once, though several numbers may ask."""
        read = self._read.get((start, end))
        if read is None:
            text = self.layout.plain[start:end]
            # A hand leaves a space behind a capital: "St-Pierre, A nnie".
            text = text if self.layout.page.is_typed else _PARTED.sub(r"\1", text)
            read = self._read[start, end] = names_in(text)
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
            at = start
            while at < end:
                tab = self.layout.printed.find("\t", at, end)
                stop = end if tab < 0 else tab
                if at < stop:
                    x0 = self.layout.left(at)
                    shared.append((at, stop, min(mates, key=lambda mate: abs(mate.box.x0 - x0))))
                at = stop + 1
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
        if self._has_captions is None:
            folded = self.layout.folded
            self._has_captions = bool(_GIVEN_CAPTION.search(folded) and _SURNAME_CAPTION.search(folded))
        if not self._has_captions:
            return set()
        surname, given = self._behind(parts, _SURNAME_CAPTION), self._behind(parts, _GIVEN_CAPTION)
        return set(codes(surname, given)) if surname and given else set()

    def _behind(self, parts: list[tuple[int, int]], caption: re.Pattern[str]) -> str:
        """The first name behind a caption in its cell, or else below it, or in the next cell."""
        layout = self.layout
        for start, end in parts:
            found = caption.search(layout.folded, start, end)
            if found is None:
                continue
            cell = layout.cell(found.start())
            colon = layout.folded.find(":", found.end(), cell[1])
            beside = self._first_name(colon + 1, cell[1]) if colon >= 0 else self._below(cell)
            if not beside and cell[1] < layout.rows[layout.row_at(cell[0])].end:
                beside = self._first_name(*layout.cell(cell[1] + 1))
            return beside
        return ""

    def _first_name(self, start: int, end: int) -> str:
        """The first name in a stretch of the page, set in one piece or one letter a box."""
        text = self.layout.plain[start:end].strip()
        if _SPACED.fullmatch(text):
            return text.replace(" ", "")
        words, _ = names_in(text)
        return " ".join(words[: surname_length(words, 0)]) if words else ""

    def _below(self, cell: tuple[int, int]) -> str:
        """The first name in the next row that stands under a cell."""
        layout = self.layout
        box, row = layout.box(*cell), layout.row_at(cell[0]) + 1
        for start, end in layout.cells(row) if row < len(layout.rows) else ():
            below = layout.box(start, end)
            if abs(below.x0 - box.x0) < max(box.width, below.height):
                return "" if _FIGURES.search(layout.plain, start, end) else self._first_name(start, end)
        return ""


def _stands_over(header: Box, box: Box) -> bool:
    margin = 0.3 * (box.x1 - box.x0)
    return header.x0 - margin <= box.x1 and header.x1 + margin >= box.x0


def _start(span: Span) -> int:
    return span.start


def _sides(box: Box) -> tuple[float, float, float]:
    return box.x0, box.middle[0], box.x1


def _has_own_value(between: str) -> bool:
    """Whether a label has a value, or much else to say, before the number that stands behind `between`."""
    value = _VALUE.search(between)
    if value:
        return not _LIST.fullmatch(between[value.end() :])
    label, _, behind = between.partition(":")
    own = _CONNECTOR.sub(" ", behind).split()
    return bool(own) or len(_CONNECTOR.sub(" ", label).split()) > _MOST_WORDS


def _of(span: Span, shared: list[tuple[int, int, Span]]) -> list[tuple[int, int]]:
    return [(start, end) for start, end, owner in shared if owner == span]


def _headers(layout: Layout, labels: list[tuple[int, int, str]], numbered: Container[int]) -> Iterator[_Header]:
    """The labels with nothing countable behind them, in rows without a number: they name what stands below."""
    for i, (start, end, kind) in enumerate(labels):
        row = layout.row_at(start)
        cell = layout.cell(start)
        if row in numbered or cell[1] - cell[0] > _LONGEST_HEAD:
            continue
        stop = layout.rows[row].end
        if i + 1 < len(labels):
            stop = min(stop, labels[i + 1][0])
        if not any(map(str.isdigit, layout.folded[end:stop])):
            yield _Header(row, layout.box(start, end), kind)


def codes_in(text: str) -> set[str]:
    """The four letters that each name in `text` gives which is clearly a full name."""
    return names_in(text)[1]
