"""The journal: append-only, one gapless hash chain per clinic."""

from __future__ import annotations

import uuid
from typing import Any, NoReturn

from django.db import models
from django.utils.translation import gettext_lazy as _

from audit.verbs import Outcome, Purpose, Verb

PLATFORM = uuid.UUID(int=0)
"""The chain of events that belong to no clinic, such as a sign-in attempt by somebody unknown."""


class AppendOnlyQuerySet(models.QuerySet["Event"]):
    def update(self, **_kwargs: Any) -> NoReturn:
        raise TypeError("the journal is append-only")

    def delete(self) -> NoReturn:
        raise TypeError("the journal is append-only")


class Event(models.Model):
    """One line of the journal.

    No foreign keys: an event outlives what it speaks of, and a deleted row never takes its history along. It names
    fields and counts, never values: no NAM, name, birth date, document text or file name can stand here.
    """

    event_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    clinic_id = models.UUIDField(editable=False)
    seq = models.PositiveBigIntegerField(editable=False)
    at = models.DateTimeField(editable=False)

    verb = models.CharField(max_length=40, choices=Verb.choices)
    outcome = models.CharField(max_length=10, choices=Outcome.choices, default=Outcome.SUCCESS)
    reason_code = models.CharField(max_length=40, blank=True)
    purpose = models.CharField(max_length=20, choices=Purpose.choices, default=Purpose.BILLING)

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

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        verbose_name = _("event")
        constraints = [models.UniqueConstraint(fields=["clinic_id", "seq"], name="event_seq_once_per_clinic")]
        indexes = [
            models.Index(fields=["clinic_id", "-at"], name="event_by_time"),
            models.Index(fields=["clinic_id", "actor_id", "-seq"], name="event_by_actor"),
            models.Index(fields=["clinic_id", "verb", "-seq"], name="event_by_verb"),
            models.Index(fields=["clinic_id", "document_id", "-seq"], name="event_by_document"),
            models.Index(fields=["clinic_id", "subject", "-seq"], name="event_by_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.seq} {self.verb}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("the journal is append-only")
        super().save(*args, **kwargs)

    def delete(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise TypeError("the journal is append-only")


class ChainHead(models.Model):
    """The end of one clinic's chain. Its row is the lock that gives events their order."""

    clinic_id = models.UUIDField(primary_key=True)
    seq = models.PositiveBigIntegerField(default=0)
    hash = models.BinaryField(max_length=32)

    def __str__(self) -> str:
        return f"{self.clinic_id} {self.seq}"


from audit.registers.models import Entry, Version  # noqa: E402, F401  (Django looks for models here)
