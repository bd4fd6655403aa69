"""The journal for administrators: to look through, and to take away. Every look is an event of its own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from accounts.policy import Right, requires
from accounts.requests import person
from audit import anchors, queries, signing, standalone
from audit.declared import journals
from audit.formats import fhir, lines, table
from audit.integrity import integrity
from audit.queries import NothingToExport, Search
from audit.record import record_alone
from audit.verbs import Purpose, Verb
from review.journal_forms import JournalExportForm, JournalForm, NamForm, sealed
from review.policy import Conflict

EVENTS_PER_PAGE = 50
"""Most of the time of a page is the drawing of its lines."""
MOST_EXPORTED = 50_000
"""Events of one file from the page; more are for `manage.py export_journal`."""


def _colleagues(user: User) -> list[User]:
    return list(User.objects.filter(clinic_id=user.clinic_id).order_by("-is_active", "name"))


@require_safe
@requires(Right.JOURNAL)
@journals(Verb.JOURNAL_VIEWED)
def journal(request: HttpRequest) -> HttpResponse:
    """The clinic's journal, newest first; `?before=` goes on behind an event (keyset, so it stays fast)."""
    people = _colleagues(person(request))
    return _page(request, JournalForm(request.GET, people=people), NamForm(), None, people)


@require_POST
@requires(Right.JOURNAL)
@journals(Verb.JOURNAL_SEARCHED)
def search(request: HttpRequest) -> HttpResponse:
    """The same for one patient. The number comes in the body, is turned into its index and is kept nowhere."""
    user = person(request)
    people = _colleagues(user)
    form, typed = JournalForm(request.POST, people=people), NamForm(request.POST)
    subject = typed.index(user.clinic_id)
    if subject is None and not typed.errors:
        typed.add_error("nam", _("Type the number of the patient."))
    return _page(request, form, typed, subject, people)


def _page(
    request: HttpRequest, form: JournalForm, typed: NamForm, subject: bytes | None, people: list[User]
) -> HttpResponse:
    user, sent = person(request), request.POST if request.method == "POST" else request.GET
    before = sent.get("before", "")
    wanted = form.search(user.clinic_id, subject)
    shown = [] if typed.errors else wanted.page(EVENTS_PER_PAGE + 1, before=int(before) if before.isdigit() else None)
    record_alone(Verb.JOURNAL_SEARCHED if subject else Verb.JOURNAL_VIEWED, by=user, purpose=Purpose.AUDIT,
                 subject=subject, count=min(len(shown), EVENTS_PER_PAGE))  # fmt: skip
    kept = request.GET.copy()
    kept.pop("before", None)
    context = {
        "form": form,
        "nam_form": NamForm() if subject else typed,
        "subject": sealed(subject, user.clinic_id) if subject else "",
        "export_form": JournalExportForm(people=people),
        "events": shown[:EVENTS_PER_PAGE],
        "more": shown[EVENTS_PER_PAGE - 1].seq if len(shown) > EVENTS_PER_PAGE else None,
        "query": kept.urlencode(),
        "narrowed": [(name, value) for name, value in kept.items() if name in form.fields],
        "integrity": integrity(user.clinic_id, timezone.now()),
        "most_exported": MOST_EXPORTED,
    }
    return render(request, "review/journal.html", context, status=400 if typed.errors else 200)


@require_POST
@requires(Right.JOURNAL)
@journals(Verb.JOURNAL_EXPORTED)
def export(request: HttpRequest) -> HttpResponse:
    """A file of the journal, or of what its verifier needs. 409 where it would be larger than a page should make."""
    user, moment = person(request), timezone.now()
    form = JournalExportForm(request.POST, people=_colleagues(user))
    if not form.is_valid():
        raise Conflict(_("Choose what to take away."))
    what = form.cleaned_data["what"]
    record_alone(Verb.JOURNAL_EXPORTED, by=user, purpose=Purpose.AUDIT, reason_code=what)
    make, name, kind = FILES[what]
    answer = HttpResponse(make(form.search(user.clinic_id), moment), content_type=kind)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _lines(wanted: Search, moment: datetime) -> str:
    """All of the chain, or the stretch that a period takes out of it."""
    anchors.make_for_export(wanted.chain, moment)
    try:
        if wanted.since is None and wanted.until is None:
            span = queries.whole(wanted.chain, moment)
        else:
            span = queries.part(wanted.chain, moment, since=wanted.since, until=wanted.until)
    except NothingToExport:
        raise Conflict(_("There is no event in this period.")) from None
    _check_size(span.last - span.first + 1)
    return "".join(lines.write(span, queries.events_of(span)))


def _table(wanted: Search, _moment: datetime) -> bytes:
    events = list(wanted.events()[: MOST_EXPORTED + 1])
    _check_size(len(events))
    return table.write(events)


def _fhir(wanted: Search, moment: datetime) -> bytes:
    events = list(wanted.events()[: MOST_EXPORTED + 1])
    _check_size(len(events))
    return fhir.bundle(events, moment)


def _check_size(events: int) -> None:
    if events > MOST_EXPORTED:
        text = _("That is more than {count} events. Choose a shorter period, or run manage.py export_journal.")
        raise Conflict(text.format(count=MOST_EXPORTED))


def _anchors(wanted: Search, _moment: datetime) -> str:
    return "".join(queries.anchor_lines(wanted.chain))


def _keys(_wanted: Search, _moment: datetime) -> bytes:
    return signing.public_pem()


def _verifier(_wanted: Search, _moment: datetime) -> bytes:
    return Path(standalone.__file__).with_name("verify.py").read_bytes()


FILES: dict[str, tuple[Callable[[Search, datetime], str | bytes], str, str]] = {
    "jsonl": (_lines, "journal.jsonl", "application/x-ndjson"),
    "anchors": (_anchors, "anchors.jsonl", "application/x-ndjson"),
    "keys": (_keys, "anchor.pub", "application/x-pem-file"),
    "verifier": (_verifier, "verify.py", "text/x-python; charset=utf-8"),
    "csv": (_table, "journal.csv", "text/csv; charset=utf-8"),
    "fhir": (_fhir, "journal.fhir.json", "application/fhir+json"),
}
"""What makes the file, its name and its type."""
