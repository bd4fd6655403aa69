"""Reads. What a person sees is reached through their clinic, so that another clinic's rows do not exist for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery

from accounts.models import User
from audit.models import Event
from audit.verbs import Verb
from extraction import following
from extraction.marks import Mark
from extraction.models import Document, PageState, Run, RunPage, Status


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is. `unread` lists the pages that could not be read; `found` counts proposals, `valid` those whose
    checks all hold."""

    status: str
    page_count: int
    pages_read: int
    pages_found: int
    unread: tuple[int, ...]
    model_errors: int
    found: int
    valid: int
    error_code: str

    @property
    def percent(self) -> int:
        """0..100; reading and finding count half each."""
        if self.status in (Status.DONE, Status.FAILED):
            return 100
        done = self.pages_read + self.pages_found + 2 * len(self.unread)
        return int(100 * done / (2 * self.page_count)) if self.page_count else 0

    @property
    def is_complete(self) -> bool:
        """Done, and no page left unread."""
        return self.status == Status.DONE and not self.unread


def documents(user: User) -> QuerySet[Document]:
    """The documents of the person's clinic that are not destroyed, newest first, each with its newest run as
    `.runs.all()[0]`."""
    newest = Run.objects.filter(document=OuterRef("pk")).order_by("-created_at").values("pk")[:1]
    return (
        Document.objects.filter(clinic_id=user.clinic_id, destroyed_at=None)
        .select_related("uploaded_by")
        .annotate(newest_run_id=Subquery(newest))
        .order_by("-created_at", "-pk")
    )


@dataclass(frozen=True, slots=True)
class Screen:
    """One screen of the list. The screen of what is newer ends before `newer`, that of what is older begins behind
    `older`; None where there is no such screen."""

    documents: list[Document]
    newer: Mark | None
    older: Mark | None


def screen(user: User, size: int, *, before: Mark | None = None, after: Mark | None = None) -> Screen:
    """So many of `documents`: those that are older than `before`, the nearest that are newer than `after`, or the
    newest. In one query, whose cost does not grow with what is passed over."""
    if after is not None:
        nearest = beyond(documents(user), after, "gt").order_by("created_at", "pk")
        found = list(nearest[: size + 1])
        if len(found) > size:
            shown = found[size - 1 :: -1]
            return Screen(shown, _mark(shown[0]), _mark(shown[-1]))
        # The head, and not a screen with a few on it.
    all_of_them = documents(user) if before is None or after is not None else beyond(documents(user), before, "lt")
    found = list(all_of_them[: size + 1])
    shown = found[:size]
    is_head = before is None or after is not None
    newer = None if is_head else _mark(shown[0]) if shown else before
    return Screen(shown, newer, _mark(shown[-1]) if len(found) > size else None)


def beyond(found: QuerySet[Document], mark: Mark, side: str) -> QuerySet[Document]:
    """The documents on one side of a mark, "lt" for older ones. The first condition alone is what the index is entered
    by."""
    strictly = Q(**{f"created_at__{side}": mark.moment})
    beside = Q(created_at=mark.moment, **{f"pk__{side}": mark.document_id})
    return found.filter(**{f"created_at__{side}e": mark.moment}).filter(strictly | beside)


def _mark(document: Document) -> Mark:
    return Mark(document.created_at, document.pk)


def last_form_kind(user: User) -> str:
    """What the person said of the last document that they uploaded; empty where they said nothing."""
    mine = Document.objects.filter(uploaded_by=user).order_by("-created_at")
    return mine.values_list("form_kind", flat=True).first() or ""


def runs(user: User) -> QuerySet[Run]:
    """The runs of the person's clinic, newest first."""
    own = Run.objects.filter(document__clinic_id=user.clinic_id, document__destroyed_at=None)
    return own.select_related("document").order_by("-created_at")


def newest_run(document: Document) -> Run:
    return document.runs.order_by("-created_at")[0]


def with_runs(page_of_documents: list[Document]) -> list[tuple[Document, Run, Progress]]:
    """Each document with the run that people work on, or its newest one, and that run's progress, in a constant number
    of queries."""
    shown = {document.pk: document.newest_run_id for document in page_of_documents}  # type: ignore[attr-defined]
    for ask in following.people_work_on:
        shown |= ask(list(shown))
    found = {run.document_id: run for run in Run.objects.filter(pk__in=shown.values())}
    progress_of = progress_of_runs([(found[d.pk], d.page_count) for d in page_of_documents])
    return [(d, found[d.pk], progress_of[found[d.pk].pk]) for d in page_of_documents]


def progress(run: Run) -> Progress:
    return progress_of_runs([(run, run.document.page_count)])[run.pk]


def progress_of_runs(pairs: list[tuple[Run, int]]) -> dict[UUID, Progress]:
    """The progress of many runs (each with its document's page count) in three queries."""
    ids = [run.pk for run, _ in pairs]
    pages = Run.objects.filter(pk__in=ids).annotate(
        pages_read=Count("pages", filter=~Q(pages__state=PageState.UNREAD)),
        pages_found=Count("pages", filter=Q(pages__state=PageState.FOUND)),
        model_errors=Count("pages", filter=~Q(pages__model_error_code="")),
    )
    counts = {row["pk"]: row for row in pages.values("pk", "pages_read", "pages_found", "model_errors")}
    findings = Run.objects.filter(pk__in=ids).annotate(
        found=Count("findings"), valid=Count("findings", filter=Q(findings__valid=True))
    )
    proposals = {row["pk"]: row for row in findings.values("pk", "found", "valid")}
    unread: dict[UUID, list[int]] = {run_id: [] for run_id in ids}
    states = RunPage.objects.filter(run_id__in=ids, state=PageState.UNREAD).order_by("number")
    for run_id, number in states.values_list("run_id", "number"):
        unread[run_id].append(number)
    return {
        run.pk: Progress(
            status=run.status,
            page_count=page_count,
            pages_read=counts[run.pk]["pages_read"],
            pages_found=counts[run.pk]["pages_found"],
            unread=tuple(unread[run.pk]),
            model_errors=counts[run.pk]["model_errors"],
            found=proposals[run.pk]["found"],
            valid=proposals[run.pk]["valid"],
            error_code=run.error_code,
        )
        for run, page_count in pairs
    }


LOOKED_WITHIN = timedelta(hours=12)


def has_looked(user: User, document: Document, page: int, moment: datetime) -> bool:
    """Whether the journal holds that the person was shown this page today."""
    return Event.objects.filter(
        clinic_id=user.clinic_id,
        document_id=document.pk,
        actor_id=user.pk,
        page=page,
        verb__in=(Verb.DOCUMENT_VIEWED, Verb.PAGE_VIEWED, Verb.PAGE_SENT_AHEAD),
        at__gt=moment - LOOKED_WITHIN,
    ).exists()
