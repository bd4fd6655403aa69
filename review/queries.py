"""Reads for reviewers: a page with its findings and decisions, the truth, and what it says of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Prefetch, QuerySet

from accounts.models import User
from extraction import nam
from extraction.images import PAGE_DPI
from extraction.layout import Layout
from extraction.models import Document, Finding, PageState, Run
from extraction.page import Box
from extraction.queries import newest_run
from extraction.scoring import Key, Score, score
from extraction.stance import Stance
from extraction.visits import VisitIndex
from extraction.visits.moments import write_date
from review.exports.lines import Line
from review.models import Decision, Export, SignOff, Verdict

LETTER = (612.0, 792.0)
"""Points."""


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the review panel: a finding, a decision on it, or an addition without a finding."""

    finding: Finding | None
    decision: Decision | None
    dated_elsewhere: bool = False
    """Whether its visit date stands in a heading or another line, not beside the number."""

    @property
    def box(self) -> Box | None:
        if self.finding is not None:
            return self.finding.box
        return self.decision.box if self.decision is not None else None

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
        checks = self.finding.checks
        codes = [name for name in ("format", "birth_date", "check_character") if not checks.get(name)]
        if checks.get("name") is False:
            codes.append("name")
        if self.finding.found_by == ["model"]:
            codes.append("model_only")
        if self.finding.ranked_repairs:
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


def items(run: Run, page: int) -> list[Item]:
    """Everything on one page of a run, in reading order; additions stand at their place, or at the end."""
    standing = Prefetch("decisions", queryset=active(run.document).select_related("by"), to_attr="active")
    findings = list(run.findings.filter(page=page).prefetch_related(standing).order_by("position"))
    elsewhere = _dated_elsewhere(run, page, findings)
    found = [Item(each, each.active[0] if each.active else None, each.pk in elsewhere) for each in findings]
    added = [Item(None, d) for d in active(run.document).filter(page=page, finding=None).select_related("by")]
    return sorted(found + added, key=lambda item: _place(item.box))


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


def page_summaries(run: Run) -> list[PageSummary]:
    """Every page of the document, in four queries."""
    count = run.document.page_count
    decided = Decision.objects.filter(finding=OuterRef("pk"), undone_at=None)
    findings, undecided = [0] * (count + 1), [0] * (count + 1)
    for page, is_decided in run.findings.annotate(is_decided=Exists(decided)).values_list("page", "is_decided"):
        findings[page] += 1
        undecided[page] += not is_decided
    signed = set(SignOff.objects.filter(document=run.document, reopened_at=None).values_list("page", flat=True))
    states = {number: (state, code) for number, state, code in run.pages.values_list("number", "state", "error_code")}
    return [
        PageSummary(number, findings[number], undecided[number], number in signed, *states.get(number, ("pending", "")))
        for number in range(1, count + 1)
    ]


def sheet_size(run: Run, number: int) -> tuple[int, int]:
    """Width and height of the page's image in pixels, so that its place is kept while it loads; letter if unknown."""
    row = run.pages.filter(number=number).exclude(state=PageState.UNREAD).first()
    width, height = (row.page.width, row.page.height) if row is not None else LETTER
    return round(width * PAGE_DPI / 72), round(height * PAGE_DPI / 72)


def next_page(pages: list[PageSummary], after: int) -> int | None:
    """The next page that is not signed off, going round once; None when all are."""
    ahead = [p.number for p in pages if not p.is_signed and p.number > after]
    behind = [p.number for p in pages if not p.is_signed and p.number < after]
    return next(iter(ahead + behind), None)


def truth(document: Document) -> list[Key]:
    """The NAMs of the signed-off pages, each as (page, value)."""
    signed = SignOff.objects.filter(document=document, reopened_at=None).values("page")
    decisions = active(document).filter(page__in=signed).exclude(verdict=Verdict.REJECT)
    return [(decision.page, str(decision.value)) for decision in decisions]


def measure(run: Run) -> Score | None:
    """The run against the truth, over the signed-off pages only; None while no page is signed off."""
    signed = set(SignOff.objects.filter(document=run.document, reopened_at=None).values_list("page", flat=True))
    if not signed:
        return None
    proposed = [(finding.page, str(finding.value)) for finding in run.findings.filter(page__in=signed)]
    return score(proposed, truth(run.document))


def lines(document: Document) -> list[Line]:
    """Every number of a document for an export: what was decided, and what is proposed and nobody decided on."""
    signed = set(SignOff.objects.filter(document=document, reopened_at=None).values_list("page", flat=True))
    decided = [
        (d.page, _place(d.box), Line(d.page, str(d.value), d.visit_date, d.visit_time, d.verdict, d.page in signed))
        for d in active(document).exclude(verdict=Verdict.REJECT)
    ]
    standing = Decision.objects.filter(finding=OuterRef("pk"), undone_at=None)
    undecided = [
        (f.page, _place(f.box), Line(f.page, str(f.value), f.visit_date, f.visit_time, "", f.page in signed))
        for f in newest_run(document).findings.filter(~Exists(standing))
    ]
    return [line for _page, _at, line in sorted((*decided, *undecided), key=lambda each: each[:2])]


def _place(box: Box | None) -> tuple[float, float]:
    """Where something stands in reading order; at the end of its page where nobody said."""
    return (box.y0, box.x0) if box else (2.0, 0.0)


def exports(user: User) -> QuerySet[Export]:
    """The exports of the person's clinic."""
    return Export.objects.filter(document__clinic_id=user.clinic_id).select_related("document", "by")


def decisions(user: User) -> QuerySet[Decision]:
    """The decisions of the person's clinic."""
    return Decision.objects.filter(document__clinic_id=user.clinic_id).select_related("document", "by")


def findings(user: User) -> QuerySet[Finding]:
    """The findings of the person's clinic."""
    return Finding.objects.filter(run__document__clinic_id=user.clinic_id).select_related("run__document")


def decisions_of(run: Run) -> dict[Any, Decision]:
    """The standing decisions on a run's findings, by finding id."""
    standing = active(run.document).filter(finding__run=run).select_related("by")
    return {decision.finding_id: decision for decision in standing}


def additions(document: Document) -> QuerySet[Decision]:
    """What reviewers added and still stands."""
    return active(document).filter(finding=None).select_related("by")
