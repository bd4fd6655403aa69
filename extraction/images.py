"""Page images for people: drawn on demand in the sandbox, never stored, never the PDF itself."""

from __future__ import annotations

from django.http import Http404

from extraction import storage
from extraction.configuration import limits
from extraction.models import Document
from extraction.page import Box
from extraction.readers import pdf

PAGE_DPI = 130  # sharp at the width a review screen gives it, about 250 kB
CROP_DPI = 220
CROP_MARGIN = (0.03, 0.008)  # fractions of the page around the printed number: its label and its neighbours


def page(document: Document, number: int) -> bytes:
    """PNG of page `number` (from 1). Raises Http404 when there is none, UnreadablePage when it cannot be drawn."""
    return _draw(document, number, dpi=PAGE_DPI, box=None)


def crop(document: Document, number: int, box: Box) -> bytes:
    """PNG of the surroundings of `box`."""
    return _draw(document, number, dpi=CROP_DPI, box=box.grown(*CROP_MARGIN))


def _draw(document: Document, number: int, *, dpi: int, box: Box | None) -> bytes:
    if document.file_destroyed_at or not 1 <= number <= document.page_count:
        raise Http404
    with pdf.open_pdf(storage.get(document), limits=limits()) as opened:
        return opened.png(number, dpi=dpi, box=box)
