"""The second step of a sign-in: codes of an authenticator app, recovery codes, and what a session has proved.

Passkeys are allauth's and fido2's. Codes are checked here, because allauth forgets a used code sooner than it accepts
it, and can show recovery codes again.
"""

from __future__ import annotations

import base64
import secrets
import time
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.utils import decrypt
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.hotp import HOTP
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from accounts.models import User

PERIOD = 30  # seconds a code is shown for (RFC 6238, 4.1)
TOLERANCE = 1  # steps before and after: a telephone's clock is seldom exact (RFC 6238, 5.2)
DIGITS = 6

CODE_COUNT = 10
CODE_GROUPS, CODE_GROUP = 3, 4
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # without i, l, o, 0 and 1, which are taken for each other

FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
"""What counts as a second step. Recovery codes only stand in for one."""

PROVED_BY = "second_factor"
PROVED_AT = "proved_at"


# --- What a session has proved ---------------------------------------------------------------------------------------


def note(request: HttpRequest, user: User, *, second: bool) -> None:
    """Notes in the session that the person proved who they are just now; `second`: by more than a password.

    The person is named, because a session goes on through a sign-in that began for somebody else.
    """
    request.session[PROVED_AT] = time.time()
    if second:
        request.session[PROVED_BY] = str(user.pk)


def is_complete(request: HttpRequest) -> bool:
    """Whether the signed-in person passed the second step in this session, or none is asked for here."""
    return not settings.MFA_REQUIRED or bool(request.session.get(PROVED_BY) == str(request.user.pk))


def is_fresh(request: HttpRequest) -> bool:
    """Whether the person proved who they are within the last REAUTHENTICATE_AFTER seconds."""
    since = time.time() - float(request.session.get(PROVED_AT, 0))
    return bool(0 <= since < settings.REAUTHENTICATE_AFTER)


def has_factor(user: User) -> bool:
    return bool(Authenticator.objects.filter(user=user, type__in=FACTORS).exists())


def is_last(authenticator: Authenticator) -> bool:
    """Whether the person would be left without a second step."""
    others = Authenticator.objects.filter(user_id=authenticator.user_id, type__in=FACTORS).exclude(pk=authenticator.pk)
    return authenticator.type in FACTORS and not others.exists()


# --- Codes of an authenticator app ------------------------------------------------------------------------------------


def matching_step(secret: str, code: str, *, after: int = -1) -> int | None:
    """The time step (RFC 6238) later than `after` whose code this is; None when there is none.

    `secret` is in base 32, as authenticator apps take it.
    """
    typed = "".join(code.split())
    if len(typed) != DIGITS or not typed.isdecimal():
        return None
    # SHA-1 is what every authenticator app supports; HMAC does not need its collision resistance (RFC 6238, 1.2).
    generator = HOTP(base64.b32decode(secret), DIGITS, SHA1())  # noqa: S303
    now = int(time.time()) // PERIOD
    steps = [step for step in range(now - TOLERANCE, now + TOLERANCE + 1) if step > after]
    found = [step for step in steps if constant_time_compare(generator.generate(step).decode(), typed)]
    return found[0] if found else None


@transaction.atomic
def use_code(user: User, code: str) -> Authenticator | None:
    """The authenticator whose code this is, an app's or a recovery code, used up by it; None when it is wrong."""
    rows = Authenticator.objects.select_for_update().filter(user=user).exclude(type=Authenticator.Type.WEBAUTHN)
    by_type = {row.type: row for row in rows}
    app, recovery = by_type.get(Authenticator.Type.TOTP), by_type.get(Authenticator.Type.RECOVERY_CODES)
    if app is not None and _use_app_code(app, code):
        return app
    if recovery is not None and _use_recovery_code(recovery, code):
        return recovery
    return None


def _use_app_code(row: Authenticator, code: str) -> bool:
    step = matching_step(decrypt(row.data["secret"]), code, after=row.data.get("last_step", -1))
    if step is None:
        return False
    keep_step(row, step)
    return True


def keep_step(row: Authenticator, step: int) -> None:
    """From now on only later codes count: each is good for one use (RFC 6238, 5.2)."""
    row.data["last_step"] = step
    row.save(update_fields=["data"])


# --- Recovery codes ---------------------------------------------------------------------------------------------------


def make_recovery_codes(user: User) -> list[str]:
    """Ten fresh codes in place of the former ones. This is the only moment when anybody can read them.

    A code has 59 bits and is kept by the password hash under a salt of the set (OWASP ASVS 5.0, 6.5.2); one salt, so
    that checking a code costs one hash and not ten.
    """
    codes = ["-".join(_group() for _ in range(CODE_GROUPS)) for _ in range(CODE_COUNT)]
    salt = secrets.token_hex(16)
    data: dict[str, Any] = {"salt": salt, "hashes": [_hash(code, salt) for code in codes]}
    Authenticator.objects.update_or_create(user=user, type=Authenticator.Type.RECOVERY_CODES, defaults={"data": data})
    return codes


def recovery_codes_left(user: User) -> int:
    row = Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).first()
    return len(row.data.get("hashes", ())) if row else 0


def _use_recovery_code(row: Authenticator, code: str) -> bool:
    hashes = row.data.get("hashes", ())
    if not hashes or len(_plain(code)) != CODE_GROUPS * CODE_GROUP:
        return False
    typed = _hash(code, row.data["salt"])
    left = [kept for kept in hashes if not constant_time_compare(kept, typed)]
    if len(left) == len(hashes):
        return False
    row.data["hashes"] = left
    row.save(update_fields=["data"])
    return True


def _group() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(CODE_GROUP))


def _plain(code: str) -> str:
    return "".join(character for character in code.lower() if character.isalnum())


def _hash(code: str, salt: str) -> str:
    return make_password(_plain(code), salt=salt)
