"""Reports that are made of the journal: what was communicated, what was accessed, who saw a file, what is unusual.

| report | asked for by |
|---|---|
| register of communications | R-22.1 s. 265: nature, recipient, purposes and justification |
| accesses of a year | R-22.1 s. 103: counted by context, so that care can be left out |
| who consulted this file | R-22.1 ss. 18 and 265, for one patient |
| anomalies of a month | the analysis of accesses that the regulation on governance asks for |

Each is a table of texts: a page, a print and a CSV show the same cells.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from heapq import merge
from itertools import islice
from statistics import median
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import ExtractHour, ExtractIsoWeekDay, TruncDate
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Role
from audit.models import Event
from audit.verbs import Context, Outcome, Purpose, Verb
from extraction.models import Finding
from review.models import Decision, Export
from vault.index import blind_index

DISCLOSING = (
    Verb.DOCUMENT_VIEWED, Verb.PAGE_VIEWED, Verb.PAGE_SENT_AHEAD, Verb.LIST_VIEWED, Verb.API_READ, Verb.EXPORTED,
    Verb.EXPORT_DOWNLOADED,
)  # fmt: skip
"""What shows health information to somebody."""
COMMUNICATING = (Verb.EXPORT_DOWNLOADED, Verb.API_READ, Verb.OCR_CALLED)
"""What leaves: a file of numbers, results to a program, pages to the reading service."""
OPENS, CLOSES = 7, 19
"""Hours, local time, outside which an access is off-hours; so are Saturdays and Sundays."""
FRIDAY = 5
"""The last working day, as ISO 8601 numbers them."""
MANY = 3
"""Times the median of the others: from this on a person's pages are many."""
MOST_ROWS = 5_000
SCREEN = 200
"""Lines of the register of communications on one screen."""


@dataclass(frozen=True, slots=True)
class Report:
    """A table. `note` says what it cannot tell; `is_cut` that MOST_ROWS were more; `more` behind which event the next
    lines of one that is shown screen by screen begin."""

    title: str
    note: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    is_cut: bool = False
    more: int | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """From the first moment of a day to the first one after another, local time."""

    since: datetime
    until: datetime

    @classmethod
    def of(cls, first: date, last: date) -> Span:
        zone = timezone.get_current_timezone()
        begin = datetime.combine(first, datetime.min.time(), zone)
        return cls(begin, datetime.combine(last + timedelta(days=1), datetime.min.time(), zone))


def communications(clinic_id: UUID, span: Span, *, after: int = 0, most: int | None = None) -> Report:
    """Every communication of a period, oldest first: all, or so many at most, behind the event of that number."""
    events = _communicated(clinic_id, span, after, None if most is None else most + 1)
    return Report(
        _("Register of communications"),
        _("R-22.1, s. 265. Communications to the person concerned or to relatives do not go through this system."),
        (_("Time"), _("Nature"), _("Recipient"), _("Purpose"), _("Justification"), _("By"), _("Count"), _("Document")),
        [_communication(event) for event in events[:most]],
        more=events[most - 1].seq if most is not None and len(events) > most else None,
    )


def _communicated(clinic_id: UUID, span: Span, after: int, most: int | None) -> list[Event]:
    found = _events(clinic_id, span).filter(outcome=Outcome.SUCCESS)
    if last := Event.objects.filter(clinic_id=clinic_id, seq=after).first():
        found = found.filter(at__gte=last.at).exclude(at=last.at, seq__lte=after)
    # A verb at a time: its events are a stretch of `event_reported`, in this order.
    by_verb = (found.filter(verb=verb).order_by("at", "seq")[:most] for verb in COMMUNICATING)
    return list(islice(merge(*by_verb, key=lambda event: (event.at, event.seq)), most))


def _communication(event: Event) -> tuple[str, ...]:
    details = event.details
    recipient = (
        details.get("recipient") or details.get("service") or _("program of {name}").format(name=event.actor_name)
    )
    return (
        _clock(event.at), str(NATURES[Verb(event.verb)]), str(recipient), str(Purpose(event.purpose).label),
        _justification(event), event.actor_name or _("the system"), _number(event.count), _id(event.document_id),
    )  # fmt: skip


def _justification(event: Event) -> str:
    """Of a file, what its exporter chose. What no person asks for each time has the justification of its kind."""
    if event.verb == Verb.API_READ:
        return _("program of the clinic, under the rights of the person")
    if event.verb == Verb.OCR_CALLED:
        return _("service provider under a written contract (s. 77)")
    chosen = event.details.get("justification")
    if not chosen:
        return _("not stated (before it was asked for)")
    return str(Export.Justification(chosen).label)


NATURES: dict[Verb, str | Promise] = {
    Verb.EXPORT_DOWNLOADED: gettext_lazy("health insurance numbers with visit date and time"),
    Verb.API_READ: gettext_lazy("health insurance numbers of one document"),
    Verb.OCR_CALLED: gettext_lazy("images of pages, to be read"),
}


def accesses(clinic_id: UUID, span: Span) -> Report:
    """Accesses, uses and communications of a period, counted by context, role and kind."""
    found = (
        _events(clinic_id, span)
        .filter(verb__in=DISCLOSING, outcome=Outcome.SUCCESS)
        .values("context", "role", "verb")
        .annotate(
            events=Count("pk"),
            people=Count("actor_id", distinct=True),
            documents=Count("document_id", distinct=True),
        )
        .order_by("context", "role", "verb")
    )  # fmt: skip
    rows = [
        (
            str(Context(row["context"] or Context.ADMINISTRATION).label), _role(row["role"]),
            str(Verb(row["verb"]).label), str(row["events"]), str(row["people"]), str(row["documents"]),
        )
        for row in found
    ]  # fmt: skip
    return Report(
        _("Accesses by context"),
        _(
            "R-22.1, s. 103 (whether it is in force has to be checked). Nothing in this system is an access in the "
            "context of care; the Minister's form decides what is sent."
        ),
        (_("Context"), _("Role"), _("Event"), _("Events"), _("People"), _("Documents")),
        rows,
    )


def consultations(clinic_id: UUID, nam: str, span: Span) -> Report:
    """Who was shown what of one patient: events about the number, and of every page that it was found or decided on."""
    places = _places(clinic_id, nam)
    subject = blind_index(nam, clinic_id=clinic_id, purpose="subject")
    about = Q(subject=subject) | Q(document_id__in=list(places), verb__in=(*DISCLOSING, *COMMUNICATING))
    events = _events(clinic_id, span).filter(about).order_by("seq")
    seen = (event for event in events.iterator() if event.subject is not None or _is_on(event, places))
    rows = [
        (_clock(event.at), event.actor_name or _("the system"), _role(event.role), str(Verb(event.verb).label),
         _id(event.document_id), _number(event.page), str(Purpose(event.purpose).label))
        for _turn, event in zip(range(MOST_ROWS + 1), seen, strict=False)
    ]  # fmt: skip
    return Report(
        _("Who consulted this file"),
        _(
            "Every access to a page on which this number was proposed or decided, to a whole document that holds such "
            "a page, and every decision on it. A list of documents shows no number and is not counted."
        ),
        (_("Time"), _("Person"), _("Role"), _("Event"), _("Document"), _("Page"), _("Purpose")),
        rows[:MOST_ROWS],
        is_cut=len(rows) > MOST_ROWS,
    )


def _places(clinic_id: UUID, nam: str) -> dict[UUID, set[int]]:
    """The pages of each document on which the number stands, as the machine or a person says."""
    index = blind_index(nam, clinic_id=clinic_id, purpose="nam")
    found: defaultdict[UUID, set[int]] = defaultdict(set)
    proposed = Finding.objects.filter(value_index=index, run__document__clinic_id=clinic_id)
    decided = Decision.objects.filter(value_index=index, document__clinic_id=clinic_id)
    for document_id, page in proposed.values_list("run__document_id", "page"):
        found[document_id].add(page)
    for document_id, page in decided.values_list("document_id", "page"):
        found[document_id].add(page)
    return found


def _is_on(event: Event, places: dict[UUID, set[int]]) -> bool:
    return event.document_id is not None and (event.page is None or event.page in places[event.document_id])


def anomalies(clinic_id: UUID, span: Span) -> Report:
    """What deserves a question, by person: refusals, failed sign-ins, off-hours, unusually many pages, and uploads of
    pages with text that nobody sees or that speaks to a program."""
    rows = [*_refused(clinic_id, span), *_off_hours(clinic_id, span), *_volume(clinic_id, span),
            *_suspect_text(clinic_id, span)]  # fmt: skip
    return Report(
        _("Unusual accesses"),
        _(
            "Off-hours are before {opens}:00, from {closes}:00 on, and weekends. Many pages are {many} times the "
            "median of the others. Whether a person and a patient share a surname cannot be told: no event holds a "
            "patient's name."
        ).format(opens=OPENS, closes=CLOSES, many=MANY),
        (_("Kind"), _("Person"), _("Count"), _("Detail")),
        rows,
    )


def _refused(clinic_id: UUID, span: Span) -> Iterator[tuple[str, ...]]:
    kinds: dict[str, str] = {
        Verb.DENIED: _("refused"), Verb.CROSS_TENANT_DENIED: _("tried another clinic's"),
        Verb.LOGIN_FAILED: _("failed sign-ins"),
    }  # fmt: skip
    rows = _events(clinic_id, span).filter(verb__in=list(kinds)).values("verb", "actor_name")
    for row in rows.annotate(events=Count("pk")).order_by("verb", "-events"):
        yield kinds[row["verb"]], row["actor_name"] or _("unknown"), str(row["events"]), ""


def _off_hours(clinic_id: UUID, span: Span) -> Iterator[tuple[str, ...]]:
    """Counted by the database: a month of a large clinic has a hundred thousand accesses."""
    moments = {"hour": ExtractHour("at"), "weekday": ExtractIsoWeekDay("at"), "day": TruncDate("at")}
    seen = _events(clinic_id, span).filter(verb__in=DISCLOSING, actor_id__isnull=False).annotate(**moments)
    off = seen.filter(Q(weekday__gt=FRIDAY) | Q(hour__lt=OPENS) | Q(hour__gte=CLOSES)).values("actor_name")
    found = off.annotate(events=Count("pk"), days=Count("day", distinct=True)).order_by("-events", "actor_name")
    for row in found:
        yield _("off-hours"), row["actor_name"], str(row["events"]), _("on {count} days").format(count=row["days"])


def _volume(clinic_id: UUID, span: Span) -> Iterator[tuple[str, ...]]:
    pages = (
        _events(clinic_id, span)
        .filter(verb=Verb.PAGE_VIEWED, actor_id__isnull=False)
        .values("actor_id", "actor_name")
        .annotate(events=Count("pk"))
        .order_by("-events")
    )
    rows = list(pages)
    for row in rows:
        others = [each["events"] for each in rows if each["actor_id"] != row["actor_id"]]
        if others and row["events"] >= MANY * median(others):
            yield (
                _("many pages"),
                row["actor_name"],
                str(row["events"]),
                _("median of the others: {count}").format(count=round(median(others))),
            )


def _suspect_text(clinic_id: UUID, span: Span) -> Iterator[tuple[str, ...]]:
    """By who uploaded the documents, whenever that was. Who wrote into them is somebody else, more often than not."""
    pages: Counter[UUID] = Counter()
    for event in _events(clinic_id, span).filter(verb=Verb.SUSPECT_TEXT_FOUND):
        if event.document_id is not None:
            pages[event.document_id] += 1
    uploads = Event.objects.filter(clinic_id=clinic_id, verb=Verb.DOCUMENT_UPLOADED, document_id__in=list(pages))
    uploaded_by = dict(uploads.values_list("document_id", "actor_name"))
    documents: defaultdict[str, list[UUID]] = defaultdict(list)
    for document_id in pages:
        documents[uploaded_by.get(document_id) or _("unknown")].append(document_id)
    for name, theirs in sorted(documents.items()):
        count = sum(pages[document_id] for document_id in theirs)
        yield _("suspect text"), name, str(count), _("pages, in {count} documents").format(count=len(theirs))


def _events(clinic_id: UUID, span: Span) -> QuerySet[Event]:
    return Event.objects.filter(clinic_id=clinic_id, at__gte=span.since, at__lt=span.until)


def _clock(at: datetime) -> str:
    return timezone.localtime(at).strftime("%Y-%m-%d %H:%M:%S")


def _role(role: str) -> str:
    return str(Role(role).label) if role else _("the system")


def _number(value: int | None) -> str:
    return "" if value is None else str(value)


def _id(value: UUID | None) -> str:
    return "" if value is None else str(value)


Maker = Callable[[UUID, Span], Report]
BY_PERIOD: dict[str, Maker] = {"communications": communications, "accesses": accesses, "anomalies": anomalies}
