"""What every page needs to know."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from accounts import second_factor
from accounts.models import User
from accounts.policy import Right, rights
from audit.registers import queries
from audit.registers.models import Register
from extraction.banner import banner
from namsite.menu import Item, menu
from review.registers.products import suppliers, where_suppliers_work


def site(request: HttpRequest) -> dict[str, Any]:
    """The person's rights by name, what they should know of now, who else is sent data, and whether this installation
    is a demonstration.

    `menu`, `alerts`, `office` and `suppliers` are looked up by the templates that show them only.
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
        "menu": SimpleLazyObject(lambda: _menu(request, known, may)),
        "office": SimpleLazyObject(lambda: _office(known)),
        "suppliers": SimpleLazyObject(suppliers),
        "suppliers_place": SimpleLazyObject(where_suppliers_work),
        "is_demo": settings.DEMO,
        "languages": settings.LANGUAGES,
        "is_mfa_required": settings.MFA_REQUIRED,
    }


def _menu(request: HttpRequest, known: User | None, may: dict[str, bool]) -> list[Item]:
    pressing = {}
    if known and may.get(Right.REGISTERS):
        pressing[Right.REGISTERS] = queries.pressing_requests(known.clinic_id, timezone.localdate())
    here = request.resolver_match.view_name if request.resolver_match else ""
    return menu(may, here, pressing)


def _office(known: User | None) -> dict[str, Any]:
    """Who is in charge of the protection of personal information in the person's clinic; empty while nobody is."""
    return queries.standing(known.clinic_id, Register.GOVERNANCE) if known else {}
