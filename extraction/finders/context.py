"""What is printed around a number: the label that names it, the names that it abbreviates. Pure.

A label names what follows it or stands below it, once: what has its own value names nothing further on. Where nothing
names a number, the company that it keeps may: codes come in series, and most of their look-alikes are no NAMs.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from extraction import nam
from extraction.finders.names import Names, codes, names_in, surname_length
from extraction.layout import Layout
from extraction.page import Box

__all__ = ["Names", "Span", "Surroundings", "codes_in", "codes_on"]

_LABEL = re.compile(
    r"""(?<![a-z0-9_])(?=[abcdefhilmnopqrstv5])  # Where no label begins, this says so at once.
    (?:(?P<nam>n\.?a\.?m\b|ram[qo0]\b|assurance[- ]?ma[l1i|]|ass\.?[ ]?mal|carte[ ](?:soleil|d'assurance)|hin\b
        |health[ ](?:insurance|card|(?:care[ ])?(?:number|no\b))|medicare\b)
    | (?P<decoy>factur|invoice|commande|order\b|lots?\b|batch|permis|licen[cs]e|ref\b|reference|requete|requisition
        |recu\b|receipt|contra[ct]t?\b|serie\b|serial|bon[ ]de\b|articles?\b|produits?\b|product|modele
        |compte(?![- ]rendu)|account|echantillon|colis|suivi[ ]postal|transaction|autorisation|police\b|policy|bordereau
       |matricule|passe?port|livraison|delivery|expedition\b|shipment|tracking|soumission|quote\b|devis
        |cheque|ticket|billet|plaque|catalog|sku\b|barcode|code[ ]barres?|visa\b|accession|protocol|no[ ]d'employe)
    | (?P<file>dossiers?\b|file\b|mrn\b|chart\b|clients?\b)
    | (?P<specimen>[s5][ ]?p[ ]?[ec][ ]?[ce][ ]?[il1|!]?[ ]?m[ ]?[e3c][ ]?[nm][ ]?s?\b|exemp[l1i|]es?\b|examp[l1i|]es?\b
        |sample\b|ex\.[ ]?:|illustrati(?:on|f)|ficti(?:f|ve)s?\b))""",
    re.VERBOSE,
)
_DOCUMENT_STAMP = re.compile(r"donnees|synthet|document|demonstration|\bdemo\b")
_ANALYSED = re.compile(
    r"s?[ ]?(?:[:#]|no\b|id\b|num|type|collect|receiv|recu|prelev|source|date|contain|urine|blood|sang\b|s[ae]rum)"
)
"""What follows "specimen" or "sample" where it is something that a laboratory analyses."""
_OF = re.compile(r"(?:type|type[ ](?:of|de)|blood|urine|tissue|sanguin)[ ]$")
_REACH = 60
_PROSE_REACH = 45
_SPECIMEN_ROWS = 4
_SPECIMEN_GAP = 3.0
"""Lines of a card stand at most so many of their heights apart."""
_BESIDE = 0.5
_CAPTION_GAP = 1.0
_CELL_HEAD = 16
"""So many characters may stand before a number in its cell, for what heads the column to name it."""
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
_CODES = frozenset("FACT LABO RECU REQU DOSS CLIE CLNT COMM CMDE LOTS LOTN ORDR ORDE INVC INVO".split(" "))  # noqa: SIM905
"""What systems put before their own numbers."""
_SHAPE = re.compile(r"(?<![A-Za-z0-9])([A-Z]{4})[ .-]?[0-9]{4}[ .-]?[0-9]{2}[0-9A-Z][0-9](?![A-Za-z0-9])")
_SERIES = 3
"""So many numbers with the same letters are a system's, where nothing on the page says that they are NAMs."""
_MANY = 3
"""So many numbers of one shape tell whether they are NAMs."""
_SUBJECT = re.compile(r"\b(?:objet|patiente?|usagere?|re|nom)[ ]?:")
_SURNAME_CAPTION = re.compile(r"\b(?:nom|surname|last name|family name)\b(?! et prenom| du | de la clin)")
_GIVEN_CAPTION = re.compile(r"\b(?:prenom|first name|given name)")
_FIGURES = re.compile("[0-9]{2}")
_SPACED = re.compile(r"(?:[A-Z015|'-]{1,2}[ ]){2,}[A-Z015|]{1,2}")
"""A name with every letter in a box of its own; a reader may take two together."""


class Span(NamedTuple):
    """The characters of one number in the layout's text, and their box."""

    start: int
    end: int
    box: Box

    @classmethod
    def inside(cls, layout: Layout, box: Box) -> Span:
        """The characters from the first to the last word whose middle lies in `box`; none where there is no word."""
        inside = [i for i, word in enumerate(layout.words) if box.holds(word.box)]
        if not inside:
            return cls(0, 0, box)
        last = inside[-1]
        return cls(layout.starts[inside[0]], layout.starts[last] + len(layout.words[last].text), box)


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
    _read: dict[tuple[int, int], tuple[list[str], set[str]]] = field(default_factory=dict)
    _shares: dict[tuple[int, int], list[tuple[int, int, Span]]] = field(default_factory=dict)
    _has_captions: bool | None = None
    _series: frozenset[str] | None = None

    @classmethod
    def of(cls, layout: Layout, spans: Sequence[Span]) -> Surroundings:
        labels = [(m.start(), m.end(), m.lastgroup or "") for m in _LABEL.finditer(layout.folded)]
        rows: dict[int, list[Span]] = {}
        for span in spans:
            rows.setdefault(layout.row_at(span.start), []).append(span)
        return cls(layout, spans, labels, list(_headers(layout, labels, rows)), rows)

    def label(self, span: Span) -> str:
        """How the page names the number: "nam", "decoy" (an invoice, an order, ...), "file", or "" if it does not.

        The nearest label counts: on the left in the row, at the end of the line before (in running text), in
        parentheses behind it, above, or as the caption of its line. What nothing names, or names a file, is a decoy
        where it is one of a system's codes by its letters or its company.
        """
        kind = self._printed_label(span)
        return "decoy" if kind in ("", "file") and self._is_code(span) else kind

    def _printed_label(self, span: Span) -> str:
        row = self.layout.row_at(span.start)
        start = self.layout.rows[row].start
        before = max((s for s in self.rows.get(row, ()) if s.end <= span.start), default=None)
        if before is not None and _LIST.fullmatch(self.layout.folded, before.end, span.start):
            return self._printed_label(before)
        floor = max(start, span.start - _REACH, before.end if before else 0)
        kind = self._last_label(floor, span.start)
        if not kind and row and "\t" not in self.layout.printed[start : span.start] and self._follows_closely(row):
            above = self.layout.rows[row - 1].start
            kind = self._last_label(max(above, start - _PROSE_REACH), start, digits=False)
        return kind or self._remark(span) or self._header(row, span) or self._caption(row, span.box)

    def _is_code(self, span: Span) -> bool:
        """Whether the number is one of a system's: by its letters, or because it is one of a series."""
        letters = self.layout.plain[span.start : span.start + 4].upper()
        if self._series is None:
            self._series = self._find_series()
        read = letters.replace("Q", "O")  # COMM is read as CQMM now and then
        return letters in _CODES or read in _CODES or letters in self._series

    def _find_series(self) -> frozenset[str]:
        """The letters of numbers that come in series, and of all that no name on the page gives where most are no NAMs.

        One code in thirty holds by chance, and nearly every NAM does: where less than half hold, chance made them.
        """
        shapes = {nam.normalise(found[0]): found[1] for found in _SHAPE.finditer(self.layout.plain)}
        failing = {value for value in shapes if not all(nam.check(value))}
        # Names are read only where enough numbers fail to be the greater part of _MANY.
        named = codes_on(self.layout) if 2 * len(failing) > _MANY else frozenset()
        unnamed = {value for value, letters in shapes.items() if letters not in named}
        many = len(unnamed) >= _MANY and 2 * len(unnamed & failing) > len(unnamed)
        return frozenset(each for each, count in Counter(shapes.values()).items() if many or count >= _SERIES)

    def _remark(self, span: Span) -> str:
        """The label in parentheses right behind the number."""
        at = bisect_left(self.labels, (span.end, 0, ""))
        if at == len(self.labels) or self.labels[at][2] == "specimen":
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

    def is_specimen(self, span: Span) -> bool:
        """Whether the number stands in a box that calls itself a specimen or an example."""
        row = self.layout.row_at(span.start)
        for start, end, kind in self.labels:
            if kind != "specimen":
                continue
            label_row = self.layout.row_at(start)
            if self._is_analysed(start, end, span):
                continue
            if label_row == row and (start < span.start or self._is_remark(span, start)):
                return True
            if 0 < row - label_row <= _SPECIMEN_ROWS and self._titles(label_row, row, start, end, span.box):
                return True
        return False

    def _is_analysed(self, start: int, end: int, span: Span) -> bool:
        """Whether "specimen" or "sample" is what a laboratory analyses: it has a value of its own, or a kind."""
        if self.layout.folded[start] not in "s5":
            return False
        between = self.layout.folded[end : span.start]
        if start < span.start and not _CONNECTOR.sub("", between.replace("nam", "").replace("ramq", "")):
            return False
        head = self.layout.folded[max(0, start - 12) : start]
        return bool(_ANALYSED.match(self.layout.folded, end) or _OF.search(head))

    def names(self, span: Span) -> Names:
        """The names in the number's row and block."""
        words: list[str] = []
        sure: set[str] = set()
        seen: list[tuple[int, int]] = []
        for parts in self._regions(span):
            for start, end in parts:
                part_words, part_sure = self._names_in(start, end)
                words += part_words
                sure |= part_sure
            seen += parts
            sure = sure or self._captioned(seen)
            if sure:
                break
        return Names(tuple(words), frozenset(sure))

    def _last_label(self, start: int, end: int, *, digits: bool = True) -> str:
        at = bisect_left(self.labels, (end, 0, "")) - 1
        if at < 0 or self.labels[at][0] < start or self.labels[at][2] == "specimen":
            return ""
        between = self.layout.folded[self.labels[at][1] : end]
        if not digits and any(c.isdigit() for c in between):
            return ""
        kind = self.labels[at][2]
        return "" if kind == "decoy" and _has_own_value(between) else kind

    def _is_remark(self, span: Span, start: int) -> bool:
        """Whether what begins at `start` is said of the number in parentheses right behind it."""
        return self.layout.plain[span.end : start].strip() == "("

    def _follows_closely(self, row: int, heights: float = 1.0) -> bool:
        above, own = self.layout.rows[row - 1], self.layout.rows[row]
        return own.top - above.bottom < heights * (own.bottom - own.top)

    def _header(self, row: int, span: Span) -> str:
        """The kind of the nearest label above that stands over the number and names nothing in its own row."""
        above = [header for header in self.headers if header.row < row and _stands_over(header.box, span.box)]
        if not above:
            return ""
        nearest = min(above, key=lambda header: (row - header.row, abs(header.box.x0 - span.box.x0)))
        # A title alone in its row names the page, and running text stands under no head of a column.
        return nearest.kind if nearest.kind == "nam" or self._heads(nearest.row, row, span) else ""

    def _heads(self, header_row: int, row: int, span: Span) -> bool:
        """Whether what stands in `header_row` heads a column that the number stands in, or is set right above it."""
        if span.start - self.layout.cell(span.start)[0] > _CELL_HEAD:
            return False
        header = self.layout.rows[header_row]
        if "\t" in self.layout.printed[header.start : header.end]:
            return True
        return all(self._follows_closely(below, _SPECIMEN_GAP) for below in range(header_row + 1, row + 1))

    def _titles(self, label_row: int, row: int, start: int, end: int, box: Box) -> bool:
        """Whether a specimen label heads the block of the number, and is no stamp on the whole page."""
        rows = self.layout.rows
        if _DOCUMENT_STAMP.search(self.layout.folded, rows[label_row].start, rows[label_row].end):
            return False
        if any(other in self.rows for other in range(label_row, row)):
            return False
        if not all(self._follows_closely(below, _SPECIMEN_GAP) for below in range(label_row + 1, row + 1)):
            return False
        # What is centred over a card may end before its number starts, or start behind its end.
        heading = self.layout.box(*self.layout.cell(start)).union(self.layout.box(start, end))
        return heading.x0 <= box.x1 + _BESIDE * box.width and heading.x1 >= box.x0 - box.width

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
            read = self._read[start, end] = names_in(self.layout.plain[start:end])
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
        if kind == "specimen" or row in numbered:
            continue
        stop = layout.rows[row].end
        if i + 1 < len(labels):
            stop = min(stop, labels[i + 1][0])
        if not any(c.isdigit() for c in layout.folded[end:stop]):
            yield _Header(row, layout.box(start, end), kind)


def codes_on(layout: Layout) -> frozenset[str]:
    """The four letters that every name on the page gives which is clearly a full name."""
    return frozenset().union(*(codes_in(layout.plain[row.start : row.end]) for row in layout.rows))


def codes_in(text: str) -> set[str]:
    """The four letters that each name in `text` gives which is clearly a full name."""
    return names_in(text)[1]
