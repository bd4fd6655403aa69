"""The named documents of the corpus: a layout, printed or degraded, with its truth."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from io import BytesIO
from itertools import islice

import cv2
import numpy as np
import pikepdf
import pypdfium2
from PIL import Image, TiffImagePlugin
from reportlab.pdfgen.canvas import Canvas

from extraction.corpus.degrade import DEGRADATIONS, RESOLUTION, Picture, Pixels, Scene, Word
from extraction.corpus.faces import FACES, HANDS, HELD_OUT_FACES, HELD_OUT_HANDS, register_fonts
from extraction.corpus.layouts import HELD_OUT, LAYOUTS
from extraction.corpus.layouts.sheet import HEIGHT, WIDTH, Setting, Sheet
from extraction.corpus.people import HELD_OUT_NAMES, NAMES, invent_clinic, invent_physician
from extraction.corpus.truth import TruthItem
from extraction.corpus.wording import choose_style
from extraction.page import Box

KINDS: tuple[str, ...] = tuple(
    layout if degradation is None else f"{layout}-{degradation}"
    for layout in LAYOUTS
    for degradation in (None, *DEGRADATIONS)
)
"""agenda, agenda-scan, agenda-photocopy, ...: every layout as the computer prints it, then every degradation of it."""

EARLIEST = date(2025, 9, 2)
"""Visits lie in the autumn of 2025: no document depends on the day it is made."""
SATURDAY = 5


@dataclass(frozen=True, slots=True)
class CorpusDocument:
    """A PDF and every NAM in it, in reading order.

    `specimens` are valid numbers that the pages show as examples, and codes that pass every check by chance: nobody's,
    and not to be proposed.
    """

    pdf: bytes
    truth: list[TruthItem]
    kind: str
    seed: int
    specimens: tuple[str, ...] = ()


def build(
    kind: str,
    *,
    seed: int,
    pages: int,
    people: int | None = None,
    first_day: date | None = None,
    misprints: float = 0.0,
) -> CorpusDocument:
    """The document of this kind and seed, always the same one.

    A layout and its degradations show the same people for the same seed, so that readers can be compared on them.
    `people` is the number of NAMs on a page where the layout leaves a choice (its own number if None); `first_day` is
    the day of the first page, and every page after it is the next working day. `misprints` is the share of NAMs, 0..1,
    printed with a wrong check character: the truth is what is printed, and it is for a person to look at.

    Raises ValueError if the kind is not one of KINDS or `pages` is not positive.
    """
    if kind not in KINDS:
        raise ValueError("unknown kind of document")
    if pages < 1:
        raise ValueError("a document has at least one page")
    layout, _, degradation = kind.partition("-")
    shared = _shared(seed, held_out=layout in HELD_OUT, people=people, misprints=misprints)
    settings = [
        replace(shared, day=day, number=number, pages=pages)
        for number, day in enumerate(islice(_working_days(first_day or shared.day), pages), 1)
    ]
    pdf, truth, specimens = _print(layout, seed, settings)
    if degradation:
        pdf, truth = _degrade(pdf, truth, kind, seed, [setting.day for setting in settings])
    return CorpusDocument(pdf, truth, kind, seed, specimens)


def demo_documents(seed: int = 2026) -> list[tuple[str, CorpusDocument]]:
    """What the demo clinic finds on its first day: file name and document."""
    friday, monday = date(2025, 10, 3), date(2025, 10, 6)
    return [
        ("Agenda du 3 au 7 octobre 2025.pdf", build("agenda", seed=seed, pages=3, first_day=friday)),
        ("Formulaires numérisés 2025-10-06.pdf", build("form-scan", seed=seed, pages=2, first_day=monday)),
        ("Télécopie reçue 2025-10-07.pdf", build("letter-fax", seed=seed, pages=1, first_day=monday)),
        ("Numérisation page blanche.pdf", build("empty", seed=seed, pages=1, first_day=monday)),
    ]


def _shared(seed: int, *, held_out: bool, people: int | None, misprints: float) -> Setting:
    """One clinic, one physician and one face for the whole document; the setting of its first page."""
    rng = _chance(f"{seed}/document")
    return Setting(
        clinic=invent_clinic(rng),
        physician=invent_physician(rng),
        face=rng.choice(HELD_OUT_FACES if held_out else FACES),
        style=choose_style(rng),
        hands=HELD_OUT_HANDS if held_out else HANDS,
        names=HELD_OUT_NAMES if held_out else NAMES,
        day=EARLIEST + timedelta(days=rng.randrange(100)),
        number=1,
        pages=1,
        people=people,
        misprints=misprints,
    )


def _chance(seed: str) -> random.Random:
    """A generator of its own for each part, so that no page changes when another one does."""
    return random.Random(seed)  # noqa: S311 - repeatable on purpose, and nothing secret comes from it


def _working_days(day: date) -> Iterator[date]:
    """This day, if it is from Monday to Friday, and every working day after it."""
    while True:
        if day.weekday() < SATURDAY:
            yield day
        day += timedelta(days=1)


def _print(layout: str, seed: int, settings: list[Setting]) -> tuple[bytes, list[TruthItem], tuple[str, ...]]:
    """The document as it leaves the computer: text, no image."""
    register_fonts()
    file, truth, specimens = BytesIO(), [], []
    canvas = Canvas(file, pagesize=(WIDTH, HEIGHT), pageCompression=1, invariant=1)
    for setting in settings:
        sheet = Sheet(canvas, setting, _chance(f"{seed}/{layout}/{setting.number}"))
        LAYOUTS[layout](sheet)
        canvas.showPage()
        specimens += sheet.specimens
        truth.extend(sorted(sheet.truth, key=lambda item: (item.box.y0, item.box.x0)))
    canvas.save()
    return file.getvalue(), truth, tuple(specimens)


def _degrade(
    pdf: bytes, truth: list[TruthItem], kind: str, seed: int, days: list[date]
) -> tuple[bytes, list[TruthItem]]:
    """The document as it comes back from a machine: images, no text."""
    degrade = DEGRADATIONS[kind.partition("-")[2]]
    file, moved = BytesIO(), []
    with pikepdf.new() as bound:
        for number, (day, (page, words)) in enumerate(zip(days, _render(pdf), strict=True), 1):
            rng = np.random.default_rng(_chance(f"{seed}/{kind}/{number}").getrandbits(128))
            here = [item for item in truth if item.page == number]
            picture = degrade(page, rng, Scene(day, tuple(item.box for item in here), words))
            moved += [item._replace(box=picture.place(item.box)) for item in here]
            _bind(bound, picture)
        bound.save(file, deterministic_id=True)
    return file.getvalue(), moved


def _render(pdf: bytes) -> Iterator[tuple[Pixels, tuple[Word, ...]]]:
    """Each page in grey at RESOLUTION, and its runs of text. Our own documents are trusted: no child process."""
    with pypdfium2.PdfDocument(pdf) as document:
        for page in document:
            bitmap = page.render(scale=RESOLUTION / 72, grayscale=True)
            yield bitmap.to_numpy().reshape(bitmap.height, bitmap.width).copy(), _words(page)
            page.close()


def _words(page: pypdfium2.PdfPage) -> tuple[Word, ...]:
    width, height = page.get_size()
    text = page.get_textpage()
    words = []
    for rectangle in map(text.get_rect, range(text.count_rects())):
        left, bottom, right, top = rectangle
        box = Box(left / width, 1 - top / height, right / width, 1 - bottom / height)
        words.append((text.get_text_bounded(*rectangle).strip(), box))
    text.close()
    return tuple(words)


def _bind(pdf: pikepdf.Pdf, picture: Picture) -> None:
    """Add a page that holds nothing but the picture, as a scanner writes it."""
    page = pdf.add_blank_page(page_size=picture.size)
    width, height = picture.size
    page.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Im0=_image(pdf, picture)))
    drawing = [f"q {width:g} 0 0 {height:g} 0 0 cm /Im0 Do Q".encode()]
    if picture.words:
        page.Resources.Font = pikepdf.Dictionary(F0=_layer_font(pdf))
        drawing += [_invisible(text, box, picture.size) for text, box in picture.words]
    page.Contents = pdf.make_stream(b"\n".join(drawing))


def _layer_font(pdf: pikepdf.Pdf) -> pikepdf.Object:
    return pdf.make_indirect(
        pikepdf.Dictionary(
            Type=pikepdf.Name.Font,
            Subtype=pikepdf.Name.Type1,
            BaseFont=pikepdf.Name.Helvetica,
            Encoding=pikepdf.Name.WinAnsiEncoding,
        )
    )


def _invisible(text: str, box: Box, size: tuple[float, float]) -> bytes:
    """The drawing of one run of a text layer: there to be selected and searched, not seen."""
    width, height = size
    points = max(4.0, box.height * height)
    shown = text.encode("cp1252", "replace").hex()
    place = f"{box.x0 * width:.2f} {(1 - box.y1) * height:.2f}"
    return f"BT 3 Tr /F0 {points:.1f} Tf 1 0 0 1 {place} Tm <{shown}> Tj ET".encode()


def _image(pdf: pikepdf.Pdf, picture: Picture) -> pikepdf.Stream:
    """The picture as an image object: JPEG, or group 4 where there are only black and white."""
    height, width = picture.pixels.shape[:2]
    common = {"Type": pikepdf.Name.XObject, "Subtype": pikepdf.Name.Image, "Width": width, "Height": height}
    if picture.quality is None:
        shape = pikepdf.Dictionary(K=-1, Columns=width, Rows=height, BlackIs1=True)
        return pdf.make_stream(
            _group4(picture.pixels),
            **common,
            BitsPerComponent=1,
            ColorSpace=pikepdf.Name.DeviceGray,
            Filter=pikepdf.Name.CCITTFaxDecode,
            DecodeParms=shape,
        )
    grey = picture.pixels.ndim == 2  # noqa: PLR2004 - an array without a colour axis
    return pdf.make_stream(
        cv2.imencode(".jpg", picture.pixels, [cv2.IMWRITE_JPEG_QUALITY, picture.quality])[1].tobytes(),
        **common,
        BitsPerComponent=8,
        ColorSpace=pikepdf.Name.DeviceGray if grey else pikepdf.Name.DeviceRGB,
        Filter=pikepdf.Name.DCTDecode,
    )


def _group4(pixels: Pixels) -> bytes:
    """The bare CCITT group 4 data of a black and white picture, taken out of a TIFF of one strip."""
    height, width = pixels.shape
    file = BytesIO()
    one_bit = Image.fromarray(pixels).point(lambda grey: 255 if grey > 127 else 0, mode="1")  # noqa: PLR2004
    one_bit.save(file, "TIFF", compression="group4", strip_size=(width + 7) // 8 * height)
    file.seek(0)
    with TiffImagePlugin.TiffImageFile(file) as tiff:
        (offset,), (length,) = tiff.tag_v2[273], tiff.tag_v2[279]
    return file.getvalue()[offset : offset + length]
