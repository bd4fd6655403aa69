"""How an administrator looks through the journal, and in which form they take it away."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from django import forms
from django.core import signing
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from audit.queries import Search
from audit.verbs import Category, Verb
from extraction import nam
from review.reports import Span
from vault.index import blind_index

_SUBJECT = "journal-subject"


class JournalForm(forms.Form):
    """Every field narrows the journal; all are optional."""

    actor = forms.ChoiceField(label=_("Person"), required=False)
    category = forms.ChoiceField(label=_("Kind"), required=False, choices=[("", _("All")), *Category.choices])
    verb = forms.ChoiceField(label=_("Event"), required=False, choices=[("", _("All")), *Verb.choices])
    document = forms.UUIDField(label=_("Document (identifier)"), required=False)
    since = forms.DateTimeField(
        label=_("From"), required=False, widget=forms.DateTimeInput(attrs={"type": "datetime-local"})
    )
    until = forms.DateTimeField(
        label=_("To"), required=False, widget=forms.DateTimeInput(attrs={"type": "datetime-local"})
    )

    def __init__(self, *args: Any, people: list[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        everyone: Any = [("", _("Everyone")), *((str(user.pk), user.name) for user in people)]
        self.fields["actor"].choices = everyone  # type: ignore[attr-defined]

    def search(self, chain: UUID, subject: bytes | None = None) -> Search:
        """What is looked for; a field that cannot be understood narrows nothing, and the page says so."""
        self.is_valid()
        data = self.cleaned_data
        return Search(
            chain=chain,
            actor_id=UUID(data["actor"]) if data.get("actor") else None,
            verbs=_verbs(data.get("category", ""), data.get("verb", "")),
            document_id=data.get("document"),
            subject=subject,
            since=data.get("since"),
            until=data.get("until"),
        )


def _verbs(category: str, verb: str) -> tuple[Verb, ...]:
    if verb:
        return (Verb(verb),)
    return tuple(Category(category).verbs) if category else ()


class NamForm(forms.Form):
    """A NAM that only ever travels in the body of a request. `subject` stands for it on the pages behind the first."""

    nam = forms.CharField(
        label=_("Patient (NAM)"), max_length=30, required=False, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    subject = forms.CharField(required=False, widget=forms.HiddenInput)

    def clean_nam(self) -> str:
        value = nam.normalise(self.cleaned_data["nam"])
        if value and not nam.check(value).format:
            raise ValidationError(_("A NAM is four letters and eight digits, like ABCD 1234 5678."))
        return value

    def index(self, clinic_id: UUID) -> bytes | None:
        """The keyed index that events hold instead of the number; None where nothing usable was sent."""
        if not self.is_valid():
            return None
        if self.cleaned_data["nam"]:
            return blind_index(self.cleaned_data["nam"], clinic_id=clinic_id, purpose="subject")
        try:
            return bytes.fromhex(signing.loads(self.cleaned_data["subject"], salt=f"{_SUBJECT}-{clinic_id}"))
        except (signing.BadSignature, ValueError, TypeError):
            return None


def sealed(index: bytes, clinic_id: UUID) -> str:
    """An index as a page may carry it: of no use to another clinic, and not to be made up."""
    return signing.dumps(index.hex(), salt=f"{_SUBJECT}-{clinic_id}")


class JournalExportForm(JournalForm):
    """What is taken away: of the lines only a period can be chosen, because a chain has no holes."""

    what = forms.ChoiceField(
        label=_("File"),
        choices=[
            ("jsonl", _("Journal for the verifier (JSONL)")),
            ("anchors", _("Anchors (JSONL)")),
            ("keys", _("Public keys (PEM)")),
            ("verifier", _("Verifier (Python)")),
            ("csv", _("Table (CSV)")),
            ("fhir", _("FHIR R4 AuditEvent (JSON)")),
        ],
    )


class PeriodForm(forms.Form):
    """The days that a report is about, first and last; this month if nothing is said."""

    first = forms.DateField(label=_("From"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    last = forms.DateField(label=_("To"), required=False, widget=forms.DateInput(attrs={"type": "date"}))

    def span(self, today: date) -> Span:
        self.is_valid()
        first, last = self.cleaned_data.get("first"), self.cleaned_data.get("last")
        return Span.of(first or today.replace(day=1), last or today)


class ReportForm(PeriodForm):
    """One of the reports of a period."""

    report = forms.ChoiceField(
        label=_("Report"),
        choices=[
            ("communications", _("Register of communications")),
            ("accesses", _("Accesses by context")),
            ("anomalies", _("Unusual accesses")),
        ],
    )


class ConsultationForm(PeriodForm, NamForm):
    """Who consulted the file of one patient."""

    subject = None  # type: ignore[assignment]  # the number is asked for each time: the report is not read page by page
