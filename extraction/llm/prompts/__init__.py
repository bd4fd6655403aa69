"""Prompts as versioned files: what the model is told, and how a page is written out for it.

A version is a file NAME.md beside this module: a part for each role under a `## System` and a `## User` heading, and
`{page}` as the user part's last characters. Nothing of the page stands before that, so every question of a version
begins with the same tokens, which the server keeps from one question to the next (vLLM's prefix cache). A third part,
`## Answer`, may name the form of the answer (`finders.answers`), the most characters of a page that are asked about at
once, and how a page is shown, such as `lines, 600, blocks`: `blocks` shows blocks of rows apart, `telling` leaves out
the rows that tell nothing (`finders.telling`). A published file is never edited: runs, scores and canaries refer to its
version and hash.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal, NamedTuple, TypedDict

from extraction.layout import Layout, block_starts
from extraction.page import Page

CURRENT = "nam-v1"
"""The version that is used unless a rollout says otherwise."""

FORMS = ("objects", "lines", "brief")
"""How an answer may be written; `finders.answers` has the schemas."""

LONGEST = 12_000
"""A page of 200 rows of 60 characters, which has 4,000 to 7,500 tokens: with the prompt and an answer they fit 8,192 in
nearly all tokenizers of the profiles."""

_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_HEADING = re.compile("^## (.+)\n", re.MULTILINE)
_PAGE = "{page}"
_SHOWN = ("blocks", "telling")
_CELL = " | "
# A chat template marks turns with <|eot_id|>, <s>, [INST] and the like, and vLLM's tokenizer takes such marks for real
# ones wherever they stand. No number, name, date or time holds these characters, so a page is shown with others.
_HARMLESS = str.maketrans("<>[]", "‹›()")


class Message(TypedDict):
    """One turn of a conversation."""

    role: Literal["system", "user"]
    content: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """One version. `sha256` is the file's; `user` ends in `{page}`; `form` is the answer's; `longest` is characters.

    `blocks` says that an empty line stands where rows stand apart on the page, `telling` that rows which tell nothing
    are not shown.
    """

    version: str
    sha256: str
    system: str
    user: str
    form: str = FORMS[0]
    longest: int = LONGEST
    blocks: bool = False
    telling: bool = False

    def question(self, page: Page, rows: Collection[int] | None = None) -> str:
        """The user's turn for one page, or for these rows of its layout."""
        return self.user.removesuffix(_PAGE) + render(page, blocks=self.blocks, rows=rows)

    def messages(self, page: Page, rows: Collection[int] | None = None) -> list[Message]:
        """The whole conversation about one page, as a model is asked, and as it is trained."""
        return [{"role": "system", "content": self.system}, {"role": "user", "content": self.question(page, rows)}]


@cache
def load(version: str) -> Prompt:
    """The prompt `version`. Raises ValueError if there is none or if its file is not made as described above."""
    source = resources.files(__name__) / f"{version}.md"
    if _NAME.fullmatch(version) is None or not source.is_file():
        raise ValueError("there is no prompt of this version")
    data = source.read_bytes()
    return parse(version, data)


def versions() -> list[str]:
    """The versions that there are, in alphabetical order."""
    names = (entry.name for entry in resources.files(__name__).iterdir())
    return sorted(name.removesuffix(".md") for name in names if name.endswith(".md"))


def parse(version: str, data: bytes) -> Prompt:
    """The prompt in a file's bytes. Raises ValueError if it has not exactly these parts, the page at the user's end."""
    _, *parts = _HEADING.split(data.decode())
    if parts[::2] not in (["System", "User"], ["System", "User", "Answer"]):
        raise ValueError("a prompt file needs a System and a User part, and may have an Answer part, in this order")
    system, user, *answer = (part.strip() for part in parts[1::2])
    if _PAGE in system or user.count(_PAGE) != 1 or not user.endswith(_PAGE):
        raise ValueError("a prompt file's {page} must be the end of its User part, and stand nowhere else")
    answered = _answer(answer[0]) if answer else _Answer()
    return Prompt(version, hashlib.sha256(data).hexdigest(), system, user, *answered)


class _Answer(NamedTuple):
    form: str = FORMS[0]
    longest: int = LONGEST
    blocks: bool = False
    telling: bool = False


def _answer(text: str) -> _Answer:
    """What an Answer part says. Raises ValueError."""
    form, longest, *shown = (*map(str.strip, text.split(",")), "")
    shown = [name for name in shown if name]
    known = len(shown) == len({*shown} & {*_SHOWN})
    if form not in FORMS or not (longest.isdecimal() and int(longest) > 0) or not known:
        raise ValueError("a prompt file's Answer part must name a form of answers and a number of characters")
    return _Answer(form, int(longest), *(name in shown for name in _SHOWN))


def render(page: Page, *, blocks: bool = False, rows: Collection[int] | None = None) -> str:
    """The page's rows in reading order, one a line, with " | " where a gap parts two cells; `rows` of them, if given.

    With `blocks` an empty line stands where rows stand apart, whether or not those between are shown. Characters that a
    chat template could take for its own marks are replaced, and those that print nothing left out.
    """
    layout = Layout.of(page)
    printed = layout.printed.rstrip("\n").split("\n")
    begins = block_starts(layout) if blocks else frozenset()
    lines: list[str] = []
    apart = False
    for row, text in enumerate(printed):
        apart = apart or row in begins
        if rows is None or row in rows:
            lines.append(("\n" if apart else "") + _CELL.join(visible(cell) for cell in text.split("\t")))
            apart = False
    return "\n".join(lines)


def visible(text: str) -> str:
    """Some characters of a page as the model sees them."""
    shown = text.translate(_HARMLESS)
    if shown.isascii() and shown.isprintable():
        return shown
    return "".join(c for c in shown if not unicodedata.category(c).startswith("C"))
