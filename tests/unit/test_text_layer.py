"""Which text layers are believed, and what is read from them."""

from __future__ import annotations

import io
import string
from collections.abc import Callable

import pikepdf
import pytest
from PIL import Image
from reportlab.lib.pagesizes import letter
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen import canvas

from extraction.kinds import Picture
from extraction.page import Box, Page, Word
from extraction.readers import text_layer
from extraction.readers.lines import in_directions, in_lines
from extraction.readers.pdf import LayerWord, TextLayer, open_pdf

AGENDA = [
    ("08:00", "BÉLANGER-CÔTÉ Françoise", "ABCD 1234 5678", "Suivi du diabète"),
    ("08:20", "LÉVESQUE Noël", "EFGH 2345 6789", "Douleur à l’épaule gauche"),
    ("08:40", "OUELLET Marie-Ève", "JKLM 3456 7890", "Examen périodique, résultats d’analyse"),
]


def drawn(draw: Callable[[canvas.Canvas], None], *, rows: bool = True) -> bytes:
    """A letter page with the agenda's rows (unless told otherwise) and what `draw` adds."""
    out = io.BytesIO()
    drawing = canvas.Canvas(out, pagesize=letter, invariant=True)
    drawing.setFont("Helvetica", 9)
    if rows:
        write_rows(drawing)
    draw(drawing)
    drawing.showPage()
    drawing.save()
    return out.getvalue()


def write_rows(drawing: canvas.Canvas) -> None:
    for index, row in enumerate(AGENDA):
        for x, text in zip((50, 100, 260, 370), row, strict=True):
            drawing.drawString(x, 700 - 18 * index, text)


def nothing(drawing: canvas.Canvas) -> None:
    pass


def read(data: bytes) -> Page | None:
    with open_pdf(data) as document:
        return text_layer.read(document, 1)


def boxes(page: Page | None) -> dict[str, Box]:
    assert page is not None
    return {word.text: word.box for word in page.words}


def test_reads_lines_across_columns_with_accents() -> None:
    page = read(drawn(nothing))
    assert page is not None
    assert [line.text for line in page.lines] == [" ".join(row) for row in AGENDA]
    assert (page.width, page.height, page.reader, page.number) == (612.0, 792.0, "text_layer", 1)


def test_boxes_are_fractions_from_the_top_left() -> None:
    box = boxes(read(drawn(nothing)))["08:00"]
    assert box.x0 == pytest.approx(50 / 612, abs=0.002)
    assert box.y0 < 1 - 700 / 792 < box.y1
    assert 0.005 < box.height < 0.02


@pytest.mark.parametrize(("turn", "sides"), [(90, (792.0, 612.0)), (180, (612.0, 792.0)), (270, (792.0, 612.0))])
def test_a_turned_page_is_read_as_it_is_shown(turn: int, sides: tuple[float, float]) -> None:
    """A page whose content is drawn sideways and shown upright by /Rotate reads like the upright one."""

    def place(drawing: canvas.Canvas) -> None:
        # What stands on its side in the content is put right by turning the page the other way.
        drawing.translate(*{90: (612, 0), 180: (612, 792), 270: (0, 792)}[turn])
        drawing.rotate(turn)
        drawing.setFont("Helvetica", 9)
        for index, row in enumerate(AGENDA):
            for x, text in zip((50, 100, 260, 370), row, strict=True):
                drawing.drawString(x, 500 - 18 * index, text)

    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(drawn(place, rows=False))) as document:
        document.pages[0].obj.Rotate = turn
        document.save(out)
    page = read(out.getvalue())
    assert page is not None
    assert (page.width, page.height) == sides
    assert [line.text for line in page.lines] == [" ".join(row) for row in AGENDA]
    height = sides[1]
    assert boxes(page)["08:00"].x0 == pytest.approx(50 / sides[0], abs=0.003)
    assert boxes(page)["08:00"].y1 == pytest.approx(1 - 498 / height, abs=0.01)


def test_text_that_runs_up_the_page_makes_lines_too() -> None:
    def upwards(drawing: canvas.Canvas) -> None:
        drawing.translate(400, 100)
        drawing.rotate(90)
        drawing.drawString(0, 0, "en marge du dossier")

    page = read(drawn(upwards))
    assert page is not None
    assert page.lines[-1].text == "en marge du dossier"
    assert page.lines[-1].box.height > page.lines[-1].box.width


def test_the_crop_box_is_the_page() -> None:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(drawn(nothing))) as document:
        document.pages[0].obj.CropBox = [40, 600, 440, 740]
        document.save(out)
    page = read(out.getvalue())
    assert page is not None
    assert (page.width, page.height) == (400.0, 140.0)
    assert boxes(page)["08:00"].x0 == pytest.approx(10 / 400, abs=0.003)


def test_text_beside_the_page_is_not_read() -> None:
    page = read(drawn(lambda drawing: drawing.drawString(900, 700, "invisible")))
    assert page is not None
    assert "invisible" not in page.text


def test_a_page_with_nothing_drawn_is_read_and_empty() -> None:
    page = read(drawn(nothing, rows=False))
    assert page is not None
    assert page.lines == ()


HIDDEN = "texte que personne ne voit ABCD 9999 9999"


def invisible(drawing: canvas.Canvas) -> None:
    text = drawing.beginText(72, 300)
    text.setTextRenderMode(3)
    text.textLine(HIDDEN)
    drawing.drawText(text)


def white(drawing: canvas.Canvas) -> None:
    drawing.setFillColorRGB(1, 1, 1)
    drawing.drawString(72, 300, HIDDEN)


def tiny(drawing: canvas.Canvas) -> None:
    drawing.setFont("Helvetica", 1)
    drawing.drawString(72, 300, HIDDEN)


def clipped(drawing: canvas.Canvas) -> None:
    path = drawing.beginPath()
    path.rect(0, 0, 10, 10)
    drawing.clipPath(path, stroke=0)
    drawing.drawString(72, 300, HIDDEN)


def transparent(drawing: canvas.Canvas) -> None:
    drawing.setFillAlpha(0)
    drawing.drawString(72, 300, HIDDEN)


def covered(drawing: canvas.Canvas) -> None:
    drawing.drawString(72, 300, HIDDEN)
    drawing.setFillColorRGB(1, 1, 1)
    drawing.rect(60, 290, 400, 30, stroke=0, fill=1)


def under_a_picture(drawing: canvas.Canvas) -> None:
    drawing.drawString(72, 300, HIDDEN)
    drawing.drawImage(ImageReader(Image.new("L", (200, 200), 240)), 0, 0, 612, 792)


def gibberish(drawing: canvas.Canvas) -> None:
    shifted = str.maketrans(
        string.ascii_lowercase, "".join(chr((ord(c) - 97 + 11) % 26 + 97) for c in string.ascii_lowercase)
    )
    for row in range(20):
        drawing.drawString(
            72, 600 - 15 * row, "rendez-vous de suivi pour le renouvellement des ordonnances".translate(shifted)
        )


def picture(drawing: canvas.Canvas) -> None:
    drawing.drawImage(ImageReader(Image.new("L", (85, 54), 120)), 300, 100, 241, 153)


def outlined(drawing: canvas.Canvas) -> None:
    for index in range(80):
        drawing.circle(72 + 6 * (index % 40), 300 - 20 * (index // 40), 2)


@pytest.mark.parametrize(
    "draw",
    [invisible, white, tiny, clipped, transparent, covered, under_a_picture, gibberish, picture, outlined],
)
def test_a_page_that_may_not_be_what_it_says_goes_to_ocr(draw: Callable[[canvas.Canvas], None]) -> None:
    assert read(drawn(draw)) is None


def hidden_in(data: bytes) -> tuple[str, str]:
    """The words that are seen, and those that are not."""
    with open_pdf(data) as document:
        layer = document.text_layer(1)
    return " ".join(word.text for word in layer.words), " ".join(layer.unseen)


def white_over_lines(drawing: canvas.Canvas) -> None:
    for x in range(60, 300, 12):
        drawing.line(x, 280, x, 320)
    white(drawing)


def nearly_white(drawing: canvas.Canvas) -> None:
    drawing.setFillGray(0.95)
    drawing.drawString(72, 300, HIDDEN)


def under_print(drawing: canvas.Canvas) -> None:
    drawing.saveState()
    white(drawing)
    drawing.restoreState()
    drawing.drawString(72, 300, "Ordonnance renouvelée pour douze mois, prochain rendez-vous en janvier")


def beside(drawing: canvas.Canvas) -> None:
    drawing.drawString(72, -40, HIDDEN)


def under_a_logo(drawing: canvas.Canvas) -> None:
    drawing.drawString(72, 300, HIDDEN)
    drawing.drawImage(ImageReader(Image.effect_noise((200, 20), 90)), 60, 295, 480, 20)


@pytest.mark.parametrize(
    "draw",
    [invisible, white, tiny, clipped, transparent, covered, white_over_lines, nearly_white, under_print, beside,
     under_a_logo],
)  # fmt: skip
def test_words_that_nobody_sees_are_kept_apart(draw: Callable[[canvas.Canvas], None]) -> None:
    seen, unseen = hidden_in(drawn(draw))
    assert sorted(unseen.split()) == sorted(HIDDEN.split())
    assert "Françoise" in seen
    assert "9999" not in seen


def test_letters_printed_twice_for_boldness_are_seen() -> None:
    def bold(drawing: canvas.Canvas) -> None:
        for shift in (0, 0.3):
            drawing.drawString(72 + shift, 300, "Clinique du Parc")

    seen, unseen = hidden_in(drawn(bold))
    assert "Clinique du Parc" in seen
    assert unseen == ""


def test_lines_that_touch_are_seen() -> None:
    def tight(drawing: canvas.Canvas) -> None:
        for row in range(12):
            drawing.drawString(72, 300 - 8 * row, f"Rendez-vous {row} pour le renouvellement")

    seen, unseen = hidden_in(drawn(tight))
    assert seen.count("renouvellement") == 12
    assert unseen == ""


def test_grey_print_is_seen() -> None:
    def grey(drawing: canvas.Canvas) -> None:
        drawing.setFillGray(0.75)
        drawing.drawString(72, 300, "Copie pour le dossier")

    assert hidden_in(drawn(grey))[1] == ""


def test_lines_to_be_filled_in_and_small_colons_hide_nothing() -> None:
    def form(drawing: canvas.Canvas) -> None:
        drawing.drawString(72, 300, f"Signature : {'_' * 40}")
        drawing.setFont("Helvetica", 7)
        for row, caption in enumerate(("Reçu le", "Remis le", "Classé le")):
            drawing.drawString(72.5, 200.5 - 20 * row, f"{caption} : {'_' * 20}")

    page = read(drawn(form))
    assert page is not None
    assert "Signature :" in page.text
    assert "Classé le :" in page.text


def test_a_line_that_is_filled_in_hides_nothing() -> None:
    def filled(drawing: canvas.Canvas) -> None:
        for row in range(4):
            drawing.drawString(72, 300 - 20 * row, "_" * 30)
            drawing.drawString(80, 301 - 20 * row, "Clinique du Parc")

    page = read(drawn(filled))
    assert page is not None
    assert page.text.count("Clinique du Parc") == 4


def test_a_picture_alone_goes_to_ocr() -> None:
    assert read(drawn(picture, rows=False)) is None


def test_light_text_on_dark_paper_is_visible() -> None:
    def heading(drawing: canvas.Canvas) -> None:
        drawing.setFillColorRGB(0.1, 0.2, 0.4)
        drawing.rect(40, 290, 500, 30, stroke=0, fill=1)
        drawing.setFillColorRGB(1, 1, 1)
        drawing.drawString(72, 300, "Horaire de la clinique")

    page = read(drawn(heading))
    assert page is not None
    assert "Horaire de la clinique" in page.text


def test_a_small_logo_does_not_cost_an_ocr() -> None:
    page = read(drawn(lambda d: d.drawImage(ImageReader(Image.new("RGB", (60, 20), (9, 99, 9))), 40, 740, 90, 30)))
    assert page is not None


def test_many_pages_come_in_order_and_are_the_same_as_one_by_one() -> None:
    out = io.BytesIO()
    drawing = canvas.Canvas(out, pagesize=letter, invariant=True)
    for number in range(1, 81):
        drawing.drawString(72, 700, f"page numéro {number}")
        drawing.showPage()
    drawing.save()
    with open_pdf(out.getvalue()) as document:
        together = [read[:2] for read in text_layer.read_all(document, range(1, 81))]
        assert [number for number, _ in together] == list(range(1, 81))
        assert together[56][1] == text_layer.read(document, 57)
        assert together[56][1].text == "page numéro 57"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("words", "noise"),
    [
        (["Rendez-vous", "de", "suivi", "avec", "la", "docteure", "pour", "le", "renouvellement"] * 5, False),
        (["Follow-up", "appointment", "with", "the", "nurse", "for", "blood", "pressure", "results"] * 5, False),
        (["TREMBLAY", "GAGNON", "BÉLANGER", "LÉVESQUE", "OUELLET", "BOUCHARD", "LACHANCE", "HÉBERT"] * 5, False),
        (["08:00", "ABCD", "1234", "5678"] * 50, False),
        (["\ufffd\ufffd\ufffd", "abc"] * 20, True),
        (["\ue001\ue002", "abcd"] * 20, True),
        (["gwpopt", "cpyopk", "gzfd", "xlcnp", "wpd", "zcozyylynpd", "qlxtwwp"] * 10, True),
    ],
)
def test_tells_language_from_noise(words: list[str], noise: bool) -> None:
    assert text_layer.reads_like_noise(words) is noise


def layer(**changes: object) -> TextLayer:
    words = tuple(LayerWord(text, Box(0.1, 0.1, 0.2, 0.12), 0) for text in ("Clinique", "du", "Parc"))
    facts: dict[str, object] = {
        "number": 1,
        "width": 612.0,
        "height": 792.0,
        "words": words,
        "hidden": 0,
        "unmapped": 0,
    }
    return TextLayer(**{**facts, "pictures": (), "outlines": 0, "objects": 3, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "changes",
    [
        {"unmapped": 5},
        {"hidden": 9},
        {"pictures": (Picture(Box(0, 0, 0.5, 0.5), 800, 1100, 8),)},
        {"words": ()},
        {"outlines": 61},
    ],
)
def test_one_doubt_is_enough(changes: dict[str, object]) -> None:
    assert text_layer.believed(layer()) is not None
    assert text_layer.believed(layer(**changes)) is None


def test_lines_of_a_crooked_page_stay_together() -> None:
    words = [
        Word(f"{row}{column}", Box(0.1 * column, y, 0.1 * column + 0.05, y + 0.01))
        for row in range(3)
        for column in range(9)
        for y in [0.2 + 0.015 * row + 0.02 * 0.1 * column]
    ]
    assert [line.text[:2] for line in in_lines(reversed(words), slope=0.02)] == ["00", "10", "20"]


def test_a_dash_stands_on_the_line_it_belongs_to() -> None:
    words = [Word("octobre", Box(0.1, 0.1, 0.2, 0.12)), Word("—", Box(0.21, 0.111, 0.22, 0.1115))]
    assert [line.text for line in in_lines(words)] == ["octobre —"]


@pytest.mark.parametrize("direction", [0, 1, 2, 3])
def test_words_of_any_direction_come_in_the_order_they_are_read(direction: int) -> None:
    level = [
        Word("un", Box(0.1, 0.1, 0.2, 0.12)),
        Word("deux", Box(0.3, 0.1, 0.4, 0.12)),
        Word("trois", Box(0.1, 0.2, 0.2, 0.22)),
    ]
    back = (4 - direction) % 4
    words = [(word._replace(box=word.box.turned(back)), direction) for word in reversed(level)]
    lines = in_directions(words)
    assert [line.text for line in lines] == ["un deux", "trois"]
    assert lines[0].words[0].box == pytest.approx(words[-1][0].box)
