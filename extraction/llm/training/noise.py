"""What a reader of page images does to print, cheaply: look-alikes, lost spaces and split words. Pure.

It is no model of a scanner and only spares the slow way: to print, degrade and read a page takes seconds, this takes
milliseconds. Rows and cells stay as they are, and every character's way is kept, so that a value can be followed to
what is left of it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from extraction.layout import Layout, Row
from extraction.page import Box, Line, Page, Word

if TYPE_CHECKING:
    import random

READER = "worn"
"""The reader that a worn page names: none that exists."""

LOOK_ALIKES = {
    "0": "OoQD", "1": "Il|", "2": "Z", "4": "A", "5": "S", "6": "Gb", "7": "1", "8": "B", "9": "g",
    "O": "0Q", "I": "1l|", "l": "1I|", "Z": "2", "A": "4", "S": "5", "G": "6C", "B": "8", "D": "0O", "Q": "O0",
    "a": "o", "c": "e", "e": "c", "h": "b", "i": "l", "n": "r", "o": "0", "r": "n", "t": "f", "u": "v", "v": "u",
    "é": "e", "è": "e", "ê": "e", "ë": "e", "à": "a", "â": "a", "ç": "c", "î": "i", "ï": "i", "ô": "o", "ù": "u",
    "É": "E", "È": "E", "Ê": "E", "À": "A", "Ç": "C", "Î": "I", "Ô": "O",
    "m": ("rn",), "w": ("vv",), ":": ".;", ".": ",", ",": ".", "-": ("", ".", "—"), "'": ("", "’"), "/": ("l", "I"),
}  # fmt: skip
"""What a character may be taken for; an empty text is a character that was not seen."""
_SHORTEST_SPLIT = 4
"""Characters: a word with fewer is not taken for two."""


class Wear(NamedTuple):
    """How much is misread: the share of look-alikes, of lost spaces, and of words that are taken for two; each 0..1."""

    look_alikes: float = 0.0
    lost_spaces: float = 0.0
    split_words: float = 0.0


@dataclass(frozen=True, slots=True)
class Worn:
    """A page as misread. `moved[i]` is the offset, in the new layout's text, of what stood at offset `i`."""

    layout: Layout
    moved: tuple[int, ...]

    def span(self, span: tuple[int, int]) -> tuple[int, int]:
        """Where the characters of a span are now; it may be empty."""
        return self.moved[span[0]], self.moved[span[1]]


def worn(layout: Layout, rng: random.Random, wear: Wear, *, apart: Collection[int] = ()) -> Worn | None:
    """The page of `layout` as misread. Spaces at the offsets `apart` are kept.

    None where the misread words would fall into other rows than they stood in, which is rare.
    """
    misreader = _Misreader(layout, rng, wear, apart)
    lines = tuple(Line(tuple(misreader.row(row))) for row in layout.rows)
    page = layout.page
    after = Layout.of(Page(page.number, page.width, page.height, lines, READER))
    if len(after.printed) != misreader.length or len(after.rows) != len(layout.rows):
        return None
    return Worn(after, (*misreader.moved, misreader.length))


class _Misreader:
    """Misreads the rows of a layout one after another. `length` is that of the text so far, `moved` as in `Worn`."""

    def __init__(self, layout: Layout, rng: random.Random, wear: Wear, apart: Collection[int]) -> None:
        self.layout, self.rng, self.wear, self.apart = layout, rng, wear, apart
        self.moved: list[int] = []
        self.length = 0

    def row(self, row: Row) -> list[Word]:
        """The words that are seen in a row."""
        layout = self.layout
        seen: list[Word] = []
        for at in _words_at(layout, row.start, row.end):
            offset = layout.starts[at]
            following = layout.starts[at + 1] if at + 1 < len(layout.starts) else row.end + 1
            glued = bool(seen) and self._is_glued(offset - 1)
            parts = self._word(layout.words[at], layout.printed[offset : min(following - 1, row.end)])
            if glued:
                last = seen.pop()
                parts[0] = Word(last.text + parts[0].text, last.box.union(parts[0].box), last.confidence)
            seen += parts
        self._keep_separator()
        return seen

    def _is_glued(self, separator: int) -> bool:
        """Whether the space at an offset is lost."""
        is_space = self.layout.printed[separator] == " " and separator not in self.apart
        if is_space and self.rng.random() < self.wear.lost_spaces:
            self.moved.append(self.length)
            return True
        self._keep_separator()
        return False

    def _keep_separator(self) -> None:
        self.moved.append(self.length)
        self.length += 1

    def _word(self, word: Word, printed: str) -> list[Word]:
        """What is seen of a word: one word or two, with one character at least."""
        seen = [_look_alike(character, self.rng, self.wear.look_alikes) for character in printed]
        if not "".join(seen).strip():
            seen = list(printed)
        split = self._split(seen)
        for number, each in enumerate(seen):
            self.moved.append(self.length + (1 if split and number >= split else 0))
            self.length += len(each)
        self.length += 1 if split else 0
        return _halves(word._replace(text="".join(seen)), len("".join(seen[:split])))

    def _split(self, seen: Sequence[str]) -> int:
        """Before which character of a word a space is seen that is none; 0: before none."""
        if len(seen) < _SHORTEST_SPLIT or self.rng.random() >= self.wear.split_words:
            return 0
        split = self.rng.randrange(1, len(seen))
        left, right = "".join(seen[:split]), "".join(seen[split:])
        return split if left.strip() == left != "" and right.strip() == right != "" else 0


def _words_at(layout: Layout, start: int, end: int) -> range:
    """The indexes of the words of a row."""
    first = layout.starts.index(start)
    last = first
    while last < len(layout.starts) and layout.starts[last] < end:
        last += 1
    return range(first, last)


def _look_alike(character: str, rng: random.Random, share: float) -> str:
    choices = LOOK_ALIKES.get(character)
    return rng.choice(choices) if choices and rng.random() < share else character


def _halves(word: Word, cut: int) -> list[Word]:
    """The word, or the two that it was taken for, each with its part of the box."""
    if not cut:
        return [word]
    x0, y0, x1, y1 = word.box
    middle = x0 + (x1 - x0) * cut / len(word.text)
    return [
        Word(word.text[:cut], Box(x0, y0, middle, y1), word.confidence),
        Word(word.text[cut:], Box(middle, y0, x1, y1), word.confidence),
    ]
