"""Numbers that a page shows as an example: nobody's, however well they hold. Pure.

A page says so in the number's row ("Exemple : ...", "... (fictif)"), in what heads its block, right under it, or by a
name that nobody has (John Doe, Jean Untel). Where nearly all numbers of a page are examples, it explains how they are
written, and the others are examples too; so is a number that is typed in three ways on one page.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from extraction import nam
from extraction.finders.span import Span
from extraction.layout import Layout
from extraction.page import Box

WORD = re.compile(
    r"""(?<![a-z0-9_])(?=[a-z5])(?:  # Where no word begins, this says so at once.
      (?P<analysed>[s5][ ]?p[ ]?[ec][ ]?[ce][ ]?[il1|!]?[ ]?m[ ]?[e3c][ ]?[nm][ ]?s?\b|samples?\b)
    | exemp[l1i|]es?\b|examp[l1i|]es?\b|p\.?[ ]?ex\.|ex\.[ ]?:|e\.g\.|illustrati(?:on|f|ve)s?\b
    | fi[ce]t[il1](?:f|ve|tious)s?\b|factices?\b|dummy\b|imaginaires?\b|nom[ ]invente\b|made-?up\b
    | mode[l1]es?\b(?=[ ]?(?:\n|\t|\(|de[ ]carte|:|$))|carte[ ]modele\b|format[ ]?:
    | comme[ ]suit\b|prenons\b|would[ ]read\b|s'ecrira?i?t?\b
    | (?:test|essai)[ ]patient\b|patient(?:e)?[ ](?:test|essai|d'essai)\b|usager[ ](?:test|d'essai)\b
    | (?:john|jane)[ ]doe\b|doe,[ ]?(?:john|jane)\b|(?:un|une)[ ]?tel(?:le)?\b(?=,|[ ]?[\t\n(]|[ ][a-z]+[ ]?[\t\n(])
    | not[ ]an?[ ](?:real|patient)|pas[ ]une?[ ]vraie?\b|imaginons\b|supposons\b|sans[ ]valeur\b
    | (?:dossier|carte|numero)[ ]d'essai\b
    | (?:tel(?:le)?s?[ ]que|looks?[ ]like)\b(?=[ ][a-z]{4}[ .-]?[0-9])
    | (?:a[ .]faire|correct)\b[ \t]+(?:a[ .]eviter|incorrect)\b
    | (?:vous|s)[ ']exercer\b|(?:environnement[ ]de[ ]formation|training[ ]environment)\b
    )""",
    re.VERBOSE,
)
_INVENTED = re.compile("exemp|examp|fi[ce]t|factice|imaginaire")
"""Words that places and people of made-up documents are called by, too."""
_OF_A_NAME = re.compile(
    r"""\b(?:rue|av(?:enue)?|boul(?:evard)?|ch(?:emin)?|rang|route|cote|place|lac|mont|ville|riviere|baie|pointe|ile|sainte?
        |ste?|clinique|polyclinique|clsc|chsld|gmf|hopital|centre|pavillon|residence|manoir|villa|pharmacie|labo(?:ratoire)?
        |imagerie|radiologie|institut|etablissement|arena|ecole|college|cabinet|coop(?:erative)?|street|road|hospital|clinic
        |dre?|docteure?|mme|mlle|mrs?|ms|inf)\b\.?
    (?:[ '-](?!nam\b|ramq\b|num|nos?\b|cart|card|patient|usag|dossier|par\b)[a-z.]+){0,3}[ '-]\Z
    |(?<!contre)(?<!numero)(?<!nam)(?<!carte)(?<!patient)(?<!usager)(?<!dossier)(?<=[a-z]{2})-\Z""",
    re.VERBOSE,
)
"""What stands before such a word where it ends a name: "12, rue Fictive", "Dre Ivy Fictive", "Lac-Imaginaire"."""
_THING = re.compile(
    r"(?:(?<![a-z])(?:nam|num[a-z]*|numbers?|ramq|cartes?|cards?|patiente?s?|usagere?s?|dossiers?|beneficiaires?"
    r"|personnes?|assuree?s?|noms?|names?|identites?|valeurs?|values?|est|sont|is|are)|[^a-z ])[ ]*\Z"
)
"""What stands before "fictif" where it says that of what follows, and does not end a name: "Assureur Boréal fictif"."""
_ADDRESS = ("@", ".")
_OF_A_COMPANY = re.compile(r",?[ ](?:inc|lt[ed]e?|enr|s\.?e\.?n\.?c)\b")
_POSTAL_CODE = re.compile(r"(?<![a-z0-9])[a-z][0-9][a-z][ ]?[0-9][a-z][0-9](?![a-z0-9])")
_LONGEST_NAME = 48
_DOCUMENT_STAMP = re.compile(r"donnees|synthet|document|demonstration|\bdemo\b")
_ANALYSED = re.compile(
    r"s?[ ]?(?:[:#]|no\b|id\b|num|type|collect|receiv|recu|prelev|source|date|contain|urine|blood|sang\b|s[ae]rum"
    r"|log\b)"
)
"""What follows "specimen" or "sample" where it is something that a laboratory analyses."""
_OF = re.compile(r"(?:type|type[ ](?:of|de)|blood|urine|tissue|sanguin)[ ]$")
_CONNECTOR = re.compile(
    r"[^a-z]+|(?<![a-z])(?:no|nos|num|numeros?|number|nam|ramq|de|du|des|d|la|le|l|the|of|our|your)(?![a-z])"
)
_ANY_NUMBER = re.compile(r"(?<![a-z0-9])[a-z]{4}[ .-]?[0-9xj]{4}[ .-]?[0-9xj]{4}(?![a-z0-9])")
_BEHIND = 60
"""Characters between a number and the word behind it that makes it an example."""
_ROWS_ABOVE, _ROWS_BELOW = 6, 3
_GAP = 3.0
"""Lines of a card, or of a block under its heading, stand at most so many of their heights apart."""
_BESIDE = 0.5
_INDENT = 0.03
_WAYS = 3
_FEWEST, _SHARE = 3, 0.7
"""So many examples, and such a share of a page's numbers, make all of them examples."""


@dataclass(slots=True)
class Specimens:
    """The words of one page that make examples of numbers, with the rows of its numbers."""

    layout: Layout
    rows: Mapping[int, Sequence[Span]]
    words: Sequence[re.Match[str]]
    _in_all_ways: frozenset[str]
    _known: dict[Span, bool] = field(default_factory=dict)
    _is_manual: bool | None = None

    @classmethod
    def of(cls, layout: Layout, rows: Mapping[int, Sequence[Span]]) -> Specimens:
        return cls(layout, rows, list(WORD.finditer(layout.folded)), frozenset(_in_all_ways(layout, rows)))

    def holds(self, span: Span) -> bool:
        """Whether the number is an example."""
        if not self.words and not self._in_all_ways:
            return False
        if self._is_manual is None:
            numbers = [other for mates in self.rows.values() for other in mates]
            examples = sum(self._is_example(other) for other in numbers)
            self._is_manual = examples >= _FEWEST and examples >= _SHARE * len(numbers)
        return self._is_manual or self._is_example(span)

    def _is_example(self, span: Span) -> bool:
        known = self._known.get(span)
        if known is None:
            self._known[span] = False  # Rows that lean on each other end here.
            known = self._value(span) in self._in_all_ways
            known = self._known[span] = known or any(self._makes_example(word, span) for word in self._near(span))
        return known

    def _value(self, span: Span) -> str:
        return nam.normalise(self.layout.plain[span.start : span.end])

    def _near(self, span: Span) -> Iterator[re.Match[str]]:
        row = self.layout.row_at(span.start)
        first, last = max(0, row - _ROWS_ABOVE), min(len(self.layout.rows) - 1, row + _ROWS_BELOW)
        for word in self.words:
            if self.layout.rows[first].start <= word.start() < self.layout.rows[last].end:
                yield word

    def _makes_example(self, word: re.Match[str], span: Span) -> bool:
        if self._is_analysed(word, span) or self._is_stamp(word) or self._ends_a_name(word):
            return False
        row, word_row = self.layout.row_at(span.start), self.layout.row_at(word.start())
        if word_row == row:
            return self._names(word, span)
        if _INVENTED.match(word[0]) and not self._is_said_of_things(word):
            return False
        if word_row < row:
            return self._heads(word, word_row, row, span.box)
        return self._signs(word, word_row, row, span.box)

    def _names(self, word: re.Match[str], span: Span) -> bool:
        """Before the number in its row, or behind it with no other number between."""
        before = word.start() < span.start
        between = (word.end(), span.start) if before else (span.end, word.start())
        alone = not any(between[0] <= other.start < between[1] for other in self._mates(span))
        if before:
            return alone or "\t" not in self.layout.printed[slice(*between)]
        return alone and between[1] - between[0] <= _BEHIND

    def _mates(self, span: Span) -> Sequence[Span]:
        return self.rows.get(self.layout.row_at(span.start), ())

    def _heads(self, word: re.Match[str], word_row: int, row: int, box: Box) -> bool:
        """Whether a word above heads the block of the number; between them only rows that it heads as well."""
        if any(other.start < word.start() for other in self.rows.get(word_row, ())):
            return False  # It stands behind a number of its own row.
        if not self._are_close(word_row, row):
            return False
        for between in range(word_row + 1, row):
            if not all(self._is_example(other) for other in self.rows.get(between, ())):
                return False
        if self._has_own(word, word_row):
            return False
        # What stands alone in its row heads whole rows. What is centred over a card may end before its number starts,
        # or start behind its end.
        start, end = self.layout.rows[word_row][:2]
        if "\t" not in self.layout.printed[start:end] and self._starts_left(word_row, row):
            return True
        heading = self.layout.box(*self.layout.cell(word.start())).union(self.layout.box(*word.span()))
        return heading.x0 <= box.x1 + _BESIDE * box.width and heading.x1 >= box.x0 - box.width

    def _starts_left(self, heading: int, row: int) -> bool:
        """Whether a row starts under its heading, or a little further in."""
        left, own = (self.layout.left(self.layout.rows[at].start) for at in (heading, row))
        return -_INDENT < own - left < 2 * _INDENT

    def _signs(self, word: re.Match[str], word_row: int, row: int, box: Box) -> bool:
        """Whether a word stands right under the number, and over no other number that it would head."""
        if self._has_own(word, word_row):
            return False
        if any(below in self.rows for below in range(row + 1, word_row + 1)) or not self._are_close(row, word_row):
            return False
        below = word_row + 1
        if any(self._are_close(word_row, other) and other in self.rows for other in range(below, below + _ROWS_BELOW)):
            return False
        sign = self.layout.box(*self.layout.cell(word.start()))
        return sign.x0 <= box.x1 + _BESIDE * box.width and sign.x1 >= box.x0

    def _has_own(self, word: re.Match[str], row: int) -> bool:
        """Whether a number stands behind the word in its row, or what stands for any number: "Ex. : ABCD 1234 5678"."""
        if any(other.start >= word.end() for other in self.rows.get(row, ())):
            return True
        return _ANY_NUMBER.search(self.layout.folded, word.end(), self.layout.rows[row].end) is not None

    def _are_close(self, above: int, below: int) -> bool:
        rows = self.layout.rows
        if below >= len(rows):
            return False
        return all(
            rows[at].top - rows[at - 1].bottom < _GAP * (rows[at].bottom - rows[at].top)
            for at in range(above + 1, below + 1)
        )

    def _is_stamp(self, word: re.Match[str]) -> bool:
        """Whether the word's row speaks of the whole document: "Données fictives - document de démonstration"."""
        row = self.layout.rows[self.layout.row_at(word.start())]
        return _DOCUMENT_STAMP.search(self.layout.folded, row.start, row.end) is not None

    def _ends_a_name(self, word: re.Match[str]) -> bool:
        """Whether the word is what an invented place or professional is called, or stands in an address."""
        if _INVENTED.match(word[0]) is None:
            return False
        if self.layout.folded[word.start() - 1 : word.start()] in _ADDRESS:
            return True
        start, end = self.layout.rows[self.layout.row_at(word.start())][:2]
        if _OF_A_NAME.search(self.layout.folded, max(start, word.start() - _LONGEST_NAME), word.start()):
            return True
        if _OF_A_COMPANY.match(self.layout.folded, word.end()):
            return True
        return _POSTAL_CODE.search(self.layout.folded, start, end) is not None

    def _is_said_of_things(self, word: re.Match[str]) -> bool:
        """Whether "fictif" or its like says something of numbers and people: as a heading, or right behind them."""
        start = self.layout.cell(word.start())[0]
        if word[0].startswith("ex") or word.start() == start:
            return True
        return _THING.search(self.layout.folded, start, word.start()) is not None

    def _is_analysed(self, word: re.Match[str], span: Span) -> bool:
        """Whether "specimen" or "sample" is what a laboratory analyses: it has a value of its own, or a kind."""
        if word["analysed"] is None:
            return False
        folded = self.layout.folded
        if word.end() <= span.start and not _CONNECTOR.sub("", folded[word.end() : span.start]):
            return False
        head = folded[max(0, word.start() - 12) : word.start()]
        return bool(_ANALYSED.match(folded, word.end()) or _OF.search(head))


def _in_all_ways(layout: Layout, rows: Mapping[int, Sequence[Span]]) -> Iterator[str]:
    """The values that a typed page cuts in three ways; readers of pictures lose and find spaces by themselves."""
    if not layout.page.is_typed:
        return
    ways: dict[str, set[str]] = {}
    spans = [span for span in chain.from_iterable(rows.values()) if span.end > span.start]
    initials = Counter(layout.plain[span.start].upper() for span in spans)
    for span in spans:
        text = layout.plain[span.start : span.end]
        if initials[text[0].upper()] < _WAYS:
            continue
        ways.setdefault(nam.normalise(text), set()).add(re.sub("[A-Za-z0-9]", "9", text))
    yield from (value for value, cuts in ways.items() if len(cuts) >= _WAYS)
