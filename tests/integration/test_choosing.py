"""Which reader gets which page, and that one bad page or a missing service costs no other page."""

from __future__ import annotations

import io
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from types import SimpleNamespace
from typing import Any

import pikepdf
import pytest
from PIL import Image
from reportlab.lib.pagesizes import letter
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen import canvas

from extraction import pipeline
from extraction.errors import ServiceUnavailable, UnreadableDocument, UnreadablePage
from extraction.finders.proposal import Proposal
from extraction.page import Box, Line, Page, Word
from extraction.readers import choosing, local, textract
from extraction.readers.choosing import PageRead, read_pages
from extraction.readers.pdf import open_pdf
from extraction.stance import Stance
from tests import hostile_pdfs as hostile
from tests.factories import page_of, some_nam

TEXT = "Rendez-vous de suivi au bureau"


@cache
def mixed(kinds: str) -> bytes:
    """One page for each letter: t text, s scanned text, b blank, e an empty sheet as scanned."""
    with open_pdf(hostile.plain(TEXT)) as document:
        scan = Image.fromarray(document.render(1, dpi=150))
    out = io.BytesIO()
    drawing = canvas.Canvas(out, pagesize=letter, invariant=True)
    for kind in kinds:
        if kind == "t":
            drawing.drawString(72, 700, TEXT)
        elif kind == "s":
            drawing.drawImage(ImageReader(scan), 0, 0, *letter)
        elif kind == "e":
            drawing.drawImage(ImageReader(Image.new("L", (850, 1100), 245)), 0, 0, *letter)
        drawing.showPage()
    drawing.save()
    return out.getvalue()


def by_number(reads: Iterator[PageRead]) -> dict[int, PageRead]:
    found: dict[int, PageRead] = {}
    for read in reads:
        assert read.number not in found
        found[read.number] = read
    return dict(sorted(found.items()))


def readers(reads: dict[int, PageRead]) -> list[str | None]:
    return [read.page.reader if read.page else read.error for read in reads.values()]


def test_each_page_goes_to_the_reader_it_needs() -> None:
    reads = by_number(read_pages(mixed("tsbe")))
    assert readers(reads) == ["text_layer", "local", "text_layer", "local"]
    assert [read.page.text for read in reads.values() if read.page] == [TEXT, TEXT, "", ""]
    assert all(read.seconds >= 0 for read in reads.values())


def test_text_layers_come_first() -> None:
    assert [read.number for read in read_pages(mixed("stb"))] == [2, 3, 1]


def test_only_the_asked_pages_are_read() -> None:
    assert list(by_number(read_pages(mixed("ttst"), numbers=[4, 2]))) == [2, 4]


def test_a_page_that_the_document_does_not_have_is_an_error_of_its_own() -> None:
    reads = by_number(read_pages(mixed("t"), numbers=[1, 7]))
    assert readers(reads) == ["text_layer", "page_unreadable"]


def test_the_text_layer_can_be_taken_at_its_word_only_where_it_is_believed() -> None:
    assert readers(by_number(read_pages(mixed("ts"), reader="text_layer"))) == ["text_layer", "page_unreadable"]


def test_ocr_can_be_asked_for_every_page() -> None:
    reads = by_number(read_pages(mixed("t"), reader="local"))
    assert readers(reads) == ["local"]
    assert reads[1].page is not None
    assert reads[1].page.text == TEXT


def test_a_bad_page_never_stops_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = local.read

    def sometimes(image: Any, *, number: int, width: float, height: float) -> Page:
        if number == 2:
            raise UnreadablePage("page_unreadable")
        return whole(image, number=number, width=width, height=height)

    monkeypatch.setattr(local, "read", sometimes)
    assert readers(by_number(read_pages(mixed("sss")))) == ["local", "page_unreadable", "local"]


def test_a_page_that_cannot_be_drawn_is_unread() -> None:
    assert readers(by_number(read_pages(hostile.undecodable_picture()))) == ["page_unreadable"]


def test_a_file_that_cannot_be_read_raises_before_any_page() -> None:
    with pytest.raises(UnreadableDocument, match="not_a_pdf"):
        next(read_pages(hostile.text_file()))


def test_leaving_early_leaves_no_process_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []
    whole = choosing.open_pdf

    def remember(*args: Any, **kwargs: Any) -> Any:
        opened.append(whole(*args, **kwargs))
        return opened[-1]

    monkeypatch.setattr(choosing, "open_pdf", remember)
    reads = read_pages(mixed("ts" * 40))
    next(reads)
    reads.close()  # type: ignore[attr-defined]
    assert opened[0]._sandbox._child is None


def test_few_drawn_pages_are_in_memory_at_any_time(monkeypatch: pytest.MonkeyPatch) -> None:
    under_way = most = 0
    drawn = choosing.PdfDocument.render

    def render(*args: Any, **kwargs: Any) -> Any:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        return drawn(*args, **kwargs)

    def read(image: Any, *, number: int, width: float, height: float) -> Page:
        nonlocal under_way
        under_way -= 1
        return Page(number, width, height, (), "local")

    monkeypatch.setattr(choosing.PdfDocument, "render", render)
    monkeypatch.setattr(local, "read", read)
    assert len(list(read_pages(mixed("s" * 30)))) == 30
    assert most <= local.workers() + choosing.WAITING + 1


def test_born_digital_pages_load_no_ocr_engine() -> None:
    import subprocess

    code = (
        "import sys; from extraction.readers.choosing import read_pages; from tests import hostile_pdfs as h\n"
        "data = h.plain(pages=3); before = set(sys.modules); pages = list(read_pages(data))\n"
        "new = set(sys.modules) - before\n"
        "print(len(pages), sorted(new & {'cv2', 'rapidocr', 'openvino', 'pypdfium2'}))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "3 []"


@pytest.mark.parametrize(
    ("reader", "kinds", "times"), [("local", "t", 1), ("auto", "tsts", 1), ("auto", "tt", 0), ("text_layer", "s", 0)]
)
def test_the_engine_is_loaded_once_and_only_for_pages_that_need_it(
    reader: choosing.Reader, kinds: str, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    began: list[None] = []
    monkeypatch.setattr(choosing, "_load_engine", lambda: began.append(None))
    monkeypatch.setattr(local, "read", lambda image, *, number, width, height: Page(number, width, height, (), "local"))
    list(read_pages(mixed(kinds), reader=reader))
    assert len(began) == times


def test_the_engine_is_being_loaded_while_the_document_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = threading.Event()
    monkeypatch.setattr(local, "load", loaded.set)
    monkeypatch.setattr(choosing, "open_pdf", lambda data, *, limits: loaded.wait(10))
    assert choosing.open_for("local", b"") is True


# Textract, with its reader replaced: the reader itself has tests of its own.


class FakeReader:
    def __init__(self, *, whole: bool = False, fails_at: int | None = None) -> None:
        self.config = SimpleNamespace(parallel=2, takes_whole=lambda pages: whole)
        self.fails_at = fails_at
        self.images: list[tuple[int, bytes, bool]] = []
        self.documents: list[bytes] = []

    def page(self, number: int, width: float, height: float) -> Page:
        word = Word("lu", Box(0.1, 0.1, 0.2, 0.12), 0.9)
        return Page(number, width, height, (Line((word,)),), "textract")

    def read_image(self, png: bytes, *, number: int, width: float, height: float, blank: bool = False) -> Page:
        self.images.append((number, png, blank))
        if number == self.fails_at:
            raise ServiceUnavailable("reader_unavailable")
        return self.page(number, width, height)

    def read_document(self, pdf: bytes, *, sizes: Any, token: str, blank: Any = ()) -> Iterator[Any]:
        self.documents.append(pdf)
        yield self.page(1, *sizes[0])
        for number in range(2, len(sizes) + 1):
            yield textract.PageFailure(number, "page_unreadable")


def test_what_is_most_likely_wrong_is_a_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    page = page_of(f"NAM {some_nam(1)}", f"NAM {some_nam(2)}")
    whole = pipeline.pattern.find

    def doubting(page: Page) -> list[Proposal]:
        return [replace(each, confidence=sure) for each, sure in zip(whole(page), (0.35, 0.34), strict=True)]

    monkeypatch.setattr(pipeline.pattern, "find", doubting)
    found = pipeline.find(page, pipeline.Work())
    assert [each.nam for each in found.proposals] == [some_nam(1)]
    assert [each.nam for each in found.hints] == [some_nam(2)]


@pytest.fixture
def use_textract(monkeypatch: pytest.MonkeyPatch) -> Callable[..., FakeReader]:
    def use(**how: Any) -> FakeReader:
        reader = FakeReader(**how)
        monkeypatch.setattr(textract, "reader", lambda: reader)
        monkeypatch.setattr(textract, "configuration", lambda: reader.config)
        return reader

    return use


@pytest.mark.parametrize("quarters", range(4))
def test_a_second_look_sees_a_part_of_the_page_whichever_way_it_lies(quarters: int) -> None:
    """Words and their boxes are those of the page as it was turned upright."""
    with open_pdf(mixed("s")) as plain:
        turned = io.BytesIO()
        with pikepdf.open(io.BytesIO(plain.unlocked())) as pdf:
            pdf.pages[0].Rotate = 90 * quarters  # shown turned with the clock
            pdf.save(turned)
        (upright,) = [read.page for read in read_pages(mixed("s"), reader="local")]
    assert upright is not None
    where = Box.around(word.box for word in upright.words)
    with open_pdf(turned.getvalue()) as document:
        looks = list(choosing.look(document, 1, Stance(quarters), where.grown(0.05, 0.02)))
    assert len(looks) == 3, "as it is, smoothed, in black and white"
    seen = [word for glimpse in looks[0] for word in glimpse.words]
    assert "".join(word.text for word in seen) == "".join(word.text for word in upright.words)
    assert Box.around(word.box for word in seen) == pytest.approx(where, abs=0.006)


def test_a_page_that_cannot_be_drawn_has_no_second_look() -> None:
    with open_pdf(mixed("s")) as document:
        assert list(choosing.look(document, 2, Stance(), Box(0, 0, 1, 1))) == []


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_number_on_a_page_on_its_side_is_found_where_it_stands(quarters: int) -> None:
    level = Page(
        1,
        612,
        792,
        (Line((Word("NAM", Box(0.1, 0.1, 0.15, 0.12)), Word("TREM04121925", Box(0.16, 0.1, 0.3, 0.12)))),),
        "local",
    )
    (expected,) = pipeline.find(level, pipeline.Work()).proposals
    (found,) = pipeline.find(level.turned(quarters), pipeline.Work()).proposals
    assert found.nam == expected.nam
    assert found.box == pytest.approx(expected.box.turned(quarters))


def test_textract_sees_only_pages_without_a_text_layer(use_textract: Callable[..., FakeReader]) -> None:
    reader = use_textract()
    assert readers(by_number(read_pages(mixed("tse"), ocr="textract"))) == ["text_layer", "textract", "textract"]
    assert sorted((number, blank) for number, _, blank in reader.images) == [(2, False), (3, True)]
    assert all(png.startswith(b"\x89PNG") for _, png, _ in reader.images)


def test_a_missing_service_is_raised_after_the_pages_that_could_be_read(
    use_textract: Callable[..., FakeReader],
) -> None:
    use_textract(fails_at=3)
    done: list[int] = []
    with pytest.raises(ServiceUnavailable, match="reader_unavailable"):
        done.extend(read.number for read in read_pages(mixed("tts"), ocr="textract"))
    assert sorted(done) == [1, 2]


def test_a_long_document_goes_to_textract_as_a_whole_and_unlocked(use_textract: Callable[..., FakeReader]) -> None:
    reader = use_textract(whole=True)
    locked = io.BytesIO()
    with pikepdf.open(io.BytesIO(mixed("ses"))) as document:
        document.save(locked, encryption=pikepdf.Encryption(user="", owner="owner-secret"))
    reads = by_number(read_pages(locked.getvalue(), reader="textract"))
    # The blank sheet may come back without words; the written one may not.
    assert readers(reads) == ["textract", "textract", "page_unreadable"]
    assert len(reader.documents) == 1
    assert b"/Encrypt" not in reader.documents[0]
    assert reader.images == []
