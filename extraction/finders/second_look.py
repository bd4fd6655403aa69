"""Looks once more at what is doubtful, larger and treated in other ways, and weighs what is seen. Pure.

Two things are doubtful. A proposal that fails a check, or that was read through look-alikes: there all that each letter
may be is searched for the likeliest number. And a place where a number should be but none was found (letters that a
name on the page gives, something of nearly the right shape, nothing beside the words "assurance maladie"): there the
words are read anew and searched again. What the page prints is never changed in silence: the first reading stays as a
repair, and `text` is what was read first.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

from extraction import nam
from extraction.finders import confidence, pattern, repair
from extraction.finders.context import Span, Surroundings, codes_in
from extraction.finders.proposal import Checks, Proposal, Repair
from extraction.finders.spelling import Spelling, normalised, spell
from extraction.layout import Layout
from extraction.page import Box, Line, Page, Word
from extraction.visits import VisitIndex

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from extraction.readers.glimpse import Glimpse

Look = Callable[[Box], "Iterator[list[Glimpse]]"]
"""Reads one part of the page again: its lines, once for each way of treating the picture."""

REASON = "second_look"
MOST_PLACES = 12
"""Places of one page that are looked at for numbers that were not found."""
SURE = 0.95
"""A look that is so sure needs no other."""
ENOUGH = 0.5
"""How likely another number must be to take the place of the one that was read."""
PERHAPS = 0.3
"""The same, where what was read cannot be a number at all."""
LIKELY = 0.8
"""How likely the spelling of something that only nearly was a number must be."""
LEAST_WORD = 0.9
"""A word that a reader is less sure of is worth a second look, although every check holds."""
NAME_DIFFERS, NO_NAME = 0.05, 0.5
"""What a reading is worth beside a name that gives other letters, and without a name, of one that a name confirms."""
BIRTH_DATE_NEARBY = 4.0

_NEARLY = re.compile(
    r"(?<![A-Za-z0-9])(?=[A-Z0-9|!]{0,3}[A-Z])[A-Z0-9|!]{2,5}[ \t.\-:;,'/]{0,3}(?:[0-9A-Za-z|!][ .\-:;,'/]{0,2}){5,11}"
)
_FOUR = re.compile(r"(?<![A-Za-z0-9])[A-Z0-9|!\]\[]{4}(?![A-Za-z])")
_LETTER_FOR = repair.LETTER_FOR | {"]": "JI", "[": "IL"}
_PROSE = re.compile("[a-zà-ÿ]{3}")
_LETTERS = "abcdefghijklmnopqrstuvwxyzé"
_SPECKS = re.compile("[:;,'|!]")
_COLUMN = 3
"""So many numbers make a column."""
_WIDEST_COLUMN = 0.35
_FEWEST, _MOST, _FEWEST_DIGITS = 8, 14, 5


def improve(page: Page, proposals: Sequence[Proposal], look: Look) -> list[Proposal]:
    """The proposals of a page after a second look at what is doubtful, with those that it brought to light."""
    scene = _Scene.of(page, proposals)
    settled = [_settle(scene, proposal, look) if scene.is_doubtful(proposal) else proposal for proposal in proposals]
    for place in scene.places()[:MOST_PLACES]:
        settled += _search(scene, place, settled, look)
    return settled


def read_out(page: Page, place: Box, look: Look) -> Proposal | None:
    """The number in a part of a page that a person points at, with other readings as its repairs.

    Whoever points says that a number is there, so nothing is held against it; None where nothing like one is seen.
    """
    wide = _clipped(_grown(place))
    seen: list[list[Spelling]] = []
    for glimpses in look(wide):
        again = _with(page, wide, [glimpse.words for glimpse in glimpses])
        found = [proposal for proposal in pattern.find(again) if wide.holds(proposal.box)]
        if found:
            best = min(found, key=lambda proposal: (not proposal.checks.valid, proposal.checks.name is False))
            return _dated(page, _settle(_Scene.of(again, found), best, look))
        seen += [spellings] if (spellings := spell(_steps(glimpses, place))) else []
        if seen and seen[-1][0].probability >= SURE:
            break
    return _dated(page, _pointed_out(page.number, place, _averaged(seen))) if seen else None


def _dated(page: Page, proposal: Proposal) -> Proposal:
    """With the visit as the page was read first: what is read again may have lost its row."""
    known = [each for each in pattern.find(page) if not each.box.overlap(proposal.box)]
    day, clock = _Scene.of(page, [*known, proposal]).visits.visit(proposal.box)
    return replace(proposal, visit_date=day or proposal.visit_date, visit_time=clock or proposal.visit_time)


def _pointed_out(number: int, place: Box, spellings: Sequence[Spelling]) -> Proposal:
    value, probability = spellings[0]
    others = [Repair(other, REASON, round(min(0.95, chance), 2)) for other, chance in spellings[1:]]
    repairs = tuple(_distinct(others, without=value))[: repair.MOST]
    checks = Checks(*nam.check(value), name=None)
    return Proposal(value, number, place, value, None, None, ("pattern",), checks, probability, repairs)


@dataclass(frozen=True, slots=True)
class _Scene:
    """A page, laid out, with what was found on it."""

    page: Page
    layout: Layout
    proposals: Sequence[Proposal]
    surroundings: Surroundings
    visits: VisitIndex
    refused: Sequence[Box]

    @classmethod
    def of(cls, page: Page, proposals: Sequence[Proposal]) -> _Scene:
        layout = Layout.of(page)
        spans = sorted({Span.inside(layout, proposal.box) for proposal in proposals})
        visits = VisitIndex.of(layout, [(p.box, nam.birth_date(p.nam)) for p in proposals])
        known = [proposal.box for proposal in proposals]
        refused = [box for box in pattern.refused(layout) if not any(box.holds(other) for other in known)]
        return cls(page, layout, proposals, Surroundings.of(layout, spans), visits, refused)

    def is_doubtful(self, proposal: Proposal) -> bool:
        """Whether a check fails, a name differs, look-alikes were needed, or the reader was not sure.

        Where a reader lost a letter it loses it again: what it spells then says nothing of what the name restored.
        """
        if len(nam.normalise(proposal.text)) < nam.LENGTH and proposal.checks.valid and proposal.checks.name:
            return False
        if not proposal.checks.valid or proposal.checks.name is False or nam.normalise(proposal.text) != proposal.nam:
            return True
        inside = [word for word in self.layout.words if proposal.box.holds(word.box)]
        return min((word.confidence for word in inside), default=1.0) < LEAST_WORD

    def settled(self, proposal: Proposal, known: Sequence[Proposal]) -> bool:
        """Whether a number that came to light was found before, at its place or a bent line away, or refused."""
        boxes = chain(self.refused, (other.box for other in known))
        again = any(proposal.nam == other.nam for other in known)
        return again or any(box.holds(proposal.box) or proposal.box.holds(box) for box in boxes)

    def places(self) -> list[_Place]:
        """Where a number should be and none was found, most promising first."""
        taken = [*(proposal.box for proposal in self.proposals), *self.refused]
        places: list[_Place] = []
        for place in (*self._near_shapes(), *self._named(), *self._expected(), *self._labelled()):
            if not any(place.sign.holds(other) or other.holds(place.sign) for other in taken):
                taken.append(place.sign)
                places.append(place)
        return places

    def _named(self) -> Iterator[_Place]:
        """Around four letters that a name on the page gives: digits follow to the right, or below."""
        codes = self.surroundings.named
        for four in _FOUR.finditer(self.layout.plain):
            if not codes.isdisjoint(_letters(four[0])):
                box = self.layout.box(*four.span())
                wide = Box(box.x0 - box.width / 3, box.y0 - box.height, box.x1 + 3 * box.width, box.y1 + 3 * box.height)
                yield _Place(_clipped(wide), box)

    def _expected(self) -> Iterator[_Place]:
        """In the column of the other numbers, beside a name that has none."""
        if len(self.proposals) < _COLUMN:
            return
        column = Box.around(proposal.box for proposal in self.proposals)
        if column.width >= _WIDEST_COLUMN:
            return
        found = {proposal.nam[:4] for proposal in self.proposals}
        for row in self.layout.rows:
            codes = codes_in(self.layout.plain[row.start : row.end])
            if len(codes) != 1 or not codes.isdisjoint(found):
                continue
            sign = Box(column.x0, row.top, column.x1, row.bottom)
            # "NAM à venir": the page says that there is none.
            if not any(_PROSE.search(word.text) for word in self.layout.words if sign.holds(word.box)):
                high = row.bottom - row.top
                yield _Place(sign.grown(high, high), sign)

    def _near_shapes(self) -> Iterator[_Place]:
        for near in _NEARLY.finditer(self.layout.plain):
            glyphs = [c for c in near[0] if c.isalnum() or c in "|!"]
            most = _MOST if _SPECKS.search(near[0]) else nam.LENGTH
            if not _FEWEST <= len(glyphs) <= most or sum(c.isdecimal() for c in glyphs) < _FEWEST_DIGITS:
                continue
            span = Span(*near.span(), self.layout.box(*near.span()))
            if self.surroundings.label(span) not in ("decoy", "code", "file") and not self.surroundings.is_specimen(
                span
            ):
                yield _Place(_grown(span.box), span.box, span)

    def _labelled(self) -> Iterator[_Place]:
        """Right of and below words that announce a number, where nothing follows them."""
        for start, end, kind in self.surroundings.labels:
            box = self.layout.box(start, end)
            if kind != "nam" or self.surroundings.is_specimen(Span(start, end, box)):
                continue
            behind = self.layout.printed[end : self.layout.cell(start)[1]].lstrip(_LETTERS)
            if _PROSE.search(behind):
                continue
            if not any(p.box.y0 > box.y0 - box.height and p.box.x1 > box.x0 for p in self.proposals):
                wide = Box(box.x0, box.y0 - box.height, box.x1 + 0.35, box.y1 + 3 * box.height)
                yield _Place(_clipped(wide), box)


class _Place(NamedTuple):
    """A part of the page to look at, what pointed there, and the characters that nearly are a number, if there are."""

    box: Box
    sign: Box
    near: Span | None = None


def _letters(four: str) -> list[str]:
    """Readings of four characters as letters."""
    readings = [""]
    for character in four:
        options = character if character.isalpha() else _LETTER_FOR.get(character, "")
        readings = [reading + option for reading in readings for option in options]
    return readings


# A doubtful proposal


def _settle(scene: _Scene, proposal: Proposal, look: Look) -> Proposal:
    """The proposal with the likeliest number at its place."""
    seen: list[list[Spelling]] = []
    span = Span.inside(scene.layout, proposal.box)
    for glimpses in look(_grown(proposal.box)):
        spellings = spell(_steps(glimpses, proposal.box))
        if spellings:
            seen.append(_weighed(scene, span, spellings))
        if seen and seen[-1][0].probability >= SURE:
            break
    return _decided(scene, proposal, span, _averaged(seen)) if seen else proposal


def _steps(glimpses: Sequence[Glimpse], box: Box) -> NDArray[np.float32]:
    """What stands in `box`, line by line, as one line."""
    import numpy as np

    margin = box.width / 24
    rows = sorted((g for g in glimpses if _shares_height(g.box, box)), key=lambda g: (g.box.y0 + g.box.y1, g.box.x0))
    heights = [row.box.height for row in rows]
    tall = bool(rows) and box.height > 1.6 * fmean(heights)  # more than one line of print
    ordered = rows if tall else sorted(rows, key=lambda g: g.box.x0)
    parts = [g.chances[(g.places > box.x0 - margin) & (g.places < box.x1 + margin)] for g in ordered]
    return np.concatenate(parts) if parts else np.empty((0, 37), np.float32)


def _weighed(scene: _Scene, span: Span, spellings: Sequence[Spelling]) -> list[Spelling]:
    """The spellings, each weighed by the name and the birth date that are printed near."""
    names = scene.surroundings.names(span)
    births = scene.visits.births_near(span.box)
    weights = {True: 1.0, False: NAME_DIFFERS, None: NO_NAME}
    return normalised(
        Spelling(
            value,
            chance * weights[names.match(value[:4])] * (BIRTH_DATE_NEARBY if nam.birth_date(value) in births else 1.0),
        )
        for value, chance in spellings
    )


def _averaged(seen: Sequence[Sequence[Spelling]]) -> list[Spelling]:
    total: defaultdict[str, float] = defaultdict(float)
    for value, probability in chain.from_iterable(seen):
        total[value] += probability / len(seen)
    return normalised(Spelling(*each) for each in total.items())


def _decided(scene: _Scene, proposal: Proposal, span: Span, spellings: Sequence[Spelling]) -> Proposal:
    """The proposal with the likeliest spelling, if that is likely enough, and the others as its repairs."""
    best = spellings[0]
    own = next((s.probability for s in spellings if s.nam == proposal.nam), 0.0)
    holds = proposal.checks.valid and proposal.checks.name is not False
    needed = ENOUGH if proposal.checks.format else PERHAPS
    changes = not holds and best.nam != proposal.nam and best.probability >= needed
    value, probability = best if changes else (proposal.nam, own)
    checks = Checks(*nam.check(value), name=scene.surroundings.names(span).match(value[:4]))
    sure = _confidence(
        scene, span, checks, Spelling(value, probability), text=proposal.text, found_by=proposal.found_by
    )
    if checks.valid and not changes:
        return replace(proposal, checks=checks, confidence=sure)
    first = [Repair(proposal.nam, REASON, round(max(own, 0.1), 2))] if changes else []
    others = [Repair(s.nam, REASON, round(min(0.95, s.probability), 2)) for s in spellings if s.nam != value][:2]
    repairs = tuple(_distinct([*first, *others, *proposal.repairs], without=value))[: repair.MOST]
    return replace(proposal, nam=value, checks=checks, confidence=sure, repairs=repairs)


def _confidence(
    scene: _Scene, span: Span, checks: Checks, best: Spelling, *, text: str, found_by: tuple[str, ...]
) -> float:
    value, probability = best
    return confidence.score(
        checks,
        reading=probability,
        found_by=found_by,
        labelled=scene.surroundings.label(span) == "nam",
        birth_date_nearby=nam.birth_date(value) in scene.visits.births_near(span.box),
        substitutions=_differences(value, nam.normalise(text)),
        second_look=probability,
    )


def _distinct(repairs: Iterable[Repair], *, without: str) -> Iterator[Repair]:
    seen = {without}
    for each in repairs:
        if each.nam not in seen and each.score > 0:
            seen.add(each.nam)
            yield each


def _differences(value: str, printed: str) -> int:
    if len(printed) != len(value):
        return 3
    return repair.differences(value, printed)


# A number that was not found


def _search(scene: _Scene, place: _Place, known: Sequence[Proposal], look: Look) -> list[Proposal]:
    """The numbers that come to light when a part of the page is read anew: confirmed by the page, or seen twice."""
    seen: Counter[str] = Counter()
    spelled: list[list[Spelling]] = []
    for glimpses in look(place.box):
        again = _with(scene.page, place.box, [glimpse.words for glimpse in glimpses])
        found = [
            proposal
            for proposal in pattern.find(again)
            if proposal.checks.valid and place.box.holds(proposal.box) and not scene.settled(proposal, known)
        ]
        seen.update({proposal.nam for proposal in found})
        accepted = [p for p in found if p.checks.name or (seen[p.nam] > 1 and p.checks.name is None)]
        if accepted:
            return accepted
        if place.near:
            spelled.append(spell(_steps(glimpses, place.near.box)))
        elif not any(_has_digits(glimpse) for glimpse in glimpses):
            break
    return list(_spelled(scene, place.near, [each for each in spelled if each])) if place.near else []


def _spelled(scene: _Scene, near: Span, seen: Sequence[Sequence[Spelling]]) -> Iterator[Proposal]:
    """The number that all looks together spell out, if the page says that there is one or whose it is."""
    names, label = scene.surroundings.names(near), scene.surroundings.label(near)
    for value, probability in _averaged([_weighed(scene, near, spellings) for spellings in seen])[:1]:
        checks = Checks(*nam.check(value), name=names.match(value[:4]))
        if not checks.valid or probability < LIKELY or not (checks.name or label == "nam"):
            return
        day, clock = scene.visits.visit(near.box)
        text = " ".join(scene.layout.printed[near.start : near.end].split())
        sure = _confidence(scene, near, checks, Spelling(value, probability), text=text, found_by=("pattern",))
        yield Proposal(value, scene.page.number, near.box, text, day, clock, ("pattern",), checks, sure)


def _has_digits(glimpse: Glimpse) -> bool:
    return sum(c.isdecimal() for word in glimpse.words for c in word.text) >= _FEWEST_DIGITS - 1


def _with(page: Page, place: Box, pieces: Sequence[tuple[Word, ...]]) -> Page:
    """The page with the words of one part read anew."""
    outside = [tuple(word for word in line.words if not place.holds(word.box)) for line in page.lines]
    inside = [tuple(word for word in words if place.holds(word.box)) for words in pieces]
    lines = sorted(
        (Line(words) for words in [*outside, *inside] if words), key=lambda line: line.words[0].box.middle[::-1]
    )
    return replace(page, lines=tuple(lines))


# Geometry


def _shares_height(one: Box, other: Box) -> bool:
    shared = min(one.y1, other.y1) - max(one.y0, other.y0)
    return 2 * shared > min(one.height, other.height)


def _grown(box: Box) -> Box:
    """With a margin, so that a detector sees paper around the print."""
    return box.grown(box.width / 8, box.height)


def _clipped(box: Box) -> Box:
    return Box(max(0.0, box.x0), max(0.0, box.y0), min(1.0, box.x1), min(1.0, box.y1))
