"""What people decide: verdicts on findings, additions, page sign-offs. Together they are the truth."""

from __future__ import annotations

import hashlib
import uuid
from base64 import b64decode
from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Clinic, User
from extraction.models import Document, Finding, Run
from extraction.page import Box
from review.effort import MOST, Effort
from review.priority import Left
from vault.fields import EncryptedTextField
from vault.index import MAC_BYTES


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


class Answer(models.Model):
    """What one person says of one place: a verdict on a finding, or an addition. Never changed; undoing marks it.

    The `id` may be given by the browser: sending the same answer twice is one answer.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
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
        abstract = True

    def __str__(self) -> str:
        return str(self.id)

    @property
    def box(self) -> Box | None:
        if self.x0 is None or self.y0 is None or self.x1 is None or self.y1 is None:
            return None
        return Box(self.x0, self.y0, self.x1, self.y1)


def answer_constraints(name: str) -> list[models.CheckConstraint]:
    """What holds for every answer, whoever gave it; `name` begins the constraints' names."""
    return [
        models.CheckConstraint(
            condition=Q(verdict="add", finding=None) | Q(finding__isnull=False) & ~Q(verdict="add"),
            name=f"{name}_on_a_finding_or_an_addition",
        ),
        models.CheckConstraint(
            condition=Q(verdict="reject", value_index=None) | ~Q(verdict="reject") & Q(value_index__isnull=False),
            name=f"{name}_has_a_value_unless_rejected",
        ),
    ]


class Decision(Answer):
    """A reviewer's answer that is the truth once its page is signed off.

    It belongs to the document as well as to the finding, so that a later run is measured against the same truth.
    `batch` is shared by the confirmations that one press of "confirm all" made; None for one that was made alone.
    `keys` and `presses` are what it took (`review.effort`); null where nobody counted.
    """

    vault_owner = ("document",)

    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="decisions")
    page = models.PositiveIntegerField()
    finding = models.ForeignKey(Finding, on_delete=models.CASCADE, null=True, related_name="decisions")
    batch = models.UUIDField(null=True)
    keys = models.PositiveSmallIntegerField(null=True)
    presses = models.PositiveSmallIntegerField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(keys=None, presses=None)
                | Q(keys__isnull=False, keys__lte=MOST, presses__isnull=False, presses__lte=MOST),
                name="decision_effort_is_bounded",
            ),
            models.UniqueConstraint(
                fields=["finding"], condition=Q(undone_at=None, finding__isnull=False), name="one_decision_per_finding"
            ),
            models.CheckConstraint(
                condition=Q(undone_at=None, undone_by=None) | Q(undone_at__isnull=False, undone_by__isnull=False),
                name="decision_undone_by_somebody",
            ),
            *answer_constraints("decision"),
        ]
        indexes = [
            models.Index(fields=["document", "page"], name="decision_by_page"),
            models.Index(fields=["value_index"], name="decision_by_value"),
        ]

    @property
    def effort(self) -> Effort | None:
        return Effort(self.keys, self.presses) if self.keys is not None and self.presses is not None else None


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


class Cause(models.TextChoices):
    """Why a page is reviewed a second time."""

    SAMPLE = "sample", _("drawn by lot")
    ADDITION = "addition", _("a number was added by hand")
    CORRECTION = "correction", _("a proposal of low confidence was corrected")
    FAST = "fast", _("signed unusually fast")
    BATCH = "batch", _("numbers were confirmed at once")
    AGAIN = "again", _("opened again before its second review was over")


class SecondState(models.TextChoices):
    WAITING = "waiting", _("waits for a second reviewer")
    BEGUN = "begun", _("begun")
    DISPUTED = "disputed", _("waits for a third person")
    CLOSED = "closed", _("over")
    WITHDRAWN = "withdrawn", _("withdrawn: the page was opened again")


SECOND_OPEN = (SecondState.WAITING, SecondState.BEGUN, SecondState.DISPUTED)
"""While it lasts, the first answers are shown to nobody who may be asked for the second or the third ones."""


class SecondReview(models.Model):
    """The blind second review of a signed-off page. The first decisions stand until a third person says otherwise.

    `run` is the one whose proposals were decided, and are decided again. `cause` hints at what the first reviewer did:
    it is for the journal and shown to no reviewer. `counts` says how often each pair of categories occurred, such as
    {"correct/wrong": 1} (`review.agreement`); `same` counts the items with the same number, date and time.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="second_reviews")
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="+")
    page = models.PositiveIntegerField()
    sign_off = models.OneToOneField(SignOff, on_delete=models.CASCADE, related_name="second_review")
    cause = models.CharField(max_length=10, choices=Cause.choices)
    state = models.CharField(max_length=10, choices=SecondState.choices, default=SecondState.WAITING)
    drawn_at = models.DateTimeField(auto_now_add=True)
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    began_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    counts = models.JSONField(default=dict)
    same = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["document", "page"], condition=Q(state__in=SECOND_OPEN), name="one_open_second_review_per_page"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["begun", "disputed", "closed"]) | Q(by__isnull=False),
                name="second_review_by_somebody",
            ),
        ]
        indexes = [
            models.Index(fields=["state", "drawn_at"], name="second_review_by_state"),
            models.Index(fields=["finished_at"], name="second_review_by_day"),
        ]

    def __str__(self) -> str:
        return f"{self.document_id} p. {self.page}"


class SecondDecision(Answer):
    """A second reviewer's answer. It is compared with the first one's, and is no truth by itself."""

    vault_owner = ("review", "document")

    review = models.ForeignKey(SecondReview, on_delete=models.CASCADE, related_name="decisions")
    finding = models.ForeignKey(Finding, on_delete=models.CASCADE, null=True, related_name="second_decisions")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["review", "finding"],
                condition=Q(undone_at=None, finding__isnull=False),
                name="one_second_decision_per_finding",
            ),
            *answer_constraints("second_decision"),
        ]


class Disagreement(models.Model):
    """Two different answers to one place, and what a third person made of them.

    `first` or `second` is None where that person said that no other number stands there. `outcome` is the decision that
    stands since; None while nobody has settled it, or when nothing stands there.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    review = models.ForeignKey(SecondReview, on_delete=models.CASCADE, related_name="disagreements")
    first = models.ForeignKey(Decision, on_delete=models.CASCADE, null=True, related_name="+")
    second = models.ForeignKey(SecondDecision, on_delete=models.CASCADE, null=True, related_name="+")
    outcome = models.ForeignKey(Decision, on_delete=models.CASCADE, null=True, related_name="+")
    settled_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(first__isnull=False) | Q(second__isnull=False), name="disagreement_about_something"
            ),
            models.CheckConstraint(
                condition=Q(settled_at=None, settled_by=None) | Q(settled_at__isnull=False, settled_by__isnull=False),
                name="disagreement_settled_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def finding(self) -> Finding | None:
        """What they disagree about, unless it is an addition."""
        answer = self.first or self.second
        return answer.finding if answer is not None else None

    @property
    def box(self) -> Box | None:
        """Where it stands; None where neither said."""
        places = (answer.box for answer in (self.first, self.second) if answer is not None)
        return next((box for box in places if box is not None), None)


class ReviewedRun(models.Model):
    """Which run of a document its reviewers work on, from the first decision or sign-off on.

    A later run is measured against what they decided and does not take its place (docs/decisions/0019).
    """

    document = models.OneToOneField(Document, on_delete=models.CASCADE, primary_key=True, related_name="reviewed")
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="+")

    def __str__(self) -> str:
        return str(self.run_id)


class ScoreGroup(models.Model):
    """What the scores of pages are split by: a configuration and a kind of document. One row for all that share it.

    Pages point here, so that figures are added up from one index without a look at runs and documents
    (docs/decisions/0039). `model` and `prompt` are empty where no model was asked, `kind` (an `extraction.kinds.Kind`)
    and `form_kind` (a FormKind) where nobody knows.
    """

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="+", db_index=False)
    reader = models.CharField(max_length=12, blank=True)
    rules = models.CharField(max_length=40, blank=True)
    model = models.CharField(max_length=150, blank=True)
    prompt = models.CharField(max_length=40, blank=True)
    kind = models.CharField(max_length=10, blank=True)
    form_kind = models.CharField(max_length=10, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["clinic", "reader", "rules", "model", "prompt", "kind", "form_kind"], name="score_group_once"
            )
        ]

    def __str__(self) -> str:
        return str(self.pk)


class PageScore(models.Model):
    """How a run did on a signed-off page: counts, and nothing that stands there. Gone when the page is opened again.

    `signed_on` is a day on the clinic's clock. `day_right` and `clock_right` are of the `tp` numbers; that nobody knows
    a date is right where no date was proposed. `confusions` counts the characters that reviewers corrected: {"O0": 2}
    was read as O twice and is 0. `calibration` has for each bin of confidence (`scoring.BINS`) how many proposals it
    holds, how many of them are right, and the sum of their confidences: {"14": [3, 2, 2.94]}; null in rows from before
    it was kept, which are scored anew.

    `is_reviewed` tells the run that reviewers worked on, so that a page counts once for its clinic. The last five are
    of the page's review, whatever the run: decisions on proposals, those that agreed with them unchanged, the items
    whose time is known, their seconds, and what the items took by action (`review.effort.counted`); null where nobody
    counted.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="page_scores")
    # Its document's.
    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, db_index=False, related_name="+")
    # Null in rows that an older version writes while this one is put in service; `scores.catch_up` fills it.
    group = models.ForeignKey(ScoreGroup, on_delete=models.RESTRICT, null=True, db_index=False, related_name="+")
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
    effort = models.JSONField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "page"], name="page_scored_once_per_run")]
        indexes = [
            models.Index(fields=["clinic", "signed_on"], name="page_score_by_clinic_and_day"),
            # Holds all that is added up, so that the figures are read from it alone; `id` tells hidden pages.
            models.Index(
                fields=["clinic", "group", "signed_on", "is_reviewed", "tp", "fp", "fn", "day_right", "clock_right",
                        "decided", "agreed", "timed", "review_seconds", "id"],
                name="page_score_sums",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.run_id} p. {self.page}"


class ScoreDay(models.Model):
    """What the scores and the second reviews of a day that is over add up to, as `review.score_days` counted it.

    `scores` has a list for each group and whether the run was reviewed: group, 1 or 0, pages, and SUMS. `agreement` has
    `pages`, `table` and `same` of the second reviews that were finished on that day; empty without any. What it can be
    counted from again stays, so it may be missing at any moment.
    """

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="+", db_index=False)
    day = models.DateField()
    scores = models.JSONField(default=list)
    agreement = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["clinic", "day"], name="scores_once_a_day")]

    def __str__(self) -> str:
        return f"{self.clinic_id} {self.day}"


class TouchedDay(models.Model):
    """A note that something of a day changed after it may have been counted; gone when it was counted anew."""

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="+", db_index=False)
    day = models.DateField()

    class Meta:
        indexes = [models.Index(fields=["clinic", "day"], name="touched_day")]

    def __str__(self) -> str:
        return f"{self.clinic_id} {self.day}"


class Export(models.Model):
    """A file of a document's numbers that was made for somebody, kept as it was made.

    `content` is the file's bytes in base64, `mac` their keyed code (`vault.index.content_mac`). `recipient` is an
    organisation or a program, for the register of communications (R-22.1 s. 265), never a patient.
    """

    class Format(models.TextChoices):
        SSV = "ssv", _("billing file (26 columns)")
        SSV_CLAIMS = "ssv_claims", _("billing file, header with amounts (26 columns)")
        CSV = "csv", _("table for a spreadsheet (CSV)")
        XLSX = "xlsx", _("workbook (XLSX)")
        JSON = "json", _("data (JSON)")

    class Justification(models.TextChoices):
        """Why the communication is necessary (R-22.1 s. 265). A closed list: typed words could name a patient."""

        CLAIM = "claim", _("claim of insured services by the clinic")
        MANDATE = "mandate", _("billing entrusted to a provider under a written contract (s. 77)")
        CORRECTION = "correction", _("correction of a file that left before")
        VERIFICATION = "verification", _("verification of what was billed, asked for by the payer")
        LAW = "law", _("required by law or by an order")

    vault_owner = ("document",)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="exports")
    format = models.CharField(max_length=10, choices=Format.choices)
    recipient = models.CharField(max_length=100)
    # Empty in files from before it was asked for.
    justification = models.CharField(max_length=20, choices=Justification.choices, blank=True)
    lines = models.PositiveIntegerField()
    withheld = models.PositiveIntegerField()
    content = EncryptedTextField()
    mac = models.BinaryField(max_length=MAC_BYTES, editable=False)
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

    @property
    def sha256(self) -> str:
        """Of the file, for whoever may have it; in clear it is kept nowhere."""
        return hashlib.sha256(self.data).hexdigest()


WAITING = Q(waiting_since__isnull=False)


class ReviewTask(models.Model):
    """The review of one document: what is left of it, since when it waits, and who is at work on it.

    One row per document, so that the queue is read from an index whatever its length. `review.tasks` counts; `place`
    orders (`review.priority`). Both moments are null while nothing is to be signed or the extraction goes on.

    The lease: `holder` works on the document until `held_until`, and afterwards is who worked on it last. `ticket` is
    of the newest page that was given to the holder, so that an older tab which goes away frees nothing.
    """

    document = models.OneToOneField(Document, on_delete=models.CASCADE, primary_key=True, related_name="review_task")
    # Neither it nor the holder has an index of its own: those below begin with them.
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+", db_index=False)

    findings = models.PositiveIntegerField(default=0)
    pages_open = models.PositiveIntegerField(default=0)
    undecided = models.PositiveIntegerField(default=0)
    doubtful = models.PositiveIntegerField(default=0)
    faint = models.PositiveIntegerField(default=0)
    unread = models.PositiveIntegerField(default=0)
    expected_errors = models.FloatField(default=0)
    waiting_since = models.DateTimeField(null=True)
    place = models.DateTimeField(null=True)
    counted_at = models.DateTimeField(null=True)
    # A run was over after pages were signed, and is not scored on them yet (`review.scores`).
    scores_due = models.BooleanField(default=False, db_default=False)

    holder = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    held_since = models.DateTimeField(null=True)
    held_until = models.DateTimeField(null=True)
    ticket = models.UUIDField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(waiting_since=None, place=None) | Q(waiting_since__isnull=False, place__isnull=False),
                name="review_task_waits_at_a_place",
            ),
            models.CheckConstraint(
                condition=Q(holder=None, held_since=None, held_until=None)
                | Q(holder__isnull=False, held_since__isnull=False, held_until__isnull=False),
                name="review_task_held_by_somebody",
            ),
        ]
        indexes = [
            models.Index(fields=["clinic", "place", "document"], condition=WAITING, name="task_by_place"),
            models.Index(fields=["clinic", "waiting_since", "document"], condition=WAITING, name="task_by_age"),
            models.Index(
                fields=["clinic", "place", "document"], condition=WAITING & Q(doubtful__gt=0), name="task_doubtful"
            ),
            models.Index(
                fields=["clinic", "place", "document"], condition=WAITING & Q(unread__gt=0), name="task_unread"
            ),
            models.Index(fields=["holder", "clinic", "place", "document"], condition=WAITING, name="task_mine"),
            models.Index(fields=["clinic"], condition=Q(scores_due=True), name="task_scores_due"),
        ]

    def __str__(self) -> str:
        return str(self.document_id)

    @property
    def left(self) -> Left:
        return Left(self.pages_open, self.undecided, self.doubtful, self.faint, self.unread, self.expected_errors)

    @property
    def decided(self) -> int:
        """Proposals that nobody has to decide on any more."""
        return self.findings - self.undecided

    def is_held(self, moment: datetime) -> bool:
        """Whether somebody is at work on it."""
        return self.held_until is not None and self.held_until > moment


from review.retention import models as _retention  # noqa: E402, F401  (Django looks for models here)
