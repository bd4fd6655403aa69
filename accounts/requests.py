"""The person behind a request."""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest

from accounts.models import User


def person(request: HttpRequest) -> User:
    """The signed-in person. Login is required everywhere, so there is one."""
    return cast(User, request.user)
