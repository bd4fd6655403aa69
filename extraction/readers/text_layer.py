"""The text layer of a born-digital page, where it can be believed. Costs milliseconds and needs no OCR.

A text layer is what a program says about a page, not what a person sees on it: scanners add invisible guesses, fonts
lie about their letters, and anybody can hide words from the eye. So a layer is believed only if its words are really
printed, nothing else on the page could hold text, and it reads like a language. In all other cases the page goes to
OCR, which reads what is seen.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

from extraction.page import Page, Word
from extraction.readers.lines import in_directions
from extraction.readers.pdf import PdfDocument, TextLayer

NAME = "text_layer"

MAX_HIDDEN = 0.02  # share of characters that are there for programs only
MAX_UNMAPPED = 0.02  # share of characters whose font does not say what they are
MAX_PICTURES = 0.03  # share of the page under pictures, which may hold text: a health insurance card covers 7 %
MAX_OUTLINES = 60  # small curved shapes: beyond this, text may be drawn as shapes
MAX_ODD = 0.05  # share of characters that a form or an agenda has no use for
MIN_FAMILIAR = 0.45  # share of familiar letter pairs; French and English have 0.7 to 0.9, shifted letters 0.2
CODE = 4  # letters; capitals up to this length may be a code
MIN_PAIRS = 80  # fewer pairs say nothing about the language

LETTERS = re.compile("[a-z]{3,}")
# Neither a Latin letter, a digit, nor a sign that stands on ordinary pages. The last range holds ligatures (fi, fl).
ODD = re.compile("[^\\x20-\\x7e\\xa0-\\u024f\\u0300-\\u036f\\u1e00-\\u1eff\\u2000-\\u2bff\\ufb00-\\ufb06]")
# The commonest pairs of letters of French and English, which make up most of any text in either: the first letter with
# those that often follow it.
FOLLOWERS = {
    "a": "bcdgilmnprstuv",
    "b": "aeilor",
    "c": "aehilortu",
    "d": "aeiou",
    "e": "acdeflmnprstuvx",
    "f": "aeior",
    "g": "aeinoru",
    "h": "aeio",
    "i": "acdefglmnoqrstv",
    "j": "e",
    "l": "aeilostu",
    "m": "aeimopu",
    "n": "acdeginostu",
    "o": "bcdilmnprstuvw",
    "p": "aehilopru",
    "q": "u",
    "r": "acdeimnorstu",
    "s": "acehiopstu",
    "t": "aehiorstu",
    "u": "abceilmnprst",
    "v": "aeior",
    "w": "ei",
}
FAMILIAR = frozenset(first + second for first, seconds in FOLLOWERS.items() for second in seconds)


def read(document: PdfDocument, number: int) -> Page | None:
    """Page `number` from its text layer, or None if the layer cannot be believed. Raises UnreadablePage."""
    return believed(document.text_layer(number))


def read_all(document: PdfDocument, numbers: Sequence[int]) -> Iterator[tuple[int, Page | None, tuple[str, ...]]]:
    """The same for many pages, much faster, each with the words of its layer that nobody sees.

    A page whose layer cannot be read at all also comes as None. Where OCR reads the page instead, all the layer's words
    that were not drawn are still what somebody wrote into the file.
    """
    for number, layer in document.text_layers(numbers):
        yield (number, None, ()) if layer is None else (number, believed(layer), layer.unseen)


def believed(layer: TextLayer) -> Page | None:
    """The page that a text layer describes, or None if it cannot be believed. Nothing drawn at all is believed."""
    if not layer.words:
        return None if layer.objects or layer.hidden else _page(layer)
    if not _is_all_there(layer) or reads_like_noise([word.text for word in layer.words]):
        return None
    return _page(layer)


def _page(layer: TextLayer) -> Page:
    lines = in_directions((Word(text, box), direction) for text, box, direction in layer.words)
    return Page(layer.number, layer.width, layer.height, lines, NAME)


def _is_all_there(layer: TextLayer) -> bool:
    """Whether what the layer says is what is seen, and all of it."""
    seen = sum(len(word.text) for word in layer.words)
    pictures = sum(picture.area for picture in layer.pictures)
    return (
        layer.hidden <= MAX_HIDDEN * (seen + layer.hidden)
        and layer.unmapped <= MAX_UNMAPPED * seen
        and pictures <= MAX_PICTURES
        and layer.outlines <= MAX_OUTLINES
    )


def reads_like_noise(words: Sequence[str]) -> bool:
    """Whether words are what a font without a sound character table yields: odd characters, unfamiliar letters."""
    text = "".join(words)
    if len(ODD.findall(text)) > MAX_ODD * len(text):
        return True
    # Codes such as the four letters of a NAM follow no language.
    prose = (word for word in words if not ((word.isupper() and len(word) <= CODE) or any(map(str.isdigit, word))))
    plain = unicodedata.normalize("NFD", " ".join(prose).lower())
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    pairs = [run[i : i + 2] for run in LETTERS.findall(plain) for i in range(len(run) - 1)]
    return len(pairs) >= MIN_PAIRS and sum(pair in FAMILIAR for pair in pairs) < MIN_FAMILIAR * len(pairs)
