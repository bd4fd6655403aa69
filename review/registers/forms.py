"""What is written into the registers. Field names are the keys of a version's content: they are never renamed."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Role, User
from audit.registers import incidents
from extraction import nam
from vault.index import blind_index


class DayField(forms.DateField):
    """A day that has come, on the clinic's clock."""

    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    default_error_messages = {"future": _("This day has not come yet.")}

    def validate(self, value: Any) -> None:
        super().validate(value)
        if value is not None and value > timezone.localdate():
            raise ValidationError(self.error_messages["future"], code="future")


class LongField(forms.CharField):
    """Some lines of text."""

    widget = forms.Textarea(attrs={"rows": 3})

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=5000, **kwargs)


class PartForm(forms.Form):
    """One part of an entry. `by` is who writes; subclasses may offer them what belongs to their clinic."""

    began = ""
    """The field that the entry's clock counts from; empty where that is the day of writing."""
    closes = ""
    """The field whose day closes the entry, where there is one."""

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.by = by

    @property
    def content(self) -> dict[str, Any]:
        """What was written, as JSON: days as YYYY-MM-DD."""
        return {name: _plain(value) for name, value in self.cleaned_data.items() if name != "nam"}

    @property
    def began_on(self) -> date:
        day: date = self.cleaned_data[self.began] if self.began else timezone.localdate()
        return day

    @property
    def subject(self) -> bytes | None:
        """The keyed index of the NAM that was typed, which is not kept otherwise."""
        typed = self.cleaned_data.get("nam")
        return blind_index(typed, clinic_id=self.by.clinic_id, purpose="nam") if typed else None


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


class NamField(forms.CharField):
    """A NAM as typed. Only its keyed index is ever kept."""

    widget = forms.TextInput(attrs={"class": "nam", "autocomplete": "off", "spellcheck": "false"})

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=30, label=_("NAM"), **kwargs)

    def clean(self, value: Any) -> str:
        typed = nam.normalise(super().clean(value))
        if not nam.check(typed).format:
            raise ValidationError(_("A NAM is four letters and eight digits, like ABCD 1234 5678."))
        return typed


# --- Incidents: the eight statutory fields (A-2.1 r. 3.1 s. 7; r. 1 s. 15) ------------------------------------


class IncidentForm(PartForm):
    """Fields 1 to 5 and 8, and what the notice to the CAI asks besides (r. 3.1 s. 3)."""

    began = "aware_on"
    information = LongField(
        label=_("1. Information concerned"), help_text=_("Or why it cannot be described. No patient's name or number.")
    )
    circumstances = LongField(label=_("2. Circumstances"))
    cause = LongField(label=_("Cause, if it is known"), required=False)
    occurred = forms.CharField(label=_("3. Date or period of the incident"), max_length=200,
                               help_text=_("Or an approximation."))  # fmt: skip
    aware_on = DayField(label=_("4. Day on which the clinic became aware"),
                        help_text=_("The five years of the register count from this day."))  # fmt: skip
    persons = forms.IntegerField(label=_("5. Number of persons concerned"), min_value=0, required=False)
    persons_quebec = forms.IntegerField(label=_("Of whom reside in Quebec"), min_value=0, required=False)
    persons_note = forms.CharField(label=_("If that is an approximation: how it was made"), max_length=300,
                                   required=False)  # fmt: skip
    measures = LongField(label=_("8. Measures taken to reduce the risk"), required=False)


class RiskForm(PartForm):
    """Field 6: the worksheet, and what was decided."""

    risk_sensitivity = LongField(label=_("How sensitive is the information?"))
    risk_misuse = LongField(label=_("Which ill-intentioned uses are possible?"))
    risk_consequences = LongField(label=_("Which consequences are to be expected?"))
    risk_likelihood = LongField(label=_("How likely is an injurious use?"))
    is_consulted = forms.BooleanField(label=_("The person in charge was consulted"), required=False)
    risk = forms.ChoiceField(
        label=_("6. Decision: is there a risk of serious injury?"),
        choices=[
            (incidents.OPEN, _("not decided yet")),
            (incidents.SERIOUS, _("yes: notices are due promptly")),
            (incidents.NOT_SERIOUS, _("no: the register is enough")),
        ],
    )

    @property
    def content(self) -> dict[str, Any]:
        """With who decided, and when."""
        is_decided = self.cleaned_data["risk"] != incidents.OPEN
        decided = {
            "risk_decided_by": self.by.name if is_decided else "",
            "risk_decided_on": timezone.localdate().isoformat() if is_decided else None,
        }
        return super().content | decided


class NoticesForm(PartForm):
    """Field 7: when notices were sent."""

    is_lrsss = forms.BooleanField(
        label=_("The clinic is a body of the LRSSS (R-22.1): the Minister is notified too"),
        required=False,
        initial=True,
    )
    cai_notified_on = DayField(label=_("7. Notice sent to the CAI on"), required=False)
    minister_notified_on = DayField(label=_("Notice sent to the Minister on"), required=False)
    persons_notified_on = DayField(label=_("Notices sent to the persons on"), required=False)
    persons_how = LongField(label=_("How the persons are told, or why they cannot be, and by when"), required=False)
    public_notice = LongField(label=_("Public notice: where, and why"), required=False)
    others_told = forms.CharField(label=_("Other authorities told"), max_length=300, required=False)


class IncidentEndForm(PartForm):
    """When everything is done."""

    closes = "ended_on"
    ended_on = DayField(label=_("Closed on"), required=False)


# --- Requests, complaints --------------------------------------------------------------------------------------------


class RequestForm(PartForm):
    began = "received_on"
    nam = NamField(help_text=_("Kept as a keyed index only: it is typed again for the answer."))
    kind = forms.ChoiceField(
        label=_("What is asked"),
        choices=[
            ("access", _("access to the information")),
            ("who", _("who consulted it, and when")),
            ("rectification", _("rectification")),
        ],
    )
    received_on = DayField(label=_("Received on"), help_text=_("The 30 days count from this day."))
    applicant = forms.CharField(label=_("Applicant"), max_length=200)
    contact = LongField(label=_("Where the answer goes"), required=False)
    identity = forms.CharField(label=_("How the identity was checked"), max_length=300)
    wording = LongField(label=_("What exactly is asked"), help_text=_("For a rectification: what is wrong, and what "
                                                                      "it should say."))  # fmt: skip


class AnswerForm(forms.Form):
    """The NAM of a request, typed once more, and the file to make."""

    nam = NamField(help_text=_("Typed again: it is not kept."))
    suffix = forms.ChoiceField(
        label=_("File"),
        choices=[
            ("pdf", _("pages to read (PDF)")),
            ("csv", _("table for a spreadsheet (CSV)")),
            ("json", _("data (JSON)")),
        ],
    )


class LookUpForm(forms.Form):
    nam = NamField(help_text=_("Typed again: it is not kept."))


class OutcomeForm(PartForm):
    """The answer, which ends a request."""

    closes = "answered_on"
    outcome = forms.ChoiceField(
        label=_("Answer"),
        choices=[("granted", _("granted")), ("partly", _("granted in part")), ("refused", _("refused"))],
    )
    reasons = LongField(label=_("Reasons"), required=False, help_text=_("With the provision that a refusal rests on."))
    answered_on = DayField(label=_("Answered on"), required=False, help_text=_("Empty for a draft of the letter."))

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("outcome") in ("partly", "refused") and not cleaned.get("reasons"):
            self.add_error("reasons", _("A refusal states its reasons and its provision."))
        return cleaned


class ComplaintForm(PartForm):
    began = "received_on"
    received_on = DayField(label=_("Received on"))
    complainant = forms.CharField(label=_("Complainant"), max_length=200)
    contact = LongField(label=_("Where the answer goes"), required=False)
    wording = LongField(label=_("What the complaint is about"))


class ComplaintEndForm(PartForm):
    closes = "answered_on"
    findings = LongField(label=_("What was found"))
    measures = LongField(label=_("What was done"), required=False)
    answered_on = DayField(label=_("Answered on"), required=False)


# --- Restrictions ----------------------------------------------------------------------------------------------------


class RestrictionForm(PartForm):
    """R-22.1 ss. 7, 8: a person restricts or refuses access."""

    began = "from_on"
    nam = NamField(help_text=_("Kept as a keyed index only."))
    roles = forms.MultipleChoiceField(
        label=_("Roles without access"),
        widget=forms.CheckboxSelectMultiple,
        choices=[(Role.STAFF, _("Staff")), (Role.REVIEWER, _("Reviewer"))],
    )
    from_on = DayField(label=_("From"))
    wording = LongField(label=_("What the person asked, and how their identity was checked"))


class RestrictionEndForm(PartForm):
    closes = "lifted_on"
    lifted_on = DayField(label=_("Lifted on"))
    lifted_why = LongField(label=_("Why it is lifted"))


# --- Governance, people, products ------------------------------------------------------------------------------------


class InChargeForm(PartForm):
    """P-39.1 s. 3.1."""

    in_charge = forms.CharField(label=_("Name"), max_length=150)
    title = forms.CharField(label=_("Title"), max_length=150)
    email = forms.EmailField(label=_("E-mail"))
    since = DayField(label=_("In charge since"))
    delegation = forms.CharField(
        label=_("Written delegation"), max_length=200, required=False,
        help_text=_("Its reference; empty where the person has the highest authority."),
    )  # fmt: skip


class AssessmentForm(PartForm):
    """The EFVP (P-39.1 s. 3.3, R-22.1 s. 106)."""

    efvp = forms.CharField(label=_("Reference of the EFVP"), max_length=100)
    efvp_on = DayField(label=_("Date of the EFVP"))


class PolicyForm(PartForm):
    """Who approved what is published (P-39.1 s. 3.2, R-22.1 s. 105)."""

    policy_on = DayField(label=_("Policy approved on"))
    policy_by = forms.CharField(label=_("Approved by"), max_length=150)
    complaint_contact = LongField(label=_("Where complaints go"), help_text=_("Shown on the public page."))
    is_published = forms.BooleanField(label=_("Publish the policy page"), required=False)


class UndertakingForm(PartForm):
    """R-22.1 r. 1 s. 8, r. 2 ss. 1 and 2."""

    person = forms.ChoiceField(label=_("Person"))
    authorised_by = forms.CharField(label=_("Access authorised by"), max_length=150)
    undertaking_on = DayField(label=_("Undertaking of discretion signed on"), required=False)
    trained_on = DayField(label=_("Last trained on"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = User.objects.filter(clinic_id=self.by.clinic_id).order_by("-is_active", "name")
        self.fields["person"].choices = [(str(each.pk), each.name) for each in people]  # type: ignore[attr-defined]


class ProductForm(PartForm):
    """R-22.1 s. 107. What the software knows of itself is listed by itself (`products`)."""

    name = forms.CharField(label=_("Product or service"), max_length=150)
    supplier = forms.CharField(label=_("Supplier"), max_length=150)
    purpose = LongField(label=_("What it is used for"))
    held = LongField(label=_("Information it holds"))
    place = forms.CharField(label=_("Where it is kept"), max_length=200)
    calendar = forms.CharField(label=_("Calendar of updates"), max_length=200, required=False)
    certification = forms.CharField(label=_("Certification"), max_length=200, required=False)


class ProductEndForm(PartForm):
    closes = "ended_on"
    ended_on = DayField(label=_("Out of use since"))
