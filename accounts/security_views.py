"""How a person's account is protected: authenticator app, passkeys, recovery codes, sessions.

The ceremonies are allauth's views; here they get their events, their recovery codes, and no way around the last step.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from allauth.mfa.base.views import IndexView
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.views import ActivateTOTPView, DeactivateTOTPView
from allauth.mfa.webauthn.views import AddWebAuthnView, RemoveWebAuthnView
from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts import actions, second_factor, sessions
from accounts.access import get_or_404
from accounts.models import Session
from accounts.reauthentication import freshly_proved
from accounts.requests import person
from audit.declared import journals
from audit.verbs import Verb


class SecurityPage(IndexView):  # type: ignore[misc]  # allauth is not typed
    """What protects the account. For somebody without a second step: which one they want to set up."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = person(self.request)
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return context | {
            "is_required": settings.MFA_REQUIRED,
            "is_complete": second_factor.is_complete(self.request),
            "is_only_one": Authenticator.objects.filter(user=user, type__in=second_factor.FACTORS).count() == 1,
            "codes_left": second_factor.recovery_codes_left(user),
            "sessions": sessions.of(user),
            "here": getattr(self.request.session, "session_key", None),
        }


class SetUpApp(ActivateTOTPView):  # type: ignore[misc]
    def form_valid(self, form: Any) -> HttpResponse:
        with transaction.atomic():
            answer: HttpResponse = super().form_valid(form)
            row = Authenticator.objects.get(user=person(self.request), type=Authenticator.Type.TOTP)
            second_factor.keep_step(row, form.step)
            codes = _added(self.request, row)
        return _codes_or(self.request, codes, answer)


class AddPasskey(AddWebAuthnView):  # type: ignore[misc]
    def form_valid(self, form: Any) -> HttpResponse:
        mine = Authenticator.objects.filter(user=person(self.request), type=Authenticator.Type.WEBAUTHN)
        with transaction.atomic():
            answer: HttpResponse = super().form_valid(form)
            codes = _added(self.request, mine.latest("pk"))
        return _codes_or(self.request, codes, answer)


class RemoveApp(DeactivateTOTPView):  # type: ignore[misc]
    """allauth's form refuses the last second step."""

    def form_valid(self, form: Any) -> HttpResponse:
        with transaction.atomic():
            answer: HttpResponse = super().form_valid(form)
            _removed(self.request, Authenticator.Type.TOTP)
        return answer


class RemovePasskey(RemoveWebAuthnView):  # type: ignore[misc]
    """allauth asks its adapter about apps only; the last passkey of somebody without an app stays too."""

    def form_valid(self, form: Any) -> HttpResponse:
        if settings.MFA_REQUIRED and second_factor.is_last(self.get_object()):
            messages.error(self.request, _("This is your only second step. Add another one first."))
            return redirect("mfa_index")
        with transaction.atomic():
            answer: HttpResponse = super().form_valid(form)
            _removed(self.request, Authenticator.Type.WEBAUTHN)
        return answer


@require_POST
@freshly_proved
@journals(Verb.RECOVERY_CODES_MADE)
def make_recovery_codes(request: HttpRequest) -> HttpResponse:
    """Makes codes and shows them in this answer only; nobody can read them later."""
    user = person(request)
    if not second_factor.has_factor(user):
        return redirect("mfa_index")
    return render(request, "accounts/recovery_codes.html", {"codes": actions.make_recovery_codes(by=user)})


@require_POST
@journals(Verb.SESSION_ENDED)
def end_session(request: HttpRequest, label: UUID) -> HttpResponse:
    """Ends another of the person's sessions; the one at hand ends by signing out."""
    user = person(request)
    row = get_or_404(Session.objects.filter(user=user), label, by=user, field="label")
    if row.session_key != request.session.session_key:
        actions.end_session(label=label, by=user)
        messages.success(request, _("Session ended."))
    return redirect("mfa_index")


def _added(request: HttpRequest, authenticator: Authenticator) -> list[str]:
    """The person has just shown that they hold it, so the session is complete. Returns recovery codes to show."""
    user = person(request)
    second_factor.note(request, user, second=True)
    return actions.add_second_factor(
        authenticator=authenticator, session_key=request.session.session_key or "", by=user
    )


def _removed(request: HttpRequest, kind: str) -> None:
    actions.journal_removed_factor(kind=kind, session_key=request.session.session_key or "", by=person(request))


def _codes_or(request: HttpRequest, codes: list[str], answer: HttpResponse) -> HttpResponse:
    return render(request, "accounts/recovery_codes.html", {"codes": codes, "is_first": True}) if codes else answer
