"""What comes in with an upload, and what an administrator types about models and costs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from extraction import costs
from extraction.actions import Billing
from extraction.costs import Hosting, TokenPrices, Workload
from extraction.deployments import NotReady, RefusedAddress, check_addresses, check_servers
from extraction.llm import profiles, prompts
from extraction.marks import Mark
from extraction.models import AlertKind, Document
from extraction.prices import PriceList
from extraction.templatetags.health_text import state_words


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
        return Billing(**{name: self.cleaned_data[name] for name in BillingForm.Meta.fields})


class UploadForm(BillingForm):
    """What a person may say of the files that they upload. The kind stays as it was at their last upload."""

    class Meta:
        model = Document
        fields = ("form_kind", *BillingForm.Meta.fields)
        labels = BillingForm.Meta.labels | {"form_kind": _("Kind of document")}

    @property
    def form_kind(self) -> str:
        return str(self.cleaned_data["form_kind"])


class UntilForm(forms.Form):
    """From which day on the list of documents goes back; the newest if nothing is said."""

    until = forms.DateField(label=_("Up to the day"), required=False, widget=forms.DateInput(attrs={"type": "date"}))

    @property
    def mark(self) -> Mark | None:
        """Where that day ends on the clinic's clock."""
        day = self.cleaned_data.get("until") if self.is_valid() else None
        if day is None or day == date.max:
            return None
        ends = datetime.combine(day + timedelta(days=1), time.min)
        return Mark(timezone.make_aware(ends), UUID(int=0))


def _prompt_choices() -> list[tuple[str, str]]:
    return [(version, version) for version in prompts.versions()]


def _profile_choices() -> list[tuple[str, str]]:
    return [("", "—"), *((name, name) for name in profiles.profiles())]


class DeploymentForm(forms.Form):
    """A newcomer. `cleaned_data` holds the arguments of `deployments.start`."""

    endpoints = forms.CharField(
        label=_("Addresses"),
        widget=forms.Textarea(attrs={"rows": 2, "class": "digits", "placeholder": "http://10.0.3.51:8000/v1"}),
        help_text=_("One replica a line, on hosts of LLM_ALLOWED_HOSTS, or sagemaker://NAME. Never a public address."),
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

    def clean(self) -> dict[str, Any]:
        """A server that is not there is not tried: ten minutes would pass before it is rolled back."""
        cleaned: dict[str, Any] = super().clean() or {}
        if not self.errors:
            try:
                check_servers(cleaned["endpoints"], cleaned["model_name"])
            except NotReady as error:
                words = {"endpoint": error.endpoint, "state": state_words(error.detail)}
                self.add_error("endpoints", _("The server at %(endpoint)s %(state)s.") % words)
        return cleaned


class CalculatorForm(forms.Form):
    """The assumptions of the cost calculator. What is left out is as the planning document assumes it."""

    extractions = forms.IntegerField(label=_("Extractions a month"), min_value=0, max_value=1_000_000, initial=500)
    pages = forms.IntegerField(label=_("Pages of a document"), min_value=1, max_value=3000, initial=20)
    instance = forms.ChoiceField(label=_("Instance"), initial="g4dn.xlarge")
    hours = forms.ChoiceField(
        label=_("Hours a month"),
        initial="eight",
        choices=[
            ("eight", _("176: 8 hours on 22 days")),
            ("ten", _("220: 8:00 to 18:00 on 22 days")),
            ("always", _("730: day and night")),
        ],
    )
    storage = forms.IntegerField(label=_("Storage in GB"), min_value=0, max_value=100_000, initial=100)
    scanned = forms.IntegerField(label=_("Pages read by Textract, in %"), min_value=0, max_value=100, initial=0)
    growth = forms.IntegerField(label=_("Growth a year, in %"), min_value=0, max_value=1000, initial=50)
    page_tokens = forms.IntegerField(label=_("Tokens of a page"), min_value=0, max_value=100_000, initial=500)
    answer_tokens = forms.IntegerField(
        label=_("Tokens of a document’s answer"), min_value=0, max_value=100_000, initial=1000
    )
    switching = forms.BooleanField(label=_("Lambda starts and stops it"), required=False, initial=False)

    def __init__(self, typed: Mapping[str, str], *, instances: list[str]) -> None:
        """`typed` may name some fields only, as a link does."""
        super().__init__(self._first() | dict(typed))
        self.fields["instance"].choices = [(name, name) for name in instances]  # type: ignore[attr-defined]

    @classmethod
    def _first(cls) -> dict[str, Any]:
        return {name: field.initial for name, field in cls.base_fields.items()}

    @property
    def assumed(self) -> dict[str, Any]:
        """What to reckon with: what was typed if all of it is usable, and else the first assumptions."""
        return dict(self.cleaned_data) if self.is_valid() else self._first()

    def estimate(self, prices: PriceList) -> costs.Estimate:
        assumed = self.assumed
        tokens = TokenPrices(prices.amount("gpt4.prompt"), prices.amount("gpt4.answer"))
        return costs.estimate(
            self._hosting(prices),
            Workload(
                extractions=assumed["extractions"],
                pages=assumed["pages"],
                scanned=Decimal(assumed["scanned"]) / 100,
                growth=Decimal(assumed["growth"]) / 100,
            ),
            flat=prices.amount("gpt4.extraction") * assumed["pages"] / costs.DOCUMENT_PAGES,
            by_tokens=tokens.extraction(
                pages=assumed["pages"], page_tokens=assumed["page_tokens"], answer_tokens=assumed["answer_tokens"]
            ),
            textract=prices.amount("textract.page"),
        )

    def _hosting(self, prices: PriceList) -> Hosting:
        assumed = self.assumed
        return Hosting(
            hourly=prices.hourly(assumed["instance"]),
            hours=costs.HOURS[assumed["hours"]],
            storage=prices.amount("storage") * assumed["storage"],
            transfer=prices.amount("transfer"),
            switching=prices.amount("switching") if assumed["switching"] else Decimal(0),
        )


class PriceForm(forms.Form):
    """A price that is to hold for the clinic from a day on."""

    name = forms.ChoiceField(label=_("Price"))
    amount = forms.DecimalField(label=_("US dollars"), min_value=0, max_digits=12, decimal_places=6)
    from_day = forms.DateField(label=_("Holds from"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    source = forms.CharField(label=_("Where it comes from"), max_length=200)

    def __init__(self, *args: Any, names: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].choices = names  # type: ignore[attr-defined]


class AlertFilterForm(forms.Form):
    """Every field narrows the history; all are optional."""

    kind = forms.ChoiceField(label=_("Kind"), required=False, choices=[("", _("All")), *AlertKind.choices])
    since = forms.DateField(label=_("From"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(label=_("To"), required=False, widget=forms.DateInput(attrs={"type": "date"}))

    @property
    def conditions(self) -> dict[str, Any]:
        """Arguments of a query of alerts; those left empty are absent."""
        names = {"kind": "kind", "since": "raised_at__date__gte", "until": "raised_at__date__lte"}
        data = self.cleaned_data if self.is_valid() else {}
        return {lookup: data[field] for field, lookup in names.items() if data.get(field)}
