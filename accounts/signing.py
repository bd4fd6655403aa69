"""Sign-ins, sign-outs and failures into the journal. Signals, because allauth offers nothing else."""

from __future__ import annotations

from typing import Any

from allauth.account.signals import password_changed, password_reset
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver

from accounts.models import User
from audit.record import record_alone
from audit.verbs import Outcome, Purpose, Verb


@receiver(user_logged_in)
def journal_login(user: User, **_kwargs: Any) -> None:
    record_alone(Verb.LOGIN_OK, by=user, purpose=Purpose.ADMINISTRATION)


@receiver(user_logged_out)
def journal_logout(user: User | None, **_kwargs: Any) -> None:
    if user is not None:
        record_alone(Verb.LOGOUT, by=user, purpose=Purpose.ADMINISTRATION)


@receiver(user_login_failed)
def journal_failure(credentials: dict[str, Any], **_kwargs: Any) -> None:
    """Goes into the chain of the person's clinic when the address is known; the typed address is never kept."""
    typed = str(credentials.get("email") or credentials.get("username") or "")
    known = User.objects.filter(email__iexact=typed).first() if typed else None
    record_alone(Verb.LOGIN_FAILED, by=known, outcome=Outcome.DENIED, purpose=Purpose.ADMINISTRATION)


@receiver([password_changed, password_reset])
def journal_password(user: User, **_kwargs: Any) -> None:
    record_alone(Verb.PASSWORD_CHANGED, by=user, purpose=Purpose.ADMINISTRATION)
