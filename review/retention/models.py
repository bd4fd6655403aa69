"""Periods, holds, destructions and their certificates."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Clinic, User
from extraction.models import Document
from review.retention.classes import DataClass
from vault.fields import EncryptedTextField


class RetentionPeriod(models.Model):
    """For how many days a clinic keeps a class of data, where it is not the default (`classes.RULES`)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    data_class = models.CharField(max_length=10, choices=DataClass.choices)
    days = models.PositiveIntegerField()
    set_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    set_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["clinic", "data_class"], name="one_period_a_class")]

    def __str__(self) -> str:
        return f"{self.data_class} {self.days}"


class Hold(models.Model):
    """A legal hold: while it lasts nothing of the document, or of the clinic (`document` null), is destroyed."""

    vault_owner = ()

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    document = models.ForeignKey(Document, on_delete=models.PROTECT, null=True, related_name="holds")
    reason = EncryptedTextField()
    placed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    placed_at = models.DateTimeField(auto_now_add=True)
    lifted_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["document"], condition=Q(lifted_at=None, document__isnull=False), name="one_hold_a_document"
            ),
            models.UniqueConstraint(
                fields=["clinic"], condition=Q(lifted_at=None, document=None), name="one_hold_a_clinic"
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class Certificate(models.Model):
    """What was destroyed, signed (`review.retention.certificates`). `body` is canonical JSON and names no patient."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    number = models.PositiveIntegerField()
    issued_at = models.DateTimeField()
    body = models.TextField()
    signature = models.BinaryField(max_length=64)
    public_key = models.BinaryField(max_length=32)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["clinic", "number"], name="certificate_number_once")]

    def __str__(self) -> str:
        return str(self.number)


class AskedReason(models.TextChoices):
    """Why an administrator has a document destroyed before its time. Codes only: a text could name a patient."""

    MISTAKE = "mistake", _("uploaded by mistake")
    NOT_NEEDED = "not_needed", _("not necessary for the purpose")
    REQUEST = "request", _("asked for by the person concerned (P-39.1 s. 28, R-22.1)")
    CONTRACT = "contract", _("end of the contract (P-39.1 s. 18.3, R-22.1 s. 77)")


class Destruction(models.Model):
    """One class of one document's data, destroyed or (`done_at` null) about to be: a killed process goes on with it.

    `days` is the period that was over; null where a person asked. `fingerprint` is of the key that was destroyed.
    """

    class Why(models.TextChoices):
        PERIOD = "period", _("end of the retention period")
        ASKED = "asked", _("asked for by an administrator")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="destructions")
    data_class = models.CharField(max_length=10, choices=DataClass.choices)
    why = models.CharField(max_length=10, choices=Why.choices)
    reason = models.CharField(max_length=12, choices=AskedReason.choices, blank=True)
    days = models.PositiveIntegerField(null=True)
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    count = models.PositiveIntegerField(default=0)
    fingerprint = models.CharField(max_length=32, blank=True)
    begun_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    certificate = models.ForeignKey(Certificate, on_delete=models.PROTECT, null=True, related_name="destructions")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["document", "data_class"], condition=Q(done_at=None), name="one_destruction_at_a_time"
            ),
        ]
        indexes = [
            models.Index(fields=["clinic", "certificate"], name="destruction_uncertified"),
            models.Index(fields=["done_at"], condition=Q(done_at=None), name="destruction_open"),
        ]

    def __str__(self) -> str:
        return f"{self.document_id} {self.data_class}"
