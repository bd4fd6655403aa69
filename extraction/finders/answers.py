"""The forms in which a model may answer about one page: what a prompt asks for, and the schema that holds it. Pure.

`objects` spells out everything and needs no training to be understood. `lines` says it in less than half of the tokens,
and the tokens of answers are nearly all of the time that a model takes. It is for models that were tuned to it.

A schema does not ask for the shape of a NAM: a model that is held to the shape makes up well-formed numbers where the
page is hard to read. It is held to what the page prints (`finders.choices`).
"""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, Field, RootModel

from extraction.finders.choices import Choice

MOST_NUMBERS = 200
SAME_DATE = "="
"""In a line: the date of the line before."""

_BETWEEN = "|"
_FIELDS = 3
_NEVER = frozenset('"\\')
_SPECIAL = re.compile(r"[.*+?^${}()|\[\]]")

Text = Annotated[str, Field(max_length=80)]
Line = Annotated[str, Field(max_length=160)]
Self = TypeVar("Self", bound="Answered")


class PrintedNam(BaseModel):
    """One entry of an answer: what the model says is printed."""

    model_config = ConfigDict(extra="forbid", strict=True)

    nam: Annotated[str, Field(max_length=40)]
    name: Text | None = None
    date: Text | None = None
    time: Annotated[str, Field(max_length=40)] | None = None


class Answered(ABC):
    """An answer about one page, whatever its form. `tokens_a_row` is room for what a row of a page may hold."""

    tokens_a_row: ClassVar[int]

    @abstractmethod
    def entries(self) -> list[PrintedNam]:
        """What it says is printed, in its order."""

    @classmethod
    @abstractmethod
    def saying(cls: type[Self], entries: Sequence[PrintedNam]) -> Self:
        """The answer that says so. Raises ValueError if it cannot be said in this form."""

    @classmethod
    @abstractmethod
    def held_to(cls, choices: Sequence[Choice]) -> dict[str, Any]:
        """The JSON schema of the answers that say nothing but what there is to choose."""

    @abstractmethod
    def text(self) -> str:
        """The JSON as a model is taught to write it."""


class _SpeltNam(PrintedNam):
    """The same with every field required, so that a model has to say null."""

    name: Text | None
    date: Text | None
    time: Annotated[str, Field(max_length=40)] | None


class PrintedNams(BaseModel, Answered):
    """The form `objects`: {"nams": [{"nam", "name", "date", "time"}]}."""

    model_config = ConfigDict(extra="forbid", strict=True)
    tokens_a_row: ClassVar[int] = 64  # an entry with a long name

    nams: Annotated[list[_SpeltNam], Field(max_length=MOST_NUMBERS)]

    def entries(self) -> list[PrintedNam]:
        return list(self.nams)

    @classmethod
    def saying(cls, entries: Sequence[PrintedNam]) -> PrintedNams:
        return cls(nams=[_SpeltNam(**entry.model_dump()) for entry in entries])

    @classmethod
    def held_to(cls, choices: Sequence[Choice]) -> dict[str, Any]:
        schema = cls.model_json_schema()
        spelt = schema["$defs"][_SpeltNam.__name__]
        entries = [spelt | {"properties": spelt["properties"] | _allowed(choice)} for choice in choices]
        schema["properties"]["nams"]["items"] = {"anyOf": entries}
        del schema["$defs"]
        return schema

    def text(self) -> str:
        return json.dumps(self.model_dump(), ensure_ascii=False)


class PrintedLines(RootModel[Annotated[list[Line], Field(max_length=MOST_NUMBERS)]], Answered):
    """The form `lines`: ["NAM|date|time"], with nothing for what is not printed and `=` for the date before.

    A bar inside a number (a misread 1) stays in it, for the last two bars part the fields.
    """

    model_config = ConfigDict(strict=True)
    tokens_a_row: ClassVar[int] = 40  # two entries, in a page of which not every row holds two

    def entries(self) -> list[PrintedNam]:
        return list(self._entries())

    def _entries(self) -> Iterator[PrintedNam]:
        before = ""
        for line in self.root:
            number, *rest = line.rsplit(_BETWEEN, _FIELDS - 1)
            date, time = (*rest, "", "")[:2]
            before = before if date == SAME_DATE else date
            yield PrintedNam(nam=number[:40], date=before[:80] or None, time=time[:40] or None)

    @classmethod
    def saying(cls, entries: Sequence[PrintedNam]) -> PrintedLines:
        lines, before = [], ""
        for entry in entries:
            date = entry.date or ""
            lines.append(_BETWEEN.join((entry.nam, SAME_DATE if date and date == before else date, entry.time or "")))
            before = date
        said = cls(lines)
        if [(each.nam, each.date, each.time) for each in said.entries()] != [
            (each.nam, each.date, each.time) for each in entries
        ]:
            raise ValueError("a value holds a mark of this form")
        return said

    @classmethod
    def held_to(cls, choices: Sequence[Choice]) -> dict[str, Any]:
        alike: dict[str, list[str]] = {}
        for choice in choices:
            dates = _one_of((SAME_DATE, *choice.dates) if choice.repeats else choice.dates)
            alike.setdefault(rf"\|{dates}\|{_one_of(choice.times)}", []).append(choice.number)
        lines = "|".join(_one_of(numbers) + visit for visit, numbers in alike.items())
        return {"type": "array", "maxItems": MOST_NUMBERS, "items": {"type": "string", "pattern": f"^({lines})$"}}

    def text(self) -> str:
        return json.dumps(self.root, ensure_ascii=False, separators=(",", ":"))


def _allowed(choice: Choice) -> dict[str, Any]:
    """The properties of an entry that says this number."""
    return {
        "nam": {"type": "string", "enum": [choice.number]},
        "date": {"enum": [date or None for date in choice.dates]},
        "time": {"enum": [time or None for time in choice.times]},
    }


def _one_of(texts: Sequence[str]) -> str:
    """A regular expression for one of these texts, in the part of the language that schemas and servers share.

    The text stands in a JSON string, where a quotation mark is another character; none of these holds one.
    """
    kept = "|".join(_SPECIAL.sub(r"\\\g<0>", text) for text in texts if text and not set(text) & _NEVER)
    return f"({kept})?" if "" in texts or not kept else f"({kept})"


FORMS: dict[str, type[PrintedNams] | type[PrintedLines]] = {"objects": PrintedNams, "lines": PrintedLines}
"""By the name that a prompt file gives."""
