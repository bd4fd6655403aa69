"""What is held out stays apart: seeds, layouts, fonts, hands, names; and groups hold what their name says."""

from __future__ import annotations

from dataclasses import astuple
from io import BytesIO

import pikepdf
import pytest

from extraction.corpus.documents import KINDS, build
from extraction.corpus.faces import FACES, FOLDER, HANDS, HELD_OUT_FACES, HELD_OUT_HANDS, reach
from extraction.corpus.groups import GROUPS, WITHOUT_NAMS, kinds_in
from extraction.corpus.layouts import DEVELOPMENT, HELD_OUT, LAYOUTS
from extraction.corpus.people import HELD_OUT_NAMES, NAMES
from extraction.corpus.split import HELD_OUT_SEED, SPLITS, Split, first_seed, in_split, is_held_out, split_of

UNUSED = {"Helvetica"}
"""Named by reportlab in every document, whether it prints with it or not."""


def fonts(layout: str) -> set[str]:
    """The fonts of a few documents, as their PDFs name them."""
    names = set()
    for seed in range(4):
        with pikepdf.open(BytesIO(build(layout, seed=seed, pages=1).pdf)) as pdf:
            for thing in pdf.objects:
                if isinstance(thing, pikepdf.Dictionary) and thing.get("/Type") == "/Font":
                    names.add(str(thing["/BaseFont"]).lstrip("/").split("+")[-1])
    return names - UNUSED


def test_there_are_enough_layouts_of_each_split() -> None:
    assert len(DEVELOPMENT) >= 12
    assert len(HELD_OUT) >= 5
    assert DEVELOPMENT.keys().isdisjoint(HELD_OUT)
    assert len(HANDS) >= 5
    assert len(HELD_OUT_HANDS) >= 4


def test_no_font_of_a_held_out_document_is_used_in_development() -> None:
    development = set().union(*map(fonts, DEVELOPMENT))
    assert all(fonts(layout).isdisjoint(development) for layout in HELD_OUT)


def test_faces_and_hands_of_the_splits_are_different() -> None:
    assert not {*HANDS} & {*HELD_OUT_HANDS}
    assert not {font for face in FACES for font in face} & {font for face in HELD_OUT_FACES for font in face}


def test_names_of_the_splits_are_different() -> None:
    for ours, theirs in zip(astuple(NAMES), astuple(HELD_OUT_NAMES), strict=True):
        assert not {*ours} & {*theirs}


@pytest.mark.parametrize(
    ("kind", "seed", "held_out"),
    [
        ("agenda", 0, False),
        ("agenda-fax", HELD_OUT_SEED - 1, False),
        ("agenda-fax", HELD_OUT_SEED, True),
        ("triage", 0, True),
        ("triage-scan", HELD_OUT_SEED, True),
    ],
)
def test_a_document_is_held_out_by_its_layout_or_its_seed(kind: str, seed: int, *, held_out: bool) -> None:
    assert is_held_out(kind, seed) is held_out
    assert split_of(kind, seed) == ("held-out" if held_out else "development")


def test_every_kind_is_in_one_split_and_its_first_seed_with_it() -> None:
    for kind in KINDS:
        (split,) = [split for split in SPLITS if in_split(kind, split)]
        assert split_of(kind, first_seed(split)) == split


def test_an_unknown_kind_has_no_split() -> None:
    with pytest.raises(ValueError, match="unknown kind"):
        is_held_out("novel", 1)


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("group", GROUPS)
def test_a_group_holds_kinds_of_one_split_with_nams_or_without(group: str, split: Split) -> None:
    kinds = kinds_in(group, split)
    assert kinds
    assert all(kind in KINDS and in_split(kind, split) for kind in kinds)
    assert {kind.partition("-")[0] in WITHOUT_NAMS for kind in kinds} == {group == "none"}


def test_an_unknown_group_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown group"):
        kinds_in("blurred", "held-out")


def test_every_layout_is_in_a_group_of_its_split_but_the_golden_one() -> None:
    grouped = {kind.partition("-")[0] for split in SPLITS for group in GROUPS for kind in kinds_in(group, split)}
    assert LAYOUTS.keys() - grouped == {"edge"}


@pytest.mark.parametrize("font", sorted(path.stem for path in FOLDER.glob("*.ttf")))
def test_every_font_is_small_licensed_and_written_from_its_baseline(font: str) -> None:
    assert (FOLDER / f"{font}.ttf").stat().st_size <= 100_000
    assert (FOLDER / "licences" / f"{font.removesuffix('-bold')}.txt").read_text(encoding="utf-8")
    assert 0.3 < reach(font).above < 1.2
    assert reach(font).below < 0.5


def test_the_fonts_together_are_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.glob("*.ttf")) <= 1_000_000
