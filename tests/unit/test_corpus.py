"""The synthetic corpus: repeatable, true to what it prints, and hard in the ways it says."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from datetime import date
from functools import cache
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pypdfium2
import pytest
from django.core.management import CommandError, call_command

from extraction import nam
from extraction.corpus import people
from extraction.corpus.degrade import DEGRADATIONS, Picture, Scene
from extraction.corpus.documents import CorpusDocument, build, demo_documents
from extraction.corpus.layouts import LAYOUTS
from extraction.corpus.truth import TruthItem
from extraction.corpus.wording import NAM_STYLES, NamStyle
from extraction.management.commands import make_corpus
from extraction.page import Box

BORN_DIGITAL = tuple(LAYOUTS)
WITHOUT_NAMS = ("invoice", "empty", "decoys", "statement", "inventory", "notice", "courier", "remittance")
WITH_NAMS = tuple(layout for layout in LAYOUTS if layout not in WITHOUT_NAMS)
REPEATABLE = (*LAYOUTS, *(f"list-{degradation}" for degradation in DEGRADATIONS))
BETWEEN = re.compile(r"[\s./-]+")
SHAPE = re.compile(r"\b[A-Z]{4}[ ./-]{0,2}[0-9]{4}[ ./-]{0,2}[0-9]{2}[ ./-]{0,2}[0-9A-Z][0-9]\b")
DAY = Scene(date(2025, 10, 3))


def chance(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - repeatable on purpose


def texts(document: CorpusDocument) -> list[str]:
    """The text layer of each page."""
    with pypdfium2.PdfDocument(document.pdf) as pdf:
        return [page.get_textpage().get_text_range() for page in pdf]


def inside(document: CorpusDocument, item: TruthItem) -> str:
    """The text layer within the item's box, a point larger on each side."""
    with pypdfium2.PdfDocument(document.pdf) as pdf:
        page = pdf[item.page - 1]
        width, height = page.get_size()
        box = item.box.grown(1 / width, 1 / height)
        words = page.get_textpage().get_text_bounded(
            box.x0 * width, (1 - box.y1) * height, box.x1 * width, (1 - box.y0) * height
        )
    return str(words)


def image(document: CorpusDocument, page: int = 1) -> np.ndarray:
    """A page drawn in grey, 100 dots an inch."""
    with pypdfium2.PdfDocument(document.pdf) as pdf:
        bitmap = pdf[page - 1].render(scale=100 / 72, grayscale=True)
        return bitmap.to_numpy().reshape(bitmap.height, bitmap.width).copy()


@pytest.mark.parametrize("kind", REPEATABLE)
def test_same_seed_gives_the_same_bytes_and_truth(kind: str) -> None:
    assert build(kind, seed=5, pages=1) == build(kind, seed=5, pages=1)


@pytest.mark.parametrize("kind", WITH_NAMS)
def test_another_seed_gives_other_people(kind: str) -> None:
    one, other = ({item.nam for item in build(kind, seed=seed, pages=2).truth} for seed in (1, 2))
    assert one.isdisjoint(other)


def test_a_longer_document_begins_with_the_same_people() -> None:
    short, long = (build("agenda", seed=3, pages=pages).truth for pages in (1, 3))
    assert long[: len(short)] == short


def test_twenty_agenda_pages_hold_a_hundred_different_nams() -> None:
    assert len({item.nam for item in build("agenda", seed=1, pages=20).truth}) == 100


@pytest.mark.parametrize("layout", ["agenda", "list", "labels"])
def test_the_number_of_nams_on_a_page_can_be_chosen(layout: str) -> None:
    assert Counter(item.page for item in build(layout, seed=1, pages=2, people=11).truth) == {1: 11, 2: 11}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", BORN_DIGITAL)
def test_the_text_layer_holds_every_nam_of_the_truth_in_its_box_and_as_often(kind: str, seed: int) -> None:
    document = build(kind, seed=seed, pages=2)
    pages = [nam.normalise(BETWEEN.sub("", text)) for text in texts(document)]
    for (page, printed), times in Counter((item.page, nam.normalise(item.text)) for item in document.truth).items():
        assert pages[page - 1].count(printed) == times
    for item in document.truth:
        assert nam.normalise(inside(document, item)) == nam.normalise(item.text)


@pytest.mark.parametrize("layout", [layout for layout in WITH_NAMS if layout != "edge"])
def test_what_is_printed_is_the_nam_itself(layout: str) -> None:
    document = build(layout, seed=7, pages=2)
    assert all(nam.normalise(item.text) == item.nam for item in document.truth)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", BORN_DIGITAL)
def test_no_valid_nam_is_printed_but_the_truth_and_specimens(kind: str, seed: int) -> None:
    document = build(kind, seed=seed, pages=2)
    printed = {nam.normalise(match) for text in texts(document) for match in SHAPE.findall(text)}
    known = {item.nam for item in document.truth} | set(document.specimens)
    assert {value for value in printed if all(nam.check(value))} <= known


@pytest.mark.parametrize("layout", WITHOUT_NAMS)
def test_pages_of_decoys_hold_no_nam(layout: str) -> None:
    assert all(build(layout, seed=seed, pages=3).truth == [] for seed in range(3))


def test_a_specimen_is_often_a_valid_number_and_never_truth() -> None:
    documents = [build("decoys", seed=seed, pages=4) for seed in range(3)]
    assert any(document.specimens for document in documents)
    assert all(all(nam.check(value)) for document in documents for value in document.specimens)


@pytest.mark.parametrize("kind", [layout for layout in WITH_NAMS if layout != "edge"])
def test_every_nam_passes_every_check_unless_misprints_are_asked_for(kind: str) -> None:
    assert all(all(nam.check(item.nam)) for item in build(kind, seed=8, pages=3).truth)


def test_misprinted_nams_fail_the_check_character_and_are_the_truth() -> None:
    document = build("agenda", seed=8, pages=10, misprints=0.2)
    wrong = [item for item in document.truth if not all(nam.check(item.nam))]
    assert 2 <= len(wrong) <= 20
    assert all(nam.normalise(inside(document, item)) == item.nam for item in wrong)


def test_a_decoy_has_the_shape_of_a_nam_and_a_wrong_check_character() -> None:
    checks = [nam.check(people.invent_decoy(chance(seed), date(2025, 10, 3))) for seed in range(500)]
    assert set(checks) == {nam.NamChecks(format=True, birth_date=True, check_character=False)}


def test_people_cover_ages_sexes_letters_saints_and_short_surnames() -> None:
    rng, day = chance(1), date(2025, 10, 3)
    crowd = [people.invent_person(rng, day) for _ in range(2_000)]
    ages = [(day - person.birth).days / people.YEAR for person in crowd]
    assert min(ages) < 1
    assert 100 <= max(ages) < 101
    assert {person.female for person in crowd} == {True, False}
    assert 0.05 < sum(person.nam[10].isalpha() for person in crowd) / len(crowd) < 0.25
    assert any(person.nam.startswith("ST") and person.surname.startswith("Saint-") for person in crowd)
    assert any(person.nam[2] == "X" for person in crowd if len(person.surname) == 2)
    assert any("-" in person.surname for person in crowd)


@pytest.mark.parametrize("style", NAM_STYLES)
def test_nams_are_printed_in_every_style(style: NamStyle) -> None:
    shape = re.escape(style.separator).join(rf"\w{{{length}}}" for length in style.groups)
    assert any(re.fullmatch(shape, text) for text in printed_nams())


@cache
def printed_nams() -> set[str]:
    return {item.text for seed in range(60) for item in build("list", seed=seed, pages=1).truth}


@pytest.mark.parametrize("layout", ["agenda", "form", "list", "letter"])
def test_every_visit_has_a_date_and_a_time(layout: str) -> None:
    truth = build(layout, seed=4, pages=3).truth
    assert truth
    assert all(item.date and item.time for item in truth)


def test_labels_say_nothing_of_a_visit() -> None:
    assert {(item.date, item.time) for item in build("labels", seed=4, pages=1).truth} == {(None, None)}


def test_the_agenda_says_its_day_in_french() -> None:
    document = build("agenda", seed=4, pages=2, first_day=date(2025, 10, 3))
    first, second = texts(document)
    assert "Agenda du vendredi 3 octobre 2025" in first
    assert "Agenda du lundi 6 octobre 2025" in second


def test_an_agenda_page_has_about_forty_lines() -> None:
    with pypdfium2.PdfDocument(build("agenda", seed=4, pages=1).pdf) as pdf:
        words = pdf[0].get_textpage()
        middles = sorted((box[1] + box[3]) / 2 for box in map(words.get_rect, range(words.count_rects())))
    lines = 1 + sum(upper - lower > 5 for lower, upper in pairwise(middles))
    assert 38 <= lines <= 46


@pytest.mark.parametrize("degradation", [name for name in DEGRADATIONS if name not in {"badtext", "mixed"}])
def test_a_degraded_document_shows_the_same_people_without_a_text_layer(degradation: str) -> None:
    printed, degraded = build("list", seed=6, pages=2), build(f"list-{degradation}", seed=6, pages=2)
    assert [item._replace(box=None) for item in printed.truth] == [item._replace(box=None) for item in degraded.truth]
    assert "".join(texts(degraded)).strip() == ""


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("box", [Box(0.15, 0.12, 0.4, 0.16), Box(0.6, 0.8, 0.85, 0.83)])
@pytest.mark.parametrize("degradation", DEGRADATIONS)
def test_boxes_follow_the_page_through_a_degradation(degradation: str, box: Box, seed: int) -> None:
    page = np.full((2200, 1700), 255, np.uint8)
    page[int(box.y0 * 2200) : int(box.y1 * 2200), int(box.x0 * 1700) : int(box.x1 * 1700)] = 0
    picture = DEGRADATIONS[degradation](page, np.random.default_rng(seed), DAY)
    told = picture.place(box)
    # White streaks may cut a piece off a patch that little toner was left for.
    least = 0.7 if degradation == "faint" else 0.9
    assert told.overlap(dark_part(picture, told.grown(0.04, 0.03))) > least


def dark_part(picture: Picture, window: Box) -> Box:
    """The box around the largest dark patch of the picture within a window."""
    pixels = picture.pixels if picture.pixels.ndim == 2 else picture.pixels[:, :, 2]
    height, width = pixels.shape
    top, left = int(window.y0 * height), int(window.x0 * width)
    part = cv2.medianBlur(pixels[top : int(window.y1 * height), left : int(window.x1 * width)].copy(), 5)
    _, dark = cv2.threshold(part, 0, 1, cv2.THRESH_BINARY_INV + cv2.THRESH_OTSU)
    _, _, patches, _ = cv2.connectedComponentsWithStats(dark)
    x, y, wide, high, _ = max(patches[1:], key=lambda patch: patch[cv2.CC_STAT_AREA])
    return Box((left + x) / width, (top + y) / height, (left + x + wide) / width, (top + y + high) / height)


def test_a_point_moves_with_the_picture() -> None:
    half_size = np.diag([0.5, 0.5, 1.0])
    picture = Picture(np.zeros((4, 4), np.uint8), half_size, 70)
    assert picture.place(Box(0.2, 0.4, 0.6, 0.8)) == pytest.approx((0.1, 0.2, 0.3, 0.4))


def test_a_fax_is_black_or_white_and_the_others_are_not() -> None:
    page = cv2.resize(image(build("form", seed=1, pages=1)), (1700, 2200))
    levels = {
        name: len(np.unique(degrade(page, np.random.default_rng(1), DAY).pixels))
        for name, degrade in DEGRADATIONS.items()
        if name != "mixed"
    }
    assert levels.pop("fax") <= 3
    assert min(levels.values()) > 100


def test_unknown_kinds_and_empty_documents_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown kind"):
        build("novel", seed=1, pages=1)
    with pytest.raises(ValueError, match="at least one page"):
        build("agenda", seed=1, pages=0)


def test_the_demo_has_an_agenda_a_scan_a_fax_and_an_empty_page() -> None:
    demo = demo_documents()
    assert [(document.kind, len(image_sizes(document))) for _, document in demo] == [
        ("agenda", 3), ("form-scan", 2), ("letter-fax", 1), ("empty", 1),
    ]  # fmt: skip
    assert demo[-1][1].truth == []
    assert all(name.endswith(".pdf") for name, _ in demo)


def image_sizes(document: CorpusDocument) -> list[tuple[float, float]]:
    with pypdfium2.PdfDocument(document.pdf) as pdf:
        return [page.get_size() for page in pdf]


def test_the_command_writes_each_document_beside_its_truth(tmp_path: Path) -> None:
    call_command(
        make_corpus.Command(),
        str(tmp_path),
        "--kind",
        "form",
        "empty",
        "--pages",
        "2",
        "--documents",
        "2",
        "--seed",
        "9",
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "empty-10.json", "empty-10.pdf", "empty-9.json", "empty-9.pdf",
        "form-10.json", "form-10.pdf", "form-9.json", "form-9.pdf",
    ]  # fmt: skip
    truth = json.loads((tmp_path / "form-9.json").read_text(encoding="utf-8"))
    assert [set(item) for item in truth] == [{"nam", "page", "date", "time", "box", "text"}] * 2
    assert [item["page"] for item in truth] == [1, 2]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d", f"{truth[0]['date']} {truth[0]['time']}")
    assert json.loads((tmp_path / "empty-9.json").read_text(encoding="utf-8")) == []


def test_the_command_refuses_documents_without_pages(tmp_path: Path) -> None:
    with pytest.raises(CommandError):
        call_command(make_corpus.Command(), str(tmp_path), "--pages", "0")
