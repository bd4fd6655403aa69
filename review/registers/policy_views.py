"""The policy of a clinic, published without sign-in once its administrator says so."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from accounts.models import Clinic
from audit.declared import journals_nothing
from audit.registers import queries
from audit.registers.models import Register
from review.registers import policy as configured


@require_safe
@login_not_required
@journals_nothing("what is published: the policy of a clinic, for everybody")
def policy(request: HttpRequest, clinic_id: UUID) -> HttpResponse:
    """404 while it is not published, as for a clinic that does not exist."""
    clinic = get_object_or_404(Clinic, pk=clinic_id)
    office = queries.standing(clinic.pk, Register.GOVERNANCE)
    if not office.get("is_published"):
        raise Http404
    context = {
        "clinic": clinic,
        "office": office,
        "roles": configured.roles(),
        "registers": configured.registers(),
        "session_hours": configured.session_hours(),
        "kept": configured.kept(clinic),
    }
    return render(request, "registers/policy.html", context)
