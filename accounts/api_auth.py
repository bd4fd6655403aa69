"""Who speaks to the API: a program with a bearer token, or the browser with the session of a signed-in person."""

from __future__ import annotations

from django.http import HttpRequest
from ninja.security import HttpBearer, SessionAuth

from accounts import limits, second_factor, tenancy, tokens
from accounts.models import User
from accounts.policy import Right, check_right
from accounts.requests import person


class TokenAuth(HttpBearer):
    """`Authorization: Bearer nam_…`. The token acts with its person's rights."""

    def authenticate(self, request: HttpRequest, token: str) -> User | None:
        user = tokens.authenticate(token)
        if user is not None:
            request.user = user
            tenancy.enter(user.clinic_id)
            limits.use("api", by=user)
        return user


class PersonAuth(SessionAuth):
    """The session cookie, with the CSRF header on anything that writes."""

    def authenticate(self, request: HttpRequest, key: str | None) -> User | None:
        user = request.user
        may = isinstance(user, User) and user.is_active and second_factor.is_complete(request)
        return user if may else None  # type: ignore[return-value]


AUTHENTICATION = [TokenAuth(), PersonAuth()]


def person_with(request: HttpRequest, right: Right) -> User:
    """The caller, if their role has `right`; otherwise NotAllowed, answered with 403 and a sentence."""
    user = person(request)
    check_right(user, right)
    return user
