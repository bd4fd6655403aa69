"""The closed list of what can happen. A verb is `category.action`; its label is for the journal's readers."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Verb(models.TextChoices):
    LOGIN_OK = "auth.login_ok", _("Signed in")
    LOGIN_FAILED = "auth.login_fail", _("Sign-in failed")
    LOGOUT = "auth.logout", _("Signed out")
    PASSWORD_CHANGED = "auth.password_changed", _("Password changed")
    TOKEN_CREATED = "auth.token_created", _("API token created")
    TOKEN_REVOKED = "auth.token_revoked", _("API token revoked")

    SECOND_FACTOR_USED = "auth.mfa_ok", _("Second step passed")
    SECOND_FACTOR_FAILED = "auth.mfa_fail", _("Second step failed")
    SECOND_FACTOR_ADDED = "auth.mfa_enrolled", _("Second step added")
    SECOND_FACTOR_REMOVED = "auth.mfa_removed", _("Second step removed")
    SECOND_FACTOR_RESET = "auth.mfa_reset", _("Second step reset by an administrator")
    RECOVERY_CODES_MADE = "auth.recovery_made", _("Recovery codes made")
    RECOVERY_CODE_USED = "auth.recovery_used", _("Recovery code used")
    REAUTHENTICATED = "auth.reauthenticated", _("Identity confirmed again")
    SESSION_ENDED = "auth.session_ended", _("Session ended")
    LOCKED = "auth.lockout", _("Sign-in locked after failures")
    UNLOCKED = "auth.unlocked", _("Sign-in unlocked by an administrator")
    EMERGENCY_BEGUN = "authz.break_glass", _("Emergency access begun")
    NAM_REVEALED = "hssi.revealed", _("Masked number revealed")
    LIMIT_REACHED = "sys.rate_limited", _("Limit of requests reached")

    DENIED = "authz.denied", _("Access denied")
    CROSS_TENANT_DENIED = "authz.cross_tenant_denied", _("Access to another clinic denied")
    ROLE_CHANGED = "authz.role_changed", _("Role changed")

    CLINIC_CREATED = "admin.clinic_created", _("Clinic created")
    USER_CREATED = "admin.user_created", _("Person added")
    USER_DISABLED = "admin.user_disabled", _("Person deactivated")
    USER_ENABLED = "admin.user_enabled", _("Person reactivated")
    INVITATION_MADE = "admin.invitation_made", _("Invitation link made")
    PRICE_CHANGED = "admin.price_changed", _("Price changed")
    ALERT_ACKNOWLEDGED = "admin.alert_acknowledged", _("Alert acknowledged")

    DOCUMENT_UPLOADED = "doc.uploaded", _("Document uploaded")
    DOCUMENT_REJECTED = "doc.rejected", _("Document refused at upload")
    DOCUMENT_DUPLICATE = "doc.duplicate", _("Duplicate announced at upload")
    DOCUMENT_VIEWED = "doc.viewed", _("Document opened")
    PAGE_VIEWED = "doc.viewed_page", _("Page image shown")
    PAGE_SHOWN = "doc.page_shown", _("Page image acknowledged as shown on the screen")
    SUSPECT_TEXT_FOUND = "doc.suspect_text", _("Invisible text, or text for programs, found on a page")
    PAGE_SENT_AHEAD = "doc.sent_ahead", _("Page sent to the browser ahead of its turn")

    RUN_QUEUED = "run.queued", _("Extraction queued")
    RUN_STARTED = "run.started", _("Extraction started")
    RUN_RESUMED = "run.resumed", _("Extraction resumed after an interruption")
    RUN_WAITING = "run.waiting", _("Extraction waits for a service")
    RUN_DONE = "run.done", _("Extraction done")
    RUN_FAILED = "run.failed", _("Extraction failed")
    RUN_WITHOUT_MODEL = "run.without_model", _("Extraction goes on without the model")

    FINDINGS_PROPOSED = "nam.candidate_found", _("NAMs proposed")
    NAM_CONFIRMED = "nam.confirmed", _("NAM confirmed")
    NAM_CORRECTED = "nam.corrected", _("NAM corrected")
    NAM_REJECTED = "nam.rejected", _("Proposal rejected")
    NAM_ADDED = "nam.added", _("NAM added by hand")
    DECISION_UNDONE = "nam.decision_undone", _("Decision undone")
    PAGE_SIGNED = "doc.page_signed", _("Page signed off")
    PAGE_REOPENED = "doc.page_reopened", _("Page reopened")
    SECOND_ASKED = "second.asked", _("Second review asked for")
    SECOND_BEGUN = "second.begun", _("Second review begun")
    SECOND_DECIDED = "second.decided", _("Second review: answer given")
    SECOND_UNDONE = "second.undone", _("Second review: answer undone")
    SECOND_FINISHED = "second.finished", _("Second review finished")
    SECOND_WITHDRAWN = "second.withdrawn", _("Second review withdrawn")
    DISAGREEMENT_SETTLED = "second.settled", _("Disagreement settled")
    DOCUMENT_CLAIMED = "doc.claimed", _("Document taken from the queue")
    DOCUMENT_TAKEN_OVER = "doc.taken_over", _("Document taken over from another reviewer")

    LIST_VIEWED = "hssi.list_viewed", _("List shown")
    EXPORTED = "hssi.exported", _("Numbers exported to a file")
    EXPORT_DOWNLOADED = "hssi.export_downloaded", _("File of numbers downloaded")
    API_READ = "hssi.api_read", _("Results read through the API")
    DECISIONS_LEARNED = "hssi.decisions_learned", _("Decisions read to fit the confidence")

    MODEL_CALLED = "ai.llm_called", _("Pages sent to the clinic's model server")
    OCR_CALLED = "ai.ocr_called", _("Pages sent to the reading service")

    ROLLOUT_STARTED = "rollout.started", _("Rollout of a model begun")
    ROLLOUT_STEPPED = "rollout.stepped", _("Rollout: next share")
    ROLLOUT_ADOPTED = "rollout.adopted", _("Model put in service")
    ROLLOUT_ROLLED_BACK = "rollout.rolled_back", _("Model rolled back")
    ROLLOUT_STOPPED = "rollout.stopped", _("Rollout stopped")

    REGISTER_VIEWED = "register.viewed", _("Register shown")
    REGISTER_EXPORTED = "register.exported", _("Register exported")
    REGISTER_OPENED = "register.opened", _("Entry made in a register")
    REGISTER_CORRECTED = "register.corrected", _("Entry of a register supplemented or corrected")
    REGISTER_DESTROYED = "register.destroyed", _("Entry of a register destroyed after its term")
    NOTICE_DRAFTED = "register.notice_drafted", _("Notice or letter drafted")
    PATIENT_ANSWERED = "hssi.patient_answered", _("Answer to a person's request made")
    PATIENT_LOOKED_UP = "hssi.patient_looked_up", _("Documents that hold a person's number looked up")
    RESTRICTED_DENIED = "authz.restricted_denied", _("Access to restricted information denied")
    PROPOSAL_EXPLAINED = "ai.explained", _("Explanation of a proposal shown")
    KEY_ROTATED = "key.rotated", _("Encryption key replaced")
    KEY_DESTROYED = "key.destroyed", _("Former encryption key destroyed")
    RETENTION_VIEWED = "retention.viewed", _("Retention shown")
    RETENTION_CHANGED = "retention.changed", _("Retention period changed")
    HOLD_PLACED = "retention.hold_placed", _("Legal hold placed")
    HOLD_LIFTED = "retention.hold_lifted", _("Legal hold lifted")
    DATA_DESTROYED = "retention.destroyed", _("Data destroyed")
    CERTIFICATE_ISSUED = "retention.certificate_issued", _("Certificate of destruction issued")
    CERTIFICATE_TAKEN = "retention.certificate_taken", _("Certificate of destruction downloaded")

    JOURNAL_VIEWED = "audit.viewed", _("Journal shown")
    JOURNAL_SEARCHED = "audit.searched", _("Journal searched for a patient")
    JOURNAL_VERIFIED = "audit.verified", _("Journal verified")
    RESTORED = "audit.restored", _("Loss in a restore acknowledged")
    JOURNAL_EXPORTED = "audit.exported", _("Journal exported")
    REPORT_VIEWED = "audit.report_viewed", _("Report of the journal shown")


REPORTED = (
    Verb.EXPORT_DOWNLOADED, Verb.API_READ, Verb.OCR_CALLED, Verb.DENIED, Verb.CROSS_TENANT_DENIED, Verb.LOGIN_FAILED,
    Verb.SUSPECT_TEXT_FOUND,
)  # fmt: skip
"""What a report lists or counts by itself: few of all events. An index holds these; a change needs a migration."""


def verb_choices() -> list[tuple[str, str]]:
    """The choices of the journal's column: by name, so that a new verb needs no migration."""
    return [(verb.value, str(verb.label)) for verb in Verb]


class Outcome(models.TextChoices):
    SUCCESS = "success", _("success")
    DENIED = "denied", _("denied")
    ERROR = "error", _("error")


class Category(models.TextChoices):
    """The part of a verb before its dot."""

    SESSIONS = "auth", _("Sign-in and tokens")
    RIGHTS = "authz", _("Rights and refusals")
    ADMINISTRATION = "admin", _("Administration")
    DOCUMENTS = "doc", _("Documents")
    RUNS = "run", _("Extraction")
    NUMBERS = "nam", _("Numbers and decisions")
    SECOND_REVIEWS = "second", _("Second reviews")
    DISCLOSURES = "hssi", _("Lists, exports and the API")
    SERVICES = "ai", _("Reading and model services")
    ROLLOUTS = "rollout", _("Models in service")
    REGISTERS = "register", _("Registers")
    RETENTION = "retention", _("Retention and destruction")
    KEYS = "key", _("Encryption keys")
    LIMITS = "sys", _("Limits")
    JOURNAL = "audit", _("The journal itself")

    @property
    def verbs(self) -> list[Verb]:
        return [verb for verb in Verb if verb.value.partition(".")[0] == self.value]


class Context(models.TextChoices):
    """In which context information was used: R-22.1 s. 103 leaves accesses in care out of the yearly report."""

    CARE = "care", _("care")
    ADMINISTRATION = "administration", _("administration")


class Purpose(models.TextChoices):
    """Why the access happened."""

    BILLING = "billing", _("billing")
    QUALITY = "quality", _("quality")
    ADMINISTRATION = "administration", _("administration")
    AUDIT = "audit", _("audit")
