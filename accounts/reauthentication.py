"""Before what does most harm in wrong hands, the person says again who they are."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.core.exceptions import ReauthenticationRequired
from django.http import HttpRequest

from accounts import second_factor


def freshly_proved(view: Callable[..., Any]) -> Callable[..., Any]:
    """For views: password, code or passkey first, unless one was given within REAUTHENTICATE_AFTER seconds.

    allauth keeps a form that was sent, asks, and goes on with it. Stands under `requires`, so that a person without the
    right is refused and not asked.
    """

    @wraps(view)
    def proved(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if not second_factor.is_fresh(request):
            raise ReauthenticationRequired
        return view(request, *args, **kwargs)

    return proved
