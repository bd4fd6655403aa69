"""allauth's forms of the second step, with our codes and our locks behind them (`MFA_FORMS` names them)."""

from __future__ import annotations

from typing import Any

from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import AddWebAuthnForm
from django import forms

from accounts import actions, second_factor


class _Code:
    """Checks the typed code, once, and counts wrong ones. A locked person hears what a wrong code hears."""

    user: Any
    cleaned_data: dict[str, Any]

    def clean_code(self) -> str:
        code = str(self.cleaned_data["code"])
        self.authenticator = actions.use_code(user=self.user, code=code)
        if self.authenticator is None:
            raise get_adapter().validation_error("incorrect_code")
        self.authenticator.user = self.user
        return code


class CodeForm(_Code, AuthenticateForm):  # type: ignore[misc]  # allauth is not typed
    """The second step of a sign-in."""


class ConfirmingCodeForm(_Code, ReauthenticateForm):  # type: ignore[misc]
    """The same, when the person confirms that it is still them."""


class AppForm(ActivateTOTPForm):  # type: ignore[misc]
    """Setting up an authenticator app. `step` is the time step whose code was typed: that code is used up."""

    step: int

    def clean_code(self) -> str:
        code = str(self.cleaned_data["code"])
        step = second_factor.matching_step(self.secret, code)
        if step is None:
            raise get_adapter().validation_error("incorrect_code")
        self.step = step
        return code


class PasskeyForm(AddWebAuthnForm):  # type: ignore[misc]
    """Adding a passkey: always one that signs in by itself, so the browser is told to keep it and to ask for a PIN."""

    # allauth's script reads the state of a box; the person has nothing to choose.
    passwordless = forms.BooleanField(required=True, initial=True, widget=forms.CheckboxInput(attrs={"hidden": True}))
