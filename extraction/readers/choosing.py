"""The right reader for each page, and many pages at once: text layers first, pictures of print after.

Nothing heavy is imported until a page needs it, so a born-digital document costs neither OpenVINO nor OpenCV.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, NamedTuple

from extraction import kinds
from extraction.errors import ExtractionError, UnreadablePage
from extraction.injection import warned
from extraction.kinds import Kind
from extraction.page import Box, Page
from extraction.readers import text_layer
from extraction.readers.pdf import DEFAULT_LIMITS, Limits, PdfDocument, open_pdf
from extraction.stance import Stance
from extraction.threads import Threads

if TYPE_CHECKING:
    from extraction.readers.glimpse import Glimpse
    from extraction.readers.textract import TextractReader

Reader = Literal["auto", "text_layer", "local", "textract"]
Ocr = Literal["local", "textract"]

OCR_DPI = 200  # letters of 8 points are 22 pixels high: above what either engine asks for
LOOK_DPI = 300
WAITING = 2  # drawn pages that wait for a free engine: enough to keep it busy, few enough to keep memory flat


@dataclass(frozen=True, slots=True)
class PageRead:
    """One page as read, or `error`, a code of `extraction.errors`. `seconds` is what the page took by itself.

    `kind` is None for an empty page and where nobody looked at it here, as at a whole document that a service reads.
    """

    number: int
    page: Page | None
    error: str | None
    seconds: float
    kind: Kind | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """Pages that are worked off together. `ready` were read before and only have to be searched; `numbers` are those
    still to be read (None: all)."""

    numbers: Sequence[int] | None = None
    ready: Sequence[Page] = ()

    @property
    def is_to_read(self) -> bool:
        return self.numbers is None or len(self.numbers) > 0


def read_pages(
    data: bytes,
    *,
    reader: Reader = "auto",
    numbers: Sequence[int] | None = None,
    ocr: Ocr = "local",
    limits: Limits = DEFAULT_LIMITS,
) -> Iterator[PageRead]:
    """Yields every page of `numbers` (all by default) once, as soon as it is read, in no promised order.

    "auto" takes a text layer where it can be believed and `ocr` elsewhere; the other readers are taken at their word.
    A page that cannot be read has its `error` and never stops the others. Raises UnreadableDocument before anything is
    yielded, and ServiceUnavailable (or another ExtractionError of a service) after every page that could be read.
    """
    with open_for(reader, data, limits=limits) as document:
        yield from read_document(document, reader=reader, numbers=numbers, ocr=ocr)


def reads_whole(reader: Reader, ocr: Ocr, pages: int) -> bool:
    """Whether so many scanned pages, all of a document, go to a service that reads them in one job."""
    if (ocr if reader == "auto" else reader) != "textract":
        return False
    from extraction.readers import textract

    return textract.configuration().takes_whole(pages)


def open_for(reader: Reader, data: bytes, *, limits: Limits = DEFAULT_LIMITS) -> PdfDocument:
    """`open_pdf`, with the OCR engine being loaded meanwhile where every page is known to need it."""
    if reader == "local":
        _load_engine()
    return open_pdf(data, limits=limits)


def read_document(
    document: PdfDocument, *, reader: Reader = "auto", numbers: Sequence[int] | None = None, ocr: Ocr = "local"
) -> Iterator[PageRead]:
    """The same for a document that is open already."""
    for step in read_parts(lambda: document, [Part(numbers)], reader=reader, ocr=ocr):
        if isinstance(step, PageRead):
            yield step


def read_parts(
    opened: Callable[[], PdfDocument], parts: Iterable[Part], *, reader: Reader = "auto", ocr: Ocr = "local"
) -> Iterator[PageRead | Page]:
    """The pages of each part that are ready, and then its others as they are read.

    The next part is asked for while the last pages of the one before are with the engine, so that it is never idle.
    """
    hidden: dict[int, tuple[str, ...]] = {}

    def steps() -> Iterator[PageRead | Page | int]:
        for part in parts:
            yield from part.ready
            if part.is_to_read:
                yield from _without_engine(opened(), part.numbers, reader, ocr, hidden)

    for step in _read_drawn(steps(), lambda: _engine(opened(), reader, ocr)):
        if isinstance(step, PageRead):
            warned_of = _warned(step, hidden.get(step.number, ()))
            yield replace(warned_of, kind=kinds.of_page(opened().looks.get(step.number)))
        else:
            yield step


def _without_engine(
    document: PdfDocument, numbers: Sequence[int] | None, reader: Reader, ocr: Ocr, hidden: dict[int, tuple[str, ...]]
) -> Iterator[PageRead | int]:
    """What can be read without drawing a page, and then the numbers of the pages that have to be drawn.

    `hidden` is told the words of each page's text layer that nobody sees.
    """
    numbers = range(1, document.page_count + 1) if numbers is None else list(numbers)
    missing = [number for number in numbers if not 1 <= number <= document.page_count]
    yield from (PageRead(number, None, "page_unreadable", 0.0) for number in missing)
    unread = [number for number in numbers if 1 <= number <= document.page_count]
    if reader in {"auto", "text_layer"}:
        doubtful: list[int] = []
        for read, unseen in _read_text_layers(document, unread):
            hidden[read.number] = unseen
            if read.page is None and reader == "auto":
                if ocr == "local" and not doubtful:
                    _load_engine()
                doubtful.append(read.number)
            else:
                yield read
        unread = doubtful
    if unread and len(unread) == document.page_count and reads_whole(reader, ocr, len(unread)):
        from extraction.readers import textract

        yield from _read_whole_with_textract(document, textract.reader())
    else:
        yield from unread


class _Engine(NamedTuple):
    """Draws a page and says how to read it, and how many pages are worth reading at once."""

    draw: Callable[[int], Callable[[], Page]]
    workers: int


def _engine(document: PdfDocument, reader: Reader, ocr: Ocr) -> _Engine:
    by_service = (ocr if reader == "auto" else reader) == "textract"
    return _textract(document) if by_service else _local(document)


def _warned(read: PageRead, unseen: Sequence[str]) -> PageRead:
    return read if read.page is None else replace(read, page=warned(read.page, unseen))


def look(document: PdfDocument, number: int, stance: Stance, part: Box) -> Iterator[list[Glimpse]]:
    """A second look at one part of a page; `part` and what is seen are places on the righted page (see `Stance`).

    Always by the local reader: it costs milliseconds, and what another service read is then seen by two. Yields
    nothing for a page that cannot be drawn.
    """
    import numpy as np

    from extraction.readers import local

    try:
        image = document.render(number, dpi=LOOK_DPI, box=stance.put_back(part))
    except UnreadablePage:
        return
    upright = np.ascontiguousarray(np.rot90(image, stance.quarters))
    for glimpses in local.glimpses(upright, stance.upright(part)):
        yield [stance.level(glimpse) for glimpse in glimpses]


def _read_text_layers(document: PdfDocument, numbers: Sequence[int]) -> Iterator[tuple[PageRead, tuple[str, ...]]]:
    """Each page with the words of its file that nobody sees."""
    started = time.perf_counter()
    for number, page, unseen in text_layer.read_all(document, numbers):
        seconds = time.perf_counter() - started
        yield PageRead(number, page, None if page else "page_unreadable", seconds), unseen
        started = time.perf_counter()


def _local(document: PdfDocument) -> _Engine:
    from extraction.readers import local

    def drawn(number: int) -> Callable[[], Page]:
        image = document.render(number, dpi=OCR_DPI)
        width, height = document.sizes[number - 1]
        return lambda: local.read(image, number=number, width=width, height=height)

    return _Engine(drawn, local.workers() + 1)


def _load_engine() -> None:
    """Begins to load it in a thread of its own; whoever reads a page waits for it, and is told what went wrong."""

    def load() -> None:
        from extraction.readers import local  # Importing it takes a while, too.

        local.load()

    thread = ThreadPoolExecutor(1, thread_name_prefix="loading")
    thread.submit(load)
    thread.shutdown(wait=False)


def _textract(document: PdfDocument) -> _Engine:
    from extraction.readers import textract
    from extraction.readers.local import page_image_has_ink

    service = textract.reader()

    def drawn(number: int) -> Callable[[], Page]:
        width, height = document.sizes[number - 1]
        blank = not page_image_has_ink(document.render(number, dpi=OCR_DPI))
        png = document.png(number, dpi=OCR_DPI)
        return lambda: service.read_image(png, number=number, width=width, height=height, blank=blank)

    return _Engine(drawn, service.config.parallel)


def _read_whole_with_textract(document: PdfDocument, service: TextractReader) -> Iterator[PageRead]:
    """The whole document as one job. Pages that come back without a word are looked at: blank, or unread."""
    from extraction.readers.local import page_image_has_ink

    started = time.perf_counter()
    for item in service.read_document(document.unlocked(), sizes=document.sizes, token=uuid.uuid4().hex):
        seconds = (time.perf_counter() - started) / document.page_count
        if isinstance(item, Page):
            yield PageRead(item.number, item, None, seconds)
            continue
        try:
            blank = item.code == "page_unreadable" and not page_image_has_ink(document.render(item.number, dpi=100))
        except UnreadablePage:
            blank = False
        page = Page(item.number, *document.sizes[item.number - 1], (), "textract") if blank else None
        yield PageRead(item.number, page, None if page else item.code, seconds)


def _read_drawn(steps: Iterator[PageRead | Page | int], engine: Callable[[], _Engine]) -> Iterator[PageRead | Page]:
    """Draws page after page here and reads them in threads, with few drawn pages in memory at any time.

    What is no number needs no engine and is passed on. When the service fails, no further page is sent, those under way
    are waited for, and then the failure is raised.
    """
    failure: ExtractionError | None = None
    pending: set[Future[PageRead]] = set()
    more: PageRead | Page | int | None = next(steps, None)
    with ExitStack() as stack:
        used: tuple[_Engine, Threads] | None = None
        while pending or (more is not None and failure is None):
            if more is not None and failure is None and (used is None or len(pending) < used[0].workers + WAITING):
                if not isinstance(more, int):
                    yield more
                else:
                    if used is None:
                        made = engine()
                        used = made, stack.enter_context(Threads(made.workers, thread_name_prefix="reading"))
                    started = time.perf_counter()
                    try:
                        job = used[0].draw(more)
                    except UnreadablePage as error:
                        yield PageRead(more, None, error.code, time.perf_counter() - started)
                    else:
                        pending.add(used[1].submit(_timed, more, job, time.perf_counter() - started))
                        del job  # The pixels go as soon as they are read.
                done, pending = wait(pending, timeout=0)
                more = next(steps, None)
            else:
                done, pending = wait(pending, return_when=FIRST_COMPLETED)
            for future in done:
                try:
                    yield future.result()
                except ExtractionError as error:
                    failure = failure or error
    if failure is not None:
        raise failure


def _timed(number: int, job: Callable[[], Page], seconds: float) -> PageRead:
    started = time.perf_counter()
    try:
        page, error = job(), None
    except UnreadablePage as unreadable:
        page, error = None, unreadable.code
    return PageRead(number, page, error, seconds + time.perf_counter() - started)
