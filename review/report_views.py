"""Ready reports of the journal: on the screen, to print, as CSV. Each look is an event."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.policy import Right, requires
from accounts.requests import person
from audit.declared import journals
from audit.formats.spreadsheet import to_csv
from audit.record import record_alone
from audit.verbs import Purpose, Verb
from review import reports
from review.journal_forms import ConsultationForm, ReportForm
from review.reports import Report, Span

_LONGEST_NUMBER = 18
"""Digits of an event's number that the database can hold."""


@require_safe
@requires(Right.JOURNAL)
@journals(Verb.REPORT_VIEWED)
def report_page(request: HttpRequest) -> HttpResponse:
    """A report of a period (`?report=`, `?first=`, `?last=`), with `?csv` as a file; without one what there is.

    The register of communications comes screen by screen (`?after=`), with `?all` on one page to print.
    """
    user, form = person(request), ReportForm(request.GET or None)
    report, name = None, str(request.GET.get("report", ""))
    if form.is_valid():
        report = _report(request.GET, name, user.clinic_id, form.span(timezone.localdate()))
    record_alone(Verb.REPORT_VIEWED, by=user, purpose=Purpose.AUDIT, reason_code=name if report else "",
                 count=len(report.rows) if report else 0)  # fmt: skip
    context = {"nam_form": ConsultationForm(), "query": _query(request.GET), "after": "after" in request.GET}
    return _shown(request, report, name, {"form": form, **context})


def _report(asked: QueryDict, name: str, clinic_id: UUID, span: Span) -> Report:
    if name != "communications":
        return reports.BY_PERIOD[name](clinic_id, span)
    if "csv" in asked:
        return reports.communications(clinic_id, span)
    if "all" in asked:
        whole = reports.communications(clinic_id, span, most=reports.MOST_ROWS)
        return replace(whole, is_cut=whole.more is not None, more=None)
    after = asked.get("after", "")
    begins = int(after) if after.isdecimal() and len(after) <= _LONGEST_NUMBER else 0
    return reports.communications(clinic_id, span, after=begins, most=reports.SCREEN)


def _query(asked: QueryDict) -> str:
    """What is asked for, without where its screen begins."""
    return urlencode([(name, asked[name]) for name in ("report", "first", "last") if name in asked])


@require_POST
@requires(Right.JOURNAL)
@journals(Verb.REPORT_VIEWED)
def consultations(request: HttpRequest) -> HttpResponse:
    """Who consulted the file of the patient whose number is in the body; with `csv` as a file."""
    user, form, report = person(request), ConsultationForm(request.POST), None
    if form.is_valid() and not form.cleaned_data["nam"]:
        form.add_error("nam", _("Type the number of the patient."))
    if form.is_valid():
        span = form.span(timezone.localdate())
        report = reports.consultations(user.clinic_id, form.cleaned_data["nam"], span)
    record_alone(Verb.REPORT_VIEWED, by=user, purpose=Purpose.AUDIT, reason_code="consultations",
                 subject=form.index(user.clinic_id) if report else None,
                 count=len(report.rows) if report else 0)  # fmt: skip
    return _shown(request, report, "consultations", {"form": ReportForm(), "nam_form": form})


def _shown(request: HttpRequest, report: Report | None, name: str, context: dict[str, object]) -> HttpResponse:
    if report is not None and ("csv" in request.GET or "csv" in request.POST):
        answer = HttpResponse(to_csv(report.columns, report.rows), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="{name}.csv"'
        return answer
    context |= {"report": report, "clinic": person(request).clinic, "most_rows": reports.MOST_ROWS}
    status = 400 if request.method == "POST" and report is None else 200
    return render(request, "review/reports.html", context, status=status)
