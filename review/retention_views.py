"""Retention for administrators: periods, holds, what is due, certificates, and the destruction of one document.

No page here shows what a document says: an administrator needs its state only.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import get_or_404
from accounts.models import User
from accounts.policy import Right, requires
from accounts.reauthentication import freshly_proved
from accounts.requests import person
from audit.declared import journals
from audit.record import record_alone
from audit.verbs import Purpose, Verb
from extraction.models import Document
from review.policy import allows
from review.retention import actions, certificates, due
from review.retention.classes import RULES, DataClass
from review.retention.forms import DestroyForm, HoldForm, PeriodForm
from review.retention.models import Certificate, Hold

MOST_SHOWN = 100
LONG = timedelta(days=180)
"""A document that is not settled after that is worth a word."""


@require_safe
@requires(Right.RETENTION)
@journals(Verb.RETENTION_VIEWED)
def retention_page(request: HttpRequest) -> HttpResponse:
    """Periods with their articles, holds, what the next job destroys (a dry run), and the certificates."""
    user, moment = person(request), timezone.now()
    days = due.periods(user.clinic_id)
    waiting = list(due.due(user.clinic_id, moment))
    record_alone(Verb.RETENTION_VIEWED, by=user, count=len(waiting), purpose=Purpose.ADMINISTRATION)
    context = {
        "rules": [(rule, days[each], _period_form(each, days[each])) for each, rule in RULES.items()],
        "holds": Hold.objects.filter(clinic_id=user.clinic_id, lifted_at=None).select_related("placed_by", "document"),
        "hold_form": HoldForm(),
        "waiting": [(each, each.data_class.label) for each in waiting[:MOST_SHOWN]],
        "waiting_count": len(waiting),
        "held_count": sum(each.is_held for each in waiting),
        "unsettled": due.unsettled(user.clinic_id, moment - LONG),
        "certificates": Certificate.objects.filter(clinic_id=user.clinic_id).order_by("-number")[:MOST_SHOWN],
    }
    return render(request, "review/retention.html", context)


def _period_form(data_class: DataClass, days: int) -> PeriodForm:
    return PeriodForm(initial={"data_class": data_class, "days": days}, auto_id=f"{data_class}-%s")


@require_POST
@requires(Right.RETENTION)
@freshly_proved
@journals(Verb.RETENTION_CHANGED)
def change_period(request: HttpRequest) -> HttpResponse:
    form = PeriodForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Check the number of days."))
        return redirect("review:retention")
    data_class = DataClass(form.cleaned_data["data_class"])
    try:
        actions.change_period(data_class=data_class, days=form.cleaned_data["days"], by=person(request))
    except actions.WrongPeriod as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Kept. The journal says who changed it."))
    return redirect("review:retention")


@require_POST
@requires(Right.RETENTION)
@journals(Verb.HOLD_PLACED)
def hold_clinic(request: HttpRequest) -> HttpResponse:
    form = HoldForm(request.POST)
    if form.is_valid():
        actions.place_hold(document=None, reason=form.cleaned_data["reason"], by=person(request))
        messages.success(request, _("Nothing of the clinic is destroyed while this hold lasts."))
    else:
        messages.error(request, _("Say why first."))
    return redirect("review:retention")


@require_POST
@requires(Right.RETENTION)
@journals(Verb.HOLD_PLACED)
def hold_document(request: HttpRequest, document_id: UUID) -> HttpResponse:
    user = person(request)
    document = get_or_404(_documents(user), document_id, by=user)
    form = HoldForm(request.POST)
    if form.is_valid():
        actions.place_hold(document=document, reason=form.cleaned_data["reason"], by=user)
        messages.success(request, _("Nothing of the document is destroyed while this hold lasts."))
    else:
        messages.error(request, _("Say why first."))
    return redirect("review:retention-document", document.pk)


@require_POST
@requires(Right.RETENTION)
@freshly_proved
@journals(Verb.HOLD_LIFTED)
def lift_hold(request: HttpRequest, hold_id: UUID) -> HttpResponse:
    user = person(request)
    actions.lift_hold(hold=get_or_404(Hold.objects.filter(clinic_id=user.clinic_id), hold_id, by=user), by=user)
    messages.success(request, _("The hold is lifted. What is due goes with the next daily job."))
    return redirect("review:retention")


@require_safe
@requires(Right.RETENTION)
@journals(Verb.CERTIFICATE_TAKEN)
def certificate(request: HttpRequest, certificate_id: UUID) -> HttpResponse:
    """The signed file."""
    user = person(request)
    own = Certificate.objects.filter(clinic_id=user.clinic_id)
    found = get_or_404(own, certificate_id, by=user)
    answer = HttpResponse(certificates.taken(found, by=user), content_type="application/json")
    answer["Content-Disposition"] = f'attachment; filename="destruction-{found.number:06d}.json"'
    return answer


@require_safe
@requires(Right.RETENTION)
@journals(Verb.RETENTION_VIEWED)
def document_page(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """What is left of one document, its hold, and the form that destroys it."""
    user = person(request)
    document = get_or_404(_documents(user), document_id, by=user)
    return _document(request, document, DestroyForm())


@require_POST
@requires(Right.RETENTION)
@freshly_proved
@journals(Verb.DATA_DESTROYED)
def destroy(request: HttpRequest, document_id: UUID) -> HttpResponse:
    user = person(request)
    document = get_or_404(_documents(user), document_id, by=user)
    form = DestroyForm(request.POST)
    if not form.is_valid():
        return _document(request, document, form, status=400)
    actions.destroy_document(document=document, reason=form.cleaned_data["reason"], by=user)
    messages.success(request, _("The document is destroyed. The next certificate will name it."))
    return redirect("review:retention-document", document.pk)


def _document(request: HttpRequest, document: Document, form: DestroyForm, *, status: int = 200) -> HttpResponse:
    record_alone(Verb.RETENTION_VIEWED, by=person(request), document_id=document.pk, purpose=Purpose.ADMINISTRATION)
    context = {
        "document": document,
        "hold": document.holds.filter(lifted_at=None).select_related("placed_by").first(),
        "destructions": document.destructions.select_related("by").order_by("begun_at", "pk"),
        "can_destroy": allows(actions.check_can_destroy, document),
        "destroy_form": form,
        "hold_form": HoldForm(),
    }
    return render(request, "review/retention_document.html", context, status=status)


def _documents(user: User) -> QuerySet[Document]:
    """The clinic's documents, destroyed ones too."""
    return Document.objects.filter(clinic_id=user.clinic_id)
