"""What machines propose: documents, runs, pages and findings. People's decisions stand in `review`.

And what the machines themselves are like: samples of the model servers, and the prices that a clinic reckons with.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Clinic, User
from extraction.page import Box, Page
from vault.fields import EncryptedJSONField, EncryptedTextField


class FormKind(models.TextChoices):
    """What a document is, as the person says who uploads it."""

    AGENDA = "agenda", _("agenda")
    LIST = "list", _("list of patients")
    FORM = "form", _("form")
    LETTER = "letter", _("letter")
    LAB = "lab", _("lab report")
    LABELS = "labels", _("labels")
    OTHER = "other", _("something else")


class Document(models.Model):
    """An uploaded PDF. Its bytes are in the vault's file store under `id`; its name is encrypted.

    `content_index` is the keyed hash of the bytes: the same file in the same clinic is caught before it is read. `kind`
    is how it came to be (`extraction.kinds.Kind`), empty until a run of it is done or where nothing tells; `form_kind`
    is what it is, empty where nobody said.
    """

    vault_owner = ()

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="documents")
    uploaded_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    file_name = EncryptedTextField()
    content_index = models.BinaryField(max_length=16)
    byte_count = models.PositiveIntegerField()
    page_count = models.PositiveIntegerField()
    # What the billing file asks for; it is the physician's, not the patient's.
    doctor_licence = models.CharField(_("licence number"), max_length=7, blank=True,
                                      validators=[RegexValidator(r"^\d{7}$", _("Seven digits."))])  # fmt: skip
    doctor_group = models.CharField(_("group number"), max_length=5, blank=True,
                                    validators=[RegexValidator(r"^(\d{5}|0)$", _("Five digits, or 0."))])  # fmt: skip
    sector = models.CharField(_("sector"), max_length=1, blank=True,
                              validators=[RegexValidator(r"^[0-7]$", _("One digit, 0 to 7."))])  # fmt: skip
    kind = models.CharField(max_length=10, blank=True, default="", db_default="")
    form_kind = models.CharField(_("kind of document"), max_length=10, choices=FormKind.choices, blank=True, default="",
                                 db_default="")  # fmt: skip
    created_at = models.DateTimeField(auto_now_add=True)
    # Since when its pages cannot be shown, and since when nothing of it is left but counts (`review.retention`).
    file_destroyed_at = models.DateTimeField(null=True)
    destroyed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["clinic", "content_index"], name="document_once_per_clinic"),
        ]
        indexes = [
            models.Index(fields=["clinic", "-created_at"], name="document_newest"),
            models.Index(fields=["uploaded_by", "-created_at"], name="document_of_person"),
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def vault_name(self) -> str:
        """The name of its bytes in the vault's file store."""
        return str(self.id)

    @property
    def vault_aad(self) -> bytes:
        """What the stored bytes are bound to: they open for this document of this clinic only."""
        return f"document:{self.clinic_id}:{self.id}".encode()


class Status(models.TextChoices):
    QUEUED = "queued", _("queued")
    READING = "reading", _("reading")
    FINDING = "finding", _("finding")
    WAITING = "waiting", _("waiting for a service")
    DONE = "done", _("done")
    FAILED = "failed", _("failed")


TRANSITIONS: dict[str, frozenset[str]] = {
    Status.QUEUED: frozenset({Status.READING, Status.WAITING, Status.FAILED}),
    Status.READING: frozenset({Status.FINDING, Status.WAITING, Status.QUEUED, Status.DONE, Status.FAILED}),
    Status.FINDING: frozenset({Status.WAITING, Status.QUEUED, Status.DONE, Status.FAILED}),
    Status.WAITING: frozenset({Status.QUEUED, Status.FAILED}),
    Status.DONE: frozenset({Status.QUEUED}),
    Status.FAILED: frozenset({Status.QUEUED}),
}
"""Where a run may go from where it is. A failed run may be tried again, and a done one for its unread pages. A run that
was woken waits again when a worker that is still at one of its slices finds the service down."""

ACTIVE = frozenset({Status.QUEUED, Status.READING, Status.FINDING, Status.WAITING})
WORKING = frozenset({Status.READING, Status.FINDING})


class Finder(models.TextChoices):
    HYBRID = "hybrid", _("pattern and model")
    PATTERN = "pattern", _("pattern only")
    MODEL = "model", _("model only")


class DeploymentState(models.TextChoices):
    OPEN = "open", _("being tried")
    ADOPTED = "adopted", _("in service")
    RETIRED = "retired", _("replaced")
    ROLLED_BACK = "rolled_back", _("rolled back")
    STOPPED = "stopped", _("stopped")


class Deployment(models.Model):
    """A model as it is served: replicas, the name it answers to (a model's or an adapter's) and a prompt.

    While it is open, `share` per cent of the documents are answered by it; with 0 it is in the shadow. It concerns
    every clinic of the installation. The server of the settings has no row: it is what there is without any.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    endpoints = models.JSONField(default=list)
    profile = models.CharField(max_length=60, blank=True)
    model_name = models.CharField(max_length=150)
    prompt_version = models.CharField(max_length=40)
    state = models.CharField(max_length=12, choices=DeploymentState.choices, default=DeploymentState.OPEN)
    share = models.PositiveSmallIntegerField(default=0)
    # What was in service before it, and is again if it is rolled back after its adoption; null: that of the settings.
    predecessor = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="+")
    started_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField()
    step_began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=20, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["state"], condition=Q(state__in=["open", "adopted"]), name="one_deployment_tried_one_in_service"
            ),
            models.CheckConstraint(condition=Q(share__lte=100), name="deployment_share_is_per_cent"),
        ]

    def __str__(self) -> str:
        return f"{self.model_name} · {self.prompt_version}"

    @property
    def is_shadow(self) -> bool:
        return self.state == DeploymentState.OPEN and self.share == 0


class Question(models.Model):
    """What became of one question to a model: counts and seconds, nothing of the page. Kept for a month.

    Only written where a deployment exists; `deployment` is null for the server of the settings. `sure` counts the
    pattern finder's numbers whose checks all hold, `seen` those among them that the model gave too. For a question in
    the shadow the last three compare its numbers with those that the baseline's model gave on the same page.
    """

    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, null=True, related_name="questions")
    at = models.DateTimeField()
    error = models.CharField(max_length=20, blank=True)
    seconds = models.FloatField()
    sure = models.PositiveIntegerField(default=0)
    seen = models.PositiveIntegerField(default=0)
    hallucinated = models.PositiveIntegerField(default=0)
    is_shadow = models.BooleanField(default=False)
    both = models.PositiveIntegerField(default=0)
    only_baseline = models.PositiveIntegerField(default=0)
    only_newcomer = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = [
            models.Index(fields=["deployment", "-at"], name="question_newest"),
            models.Index(fields=["at"], name="question_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.deployment_id} {self.at}"


class Run(models.Model):
    """One extraction of a document by named versions of reader, pattern rules, model and prompt.

    Its pages are worked off in slices, by as many workers as there are (`Slice`).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="runs")
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.QUEUED)
    error_code = models.CharField(max_length=40, blank=True)

    reader = models.CharField(max_length=12, default="auto")
    ocr = models.CharField(max_length=12, default="local")
    finder = models.CharField(max_length=10, choices=Finder.choices, default=Finder.PATTERN)
    rules_version = models.CharField(max_length=40, blank=True)
    model_name = models.CharField(max_length=150, blank=True)
    prompt_version = models.CharField(max_length=40, blank=True)
    without_model = models.BooleanField(default=False)
    # A person chose this prompt; "" is whatever is in service when the run is worked off.
    asked_prompt = models.CharField(max_length=40, blank=True, default="", db_default="")

    # How often this run was queued: part of its jobs' ids, so that a job a killed worker left behind blocks nothing.
    turn = models.PositiveIntegerField(default=0)
    # Of the HTTP request that queued it last; empty where a command did. Here, because the queue may be lost.
    request_id = models.CharField(max_length=32, blank=True, default="", db_default="")
    next_attempt_at = models.DateTimeField(null=True)

    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["document", "-created_at"], name="run_newest"),
            models.Index(fields=["status", "next_attempt_at"], name="run_due"),
            models.Index(fields=["created_at"], name="run_by_begin"),
            models.Index(fields=["finished_at"], name="run_by_end"),
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def is_active(self) -> bool:
        return self.status in ACTIVE

    @property
    def uses_model(self) -> bool:
        return self.finder != Finder.PATTERN and not self.without_model


class SliceState(models.TextChoices):
    FREE = "free"  # whoever has a turn may take it
    HELD = "held"  # a worker is at it
    RESTING = "resting"  # its run waits for a service


class Slice(models.Model):
    """Pages of a run that one worker works off together: the unit of work. The row goes when they are done.

    A worker owns it while `claim` holds the worker's token; every write of that worker is conditional on it, so a job
    may be delivered twice and a worker that was thought dead can spoil nothing. `round` is its place among the slices
    of its clinic (`extraction.turns`).
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="slices")
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+", db_index=False)
    first = models.PositiveIntegerField()
    last = models.PositiveIntegerField()
    round = models.PositiveBigIntegerField()
    state = models.CharField(max_length=8, choices=SliceState.choices, default=SliceState.FREE)
    claim = models.UUIDField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    # By how many workers it was taken since it last got a page further.
    attempts = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = [
            models.Index(fields=["clinic", "state", "round", "id"], name="slice_next"),
            models.Index(fields=["state", "id"], name="slice_oldest"),
        ]

    def __str__(self) -> str:
        return f"{self.run_id} pp. {self.first}-{self.last}"


class ClinicTurn(models.Model):
    """Where a clinic stands in the line: when a worker last took something of it, if ever, and in which of its
    rounds."""

    clinic = models.OneToOneField(Clinic, on_delete=models.PROTECT, primary_key=True, related_name="+")
    taken_at = models.DateTimeField(null=True)
    round = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.clinic_id)


class PageState(models.TextChoices):
    READ = "read", _("read")  # its words are known, its numbers are not yet
    FOUND = "found", _("done")
    UNREAD = "unread", _("unread")


class RunPage(models.Model):
    """One page of a run, stored as soon as it is read so that a killed worker resumes where it stopped.

    A page without a row has not been tried yet. `words` is the page as read (extraction.page.Page as JSON), encrypted.
    """

    vault_owner = ("run", "document")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # Without an index of its own: both below begin with it.
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="pages", db_index=False)
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=PageState.choices)
    error_code = models.CharField(max_length=40, blank=True)
    model_error_code = models.CharField(max_length=40, blank=True)
    reader = models.CharField(max_length=12, blank=True)
    # How it came to be (`extraction.kinds.Kind`); empty where nothing tells.
    kind = models.CharField(max_length=10, blank=True, default="", db_default="")
    words = EncryptedJSONField(null=True)
    read_seconds = models.FloatField(default=0)
    find_seconds = models.FloatField(default=0)
    hallucinated = models.PositiveIntegerField(default=0)
    # Whose answer stands here; null: that of the settings' server, or nobody's.
    deployment = models.ForeignKey(Deployment, on_delete=models.PROTECT, null=True, related_name="pages")
    # What the sign-off says of the proposals (`review` hands it down); null while the page is not signed off.
    right = models.PositiveIntegerField(null=True)
    wrong = models.PositiveIntegerField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="page_once_per_run")]
        # Holds the seconds, so that they are read without the words beside them.
        indexes = [models.Index(fields=["run", "reader", "read_seconds", "find_seconds"], name="page_seconds")]

    def __str__(self) -> str:
        return f"{self.run_id} p. {self.number}"

    @property
    def is_signed_off(self) -> bool:
        return self.right is not None

    @property
    def page(self) -> Page:
        if self.words is None:
            raise ValueError("an unread page has no words")  # and must not look like an empty one
        return Page.from_json(self.words)


class Finding(models.Model):
    """A proposed NAM: where it is printed, what it says, who found it, which checks hold.

    `value_index` is the keyed index a NAM is searched by. `checks` holds booleans only. `witnesses` is what the
    confidence was weighed from (finders.confidence.Witnesses as JSON: booleans, counts and probabilities); None in
    rows from before it was kept.
    """

    vault_owner = ("run", "document")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="findings")
    page = models.PositiveIntegerField()
    position = models.PositiveIntegerField()
    value = EncryptedTextField()
    value_index = models.BinaryField(max_length=16)
    printed = EncryptedTextField()
    visit_date = EncryptedTextField(null=True)
    visit_time = EncryptedTextField(null=True)
    repairs = EncryptedJSONField(null=True)
    x0 = models.FloatField()
    y0 = models.FloatField()
    x1 = models.FloatField()
    y1 = models.FloatField()
    found_by = models.JSONField(default=list)
    checks = models.JSONField(default=dict)
    valid = models.BooleanField()
    confidence = models.FloatField()
    witnesses = models.JSONField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "page", "position"], name="finding_once_per_place")]
        indexes = [models.Index(fields=["value_index"], name="finding_by_value")]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def box(self) -> Box:
        return Box(self.x0, self.y0, self.x1, self.y1)

    @property
    def ranked_repairs(self) -> list[dict[str, Any]]:
        return list(self.repairs or [])


class Hint(models.Model):
    """A place where a NAM may be printed, though it is likelier that none is: nothing is proposed there.

    A person who looks there may add it like any other number. `value` is what would have been proposed.
    """

    vault_owner = ("run", "document")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="hints")
    page = models.PositiveIntegerField()
    value = EncryptedTextField()
    x0 = models.FloatField()
    y0 = models.FloatField()
    x1 = models.FloatField()
    y1 = models.FloatField()
    confidence = models.FloatField()

    class Meta:
        indexes = [models.Index(fields=["run", "page"], name="hint_by_page")]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def box(self) -> Box:
        return Box(self.x0, self.y0, self.x1, self.y1)


class Lease(models.Model):
    """Who may do what only one process should do, such as being the scheduler."""

    name = models.CharField(max_length=40, primary_key=True)
    holder = models.UUIDField()
    until = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class Sample(models.Model):
    """One look at a model server, taken by the scheduler once a minute.

    `state` is a code of `extraction.llm.health.Detail`, `seconds` how long the look took. The rest is what the server
    says of itself at /metrics: null where it says nothing. `prefix_hits` is the share of prompt tokens that were found
    in the prefix cache since the server started. A minute without a row is a minute of which nothing is known.
    """

    server = models.CharField(max_length=100)
    minute = models.DateTimeField()
    state = models.CharField(max_length=20)
    seconds = models.FloatField()
    running = models.PositiveIntegerField(null=True)
    waiting = models.PositiveIntegerField(null=True)
    cache_use = models.FloatField(null=True)
    prefix_hits = models.FloatField(null=True)

    class Meta:
        # By minute first: every question is about a stretch of time, and few servers share it.
        constraints = [models.UniqueConstraint(fields=["minute", "server"], name="sample_once_a_minute")]

    def __str__(self) -> str:
        return f"{self.server} {self.minute:%Y-%m-%d %H:%M}"


class DayUse(models.Model):
    """What the runs that were asked for on one day used, as `extraction.usage` counted it: a clinic's, on its clock.

    Kept of days that are over and on which nothing runs any more, with zeros where nothing was used; gone as soon as
    one of their runs goes on. What it can be counted from again stays, so it may be missing at any moment.
    """

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="+", db_index=False)
    day = models.DateField()
    extractions = models.PositiveIntegerField()
    pages = models.PositiveIntegerField()
    textract_pages = models.PositiveIntegerField()
    model_pages = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["clinic", "day"], name="use_once_a_day")]

    def __str__(self) -> str:
        return f"{self.clinic_id} {self.day}"


class PriceChange(models.Model):
    """A price that a clinic's administrator put in place of the one in `prices.toml`, from a day on.

    Rows are added and never changed: the newest one that holds on a day counts, and the others say what was before.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=40)
    amount = models.DecimalField(max_digits=12, decimal_places=6)
    from_day = models.DateField()
    source = models.CharField(max_length=200)
    set_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    set_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["clinic", "name", "-from_day"], name="price_in_force")]

    def __str__(self) -> str:
        return f"{self.name} {self.from_day}"


class AlertKind(models.TextChoices):
    """What may be wrong, as the planning document lists it ("Production Validation")."""

    PRECISION = "precision", _("Precision")
    RECALL = "recall", _("Recall")
    TOTAL_TIME = "total_time", _("Time of a document")
    MODEL_TIME = "model_time", _("Time of the model")
    HEALTH = "health", _("Health of the model server")
    ERROR_RATE = "error_rate", _("Unusable answers")
    COST = "cost", _("Cost of the month")
    JOURNAL = "journal", _("Integrity of the journal")


class Alert(models.Model):
    """Something that is wrong, from when it was noticed to when it was over. While it lasts there is one row.

    `clinic` is null for what concerns the whole installation, and `subject` is then the name of a server, a place or a
    chain. `figure` and `detail` (the state of the newest look at a server, failed/asked pages, or a code) are of
    `seen_at`, when it was last found wrong. Codes and figures only: nothing here names a person or a document.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=12, choices=AlertKind.choices)
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, null=True, related_name="+")
    subject = models.CharField(max_length=100, blank=True)
    detail = models.CharField(max_length=20, blank=True)
    figure = models.FloatField()
    threshold = models.FloatField()
    began_at = models.DateTimeField()
    raised_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    acknowledged_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    acknowledged_at = models.DateTimeField(null=True)
    mailed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "clinic"], condition=Q(ended_at=None, clinic__isnull=False),
                name="alert_once_a_clinic_while_it_lasts",
            ),
            models.UniqueConstraint(
                fields=["kind", "subject"], condition=Q(ended_at=None, clinic=None),
                name="alert_once_while_it_lasts",
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["ended_at", "clinic"], name="alert_open"),
            models.Index(fields=["-raised_at"], name="alert_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.raised_at:%Y-%m-%d %H:%M}"

    @property
    def is_open(self) -> bool:
        return self.ended_at is None
