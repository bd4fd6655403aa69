"""Leaf rows for tests. Whatever has behaviour is built through the actions instead."""

from __future__ import annotations

import uuid
from datetime import date

import factory
from django.utils import timezone

from accounts.models import Clinic, Role, User
from extraction import nam, turns
from extraction.models import Alert, Document, Finder, Finding, Hint, Run, RunPage, Sample, Status
from extraction.page import Box, Line, Page, Word
from tests.pdfs import agenda_pdf  # noqa: F401  (where tests look for it)
from vault.index import blind_index


class ClinicFactory(factory.django.DjangoModelFactory[Clinic]):
    class Meta:
        model = Clinic

    name = factory.Sequence(lambda n: f"Clinique {n}")


class UserFactory(factory.django.DjangoModelFactory[User]):
    class Meta:
        model = User

    clinic = factory.SubFactory(ClinicFactory)
    email = factory.Sequence(lambda n: f"personne{n}@clinique.example")
    name = factory.Sequence(lambda n: f"Personne {n}")
    role = Role.STAFF


class DocumentFactory(factory.django.DjangoModelFactory[Document]):
    """A row without bytes in the vault."""

    class Meta:
        model = Document

    id = factory.LazyFunction(uuid.uuid4)
    uploaded_by = factory.SubFactory(UserFactory)
    clinic = factory.SelfAttribute("uploaded_by.clinic")
    file_name = "agenda.pdf"
    content_index = factory.LazyFunction(lambda: uuid.uuid4().bytes)
    byte_count = 1000
    page_count = 2


class RunFactory(factory.django.DjangoModelFactory[Run]):
    """With its slices, if it is one that waits to be worked off."""

    class Meta:
        model = Run
        skip_postgeneration_save = True

    document = factory.SubFactory(DocumentFactory)
    requested_by = factory.SelfAttribute("document.uploaded_by")
    status = Status.DONE
    finder = Finder.PATTERN

    @factory.post_generation
    def slices(run: Run, _create: bool, _extracted: object, **_rest: object) -> None:  # noqa: N805  (not a method)
        if run.status in (Status.QUEUED, Status.WAITING):
            turns.lay_out(run)


class RunPageFactory(factory.django.DjangoModelFactory[RunPage]):
    class Meta:
        model = RunPage

    id = factory.LazyFunction(uuid.uuid4)
    run = factory.SubFactory(RunFactory)
    number = 1
    state = "found"
    reader = "text_layer"


class FindingFactory(factory.django.DjangoModelFactory[Finding]):
    class Meta:
        model = Finding

    id = factory.LazyFunction(uuid.uuid4)
    run = factory.SubFactory(RunFactory)
    page = 1
    position = factory.Sequence(lambda n: n)
    value = factory.Sequence(lambda n: some_nam(n))  # noqa: PLW0108  (defined below)
    value_index = factory.LazyAttribute(
        lambda row: blind_index(row.value, clinic_id=row.run.document.clinic_id, purpose="nam")
    )
    printed = factory.SelfAttribute("value")
    visit_date = "2025-10-03"
    visit_time = "08:30"
    x0, y0, x1, y1 = 0.4, 0.1, 0.6, 0.12
    found_by = factory.LazyFunction(lambda: ["pattern"])
    checks = factory.LazyFunction(lambda: {"format": True, "birth_date": True, "check_character": True, "name": None})
    valid = True
    confidence = 0.99


class HintFactory(factory.django.DjangoModelFactory[Hint]):
    class Meta:
        model = Hint

    run = factory.SubFactory(RunFactory)
    page = 1
    value = factory.Sequence(lambda n: some_nam(n))  # noqa: PLW0108  (defined below)
    x0, y0, x1, y1 = 0.4, 0.1, 0.6, 0.12
    confidence = 0.3


class SampleFactory(factory.django.DjangoModelFactory[Sample]):
    class Meta:
        model = Sample

    server = "main"
    state = "ok"
    seconds = 0.02


class AlertFactory(factory.django.DjangoModelFactory[Alert]):
    """Of a clinic; for the installation pass `clinic=None`."""

    class Meta:
        model = Alert

    kind = "recall"
    clinic = factory.SubFactory(ClinicFactory)
    figure, threshold = 0.8, 0.85
    raised_at = factory.LazyFunction(timezone.now)
    began_at = factory.SelfAttribute("raised_at")
    seen_at = factory.SelfAttribute("raised_at")


def some_nam(number: int) -> str:
    """A valid NAM whose letters belong to nobody's name; another one for each number below 3,000."""
    born = date(1950 + number % 50, 1 + number % 12, 1 + number % 28)
    return nam.compose("Zzq", "Zoé", born, bool(number % 2), nam.SEQUENCE_CHARACTERS[number % 9])


def page_of(*lines: str, number: int = 1) -> Page:
    """A page as a reader would return it, words on a regular grid."""
    return Page(
        number=number,
        width=612,
        height=792,
        reader="text_layer",
        lines=tuple(_line(text, row) for row, text in enumerate(lines)),
    )


def _line(text: str, row: int) -> Line:
    words, at = [], 0.1
    for part in text.split():
        width = 0.011 * len(part)
        words.append(Word(part, Box(at, 0.1 + 0.03 * row, at + width, 0.115 + 0.03 * row)))
        at += width + 0.011
    return Line(tuple(words))
