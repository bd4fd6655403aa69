"""How allauth is used here: people are added by an administrator, guesses are counted, secrets are sealed."""

from __future__ import annotations

import base64
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import actions, limits, second_factor
from accounts.models import User
from audit.origin import current_origin
from vault import crypto, rooted
from vault.keys import keyring

SEALED = "sealed:"
AAD = b"accounts.second_factor"


class ClosedAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth is not typed
    """Nobody signs up; unknown person, wrong password and locked sign-in get the same answer after the same work."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        return current_origin().ip or str(super().get_client_ip(request))

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        limits.use("sign-in", by=None)
        email = str(credentials.get("email", ""))
        if actions.is_sign_in_locked(email=email, ip=current_origin().ip):
            make_password(str(credentials.get("password", "")))  # What looking at the password would have cost.
            actions.journal_locked_attempt(email=email)
            raise self.validation_error("email_password_mismatch")

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        actions.count_failed_password(email=str(credentials.get("email", "")), ip=current_origin().ip)

    def is_reauthentication_required(self, *, app: str, **_kwargs: Any) -> bool:
        return not second_factor.is_fresh(context.request)


class SealingAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth is not typed
    """Secrets of authenticator apps are sealed by the vault; the last second step cannot be taken away."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "cannot_delete_authenticator": gettext_lazy("This is your only second step. Add another one first."),
    }

    def encrypt(self, text: str) -> str:
        return SEALED + base64.b64encode(crypto.seal(text.encode(), aad=AAD, purpose="field")).decode("ascii")

    def decrypt(self, encrypted_text: str) -> str:
        if not encrypted_text.startswith(SEALED):
            return encrypted_text  # From before secrets were sealed.
        sealed = base64.b64decode(encrypted_text.removeprefix(SEALED))
        return crypto.open(sealed, aad=AAD, purpose="field").decode()

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        return not (settings.MFA_REQUIRED and second_factor.is_last(authenticator))

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:  # noqa: A002  (allauth's name)
        count = Authenticator.objects.filter(user=user, type=type).count()
        return _("Passkey {number}").format(number=count + 1)

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        entity: dict[str, str] = super().get_public_key_credential_rp_entity()
        return entity | {"name": settings.MFA_TOTP_ISSUER}


def reseal_secrets() -> int:
    """Seals the secrets of authenticator apps under the current root key. How many were under another, or in clear."""
    adapter, count = SealingAdapter(), 0
    for key in Authenticator.objects.filter(type=Authenticator.Type.TOTP).values_list("pk", flat=True):
        with transaction.atomic():
            row = Authenticator.objects.select_for_update().filter(pk=key).first()
            if row is not None and not _is_current(row.data["secret"]):
                row.data["secret"] = adapter.encrypt(adapter.decrypt(row.data["secret"]))
                row.save(update_fields=["data"])
                count += 1
    return count


def _is_current(secret: str) -> bool:
    if not secret.startswith(SEALED):
        return False
    return rooted.key_id_of(base64.b64decode(secret.removeprefix(SEALED))) == keyring().current
