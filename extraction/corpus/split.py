"""Which documents are for development and which are held out. Pure.

Whoever tunes a finder, a reader or a threshold looks at documents of development only: a development layout with a
seed below `HELD_OUT_SEED`. Everything else is held out: layouts that were written apart, with fonts, hands, names and
wording of their own, and every document whose seed is `HELD_OUT_SEED` or more. Figures that are published come from
held-out layouts with held-out seeds.
"""

from __future__ import annotations

from typing import Literal

from extraction.corpus.layouts import HELD_OUT, LAYOUTS

Split = Literal["development", "held-out"]
SPLITS: tuple[Split, ...] = ("development", "held-out")

HELD_OUT_SEED = 1_000_000
"""The first held-out seed."""


def layout_of(kind: str) -> str:
    """The layout of a kind: "list" of "list-fax". Raises ValueError if there is no such layout."""
    layout = kind.partition("-")[0]
    if layout not in LAYOUTS:
        raise ValueError("unknown kind of document")
    return layout


def is_held_out(kind: str, seed: int) -> bool:
    """Whether the document of this kind and seed must not be looked at while anything is tuned."""
    return layout_of(kind) in HELD_OUT or seed >= HELD_OUT_SEED


def split_of(kind: str, seed: int) -> Split:
    """The split of a document, for reports."""
    return "held-out" if is_held_out(kind, seed) else "development"


def first_seed(split: Split) -> int:
    """The seed that numbering starts from where nobody asks for another one."""
    return 2026 + (HELD_OUT_SEED if split == "held-out" else 0)


def in_split(kind: str, split: Split) -> bool:
    """Whether a kind's layout belongs to the split."""
    return (layout_of(kind) in HELD_OUT) == (split == "held-out")
