"""What every page needs to know."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from accounts.policy import rights


def site(request: HttpRequest) -> dict[str, Any]:
    """The person's rights by name, and whether this installation is a demonstration."""
    user = getattr(request, "user", None)
    may = rights(user) if user and user.is_authenticated else {}
    return {"may": may, "is_demo": settings.DEMO, "languages": settings.LANGUAGES}
