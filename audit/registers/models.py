"""What every register is made of: entries with a number, and their versions, of which the newest is in force."""

from __future__ import annotations

import uuid
from typing import Any, NoReturn

from django.db import models
from django.utils.translation import gettext_lazy as _

from vault.fields import EncryptedJSONField


class Register(models.TextChoices):
    """The books that a clinic keeps. Articles are in `docs/compliance.md`."""

    INCIDENTS = "incidents", _("Confidentiality incidents")
    REQUESTS = "requests", _("Access and rectification requests")
    COMPLAINTS = "complaints", _("Complaints")
    RESTRICTIONS = "restrictions", _("Restrictions of access")
    GOVERNANCE = "governance", _("Person in charge and policy")
    UNDERTAKINGS = "undertakings", _("Training and undertakings")
    PRODUCTS = "products", _("Technological products")


class Entry(models.Model):
    """One matter in one register. What it says stands in its versions, encrypted; here are only dates and codes.

    `began_on` is the day that the matter's clock counts from, on the clinic's clock: that on which the clinic became
    aware of an incident, or received a request. Until `kept_until` has passed the database refuses to remove the
    entry; None keeps it for good. `subject` is the keyed index of the NAM or of the person that it is about.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    clinic_id = models.UUIDField(editable=False)
    register = models.CharField(max_length=20, choices=Register.choices, editable=False)
    number = models.PositiveIntegerField(editable=False)
    began_on = models.DateField()
    closed_on = models.DateField(null=True)
    kept_until = models.DateField(null=True)
    subject = models.BinaryField(max_length=16, null=True)
    opened_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["clinic_id", "register", "number"], name="entry_number_once_per_register"),
        ]
        indexes = [models.Index(fields=["clinic_id", "register", "subject"], name="entry_by_subject")]

    def __str__(self) -> str:
        return f"{self.register} {self.number}"

    @property
    def is_open(self) -> bool:
        return self.closed_on is None

    @property
    def current(self) -> Version:
        """The version in force."""
        return self.versions.order_by("-number")[0]


class Version(models.Model):
    """What an entry said from `at` on. Never changed: a correction is the next version, with the reason in `note`. Only
    a rotation of keys seals the same content anew; the journal has its keyed code (`audit.registers.codes`).

    `content` is what the register's form asked for, as JSON: texts, ISO dates, numbers and booleans by field name.
    No foreign key to the person, who may leave: their name is kept as in the journal.
    """

    vault_owner = ("entry",)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    content = EncryptedJSONField()
    note = models.CharField(max_length=40, blank=True)
    by_id = models.UUIDField()
    by_name = models.CharField(max_length=150)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["entry", "number"], name="version_once_per_entry")]

    def __str__(self) -> str:
        return f"{self.entry_id} v{self.number}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("a version of a register's entry is never changed")
        super().save(*args, **kwargs)

    def delete(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise TypeError("a version goes with its entry, after its term")
