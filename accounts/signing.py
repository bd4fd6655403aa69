"""Sign-ins, sign-outs and failures into the journal. Signals, because allauth offers nothing else."""

from __future__ import annotations

from typing import Any

from allauth.account.signals import authentication_step_completed, password_changed, password_reset
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest

from accounts import actions, second_factor, sessions
from accounts.journal import record_at_the_door
from accounts.models import User
from audit.origin import current_origin
from audit.verbs import Outcome, Verb


@receiver(authentication_step_completed)
def note_proof(request: HttpRequest, user: User, method: str, **extra: Any) -> None:
    """A password, a code or a passkey was right: at sign-in, or when the person confirmed that it is still them."""
    is_second = method == "mfa"
    second_factor.note(request, user, second=is_second)
    details = {"kind": str(extra.get("type") or method)}
    if extra.get("reauthenticated"):
        record_at_the_door(Verb.REAUTHENTICATED, by=user, details=details)
    elif is_second:
        record_at_the_door(Verb.SECOND_FACTOR_USED, by=user, details=details)


@receiver(user_logged_in)
def journal_login(request: HttpRequest, user: User, **_kwargs: Any) -> None:
    sessions.begin(request, ip=current_origin().ip)
    actions.forget_failures(user=user)
    record_at_the_door(Verb.LOGIN_OK, by=user)


@receiver(user_logged_out)
def journal_logout(user: User | None, **_kwargs: Any) -> None:
    if user is not None:
        record_at_the_door(Verb.LOGOUT, by=user)


@receiver(user_login_failed)
def journal_failure(credentials: dict[str, Any], **_kwargs: Any) -> None:
    """Goes into the chain of the person's clinic when the address is known; the typed address is never kept."""
    typed = str(credentials.get("email") or credentials.get("username") or "")
    known = User.objects.filter(email__iexact=typed).first() if typed else None
    record_at_the_door(Verb.LOGIN_FAILED, by=known, outcome=Outcome.DENIED)


@receiver([password_changed, password_reset])
def journal_password(request: HttpRequest, user: User, **_kwargs: Any) -> None:
    """A new password ends the person's other sessions (OWASP ASVS 5.0, 7.4.3); a reset one ends them all."""
    is_own = getattr(request.user, "pk", None) == user.pk
    sessions.end_all(user, but=request.session.session_key if is_own else None)
    record_at_the_door(Verb.PASSWORD_CHANGED, by=user)
