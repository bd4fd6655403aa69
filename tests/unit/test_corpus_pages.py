"""Single layouts, hands, wear and text layers keep their promises."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from datetime import date
from io import BytesIO
from pathlib import Path

import numpy as np
import pypdfium2
import pytest
from django.core.management import call_command
from reportlab.pdfgen.canvas import Canvas

from extraction import nam
from extraction.corpus.degrade import DEGRADATIONS, Picture, Scene
from extraction.corpus.documents import CorpusDocument, build
from extraction.corpus.faces import HANDS, register_fonts
from extraction.corpus.hand import Hand, invent_hand, width_of, write
from extraction.corpus.layouts import LAYOUTS
from extraction.corpus.wording import BIRTH, CARD, NamStyle, cut, printed_nam
from extraction.management.commands import make_corpus
from extraction.page import Box

BOX = Box(0.3, 0.4, 0.5, 0.43)


def text(document: CorpusDocument, page: int = 1) -> str:
    with pypdfium2.PdfDocument(document.pdf) as pdf:
        return str(pdf[page - 1].get_textpage().get_text_range())


def picture(degradation: str, page: np.ndarray, *, seed: int = 1, nams: tuple[Box, ...] = ()) -> Picture:
    return DEGRADATIONS[degradation](page, np.random.default_rng(seed), Scene(date(2025, 10, 3), nams))


def blank() -> np.ndarray:
    return np.full((2200, 1700), 255, np.uint8)


def test_a_nam_is_cut_and_joined_as_its_style_says() -> None:
    assert cut("TREM04121925", BIRTH) == ["TREM", "041219", "25"]
    assert printed_nam("TREM04121925", NamStyle(CARD, ".")) == "TREM.0412.1925"


@pytest.mark.parametrize("layout", ["table", "boxes", "vaccines"])
def test_some_pages_print_a_nam_over_several_cells(layout: str) -> None:
    groups = {
        len(re.split(r"\s", item.text.strip()))
        for seed in range(12)
        for item in build(layout, seed=seed, pages=1).truth
    }
    assert max(groups) >= 3


def test_some_tables_break_a_nam_over_lines() -> None:
    documents = [build("table", seed=seed, pages=1) for seed in range(12)]
    assert any("\n" in item.text for document in documents for item in document.truth)


def test_a_newborn_page_holds_the_number_of_the_mother_who_is_old_enough() -> None:
    for seed in range(5):
        for item in build("newborn", seed=seed, pages=2).truth:
            birth = nam.birth_date(item.nam)
            assert item.nam[6] in "56"
            assert birth is not None
            assert item.date is not None
            assert 17 <= item.date.year - birth.year <= 45


def test_repeated_pages_print_every_nam_twice_with_one_visit() -> None:
    truth = build("repeated", seed=2, pages=1).truth
    assert set(Counter((item.nam, item.date, item.time) for item in truth).values()) == {2}
    assert len({item.text for item in truth}) == len(truth)


def test_a_face_sheet_has_two_people_on_a_line() -> None:
    rows = Counter(round(item.box.y1, 3) for item in build("facesheet", seed=2, pages=1).truth)
    assert set(rows.values()) == {2}


def test_columns_stand_side_by_side() -> None:
    lefts = [item.box.x0 for item in build("columns", seed=2, pages=1).truth]
    assert min(lefts) < 0.3
    assert max(lefts) > 0.5


@pytest.mark.parametrize("layout", ["columns", "bilingual", "facesheet", "pharmacy", "homecare"])
def test_some_visits_have_no_time(layout: str) -> None:
    times = {item.time is None for seed in range(12) for item in build(layout, seed=seed, pages=1).truth}
    assert times == {True, False}


def test_some_visits_have_no_date() -> None:
    dates = {item.date is None for seed in range(8) for item in build("columns", seed=seed, pages=1).truth}
    assert dates == {True, False}


@pytest.mark.parametrize("layout", [layout for layout in LAYOUTS if layout not in {"labels", "vaccines"}])
def test_nobody_is_seen_before_birth(layout: str) -> None:
    for seed in range(3):
        for item in build(layout, seed=seed, pages=2).truth:
            birth = nam.birth_date(item.nam)
            assert birth is None or item.date is None or birth <= item.date


def test_a_bilingual_page_says_its_dates_and_labels_in_two_languages() -> None:
    words = " ".join(text(build("bilingual", seed=seed, pages=1)) for seed in range(6))
    assert re.search(r"(October|November|December|September) \d", words)
    assert re.search(r"\d [AP]M|[ap]\.m\.", words)
    assert "Raison" in words


def hand(**changes: float) -> Hand:
    values = {"slant": 0.1, "rise": 0.0, "size": 1.0, "pen": 0.2, "ink": 0.0, "unrest": 1.0} | changes
    return Hand(font=HANDS[0], **values)


def written(by: Hand, words: str = "TREM 0412 1925") -> tuple[np.ndarray, tuple[float, float, float, float]]:
    """A sheet of 400 x 100 points that says one thing, four pixels a point, and the box that was told for it."""
    register_fonts()
    file = BytesIO()
    canvas = Canvas(file, pagesize=(400, 100))
    box = write(canvas, by, random.Random(4), words, x=40, y=40, size=20)  # noqa: S311 - repeatable on purpose
    canvas.save()
    with pypdfium2.PdfDocument(file.getvalue()) as pdf:
        bitmap = pdf[0].render(scale=4, grayscale=True)
        return bitmap.to_numpy().reshape(bitmap.height, bitmap.width).copy(), box


@pytest.mark.parametrize("slant", [-0.1, 0.0, 0.2])
def test_the_box_of_handwriting_holds_its_ink(slant: float) -> None:
    pixels, (left, bottom, right, top) = written(hand(slant=slant))
    rows, columns = (pixel / 4 for pixel in np.nonzero(pixels < 128))
    assert left - 2 <= columns.min() <= left + 6
    assert right - 8 <= columns.max() <= right + 2
    assert 100 - top - 2 <= rows.min()
    assert rows.max() <= 100 - bottom + 2


def test_a_thicker_pen_leaves_more_ink() -> None:
    thin, middling, thick = (int((written(hand(pen=pen))[0] < 128).sum()) for pen in (0.0, 0.4, 1.0))
    assert 1.5 * thin < 1.2 * middling < thick


def test_handwriting_does_not_thicken_what_is_printed_after_it() -> None:
    register_fonts()
    file = BytesIO()
    canvas = Canvas(file, pageCompression=0)
    write(canvas, hand(), random.Random(1), "a", x=10, y=10, size=10)  # noqa: S311 - repeatable on purpose
    canvas.drawString(10, 50, "printed")
    canvas.save()
    after = file.getvalue().split(b"2 Tr")[-1]
    assert b"\nQ\n" in after[: after.index(b"printed")]


@pytest.mark.parametrize("font", HANDS)
def test_thin_digits_keep_their_distance(font: str) -> None:
    writer = invent_hand(random.Random(2), [font])  # noqa: S311 - repeatable on purpose
    assert width_of(writer, "1111111111", 10) > 25


@pytest.mark.parametrize("layout", ["handwritten", "register", "intake", "homecare"])
def test_no_two_characters_of_a_hand_stand_the_same(layout: str) -> None:
    document = build(layout, seed=3, pages=1)
    heights = {round(item.box.height, 4) for item in document.truth}
    assert len(heights) > 1


@pytest.mark.parametrize("seed", range(4))
def test_a_turned_page_is_turned_by_quarters(seed: int) -> None:
    page = blank()
    page[100:140, 200:1500] = 0
    turned = picture("turned", page, seed=seed)
    box = turned.place(Box(200 / 1700, 100 / 2200, 1500 / 1700, 140 / 2200))
    sideways = turned.size[0] > turned.size[1]
    assert (
        turned.pixels.shape[0] < turned.pixels.shape[1] if sideways else turned.pixels.shape[0] > turned.pixels.shape[1]
    )
    assert box.y0 > 0.8 or sideways
    assert (box.height > box.width) == sideways


def test_little_toner_leaves_grey_print() -> None:
    page = blank()
    page[400:1800, 300:1400] = 0
    assert 100 < float(np.median(picture("faint", page).pixels[600:1600, 500:1200])) < 220


def test_a_stamp_lies_over_a_number_and_leaves_its_ink_darker() -> None:
    page = blank()
    plain, stamped = (picture(name, page, nams=(BOX,)).pixels.astype(int) for name in ("scan", "stamp"))
    window = slice(int(0.38 * 2200), int(0.45 * 2200)), slice(int(0.25 * 1700), int(0.55 * 1700))
    assert (stamped[window] < 170).sum() > 200
    assert (plain[window] < 170).sum() < 10


def test_copies_of_copies_move_the_page_and_the_truth_with_it() -> None:
    moves = [picture("copies", blank(), seed=seed).place(BOX) for seed in range(3)]
    assert len(set(moves)) == 3
    assert all(box.overlap(BOX.grown(0.05, 0.05)) > 0 for box in moves)


@pytest.mark.parametrize("seed", range(6))
def test_a_bad_text_layer_has_words_and_hardly_a_nam(seed: int) -> None:
    document = build("list-badtext", seed=seed, pages=1)
    words = text(document)
    assert len(words) > 500
    plain = nam.normalise(words)
    assert sum(item.nam in plain for item in document.truth) < 0.4 * len(document.truth)


def test_bad_text_layers_are_not_all_bad_in_the_same_way() -> None:
    shares = {
        round(sum(c.isdigit() for c in text(build("list-badtext", seed=seed, pages=1))) / 1000, 1) for seed in range(8)
    }
    assert len(shares) >= 2


def test_a_mixed_document_has_pages_of_different_machines() -> None:
    with pypdfium2.PdfDocument(build("list-mixed", seed=1, pages=8).pdf) as pdf:
        sizes = {pdf.get_page_size(number) for number in range(len(pdf))}
    assert len(sizes) >= 2


def test_the_command_writes_until_there_are_enough_nams(tmp_path: Path) -> None:
    call_command(make_corpus.Command(), str(tmp_path), "--kind", "agenda", "empty", "--nams", "12", "--seed", "5")
    truth = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in tmp_path.glob("*.json")}
    assert {name: len(items) for name, items in truth.items()} == {
        "agenda-5": 5, "agenda-6": 5, "agenda-7": 5, "empty-5": 0,
    }  # fmt: skip


def test_a_group_is_written_in_turn_with_a_seed_for_every_document(tmp_path: Path) -> None:
    call_command(make_corpus.Command(), str(tmp_path), "--group", "born-digital", "--split", "held-out", "--nams", "80")
    names = sorted(path.stem for path in tmp_path.glob("*.pdf"))
    assert {name.partition("-")[0] for name in names} == {
        "daysheet", "physio", "triage", "vaccines", "pharmacy", "discharge",
    }  # fmt: skip
    seeds = [int(name.rpartition("-")[2]) for name in names]
    assert len(set(seeds)) == len(seeds) == 7
    assert min(seeds) == 1_002_026
