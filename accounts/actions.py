"""Every write to clinics, people and tokens, each with its event in the same transaction."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import emergency, limits, second_factor, sessions, tokens
from accounts.journal import record_at_the_door
from accounts.models import ApiToken, Clinic, EmergencyAccess, Role, Session, User
from accounts.policy import NotAllowed, Right, check_right
from audit.record import record
from audit.verbs import Outcome, Purpose, Verb


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
    """Gives a person another role and ends their sessions, which began under the former one.

    Nobody changes their own, so that a clinic cannot lose its last administrator.
    """
    _check_other(user, by)
    before, user.role = user.role, Role(role)
    user.save(update_fields=["role"])
    sessions.end_all(user)
    record(Verb.ROLE_CHANGED, by=by, object_type="user", object_id=user.pk, purpose=Purpose.ADMINISTRATION,
           details={"before": before, "after": role})  # fmt: skip


@transaction.atomic
def set_active(*, user: User, active: bool, by: User) -> None:
    """Deactivates a person (their sessions and tokens end with it) or takes them back."""
    _check_other(user, by)
    user.is_active = active
    user.save(update_fields=["is_active"])
    if not active:
        sessions.end_all(user)
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


# --- The second step --------------------------------------------------------------------------------------------------


@transaction.atomic
def add_second_factor(*, authenticator: Authenticator, session_key: str, by: User) -> list[str]:
    """Journals an authenticator that was just stored, and ends the person's other sessions, which did without it.

    Returns the recovery codes made with the first one, to be shown now and never again; none if there are some.
    """
    sessions.end_all(by, but=session_key)
    record(Verb.SECOND_FACTOR_ADDED, by=by, object_type="authenticator", purpose=Purpose.ADMINISTRATION,
           details={"kind": authenticator.type})  # fmt: skip
    return [] if second_factor.recovery_codes_left(by) else make_recovery_codes(by=by)


@transaction.atomic
def journal_removed_factor(*, kind: str, session_key: str, by: User) -> None:
    """Records that the person removed an authenticator, and ends their other sessions."""
    sessions.end_all(by, but=session_key)
    record(Verb.SECOND_FACTOR_REMOVED, by=by, object_type="authenticator", purpose=Purpose.ADMINISTRATION,
           details={"kind": kind})  # fmt: skip


@transaction.atomic
def make_recovery_codes(*, by: User) -> list[str]:
    """Ten recovery codes in place of the former ones, readable in this answer only."""
    codes = second_factor.make_recovery_codes(by)
    record(Verb.RECOVERY_CODES_MADE, by=by, count=len(codes), purpose=Purpose.ADMINISTRATION)
    return codes


@transaction.atomic
def reset_second_factor(*, user: User, by: User) -> None:
    """Takes a person's second step, password and sessions away, for somebody who lost their telephone.

    A password alone must not be enough to set up another second step, so the password goes as well: the person begins
    again with a link that the administrator hands over, as on their first day.
    """
    _check_other(user, by)
    removed, _by_model = Authenticator.objects.filter(user=user).delete()
    user.set_unusable_password()
    user.save(update_fields=["password"])
    sessions.end_all(user)
    record(Verb.SECOND_FACTOR_RESET, by=by, object_type="user", object_id=user.pk, purpose=Purpose.ADMINISTRATION,
           count=removed)  # fmt: skip


def use_code(*, user: User, code: str) -> Authenticator | None:
    """The person's authenticator whose code this is, used up by it; None when it is wrong or they are locked."""
    value = str(user.pk)
    if limits.CODE.until(value):
        record_at_the_door(Verb.SECOND_FACTOR_FAILED, by=user, outcome=Outcome.DENIED, reason_code="locked")
        return None
    found = second_factor.use_code(user, code)
    if found is None:
        _count_failure(limits.CODE, value, known=user)
        record_at_the_door(Verb.SECOND_FACTOR_FAILED, by=user, outcome=Outcome.DENIED)
        return None
    limits.CODE.clear(value)
    if found.type == Authenticator.Type.RECOVERY_CODES:
        record_at_the_door(Verb.RECOVERY_CODE_USED, by=user, count=second_factor.recovery_codes_left(user))
    return found


# --- Emergency access -------------------------------------------------------------------------------------------------


@transaction.atomic
def begin_emergency(*, document_id: UUID, reason: str, purpose: str, by: User) -> EmergencyAccess:
    """Lets the person reveal numbers of a document of their clinic for a while. The typed reason is kept sealed."""
    check_right(by, Right.EMERGENCY)
    now = timezone.now()
    access = EmergencyAccess.objects.create(
        user=by, document_id=document_id, reason=reason, purpose=purpose, began_at=now, ends_at=now + emergency.LASTS
    )
    record(Verb.EMERGENCY_BEGUN, by=by, object_type="emergency", object_id=access.pk, document_id=document_id,
           purpose=Purpose(purpose), details={"minutes": int(emergency.LASTS.total_seconds() // 60)})  # fmt: skip
    return access


# --- Locks ------------------------------------------------------------------------------------------------------------


def is_sign_in_locked(*, email: str, ip: str) -> bool:
    """Whether a password for this address, or from this network address, is not even looked at."""
    return bool(limits.ADDRESS.until(email.lower()) or (ip and limits.NETWORK.until(ip)))


def count_failed_password(*, email: str, ip: str) -> None:
    """Counts a wrong password; an address that nobody has is counted, and locked, like any other."""
    _count_failure(limits.ADDRESS, email.lower(), known=_person_with(email))
    if ip:
        _count_failure(limits.NETWORK, ip, known=None)


def journal_locked_attempt(*, email: str) -> None:
    """Records a sign-in that was refused unseen, in the chain of the person's clinic when the address is known."""
    record_at_the_door(Verb.LOGIN_FAILED, by=_person_with(email), outcome=Outcome.DENIED, reason_code="locked")


def forget_failures(*, user: User) -> None:
    """After a complete sign-in the person's failures no longer count."""
    limits.ADDRESS.clear(user.email.lower())
    limits.CODE.clear(str(user.pk))


def locked(people: Collection[User]) -> set[UUID]:
    """Which of these people may not try to sign in just now, by their ids."""
    addresses = limits.ADDRESS.locked(user.email.lower() for user in people)
    codes = limits.CODE.locked(str(user.pk) for user in people)
    return {user.pk for user in people if user.email.lower() in addresses or str(user.pk) in codes}


@transaction.atomic
def unlock(*, user: User, by: User) -> None:
    """Lets a colleague try again at once."""
    forget_failures(user=user)
    record(Verb.UNLOCKED, by=by, object_type="user", object_id=user.pk, purpose=Purpose.ADMINISTRATION)


def _count_failure(lock: limits.Lock, value: str, *, known: User | None) -> None:
    if lock.fail(value):
        record_at_the_door(Verb.LOCKED, by=known, outcome=Outcome.DENIED, reason_code=lock.name)


def _person_with(email: str) -> User | None:
    return User.objects.filter(email__iexact=email).first() if email else None


# --- Sessions ---------------------------------------------------------------------------------------------------------


@transaction.atomic
def end_session(*, label: UUID, by: User) -> None:
    """Ends one of the person's own sessions; anybody else's stays."""
    Session.objects.filter(label=label, user=by).delete()
    record(Verb.SESSION_ENDED, by=by, object_type="session", object_id=label, purpose=Purpose.ADMINISTRATION)


def _check_other(user: User, by: User) -> None:
    if user.pk == by.pk:
        raise NotAllowed(_("Ask another administrator to change your own account."))
