"""Page layouts: each module draws one page of one kind of clinic document on a `Sheet`.

A layout draws from the sheet's own seeded generator only, prints every NAM through the sheet so that it is known, and
holds on every page the numbers that clinics print next to NAMs and that are none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from extraction.corpus.layouts import agenda, empty, form, invoice, labels, letter, visit_list
from extraction.corpus.layouts.sheet import Sheet

Layout = Callable[[Sheet], None]

LAYOUTS: Mapping[str, Layout] = {
    "agenda": agenda.draw,
    "form": form.draw,
    "list": visit_list.draw,
    "letter": letter.draw,
    "labels": labels.draw,
    "invoice": invoice.draw,
    "empty": empty.draw,
}
