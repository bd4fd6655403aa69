"""PDFs that are broken, dangerous or merely odd, each built in memory by one function. All text is synthetic."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable, Sequence

import numpy as np
import pikepdf
from pikepdf import Array, Dictionary, Encryption, Name, Pdf, String
from PIL import Image
from reportlab.lib.pagesizes import letter
from reportlab.pdfgen import canvas

PAGE = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << >> >>"
PAGES = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
CATALOG = b"<< /Type /Catalog /Pages 2 0 R >>"


def raw_pdf(objects: Sequence[bytes], *, root: int = 1) -> bytes:
    """A PDF of these objects, numbered from 1, with a correct cross-reference table."""
    out, places = bytearray(b"%PDF-1.7\n"), []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root %d 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, root, table)
    return bytes(out)


def stream(data: bytes, entries: bytes = b"") -> bytes:
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(data), entries, data)


def plain(text: str = "Clinique du Parc, horaire du jour", pages: int = 1) -> bytes:
    """An ordinary born-digital file: one line of text a page."""
    out = io.BytesIO()
    drawing = canvas.Canvas(out, pagesize=letter, invariant=True)
    for _ in range(pages):
        drawing.drawString(72, 700, text)
        drawing.showPage()
    drawing.save()
    return out.getvalue()


def changed(change: Callable[[Pdf], None], *, object_streams: bool = False) -> bytes:
    """An ordinary file after `change`."""
    out = io.BytesIO()
    mode = pikepdf.ObjectStreamMode.generate if object_streams else pikepdf.ObjectStreamMode.disable
    with pikepdf.open(io.BytesIO(plain())) as document:
        change(document)
        document.save(out, object_stream_mode=mode)
    return out.getvalue()


# Not a PDF


def text_file() -> bytes:
    return b"Ceci n'est pas un PDF.\n" * 100


def renamed_image() -> bytes:
    out = io.BytesIO()
    Image.new("L", (50, 50), 200).save(out, "PNG")
    return out.getvalue()


def renamed_zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.txt", "a")
    return out.getvalue()


def late_header() -> bytes:
    return b" " * 1100 + plain()


# Damaged


def cut_to_its_header() -> bytes:
    return plain()[:40]


def noise_after_header() -> bytes:
    return b"%PDF-1.7\n" + np.random.default_rng(1).bytes(20_000)


def without_its_end() -> bytes:
    """The cross-reference table is cut off; every object is there."""
    whole = plain()
    return whole[: whole.rindex(b"xref", 0, whole.rindex(b"startxref"))]


def wrong_cross_references() -> bytes:
    whole = bytearray(plain())
    table = whole.rindex(b"xref", 0, whole.rindex(b"startxref"))
    whole[table + 20 : table + 60] = b"9" * 40
    return bytes(whole)


def header_after_junk() -> bytes:
    return b"\xef\xbb\xbf" + b"junk\n" * 100 + plain()


# Locked


def locked(*, user: str = "", owner: str = "owner-secret") -> bytes:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(plain())) as document:
        document.save(out, encryption=Encryption(user=user, owner=owner))
    return out.getvalue()


# Pages


def no_pages() -> bytes:
    return raw_pdf([CATALOG, b"<< /Type /Pages /Kids [] /Count 0 >>"])


def huge_page() -> bytes:
    return raw_pdf([CATALOG, PAGES, PAGE.replace(b"612 792", b"200000 200000"), stream(b"")])


def page_of(width: float, height: float) -> bytes:
    return raw_pdf([CATALOG, PAGES, PAGE.replace(b"612 792", b"%g %g" % (width, height)), stream(b"")])


def million_pages_claimed() -> bytes:
    return raw_pdf([CATALOG, PAGES.replace(b"/Count 1", b"/Count 1000000"), PAGE, stream(b"")])


# Too complex


def nested_flate(size: int = 300_000_000) -> bytes:
    """About a kilobyte that inflates to `size` zeros: two Flate filters inside each other."""
    packer = zlib.compressobj(9)
    once = b"".join(packer.compress(bytes(1_000_000)) for _ in range(size // 1_000_000)) + packer.flush()
    twice = zlib.compress(once, 9)
    return raw_pdf([CATALOG, PAGES, PAGE, stream(twice, b"/Filter [/FlateDecode /FlateDecode]")])


def single_flate(size: int = 200_000_000) -> bytes:
    packer = zlib.compressobj(9)
    zeros = bytes(10_000_000)
    once = b"".join(packer.compress(zeros) for _ in range(size // len(zeros))) + packer.flush()
    return raw_pdf([CATALOG, PAGES, PAGE, stream(once, b"/Filter /FlateDecode")])


def deep_page_tree(depth: int = 30_000) -> bytes:
    objects = [CATALOG]
    for number in range(2, depth):
        objects.append(b"<< /Type /Pages /Kids [%d 0 R] /Count 1 >>" % (number + 1))
    objects.append(b"<< /Type /Page /MediaBox [0 0 612 792] >>")
    return raw_pdf(objects)


def page_tree_loop() -> bytes:
    return raw_pdf([CATALOG, b"<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 2 >>"])


def cross_reference_loop() -> bytes:
    whole = plain()
    table = whole.rindex(b"xref", 0, whole.rindex(b"startxref"))
    return whole.replace(b"trailer\n<<", b"trailer\n<< /Prev %d" % table)


def nested_arrays(depth: int = 200_000) -> bytes:
    return raw_pdf([CATALOG, PAGES, PAGE, stream(b""), b"[" * depth + b"]" * depth])


def many_objects(count: int = 200_000) -> bytes:
    return raw_pdf([CATALOG, PAGES, PAGE, stream(b""), *[b"[]"] * count])


# Active content


def javascript_on_open() -> bytes:
    return changed(lambda d: d.Root.__setitem__("/OpenAction", _script(d)))


def javascript_escaped() -> bytes:
    """The same with the name written /J#61vaScript."""
    action = b"<< /S /J#61vaScript /J#53 (app.alert) >>"
    return raw_pdf([CATALOG.replace(b">>", b"/OpenAction 5 0 R >>"), PAGES, PAGE, stream(b""), action])


def javascript_in_object_stream() -> bytes:
    def change(document: Pdf) -> None:
        document.Root.OpenAction = document.make_indirect(_script(document))

    return changed(change, object_streams=True)


def javascript_in_name_tree() -> bytes:
    def change(document: Pdf) -> None:
        document.Root.Names = Dictionary(JavaScript=Dictionary(Names=Array([String("a"), _script(document)])))

    return changed(change)


def javascript_on_annotation() -> bytes:
    def change(document: Pdf) -> None:
        link = Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=[0, 0, 9, 9], A=_script(document))
        document.pages[0].obj.Annots = Array([link])

    return changed(change)


def launch() -> bytes:
    return changed(lambda d: d.Root.__setitem__("/OpenAction", Dictionary(S=Name.Launch, F=String("calc.exe"))))


def attached_file() -> bytes:
    return changed(lambda d: d.attachments.__setitem__("note.txt", b"content"))


def rich_media() -> bytes:
    def change(document: Pdf) -> None:
        film = Dictionary(Type=Name.Annot, Subtype=Name.RichMedia, Rect=[0, 0, 9, 9], RichMediaContent=Dictionary())
        document.pages[0].obj.Annots = Array([document.make_indirect(film)])

    return changed(change)


def xfa_form() -> bytes:
    def change(document: Pdf) -> None:
        document.Root.AcroForm = Dictionary(Fields=Array([]), XFA=document.make_stream(b"<xdp/>"))

    return changed(change)


def embedded_file_escaped() -> bytes:
    """/EmbeddedFiles and /EF written with escapes."""
    names = b"/Names << /Embedded#46iles << /Names [(a) 5 0 R] >> >> >>"
    carried = b"<< /Type /Filespec /F (a.exe) /#45F << /F 6 0 R >> >>"
    held = stream(b"MZ", b"/Type /Embedded#46ile")
    return raw_pdf([CATALOG.replace(b">>", names), PAGES, PAGE, stream(b""), carried, held])


def launch_escaped() -> bytes:
    return raw_pdf([CATALOG.replace(b">>", b"/OpenAction << /S /L#61unch /F (sh) >> >>"), PAGES, PAGE, stream(b"")])


def script_on_an_event() -> bytes:
    """/AA: a script that runs when the page is opened."""
    page = PAGE.replace(b"/Contents", b"/AA << /O << /S /JavaScript /JS (app.alert) >> >> /Contents")
    return raw_pdf([CATALOG, PAGES, page, stream(b"")])


def rich_media_in_object_stream() -> bytes:
    def change(document: Pdf) -> None:
        film = Dictionary(Type=Name.Annot, Subtype=Name.RichMedia, Rect=[0, 0, 9, 9], RichMediaContent=Dictionary())
        document.pages[0].obj.Annots = document.make_indirect(Array([document.make_indirect(film)]))

    return changed(change, object_streams=True)


def xfa_in_object_stream() -> bytes:
    def change(document: Pdf) -> None:
        form = Dictionary(Fields=Array([]), XFA=Array([String("template"), document.make_stream(b"<xdp/>")]))
        document.Root.AcroForm = document.make_indirect(form)

    return changed(change, object_streams=True)


def import_data() -> bytes:
    return changed(lambda d: d.Root.__setitem__("/OpenAction", Dictionary(S=Name.ImportData, F=String("a.fdf"))))


EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


def eicar() -> bytes:
    """The test file of the anti-virus makers, which is no PDF."""
    return EICAR


def eicar_attached() -> bytes:
    return changed(lambda d: d.attachments.__setitem__("eicar.com", EICAR))


def _script(document: Pdf) -> Dictionary:
    return Dictionary(S=Name.JavaScript, JS=String("app.alert(1)"))


# Pictures and polyglots


def picture_with(coding: bytes, data: bytes, width: int = 60_000, height: int = 60_000) -> bytes:
    """A page that is one picture, said to be huge, whose data are these."""
    entries = b"/Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceGray /BitsPerComponent 8" % (
        width, height,
    )  # fmt: skip
    page = PAGE.replace(b"/Resources << >>", b"/Resources << /XObject << /P 5 0 R >> >>")
    return raw_pdf([CATALOG, PAGES, page, stream(b"q 612 0 0 792 0 0 cm /P Do Q"), stream(data, entries + coding)])


def jbig2_noise() -> bytes:
    return picture_with(b" /Filter /JBIG2Decode", np.random.default_rng(3).bytes(5_000))


def jbig2_huge_page() -> bytes:
    """A page information segment that asks for 2**31 by 2**31 pixels."""
    segment = b"\0\0\0\0\x30\0\1\0\0\0\x13" + b"\x7f\xff\xff\xff" * 2 + bytes(11)
    return picture_with(b" /Filter /JBIG2Decode", segment)


def jpx_huge() -> bytes:
    """A JPEG 2000 codestream whose header promises 2**31 by 2**31 samples and ends there."""
    size = b"\xff\x4f\xff\x51\x00\x29\x00\x00" + b"\x7f\xff\xff\xff" * 2 + bytes(8)
    return picture_with(b" /Filter /JPXDecode", size + b"\x7f\xff\xff\xff" * 2 + bytes(8) + b"\0\1\7\1\1\xff\xd9")


def flate_picture(side: int = 20_000) -> bytes:
    """400 million grey pixels in some 400 kB."""
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(bytes(side)) for _ in range(side)) + packer.flush()
    return picture_with(b" /Filter /FlateDecode", data, side, side)


def polyglot_zip() -> bytes:
    """A PDF that is a ZIP archive, too."""
    out = io.BytesIO(plain())
    out.seek(0, io.SEEK_END)
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("a.txt", "a")
    return out.getvalue()


def polyglot_html() -> bytes:
    """A PDF that a browser which guesses would show as a page with a script."""
    return b"<html><script>alert(1)</script><!--\n" + plain() + b"\n-->"


# Odd, and fine


def web_link() -> bytes:
    def change(document: Pdf) -> None:
        action = Dictionary(S=Name.URI, URI=String("https://example.invalid/JavaScript /JS"))
        link = Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=[0, 0, 9, 9], A=action)
        document.pages[0].obj.Annots = Array([link])
        document.Root.OpenAction = Dictionary(S=Name.GoTo, D=Array([document.pages[0].obj, Name.Fit]))

    return changed(change)


def words_about_scripts() -> bytes:
    """A title that mentions what is looked for, and a font with the name of a key."""

    def change(document: Pdf) -> None:
        document.docinfo["/Title"] = "Launch of /JavaScript (/JS /XFA /EmbeddedFile)"
        document.pages[0].obj.Resources.Font["/EF"] = document.make_indirect(
            Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)
        )

    return changed(change)


def filled_form(value: str) -> bytes:
    """A text field with a value and no appearance of its own, as some programs leave it."""

    def change(document: Pdf) -> None:
        font = document.make_indirect(Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica))
        field = document.make_indirect(
            Dictionary(
                Type=Name.Annot,
                Subtype=Name.Widget,
                FT=Name.Tx,
                T=String("nam"),
                V=String(value),
                DA=String("/Helv 12 Tf 0 g"),
                Rect=[72, 500, 300, 520],
                F=4,
                P=document.pages[0].obj,
            )
        )
        document.pages[0].obj.Annots = Array([field])
        resources = Dictionary(Font=Dictionary(Helv=font))
        document.Root.AcroForm = Dictionary(Fields=Array([field]), DR=resources, NeedAppearances=True)

    return changed(change)


def undecodable_picture() -> bytes:
    """A page that is one picture, whose JPEG data are noise."""
    picture = b"/Type /XObject /Subtype /Image /Width 800 /Height 1000 /ColorSpace /DeviceGray /BitsPerComponent 8"
    page = PAGE.replace(b"/Resources << >>", b"/Resources << /XObject << /P 5 0 R >> >>")
    noise = np.random.default_rng(2).bytes(5_000)
    draw = stream(b"q 612 0 0 792 0 0 cm /P Do Q")
    return raw_pdf([CATALOG, PAGES, page, draw, stream(noise, picture + b" /Filter /DCTDecode")])


def one_bomb_among(pages: int, bad: int) -> bytes:
    """Plain pages, and page `bad` whose drawing nests forms without end in sight (2 to the power of 40)."""
    with pikepdf.open(io.BytesIO(plain(pages=pages))) as document:
        inner = document.make_stream(b"0 0 1 1 re f", Type=Name.XObject, Subtype=Name.Form, BBox=[0, 0, 612, 792])
        for _ in range(40):
            inner = document.make_stream(
                b"/F Do /F Do",
                Type=Name.XObject,
                Subtype=Name.Form,
                BBox=[0, 0, 612, 792],
                Resources=Dictionary(XObject=Dictionary(F=inner)),
            )
        page = document.pages[bad - 1]
        page.obj.Resources.XObject = Dictionary(F=inner)
        page.obj.Contents = document.make_stream(b"/F Do")
        out = io.BytesIO()
        document.save(out)
    return out.getvalue()
