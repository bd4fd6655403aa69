"""What the clinic holds under one NAM: proposals, decisions, files that it left in, and who consulted its pages.

For the answer to a request of access (P-39.1 s. 27; R-22.1 s. 18 for who consulted). The NAM comes in as typed and goes
nowhere but into the answer: rows are found by its keyed indexes.
"""

from __future__ import annotations

import zipfile
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import NamedTuple
from uuid import UUID

from django.db.models import Q

from audit.models import Event
from audit.verbs import Verb
from extraction.models import Finding
from review.models import Decision, Export, SecondDecision
from vault.index import blind_index

CONSULTING = (
    Verb.DOCUMENT_VIEWED, Verb.PAGE_VIEWED, Verb.PAGE_SENT_AHEAD, Verb.API_READ, Verb.EXPORTED, Verb.EXPORT_DOWNLOADED,
    Verb.MODEL_CALLED, Verb.OCR_CALLED, Verb.PATIENT_ANSWERED, Verb.PATIENT_LOOKED_UP, Verb.PROPOSAL_EXPLAINED,
    Verb.NAM_CONFIRMED, Verb.NAM_CORRECTED, Verb.NAM_REJECTED, Verb.NAM_ADDED, Verb.DECISION_UNDONE,
)  # fmt: skip
"""The events that are an access, a use or a communication (R-22.1 s. 103)."""


class Held(NamedTuple):
    """One number of one page: a proposal of the machine (`found_by` names the finders), or a person's decision."""

    document: UUID
    page: int
    nam: str
    day: str | None
    clock: str | None
    at: datetime
    found_by: tuple[str, ...]
    confidence: float | None
    verdict: str
    by: str
    undone_at: datetime | None


class Consulted(NamedTuple):
    """One line of the journal about a page that holds the number. `who` is empty for the system itself."""

    at: datetime
    who: str
    role: str
    what: str
    document: UUID | None
    page: int | None


class Sent(NamedTuple):
    """A file that the number left in."""

    export: UUID
    at: datetime
    recipient: str
    by: str


@dataclass(frozen=True, slots=True)
class Transcript:
    nam: str
    held: list[Held]
    consulted: list[Consulted]
    sent: list[Sent]

    @property
    def documents(self) -> set[UUID]:
        return {each.document for each in self.held}


def transcript(nam: str, *, clinic_id: UUID) -> Transcript:
    """Everything that one clinic holds under a normalised NAM. Empty lists where it holds nothing."""
    held = sorted([*_proposed(nam, clinic_id), *_decided(nam, clinic_id)], key=lambda each: (each.at, each.page))
    places = places_of(held)
    return Transcript(nam, held, _consulted(nam, clinic_id, places), _sent(nam, clinic_id, places))


def places_of(held: Iterable[Held]) -> dict[UUID, set[int]]:
    """The pages that hold a number, by document."""
    places: defaultdict[UUID, set[int]] = defaultdict(set)
    for each in held:
        places[each.document].add(each.page)
    return dict(places)


def _proposed(nam: str, clinic_id: UUID) -> list[Held]:
    index = blind_index(nam, clinic_id=clinic_id, purpose="nam")
    found = Finding.objects.filter(run__document__clinic_id=clinic_id, value_index=index).select_related("run")
    return [
        Held(f.run.document_id, f.page, str(f.value), f.visit_date, f.visit_time, f.run.finished_at or f.run.created_at,
             tuple(f.found_by), f.confidence, "", "", None)
        for f in found
    ]  # fmt: skip


def _decided(nam: str, clinic_id: UUID) -> list[Held]:
    """Decisions that say the number, and those that reject or correct a proposal of it; those taken back included."""
    index = blind_index(nam, clinic_id=clinic_id, purpose="nam")
    says = Q(value_index=index) | Q(finding__value_index=index)
    first = Decision.objects.filter(says, document__clinic_id=clinic_id).select_related("by")
    second = SecondDecision.objects.filter(says, review__document__clinic_id=clinic_id).select_related("by", "review")
    places = [(d, d.document_id, d.page) for d in first] + [(d, d.review.document_id, d.review.page) for d in second]
    return [
        Held(document, page, d.value or "", d.visit_date, d.visit_time, d.made_at, (), None, d.verdict, d.by.name,
             d.undone_at)
        for d, document, page in places
    ]  # fmt: skip


def _consulted(nam: str, clinic_id: UUID, places: dict[UUID, set[int]]) -> list[Consulted]:
    subject = blind_index(nam, clinic_id=clinic_id, purpose="subject")
    concerns = Q(document_id__in=list(places)) | Q(subject=subject)
    events = Event.objects.filter(concerns, clinic_id=clinic_id, verb__in=CONSULTING).order_by("seq")
    return [
        Consulted(e.at, e.actor_name, e.role, str(e.get_verb_display()), e.document_id, e.page)
        for e in events
        # An event without a page is of the whole document.
        if e.subject is not None or e.page is None or (e.document_id and e.page in places.get(e.document_id, ()))
    ]


def _sent(nam: str, clinic_id: UUID, places: dict[UUID, set[int]]) -> list[Sent]:
    made = Export.objects.filter(document__clinic_id=clinic_id, document__in=list(places)).select_related("by")
    return [Sent(e.pk, e.made_at, e.recipient, e.by.name) for e in made.order_by("made_at") if _holds(e.data, nam)]


def _holds(data: bytes, nam: str) -> bool:
    """Whether a file that we made holds the number. A workbook is a ZIP of texts."""
    if not zipfile.is_zipfile(BytesIO(data)):
        return nam.encode() in data
    with zipfile.ZipFile(BytesIO(data)) as workbook:
        return any(nam.encode() in workbook.read(name) for name in workbook.namelist())
