"""Bearer tokens: made once, shown once, kept as a digest."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.utils import timezone

from accounts.models import ApiToken, User

PREFIX = "nam_"
USED_GRANULARITY = timedelta(minutes=1)


def digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def generate() -> str:
    """A fresh token with 256 random bits."""
    return PREFIX + secrets.token_urlsafe(32)


def authenticate(token: str) -> User | None:
    """The person a bearer token stands for, or None when it is unknown, expired or revoked, or they are inactive."""
    now = timezone.now()
    found = (
        ApiToken.objects.select_related("user__clinic")
        .filter(digest=digest(token), revoked_at=None, expires_at__gt=now, user__is_active=True)
        .first()
    )
    if found is None:
        return None
    # Once a minute is enough to see that a token is in use, and spares a write per request.
    if found.last_used_at is None or now - found.last_used_at > USED_GRANULARITY:
        ApiToken.objects.filter(pk=found.pk).update(last_used_at=now)
    return found.user
