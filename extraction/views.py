"""Documents: the list, uploads, page images, and what can be done with a run. For administrators: servers and costs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST, require_safe

from accounts.access import get_or_404
from accounts.limits import limited
from accounts.policy import Right, requires
from accounts.requests import person
from audit.declared import journals, journals_nothing
from audit.record import check_writable, record_alone
from audit.verbs import Verb
from extraction import actions, availability, costs, images, monitoring, prices, queries, restricting, usage
from extraction.configuration import model_start
from extraction.errors import UnreadableDocument
from extraction.forms import CalculatorForm, PriceForm, UntilForm, UploadForm
from extraction.marks import Mark
from extraction.models import Finding, Run
from extraction.monitoring import Period
from extraction.queries import has_looked
from extraction.templatetags.money import price_name
from extraction.traffic import SERVER

DOCUMENTS_PER_PAGE = 25


@require_safe
@requires(Right.LIST)
@journals(Verb.LIST_VIEWED)
def document_list(request: HttpRequest) -> HttpResponse:
    """The clinic's documents, newest first: behind a document (`?before=`), before one (`?after=`), or from a day on
    back (`?until=`). With `?rows` only the table, for the page's own refresh."""
    user, form = person(request), UntilForm(request.GET)
    before = Mark.read(request.GET.get("before", "")) or form.mark
    after = Mark.read(request.GET.get("after", ""))
    screen = queries.screen(user, DOCUMENTS_PER_PAGE, before=before, after=after)
    rows = queries.with_runs(screen.documents)
    context = {
        "screen": screen,
        "rows": rows,
        "until_form": form,
        "query": _without(request, "rows"),
        "is_working": any(run.is_active for _document, run, _progress in rows),
    }
    if "rows" in request.GET:
        check_writable(Verb.LIST_VIEWED, by=user)  # The page's own event speaks of what it shows again.
        return render(request, "extraction/_rows.html", context)
    context["upload_form"] = UploadForm(initial={"form_kind": queries.last_form_kind(user)})
    record_alone(Verb.LIST_VIEWED, by=user, object_type="document", count=len(rows))
    context["model_start"] = model_start()
    return render(request, "extraction/document_list.html", context)


def _without(request: HttpRequest, name: str) -> str:
    kept = request.GET.copy()
    kept.pop(name, None)
    return kept.urlencode()


@require_POST
@requires(Right.UPLOAD)
@limited("upload")
@journals(Verb.DOCUMENT_UPLOADED, Verb.DOCUMENT_REJECTED, Verb.DOCUMENT_DUPLICATE)
def upload(request: HttpRequest) -> HttpResponse:
    """Takes one file (our script sends them one by one) or several (a plain form). JSON when asked for."""
    files = request.FILES.getlist("file")
    form = UploadForm(request.POST)
    if "application/json" in request.headers.get("Accept", ""):
        return _upload_json(request, files, form)
    if not files:
        messages.error(
            request, _refusal("too_large") if "UPLOAD_TOO_LARGE" in request.META else _("Choose a PDF first.")
        )
    elif not form.is_valid():
        messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
    else:
        for position, file in enumerate(files, start=1):
            _upload_with_message(request, file, form, place=f"{position}/{len(files)}")
    return redirect("extraction:document-list")


def _upload_json(request: HttpRequest, files: list[UploadedFile[Any]], form: UploadForm) -> JsonResponse:
    """201 stored, 200 duplicate, 400 nothing sent or a wrong field, 413/422 refused with code and sentence."""
    if "UPLOAD_TOO_LARGE" in request.META:
        return JsonResponse({"code": "too_large", "message": _refusal("too_large")}, status=413)
    if len(files) != 1:
        return JsonResponse({"code": "no_file", "message": _("Choose a PDF first.")}, status=400)
    if not form.is_valid():
        return JsonResponse(
            {"code": "invalid_field", "fields": form.errors, "message": _("Check the fields.")}, status=400
        )
    try:
        done = _take_in(request, files[0], form)
    except UnreadableDocument as error:
        return JsonResponse({"code": error.code, "message": error.sentence}, status=422)
    return JsonResponse(
        {
            "document": str(done.document.pk),
            "run": str(done.run.pk),
            "duplicate": done.is_duplicate,
            "url": reverse("review:document-detail", args=[done.document.pk]),
            "message": _("Already in the system.") if done.is_duplicate else _("Received and queued."),
        },
        status=200 if done.is_duplicate else 201,
    )


def _take_in(request: HttpRequest, file: UploadedFile[Any], form: UploadForm) -> actions.Upload:
    return actions.upload(
        data=file.read(), file_name=file.name or "", billing=form.billing, form_kind=form.form_kind, by=person(request)
    )


def _upload_with_message(request: HttpRequest, file: UploadedFile[Any], form: UploadForm, *, place: str) -> None:
    """Says what became of the file by its place in the form: a file name may name a patient, and messages are kept
    in the session until they are shown."""
    try:
        done = _take_in(request, file, form)
    except UnreadableDocument as error:
        messages.error(request, f"{place} — {error.sentence}")
        return
    text = _("Already in the system.") if done.is_duplicate else _("Received and queued.")
    (messages.warning if done.is_duplicate else messages.success)(request, f"{place} — {text}")


def _refusal(code: str) -> str:
    return UnreadableDocument(code).sentence


@require_POST
@requires(Right.UPLOAD)
@journals(Verb.RUN_QUEUED)
def retry(request: HttpRequest, run_id: UUID) -> HttpResponse:
    run = get_or_404(queries.runs(person(request)), run_id, by=person(request))
    actions.retry(run=run, by=person(request))
    messages.success(request, _("The extraction is queued again."))
    return _back(request, run)


@require_POST
@requires(Right.UPLOAD)
@journals(Verb.RUN_WITHOUT_MODEL)
def go_on_without_model(request: HttpRequest, run_id: UUID) -> HttpResponse:
    run = get_or_404(queries.runs(person(request)), run_id, by=person(request))
    actions.go_on_without_model(run=run, by=person(request))
    messages.success(request, _("The extraction goes on with the pattern finder alone."))
    return _back(request, run)


def _back(request: HttpRequest, run: Run) -> HttpResponse:
    if request.POST.get("from") == "list":
        return redirect("extraction:document-list")
    return redirect("review:document-detail", run.document_id)


@require_GET
@requires(Right.READ)
@journals(Verb.PAGE_VIEWED, Verb.PAGE_SENT_AHEAD)
def page_image(request: HttpRequest, document_id: UUID, number: int) -> HttpResponse:
    """One page as PNG. The journal knows who saw it before it is drawn; with `?ahead` that it was only sent."""
    user = person(request)
    document = get_or_404(queries.documents(user), document_id, by=user)
    restricting.check_page(user, document, number)
    record_alone(Verb.PAGE_SENT_AHEAD if "ahead" in request.GET else Verb.PAGE_VIEWED, by=user,
                 object_type="document", object_id=document.pk, document_id=document.pk, page=number)  # fmt: skip
    return HttpResponse(images.page(document, number), content_type="image/png")


@require_GET
@requires(Right.READ)
@journals(Verb.PAGE_VIEWED)
def finding_crop(request: HttpRequest, finding_id: UUID) -> HttpResponse:
    """The printed number of one finding, enlarged: part of a page, whose view the journal holds or gets."""
    user = person(request)
    own = Finding.objects.filter(run__document__clinic_id=user.clinic_id).select_related("run__document")
    finding = get_or_404(own, finding_id, by=user)
    document = finding.run.document
    restricting.check_page(user, document, finding.page)
    if has_looked(user, document, finding.page, timezone.now()):
        check_writable(Verb.PAGE_VIEWED, by=user)
    else:
        record_alone(Verb.PAGE_VIEWED, by=user, object_type="document", object_id=document.pk,
                     document_id=document.pk, page=finding.page)  # fmt: skip
    return HttpResponse(images.crop(finding.run.document, finding.page, finding.box), content_type="image/png")


@require_safe
@requires(Right.AVAILABILITY)
@journals_nothing("figures only: no number, no person, no document")
def model_availability(request: HttpRequest) -> HttpResponse:
    """How one model server did in a day, a week or a month (`?period=`, `?server=`)."""
    user, moment = person(request), timezone.now()
    period = request.GET.get("period", "")
    servers = monitoring.servers(tried=True)
    server = request.GET.get("server", "")
    overview = monitoring.overview(
        server if server in servers else next(iter(servers), SERVER),
        Period(period) if period in set(Period) else Period.DAY,
        moment,
    )
    since = monitoring.bounds(overview.period, moment)[0]
    context = {
        "overview": overview,
        "servers": servers,
        "periods": list(Period),
        "condition": monitoring.condition([overview.server] if servers else [], moment),
        "errors": monitoring.model_errors(user.clinic_id, since),
        "documents": monitoring.documents(user.clinic_id, since),
        "targets": availability,
    }
    return render(request, "extraction/availability.html", context)


@require_safe
@requires(Right.COSTS)
@journals_nothing("figures only: no number, no person, no document")
def cost_page(request: HttpRequest) -> HttpResponse:
    """The calculator, what was really used, and the prices of both."""
    return _costs(request, None)


@require_POST
@requires(Right.COSTS)
@journals(Verb.PRICE_CHANGED)
def change_price(request: HttpRequest) -> HttpResponse:
    book = prices.book(person(request).clinic_id)
    form = PriceForm(request.POST, names=_price_names(book))
    if not form.is_valid():
        return _costs(request, form)
    actions.change_price(**form.cleaned_data, by=person(request))
    messages.success(request, _("Price changed."))
    return redirect("extraction:costs")


def _costs(request: HttpRequest, wrong: PriceForm | None) -> HttpResponse:
    book = prices.book(person(request).clinic_id)
    held = book.on(timezone.localdate())
    form = CalculatorForm(request.GET.dict(), instances=held.instances)
    estimate = form.estimate(held)
    context = {
        "form": form,
        "assumed": form.assumed,
        "estimate": estimate,
        "months": usage.months(
            person(request).clinic_id,
            book,
            instance=form.assumed["instance"],
            fixed=estimate.hosting.fixed,
            moment=timezone.now(),
        ),
        "monthly_alert": costs.MONTHLY_ALERT,
        "prices": list(held.values()),
        "changes": list(reversed(book.own)),
        "price_form": wrong or PriceForm(names=_price_names(book), initial={"from_day": timezone.localdate()}),
    }
    return render(request, "extraction/costs.html", context, status=400 if wrong else 200)


def _price_names(book: prices.PriceBook) -> list[tuple[str, str]]:
    return [(name, price_name(name)) for name in book.on(timezone.localdate())]
