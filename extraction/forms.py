"""What comes in with an upload."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from extraction.actions import Billing
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
