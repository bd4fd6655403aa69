"""What every page needs to know."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from accounts.policy import Right, has_right
from extraction.configuration import model_start


def site(request: HttpRequest) -> dict[str, Any]:
    """The person's rights by name, whether this is a demonstration, and how far the start of its model is."""
    user = getattr(request, "user", None)
    known = user if user and user.is_authenticated else None
    rights = {right.value: has_right(known, right) for right in Right} if known else {}
    return {
        "may": rights,
        "is_demo": settings.DEMO,
        "languages": settings.LANGUAGES,
        "model_start": model_start() if known else None,
    }
