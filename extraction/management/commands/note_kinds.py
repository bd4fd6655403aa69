"""Looks at documents that were read before anybody noted how they came to be."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from extraction import following, kinds, storage
from extraction.configuration import limits
from extraction.errors import ExtractionError, UnreadablePage
from extraction.kinds import Kind
from extraction.models import Document, RunPage, Status
from extraction.readers.pdf import PdfDocument, open_pdf
from vault.errors import VaultError

LIGHT_DPI = 60
"""Enough to see how the paper is lit."""


class Command(BaseCommand):
    help = "Notes the kind of documents whose extraction is done and that have none. Nothing is read again."

    def handle(self, **_options: Any) -> None:
        noted = 0
        for document in Document.objects.filter(kind="", runs__status=Status.DONE).distinct().iterator():
            noted += _note(document)
        self.stdout.write(f"{noted} documents")


def _note(document: Document) -> bool:
    """Whether its kind is known now; not where its file is gone or nothing on it tells."""
    try:
        pages = _pages(document)
    except (ExtractionError, VaultError, OSError):
        return False
    kind = kinds.of_document(list(pages.values()))
    if kind is None:
        return False
    with transaction.atomic():
        for number, own in pages.items():
            RunPage.objects.filter(run__document=document, number=number, kind="").update(kind=own)
        is_new = bool(Document.objects.filter(pk=document.pk, kind="").update(kind=kind))
        if is_new:
            following.tell(document.pk)
        return is_new


def _pages(document: Document) -> dict[int, Kind]:
    with open_pdf(storage.get(document), limits=limits()) as file:
        for number, layer in file.text_layers(range(1, file.page_count + 1)):
            if layer is not None and layer.pictures:
                _light(file, number)
        found = {number: kinds.of_page(look) for number, look in file.looks.items()}
    return {number: kind for number, kind in found.items() if kind is not None}


def _light(file: PdfDocument, number: int) -> None:
    """Draws a picture, so that its light is known."""
    try:
        file.render(number, dpi=LIGHT_DPI)
    except UnreadablePage:
        return  # What is known of it without being drawn stays.
