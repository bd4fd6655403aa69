"""What comes in with an upload, and what an administrator types about a model."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from extraction.actions import Billing
from extraction.deployments import RefusedAddress, check_addresses
from extraction.llm import profiles, prompts
from extraction.models import Document


class BillingForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """The physician's fields of the billing file; all optional at upload."""

    class Meta:
        model = Document
        fields = ("doctor_licence", "doctor_group", "sector")
        labels = {
            "doctor_licence": _("Physician's licence number"),
            "doctor_group": _("Group number"),
            "sector": _("Sector"),
        }

    @property
    def billing(self) -> Billing:
        return Billing(**self.cleaned_data)


def _prompt_choices() -> list[tuple[str, str]]:
    return [(version, version) for version in prompts.versions()]


def _profile_choices() -> list[tuple[str, str]]:
    return [("", "—"), *((name, name) for name in profiles.profiles())]


class DeploymentForm(forms.Form):
    """A newcomer. `cleaned_data` holds the arguments of `deployments.start`."""

    endpoints = forms.CharField(
        label=_("Addresses"),
        widget=forms.Textarea(attrs={"rows": 2, "class": "digits", "placeholder": "http://10.0.3.51:8000/v1"}),
        help_text=_("One replica a line, on hosts of LLM_ALLOWED_HOSTS. Never a public address."),
        max_length=2000,
    )
    model_name = forms.CharField(
        label=_("Model or adapter"), max_length=150, help_text=_("The name under which the servers answer.")
    )
    prompt_version = forms.ChoiceField(label=_("Prompt"), choices=_prompt_choices, initial=prompts.CURRENT)
    profile = forms.ChoiceField(label=_("Serving profile (optional)"), choices=_profile_choices, required=False)
    in_shadow = forms.TypedChoiceField(
        label=_("Begin"),
        choices=[
            ("1", _("in the shadow: compared, and seen by nobody")),
            ("0", _("with one document in ten")),
        ],
        coerce=lambda chosen: chosen == "1",
    )

    def clean_endpoints(self) -> list[str]:
        lines = (line.strip().rstrip("/") for line in str(self.cleaned_data["endpoints"]).splitlines())
        endpoints = list(dict.fromkeys(line for line in lines if line))
        try:
            check_addresses(endpoints)
        except RefusedAddress as refusal:
            raise forms.ValidationError(str(refusal)) from None
        return endpoints
