"""What a reviewer types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from extraction import nam, visits
from extraction.actions import Configuration
from extraction.configuration import has_model
from extraction.forms import BillingForm
from extraction.llm import prompts
from extraction.models import Finder, Finding
from extraction.page import Box
from review.actions import Request, Value
from review.exports.formats import BILLING_LAYOUTS
from review.exports.lines import Selection
from review.models import Export, Reason


class ValueForm(forms.Form):
    """A NAM with its visit, as typed: separators, case and the usual ways to write a date are all understood."""

    nam = forms.CharField(label=_("NAM"), max_length=30)
    visit_date = forms.CharField(label=_("Visit date"), max_length=40, required=False)
    visit_time = forms.CharField(label=_("Time"), max_length=20, required=False)

    def clean_nam(self) -> str:
        value = nam.normalise(self.cleaned_data["nam"])
        # A birth date or a check character may be wrong on a real card; the shape never is.
        if not nam.check(value).format:
            raise ValidationError(_("A NAM is four letters and eight digits, like ABCD 1234 5678."))
        return value

    def clean_visit_date(self) -> Any:
        typed = self.cleaned_data["visit_date"].strip()
        if not typed:
            return None
        found = visits.parse_date(typed)
        if found is None:
            raise ValidationError(_("This date is not understood. Write it as 2025-10-03."))
        return found

    def clean_visit_time(self) -> Any:
        typed = self.cleaned_data["visit_time"].strip()
        if not typed:
            return None
        found = visits.parse_time(typed)
        if found is None:
            raise ValidationError(_("This time is not understood. Write it as 08:30."))
        return found

    @property
    def typed(self) -> Value:
        data = self.cleaned_data
        return Value(data["nam"], data["visit_date"], data["visit_time"])

    @property
    def said(self) -> tuple[Value | None, str]:
        """Value and reason, as an action takes them."""
        return self.typed, ""


class PlaceForm(forms.Form):
    """A place that was drawn on the page (four fractions), or nothing."""

    box = forms.CharField(required=False, widget=forms.HiddenInput)

    def clean_box(self) -> Box | None:
        typed = self.cleaned_data["box"]
        if not typed:
            return None
        try:
            x0, y0, x1, y1 = (float(part) for part in typed.split(","))
        except ValueError:
            raise ValidationError(_("The place on the page is not understood.")) from None
        if not (0 <= x0 < x1 <= 1 and 0 <= y0 < y1 <= 1):
            raise ValidationError(_("The place on the page is not understood."))
        return Box(x0, y0, x1, y1)


class AddForm(PlaceForm, ValueForm):
    """An addition; its place may be drawn or left unknown."""


class RejectForm(forms.Form):
    reason = forms.ChoiceField(label=_("Reason"), choices=Reason.choices)

    @property
    def said(self) -> tuple[Value | None, str]:
        """Value and reason, as an action takes them: no value."""
        return None, self.cleaned_data["reason"]


def verdict_form(posted: Mapping[str, Any], finding: Finding) -> ValueForm | RejectForm:
    """What a reviewer says of a proposal: `verdict` is confirm, correct (with what was typed) or reject.

    A plain confirmation repeats what was proposed.
    """
    if posted.get("verdict") == "reject":
        return RejectForm(posted)
    if posted.get("verdict") != "confirm":
        return ValueForm(posted)
    return ValueForm(
        {"nam": finding.value, "visit_date": finding.visit_date or "", "visit_time": finding.visit_time or ""}
    )


class ChoiceForm(ValueForm):
    """What a third person says where two disagree: one of their answers, another number, or that there is none."""

    answer = forms.ChoiceField(
        label=_("What is printed there"),
        choices=[("a", _("Answer A")), ("b", _("Answer B")), ("other", _("another number")), ("none", _("no number"))],
    )
    nam = forms.CharField(label=_("NAM"), max_length=30, required=False)
    reason = forms.ChoiceField(label=_("Reason"), choices=Reason.choices, required=False)

    def __init__(self, *args: Any, is_addition: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.is_addition = is_addition

    def clean_nam(self) -> str:
        return super().clean_nam() if self.data.get("answer") == "other" else ""

    def clean(self) -> dict[str, Any]:
        """A proposal is rejected for a reason; where somebody added a number, none stands there and that is all."""
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("answer") == "none" and not self.is_addition and not cleaned.get("reason"):
            self.add_error("reason", _("Say why it is not a NAM of this document."))
        return cleaned

    @property
    def said(self) -> tuple[Value | None, str]:
        """What was typed instead of either answer."""
        return (self.typed, "") if self.cleaned_data["answer"] == "other" else (None, self.cleaned_data["reason"])


class ExportForm(BillingForm):
    """A file of a document's numbers. The physician's fields begin as they were given at upload."""

    class Meta(BillingForm.Meta):
        help_texts = {"doctor_licence": _("For the billing file.")}

    format = forms.ChoiceField(label=_("File"), choices=Export.Format.choices)
    recipient = forms.CharField(
        label=_("For whom"),
        max_length=100,
        help_text=_("The program or organisation that gets the file, for the register of communications. No patient."),
    )
    justification = forms.ChoiceField(
        label=_("Why it is necessary"),
        choices=[("", "—"), *Export.Justification.choices],
        help_text=_("For the register of communications (R-22.1, s. 265)."),
    )
    failed_checks = forms.BooleanField(label=_("Include numbers that fail a check"), required=False)
    repeats = forms.BooleanField(label=_("Include repeated visits"), required=False)

    def clean(self) -> dict[str, Any]:
        """Only a billing file names a physician, and it is useless without one; one of them has no sector."""
        cleaned: dict[str, Any] = super().clean() or {}
        columns = BILLING_LAYOUTS.get(cleaned.get("format", ""), ())
        for name, column in (("doctor_licence", "doctorLicenceID"), ("sector", "Sector")):
            if column in columns and not cleaned.get(name) and name not in self.errors:
                self.add_error(name, _("The billing file needs this."))
        return cleaned

    @property
    def selection(self) -> Selection:
        """What was ticked, or nothing yet."""
        ticked = self.data if self.is_bound else {}
        return Selection(failed_checks=bool(ticked.get("failed_checks")), repeats=bool(ticked.get("repeats")))

    @property
    def request(self) -> Request:
        return Request(
            format=self.cleaned_data["format"],
            recipient=self.cleaned_data["recipient"],
            selection=self.selection,
            billing=self.billing,
            justification=self.cleaned_data["justification"],
        )


class RerunForm(forms.Form):
    """Another configuration to extract a document by, of what is installed."""

    reader = forms.ChoiceField(label=_("Read by"))
    finder = forms.ChoiceField(label=_("Searched by"))
    prompt = forms.ChoiceField(label=_("Prompt"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        ocr = [("textract", "Textract")] if settings.OCR_READER == "textract" else []
        self._offer("reader", [("auto", _("text layer, else OCR")), ("text_layer", _("text layer only")),
                               ("local", _("local OCR, every page")), *ocr])  # fmt: skip
        self._offer("finder", Finder.choices if has_model() else [(Finder.PATTERN, Finder.PATTERN.label)])
        versions = prompts.versions() if has_model() else []
        self._offer("prompt", [("", _("the one in service")), *((version, version) for version in versions)])

    def _offer(self, name: str, choices: list[tuple[Any, Any]]) -> None:
        self.fields[name].choices = choices  # type: ignore[attr-defined]

    @property
    def configuration(self) -> Configuration:
        return Configuration(**self.cleaned_data)
