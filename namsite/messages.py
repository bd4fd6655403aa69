"""The strings that people read: found in code and templates, kept in a PO file, compiled into the MO that Django reads.

Sources are English; French is the translation. The file lies under `fr`, which Python's gettext also finds for fr-CA.
Everything written here is the same for the same sources: no dates, no line numbers, sorted.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.template.base import Lexer, Token, TokenType
from django.utils.text import smart_split, unescape_string_literal
from django.utils.translation import trim_whitespace

LOCALE = "fr"
FLOORS = ("namsite", "review", "extraction", "accounts", "audit", "vault")
HEADER = "# French of the NAM finder. Kept by `manage.py messages`; translate the msgstr lines."
KEYWORDS: dict[str, Any] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
# A translated constant inside a tag or a variable: {{ value|default:_("none") }}.
CONSTANT = re.compile(r"""\b_\(("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')\)""")

BRACES = re.compile(r"\{\w*\}")
PO = f"namsite/locale/{LOCALE}/LC_MESSAGES/django.po"


def _root() -> Path:
    return Path(settings.BASE_DIR)


class Found(NamedTuple):
    """One translatable string: `text` is its msgid, a pair where it has a plural."""

    text: str | tuple[str, str]
    context: str | None
    file: str


class StableCatalog(Catalog):
    """A catalog whose header says nothing of when and by which version of what it was written."""

    @property
    def mime_headers(self) -> list[tuple[str, str]]:
        return [
            ("Project-Id-Version", "namsite"),
            ("Language", LOCALE),
            ("Plural-Forms", self.plural_forms),
            ("MIME-Version", "1.0"),
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Transfer-Encoding", "8bit"),
        ]

    @mime_headers.setter
    def mime_headers(self, _headers: object) -> None:
        """What a file's header says is not taken over."""


# --- Finding strings -------------------------------------------------------------------------------------------------


def found() -> Iterator[Found]:
    """Every translatable string of the code and the templates, file by file."""
    for floor in FLOORS:
        for path in sorted((_root() / floor).rglob("*.py")):
            if "migrations" not in path.parts:
                yield from in_python(path.read_bytes(), _name(path))
    folders = [_root() / "templates", *(_root() / floor / "templates" for floor in FLOORS)]
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.suffix in {".html", ".txt", ".svg"}:
                yield from in_template(path.read_text(encoding="utf-8"), _name(path))


def _name(path: Path) -> str:
    return path.relative_to(_root()).as_posix()


def in_python(source: bytes, file: str) -> Iterator[Found]:
    """The strings of a Python module: the arguments of Django's translating functions."""
    for _line, text, _comments, context in extract("python", io.BytesIO(source), keywords=KEYWORDS):
        yield Found((str(text[0]), str(text[1])) if isinstance(text, tuple) else str(text), context, file)


def in_template(source: str, file: str) -> Iterator[Found]:
    """The strings of a template, exactly as Django looks them up when it renders the template."""
    tokens = iter(Lexer(source).tokenize())
    for token in tokens:
        if token.token_type not in {TokenType.BLOCK, TokenType.VAR}:
            continue
        parts = list(smart_split(token.contents)) or [""]
        if token.token_type == TokenType.BLOCK and parts[0] in {"blocktranslate", "blocktrans"}:
            yield _block(parts, tokens, file)
        elif token.token_type == TokenType.BLOCK and parts[0] in {"translate", "trans"} and parts[1][0] in "\"'":
            yield Found(_constant(parts[1].split("|")[0]), _context(parts), file)
        for literal in CONSTANT.findall(token.contents):
            yield Found(_constant(literal), None, file)


def _block(parts: list[str], tokens: Iterator[Token], file: str) -> Found:
    """The string of a {% blocktranslate %}, whose tokens it consumes up to its end."""
    texts = [""]
    for token in tokens:
        if token.token_type == TokenType.TEXT:
            texts[-1] += token.contents.replace("%", "%%")
        elif token.token_type == TokenType.VAR:
            texts[-1] += f"%({token.contents})s"
        elif token.contents.strip() == "plural":
            texts.append("")
        elif token.contents.strip().startswith("endblocktrans"):
            break
    if "trimmed" in parts:
        texts = [trim_whitespace(text) for text in texts]
    return Found((texts[0], texts[1]) if len(texts) > 1 else texts[0], _context(parts), file)


def _constant(literal: str) -> str:
    return unescape_string_literal(literal).replace("%", "%%")


def _context(parts: list[str]) -> str | None:
    if "context" not in parts:
        return None
    return unescape_string_literal(parts[parts.index("context") + 1])


# --- Keeping the files -----------------------------------------------------------------------------------------------


def update(*, prune: bool = False) -> int:
    """Brings PO and MO up to date and returns the number of messages.

    A translation whose source is gone stays in the file, commented out, until `prune`.
    """
    catalog = _read()
    catalog.update(_template(), no_fuzzy_matching=True, update_creation_date=False)
    if prune:
        catalog.obsolete.clear()
    path = _root() / PO
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, catalog, width=120, sort_output=True, include_lineno=False)
    path.with_suffix(".mo").write_bytes(_compiled(_read()))
    return len(catalog)


def complaints() -> Iterator[str]:
    """What is left to do, one line each: missing, untranslated, uncertain, broken, left over, not compiled."""
    catalog, template = _read(), _template()
    for message in template:
        if message.id and catalog.get(_key(message), message.context) is None:
            yield f"not in {PO} (run `make messages`): {_shown(message)}"
    for message in catalog:
        if message.id:
            yield from _faults(message, catalog, template)
    for message in catalog.obsolete.values():
        yield f"left over (run `manage.py messages --prune`): {_shown(message)}"
    compiled = (_root() / PO).with_suffix(".mo")
    if not compiled.is_file() or compiled.read_bytes() != _compiled(catalog):
        yield f"{compiled.name} is not what {PO} compiles to (run `make messages`)"


def _faults(message: Message, catalog: Catalog, template: Catalog) -> Iterator[str]:
    texts = message.string if isinstance(message.string, tuple | list) else [message.string]
    if template.get(_key(message), message.context) is None:
        yield f"in no source any more (run `make messages`): {_shown(message)}"
    elif message.fuzzy:
        yield f"uncertain (marked fuzzy): {_shown(message)}"
    elif not texts or not all(texts):
        yield f"not translated: {_shown(message)}"
    for error in message.check(catalog):
        yield f"{error}: {_shown(message)}"
    for text in filter(None, texts):
        if set(BRACES.findall(text)) != set(BRACES.findall(_key(message))):
            yield f"the {{placeholders}} differ: {_shown(message)}"


def _key(message: Message) -> str:
    """What a catalog finds a message by: its singular."""
    return str(message.id[0] if isinstance(message.id, tuple | list) else message.id)


def _shown(message: Message) -> str:
    place = ", ".join(sorted({str(file) for file, _line in message.locations}))
    return f"“{_key(message)}”" + (f" ({place})" if place else "")


def _template() -> StableCatalog:
    catalog = StableCatalog(locale=LOCALE, header_comment=HEADER, fuzzy=False)
    for each in found():
        catalog.add(each.text, context=each.context, locations=[(each.file, 0)])
    return catalog


def _read() -> StableCatalog:
    catalog = StableCatalog(locale=LOCALE, header_comment=HEADER, fuzzy=False)
    path = _root() / PO
    if path.is_file():
        with path.open("rb") as file:
            stored = read_po(file, locale=LOCALE)
        for message in stored:
            if message.id:
                catalog[message.id] = message
        catalog.obsolete = stored.obsolete
    return catalog


def _compiled(catalog: Catalog) -> bytes:
    file = io.BytesIO()
    write_mo(file, catalog)
    return file.getvalue()
