"""What people decide: verdicts on findings, additions, page sign-offs. Together they are the truth."""

from __future__ import annotations

import uuid
from base64 import b64decode

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Clinic, User
from extraction.models import Document, Finding, Run
from extraction.page import Box
from vault.fields import EncryptedTextField


class Verdict(models.TextChoices):
    CONFIRM = "confirm", _("confirmed")
    CORRECT = "correct", _("corrected")
    REJECT = "reject", _("rejected")
    ADD = "add", _("added by hand")


class Reason(models.TextChoices):
    """Why a proposal is not a NAM of this document."""

    NOT_A_NAM = "not_a_nam", _("not a NAM (invoice, file or other number)")
    SPECIMEN = "specimen", _("an example or a specimen")
    DUPLICATE = "duplicate", _("the same print was proposed twice")
    CROSSED_OUT = "crossed_out", _("crossed out or cancelled")
    ILLEGIBLE = "illegible", _("nobody can read it")


class Decision(models.Model):
    """A reviewer's verdict on a finding, or an addition. Never changed; undoing marks it and leaves it.

    It belongs to the document as well as to the finding, so that a later run is measured against the same truth. The
    `id` may be given by the browser: sending the same decision twice is one decision.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="decisions")
    page = models.PositiveIntegerField()
    finding = models.ForeignKey(Finding, on_delete=models.CASCADE, null=True, related_name="decisions")
    verdict = models.CharField(max_length=10, choices=Verdict.choices)
    reason = models.CharField(max_length=20, choices=Reason.choices, blank=True)
    value = EncryptedTextField(null=True)
    value_index = models.BinaryField(max_length=16, null=True)
    visit_date = EncryptedTextField(null=True)
    visit_time = EncryptedTextField(null=True)
    x0 = models.FloatField(null=True)
    y0 = models.FloatField(null=True)
    x1 = models.FloatField(null=True)
    y1 = models.FloatField(null=True)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)
    undone_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    undone_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["finding"], condition=Q(undone_at=None, finding__isnull=False), name="one_decision_per_finding"
            ),
            models.CheckConstraint(
                condition=Q(undone_at=None, undone_by=None) | Q(undone_at__isnull=False, undone_by__isnull=False),
                name="decision_undone_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(verdict="add", finding=None) | Q(finding__isnull=False) & ~Q(verdict="add"),
                name="decision_on_a_finding_or_an_addition",
            ),
            models.CheckConstraint(
                condition=Q(verdict="reject", value_index=None) | ~Q(verdict="reject") & Q(value_index__isnull=False),
                name="decision_has_a_value_unless_rejected",
            ),
        ]
        indexes = [
            models.Index(fields=["document", "page"], name="decision_by_page"),
            models.Index(fields=["value_index"], name="decision_by_value"),
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def box(self) -> Box | None:
        if self.x0 is None or self.y0 is None or self.x1 is None or self.y1 is None:
            return None
        return Box(self.x0, self.y0, self.x1, self.y1)


class SignOff(models.Model):
    """The statement that no other NAM stands on this page: what makes recall measurable. Only ever reopened."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="sign_offs")
    page = models.PositiveIntegerField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    signed_at = models.DateTimeField(auto_now_add=True)
    reopened_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    reopened_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["document", "page"], condition=Q(reopened_at=None), name="one_sign_off_per_page"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.document_id} p. {self.page}"


class ReviewedRun(models.Model):
    """Which run of a document its reviewers work on, from the first decision or sign-off on.

    A later run is measured against what they decided and does not take its place (docs/decisions/0019).
    """

    document = models.OneToOneField(Document, on_delete=models.CASCADE, primary_key=True, related_name="reviewed")
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="+")

    def __str__(self) -> str:
        return str(self.run_id)


class PageScore(models.Model):
    """How a run did on a signed-off page: counts, and nothing that stands there. Gone when the page is opened again.

    `signed_on` is a day on the clinic's clock. `day_right` and `clock_right` are of the `tp` numbers; that nobody knows
    a date is right where no date was proposed. `confusions` counts the characters that reviewers corrected: {"O0": 2}
    was read as O twice and is 0. `calibration` has for each bin of confidence (`scoring.BINS`) how many proposals it
    holds, how many of them are right, and the sum of their confidences: {"14": [3, 2, 2.94]}; null in rows from before
    it was kept, which are scored anew.

    `is_reviewed` tells the run that reviewers worked on, so that a page counts once for its clinic. The last four are
    of the page's review, whatever the run: decisions on proposals, those that agreed with them unchanged, the items
    whose time is known, and their seconds.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="page_scores")
    # Its document's; null in rows that an older version writes while this one is put in service.
    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, null=True, db_index=False, related_name="+")
    page = models.PositiveIntegerField()
    reader = models.CharField(max_length=12, blank=True)
    signed_on = models.DateField()
    tp = models.PositiveIntegerField()
    fp = models.PositiveIntegerField()
    fn = models.PositiveIntegerField()
    day_right = models.PositiveIntegerField()
    clock_right = models.PositiveIntegerField()
    confusions = models.JSONField(default=dict)
    calibration = models.JSONField(null=True)
    is_reviewed = models.BooleanField(default=True, db_default=True)
    decided = models.PositiveIntegerField(default=0, db_default=0)
    agreed = models.PositiveIntegerField(default=0, db_default=0)
    timed = models.PositiveIntegerField(default=0, db_default=0)
    review_seconds = models.FloatField(default=0, db_default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "page"], name="page_scored_once_per_run")]
        indexes = [models.Index(fields=["clinic", "signed_on"], name="page_score_by_clinic_and_day")]

    def __str__(self) -> str:
        return f"{self.run_id} p. {self.page}"


class Export(models.Model):
    """A file of a document's numbers that was made for somebody, kept as it was made.

    `content` is the file's bytes in base64, `sha256` theirs. `recipient` is an organisation or a program, for the
    register of communications (R-22.1 s. 265), never a patient.
    """

    class Format(models.TextChoices):
        SSV = "ssv", _("billing file (26 columns)")
        CSV = "csv", _("table for a spreadsheet (CSV)")
        XLSX = "xlsx", _("workbook (XLSX)")
        JSON = "json", _("data (JSON)")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="exports")
    format = models.CharField(max_length=10, choices=Format.choices)
    recipient = models.CharField(max_length=100)
    lines = models.PositiveIntegerField()
    withheld = models.PositiveIntegerField()
    content = EncryptedTextField()
    sha256 = models.CharField(max_length=64)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["document", "-made_at"], name="export_newest")]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def data(self) -> bytes:
        """The file."""
        return b64decode(str(self.content))
