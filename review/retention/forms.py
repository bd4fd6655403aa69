"""What an administrator types about retention."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from review.retention.classes import DataClass
from review.retention.models import AskedReason


class PeriodForm(forms.Form):
    """Days for one class."""

    data_class = forms.ChoiceField(choices=DataClass.choices, widget=forms.HiddenInput)
    days = forms.IntegerField(label=_("days"), min_value=1)


class HoldForm(forms.Form):
    """Why data must not be destroyed. The text is kept encrypted."""

    reason = forms.CharField(
        label=_("Reason of the hold"),
        max_length=300,
        help_text=_("Such as a file number of the lawyer. Name no patient: it is kept encrypted all the same."),
    )


class DestroyForm(forms.Form):
    """A reason, and a tick that says it is meant."""

    reason = forms.ChoiceField(label=_("Why"), choices=AskedReason.choices)
    is_meant = forms.BooleanField(label=_("I know that nobody can bring this document back."))
