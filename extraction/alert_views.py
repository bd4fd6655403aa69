"""Alerts: what is wrong now and what was, and saying that somebody has seen it."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import get_or_404
from accounts.policy import Right, requires
from accounts.requests import person
from audit.declared import journals, journals_nothing
from audit.verbs import Verb
from extraction import actions, alerts
from extraction.forms import AlertFilterForm

ALERTS_PER_PAGE = 50


@require_safe
@requires(Right.ALERTS)
@journals_nothing("figures only: no number, no person, no document")
def alert_list(request: HttpRequest) -> HttpResponse:
    """The alerts that are open, and the history, which `?kind=`, `?since=` and `?until=` narrow."""
    found = alerts.of_clinic(person(request))
    form = AlertFilterForm(request.GET)
    kept = request.GET.copy()
    kept.pop("page", None)
    context = {
        "open_alerts": list(found.filter(ended_at=None)),
        "form": form,
        "page": Paginator(found.filter(**form.conditions), ALERTS_PER_PAGE).get_page(request.GET.get("page")),
        "query": kept.urlencode(),
    }
    return render(request, "extraction/alerts.html", context)


@require_POST
@requires(Right.ALERTS)
@journals(Verb.ALERT_ACKNOWLEDGED)
def acknowledge(request: HttpRequest, alert_id: UUID) -> HttpResponse:
    user = person(request)
    actions.acknowledge(alert=get_or_404(alerts.of_clinic(user), alert_id, by=user), by=user)
    messages.success(request, _("Acknowledged: administrators are not told of it again while it lasts."))
    return redirect("extraction:alerts")
