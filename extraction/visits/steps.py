"""The hour that a visit began with, where a page tells those of its steps: "Arrivée 8 h 05, triage 8 h 20". Pure.

What a time is called stands right before it, or at the head of its column. An appointment is no step: it is when the
visit was to be, and stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from extraction.layout import Layout, plain
from extraction.visits.moments import TimeMatch

_ARRIVAL = re.compile(
    r"(?=[a-z])\b(?:arriv|arr\b|inscri|enregistr|accueil|admi[st]|entrees?\b|presente|regist(?:ered|ration)\b"
    r"|check(?:ed)?[ -]?in)"
)
_STEP = re.compile(
    r"\b(?:tri(?:aged?|ee?s?)\b|pris[es]?[ ]en[ ]charge|medecins?\b|infirm|evalua|reevalu|soins?\b|prelev|radio|ecg\b"
    r"|vue?s?\b|conge|depart|sortie|seen\b|physician|nurse|x-?ray|reassess|blood|discharge|left\b|bed\b|lit\b|salle\b)"
)
_APPOINTMENT = re.compile(
    r"\b(?:rendez-?[ ]?vous|rdv\b|rv\b|visites?\b|consult|appoint|schedul|prevue?s?\b|seances?\b)"
)
_BEGINNING = re.compile(
    r"\b(?:debut[a-z]*|start[a-z]*)[ ](?:de[ ]|of[ ])?(?:la[ ]|l'|the[ ])?(?:visit|consult)|\bvue?s?[ ]a\b"
    r"|\bvue?s?[ ]par\b(?![ ](?:l'|une?[ ])?inf)|\b(?:consultation|heures?[ ]du)[ ](?:md|medec|medic)"
    r"|medecin[ ]?:?[ \t]?\Z"
    r"|\bseen\b|\bphysician\b"
)
"""What says that the visit itself began then: when a physician saw the person."""
_NAME = re.compile("|".join(each.pattern for each in (_ARRIVAL, _STEP, _APPOINTMENT, _BEGINNING)))
_DATE_BEFORE = re.compile(r"(?<![0-9])(?:[0-9]{4}([-/.])[0-9]{2}\1[0-9]{2}|[0-9]{2}([-/.])[0-9]{2}\2[0-9]{4})[ t]\Z")
_LONGEST_DATE = 12
_HIGHEST_HEAD = 40
"""A column's head stands within so many rows above its cells."""
_EDGE = 0.02
"""What stands in a column begins at most so far left of it, in parts of the page's width."""
_LONGEST_HEAD = 60
"""Characters of the heads of narrow columns that are read as one cell: more are a sentence."""
_LONGEST_NAME = 40
"""Characters: more before a time are a sentence about something else."""


class Steps(NamedTuple):
    """The offsets of the times that tell an arrival among other hours, and of those that tell another step.

    The other ones come later, save where a row says itself when the visit began: there the arrival is one of them.
    """

    first: frozenset[int] = frozenset()
    later: frozenset[int] = frozenset()

    @classmethod
    def of(cls, layout: Layout, times: Sequence[TimeMatch]) -> Steps:
        """Those of a page's `times`, which are all of it in reading order. None where no row tells an arrival.

        In a row without an arrival, what is called a later step is one all the same.
        """
        if not _ARRIVAL.search(layout.folded):
            return cls()
        rows: dict[int, list[TimeMatch]] = {}
        for match in times:
            rows.setdefault(layout.row_at(match.start), []).append(match)
        several = {row: _named(layout, row, here) for row, here in rows.items() if len(here) > 1}
        if not any(map(_begins, several.values())):
            return cls()
        named = [several.get(row) or _named(layout, row, here) for row, here in rows.items()]
        return cls(
            frozenset(step.start for steps in named if _begins(steps) for step in steps if _ARRIVAL.search(step.name)),
            frozenset(step.start for steps in named for step in _later(steps)),
        )


class _Step(NamedTuple):
    start: int
    name: str


def _begins(steps: Sequence[_Step]) -> bool:
    """Whether a row tells an arrival among other hours."""
    return len(steps) > 1 and any(_ARRIVAL.search(step.name) for step in steps)


def _later(steps: Sequence[_Step]) -> Iterable[_Step]:
    if any(_BEGINNING.search(step.name) for step in steps):
        # Then the arrival came before it, and is a step as well.
        return [step for step in steps if not (_BEGINNING.search(step.name) or _APPOINTMENT.search(step.name))]
    other = [step for step in steps if not (_ARRIVAL.search(step.name) or _APPOINTMENT.search(step.name))]
    return other if _begins(steps) else (step for step in other if _STEP.search(step.name))


def _named(layout: Layout, row: int, times: Sequence[TimeMatch]) -> list[_Step]:
    """The times of a row with what each is called, in lower case."""
    starts = [_start(layout, row, match) for match in times]
    ends = [layout.rows[row].start, *(match.end for match in times)]
    before = [layout.folded[end:start].split("\t") for end, start in zip(ends, starts, strict=False)]
    own = [cells[-1] if any(map(str.isalpha, cells[-1])) else "" for cells in before]
    # Narrow columns are read as one cell: what stands before a time need not be its name.
    says = [_NAME.search(name) is not None for name in own]
    heads = [""] * len(times) if all(says) else _heads(layout, row, starts)
    beside = [cells[-2] if len(cells) > 1 else "" for cells in before]
    names = (
        name if known else head or name or cell
        for name, known, head, cell in zip(own, says, heads, beside, strict=True)
    )
    return [_Step(match.start, name[-_LONGEST_NAME:]) for match, name in zip(times, names, strict=True)]


def _heads(layout: Layout, row: int, starts: Sequence[int]) -> list[str]:
    """What stands at the head of the column of each time: in the nearest row above that holds no number there, and in
    the row right over that one, where the head has two lines.
    """
    edges = [layout.left(start) - _EDGE for start in starts]
    for above in range(row - 1, max(-1, row - _HIGHEST_HEAD), -1):
        own = _head_at(layout, above, edges)
        if any(own):
            rows = layout.rows
            close = above and rows[above].top - rows[above - 1].bottom < rows[above].bottom - rows[above].top
            first = _head_at(layout, above - 1, edges) if close else [""] * len(edges)
            return [" ".join(filter(None, lines)) for lines in zip(first, own, strict=True)]
    return [""] * len(starts)


def _head_at(layout: Layout, row: int, edges: Sequence[float]) -> list[str]:
    """The words of a row from each of the `edges` to the next; none of them where a figure is among them."""
    words = [word for word in layout.words_in(*layout.rows[row][:2]) if word.box.x0 >= edges[0]]
    text = "".join(word.text for word in words)
    if any(map(str.isdigit, text)) or not any(map(str.isalpha, text)):
        return [""] * len(edges)
    cells = [cell for cell in layout.cells(row) if layout.box(*cell).x1 > edges[0]]
    if len(cells) == 1 and cells[0][1] - cells[0][0] > _LONGEST_HEAD:
        return [""] * len(edges)  # Running text.
    if len(cells) == len(edges):
        return [layout.folded[slice(*cell)] for cell in cells]  # A head is wider than its times, or set in the middle.
    columns = zip(edges, [*edges[1:], 2.0], strict=True)
    own = (" ".join(word.text for word in words if low <= word.box.x0 < high) for low, high in columns)
    return [plain(each).lower() for each in own]


def _start(layout: Layout, row: int, match: TimeMatch) -> int:
    """Where what a time belongs to begins: its date, if that stands right before it."""
    date = _DATE_BEFORE.search(layout.folded, max(layout.rows[row].start, match.start - _LONGEST_DATE), match.start)
    return date.start() if date else match.start
