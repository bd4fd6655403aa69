"""How a page came to be is told by its pictures: on real PDFs of every sort, and at the borders between the sorts."""

from __future__ import annotations

import numpy as np
import pytest

from extraction import kinds
from extraction.corpus.documents import build
from extraction.kinds import Kind, Look, Picture
from extraction.page import Box
from extraction.readers.choosing import read_pages
from extraction.readers.pdf import open_pdf
from tests.factories import agenda_pdf

WHOLE = Box(0, 0, 1, 1)
LETTER = (612.0, 792.0)
LIT = np.tile(np.linspace(255, 150, 1700).astype(np.uint8), (2200, 1))
"""Paper that gets darker from the left to the right."""


def a_page(width: int, height: int, bits: int, *, box: Box = WHOLE, unevenness: float | None = None) -> Look:
    return Look(*LETTER, (Picture(box, width, height, bits),), 1, unevenness)


@pytest.mark.parametrize(
    ("made", "kind"),
    [("agenda", Kind.DIGITAL), ("agenda-scan", Kind.SCAN), ("agenda-photocopy", Kind.SCAN), ("agenda-fax", Kind.FAX),
     ("agenda-photo", Kind.PHOTO), ("agenda-turned", Kind.SCAN), ("agenda-badtext", Kind.SCAN)],
)  # fmt: skip
def test_a_page_of_every_sort_is_told_apart(made, kind):
    with open_pdf(build(made, seed=3, pages=1).pdf) as document:
        list(document.text_layers([1]))
        document.render(1, dpi=60)
        assert kinds.of_page(document.looks[1]) == kind


def test_every_reader_says_it_of_the_pages_that_it_reads():
    (read,) = read_pages(agenda_pdf(["Agenda du vendredi 3 octobre 2025"]))
    assert (read.page.reader, read.kind) == ("text_layer", Kind.DIGITAL)


def test_a_page_without_anything_on_it_has_no_kind():
    (read,) = read_pages(agenda_pdf([]))
    assert (read.error, read.kind) == (None, None)


@pytest.mark.parametrize(
    ("look", "kind"),
    [
        (a_page(1728, 2200, 1), Kind.FAX),
        (a_page(1728, 1100, 1), Kind.FAX),
        (a_page(2200, 1728, 1), Kind.FAX),
        (a_page(2550, 3300, 1), Kind.SCAN),
        (a_page(1700, 2200, 8), Kind.SCAN),
        (a_page(1700, 2200, 24), Kind.SCAN),
        (a_page(3024, 4032, 24), Kind.PHOTO),
        (a_page(1728, 2200, 24, unevenness=0.2), Kind.PHOTO),
        (a_page(1728, 2200, 8, unevenness=0.02), Kind.SCAN),
        (a_page(400, 300, 24, box=Box(0, 0, 0.4, 0.2)), Kind.DIGITAL),
    ],
    ids=["fine fax", "standard fax", "fax on its side", "black and white at 300", "grey", "colour", "a camera's shape",
         "a room's light", "a lamp's light", "a logo"],
)  # fmt: skip
def test_the_borders(look, kind):
    assert kinds.of_page(look) == kind


def test_a_page_that_nobody_looked_at_has_no_kind():
    assert kinds.of_page(None) is None


@pytest.mark.parametrize(
    ("pages", "kind"),
    [([], None), (["scan"] * 3, "scan"), (["scan"] * 9 + ["digital"], "scan"), (["fax", "fax", "digital"], "mixed")],
)
def test_a_document_has_the_kind_of_nearly_all_its_pages(pages, kind):
    assert kinds.of_document([Kind(page) for page in pages]) == kind


def test_light_that_falls_off_is_uneven_and_print_on_even_paper_is_not():
    even = np.full((2200, 1700), 240, np.uint8)
    even[300:340:4, 200:1500] = 20
    even[:200] = 90  # a grey head of a form
    assert kinds.unevenness(LIT) > 0.2
    assert kinds.unevenness(even) < 0.02


def test_a_tiny_image_says_nothing_of_its_light():
    assert kinds.unevenness(np.full((12, 12), 200, np.uint8)) == 0
