"""The journal: append-only, one gapless hash chain per clinic."""

from __future__ import annotations

import uuid
from typing import Any, NoReturn

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from audit.chain import NEWEST
from audit.notes import Note
from audit.verbs import REPORTED, Context, Outcome, Purpose, Verb, verb_choices

PLATFORM = uuid.UUID(int=0)
"""The chain of events that belong to no clinic, such as a sign-in attempt by somebody unknown."""


class AppendOnlyQuerySet(models.QuerySet[Any]):
    def update(self, **_kwargs: Any) -> NoReturn:
        raise TypeError("the journal is append-only")

    def delete(self) -> NoReturn:
        raise TypeError("the journal is append-only")


class AppendOnly(models.Model):
    """Rows that are written once. The database's triggers say the same to whoever asks through SQL."""

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("the journal is append-only")
        super().save(*args, **kwargs)

    def delete(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise TypeError("the journal is append-only")


class Event(AppendOnly):
    """One line of the journal.

    No foreign keys: an event outlives what it speaks of, and a deleted row never takes its history along. It names
    fields and counts, never values: no NAM, name, birth date, document text or file name can stand here.
    """

    event_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    clinic_id = models.UUIDField(editable=False)
    seq = models.PositiveBigIntegerField(editable=False)
    at = models.DateTimeField(editable=False)
    version = models.PositiveSmallIntegerField(default=NEWEST, editable=False)
    """Of the canonical form that its hash speaks for (`audit.chain`)."""

    verb = models.CharField(max_length=40, choices=verb_choices)
    outcome = models.CharField(max_length=10, choices=Outcome.choices, default=Outcome.SUCCESS)
    reason_code = models.CharField(max_length=40, blank=True)
    purpose = models.CharField(max_length=20, choices=Purpose.choices, default=Purpose.BILLING)
    context = models.CharField(max_length=14, choices=Context.choices, blank=True)
    """Empty in events of version 1, which did not say; all of them are administrative."""

    actor_id = models.UUIDField(null=True, editable=False)
    actor_name = models.CharField(max_length=150, blank=True)
    role = models.CharField(max_length=20, blank=True)

    object_type = models.CharField(max_length=40, blank=True)
    object_id = models.UUIDField(null=True)
    document_id = models.UUIDField(null=True)
    page = models.PositiveIntegerField(null=True)
    subject = models.BinaryField(max_length=16, null=True)
    count = models.PositiveIntegerField(null=True)
    details = models.JSONField(default=dict)

    component = models.CharField(max_length=20, blank=True)
    request_id = models.CharField(max_length=36, blank=True)
    ip = models.GenericIPAddressField(null=True)

    prev_hash = models.BinaryField(max_length=32, editable=False)
    hash = models.BinaryField(max_length=32, editable=False)

    class Meta:
        verbose_name = _("event")
        constraints = [models.UniqueConstraint(fields=["clinic_id", "seq"], name="event_seq_once_per_clinic")]
        indexes = [
            models.Index(fields=["clinic_id", "-at"], name="event_by_time"),
            models.Index(fields=["clinic_id", "actor_id", "-seq"], name="event_by_actor"),
            # Not one of the two around it: a person's verb that never was would be looked for in all of their events.
            models.Index(fields=["clinic_id", "actor_id", "verb", "-seq"], name="event_by_actor_and_verb"),
            models.Index(fields=["clinic_id", "verb", "-seq"], name="event_by_verb"),
            models.Index(fields=["clinic_id", "document_id", "-seq"], name="event_by_document"),
            models.Index(fields=["clinic_id", "subject", "-seq"], name="event_by_subject"),
            # A report counts these, of a period, and nothing but a clock puts them in it: numbers may differ from it.
            models.Index(fields=["clinic_id", "verb", "at"], condition=Q(verb__in=REPORTED), name="event_reported"),
        ]

    def __str__(self) -> str:
        return f"{self.seq} {self.verb}"

    def get_verb_display(self) -> str:
        """As Django's own, which translates every verb there is to find this one. A verb of before shows itself."""
        return str(Verb(self.verb).label) if self.verb in Verb else self.verb


class ChainHead(models.Model):
    """The end of one clinic's chain. Its row is the lock that gives events their order."""

    clinic_id = models.UUIDField(primary_key=True)
    seq = models.PositiveBigIntegerField(default=0)
    hash = models.BinaryField(max_length=32)

    def __str__(self) -> str:
        return f"{self.clinic_id} {self.seq}"


class Anchor(AppendOnly):
    """A signed note of where a chain stood (`audit.notes`). Copies of it are kept in other places."""

    clinic_id = models.UUIDField(editable=False)
    number = models.PositiveBigIntegerField(editable=False)
    seq = models.PositiveBigIntegerField(editable=False)
    hash = models.BinaryField(max_length=32, editable=False)
    previous = models.BinaryField(max_length=32, editable=False)
    at = models.DateTimeField(editable=False)
    key_id = models.CharField(max_length=16, editable=False)
    signature = models.BinaryField(max_length=64, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["clinic_id", "number"], name="anchor_number_once_a_chain")]

    def __str__(self) -> str:
        return f"{self.clinic_id} {self.number}"

    @classmethod
    def of(cls, note: Note) -> Anchor:
        return cls(
            clinic_id=note.chain, number=note.number, seq=note.seq, hash=note.hash, previous=note.previous, at=note.at,
            key_id=note.key_id, signature=note.signature,
        )  # fmt: skip

    @property
    def note(self) -> Note:
        return Note(
            chain=self.clinic_id,
            number=self.number,
            seq=self.seq,
            hash=bytes(self.hash),
            previous=bytes(self.previous),
            at=self.at,
            key_id=self.key_id,
            signature=bytes(self.signature),
        )


class AnchorMark(models.Model):
    """How far the anchors of a chain have come in one place, and since when they cannot go on.

    The place "" is the signing itself. A place that is new in the settings begins at 0 and gets every anchor.
    """

    clinic_id = models.UUIDField()
    place = models.CharField(max_length=200, blank=True)
    number = models.PositiveBigIntegerField(default=0)
    reached_at = models.DateTimeField(null=True)
    tried_at = models.DateTimeField(null=True)
    failing_since = models.DateTimeField(null=True)
    error = models.CharField(max_length=20, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["clinic_id", "place"], name="anchor_mark_once_a_place")]

    def __str__(self) -> str:
        return f"{self.clinic_id} {self.number}"


from audit.registers.models import Entry, Version  # noqa: E402, F401  (Django looks for models here)
