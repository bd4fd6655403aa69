"""Page layouts: each module draws one page of one kind of clinic document on a `Sheet`.

A layout draws from the sheet's own seeded generator only, prints every NAM through the sheet so that it is known, and
holds on every page the numbers that clinics print next to NAMs and that are none.

`DEVELOPMENT` is what finders, readers and thresholds are tuned on. `HELD_OUT` is never looked at for that: it was
written apart, and is drawn with fonts, hands and names of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from extraction.corpus.layouts import (
    agenda,
    attendance,
    bilingual,
    boxes,
    cards,
    chits,
    columns,
    courier,
    daylist,
    decoys,
    edge,
    empty,
    facesheet,
    form,
    handwritten,
    inventory,
    invoice,
    labels,
    laboratory,
    letter,
    newborn,
    notice,
    referrals,
    register,
    repeated,
    rooms,
    statement,
    summary,
    table,
    visit_list,
    waiting,
)
from extraction.corpus.layouts.held_out import (
    daysheet,
    discharge,
    homecare,
    intake,
    pharmacy,
    physiotherapy,
    remittance,
    triage,
    vaccination,
)
from extraction.corpus.layouts.sheet import Sheet

Layout = Callable[[Sheet], None]

DEVELOPMENT: Mapping[str, Layout] = {
    "agenda": agenda.draw,
    "form": form.draw,
    "list": visit_list.draw,
    "letter": letter.draw,
    "labels": labels.draw,
    "columns": columns.draw,
    "lab": laboratory.draw,
    "table": table.draw,
    "boxes": boxes.draw,
    "bilingual": bilingual.draw,
    "newborn": newborn.draw,
    "facesheet": facesheet.draw,
    "repeated": repeated.draw,
    "handwritten": handwritten.draw,
    "register": register.draw,
    "rooms": rooms.draw,
    "daylist": daylist.draw,
    "attendance": attendance.draw,
    "waiting": waiting.draw,
    "cards": cards.draw,
    "summary": summary.draw,
    "chits": chits.draw,
    "edge": edge.draw,
    "decoys": decoys.draw,
    "invoice": invoice.draw,
    "empty": empty.draw,
    "statement": statement.draw,
    "inventory": inventory.draw,
    "notice": notice.draw,
    "courier": courier.draw,
    "referrals": referrals.draw,
}

HELD_OUT: Mapping[str, Layout] = {
    "daysheet": daysheet.draw,
    "physio": physiotherapy.draw,
    "triage": triage.draw,
    "vaccines": vaccination.draw,
    "pharmacy": pharmacy.draw,
    "discharge": discharge.draw,
    "intake": intake.draw,
    "homecare": homecare.draw,
    "remittance": remittance.draw,
}
"""Kept apart: looked at for figures, never for ideas. `split` says more."""

LAYOUTS: Mapping[str, Layout] = {**DEVELOPMENT, **HELD_OUT}
