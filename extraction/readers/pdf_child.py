"""The process that parses hostile files: structure (qpdf), text and pixels (PDFium). Run by path, never imported.

It gives up what it does not need before a parser sees the first byte, then answers one request after the other. A
message, in both directions, is two big-endian 32-bit lengths, a JSON header and a raw payload. Requests:

    open    payload: the file            answer: page sizes in points, and whether this process can read other files;
                                         payload: the file as it is read from now on (decrypted, repaired, form fields
                                         drawn), empty where it is the same
    text    numbers of pages             answer: one entry a page; payload: four 32-bit floats a word (its box)
    render  number, scale, crop, colour  answer: width, height, stride, channels, of whole pages their pictures;
                                         payload: the pixels

An answer `{"error": code}` is the only thing ever said about what went wrong. Standard library, pikepdf and pypdfium2
only: Django in here would cost its start-up time and put its secrets within a parser's reach.
"""

from __future__ import annotations

import ctypes
import importlib.util
import io
import json
import math
import os
import re
import resource
import signal
import struct
import sys
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any, BinaryIO, NoReturn

LENGTHS = struct.Struct(">II")
PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
TOTAL_CPU_SECONDS = 3600  # a whole document; one request has its own, much smaller limit


class Refused(Exception):
    """The file cannot be used; the text is one of the codes of `extraction.errors`."""


# Giving up rights


def confine(memory_bytes: int) -> None:
    """Takes away what a parser does not need: memory, files, processes, other programs, the network, outliving us."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        # A network of its own, without any interface. Some hosts forbid it, and the other limits still hold there.
        libc.unshare(CLONE_NEWUSER | CLONE_NEWNET)
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))


FONTS = (
    "/usr/share/fonts",
    "/usr/share/X11/fonts/Type1",
    "/usr/share/X11/fonts/TTF",
    "/usr/local/share/fonts",
)
"""Where PDFium looks for the fonts that a file names and does not bring along (core/fxge/linux)."""


def close_files(*, checks: bool) -> bool:
    """Takes away every file but installed modules and fonts. False where the kernel has no Landlock.

    Parsers and the libraries that they are linked with are loaded first; qpdf only if the structure is to be checked.
    """
    import pypdfium2.raw  # noqa: F401

    if checks:
        import pikepdf  # noqa: F401
    return bool(beside("landlock").confine((*sys.path, *FONTS, "/dev/urandom")))


def beside(name: str) -> Any:
    """A module that stands beside this file: the folder itself is on no path, because its names are not ours here."""
    spec = importlib.util.spec_from_file_location(name, os.path.join(os.path.dirname(__file__), f"{name}.py"))  # noqa: PTH118, PTH120
    assert spec is not None and spec.loader is not None  # noqa: S101, PT018 - a file of ours
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def allow_cpu(seconds: int) -> None:
    """From now on this process may use `seconds` of processor time; the kernel then ends it."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    limit = math.ceil(usage.ru_utime + usage.ru_stime) + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (min(limit, TOTAL_CPU_SECONDS), TOTAL_CPU_SECONDS))


# Structure, with qpdf

# Names that a scan of an object's text looks for; a hit is then confirmed on the object itself, because the same
# letters may stand in a string. qpdf has already undone escapes such as /J#61vaScript.
SUSPECT = re.compile(
    rb"/(?:JavaScript|JS|Launch|EmbeddedFiles?|EF|RichMedia\w*|XFA|OnInstantiate|GoToE|ImportData)(?![A-Za-z0-9])"
)
ACTIVE_ACTIONS = {"/JavaScript", "/Launch", "/GoToE", "/ImportData"}
ACTIVE_KEYS = {"/JavaScript", "/EmbeddedFiles", "/XFA", "/RichMediaContent", "/RichMediaSettings", "/OnInstantiate"}
FILE_KEYS = {"/F", "/UF", "/DOS", "/Mac", "/Unix"}
MAX_NESTING = 100
MAX_STREAM_BYTES = 128_000_000  # a content stream, font or table that inflates beyond this is a bomb
COMPRESSED_PICTURES = {"/DCTDecode", "/JPXDecode", "/JBIG2Decode", "/CCITTFaxDecode", "/DCT", "/CCF"}


def prepare(data: bytes, max_pages: int) -> bytes:
    """Checks the structure of a file and returns it as it is to be read: the same bytes wherever possible."""
    import pikepdf
    from pikepdf import settings

    settings.set_qpdf_limits(flate_max_memory=MAX_STREAM_BYTES, run_length_max_memory=MAX_STREAM_BYTES)
    try:
        document = pikepdf.open(io.BytesIO(data))
    except pikepdf.PasswordError:
        raise Refused("password_protected") from None
    except pikepdf.PdfError as error:
        if is_over_limit(error):
            raise Refused("too_complex") from None
        return prepare_again(data, max_pages)
    with document:
        pages = len(document.pages)
        if pages == 0:
            raise Refused("no_pages")
        if pages > max_pages:
            raise Refused("too_many_pages")
        check_objects(document)
        if has_drawn_annotations(document):
            # What a form field shows is text on the page for everyone who looks at it, so it becomes page content.
            document.generate_appearance_streams()
            document.flatten_annotations("screen")
        elif not document.is_encrypted and pages == pdfium_page_count(data):
            return data
        # Decrypted, and repaired where the two parsers do not see the same pages: a page that only one of them knows
        # would be left out without a word.
        prepared = io.BytesIO()
        document.save(prepared, compress_streams=True)
    return prepared.getvalue()


def prepare_again(data: bytes, max_pages: int) -> bytes:
    """A file that qpdf gives up on, as PDFium repairs and saves it. Only what PDFium kept is left to be checked."""
    import pypdfium2

    try:
        with pypdfium2.PdfDocument(data) as document:
            if len(document) == 0:
                raise Refused("damaged")
            saved = io.BytesIO()
            document.save(saved)
    except pypdfium2.PdfiumError:
        raise Refused("damaged") from None
    if saved.getvalue() == data:
        raise Refused("damaged")
    return checked_copy(saved.getvalue(), max_pages)


def checked_copy(saved: bytes, max_pages: int) -> bytes:
    import pikepdf

    try:
        pikepdf.open(io.BytesIO(saved)).close()
    except pikepdf.PdfError:
        raise Refused("damaged") from None
    return prepare(saved, max_pages)


def pdfium_page_count(data: bytes) -> int:
    """How many pages PDFium sees; -1 if it cannot open the file at all."""
    import pypdfium2

    try:
        with pypdfium2.PdfDocument(data) as document:
            return len(document)
    except pypdfium2.PdfiumError:
        return -1


def check_objects(document: Any) -> None:
    """Raises Refused for active content and for streams that inflate beyond all measure."""
    import pikepdf

    for thing in document.objects:
        if isinstance(thing, pikepdf.Stream):
            if is_active(thing.stream_dict):
                raise Refused("active_content")
            check_size(thing)
        elif isinstance(thing, (pikepdf.Dictionary, pikepdf.Array)) and is_active(thing):
            raise Refused("active_content")


def is_active(thing: Any) -> bool:
    return bool(SUSPECT.search(thing.unparse(resolved=True))) and holds_active(thing, 0)


def holds_active(thing: Any, depth: int) -> bool:
    """Whether a dictionary or array, with what stands directly inside it, runs a program or carries a file."""
    import pikepdf

    if depth > MAX_NESTING:
        raise Refused("too_complex")
    if isinstance(thing, pikepdf.Array):
        return any(not item.is_indirect and holds_active(item, depth + 1) for item in objects_in(thing))
    if not isinstance(thing, pikepdf.Dictionary):
        return False
    if starts_something(thing):
        return True
    return any(not value.is_indirect and holds_active(value, depth + 1) for value in objects_in(thing.values()))


def objects_in(values: Any) -> Iterator[Any]:
    import pikepdf

    return (value for value in values if isinstance(value, (pikepdf.Dictionary, pikepdf.Array)))


def starts_something(thing: Any) -> bool:
    import pikepdf

    keys = set(thing.keys())
    if keys & ACTIVE_KEYS:
        return True
    if "/S" in keys and isinstance(thing["/S"], pikepdf.Name) and str(thing["/S"]) in ACTIVE_ACTIONS:
        return True
    if "/JS" in keys and isinstance(thing["/JS"], (pikepdf.String, pikepdf.Stream)):
        return True
    if "/EF" in keys and isinstance(thing["/EF"], pikepdf.Dictionary) and FILE_KEYS & set(thing["/EF"].keys()):
        return True
    kinds = {str(thing[key]) for key in ("/Type", "/Subtype") if isinstance(thing.get(key), pikepdf.Name)}
    return bool(kinds & {"/EmbeddedFile", "/RichMedia"})


def check_size(stream: Any) -> None:
    """Raises Refused("too_complex") if a stream inflates beyond MAX_STREAM_BYTES.

    Pictures are left to PDFium, which knows their size before it draws them, unless filters stand inside each other.
    """
    import pikepdf

    filters = stream.get("/Filter")
    if filters is None:
        return
    nested = isinstance(filters, pikepdf.Array) and len(filters) > 1
    names = {str(name) for name in filters} if isinstance(filters, pikepdf.Array) else {str(filters)}
    if names & COMPRESSED_PICTURES or (stream.get("/Subtype") == pikepdf.Name.Image and not nested):
        return
    try:
        too_large = len(stream.read_bytes()) > MAX_STREAM_BYTES
    except pikepdf.PdfError as error:
        too_large = is_over_limit(error)
    if too_large:
        raise Refused("too_complex")


def is_over_limit(error: Exception) -> bool:
    """Whether qpdf stopped at one of its limits. It counts only some of them, and names the others in its message."""
    from pikepdf import settings

    return bool(settings.qpdf_limit_errors()) or "limit exceeded" in str(error)


def has_drawn_annotations(document: Any) -> bool:
    """Whether a page shows more than its own content and links: form fields, stamps, typed notes."""
    import pikepdf

    for page in document.pages:
        annotations = page.get("/Annots")
        if not isinstance(annotations, pikepdf.Array):
            continue
        for annotation in objects_in(annotations):
            if annotation.get("/Subtype") != pikepdf.Name.Link:
                return True
    return False


# Text and pixels, with PDFium

PEEK_SCALE = 0.5  # 36 dots per inch: enough to see whether anything is printed where a word claims to be
MIN_CONTRAST = 6  # grey levels of 255 within a word's box; less, and nobody could read it there
FAINT = (
    40  # grey levels of contrast; below, small print is drawn too coarsely here to tell, and its colour is asked for
)
MIN_INK = (
    26  # grey levels between a letter's colour and the paper's; less is a ratio under 1.3 (WCAG 2.2, 1.4.3 asks 4.5)
)
OVERLAP = 0.4  # share of the smaller of two words' boxes; more than lines that are set tightly have
MAX_OVERLAPS = 200  # words; a page with more is not believed
MAX_UNSEEN = 20_000  # characters of invisible text that are handed on
MIN_POINTS = 2.5  # letters lower than this are not meant to be read
MIN_PICTURE = 0.01  # share of the page; less is a bullet or an icon
GLYPH_POINTS = (60.0, 30.0)  # an outline with curves that is smaller than this may be a letter drawn as a path
GLYPH_SEGMENTS = 6  # the simplest letter with a curve has as many
PARAGRAPH_SEGMENTS = 400  # a single shape with more may be a whole line of letters
MAX_FORM_DEPTH = 8
FILLED_MODES = {0, 4}
INVISIBLE_MODES = {3, 7}  # neither filled nor stroked; only added to the clipping path
WORD = re.compile("[^\\s\x00-\x08\x0b-\x1f\ufffe]+[\x02\ufffe]?")
SIGNS = re.compile(r"[_.:;,·…\-–—]+")
UTF_32 = f"utf-32-{'le' if sys.byteorder == 'little' else 'be'}"
LINE_BREAK_HYPHEN = "\x02\ufffe"  # PDFium marks a hyphen at the end of a line with either

# Which way the letters of a word go on the page as shown: right, down, left, up.
RIGHT, DOWN, LEFT, UP = range(4)


Sides = tuple[float, float, float, float]  # left, top, right, bottom
Matrix = tuple[float, float, float, float, float, float]  # x' = ax + cy + e, y' = bx + dy + f


def combined(first: Matrix, then: Matrix) -> Matrix:
    a, b, c, d, e, f = first
    p, q, r, s, t, u = then
    return a * p + b * r, a * q + b * s, c * p + d * r, c * q + d * s, e * p + f * r + t, e * q + f * s + u


def mapped(matrix: Matrix, left: float, bottom: float, right: float, top: float) -> Sides:
    """A rectangle after `matrix`, which turns by quarters only as far as pages are concerned."""
    a, b, c, d, e, f = matrix
    xs = [a * x + c * y + e for x in (left, right) for y in (bottom, top)]
    ys = [b * x + d * y + f for x in (left, right) for y in (bottom, top)]
    return min(xs), min(ys), max(xs), max(ys)


class Document:
    """An open document and its pages in PDFium's own terms."""

    def __init__(self, data: bytes) -> None:
        import pypdfium2
        import pypdfium2.raw

        self.raw = pypdfium2.raw
        try:
            self.document = pypdfium2.PdfDocument(data)
        except pypdfium2.PdfiumError:
            raise Refused("damaged") from None

    def sizes(self) -> list[tuple[float, float]]:
        """Width and height of every page as shown, in points."""
        size = self.raw.FS_SIZEF()
        sizes = []
        for index in range(len(self.document)):
            if not self.raw.FPDF_GetPageSizeByIndexF(self.document.raw, index, size):
                raise Refused("damaged")
            sizes.append((size.width, size.height))
        return sizes

    def page(self, number: int) -> PageView:
        handle = self.raw.FPDF_LoadPage(self.document.raw, number - 1)
        if not handle:
            raise Refused("page_unreadable")
        return PageView(self.raw, handle)


class PageView:
    """One loaded page: its objects, its text, its pixels."""

    def __init__(self, raw: Any, handle: Any) -> None:
        self.raw, self.handle = raw, handle
        self.width = float(raw.FPDF_GetPageWidthF(handle))
        self.height = float(raw.FPDF_GetPageHeightF(handle))
        self.to_page = self.matrix()

    def close(self) -> None:
        self.raw.FPDF_ClosePage(self.handle)

    def matrix(self) -> Matrix:
        """Takes page coordinates (CropBox and /Rotate undone) to fractions of the page as shown."""
        size, step = 1_000_000, 100
        x, y = ctypes.c_int(), ctypes.c_int()
        points = []
        for at in ((0, 0), (step, 0), (0, step)):
            self.raw.FPDF_PageToDevice(self.handle, 0, 0, size, size, 0, *at, x, y)
            points.append((x.value / size, y.value / size))
        (e, f), (xx, xy), (yx, yy) = points
        return (xx - e) / step, (xy - f) / step, (yx - e) / step, (yy - f) / step, e, f

    def draw(self, scale: float, crop: Sides = (0.0, 0.0, 1.0, 1.0), *, colour: bool = False) -> Pixels:
        """The part `crop` (fractions) of the page at `scale` pixels a point."""
        raw = self.raw
        whole = max(1, round(self.width * scale)), max(1, round(self.height * scale))
        x0, y0 = math.floor(crop[0] * whole[0]), math.floor(crop[1] * whole[1])
        width = max(1, math.ceil(crop[2] * whole[0]) - x0)
        height = max(1, math.ceil(crop[3] * whole[1]) - y0)
        bitmap = raw.FPDFBitmap_CreateEx(width, height, raw.FPDFBitmap_BGR if colour else raw.FPDFBitmap_Gray, None, 0)
        if not bitmap:
            raise Refused("page_unreadable")
        raw.FPDFBitmap_FillRect(bitmap, 0, 0, width, height, 0xFFFFFFFF)
        flags = raw.FPDF_ANNOT | (raw.FPDF_REVERSE_BYTE_ORDER if colour else raw.FPDF_GRAYSCALE)
        raw.FPDF_RenderPageBitmap(bitmap, self.handle, -x0, -y0, *whole, 0, flags)
        stride = raw.FPDFBitmap_GetStride(bitmap)
        pixels = ctypes.string_at(raw.FPDFBitmap_GetBuffer(bitmap), stride * height)
        raw.FPDFBitmap_Destroy(bitmap)
        return Pixels(width, height, stride, 3 if colour else 1, pixels)

    def objects(self) -> Iterator[tuple[int, Any, Matrix]]:
        """Everything drawn: its type, its handle and what takes its coordinates to fractions of the page."""
        raw = self.raw
        for index in range(raw.FPDFPage_CountObjects(self.handle)):
            yield from self.leaves(raw.FPDFPage_GetObject(self.handle, index), self.to_page, 0)

    def leaves(self, thing: Any, matrix: Matrix, depth: int) -> Iterator[tuple[int, Any, Matrix]]:
        """An object itself or, for a form XObject, everything inside it."""
        raw = self.raw
        kind = raw.FPDFPageObj_GetType(thing)
        if kind != raw.FPDF_PAGEOBJ_FORM or depth == MAX_FORM_DEPTH:
            yield kind, thing, matrix
            return
        own = raw.FS_MATRIX()
        raw.FPDFPageObj_GetMatrix(thing, own)
        matrix = combined((own.a, own.b, own.c, own.d, own.e, own.f), matrix)
        for index in range(raw.FPDFFormObj_CountObjects(thing)):
            yield from self.leaves(raw.FPDFFormObj_GetObject(thing, index), matrix, depth + 1)

    def bounds(self, thing: Any, matrix: Matrix) -> Sides:
        """The visible part of an object's box, in fractions."""
        sides = [ctypes.c_float() for _ in range(4)]
        if not self.raw.FPDFPageObj_GetBounds(thing, *sides):
            return 0.0, 0.0, 0.0, 0.0
        x0, y0, x1, y1 = mapped(matrix, *(side.value for side in sides))
        return max(0.0, x0), max(0.0, y0), max(0.0, min(1.0, x1)), max(0.0, min(1.0, y1))

    def pictures(self, objects: Iterable[tuple[int, Any, Matrix]]) -> list[tuple[Any, Sides]]:
        """Images that take up more of the page than a bullet or an icon."""
        images = (found for found in objects if found[0] == self.raw.FPDF_PAGEOBJ_IMAGE)
        placed = ((thing, self.bounds(thing, matrix)) for _, thing, matrix in images)
        return [(thing, (x0, y0, x1, y1)) for thing, (x0, y0, x1, y1) in placed if (x1 - x0) * (y1 - y0) >= MIN_PICTURE]

    def described(self, pictures: Iterable[tuple[Any, Sides]]) -> list[list[float]]:
        """Each picture's box with its pixels across, down and bits a pixel (noughts: unknown). Nothing is decoded."""
        facts = self.raw.FPDF_IMAGEOBJ_METADATA()
        found = []
        for picture, box in pictures:
            known = self.raw.FPDFImageObj_GetImageMetadata(picture, self.handle, facts)
            found.append([*box, *((facts.width, facts.height, facts.bits_per_pixel) if known else (0, 0, 0))])
        return found

    def is_glyph_outline(self, path: Any, matrix: Matrix) -> bool:
        """Whether a path is small and has curves, as letters drawn as shapes do."""
        raw = self.raw
        segments = raw.FPDFPath_CountSegments(path)
        if segments < GLYPH_SEGMENTS:
            return False
        types = (
            raw.FPDFPathSegment_GetType(raw.FPDFPath_GetPathSegment(path, index)) for index in range(GLYPH_SEGMENTS)
        )
        if raw.FPDF_SEGMENT_BEZIERTO not in types:
            return False
        x0, y0, x1, y1 = self.bounds(path, matrix)
        small = (x1 - x0) * self.width < GLYPH_POINTS[0] and (y1 - y0) * self.height < GLYPH_POINTS[1]
        return small or segments > PARAGRAPH_SEGMENTS


class Pixels:
    """A drawn page or part of one."""

    def __init__(self, width: int, height: int, stride: int, channels: int, data: bytes) -> None:
        self.width, self.height, self.stride, self.channels, self.data = width, height, stride, channels, data

    def rows(self, x0: float, y0: float, x1: float, y1: float) -> bytes:
        """The shades in the rows through the middle of a box (in fractions)."""
        left, right = int(x0 * self.width), min(self.width, int(x1 * self.width) + 1)
        top, bottom = int((3 * y0 + y1) / 4 * self.height), min(self.height, int((y0 + 3 * y1) / 4 * self.height) + 1)
        left, top = max(left, 0), max(top, 0)
        return b"".join(self.data[row * self.stride + left : row * self.stride + right] for row in range(top, bottom))

    def contrast(self, *box: float) -> int:
        """How far apart the shades within a box are."""
        shades = self.rows(*box)
        return max(shades) - min(shades) if shades else 0

    def middle(self, *box: float) -> int:
        """The shade that half of a box is at most as dark as."""
        shades = sorted(self.rows(*box))
        return shades[len(shades) // 2] if shades else 255

    def differs(self, other: Pixels, *box: float) -> bool:
        """Whether an eye can tell a box from the same one of another drawing of the page."""
        pairs = zip(self.rows(*box), other.rows(*box), strict=True)
        return any(abs(here - there) >= MIN_CONTRAST for here, there in pairs)

    def is_flat(self, box: Sides) -> bool:
        """Whether a part of the page shows one single shade."""
        left, right = int(box[0] * self.width), max(int(box[0] * self.width) + 1, int(box[2] * self.width))
        top, bottom = int(box[1] * self.height), max(int(box[1] * self.height) + 1, int(box[3] * self.height))
        step = self.channels
        first = self.data[top * self.stride + left * step : top * self.stride + (left + 1) * step]
        flat = first * (right - left)
        starts = (row * self.stride + left * step for row in range(top, bottom))
        return all(self.data[start : start + len(flat)] == flat for start in starts)


def read_text(page: PageView) -> tuple[dict[str, Any], array[float]]:
    """What a page's text layer says and what speaks against believing it."""
    raw = page.raw
    objects = list(page.objects())
    texts = [thing for kind, thing, _ in objects if kind == raw.FPDF_PAGEOBJ_TEXT]
    paths = [(thing, matrix) for kind, thing, matrix in objects if kind == raw.FPDF_PAGEOBJ_PATH]
    entry: dict[str, Any] = {
        "width": page.width,
        "height": page.height,
        "objects": len(objects),
        "outlines": sum(page.is_glyph_outline(*path) for path in paths),
        "pictures": page.described(page.pictures(objects)),
    }
    text_page = raw.FPDFText_LoadPage(page.handle)
    if not text_page:
        raise Refused("page_unreadable")
    try:
        words = Words(page, text_page, texts)
        words.collect()
        words.drop_overprinted()
    finally:
        raw.FPDFText_ClosePage(text_page)
    entry.update(words=words.texts, directions=words.directions, hidden=words.hidden, unmapped=words.unmapped)
    entry["unseen"] = words.unseen
    return entry, words.boxes


class Words:
    """Collects the visible words of one page, each with its box and direction, and apart from them the invisible ones.

    `texts` are the page's text objects. A word is visible if the page looks different without it.
    """

    def __init__(self, page: PageView, text_page: Any, texts: Sequence[Any]) -> None:
        self.page, self.raw, self.text_page = page, page.raw, text_page
        self.texts: list[str] = []
        self.boxes: array[float] = array("f")
        self.directions: list[int] = []
        self.hidden = 0  # letters that are there for programs but not for people
        self.unmapped = 0  # letters whose font does not say which they are
        self.unseen: list[str] = []  # words that are hidden, or beside the page
        self.room = MAX_UNSEEN
        self.starts: list[int] = []  # where each word begins in PDFium's numbering
        self.objects = texts
        modes = {self.raw.FPDFTextObj_GetTextRenderMode(text) for text in texts}
        self.some_invisible = bool(modes & INVISIBLE_MODES)
        self.drawn: tuple[Pixels, Pixels] | None = None
        self.rect = self.raw.FS_RECTF()

    def collect(self) -> None:
        for match in WORD.finditer(self.text()):
            start, end = match.span()
            text = match.group()
            if text[-1] in LINE_BREAK_HYPHEN:
                text = text[:-1] + "-"
            first = self.char_box(start)
            last = first if end - start == 1 else self.char_box(end - 1)
            if self.is_straight(first, last, end - start):
                self.add(text, start, first, last)
                continue
            for begin, stop in self.pieces(start, end):
                self.add(text[begin - start : stop - start], begin, self.char_box(begin), self.char_box(stop - 1))

    def text(self) -> str:
        """The page's text with exactly one character for each of PDFium's character indices."""
        raw, count = self.raw, self.raw.FPDFText_CountChars(self.text_page)
        if count <= 0:
            return ""
        buffer = (ctypes.c_ushort * (count + 1))()
        written = raw.FPDFText_GetText(self.text_page, 0, count, buffer) - 1
        text = bytes(buffer)[: 2 * written].decode("utf-16-le", "replace")
        if written == count and len(text) == count:
            return text
        # Characters without a meaning, or beyond the 16-bit plane, shift the two numberings: ask one by one.
        codes = array("I", (raw.FPDFText_GetUnicode(self.text_page, index) or 0xFFFD for index in range(count)))
        return codes.tobytes().decode(UTF_32, "replace")

    def char_box(self, index: int) -> Sides:
        rect = self.rect
        if not self.raw.FPDFText_GetLooseCharBox(self.text_page, index, rect):
            return 0.0, 0.0, 0.0, 0.0
        a, b, c, d, e, f = self.page.to_page
        x0, y0 = a * rect.left + c * rect.bottom + e, b * rect.left + d * rect.bottom + f
        x1, y1 = a * rect.right + c * rect.top + e, b * rect.right + d * rect.top + f
        return (x0 if x0 < x1 else x1), (y0 if y0 < y1 else y1), (x1 if x0 < x1 else x0), (y1 if y0 < y1 else y0)

    def is_straight(self, first: Sides, last: Sides, length: int) -> bool:
        """Whether a word looks like one run of letters, from the boxes of its first and last letter."""
        width, height = self.page.width, self.page.height
        letter = max((first[3] - first[1]) * height, (first[2] - first[0]) * width, (last[3] - last[1]) * height)
        across = abs(last[0] - first[0]) * width
        down = abs(last[1] - first[1]) * height
        return across + down <= 1.6 * letter * length and (down <= 0.8 * letter or across <= 0.8 * letter)

    def pieces(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Where PDFium ran text together across a gap or a line, the parts that stand together."""
        boxes = [self.char_box(index) for index in range(start, end)]
        width, height = self.page.width, self.page.height
        begin = start
        for index, (before, here) in enumerate(pairwise(boxes), start + 1):
            letter = max((here[3] - here[1]) * height, (here[2] - here[0]) * width)
            gap_x = max(here[0] - before[2], before[0] - here[2]) * width
            gap_y = max(here[1] - before[3], before[1] - here[3]) * height
            if max(gap_x, gap_y) > 0.8 * letter:
                yield begin, index
                begin = index
        yield begin, end

    def add(self, text: str, start: int, first: Sides, last: Sides) -> None:
        x0, y0 = min(first[0], last[0]), min(first[1], last[1])
        x1, y1 = max(first[2], last[2]), max(first[3], last[3])
        if not (0 <= (x0 + x1) / 2 <= 1 and 0 <= (y0 + y1) / 2 <= 1):
            self.note_unseen(text)  # Its middle is beside the page, which says nothing about the rest.
            return
        tall, wide = (first[3] - first[1]) * self.page.height, (first[2] - first[0]) * self.page.width
        is_sign = SIGNS.fullmatch(text) is not None
        if max(tall, wide) < MIN_POINTS or not self.is_visible(start, x0, y0, x1, y1, is_sign=is_sign):
            self.note_hidden(text)
            return
        if self.raw.FPDFText_HasUnicodeMapError(self.text_page, start) == 1:
            self.unmapped += len(text)
        self.texts.append(text)
        self.starts.append(start)
        self.directions.append(self.direction(first, last) if len(text) > 1 else RIGHT)
        self.boxes.extend((max(0.0, x0), max(0.0, y0), min(1.0, x1), min(1.0, y1)))

    def note_hidden(self, text: str) -> None:
        """A line to be filled in runs below what is looked at, and signs alone hide nothing from anybody."""
        self.hidden += 0 if SIGNS.fullmatch(text) else len(text)
        self.note_unseen(text)

    def note_unseen(self, text: str) -> None:
        if self.room > 0:
            self.unseen.append(text[: self.room])
            self.room -= len(text)

    def is_visible(self, index: int, *box: float, is_sign: bool = False) -> bool:
        """Whether a word is meant to be drawn, and something is seen there that is not without it.

        A small colon is hardly more than a shadow in so coarse a drawing.
        """
        if self.some_invisible and self.mode(index) in INVISIBLE_MODES:
            return False
        if self.drawn is None:
            self.drawn = self.with_and_without_text()
        shown, bare = self.drawn
        contrast = shown.contrast(*box)
        if contrast < (1 if is_sign else MIN_CONTRAST) or (contrast < FAINT and not self.has_ink(index, *box)):
            return False
        if bare.contrast(*box) < MIN_CONTRAST:
            return True
        # Something else is drawn here, and white letters that cut a ruling line in two are no more to be read.
        return self.has_ink(index, *box) and shown.differs(bare, *box)

    def with_and_without_text(self) -> tuple[Pixels, Pixels]:
        shown = self.page.draw(PEEK_SCALE)
        for text in self.objects:
            self.raw.FPDFPageObj_SetIsActive(text, False)
        bare = self.page.draw(PEEK_SCALE)
        for text in self.objects:
            self.raw.FPDFPageObj_SetIsActive(text, True)
        return shown, bare

    def has_ink(self, index: int, *box: float) -> bool:
        """Whether the colour of a filled letter can be told from what is drawn under it."""
        if self.drawn is None or self.mode(index) not in FILLED_MODES:
            return True
        red, green, blue, alpha = (ctypes.c_uint() for _ in range(4))
        if not self.raw.FPDFText_GetFillColor(self.text_page, index, red, green, blue, alpha):
            return True
        paper = self.drawn[1].middle(*box)
        ink = 0.299 * red.value + 0.587 * green.value + 0.114 * blue.value
        return abs(ink - paper) * alpha.value / 255 >= MIN_INK

    def drop_overprinted(self) -> None:
        """Takes out the words that others stand on, where the page looks the same without them."""
        stacked = self.overlapping()
        if not stacked:
            return
        gone = {
            place
            for count, place in enumerate(stacked)
            if count >= MAX_OVERLAPS or not self.stands_out(self.starts[place], *self.box(place))
        }
        for place in gone:
            self.note_hidden(self.texts[place])
        kept = [place for place in range(len(self.texts)) if place not in gone]
        self.boxes = array("f", (side for place in kept for side in self.box(place)))
        self.texts = [self.texts[place] for place in kept]
        self.directions = [self.directions[place] for place in kept]

    def box(self, place: int) -> Sides:
        x0, y0, x1, y1 = self.boxes[4 * place : 4 * place + 4]
        return x0, y0, x1, y1

    def overlapping(self) -> list[int]:
        """The words whose boxes share much of their area with another one's."""
        boxes = [(*self.box(place), place) for place in range(len(self.texts))]
        boxes.sort(key=lambda box: box[1])
        found: set[int] = set()
        for at, (x0, y0, x1, y1, place) in enumerate(boxes):
            for other in range(at + 1, len(boxes)):
                u0, v0, u1, v1, neighbour = boxes[other]
                if v0 >= y1 - OVERLAP * min(y1 - y0, v1 - v0):
                    break
                common = (min(x1, u1) - max(x0, u0)) * (min(y1, v1) - v0)
                if min(x1, u1) > max(x0, u0) and common > OVERLAP * min((x1 - x0) * (y1 - y0), (u1 - u0) * (v1 - v0)):
                    found |= {place, neighbour}
        return sorted(found)

    def stands_out(self, index: int, *box: float) -> bool:
        """Whether the page looks different without the text that a character belongs to."""
        thing = self.raw.FPDFText_GetTextObject(self.text_page, index)
        if not thing or self.drawn is None or not self.has_ink(index, *box):
            return False
        self.raw.FPDFPageObj_SetIsActive(thing, False)
        without = self.page.draw(PEEK_SCALE)
        self.raw.FPDFPageObj_SetIsActive(thing, True)
        return self.drawn[0].differs(without, *box)

    def mode(self, index: int) -> int:
        """Text rendering mode (PDF 32000-1, table 106) of the object that a character belongs to."""
        thing = self.raw.FPDFText_GetTextObject(self.text_page, index)
        return int(self.raw.FPDFTextObj_GetTextRenderMode(thing)) if thing else 0

    def direction(self, first: Sides, last: Sides) -> int:
        across = (last[0] + last[2] - first[0] - first[2]) * self.page.width
        down = (last[1] + last[3] - first[1] - first[3]) * self.page.height
        if abs(across) >= abs(down):
            return RIGHT if across >= 0 else LEFT
        return DOWN if down > 0 else UP


def check_pictures(page: PageView, pixels: Pixels, pictures: Iterable[tuple[Any, Sides]]) -> None:
    """Raises Refused if a picture of the page could not be decoded.

    PDFium then draws nothing in its place, and a page without its picture would pass for a page without NAM.
    """
    for picture, box in pictures:
        if pixels.is_flat(box):
            bitmap = page.raw.FPDFImageObj_GetBitmap(picture)
            if not bitmap:
                raise Refused("page_unreadable")
            page.raw.FPDFBitmap_Destroy(bitmap)


# Requests


class Server:
    """Holds the open document and answers requests about it."""

    def __init__(self, limits: dict[str, Any]) -> None:
        self.limits = limits
        self.document: Document | None = None
        self.is_closed: bool | None = None

    def open(self, header: dict[str, Any], payload: bytes) -> tuple[dict[str, Any], bytes]:
        if self.is_closed is None:
            self.is_closed = close_files(checks=header["check"])
        prepared = prepare(payload, self.limits["pages"]) if header["check"] else payload
        self.document = Document(prepared)
        sizes = self.document.sizes()
        if not sizes:
            raise Refused("no_pages")
        if len(sizes) > self.limits["pages"]:
            raise Refused("too_many_pages")
        for size in sizes:
            if not all(math.isfinite(side) and side > 0 for side in size):
                raise Refused("damaged")
            if max(size) > self.limits["page_points"]:
                raise Refused("page_too_large")
        return {"sizes": sizes, "closed": self.is_closed}, b"" if prepared is payload else prepared

    def text(self, header: dict[str, Any], payload: bytes) -> tuple[dict[str, Any], bytes]:
        entries, boxes = [], array("f")
        for number in header["numbers"]:
            page = self.loaded(number)
            entry, more = read_text(page)
            page.close()
            entries.append({"number": number, **entry})
            boxes.extend(more)
        return {"pages": entries}, boxes.tobytes()

    def render(self, header: dict[str, Any], payload: bytes) -> tuple[dict[str, Any], bytes]:
        page = self.loaded(header["number"])
        pixels = page.draw(header["scale"], header["crop"], colour=header["colour"])
        shape: dict[str, Any]
        shape = {"width": pixels.width, "height": pixels.height, "stride": pixels.stride, "channels": pixels.channels}
        if header["crop"] == [0, 0, 1, 1]:
            objects = list(page.objects())
            pictures = page.pictures(objects)
            check_pictures(page, pixels, pictures)
            shape |= {"pictures": page.described(pictures), "objects": len(objects)}
        page.close()
        return shape, pixels.data

    def loaded(self, number: int) -> PageView:
        if self.document is None:
            raise Refused("page_unreadable")
        return self.document.page(number)

    def answer(self, header: dict[str, Any], payload: bytes) -> tuple[dict[str, Any], bytes]:
        does: dict[str, Callable[[dict[str, Any], bytes], tuple[dict[str, Any], bytes]]]
        does = {"open": self.open, "text": self.text, "render": self.render}
        try:
            return does[header["do"]](header, payload)
        except Refused as refused:
            return {"error": str(refused)}, b""
        except (MemoryError, RecursionError):
            return {"error": "too_complex"}, b""


def read_message(stream: BinaryIO) -> tuple[dict[str, Any], bytes] | None:
    lengths = stream.read(LENGTHS.size)
    if len(lengths) < LENGTHS.size:
        return None
    size, payload = LENGTHS.unpack(lengths)
    return json.loads(stream.read(size)), stream.read(payload)


def write_message(stream: BinaryIO, header: dict[str, Any], payload: bytes) -> None:
    head = json.dumps(header).encode()
    stream.write(LENGTHS.pack(len(head), len(payload)) + head)
    stream.write(payload)
    stream.flush()


def main() -> NoReturn:
    limits = json.loads(sys.argv[1])
    confine(limits["memory_bytes"])
    server = Server(limits)
    while message := read_message(sys.stdin.buffer):
        allow_cpu(limits["cpu_seconds"])
        write_message(sys.stdout.buffer, *server.answer(*message))
    os._exit(0)  # Nothing is left to tidy up, and libraries have crashed while trying.


if __name__ == "__main__":
    main()
