"""Answering a person's request: the file of what is held, and the pages that reviewers have to correct."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.access import get_or_404
from accounts.policy import Right, requires
from accounts.requests import person
from audit.declared import journals
from audit.record import record_alone
from audit.registers import queries
from audit.registers.models import Entry, Register
from audit.verbs import Purpose, Verb
from review.registers import actions
from review.registers.answers import ANSWERS
from review.registers.forms import AnswerForm, LookUpForm
from review.registers.rectification import rectifications


@require_POST
@requires(Right.REGISTERS)
@journals(Verb.PATIENT_ANSWERED)
def answer(request: HttpRequest, entry_id: UUID) -> HttpResponse:
    """The file for the person: everything that is held under their number. The NAM is in the body, never in an
    address."""
    entry = _request(request, entry_id)
    form = AnswerForm(request.POST)
    if not form.is_valid():
        return _back(request, entry, form)
    suffix = form.cleaned_data["suffix"]
    data = actions.answer(entry=entry, nam=form.cleaned_data["nam"], suffix=suffix, by=person(request))
    file = HttpResponse(data, content_type=ANSWERS[suffix].content_type)
    name = f"transcription-{entry.number}-{timezone.localdate()}.{suffix}"
    file["Content-Disposition"] = f'attachment; filename="{name}"'
    return file


@require_POST
@requires(Right.REGISTERS)
@journals(Verb.PATIENT_LOOKED_UP)
def look_up(request: HttpRequest, entry_id: UUID) -> HttpResponse:
    """Tells the reviewers on which pages the number stands."""
    entry = _request(request, entry_id)
    form = LookUpForm(request.POST)
    if not form.is_valid():
        return _back(request, entry, form)
    found = len(actions.look_up(entry=entry, nam=form.cleaned_data["nam"], by=person(request)).content["places"])
    text = ngettext("The number stands on %(count)d page.", "The number stands on %(count)d pages.", found)
    messages.success(request, text % {"count": found})
    return redirect("registers:entry", entry.pk)


@require_safe
@requires(Right.REVIEW)
@journals(Verb.REGISTER_VIEWED)
def rectification_list(request: HttpRequest) -> HttpResponse:
    """For reviewers: what persons asked to have corrected, and where."""
    user = person(request)
    found = rectifications(user)
    record_alone(Verb.REGISTER_VIEWED, by=user, purpose=Purpose.QUALITY, count=len(found), object_type="register",
                 details={"register": str(Register.REQUESTS)})  # fmt: skip
    return render(request, "registers/rectifications.html", {"rectifications": found})


def _request(request: HttpRequest, entry_id: UUID) -> Entry:
    user = person(request)
    return get_or_404(queries.entries(user, Register.REQUESTS), entry_id, by=user)


def _back(request: HttpRequest, entry: Entry, form: AnswerForm | LookUpForm) -> HttpResponse:
    """What is wrong, in words. The form is not shown again with the number in it."""
    messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
    return redirect("registers:entry", entry.pk)
