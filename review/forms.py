"""What a reviewer types."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from extraction import nam, visits
from extraction.page import Box
from review.actions import Value
from review.models import Reason


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


class AddForm(ValueForm):
    """An addition; its place may be drawn on the page (four fractions) or left unknown."""

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


class RejectForm(forms.Form):
    reason = forms.ChoiceField(label=_("Reason"), choices=Reason.choices)
