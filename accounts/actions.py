"""Every write to clinics, people and tokens, each with its event in the same transaction."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import tokens
from accounts.models import ApiToken, Clinic, Role, User
from accounts.policy import NotAllowed
from audit.record import record
from audit.verbs import Purpose, Verb


@transaction.atomic
def create_clinic(*, name: str) -> Clinic:
    """Opens a clinic. Done by an operator on the command line, so there is no `by`."""
    clinic = Clinic.objects.create(name=name)
    record(Verb.CLINIC_CREATED, by=None, clinic_id=clinic.pk, object_type="clinic", object_id=clinic.pk,
           purpose=Purpose.ADMINISTRATION)  # fmt: skip
    return clinic


@transaction.atomic
def create_user(
    *, clinic: Clinic, email: str, name: str, role: str, password: str | None = None, by: User | None
) -> User:
    """Adds a person. Without a password they can sign in only after they set one through an invitation link."""
    user = User.objects.create_user(email=email, password=password, clinic=clinic, name=name, role=Role(role))
    record(Verb.USER_CREATED, by=by, clinic_id=clinic.pk, object_type="user", object_id=user.pk,
           purpose=Purpose.ADMINISTRATION, details={"role": role})  # fmt: skip
    return user


@transaction.atomic
def change_role(*, user: User, role: str, by: User) -> None:
    """Gives a person another role. Nobody changes their own, so that a clinic cannot lose its last administrator."""
    _check_other(user, by)
    before, user.role = user.role, Role(role)
    user.save(update_fields=["role"])
    record(Verb.ROLE_CHANGED, by=by, object_type="user", object_id=user.pk, purpose=Purpose.ADMINISTRATION,
           details={"before": before, "after": role})  # fmt: skip


@transaction.atomic
def set_active(*, user: User, active: bool, by: User) -> None:
    """Deactivates a person (their sessions and tokens end with it) or takes them back."""
    _check_other(user, by)
    user.is_active = active
    user.save(update_fields=["is_active"])
    if not active:
        user.tokens.filter(revoked_at=None).update(revoked_at=timezone.now())
    verb = Verb.USER_ENABLED if active else Verb.USER_DISABLED
    record(verb, by=by, object_type="user", object_id=user.pk, purpose=Purpose.ADMINISTRATION)


@transaction.atomic
def create_token(*, name: str, days: int, by: User) -> tuple[ApiToken, str]:
    """A bearer token for the person themselves; its text is returned once and never kept."""
    text = tokens.generate()
    token = ApiToken.objects.create(
        user=by,
        name=name,
        prefix=text[: len(tokens.PREFIX) + 6],
        digest=tokens.digest(text),
        expires_at=timezone.now() + timedelta(days=days),
    )
    record(Verb.TOKEN_CREATED, by=by, object_type="token", object_id=token.pk, purpose=Purpose.ADMINISTRATION,
           details={"days": days})  # fmt: skip
    return token, text


@transaction.atomic
def revoke_token(*, token_id: UUID, by: User) -> None:
    """Ends one of the person's own tokens. Raises ApiToken.DoesNotExist for anybody else's."""
    token = ApiToken.objects.get(pk=token_id, user=by)
    token.revoked_at = token.revoked_at or timezone.now()
    token.save(update_fields=["revoked_at"])
    record(Verb.TOKEN_REVOKED, by=by, object_type="token", object_id=token.pk, purpose=Purpose.ADMINISTRATION)


@transaction.atomic
def journal_invitation(*, user: User, by: User) -> None:
    """Records that a link to set `user`'s password was made and shown to an administrator."""
    record(Verb.INVITATION_MADE, by=by, object_type="user", object_id=user.pk, purpose=Purpose.ADMINISTRATION)


def _check_other(user: User, by: User) -> None:
    if user.pk == by.pk:
        raise NotAllowed(_("Ask another administrator to change your own account."))
