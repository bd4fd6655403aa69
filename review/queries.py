"""Reads for reviewers: a page with its findings and decisions, the truth, and what it says of a run."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Case, Exists, OuterRef, Prefetch, Q, QuerySet, Subquery, When

from accounts.models import User
from extraction import nam
from extraction.errors import WARNINGS
from extraction.images import PAGE_DPI
from extraction.layout import Layout
from extraction.models import Document, Finding, Hint, PageState, Run, Status
from extraction.page import Box, Page
from extraction.scoring import Key, Score, score
from extraction.stance import Stance
from extraction.visits import VisitIndex
from extraction.visits.moments import write_date
from review.differences import Difference, Proposed, Visit, between
from review.exports.lines import Line
from review.models import (
    Answer,
    Decision,
    Export,
    ReviewedRun,
    ReviewTask,
    SecondDecision,
    SecondReview,
    SecondState,
    SignOff,
    Verdict,
)

_FIRST_TO_REVIEW = (Case(When(status=Status.DONE, then=0), default=1), "-created_at")
LETTER = (612.0, 792.0)
"""Points."""


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the review panel: a finding, a decision on it, or an addition without a finding."""

    finding: Finding | None
    decision: Answer | None
    dated_elsewhere: bool = False
    """Whether its visit date stands in a heading or another line, not beside the number."""

    @property
    def box(self) -> Box | None:
        if self.finding is not None:
            return self.finding.box
        return self.decision.box if self.decision is not None else None

    @property
    def place(self) -> tuple[float, float]:
        """Where it stands in reading order; at the end of its page where nobody said."""
        return _place(self.box)

    @property
    def shown(self) -> str:
        """The value in groups of four: what was decided, or what is proposed."""
        if self.decision is not None and self.decision.value is not None:
            return nam.grouped(self.decision.value)
        return nam.grouped(self.finding.value) if self.finding is not None else ""

    @property
    def value(self) -> str:
        return self.shown.replace(" ", "")

    @property
    def visit_date(self) -> str | None:
        source = self.decision if self.decision is not None and self.decision.value is not None else self.finding
        return source.visit_date if source is not None else None

    @property
    def visit_time(self) -> str | None:
        source = self.decision if self.decision is not None and self.decision.value is not None else self.finding
        return source.visit_time if source is not None else None

    @property
    def is_doubtful(self) -> bool:
        """Undecided, and not every check holds or not every finder that was asked agrees."""
        return self.decision is None and self.finding is not None and bool(self.doubts)

    @property
    def doubts(self) -> list[str]:
        """Codes of what speaks against the proposal; the template says them in words."""
        if self.finding is None:
            return []
        has_repairs = bool(self.finding.ranked_repairs)
        return doubts(self.finding.checks, self.finding.found_by, has_repairs=has_repairs)


def doubts(checks: dict[str, bool | None], found_by: list[str], *, has_repairs: bool) -> list[str]:
    """Codes of what speaks against a proposal."""
    codes = [name for name in ("format", "birth_date", "check_character") if not checks.get(name)]
    if checks.get("name") is False:
        codes.append("name")
    if found_by == ["model"]:
        codes.append("model_only")
    if has_repairs:
        codes.append("repaired")
    return codes


@dataclass(frozen=True, slots=True)
class PageSummary:
    """One page in the strip of pages."""

    number: int
    findings: int
    undecided: int
    is_signed: bool
    state: str  # a PageState, or "pending" while it has not been tried
    error_code: str

    @property
    def is_unread(self) -> bool:
        return self.state == PageState.UNREAD


def run_under_review(document: Document) -> Run:
    """The run that reviewers work on: the one they began with; before that the newest that is done, or the newest."""
    begun = ReviewedRun.objects.filter(document=document).select_related("run").first()
    if begun is not None:
        return begun.run
    return document.runs.order_by(*_FIRST_TO_REVIEW)[0]


def runs_under_review(documents: Collection[UUID]) -> dict[UUID, UUID]:
    """The same for many documents, by their ids, in two queries."""
    begun = dict(ReviewedRun.objects.filter(document__in=documents).values_list("document", "run"))
    first = Run.objects.filter(document=OuterRef("pk")).order_by(*_FIRST_TO_REVIEW).values("pk")[:1]
    others = Document.objects.filter(pk__in=set(documents) - begun.keys()).annotate(first=Subquery(first))
    return begun | dict(others.exclude(first=None).values_list("pk", "first"))


def is_reviewed(document: Document) -> bool:
    """Whether a decision or a sign-off stands."""
    return active(document).exists() or SignOff.objects.filter(document=document, reopened_at=None).exists()


def items(run: Run, page: int) -> list[Item]:
    """Everything on one page of a run, in reading order; additions stand at their place, or at the end."""
    standing = Prefetch("decisions", queryset=active(run.document).select_related("by"), to_attr="active")
    findings = list(run.findings.filter(page=page).prefetch_related(standing).order_by("position"))
    elsewhere = _dated_elsewhere(run, page, findings)
    found = [Item(each, each.active[0] if each.active else None, each.pk in elsewhere) for each in findings]
    added = [Item(None, d) for d in active(run.document).filter(page=page, finding=None).select_related("by")]
    return sorted(found + added, key=lambda item: item.place)


def _dated_elsewhere(run: Run, number: int, findings: Sequence[Finding]) -> set[UUID]:
    """The findings whose visit date the page prints in another line than the number."""
    row = run.pages.filter(number=number, words__isnull=False).first()
    if row is None or not findings:
        return set()
    stance = Stance.of(row.page)
    places = {each.pk: stance.slant.levelled(each.box.turned(stance.quarters)) for each in findings}
    births = [(places[each.pk], nam.birth_date(each.value)) for each in findings]
    index = VisitIndex.of(Layout.of(stance.righted(row.page)), births)
    sources = {pk: index.source(place) for pk, place in places.items()}
    return {
        each.pk
        for each in findings
        if each.visit_date == write_date(sources[each.pk].day)
        and (said := sources[each.pk].day_box) is not None
        and not said.y0 < places[each.pk].middle[1] < said.y1
    }


def active(document: Document) -> QuerySet[Decision]:
    """The decisions on a document that stand, in the order in which they were made."""
    return Decision.objects.filter(document=document, undone_at=None).order_by("made_at")


def hints(run: Run, page: int, shown: Iterable[Item]) -> list[Hint]:
    """The places worth a look on a page, in reading order, without numbers that are `shown` there already."""
    known = {item.value for item in shown}
    found = (hint for hint in run.hints.filter(page=page) if hint.value not in known)
    return sorted(found, key=lambda hint: _place(hint.box))


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a document's review is: proposals `decided` of `total`, and `doubtful` ones that are not.

    What is left on other pages than the one that is shown stands apart, so that the page can count on by itself.
    """

    total: int
    left_here: int
    left_elsewhere: int
    doubtful_here: int
    doubtful_elsewhere: int

    @property
    def decided(self) -> int:
        return self.total - self.left_here - self.left_elsewhere

    @property
    def doubtful(self) -> int:
        return self.doubtful_here + self.doubtful_elsewhere


def review_progress(task: ReviewTask, shown: Iterable[Item]) -> Progress:
    """That of a document whose page with these items is shown."""
    undecided = [item for item in shown if item.finding is not None and item.decision is None]
    here, doubtful = len(undecided), sum(item.is_doubtful for item in undecided)
    return Progress(task.findings, here, max(0, task.undecided - here), doubtful, max(0, task.doubtful - doubtful))


def page_summaries(run: Run) -> list[PageSummary]:
    """Every page of the document, in four queries."""
    count = run.document.page_count
    decided = Decision.objects.filter(finding=OuterRef("pk"), undone_at=None)
    findings, undecided = [0] * (count + 1), [0] * (count + 1)
    for page, is_decided in run.findings.annotate(is_decided=Exists(decided)).values_list("page", "is_decided"):
        findings[page] += 1
        undecided[page] += not is_decided
    signed = signed_pages(run.document_id)
    states = {number: (state, code) for number, state, code in run.pages.values_list("number", "state", "error_code")}
    return [
        PageSummary(number, findings[number], undecided[number], number in signed, *states.get(number, ("pending", "")))
        for number in range(1, count + 1)
    ]


def signed_pages(document_id: UUID) -> set[int]:
    """The pages whose sign-off stands."""
    return set(SignOff.objects.filter(document=document_id, reopened_at=None).values_list("page", flat=True))


def page_as_read(run: Run, number: int) -> Page | None:
    """What a run read on a page; None while it has not, could not, or when it was destroyed since."""
    row = run.pages.filter(number=number, words__isnull=False).exclude(state=PageState.UNREAD).first()
    return row.page if row is not None else None


def sheet_size(page: Page | None) -> tuple[int, int]:
    """Width and height of a page's image in pixels, so that its place is kept while it loads; letter if unknown."""
    width, height = (page.width, page.height) if page is not None else LETTER
    return round(width * PAGE_DPI / 72), round(height * PAGE_DPI / 72)


def page_warnings(page: Page | None) -> list[str]:
    """What a reviewer is told of a page as read, in sentences."""
    return [str(WARNINGS[code]) for code in page.warnings] if page is not None else []


def warned_pages(run: Run) -> list[tuple[int, str]]:
    """Every page of a run that a reviewer is warned of, with each code of `extraction.errors.WARNINGS`."""
    read = run.pages.filter(words__isnull=False).exclude(state=PageState.UNREAD).order_by("number")
    return [(row.number, code) for row in read for code in row.page.warnings]


def next_page(pages: list[PageSummary], after: int, closed: frozenset[int] = frozenset()) -> int | None:
    """The next page that is not signed off or `closed` to the person, going round once; None when all are."""
    left = [page.number for page in pages if not page.is_signed and page.number not in closed]
    ahead = [number for number in left if number > after]
    behind = [number for number in left if number < after]
    return next(iter(ahead + behind), None)


def truth(document: Document) -> list[Key]:
    """The NAMs of the signed-off pages, each as (page, value)."""
    signed = SignOff.objects.filter(document=document, reopened_at=None).values("page")
    decisions = active(document).filter(page__in=signed).exclude(verdict=Verdict.REJECT)
    return [(decision.page, str(decision.value)) for decision in decisions]


def measure(run: Run, hidden: frozenset[int] = frozenset()) -> Score | None:
    """The run against the truth, over the signed-off pages that are not `hidden`; None while there is none."""
    signed = signed_pages(run.document_id) - hidden
    if not signed:
        return None
    proposed = [(finding.page, str(finding.value)) for finding in run.findings.filter(page__in=signed)]
    return score(proposed, [each for each in truth(run.document) if each[0] in signed])


def differences(first: Run, second: Run, hidden: frozenset[int] = frozenset()) -> list[Difference]:
    """In what two runs of a document differ, page by page, with what its signed pages say of it.

    Of `hidden` pages it is not said who is right: their decisions are not for whoever asks.
    """
    true: dict[int, list[Visit]] = {page: [] for page in signed_pages(first.document_id) - hidden}
    for decision in active(first.document).filter(page__in=true).exclude(verdict=Verdict.REJECT):
        true[decision.page].append(Visit(str(decision.value), decision.visit_date, decision.visit_time))
    return between(_proposed(first), _proposed(second), true)


def _proposed(run: Run) -> dict[int, list[Proposed]]:
    """What a run proposes, by page."""
    found: dict[int, list[Proposed]] = {}
    for each in run.findings.order_by("page", "position"):
        proposal = Proposed(str(each.value), each.visit_date, each.visit_time, each.box, each.confidence)
        found.setdefault(each.page, []).append(proposal)
    return found


def lines(
    document: Document, hidden: frozenset[int] = frozenset(), restricted: frozenset[bytes] = frozenset()
) -> list[Line]:
    """Every number of a document for an export: what was decided, and what is proposed and nobody decided on.

    Those whose keyed index is `restricted` are masked, without their visit.

    Of `hidden` pages only the proposals, as if nobody had decided: their decisions are not for whoever asks.
    """
    signed = signed_pages(document.pk)
    disputed = set(
        SecondReview.objects.filter(document=document, state=SecondState.DISPUTED).values_list("page", flat=True)
    )
    decided = [
        (d.page, _place(d.box), Line(d.page, *_visit(d, restricted), d.verdict, d.page in signed,
                                     is_disputed=d.page in disputed,
                                     is_restricted=bytes(d.value_index or b"") in restricted))
        for d in active(document).exclude(verdict=Verdict.REJECT).exclude(page__in=hidden)
    ]  # fmt: skip
    standing = Decision.objects.filter(finding=OuterRef("pk"), undone_at=None)
    undecided = [
        (f.page, _place(f.box), Line(f.page, *_visit(f, restricted), "", f.page in signed, is_hidden=f.page in hidden,
                                     is_restricted=bytes(f.value_index) in restricted))
        for f in run_under_review(document).findings.filter(~Exists(standing) | Q(page__in=hidden))
    ]  # fmt: skip
    return [line for _page, _at, line in sorted((*decided, *undecided), key=lambda each: each[:2])]


def _visit(stored: Finding | Decision, restricted: frozenset[bytes]) -> tuple[str, str | None, str | None]:
    """Number, day and time as they may be shown."""
    if bytes(stored.value_index or b"") in restricted:
        return "", None, None
    return str(stored.value), stored.visit_date, stored.visit_time


def pages_of_decided(document_id: UUID, indexes: Iterable[bytes]) -> set[int]:
    """The pages of a document on which somebody decided on or added a number with one of these keyed indexes."""
    wanted = list(indexes)
    first = Decision.objects.filter(document=document_id, value_index__in=wanted).values_list("page", flat=True)
    second = SecondDecision.objects.filter(review__document=document_id, value_index__in=wanted)
    return {*first, *second.values_list("review__page", flat=True)}


def _place(box: Box | None) -> tuple[float, float]:
    """Where something stands in reading order; at the end of its page where nobody said."""
    return (box.y0, box.x0) if box else (2.0, 0.0)


def exports(user: User) -> QuerySet[Export]:
    """The exports of the person's clinic. `is_outdated` where a decision that stood when the file was made was taken
    back since: a reviewer's correction replaces a decision, and a rectification is one."""
    since = Decision.objects.filter(
        document=OuterRef("document"), made_at__lte=OuterRef("made_at"), undone_at__gt=OuterRef("made_at")
    )
    own = Export.objects.filter(document__clinic_id=user.clinic_id).select_related("document", "by")
    return own.annotate(is_outdated=Exists(since))


def decisions(user: User) -> QuerySet[Decision]:
    """The decisions of the person's clinic."""
    return Decision.objects.filter(document__clinic_id=user.clinic_id).select_related("document", "by")


def findings(user: User) -> QuerySet[Finding]:
    """The findings of the person's clinic."""
    return Finding.objects.filter(run__document__clinic_id=user.clinic_id).select_related("run__document")


@dataclass(frozen=True, slots=True)
class Standing:
    """What was decided, as it concerns one run: by its finding, and what stands there and it does not propose."""

    of: dict[Any, Decision]
    others: list[Decision]


def standing(run: Run, hidden: frozenset[int] = frozenset()) -> Standing:
    """The standing decisions of the run's document, without those of `hidden` pages.

    Those on findings of the run that is under review concern another run's finding of the same page and value too: a
    number that was decided once is never undecided again.
    """
    decisions = list(active(run.document).exclude(page__in=hidden).select_related("by", "finding"))
    of: dict[Any, Decision] = {
        d.finding_id: d for d in decisions if d.finding is not None and d.finding.run_id == run.pk
    }
    left = [d for d in decisions if d.finding_id not in of]
    if left and run != run_under_review(run.document):
        for finding in run.findings.exclude(pk__in=list(of)).order_by("page", "position"):
            same = next((d for d in left if d.page == finding.page and _speaks_of(d, finding)), None)
            if same is not None:
                of[finding.pk] = same
                left.remove(same)
    return Standing(of, [d for d in left if d.verdict != Verdict.REJECT])


def _speaks_of(decision: Decision, finding: Finding) -> bool:
    """Whether the decision gave the finding's value, or was made on a proposal of that value."""
    indexes = {
        bytes(index) for index in (decision.value_index, decision.finding and decision.finding.value_index) if index
    }
    return bytes(finding.value_index) in indexes
