"""The local OCR engine on synthetic scans: what it reads, where, whatever way up, and without a network."""

from __future__ import annotations

import hashlib
import io
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from reportlab.lib.pagesizes import letter
from reportlab.pdfgen import canvas

from extraction.errors import UnreadablePage
from extraction.page import Page
from extraction.readers import local
from extraction.readers.pdf import open_pdf

Pixels = NDArray[np.uint8]

ROWS = [
    ("08:00", "BÉLANGER-CÔTÉ Françoise", "BELF 8556 2314"),
    ("08:20", "LÉVESQUE Noël", "LEVN 7711 1155"),
    ("08:40", "OUELLET Marie-Ève", "OUEM 0062 0009"),
    ("09:00", "GAGNON Zoé", "GAGZ 9954 3030"),
    ("09:20", "LACHANCE-HÉBERT Gaël", "LACG 5512 2233"),
]

NOTE = "Vue le 12 mars, TREL 5311 0427"


def drawn(*, sink: float = 0.0, margin: float = 0.0) -> bytes:
    """The rows, sunk by degrees; `margin` is how far NOTE beside them is turned against the clock, if it is there."""
    out = io.BytesIO()
    drawing = canvas.Canvas(out, pagesize=letter, invariant=True)
    drawing.rotate(sink)
    drawing.setFont("Helvetica", 10)
    for index, row in enumerate(ROWS):
        for x, text in zip((60, 120, 330), row, strict=True):
            drawing.drawString(x, 680 - 22 * index, text)
    if margin:
        drawing.translate(570, 630)
        drawing.rotate(margin)
        drawing.drawCentredString(0, -4, NOTE)
    drawing.showPage()
    drawing.save()
    return out.getvalue()


@cache
def scan(sink: float = 0.0, seed: int = 3, margin: float = 0.0) -> Pixels:
    """The page at 200 dots per inch with the noise of a scanner."""
    with open_pdf(drawn(sink=sink, margin=margin)) as document:
        clean = document.render(1, dpi=200)
    noise = np.random.default_rng(seed).normal(0, 10, clean.shape)
    return np.clip(clean + noise, 0, 255).astype(np.uint8)


def read(image: Pixels) -> Page:
    return local.read(image, number=1, width=612, height=792)


@cache
def upright() -> Page:
    return read(scan())


def rows(page: Page) -> list[str]:
    return [line.text for line in page.lines]


EXPECTED = [" ".join(row) for row in ROWS]


def test_reads_rows_with_accents_and_numbers() -> None:
    page = upright()
    assert rows(page) == EXPECTED
    assert page.reader == "local"
    assert all(word.confidence > 0.8 for word in page.words)


def test_words_stand_where_they_are_printed() -> None:
    """The text layer of the same page says where each word is."""
    with open_pdf(drawn()) as document:
        printed = {word.text: word.box for word in document.text_layer(1).words}
    for word in upright().words:
        box = printed[word.text]
        assert word.box.x0 == pytest.approx(box.x0, abs=0.004)
        assert word.box.x1 == pytest.approx(box.x1, abs=0.004)
        assert box.y0 - 0.002 <= word.box.y0 < word.box.y1 <= box.y1 + 0.002


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_reads_a_page_that_was_scanned_sideways_or_upside_down(quarters: int) -> None:
    page = read(np.ascontiguousarray(np.rot90(scan(), quarters)))
    assert rows(page) == EXPECTED
    first = page.lines[0].words[0].box.middle
    straight = upright().lines[0].words[0].box.middle
    x, y = straight
    turned = {1: (y, 1 - x), 2: (1 - x, 1 - y), 3: (1 - y, x)}
    assert first == pytest.approx(turned[quarters], abs=0.005)


@pytest.mark.parametrize("margin", [90, 270])
def test_reads_a_line_that_is_set_sideways_beside_upright_ones(margin: float) -> None:
    page = read(scan(margin=margin))
    assert rows(page) == [*EXPECTED, NOTE]
    heights = [word.box.y0 for word in page.lines[-1].words]
    assert heights == sorted(heights, reverse=margin == 90)
    assert all(0.90 < word.box.x0 < word.box.x1 < 0.97 for word in page.lines[-1].words)


@pytest.mark.parametrize("sink", [-1.2, 1.2])
def test_reads_rows_of_a_crooked_page(sink: float) -> None:
    assert rows(read(scan(sink))) == EXPECTED


def test_reads_colour_as_well_as_grey() -> None:
    assert rows(read(np.repeat(scan()[..., None], 3, axis=2))) == EXPECTED


def test_a_blank_page_is_read_and_empty() -> None:
    paper = np.clip(np.random.default_rng(1).normal(240, 4, (2200, 1700)), 0, 255).astype(np.uint8)
    assert read(paper).lines == ()


def test_ink_that_cannot_be_read_is_not_an_empty_page() -> None:
    scrawl = np.full((2200, 1700), 255, np.uint8)
    scrawl[300:1900, 300:1400] = 0
    with pytest.raises(UnreadablePage, match="page_unreadable"):
        read(scrawl)


@pytest.mark.parametrize(("word", "ink"), [(False, False), (True, True)])
def test_knows_a_page_with_ink_from_a_blank_one(word: bool, ink: bool) -> None:
    paper = np.clip(np.random.default_rng(1).normal(235, 6, (2200, 1700)), 0, 255).astype(np.uint8)
    paper[5:2190, :8] = 40  # the shadow of the lid
    if word:
        paper[1000:1018, 800:900:3] = 30
    assert local.page_image_has_ink(paper) is ink


def test_two_pages_at_once_read_like_one_after_the_other() -> None:
    images = [scan(), scan(seed=4), scan(1.2)]
    alone = [rows(read(image)) for image in images]
    with ThreadPoolExecutor(2) as threads:
        assert [rows(page) for page in threads.map(read, images)] == alone


def test_lines_are_recognised_together_like_one_by_one() -> None:
    grey = scan()
    pieces = local._pieces(grey, local._engine().detect(grey), local.QUICK, page_width=grey.shape[1])
    lines = [local._trimmed(piece.pixels, piece.ink) for piece in pieces]
    together = [text.letters for text in local._engine().quick.recognise(lines)]
    assert len(together) > len(ROWS)
    assert together == [local._engine().quick.recognise([line])[0].letters for line in lines]


def test_the_models_come_with_the_package() -> None:
    import rapidocr

    package = Path(rapidocr.__file__).parent
    assert all(path.is_file() and path.is_relative_to(package) for path in local.models())


def test_the_quick_model_is_the_published_one() -> None:
    readme = local.TINY.with_name("README.md").read_text(encoding="utf-8")
    assert hashlib.sha256(local.TINY.read_bytes()).hexdigest() in readme


def test_what_the_quick_model_doubts_is_read_with_care(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a sure word everything is read again, and the same page comes out."""
    monkeypatch.setattr(local, "_is_sure", lambda word, sureness: False)
    assert rows(read(scan())) == EXPECTED


def test_the_letters_are_those_of_french_and_english() -> None:
    for recogniser in (local._engine().quick, local._engine().careful):
        letters = set(recogniser.letters)
        assert set("ABCXYZabcxyz0189 '’-.,:/()éèêëàâçîïôùûüÿœæÉÈÊËÀÂÇÎÏÔÙÛÜŒÆ«»°") <= letters
        assert len(letters) < 400


def test_nothing_is_logged(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    read(scan())
    assert caplog.records == []
    assert capfd.readouterr() == ("", "")


def test_no_connection_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    def refuse(*args: Any, **kwargs: Any) -> None:
        pytest.fail("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    local._loaded.cache_clear()
    assert rows(read(scan())) == EXPECTED


def test_one_model_is_prepared_before_threads_prepare_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two threads that are the first to ask OpenVINO's Python layer for types wait for each other for ever."""
    at_work: list[int] = []

    def noting(really: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            try:
                return really(*args)
            finally:
                at_work.append(threading.get_ident())

        return call

    for name in ("_adapted", "_accept_grey"):
        monkeypatch.setattr(local, name, noting(getattr(local, name)))
    local._loaded.__wrapped__()
    in_threads = [thread != threading.get_ident() for thread in at_work]
    assert in_threads == [False, False, True, True, True]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("before", [False, True], ids=["fresh", "after the parent has read"])
def test_reads_in_a_forked_worker(before: bool) -> None:
    """RQ forks for every job. A new interpreter, so that this test forks no thread of the others."""
    import subprocess

    code = (
        "import os, sys; from tests.integration.test_local_reader import *\n"
        f"image = scan()\nif {before}: read(image)\n"
        "pid = os.fork()\n"
        "if pid == 0: os._exit(0 if rows(read(image)) == EXPECTED else 1)\n"
        "sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=120, check=False).returncode == 0


def test_runs_of_one_digit_are_not_shortened() -> None:
    """The recogniser merges what it sees twice in a row; too few steps a letter would make 5555 a 555."""
    numbers = [f"{first * 4} {digit * 4} {digit * 4}" for first, digit in zip("BADCHEGFKL", "0123456789", strict=True)]
    out = io.BytesIO()
    drawing = canvas.Canvas(out, pagesize=letter, invariant=True)
    drawing.setFont("Helvetica", 9)
    for index, number in enumerate(numbers):
        drawing.drawString(100, 700 - 20 * index, number)
    drawing.save()
    with open_pdf(out.getvalue()) as document:
        page = read(document.render(1, dpi=200))
    assert [row[-9:] for row in rows(page)] == [number[-9:] for number in numbers]
