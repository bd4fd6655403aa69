"""The forms in which a model may answer about one page: what a prompt asks for, and the schema that holds it. Pure.

`objects` spells out everything and needs no training to be understood. `lines` says it in less than half of the tokens,
`brief` in a third of those. Both are for models that were tuned to them.

A schema does not ask for the shape of a NAM: a model that is held to the shape makes up well-formed numbers where the
page is hard to read. It is held to what the page prints (`finders.choices`).
"""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, Field, RootModel

from extraction.finders.choices import Choice

MOST_NUMBERS = 200
SAME_DATE = "="
"""In a line: the date of the line before."""

_BETWEEN = "|"
_FIELDS = 3
_BEGINNING = 4
"""Letters and digits by which a number is said at least."""
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
    """An answer about one page, whatever its form. `tokens_a_row` is room for what a row of a page may hold.

    `choices` are what the answer was to be held to. Only the form `brief` needs them to be understood.
    """

    tokens_a_row: ClassVar[int]

    @abstractmethod
    def entries(self, choices: Sequence[Choice] = ()) -> list[PrintedNam]:
        """What it says is printed, in its order."""

    def written(self, choices: Sequence[Choice] = ()) -> list[str]:
        """How it writes the number of each entry."""
        return [entry.nam for entry in self.entries(choices)]

    @classmethod
    @abstractmethod
    def saying(cls: type[Self], entries: Sequence[PrintedNam], choices: Sequence[Choice] = ()) -> Self:
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

    def entries(self, choices: Sequence[Choice] = ()) -> list[PrintedNam]:
        return list(self.nams)

    @classmethod
    def saying(cls, entries: Sequence[PrintedNam], choices: Sequence[Choice] = ()) -> PrintedNams:
        return cls(nams=[_SpeltNam(**entry.model_dump()) for entry in entries])

    @classmethod
    def held_to(cls, choices: Sequence[Choice]) -> dict[str, Any]:
        schema = cls.model_json_schema()
        spelt = schema["$defs"][_SpeltNam.__name__]
        entries = [spelt | {"properties": spelt["properties"] | _allowed(choice)} for choice in choices]
        schema["properties"]["nams"] |= {"items": {"anyOf": entries}, "maxItems": _most(choices)}
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

    def entries(self, choices: Sequence[Choice] = ()) -> list[PrintedNam]:
        return list(_entries(map(_fields, self.root)))

    @classmethod
    def saying(cls, entries: Sequence[PrintedNam], choices: Sequence[Choice] = ()) -> PrintedLines:
        lines, before = [], ""
        for entry in entries:
            date = entry.date or ""
            lines.append(_BETWEEN.join((entry.nam, SAME_DATE if date and date == before else date, entry.time or "")))
            before = date
        said = cls(lines)
        _check_says(said.entries(), entries)
        return said

    @classmethod
    def held_to(cls, choices: Sequence[Choice]) -> dict[str, Any]:
        alike: dict[str, list[str]] = {}
        for choice in choices:
            dates = _one_of((SAME_DATE, *choice.dates) if choice.repeats else choice.dates)
            alike.setdefault(rf"\|{dates}\|{_one_of(choice.times)}", []).append(choice.number)
        return _list_of(alike, choices)

    def text(self) -> str:
        return json.dumps(self.root, ensure_ascii=False, separators=(",", ":"))


class BriefLines(PrintedLines):
    """The form `brief`: `lines` without what the choices say already.

    A number is said by its shortest beginning, of four letters and digits at least, that no other one of the choices
    has: ["TREM","STJO04|=|9:00","LEMI||10:15"]. Its date and its time are said only where it has several to choose
    from, and at the end of a line a bar stands only before what is said. A number that is printed at several places
    says both, for its places are told apart by them. What is no choice's beginning is read as in `lines`.
    """

    tokens_a_row: ClassVar[int] = 24

    def entries(self, choices: Sequence[Choice] = ()) -> list[PrintedNam]:
        known = _Shorthand.of(choices)
        return list(_entries(_spelt(line, known) for line in self.root))

    def written(self, choices: Sequence[Choice] = ()) -> list[str]:
        known = _Shorthand.of(choices)
        return [short.number if (short := _meant(line, known)) else _fields(line)[0] for line in self.root]

    @classmethod
    def saying(cls, entries: Sequence[PrintedNam], choices: Sequence[Choice] = ()) -> BriefLines:
        known = {short.choice.number: short for short in reversed(_Shorthand.of(choices))}
        lines, before = [], ""
        for entry in entries:
            if entry.nam not in known:
                raise ValueError("a number is none of the choices")
            date = entry.date or ""
            lines.append(known[entry.nam].line(SAME_DATE if date and date == before else date, entry.time or ""))
            before = date
        said = cls(lines)
        _check_says(said.entries(choices), entries)
        return said

    @classmethod
    def held_to(cls, choices: Sequence[Choice]) -> dict[str, Any]:
        alike: dict[str, list[str]] = {}
        for short in _Shorthand.of(choices):
            alike.setdefault(short.rest(), []).append(short.number)
        return _list_of(alike, choices)


class _Shorthand(NamedTuple):
    """How a choice is said: by which characters, and from which dates and times, if there are several."""

    choice: Choice
    number: str
    dates: tuple[str, ...]
    times: tuple[str, ...]
    says_date: bool
    says_time: bool

    @classmethod
    def of(cls, choices: Sequence[Choice]) -> list[_Shorthand]:
        """In the order of the choices."""
        places = Counter(choice.number for choice in choices)
        beginnings = {number: _beginning(number, places) for number in places}
        known, dated = [], False
        for choice in choices:
            same = (SAME_DATE,) if dated and choice.repeats and (len(choice.dates) > 1 or not any(choice.dates)) else ()
            dates, times = tuple(dict.fromkeys(same + choice.dates)), tuple(dict.fromkeys(choice.times))
            several = places[choice.number] > 1
            says = (several or len(options) > 1 for options in (dates, times))
            known.append(cls(choice, beginnings[choice.number], dates, times, *says))
            dated = dated or any(choice.dates)
        return known

    def line(self, date: str, time: str) -> str:
        said = (self.number, date if self.says_date else "", time if self.says_time else "")
        return _BETWEEN.join(said[: 3 if self.says_time else 2 if self.says_date else 1])

    def rest(self) -> str:
        """A regular expression for what stands behind the number."""
        date = _one_of(self.dates) if self.says_date else ""
        if self.says_time:
            return rf"\|{date}\|{_one_of(self.times)}"
        return rf"\|{date}" if self.says_date else ""


def _beginning(number: str, numbers: Collection[str]) -> str:
    """The shortest beginning that no other number has, up to a letter or digit; the whole of what begins another."""
    others = [other for other in numbers if other != number]
    ends = [end for end, character in enumerate(number, 1) if character.isalnum()][_BEGINNING - 1 :]
    alone = (number[:end] for end in ends if not any(other.startswith(number[:end]) for other in others))
    return next(alone, number)


_Fields = tuple[str, str, str]
"""Number, date and time as a line says them."""


def _fields(line: str) -> _Fields:
    number, *rest = line.rsplit(_BETWEEN, _FIELDS - 1)
    date, time = (*rest, "", "")[:2]
    return number, date, time


def _meant(line: str, known: Sequence[_Shorthand]) -> _Shorthand | None:
    """What a line of the form `brief` says; of several beginnings with bars in them the longest."""
    fitting = [short for short in known if f"{line}{_BETWEEN}".startswith(f"{short.number}{_BETWEEN}")]
    return max(fitting, key=lambda short: len(short.number), default=None)


def _spelt(line: str, known: Sequence[_Shorthand]) -> _Fields:
    """The fields of a line of the form `brief`, with what it does not say."""
    short = _meant(line, known)
    if short is None:
        return _fields(line)
    date, time = (*line[len(short.number) + 1 :].split(_BETWEEN, 1), "")[:2]
    return (
        short.choice.number,
        date if short.says_date else short.dates[0],
        time if short.says_time else short.times[0],
    )


def _entries(lines: Iterable[_Fields]) -> Iterator[PrintedNam]:
    before = ""
    for number, date, time in lines:
        before = before if date == SAME_DATE else date
        yield PrintedNam(nam=number[:40], date=before[:80] or None, time=time[:40] or None)


def _check_says(said: Sequence[PrintedNam], meant: Sequence[PrintedNam]) -> None:
    """Raises ValueError where a form says something else than it was to say; names are left out of both."""
    if [(each.nam, each.date, each.time) for each in said] != [(each.nam, each.date, each.time) for each in meant]:
        raise ValueError("this form cannot say that")


def _list_of(alike: Mapping[str, Sequence[str]], choices: Sequence[Choice]) -> dict[str, Any]:
    """The schema of a list of lines: `alike` are the numbers by the expression for what stands behind them."""
    lines = "|".join(_one_of(numbers) + rest for rest, numbers in alike.items())
    return {"type": "array", "maxItems": _most(choices), "items": {"type": "string", "pattern": f"^({lines})$"}}


def _most(choices: Sequence[Choice]) -> int:
    """Each place of a number is said once: a model that begins to repeat itself has an end."""
    return min(MOST_NUMBERS, len(choices))


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


FORMS: dict[str, type[PrintedNams] | type[PrintedLines] | type[BriefLines]] = {
    "objects": PrintedNams,
    "lines": PrintedLines,
    "brief": BriefLines,
}
"""By the name that a prompt file gives."""
