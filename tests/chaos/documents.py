"""The known set: a few documents of the corpus, any number of copies of each, and what is printed on them.

A copy differs from its document by a comment behind the end of the file, so it is another upload with the same pages.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

import pikepdf
import pypdfium2

from extraction.corpus.documents import build
from extraction.corpus.truth import TruthItem

BORN_DIGITAL = (("agenda", 3), ("form", 1), ("letter", 1), ("table", 2), ("referrals", 1), ("daylist", 2))
SCANNED = (("letter", 1), ("form", 2))
SCANNED_SEED = 100
RESOLUTION = 150
EVERY_SCAN = 5
"""One upload in so many is a scan: reading takes longest."""


@dataclass(frozen=True, slots=True)
class Known:
    """One document of the set. `numbers` are what is printed, `names` whose they are; neither may be left anywhere."""

    name: str
    pdf: bytes
    pages: int
    numbers: tuple[str, ...]
    names: tuple[str, ...]

    @property
    def secrets(self) -> Iterator[str]:
        """Numbers, and names in the orders in which people write them."""
        yield from self.numbers
        for name in self.names:
            surname, given = name.split("|")
            yield from (f"{given} {surname}", f"{surname}, {given}", f"{surname} {given}")

    def copy(self, number: int) -> bytes:
        return self.pdf + b"\n%% %d\n" % number


def known_set() -> tuple[list[Known], bytes]:
    """The documents, and the born-digital originals of those that were scanned, for the stand-in of Textract."""
    made, originals = [], []
    for seed, (kind, pages) in enumerate(BORN_DIGITAL):
        document = build(kind, seed=seed, pages=pages)
        made.append(_known(kind, document.pdf, pages, document.truth))
    for seed, (kind, pages) in enumerate(SCANNED, SCANNED_SEED):
        document = build(kind, seed=seed, pages=pages)
        originals.append(document.pdf)
        made.append(_known(f"{kind}-scan", _scan(document.pdf), pages, document.truth))
    return made, _bound(originals)


def _known(name: str, pdf: bytes, pages: int, truth: list[TruthItem]) -> Known:
    names = {f"{item.surname}|{item.given_name}" for item in truth if item.surname and item.given_name}
    return Known(name, pdf, pages, tuple(item.nam for item in truth), tuple(sorted(names)))


def uploads(known: list[Known], start: int = 0) -> Iterator[tuple[Known, bytes]]:
    """(document, bytes) without end: never the same bytes twice."""
    digital = [each for each in known if not each.name.endswith("-scan")]
    scanned = [each for each in known if each.name.endswith("-scan")]
    for number in count(start):
        of = scanned if number % EVERY_SCAN == EVERY_SCAN - 1 else digital
        chosen = of[number % len(of)]
        yield chosen, chosen.copy(number)


def _scan(pdf: bytes) -> bytes:
    """Pictures of the pages, and nothing else."""
    with pypdfium2.PdfDocument(pdf) as document:
        pictures = [page.render(scale=RESOLUTION / 72, grayscale=True).to_pil() for page in document]
    file = io.BytesIO()
    pictures[0].save(file, "PDF", save_all=True, append_images=pictures[1:], resolution=RESOLUTION)
    return file.getvalue()


def _bound(pdfs: list[bytes]) -> bytes:
    file = io.BytesIO()
    with pikepdf.new() as bound:
        for pdf in pdfs:
            with pikepdf.open(io.BytesIO(pdf)) as each:
                bound.pages.extend(each.pages)
        bound.save(file)
    return file.getvalue()
