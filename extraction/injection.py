"""What on a page is meant for programs and not for people: invisible text, and text that speaks to the model. Pure.

Nothing here decides what is proposed: invisible words are no part of a page, and what the model says counts only where
it is printed (`finders.model`). A warning tells the reviewer that somebody may have tried. The attacks looked for are
those of OWASP's LLM Prompt Injection Prevention Cheat Sheet, in French and English.
"""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Literal

from extraction import nam
from extraction.page import Page

PageWarning = Literal["invisible_text", "addresses_model"]

LEAST_UNSEEN = 12
"""Letters and digits that are not printed too; fewer are marks of a printer or of a form."""
MOST_DIFFERENT = 0.4
"""Share of a scanner's invisible words that recognition may have got wrong. What was hidden on purpose all differs."""
SAME_NUMBER = 3
"""Characters in which two readings of one printed number differ at most."""
LEAST_SILENT = 3
"""Characters without a shape; a single one is left by word processors."""
LEAST_ENCODED, LEAST_ENCODED_IN_LINE = 40, 24

_ENCODED = re.compile(rf"[A-Za-z0-9+/_-]{{{LEAST_ENCODED},}}={{0,2}}")
_ENCODED_LINE = re.compile(rf"[A-Za-z0-9+/_-]{{{LEAST_ENCODED_IN_LINE},}}")
# Zero-width and bidirectional marks, and tag characters: Unicode 16, chapter 23.
_SILENT = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\U000e0000-\U000e007f]")

_ORDERS = r"(?:instructions?|consignes?|directives?|regles?|rules?|prompts?|invites?|guidelines?|ordres?)"
_BEFORE = (
    r"(?:previous|prior|above|preceding|earlier|all|your|system|systeme|precedente?s?|anterieure?s?|ci-dessus|tes|vos)"
)
_FORGET = (
    r"(?:ignor(?:e|ez|er|ing)|disregard|forget|override|bypass|oubli(?:e|ez|er)|contourn(?:e|ez|er)"
    r"|(?:ne )?(?:tiens?|tenez|tenir) (?:pas|aucun) compte)"
)
_TELL = (
    r"(?:list|repeat|reveal|print|show|output|return|give|write|enumer(?:e|ez)|repet(?:e|ez)|revel(?:e|ez)|affich(?:e|ez)"
    r"|donn(?:e|ez)|ecri(?:s|vez)|imprim(?:e|ez)|retourn(?:e|ez)|recopi(?:e|ez))"
)
_MACHINE = (
    r"(?:ai|ia|llm|chatgpt|gpt(?:-?\d\w*)?|llama|claude|gemini|mistral|(?:ai |language |large language )?model"
    r"|assistant|modele(?: de langage| d'ia)?|intelligence artificielle|artificial intelligence|chatbot|robot)"
)
_PATTERNS = tuple(
    re.compile(pattern, re.DOTALL)  # An order goes on in the next line.
    for pattern in (
        rf"\b{_FORGET}\b.{{0,40}}\b{_BEFORE}\b.{{0,30}}\b{_ORDERS}\b",
        rf"\b{_FORGET}\b.{{0,40}}\b{_ORDERS}\b.{{0,30}}\b{_BEFORE}\b",
        rf"\b(?:new|updated|nouvelles?)\b.{{0,20}}\b{_ORDERS}\b.{{0,40}}\b{_MACHINE}\b",
        rf"\b{_TELL}\b.{{0,40}}\b(?:system|systeme|your|tes|vos|hidden|cachee?s?)\b.{{0,20}}\b{_ORDERS}\b",
        rf"\b{_TELL}\b.{{0,60}}\b(?:previous|other|last|precedente?s?|autres?|derniere?s?)\b"
        r".{0,20}\b(?:patients?|documents?|pages?|conversations?|requests?|requetes?)\b",
        rf"\b(?:you are|you're|tu es|vous etes|act as|agis comme|agissez comme)\b.{{0,30}}\b{_MACHINE}\b",
        rf"\b(?:note|message|attention|avis|instructions?|consignes?)\b.{{0,20}}"
        rf"\b(?:to|for|au|aux|du|de l'|a l'|pour|destinee?s?)\b.{{0,12}}\b{_MACHINE}\b",
        rf"\b(?:dear|cher|chere|hey|bonjour)\s+{_MACHINE}\b",
        r"\b(?:system (?:prompt|message)|(?:invite|message) systeme|developer mode|mode developpeur|jailbreak)\b",
        r"(?:^|\n)\W{0,4}(?:system|systeme|assistant|user|utilisateur|developer)\s*:",
        r"#{2,4}\s*(?:system|user|assistant|instructions?|answer|reponse)\b",
        r"<\|[a-z_]+\|>|\[/?inst\]|<</?sys>>|</?(?:page|document|system|user|assistant|s)>",
        r"\{\s*[\"'«“]?\s*nams?\s*[\"'»”]?\s*:",
        r"\b(?:the page|la page) (?:ends|is over|se termine|finit)\b.{0,10}\b(?:here|ici)\b",
    )
)


def warnings(page: Page, unseen: Sequence[str] = ()) -> tuple[PageWarning, ...]:
    """What a reviewer is to be told of a page. `unseen` are the words of its file that nobody sees."""
    hidden = " ".join(unseen)
    said: list[PageWarning] = []
    if _is_hiding(page, unseen) or any(_is_silent(text) for text in (page.text, hidden)):
        said.append("invisible_text")
    if addresses_model(page.text) or addresses_model(hidden):
        said.append("addresses_model")
    return tuple(said)


def warned(page: Page, unseen: Sequence[str] = ()) -> Page:
    """The page with its warnings."""
    return replace(page, warnings=warnings(page, unseen))


def addresses_model(text: str) -> bool:
    """Whether a text reads as if it were written for a language model."""
    return _holds_order(_plain(text)) or any(_holds_order(_plain(decoded)) for decoded in _decoded(text))


def _holds_order(text: str) -> bool:
    return any(pattern.search(text) for pattern in _PATTERNS)


def _plain(text: str) -> str:
    """Lower case without accents, look-alike forms and what prints nothing or has no letter in its font."""
    folded = unicodedata.normalize("NFKD", text).casefold().replace("’", "'").replace("\ufffd", "")
    if folded.isascii():
        return folded
    return "".join(c for c in folded if c.isascii() or unicodedata.category(c)[0] not in "CM")


def _decoded(text: str) -> Iterator[str]:
    """What base64 on a page says, where it says text. Lines are joined, because a page breaks what is long."""
    if _ENCODED_LINE.search(text) is None:
        return
    for source in (text, re.sub(r"\s+", "", text)):
        for match in _ENCODED.finditer(source):
            encoded = match.group().rstrip("=").translate(str.maketrans("-_", "+/"))
            try:
                said = base64.b64decode(encoded[: len(encoded) // 4 * 4]).decode()
            except (binascii.Error, UnicodeDecodeError):
                continue
            if said.isprintable() or "\n" in said:
                yield said


def _is_silent(text: str) -> bool:
    return len(_SILENT.findall(text)) >= LEAST_SILENT


def _is_hiding(page: Page, unseen: Sequence[str]) -> bool:
    """Whether the invisible words say what the page does not show.

    A scanner's invisible words are what it read on the page: they say the same, with mistakes.
    """
    hidden = [bare for bare in map(nam.normalise, unseen) if bare]
    if not hidden:
        return False
    printed = [bare for bare in map(nam.normalise, (word.text for word in page.words)) if bare]
    shown = "".join(printed)
    if any(not _is_printed(number, shown) for number in _numbers("".join(hidden))):
        return True
    known = set(printed)
    foreign = sum(len(word) for word in hidden if word not in known and word not in shown)
    return foreign >= LEAST_UNSEEN and foreign > MOST_DIFFERENT * sum(map(len, hidden))


def _numbers(text: str) -> Iterator[str]:
    """Everything in a text that has the shape of a NAM and a real birth date."""
    return (match.group() for match in nam.FORMAT.finditer(text) if nam.check(match.group()).birth_date)


def _is_printed(number: str, shown: str) -> bool:
    """Whether a page shows a number, or one that a scanner may have read so."""
    if number in shown:
        return True
    return any(
        _distance(number, shown[at : at + nam.LENGTH]) <= SAME_NUMBER for at in range(len(shown) - nam.LENGTH + 1)
    )


def _distance(one: str, other: Iterable[str]) -> int:
    return sum(here != there for here, there in zip(one, other, strict=False))
