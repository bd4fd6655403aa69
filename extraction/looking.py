"""Reading again what a person points at on a page. Nothing is stored: the person decides what stands there."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from extraction import storage
from extraction.configuration import limits
from extraction.finders import second_look
from extraction.finders.proposal import Proposal
from extraction.models import PageState, Run
from extraction.page import Box, Page
from extraction.readers import pdf
from extraction.readers.choosing import look
from extraction.stance import Stance

if TYPE_CHECKING:
    from extraction.readers.glimpse import Glimpse

LARGEST = 0.12
"""Of the page: a number with its surroundings is smaller, and more would take too long."""
PATIENCE = 4.0
"""Seconds after which no further look is taken."""


def is_small_enough(box: Box) -> bool:
    return box.width * box.height <= LARGEST


def read_out(run: Run, number: int, box: Box) -> Proposal | None:
    """The number that stands in `box` of page `number` as the local reader sees it now; None where it sees none.

    `box` lies on the page as it is shown. Raises UnreadableDocument or VaultError when the document cannot be opened.
    """
    row = run.pages.filter(number=number).exclude(state=PageState.UNREAD).first()
    with pdf.open_pdf(storage.get(run.document), limits=limits()) as document:
        page = row.page if row is not None else Page(number, *document.sizes[number - 1], (), "local")
        stance = Stance.of(page)
        place = stance.slant.levelled(box.turned(stance.quarters))
        looks = partial(_look, time.monotonic() + PATIENCE, document, number, stance)
        return second_look.read_out(stance.righted(page), place, looks)


def _look(until: float, document: pdf.PdfDocument, number: int, stance: Stance, part: Box) -> Iterator[list[Glimpse]]:
    for glimpses in look(document, number, stance, part):
        yield glimpses
        if time.monotonic() > until:
            return
