"""A good picture under a bad text layer, as old scanning software leaves it: words are there, and wrong."""

from __future__ import annotations

import string
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from extraction.corpus.degrade.machines import scan
from extraction.corpus.degrade.picture import Picture, Pixels, Scene, Word
from extraction.page import Box

LOOK_ALIKES = {
    "0": "O", "O": "0", "1": "l", "I": "1", "l": "I", "5": "S", "S": "5", "8": "B", "B": "8", "6": "G", "G": "6",
    "2": "Z", "Z": "2", "D": "O", "m": "rn", "e": "c", "é": "6", "u": "ii", "n": "ri", "a": "o", "t": "f",
}  # fmt: skip
CHARACTERS = string.ascii_letters + string.digits + "~|¬§¤¦•·"

Spoiler = Callable[[str, np.random.Generator], str]


def badtext(page: Pixels, rng: np.random.Generator, scene: Scene) -> Picture:
    """A scan with an invisible text layer of one of three kinds: misread, gibberish, or shifted by a fixed amount.

    No kind holds a NAM that the page does not show, and the picture is the one to read.
    """
    picture = scan(page, rng, scene)
    spoil: Spoiler = (_misread, _gibberish, _shifted)[int(rng.integers(0, 3))]
    words = tuple(_placed(picture, spoil(text, rng), box) for text, box in scene.words)
    return replace(picture, words=words)


def _placed(picture: Picture, text: str, box: Box) -> Word:
    return text, picture.place(box)


def _misread(text: str, rng: np.random.Generator) -> str:
    """Look-alikes for a third of what has some, and every eighth character or so lost or broken."""
    out = []
    for character in text:
        chance = rng.random()
        if chance < 0.06:  # noqa: PLR2004 - shares of characters
            continue
        if chance < 0.12:  # noqa: PLR2004
            out.append(str(rng.choice(list(CHARACTERS))))
        else:
            out.append(LOOK_ALIKES.get(character, character) if chance < 0.45 else character)  # noqa: PLR2004
    return "".join(out)


def _gibberish(text: str, rng: np.random.Generator) -> str:
    """As many characters as there were, and none of them right: a font without its table of characters."""
    return "".join(" " if character == " " else str(rng.choice(list(CHARACTERS))) for character in text)


def _shifted(text: str, rng: np.random.Generator) -> str:
    """Every character a fixed number further on, as fonts that were cut down and badly labelled give."""
    return "".join(
        chr(33 + (ord(character) - 33 + 29) % 94) if "!" <= character <= "~" else character for character in text
    )
