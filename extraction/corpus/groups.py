"""The kinds that are measured together: one group for every bar that a report states a figure for. Pure."""

from __future__ import annotations

from extraction.corpus.degrade import DEGRADATIONS
from extraction.corpus.layouts import LAYOUTS
from extraction.corpus.split import Split, in_split

WITHOUT_NAMS = ("invoice", "decoys", "empty", "statement", "inventory", "notice", "courier", "remittance")
"""Layouts that never hold a NAM."""
BY_HAND = ("handwritten", "register", "chits", "intake", "homecare")
"""Printed layouts whose values are written by hand."""
CONTRIVED = ("edge",)
"""A layout that gathers what is hard: it is measured by itself."""

BORN_DIGITAL, HANDWRITTEN, NONE = "born-digital", "handwritten", "none"
GROUPS = (BORN_DIGITAL, *DEGRADATIONS, HANDWRITTEN, NONE)


def kinds_in(group: str, split: Split) -> tuple[str, ...]:
    """The kinds of a group: every printed layout of the split as the group has it.

    `handwritten` is the layouts filled in by hand, scanned; `none` is those without a NAM, printed, scanned and copied.
    Raises ValueError if there is no such group.
    """
    if group not in GROUPS:
        raise ValueError("unknown group of kinds")
    layouts = [layout for layout in LAYOUTS if in_split(layout, split)]
    if group == HANDWRITTEN:
        return tuple(f"{layout}-scan" for layout in layouts if layout in BY_HAND)
    if group == NONE:
        bare = [layout for layout in layouts if layout in WITHOUT_NAMS]
        return tuple(layout + end for layout in bare for end in ("", "-scan", "-photocopy"))
    printed = [layout for layout in layouts if layout not in (*WITHOUT_NAMS, *BY_HAND, *CONTRIVED)]
    return tuple(printed if group == BORN_DIGITAL else (f"{layout}-{group}" for layout in printed))
