"""Finds NAMs by their shape, their own arithmetic and what is printed around them. Pure.

A number is looked for in the rows of the page: it may be one word, several, glued to its label, one character a box, or
broken over two lines of one cell; and any character may be a look-alike of the one that was printed (O and 0, I and
1, S and 5 ...). What has the shape is proposed if its birth date is real and its check character holds, or as doubtful
if the page itself calls it a NAM or prints the name that its letters abbreviate. Numbers that the page calls something
else (invoice, order, licence ...) and specimens are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from extraction import nam
from extraction.finders import confidence, repair
from extraction.finders.company import ANY
from extraction.finders.context import Names, Span, Surroundings
from extraction.finders.proposal import Checks, Proposal, Repair
from extraction.finders.repair import Reading
from extraction.layout import Layout
from extraction.page import Box, Page
from extraction.visits import VisitIndex

RULES_VERSION = "2026-11-28.6"
"""Changes with every change of what is found, so that runs can be compared."""

_L = r"[A-Za-z0124568|!\]/]"
_D = "[0-9OoQDIil|!SsBZzGAL]"
_S = "[0-9A-Za-z|!]"
_GAP = r"[ \t.,\-_·•*/'`]{0,3}+"
_SOME_GAP = r"[ \t.,\-_·•|'`]{1,3}+"
# A number starts where a word does, or right behind a label that lost its space.
_BEGIN = "(?<![A-Za-z0-9])(?:NAM|Nam|nam|RAMQ|ramq)?"
_END = "(?![A-Za-z0-9])|(?=(?:exp|Exp|EXP|DDN|Sexe|SEXE))"
# Atomic, because what one of these ways reads, no other one reads otherwise.
# The last way is for what a hand leaves between its letters, and for specks of a copy.
_FOUR = rf"{_L}(?>{_L}{{3}}|(?:{_SOME_GAP}{_L}){{3}}|(?:[ .·'`:]{{0,2}}+{_L}){{3}})"
_NUMBER = re.compile(rf"{_BEGIN}(?=({_FOUR}(?:{_GAP}{_D}){{6}}{_GAP}{_S}{_GAP}{_D})(?:{_END}))")
_TAIL = re.compile(rf"{_BEGIN}(?P<tail>{_FOUR}(?:{_GAP}{_D}){{0,6}})[ -]?(?=[\t\n])")
_EIGHT = re.compile(r"(?<![A-Za-z0-9])(?<![A-Za-z][ .-])[0-9]{4}[ -]?[0-9]{2}[0-9A-Z][0-9](?![A-Za-z0-9])")
_HEAD = re.compile(rf"{_S}(?:{_GAP}{_S}){{1,7}}(?![A-Za-z0-9:/,h]|[ ]h)")
_LACKING = re.compile(
    r"(?<![A-Za-z0-9'.-])[A-Z]{3}[ .-]?[0-9]{4}[ .-]?[0-9]{2}[ .-]?[0-9A-Z][0-9](?![A-Za-z0-9]|[ .,/-]?[0-9])"
)
_FOUR_LETTERS = re.compile(r"(?<![A-Za-z0-9'-])[A-Z]{4}(?= [^\t\n])")
_SEPARATORS = re.compile(r"[ \t.,\-_·•*/'`:\n]+")
_MARK = re.compile(r"(?:[A-Za-z0-9|!\]] ?){1,3}[.·'`:]")
"""A mark cuts the four letters: more often the rest of a misread one ("I.AVF" for LAVF) than a speck."""
_GLUED_ON = re.compile(r"[.\-/][0-9]")
_DATE_INSIDE = re.compile(r"[0-9]{2}[-./][0-9]{2}[-./](?:19|20)[0-9]{2}$|(?:19|20)[0-9]{2}[-./][0-9]{2}[-./][0-9]{2}$")
_GIVEN_NAME = re.compile(r"[A-ZÀ-Þ][a-zà-þ]{3}(?![A-Za-z0-9])")
"""Théo, Jean, Anne: four letters that stand before digits as often as those of a number typed so."""
NO_NAM = ("decoy", "code", "file", "other")
"""Labels that let nothing through that fails a check."""
_GROUPS = frozenset([(12,), (4, 8), (8, 4), (4, 4, 4), (4, 6, 2), (4, 4, 2, 2), (4, 2, 2, 2, 2), (1,) * 12])
"""How many characters stand together in numbers that people print; other cuts come from readers."""
_FEWEST_LETTERS = 2
"""Of the first four characters; the others may be misread."""
_MOST_PARTS = 3
_ROWS_BELOW = 3
"""A part goes on within fewer rows."""
_IN_THE_MIDDLE = 0.5
"""Middles of centred lines differ by less than this part of their height."""
_SAME_PLACE = 0.4
"""Boxes that overlap by so much hold one print: set twice for boldness, or read twice."""
_SAME_EDGE, _FEWEST_IN_COLUMN = 0.03, 3
"""So many numbers that start within this part of the page's width make a column."""
_MISREAD_PLACE = 0.15
"""The same where one of them fails a check: detectors draw a line of print a little higher or lower a second time."""
_FEWEST_DIGITS = 5
"""Of the last eight characters, so many must be digits as printed: three look-alikes are the most."""


class Candidate(NamedTuple):
    """Twelve printed characters with the shape of a NAM, or of its look-alike; `parts` are where they stand.

    `is_spaced` says that a space or two stand among its letters, as hands leave them, or that a word stands behind
    them: they may be a part of something else too.
    `is_capitalised`, that its letters are set as a given name is: "Beay 4562 1169", or "Anne 4562 1169".
    """

    span: Span
    parts: tuple[tuple[int, int], ...]
    text: str
    glyphs: str
    regular: bool
    valid: list[Reading]
    dated: bool
    is_over_cells: bool = False
    is_spaced: bool = False
    is_capitalised: bool = False


class _Evidence(NamedTuple):
    """What the page says about a candidate; `born`: that it prints the birth date of the number as it stands."""

    label: str
    names: Names
    literal: str
    valid: list[Reading]
    typed: bool
    born: bool


def find(page: Page) -> list[Proposal]:
    """The NAMs of a page in reading order, each with its place, its checks, its visit and its repairs."""
    layout = Layout.of(page)
    candidates = sorted(shapes(layout))
    if not candidates:
        return []
    surroundings = Surroundings.of(layout, [candidate.span for candidate in candidates if candidate.dated])
    accepted = _accepted(layout, candidates, surroundings)
    numbers = [(candidate.span.box, nam.birth_date(chosen.value)) for candidate, _, chosen in accepted]
    visits = VisitIndex.of(layout, numbers)
    return _without_overlaps([(each[0].parts, _propose(layout, visits, *each)) for each in accepted])


_Accepted = tuple[Candidate, _Evidence, Reading]


def _accepted(layout: Layout, candidates: list[Candidate], surroundings: Surroundings) -> list[_Accepted]:
    """What is proposed of the candidates, and how each is read."""
    weighed = []
    for candidate in candidates:
        if surroundings.is_specimen(candidate.span):
            continue
        label = surroundings.label(candidate.span)
        # What fails and is called something else is given up before anybody looks for its name.
        if candidate.valid or label not in NO_NAM:
            evidence = _evidence(candidate, label, surroundings)
            weighed.append((candidate, evidence, _choose(candidate, evidence)))
    known = {chosen.value for _, _, chosen in weighed if chosen}
    edges = [candidate.span.box.x0 for candidate, evidence, chosen in weighed if chosen in evidence.valid]
    accepted = []
    for candidate, evidence, chosen in weighed:
        # What is a NAM at one place of a page is one wherever the page prints it.
        again = chosen is None and (evidence.literal in known or _is_in_column(candidate, evidence, edges))
        reading = Reading(evidence.literal, 0) if again else chosen
        if reading is not None:
            accepted.append((candidate, evidence, reading))
    return _without_rivals(layout, accepted)


def _is_in_column(candidate: Candidate, evidence: _Evidence, edges: list[float]) -> bool:
    """Whether a number whose letters a hand has spaced holds as it stands, and starts where numbers of the page do."""
    if (
        not candidate.is_spaced
        or _is_marked(candidate)
        or evidence.label in NO_NAM
        or Reading(evidence.literal, 0) not in evidence.valid
    ):
        return False
    start = candidate.span.box.x0
    return sum(abs(start - edge) < _SAME_EDGE for edge in edges) >= _FEWEST_IN_COLUMN


def _without_rivals(layout: Layout, accepted: list[_Accepted]) -> list[_Accepted]:
    """Without what stands unnamed in a row whose only name is already another number's."""
    rows: dict[int, list[_Accepted]] = {}
    for each in accepted:
        rows.setdefault(layout.row_at(each[0].span.start), []).append(each)
    return [each for each in accepted if not _has_rival(each, rows[layout.row_at(each[0].span.start)])]


def _has_rival(own: _Accepted, mates: list[_Accepted]) -> bool:
    letters = own[2].value[:4]
    if len(mates) == 1 or own[1].label == "nam" or own[1].names.match(letters):
        return False
    row = frozenset().union(*(mate[1].names.sure for mate in mates))
    return len(row) == 1 and letters not in row and any(mate[2].value[:4] in row for mate in mates)


def refused(layout: Layout) -> list[Box]:
    """Where something passes every check as it is printed; what `find` leaves out of these, the page calls no NAM.

    Without what a mark cuts: that may be another number, misread.
    """
    return [each.span.box for each in shapes(layout) if each.valid and not _is_marked(each)]


def shapes(layout: Layout) -> Iterator[Candidate]:
    """Everything with the shape of a number, or of the look-alike of one, whatever it is."""
    typed = layout.page.is_typed
    for found in _NUMBER.finditer(layout.plain):
        start, end = found.span(1)
        # A slash among the letters is a leaning I.
        pieces = _SEPARATORS.split(found[1][: repair.LETTERS].replace("/", "|") + found[1][repair.LETTERS :])
        glyphs = "".join(pieces)
        if len(glyphs) != nam.LENGTH or not has_digits(glyphs) or glyphs[4:] in ANY:
            continue
        if typed and not glyphs[: repair.LETTERS].isalnum():
            continue  # The bars of a file: "||||96832332".
        if len(pieces) > 1 and (_GLUED_ON.match(layout.plain, end) or _DATE_INSIDE.search(found[1])):
            continue
        printed = " ".join(layout.printed[start:end].split())
        lengths = tuple(map(len, pieces))
        regular = lengths in _GROUPS
        is_spaced = len(pieces) > 1 and repair.are_letters_cut(lengths)
        span = Span(start, end, layout.box(start, end))
        yield Candidate(
            *(span, ((start, end),), printed, glyphs, regular, *_read(glyphs)),
            is_over_cells="\t" in found[1],
            is_spaced=is_spaced,
            is_capitalised=_GIVEN_NAME.match(printed) is not None,
        )
    yield from _over_rows(layout)
    yield from _under_letters(layout)
    if not typed:
        yield from _lacking(layout)


def _read(glyphs: str) -> tuple[list[Reading], bool]:
    """The readings of twelve characters that pass every check, and whether any at all has a real birth date.

    What passes as it is printed needs no look-alikes: it is the only reading then.
    """
    upper = repair.unmixed(glyphs).upper()
    if all(nam.check(upper)):
        # The check character cannot tell I from L.
        other = [] if upper == glyphs.upper() else [Reading(glyphs.upper(), 1)]
        return [Reading(upper, 0), *other], True
    checked = [(reading, nam.check(reading.value)) for reading in repair.readings(glyphs)]
    return [reading for reading, checks in checked if all(checks)], any(checks.birth_date for _, checks in checked)


def _over_rows(layout: Layout) -> Iterator[Candidate]:
    """Numbers that begin at the end of a cell and go on in the lines below it, in one or two more parts."""
    for tail in _TAIL.finditer(layout.plain):
        pieces = _SEPARATORS.split(tail["tail"])
        beginning = "".join(pieces)
        if repair.are_letters_cut(map(len, pieces)):
            continue
        if has_letters(beginning) and not _GIVEN_NAME.match(tail["tail"]):
            part = _Part(beginning, (tail.span("tail"),), layout.box(*tail.span("tail")), layout.cell(tail.start()))
            yield from _continued(layout, part)


def _under_letters(layout: Layout) -> Iterator[Candidate]:
    """Numbers whose digits stand under letters that run on into the next cell, as in narrow columns.

    Much stands so by chance: they are let in only if they hold, and only beside their name or label (`is_spaced`).
    """
    for eight in _EIGHT.finditer(layout.plain):
        digits, row = layout.box(*eight.span()), layout.row_at(eight.start())
        if not row:
            continue
        above = layout.rows[row - 1]
        for four in _FOUR_LETTERS.finditer(layout.plain, above.start, above.end):
            letters = layout.box(*four.span())
            if not _stand_together(letters, digits, letters):
                continue
            parts = (four.span(), eight.span())
            glyphs = four[0] + _SEPARATORS.sub("", eight[0])
            valid, dated = _read(glyphs)
            if valid:
                text, span = f"{four[0]} {eight[0]}", Span(*parts[0], letters.union(digits))
                yield Candidate(span, parts, text, glyphs, regular=True, valid=valid, dated=dated, is_spaced=True)


def _lacking(layout: Layout) -> Iterator[Candidate]:
    """What a reader may have lost a letter of: its name can restore that, and without one it is no number."""
    for found in _LACKING.finditer(layout.plain):
        glyphs = _SEPARATORS.sub("", found[0])
        if glyphs[3:] not in ANY:
            span = Span(*found.span(), layout.box(*found.span()))
            text = layout.printed[slice(*found.span())]
            yield Candidate(span, (found.span(),), text, glyphs, regular=False, valid=[], dated=False)


class _Part(NamedTuple):
    """The beginning of a number: its characters, where they stand, the box of the last of them and their cell."""

    glyphs: str
    spans: tuple[tuple[int, int], ...]
    box: Box
    cell: tuple[int, int]


def _continued(layout: Layout, part: _Part) -> Iterator[Candidate]:
    """The numbers that `part` makes with what stands below it."""
    if not _may_go_on(layout, part):
        return
    for start, end in _below(layout, part):
        head = _HEAD.match(layout.plain, start, end)
        if head is None or _DATE_INSIDE.search(head[0]):
            continue
        own = _SEPARATORS.sub("", head[0])
        whole = _Part(part.glyphs + own, (*part.spans, head.span()), layout.box(*head.span()), part.cell)
        if len(whole.glyphs) < nam.LENGTH and len(whole.spans) < _MOST_PARTS:
            yield from _continued(layout, whole)
        if len(whole.glyphs) != nam.LENGTH or not has_digits(whole.glyphs):
            continue
        valid, dated = _read(whole.glyphs)
        # What stands over two rows is mostly two things: chance is let in only with a real birth date.
        if dated:
            text = " ".join(layout.printed[slice(*span)] for span in whole.spans)
            span = Span(*part.spans[0], Box.around(layout.box(*span) for span in whole.spans))
            yield Candidate(span, whole.spans, text, whole.glyphs, len(own) in (2, 4, 6, 8), valid, dated)


def _may_go_on(layout: Layout, part: _Part) -> bool:
    """Whether the next rows have a cell that begins with no more characters than are missing, wherever it stands."""
    missing = nam.LENGTH - len(part.glyphs)
    row = layout.row_at(part.spans[-1][0])
    for below in range(row + 1, min(row + _ROWS_BELOW, len(layout.rows))):
        for start, end in layout.cells(below):
            head = _HEAD.match(layout.plain, start, end)
            if head is not None and len(_SEPARATORS.sub("", head[0])) <= missing:
                return True
    return False


def _below(layout: Layout, part: _Part) -> Iterator[tuple[int, int]]:
    """The cells right below the last part of a number, in its own cell.

    Where a taller row is centred, the other cells' only line stands between the two lines of this one.
    """
    row = layout.row_at(part.spans[-1][0])
    cell = layout.box(*part.cell)
    for below in range(row + 1, min(row + _ROWS_BELOW, len(layout.rows))):
        beneath = False
        for start, end in layout.cells(below):
            box = layout.box(start, end)
            beneath = beneath or (box.x0 < part.box.x1 and box.x1 > part.box.x0)
            if _stand_together(part.box, box, cell):
                yield start, end
        if beneath:
            return


def _stand_together(above: Box, below: Box, cell: Box) -> bool:
    """Whether the second part stands under the first, in the next line of the same cell."""
    close = below.y0 - above.y1 < 1.2 * min(above.height, below.height)
    if not (close and below.x0 < above.x1 and below.x1 > cell.x0):
        return False
    # A longer line begins further to the left where the cell is centred.
    return below.x0 > cell.x0 - above.height or abs(below.middle[0] - cell.middle[0]) < _IN_THE_MIDDLE * above.height


def has_letters(glyphs: str) -> bool:
    """Whether enough of the first four characters are letters as printed."""
    return sum(map(str.isalpha, glyphs[: repair.LETTERS])) >= _FEWEST_LETTERS


def has_digits(glyphs: str) -> bool:
    """Whether enough of the last eight characters are digits as printed."""
    return sum(map(str.isdecimal, glyphs[-8:])) >= _FEWEST_DIGITS


def _evidence(candidate: Candidate, label: str, surroundings: Surroundings) -> _Evidence:
    names = surroundings.names(candidate.span)
    typed = surroundings.layout.page.is_typed
    return _Evidence(
        label,
        names,
        repair.literal(candidate.glyphs),
        candidate.valid or ([] if typed else _named(candidate.glyphs, names)),
        typed=typed,
        born=label in NO_NAM and nam.birth_date(candidate.glyphs.upper()) in surroundings.dates,
    )


def _named(glyphs: str, names: Names) -> list[Reading]:
    """The values that hold with the letters of a name nearby, where one was lost or was read as no letter."""
    agree = sorted(reading for reading in repair.lettered(glyphs) if names.match(reading.value[: repair.LETTERS]))
    return [reading for reading in agree if reading.value[: repair.LETTERS] in names.sure] or agree


def _is_marked(candidate: Candidate) -> bool:
    return candidate.is_spaced and _MARK.match(candidate.text) is not None


def _choose(candidate: Candidate, evidence: _Evidence) -> Reading | None:
    """The reading to show first, or None when the candidate is no NAM."""
    best = _best(evidence)
    value = best.value
    checks, is_marked = nam.check(value), _is_marked(candidate)
    # Not asked of what is sure without it, as most are.
    is_sure = evidence.label == "nam" and all(checks) and not is_marked
    agrees = not is_sure and evidence.names.match(value[:4]) is True
    named = evidence.label == "nam" or agrees
    code = evidence.label == "code" and value[:4] not in evidence.names.sure and not evidence.born
    other = evidence.label in ("decoy", "other") and not evidence.born and not agrees
    # Letters set as a given name are more likely one, and the digits a number of something else.
    is_name = candidate.is_capitalised and (best.substitutions or not all(checks))
    if code or other or is_name or ((candidate.is_spaced or candidate.is_capitalised) and not named):
        return None
    if is_marked and not (all(checks) and agrees):
        return None
    if all(checks):
        # A cut that nobody prints, together with look-alikes, is more likely two fields side by side; and who types
        # knows an O from a zero.
        return best if best.substitutions == 0 or named or (candidate.regular and not evidence.typed) else None
    if evidence.valid and candidate.regular and not checks.format:
        # Look-alikes give it the shape in more than one way (a 1 for I or L): people choose.
        return best
    if not named or evidence.label in NO_NAM or (not candidate.regular and candidate.is_over_cells):
        return None
    # A misread digit can make the date impossible, so a date that one look-alike restores is still worth a look, and so
    # is any number that the page calls a NAM and that begins like the name beside it.
    # Who types makes no digits look alike: without a label it is a staff number that begins like the name.
    vouched = evidence.label == "nam" and agrees
    misread = repair.rank(value) and not (evidence.typed and evidence.label != "nam")
    return best if checks.birth_date or vouched or misread else None


def _best(evidence: _Evidence) -> Reading:
    """The literal reading if it holds; else the only one that does, or the only one that a name nearby confirms."""
    literal = Reading(evidence.literal, 0)
    valid = evidence.valid
    if nam.FORMAT.fullmatch(literal.value):
        # What has the shape as printed may be a misprint and stays as it is. Only a letter among the digits is more
        # likely misread than meant, and not in a text layer, which holds the characters that were typed.
        valid = [reading for reading in valid if literal.value[10].isalpha() and not evidence.typed]
    straight = [reading for reading in evidence.valid if reading.value == literal.value]
    named = [reading for reading in evidence.valid if reading.value[:4] in evidence.names.sure]
    if straight and len(named) == 1:
        return named[0]
    if straight or not valid:
        return straight[0] if straight else literal
    confirmed = [reading for reading in valid if evidence.names.match(reading.value[:4])]
    likely = [] if evidence.typed else _likely(valid, literal.value)
    for choice in (valid, confirmed, likely):
        if len(choice) == 1:
            return choice[0]
    return literal


def _likely(valid: list[Reading], literal: str) -> list[Reading]:
    """Without the readings that have an L where a 1 is read, and an I would do: the check character cannot tell them
    apart, but a capital L is hardly ever read as a 1.
    """
    values = {reading.value for reading in valid}
    ones = [at for at, character in enumerate(literal[: repair.LETTERS]) if character == "1"]

    def may_be_i(value: str) -> bool:
        return any(value[at] == "L" and value[:at] + "I" + value[at + 1 :] in values for at in ones)

    return [reading for reading in valid if not may_be_i(reading.value)]


def _propose(
    layout: Layout, visits: VisitIndex, candidate: Candidate, evidence: _Evidence, chosen: Reading
) -> Proposal:
    checks = Checks(*nam.check(chosen.value), name=evidence.names.match(chosen.value[:4]))
    births = visits.births_near(candidate.span.box)
    day, clock = visits.visit(candidate.span.box)
    words = layout.words_in(candidate.span.start, candidate.span.end)
    return Proposal(
        nam=chosen.value,
        page=layout.page.number,
        box=candidate.span.box,
        text=candidate.text,
        visit_date=day,
        visit_time=clock,
        found_by=("pattern",),
        checks=checks,
        confidence=confidence.score(
            checks,
            reading=min(word.confidence for word in words),
            found_by=("pattern",),
            labelled=evidence.label == "nam",
            birth_date_nearby=nam.birth_date(chosen.value) in births,
            substitutions=chosen.substitutions,
            regular=candidate.regular,
        ),
        repairs=_repairs(evidence, checks, chosen, visits, candidate),
    )


def _repairs(
    evidence: _Evidence, checks: Checks, chosen: Reading, visits: VisitIndex, candidate: Candidate
) -> tuple[Repair, ...]:
    """Why the chosen reading differs from what is printed, and what else may be meant."""
    if checks.valid and checks.name is not False and chosen.substitutions == 0:
        return ()
    if evidence.valid and not candidate.valid:
        return tuple(Repair(reading.value, "name_nearby", repair.NAME_NEARBY) for reading in evidence.valid)
    others = [reading for reading in evidence.valid if reading.substitutions]
    births = visits.births_near(candidate.span.box)
    return repair.rank(chosen.value, valid_readings=others, names=evidence.names.sure, births=births)


_Placed = tuple[tuple[tuple[int, int], ...], Proposal]
"""A proposal with the spans of its characters."""


def _without_overlaps(placed: list[_Placed]) -> list[Proposal]:
    """One proposal for each place: of those that share characters, the one with more evidence."""
    kept: list[_Placed] = []
    for each in sorted(placed, key=lambda each: (not each[1].checks.valid, -each[1].confidence)):
        if not any(_share_a_place(each, other) for other in kept):
            kept.append(each)
    return [each[1] for each in placed if each in kept]


def _share_a_place(one: _Placed, other: _Placed) -> bool:
    shared = one[1].box.overlap(other[1].box)
    if shared:
        enough = _SAME_PLACE if one[1].checks.valid and other[1].checks.valid else _MISREAD_PLACE
        if shared >= enough or one[1].nam == other[1].nam:
            return True
    return any(start < stop and begin < end for start, end in one[0] for begin, stop in other[0])
