"""What every page needs to know."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from accounts import second_factor
from accounts.policy import rights
from extraction.banner import banner


def site(request: HttpRequest) -> dict[str, Any]:
    """The person's rights by name, what they should know of now, and whether this installation is a demonstration.

    `alerts` are looked up by the templates that show them only.
    """
    user = getattr(request, "user", None)
    known = user if user and user.is_authenticated else None
    if known and not second_factor.is_complete(request):
        known = None  # Half signed in: the page leads to the second step and nowhere else.
    alerts: Any = SimpleLazyObject(lambda: banner(known, timezone.now())) if known else []
    may = rights(known) if known else {}
    return {
        "may": may,
        "alerts": alerts,
        "is_demo": settings.DEMO,
        "languages": settings.LANGUAGES,
        "is_mfa_required": settings.MFA_REQUIRED,
    }
