"""One list of proposals from what the pattern finder and the model say about the same page. Pure.

Nothing that was seen disappears without a trace: where the two read the same place differently, the reading with more
checks is shown and the other becomes a repair. Only what the model says without any support from the page is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import time
from typing import TypeVar

from extraction import nam
from extraction.finders import confidence
from extraction.finders.context import Span, Surroundings
from extraction.finders.proposal import Checks, Proposal, Repair
from extraction.finders.repair import MOST, are_letters_cut
from extraction.layout import Layout
from extraction.page import Box, Page
from extraction.visits.moments import times_in

FINDERS = ("pattern", "model")
OTHER_FINDER = "other_finder"
"""The reason of a repair that is the other finder's reading of the same place."""
_BETWEEN = re.compile(r"[^0-9A-Za-z]+")
_SAME_PLACE = 0.3
_OTHER_SCORE = 0.6
_FAILED_OTHER_SCORE = 0.2


def reconcile(page: Page, pattern: list[Proposal], model: list[Proposal] | None) -> list[Proposal]:
    """One proposal for each place, in reading order. `model` is None when no model read the page.

    Same place and value: found by both. Same place, other value: the one with more checks, the other as its repair.
    Only the model: kept if it passes its checks, or as a hint if the page calls it a NAM.
    """
    merged = _merge_all(pattern)
    if model:
        supported = _supported(page, model, merged)
        merged = _merge_all([*merged, *supported])
    return _in_reading_order(page, merged)


def _merge_all(proposals: Iterable[Proposal]) -> list[Proposal]:
    """The proposals with those of one place merged into one."""
    merged: list[Proposal] = []
    for proposal in proposals:
        at = next((i for i, other in enumerate(merged) if _same_place(proposal.box, other.box)), None)
        if at is None:
            merged.append(proposal)
        else:
            merged[at] = _merge(merged[at], proposal)
    return merged


def _same_place(one: Box, other: Box) -> bool:
    """Whether two boxes go around the same printed characters: they overlap well, or one holds the other's middle.

    A middle counts both ways round only for boxes of about one line, so that a box around a whole row takes nothing in.
    """
    if one.overlap(other) >= _SAME_PLACE:
        return True
    small, large = sorted((one, other), key=lambda box: box.width * box.height)
    return large.holds(small) and large.width <= 3 * small.width and large.height <= 3 * small.height


def _merge(one: Proposal, other: Proposal) -> Proposal:
    """Two proposals of one place as one. The pattern finder's box, text, date and time go first: it only copies."""
    first, second = (one, other) if "pattern" in one.found_by or "pattern" not in other.found_by else (other, one)
    if first.nam == second.nam:
        return _agreed(first, second)
    winner, loser = (second, first) if _weight(second.checks) > _weight(first.checks) else (first, second)
    score = _OTHER_SCORE if loser.checks.valid else _FAILED_OTHER_SCORE
    # The repairs of the reading that lost would repair what is not shown; the reading itself always stays in sight.
    own = [repair for repair in winner.repairs if repair.nam != loser.nam][: MOST - 1]
    repairs = _best_repairs((*own, Repair(loser.nam, OTHER_FINDER, score)))
    return replace(
        winner,
        visit_date=winner.visit_date or first.visit_date or second.visit_date,
        visit_time=_known(winner.visit_time, first.visit_time, second.visit_time),
        repairs=repairs,
    )


def _agreed(first: Proposal, second: Proposal) -> Proposal:
    found_by = tuple(finder for finder in FINDERS if finder in {*first.found_by, *second.found_by})
    both = len(found_by) > max(len(first.found_by), len(second.found_by))
    return replace(
        first,
        visit_date=first.visit_date or second.visit_date,
        visit_time=_known(first.visit_time, second.visit_time),
        found_by=found_by,
        checks=first.checks._replace(name=_known(first.checks.name, second.checks.name)),
        confidence=_sure(first, second) if both else max(first.confidence, second.confidence),
        repairs=_best_repairs((*first.repairs, *second.repairs)),
    )


def _sure(first: Proposal, second: Proposal) -> float:
    """How sure both together are. The model reads the same words: of a misread number it cannot say how to read it.

    Misread is what needed look-alikes, or still fails a check.
    """
    if first.checks.valid and confidence.is_as_printed(first.confidence):
        return confidence.together(first.confidence, second.confidence)
    return first.confidence


Known = TypeVar("Known")


def _known(*values: Known | None) -> Known | None:
    """The first value that is known. Midnight and False are known."""
    return next((value for value in values if value is not None), None)


def _weight(checks: Checks) -> tuple[int, bool]:
    """How much speaks for a value: the checks that hold, then a name that matches."""
    return sum((checks.format, checks.birth_date, checks.check_character)), checks.name is True


def _best_repairs(repairs: Iterable[Repair]) -> tuple[Repair, ...]:
    """The best repair for each value, at most MOST of them, best first."""
    best: dict[str, Repair] = {}
    for repair in repairs:
        if repair.nam not in best or best[repair.nam].score < repair.score:
            best[repair.nam] = repair
    return tuple(sorted(best.values(), key=lambda repair: (-repair.score, repair.nam))[:MOST])


def _supported(page: Page, model: list[Proposal], known: list[Proposal]) -> list[Proposal]:
    """The model's proposals that the page supports: checked, called a NAM, or at a place that the pattern saw too.

    Of a place that both saw, the model may add the time that the number's row begins with. Where the pattern finder
    knows no date or time, the page mostly has none for that number, and the model says its neighbour's.
    """
    layout = Layout.of(page)
    places = {proposal.box: Span.inside(layout, proposal.box) for proposal in (*known, *model)}
    surroundings = Surroundings.of(layout, sorted(set(places.values())))
    supported = []
    for proposal in model:
        span = places[proposal.box]
        if any(_same_place(proposal.box, other.box) for other in known):
            own = proposal.visit_time if proposal.visit_time == _time_of_line(layout, places, proposal.box) else None
            supported.append(replace(proposal, visit_date=None, visit_time=own))
        elif not surroundings.is_specimen(span) and _stands(proposal, label := surroundings.label(span)):
            sure = proposal.confidence if _is_sound(proposal, label) else confidence.doubted(proposal.confidence)
            supported.append(replace(proposal, confidence=sure))
    return supported


def _time_of_line(layout: Layout, places: dict[Box, Span], box: Box) -> time | None:
    """The time of day that a number's row begins with, as the lines of an agenda do; None beside another number."""
    at = layout.row_at(places[box].start)
    if any(layout.row_at(span.start) == at and not _same_place(box, other) for other, span in places.items()):
        return None
    row = layout.rows[at]
    first = next(iter(times_in(layout.folded[row.start : row.end])), None)
    return None if first is None or first.start else first.value


def _stands(proposal: Proposal, label: str) -> bool:
    if label in ("decoy", "code"):
        return proposal.checks.name is True
    return proposal.checks.valid or (label == "nam" and len(nam.normalise(proposal.nam)) == nam.LENGTH)


def _is_sound(proposal: Proposal, label: str) -> bool:
    """Whether what only the model sees is more than a hint: all checks hold, and nothing but a name or label outweighs
    a caption of something else or letters that a gap cuts."""
    is_named = label == "nam" or proposal.checks.name is True
    is_cut = are_letters_cut(map(len, _BETWEEN.split(proposal.text)))
    return proposal.checks.valid and (is_named or not (label == "other" or is_cut))


def _in_reading_order(page: Page, proposals: list[Proposal]) -> list[Proposal]:
    """Top to bottom by row, each row left to right; a slight slant of a scan does not mix them up."""
    if len(proposals) < 2:  # noqa: PLR2004 - nothing to order
        return proposals
    layout = Layout.of(page)
    if not layout.rows:
        return sorted(proposals, key=lambda p: (p.box.y0, p.box.x0))
    return sorted(proposals, key=lambda p: (layout.rows_near(p.box), p.box.x0, p.box.y0))
