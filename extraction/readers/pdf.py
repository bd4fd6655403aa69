"""PDF files through a sandbox: facts, text layers and pixels, never parsed in this process.

Every file is taken apart by a child process (`pdf_child.py`) that has little memory and processor time, no network, no
environment, and opens no file but modules and fonts (where the kernel has Landlock). The bytes go to it through a pipe,
so no document lies on a disk in clear text. A child that dies or takes too long costs the document ("too_complex") or,
once it is open, one page ("page_unreadable").
"""

from __future__ import annotations

import io
import json
import logging
import math
import os
import struct
import subprocess
import sys
import threading
from array import array
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from extraction import kinds
from extraction.errors import SENTENCES, UnreadableDocument, UnreadablePage
from extraction.kinds import Look, Picture
from extraction.page import Box
from extraction.threads import Threads

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

logger = logging.getLogger(__name__)

CHILD = Path(__file__).with_name("pdf_child.py")
LENGTHS = struct.Struct(">II")
HEADER_MAX = 64 << 20
MAGIC_WITHIN = 1024  # PDF 1.7, implementation note 13: readers find %PDF within the first 1,024 bytes
MAX_LOST = 5  # children; the pages of a document that keeps killing them are given up without another try
HELPERS = 2  # children that read a long document
AHEAD = 4  # parts of a long document that are read before they are asked for
LONG_PARTS = 4  # from here on a second child pays for its start
PAGES_AT_ONCE = 16  # text layers asked for together: few enough to lose little with a page that kills the child
POINTS_PER_INCH = 72
WHOLE = Box(0, 0, 1, 1)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one document may cost. `page_points` is the longer side of a page; one inch has 72 points.

    14,400 points are the most that PDF 1.7 (annex C) allows and 9,000 the most that Textract accepts.
    `cpu_seconds` and `wall_seconds` hold for one question to the sandbox: opening the file, or reading some pages.
    """

    bytes: int = 50_000_000
    pages: int = 3_000
    page_points: float = 9_000
    pixels: int = 25_000_000
    memory_bytes: int = 1_000_000_000
    cpu_seconds: int = 8
    wall_seconds: float = 10


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class PdfFacts:
    """What is known of a file that can be read. `sizes` are width and height of each page as shown, in points."""

    page_count: int
    sizes: tuple[tuple[float, float], ...]


class LayerWord(NamedTuple):
    """A word of a text layer, and which way it runs: 0 to the right, 1 downwards, 2 to the left, 3 upwards."""

    text: str
    box: Box
    direction: int


@dataclass(frozen=True, slots=True)
class TextLayer:
    """A page's text layer with what speaks for and against believing it.

    `width` and `height` are points as shown. `words` stand in the order of the file and are all visible; `hidden`
    counts the characters that are not, `unmapped` those among the visible whose font does not say which they are.
    `unseen` are the words that are hidden or beside the page, up to 20,000 characters of them.
    `pictures` are images larger than an icon, `outlines` counts shapes that may be letters, `objects`
    counts everything drawn.
    """

    number: int
    width: float
    height: float
    words: tuple[LayerWord, ...]
    hidden: int
    unmapped: int
    pictures: tuple[Picture, ...]
    outlines: int
    objects: int
    unseen: tuple[str, ...] = ()


def inspect(data: bytes, limits: Limits = DEFAULT_LIMITS) -> PdfFacts:
    """Checks that a file can be read at all. Raises UnreadableDocument with one of the codes of a file."""
    with open_pdf(data, limits=limits) as document:
        return PdfFacts(document.page_count, document.sizes)


def open_pdf(data: bytes, *, limits: Limits = DEFAULT_LIMITS) -> PdfDocument:
    """The document, checked and ready to be read. Close it, or use it in a `with` block. Raises UnreadableDocument."""
    if not data:
        raise UnreadableDocument("empty_file")
    if len(data) > limits.bytes:
        raise UnreadableDocument("too_large")
    if b"%PDF" not in data[:MAGIC_WITHIN]:
        raise UnreadableDocument("not_a_pdf")
    return PdfDocument(data, limits)


class PdfDocument:
    """An open PDF. Belongs to the thread that opened it: the child ends with that thread.

    A page that kills the child costs that page only; the next question starts a fresh child. `looks` has what was seen
    of each page that was asked for until now.
    """

    def __init__(self, data: bytes, limits: Limits) -> None:
        self._limits = limits
        self._sandbox = _Sandbox(data, limits)
        self.sizes = self._sandbox.check()
        self.page_count = len(self.sizes)
        self.looks: dict[int, Look] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Ends the child. Further questions would start a new one."""
        self._sandbox.close()

    def unlocked(self) -> bytes:
        """The file for services that refuse protected ones: without owner password, repaired where that was needed."""
        return self._sandbox.data

    def text_layer(self, number: int) -> TextLayer:
        """The text layer of page `number`, from 1. Raises UnreadablePage."""
        return self._sandbox.text([number])[0]

    def text_layers(self, numbers: Sequence[int]) -> Iterator[tuple[int, TextLayer | None]]:
        """Text layers of many pages, much faster than one by one. None stands for a page that cannot be read.

        Long documents are read by two children at once, a few parts ahead of whoever takes the layers.
        """
        for number, layer in self._text_layers(numbers):
            if layer is not None:
                self.looks[number] = Look(layer.width, layer.height, layer.pictures, layer.objects)
            yield number, layer

    def _text_layers(self, numbers: Sequence[int]) -> Iterator[tuple[int, TextLayer | None]]:
        parts = [numbers[start : start + PAGES_AT_ONCE] for start in range(0, len(numbers), PAGES_AT_ONCE)]
        if len(parts) < LONG_PARTS:
            for part in parts:
                yield from self._sandbox.text_or_none(part)
            return
        idle: SimpleQueue[_Sandbox] = SimpleQueue()
        helpers = [_Sandbox(self._sandbox.data, self._limits, opened=False) for _ in range(HELPERS)]

        def read(part: Sequence[int]) -> list[tuple[int, TextLayer | None]]:
            helper = idle.get()
            try:
                return helper.text_or_none(part)
            finally:
                idle.put(helper)

        for helper in helpers:
            idle.put(helper)
        try:
            with Threads(HELPERS) as threads:
                yield from _ahead(threads, read, parts)
        finally:
            for helper in helpers:
                helper.close()

    def render(
        self, number: int, *, dpi: float = 200, box: Box | None = None, colour: bool = False
    ) -> NDArray[np.uint8]:
        """Page `number` as it is shown, or the part `box` of it: height × width grey levels, or × 3 (RGB).

        Pages that would have more than `limits.pixels` are drawn with fewer dots per inch. Raises UnreadablePage.
        """
        import numpy as np

        if not 1 <= number <= self.page_count:
            raise UnreadablePage("page_image_missing")
        part = box or WHOLE
        question = {"do": "render", "number": number, "scale": self._scale(number, dpi, part), "crop": list(part)}
        header, payload = self._sandbox.ask(question | {"colour": colour})
        height, width, stride, channels = (int(header[key]) for key in ("height", "width", "stride", "channels"))
        if height * stride != len(payload) or width * channels > stride:
            raise UnreadablePage("page_unreadable")
        rows = np.frombuffer(payload, np.uint8).reshape(height, stride)[:, : width * channels]
        pixels = np.ascontiguousarray(rows if channels == 1 else rows.reshape(height, width, channels))
        if box is None and not colour:
            pictures = _pictures(header["pictures"])
            light = kinds.unevenness(pixels) if pictures else None
            self.looks[number] = Look(*self.sizes[number - 1], pictures, header["objects"], light)
        return pixels

    def png(self, number: int, *, dpi: float, box: Box | None = None) -> bytes:
        """Page `number`, or the part `box` of it, as PNG: for browsers and for Textract. Raises UnreadablePage."""
        import numpy as np
        from PIL import Image

        pixels = self.render(number, dpi=dpi, box=box, colour=True)
        if np.array_equal(pixels[..., 0], pixels[..., 1]) and np.array_equal(pixels[..., 1], pixels[..., 2]):
            pixels = np.ascontiguousarray(pixels[..., 0])  # A third of the size, and the same to the eye.
        png = io.BytesIO()
        Image.fromarray(pixels).save(png, "PNG", compress_level=4)
        return png.getvalue()

    def _scale(self, number: int, dpi: float, part: Box) -> float:
        """Pixels a point, so that the drawn part stays within the limit of pixels."""
        width, height = self.sizes[number - 1]
        area = max(width * part.width * height * part.height, 1.0)
        return min(dpi / POINTS_PER_INCH, math.sqrt(self._limits.pixels / area))


def _ahead(
    threads: Threads,
    read: Callable[[Sequence[int]], list[tuple[int, TextLayer | None]]],
    parts: Sequence[Sequence[int]],
) -> Iterator[tuple[int, TextLayer | None]]:
    """What `read` returns for each part, in order, with the next few parts being read meanwhile."""
    waiting = deque(threads.submit(read, part) for part in parts[:AHEAD])
    try:
        for part in parts[AHEAD:]:
            yield from waiting.popleft().result()
            waiting.append(threads.submit(read, part))
        while waiting:
            yield from waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


def _known(code: object, otherwise: str) -> str:
    """A code from the child, which a hostile file may have taken over, or `otherwise`."""
    return code if isinstance(code, str) and code in SENTENCES else otherwise


def _pictures(described: list[list[float]]) -> tuple[Picture, ...]:
    return tuple(Picture(Box(*sides), int(wide), int(high), int(bits)) for *sides, wide, high, bits in described)


def _text_layers(header: dict[str, Any], payload: bytes) -> list[TextLayer]:
    sides = array("f", payload)
    layers, start = [], 0
    for entry in header["pages"]:
        end = start + 4 * len(entry["words"])
        boxes = map(
            Box, sides[start:end:4], sides[start + 1 : end : 4], sides[start + 2 : end : 4], sides[start + 3 : end : 4]
        )
        layers.append(
            TextLayer(
                number=entry["number"],
                width=entry["width"],
                height=entry["height"],
                words=tuple(map(LayerWord, entry["words"], boxes, entry["directions"])),
                hidden=entry["hidden"],
                unmapped=entry["unmapped"],
                pictures=_pictures(entry["pictures"]),
                outlines=entry["outlines"],
                objects=entry["objects"],
                unseen=tuple(entry["unseen"]),
            )
        )
        start = end
    return layers


class _Sandbox:
    """A document in a child process, and in a fresh one whenever that was lost."""

    def __init__(self, data: bytes, limits: Limits, *, opened: bool = True) -> None:
        self.data, self._limits = data, limits
        self._lost = 0
        self._child = _Child(limits) if opened else None

    def check(self) -> tuple[tuple[float, float], ...]:
        """Opens and checks the document; returns the size of each page. Raises UnreadableDocument."""
        child = self._child = self._child or _Child(self._limits)
        try:
            header, prepared = self._open(child, check=True)
            if "error" in header:
                raise UnreadableDocument(_known(header["error"], "damaged"))
            self.data = prepared or self.data
            return tuple((float(width), float(height)) for width, height in header["sizes"])
        except _ChildLost:
            raise UnreadableDocument("too_complex") from None
        except BaseException:
            self.close()
            raise

    def _open(self, child: _Child, *, check: bool) -> tuple[dict[str, Any], bytes]:
        header, prepared = child.ask({"do": "open", "check": check}, self.data)
        if header.get("closed") is False:
            _say_that_files_are_open()
        return header, prepared

    def ask(self, question: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """Asks about pages. Raises UnreadablePage."""
        if self._lost >= MAX_LOST:
            raise UnreadablePage("page_unreadable")
        try:
            if self._child is None:
                self._child = _Child(self._limits)
                self._open(self._child, check=False)
            header, payload = self._child.ask(question)
        except _ChildLost:
            self._child = None
            self._lost += 1
            raise UnreadablePage("page_unreadable") from None
        if "error" in header:
            if header["error"] == "too_complex":
                self.close()  # Out of memory once: what it holds now is not to be relied on.
            raise UnreadablePage("page_unreadable")
        return header, payload

    def text(self, numbers: Sequence[int]) -> list[TextLayer]:
        """The text layers of pages. Raises UnreadablePage if one of them cannot be read."""
        return _text_layers(*self.ask({"do": "text", "numbers": list(numbers)}))

    def text_or_none(self, numbers: Sequence[int]) -> list[tuple[int, TextLayer | None]]:
        """The text layers of pages, with None for those that cannot be read."""
        try:
            return [(layer.number, layer) for layer in self.text(numbers)]
        except UnreadablePage:
            if len(numbers) == 1:
                return [(numbers[0], None)]
            return [found for number in numbers for found in self.text_or_none([number])]

    def close(self) -> None:
        if self._child is not None:
            self._child.close()
            self._child = None


@cache
def _say_that_files_are_open() -> None:
    """Once for each process of ours."""
    logger.warning("this kernel has no Landlock: the process that opens PDFs may read what this user may read")


class _ChildLost(Exception):
    """The child died, was killed for taking too long, or did not answer in the agreed form."""


class _Child:
    """The sandboxed process and the pipe to it."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        # -I: neither the environment nor the working directory says what is imported. -B: it may not write files.
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own file
            [sys.executable, "-I", "-B", str(CHILD), json.dumps(asdict(limits))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # Parsers quote the document in their messages.
            env={},
            cwd=os.sep,
            close_fds=True,
        )

    def ask(self, header: dict[str, Any], payload: bytes = b"") -> tuple[dict[str, Any], bytes]:
        """Sends a question and waits for its answer. Raises _ChildLost, and the child is gone then."""
        deadline = threading.Timer(self._limits.wall_seconds, self._process.kill)
        deadline.daemon = True
        deadline.start()
        try:
            self._send(header, payload)
            return self._receive()
        except (OSError, ValueError, EOFError):
            self.close()
            raise _ChildLost from None
        except BaseException:
            self.close()  # Half a message may be on its way; nobody could make sense of the next one.
            raise
        finally:
            deadline.cancel()
            deadline.join()

    def close(self) -> None:
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    continue  # What was still to be sent has nobody left to receive it.
        self._process.wait()

    def _send(self, header: dict[str, Any], payload: bytes) -> None:
        pipe = self._process.stdin
        assert pipe is not None  # noqa: S101 - asked for in __init__
        head = json.dumps(header).encode()
        pipe.write(LENGTHS.pack(len(head), len(payload)) + head)
        pipe.write(payload)
        pipe.flush()

    def _receive(self) -> tuple[dict[str, Any], bytes]:
        size, payload = LENGTHS.unpack(self._read(LENGTHS.size))
        most = 4 * self._limits.pixels + HEADER_MAX + 2 * self._limits.bytes
        if size > HEADER_MAX or payload > most:
            raise ValueError("message beyond its limit")
        header = json.loads(self._read(size))
        if not isinstance(header, dict):
            raise ValueError("message without a header")  # noqa: TRY004 - the other side's mistake, not a type error
        return header, self._read(payload)

    def _read(self, size: int) -> bytes:
        pipe = self._process.stdout
        assert pipe is not None  # noqa: S101 - asked for in __init__
        data = pipe.read(size)
        if len(data) < size:
            raise EOFError
        return data
