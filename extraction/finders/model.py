"""The model finder: asks the model server about one page and keeps of its answer only what stands on that page.

The page is data that anybody may have written, and so is the answer. A number, name, date or time counts only where it
is found on the page again (`location`), and its value is read from the page's own characters, never from the model's.
What the model says that is not printed is dropped and counted.
"""

from __future__ import annotations

import json
import time
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate, permutations, repeat
from math import exp
from typing import Any, TypeVar

from extraction import nam, visits
from extraction.finders import confidence, repair
from extraction.finders.answers import FORMS, PrintedNam
from extraction.finders.choices import choices
from extraction.finders.location import Located, Locator
from extraction.finders.parts import WHOLE, Part, excerpts, parts
from extraction.finders.proposal import Checks, Proposal, Repair
from extraction.finders.telling import messages
from extraction.layout import Layout
from extraction.llm import client
from extraction.llm.client import Completion, ModelServer
from extraction.llm.prompts import Prompt
from extraction.llm.replicas import Replicas
from extraction.page import Page
from extraction.threads import Threads

FOUND_BY = ("model",)

_FIRST_TOKENS = 128
_MOST_TOKENS = 3072
"""Leaves 5,000 tokens of an 8,192-token context to the prompt and a dense page."""
_NEAR = 4.0
"""A name within this many line heights of a number is near it."""
_MOST_NAME_WORDS = 6

Value = TypeVar("Value")


@dataclass(frozen=True)
class ModelAnswer:
    """What the model found on one page.

    `hallucinated` counts the entries whose number is not printed on the page, or not as often as the model says.
    `seconds` is the time until the answer was there, the wait for a free place at the server included.
    """

    proposals: list[Proposal] = field(default_factory=list)
    hallucinated: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0


_COUNTS = ("hallucinated", "prompt_tokens", "completion_tokens", "seconds")
"""What the answers about the parts of a page add up to."""


class ModelFinder:
    """Asks `server` with `prompt`, a page a question, or a part of one that is longer than the prompt is made for.

    Holds no connection; threads may share one.
    """

    def __init__(self, server: ModelServer | Replicas, prompt: Prompt) -> None:
        self.chat = server.chat if isinstance(server, Replicas) else partial(client.chat, server)
        self.prompt = prompt

    def find(self, page: Page) -> ModelAnswer:
        """The NAMs that the model sees on `page`, in reading order.

        A page without words is not sent. Raises ModelUnreachable (a ServiceUnavailable) or ModelBadReply.
        """
        layout = Layout.of(page)
        if not layout.words:
            return ModelAnswer()
        longest = self.prompt.longest
        first = self._ask_about(parts(layout, longest))
        again = self._ask_about(excerpts(layout, passed_over(layout, first.proposals), longest // 2))
        return _together(layout, first, again)

    def _ask_about(self, asked: Sequence[Part]) -> ModelAnswer:
        """A question a part, all at once; of its answer counts what the part owns."""
        # How many questions are open at a time is the client's to limit.
        with Threads(max(1, len(asked)), thread_name_prefix="part") as pool:
            answers = list(pool.map(self._ask, [Layout.of(part.page) for part in asked]))
        return ModelAnswer(
            [
                found
                for part, answer in zip(asked, answers, strict=True)
                for found in answer.proposals
                if part.owns(found.box)
            ],
            **{name: sum(getattr(answer, name) for answer in answers) for name in _COUNTS},
        )

    def _ask(self, layout: Layout) -> ModelAnswer:
        """One question, if there is anything to choose."""
        chosen_from = choices(layout)
        if not chosen_from:
            return ModelAnswer()
        began = time.perf_counter()
        form = FORMS[self.prompt.form]
        room = min(_MOST_TOKENS, _FIRST_TOKENS + form.tokens_a_row * len(layout.rows))
        completion = self.chat(messages(self.prompt, layout), form, allowed=form.held_to(chosen_from), max_tokens=room)
        seconds = time.perf_counter() - began
        entries, written = completion.answer.entries(chosen_from), completion.answer.written(chosen_from)
        proposals, hallucinated = trace(layout, entries, probabilities(completion, written))
        return ModelAnswer(
            proposals, hallucinated, completion.prompt_tokens, completion.completion_tokens, round(seconds, 4)
        )


def passed_over(layout: Layout, proposals: Iterable[Proposal]) -> list[int]:
    """The rows of numbers that pass every check and that the model did not say. Pure.

    Models pass numbers over, a small one every fifth on a page unlike those it was tuned on; asked about the row alone
    they seldom do. What it says then is traced like any answer of it.
    """
    said = {proposal.nam for proposal in proposals}
    return sorted(
        {
            layout.row_at(found.start())
            for found in WHOLE.finditer(layout.folded)
            if (value := nam.normalise(found[0])) not in said and all(nam.check(value))
        }
    )


def _together(layout: Layout, first: ModelAnswer, again: ModelAnswer) -> ModelAnswer:
    """Both answers as one, in reading order. What was said at first is not taken from the second."""
    boxes = {proposal.box for proposal in first.proposals}
    proposals = [*first.proposals, *(proposal for proposal in again.proposals if proposal.box not in boxes)]
    proposals.sort(key=lambda proposal: (layout.rows_near(proposal.box), proposal.box.x0))
    return ModelAnswer(proposals, **{name: getattr(first, name) + getattr(again, name) for name in _COUNTS})


def probabilities(completion: Completion[Any], written: Sequence[str]) -> list[float | None]:
    """How likely the model found each number that is `written` in its answer, 0..1: the product over its tokens. Pure.

    None where the server did not say, or where its tokens do not add up to its answer (a character that several tokens
    share is shown as something else in each).
    """
    ends = list(accumulate(len(token.token) for token in completion.tokens))
    if "".join(token.token for token in completion.tokens) != completion.content:
        return [None] * len(written)
    found: list[float | None] = []
    at = 0
    for number in written:
        printed = json.dumps(number, ensure_ascii=False)[1:-1]
        start = completion.content.find(printed, at)
        if start < 0 or not printed:
            found.append(None)
            continue
        at = start + len(printed)
        own = completion.tokens[bisect_right(ends, start) : bisect_left(ends, at) + 1]
        found.append(min(1.0, exp(sum(token.logprob for token in own))))
    return found


def trace(
    layout: Layout, entries: Iterable[PrintedNam], probabilities: Iterable[float | None] = repeat(None)
) -> tuple[list[Proposal], int]:
    """The proposals for the entries that stand on the page, in reading order, and how many entries do not. Pure.

    A number that is printed at several places gets one proposal a place, as often as the model says it. `probabilities`
    are the model's, one an entry.
    """
    locator = Locator(layout)
    said: Counter[str] = Counter()
    taken: set[int] = set()
    traced: list[tuple[int, Proposal]] = []
    hallucinated = 0
    for entry, probability in zip(entries, probabilities, strict=False):
        said[nam.normalise(entry.nam)] += 1
        place = _free_place(locator, entry.nam, taken, wanted=said[nam.normalise(entry.nam)])
        if place is None:
            hallucinated += 1
            continue
        taken.add(place.start)
        proposal = _proposal(locator, place, entry, probability)
        if proposal is not None:
            traced.append((place.start, proposal))
    return [proposal for _, proposal in sorted(traced, key=lambda pair: pair[0])], hallucinated


def _free_place(locator: Locator, printed: str, taken: set[int], *, wanted: int) -> Located | None:
    """The first place of a number that no earlier entry has. `wanted` counts how often the model said the number."""
    places = locator.places(printed, at_least=wanted)
    if not places and len(nam.normalise(printed)) == nam.LENGTH:
        places = locator.look_alike_places(printed, at_least=wanted)
    return next((place for place in places if place.start not in taken), None)


def _proposal(locator: Locator, place: Located, entry: PrintedNam, probability: float | None) -> Proposal | None:
    """The proposal for a place; None where what is printed there neither is like a NAM nor can be repaired to one."""
    letters = _name_letters(locator, place, entry.name)
    reading = _reading(place.text, letters or set(), typed=locator.layout.page.is_typed)
    if reading is None:
        return None
    value, substitutions, repairs = reading
    visit_date = _parsed_place(locator, place, entry.date, visits.parse_date)
    if visit_date == nam.birth_date(value):
        visit_date = None  # Models take a birth date for the visit's where a page has no other.
    checks = Checks(*nam.check(value), name=None if letters is None else value[: repair.LETTERS] in letters)
    return Proposal(
        nam=value,
        page=locator.layout.page.number,
        box=place.box,
        text=place.text,
        visit_date=visit_date,
        visit_time=_parsed_place(locator, place, entry.time, visits.parse_time),
        found_by=FOUND_BY,
        checks=checks,
        confidence=confidence.score(
            checks,
            reading=min((word.confidence for word in place.words), default=0.0),
            found_by=FOUND_BY,
            substitutions=substitutions,
            model_probability=probability,
        ),
        repairs=repairs,
    )


def _reading(text: str, names: set[str], *, typed: bool) -> tuple[str, int, tuple[Repair, ...]] | None:
    """The value of some printed characters, how many of them were taken for look-alikes, and other readings.

    What has the shape as printed stays as it is, for it may be a misprint. Only a letter as the sequence character is
    more likely misread than meant, unless the text was `typed`, if one reading passes every check. Without the shape
    it is the best look-alike reading, if need be one whose check character fails; None where none has a real date.
    """
    literal = nam.normalise(text)
    valid, likely = _look_alikes(text)
    if nam.FORMAT.fullmatch(literal):
        misread = literal[repair.SEQUENCE].isalpha() and not typed and not all(nam.check(literal))
        if not misread or len(valid) != 1:
            others = [reading for reading in valid if reading.value != literal]
            return literal, 0, repair.rank(literal, valid_readings=others, names=names)
    if not valid:
        return (likely[0].value, likely[0].substitutions, ()) if likely else None
    repairs = repair.rank(literal, valid_readings=valid, names=names)
    best = next((reading for reading in valid if repairs and reading.value == repairs[0].nam), valid[0])
    return best.value, best.substitutions, repairs


def _look_alikes(text: str) -> tuple[list[repair.Reading], list[repair.Reading]]:
    """The readings of some printed characters that pass every check, and those with a real birth date at least."""
    glyphs = "".join(c for c in text if c in "|!" or nam.normalise(c))
    readings = repair.readings(glyphs) if len(glyphs) == nam.LENGTH else []
    checked = [(reading, nam.check(reading.value)) for reading in readings]
    return (
        [reading for reading, checks in checked if all(checks)],
        [reading for reading, checks in checked if checks.birth_date],
    )


def _parsed_place(
    locator: Locator, near: Located, printed: str | None, parse: Callable[[str], Value | None]
) -> Value | None:
    """The value at the place of `printed` nearest to the number, read from the page's own characters.

    The page's characters are parsed because places are found by letters and digits alone: "08:30" is also found in
    "0830", which may be the end of a telephone number.
    """
    if not printed:
        return None
    for place in sorted(locator.places(printed), key=lambda place: _distance(place, near)):
        value = parse(place.text)
        if value is not None:
            return value
    return None


def _distance(one: Located, other: Located) -> float:
    """How far apart two places are from top to bottom, in fractions of the page."""
    return abs(one.box.middle[1] - other.box.middle[1])


def _name_letters(locator: Locator, place: Located, name: str | None) -> set[str] | None:
    """The four letters that the name near the number can give, one for each way to read it; None without such a name.

    Which words are the surname is not known ("Tremblay, Martin", "TREMBLAY Martin", "Martin Tremblay"), so every pair
    is tried. Four letters that agree by chance are rare enough.
    """
    words = [word for word in (name or "").replace(",", " ").split() if nam.normalise(word)][:_MOST_NAME_WORDS]
    if len(words) < 2 or not name:  # noqa: PLR2004 - a surname and a given name
        return None
    reach = _NEAR * place.words[0].box.height
    if not any(_distance(printed, place) <= reach for printed in locator.places(name)):
        return None
    return {nam.surname_letters(surname) + nam.given_letter(given) for surname, given in permutations(words, 2)} | {
        nam.surname_letters(" ".join(words[start : start + 2])) + nam.given_letter(given)
        for start in range(len(words) - 1)
        for given in (*words[:start], *words[start + 2 :])
    }
