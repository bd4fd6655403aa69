"""The figures are added up from what is kept with each score; here they are counted anew from runs and documents."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from extraction import claims, following, kinds
from extraction.kinds import Kind
from extraction.models import Document, Finder, Run, Status
from extraction.pipeline import PageRead
from review import actions, quality, score_days, scores
from review.actions import Value
from review.models import PageScore, ReviewTask, ScoreGroup, SecondReview
from tests.factories import DocumentFactory, FindingFactory, RunFactory, RunPageFactory, UserFactory, page_of, some_nam

pytestmark = pytest.mark.django_db

MIGRATION = import_module("review.migrations.0011_score_groups")
SUMS = ("tp", "fp", "fn", "day_right", "clock_right", "decided", "agreed", "timed")


def since() -> date:
    return timezone.localdate() - timedelta(days=30)


def a_run(document: Document, right: int, wrong: int = 0, **fields: object) -> Run:
    """Proposes so many numbers that stand there, and so many that do not."""
    run = RunFactory(document=document, **fields)
    RunPageFactory(run=run, number=1, reader=fields.get("reader", "local"))
    for position in range(right + wrong):
        FindingFactory(run=run, position=position, value=some_nam(position + 1))
    following.tell(document.pk)
    return run


def sign(run: Run, right: int, by) -> None:
    for finding in run.findings.order_by("position"):
        is_right = finding.position < right
        value = Value.of(finding) if is_right else None
        actions.decide(finding=finding, value=value, reason="" if is_right else "specimen", by=by)
    actions.sign_off(run=run, page=1, by=by)


@pytest.fixture
def clinics_work(staff, reviewer) -> list[Run]:
    """Three signed documents of different kinds and configurations; the first was tried again by another one."""
    model = {"finder": Finder.HYBRID, "model_name": "m", "prompt_version": "p1"}
    settings = (
        (Document(kind="fax", form_kind="list"), {"rules_version": "r1", **model}, 2, 1),
        (Document(kind="scan", form_kind=""), {"rules_version": "r1", "without_model": True, **model}, 1, 0),
        (Document(kind="", form_kind="agenda"), {"rules_version": "r2", "reader": "textract"}, 3, 2),
    )
    runs = []
    for like, fields, right, wrong in settings:
        document = DocumentFactory(uploaded_by=staff, kind=like.kind, form_kind=like.form_kind)
        runs.append(a_run(document, right, wrong, **fields))
        sign(runs[-1], right, reviewer)
    a_run(runs[0].document, 1, rules_version="r3")
    scores.catch_up(reviewer)
    return runs


def counted_anew(rows) -> tuple[Counter, Counter]:
    """What the page says by day, and by everything that scores are split by, from each score's own run and document."""
    by_day, by_group = Counter(), Counter()
    for row in rows.select_related("run__document"):
        run, document = row.run, row.run.document
        model, prompt = (run.model_name, run.prompt_version) if run.uses_model else ("", "")
        names = (row.reader, run.rules_version, model, prompt, document.kind, document.form_kind, row.is_reviewed)
        counts = {"pages": 1} | {name: getattr(row, name) for name in SUMS}
        by_group.update({(*names, name): count for name, count in counts.items()})
        if row.is_reviewed:
            by_day.update({(row.signed_on, name): count for name, count in counts.items()})
    return by_day, by_group


def shown(user) -> tuple[Counter, Counter]:
    found = quality.totals(user, since())
    by_day, by_group = Counter(), Counter()
    for day, result in found.by_day.items():
        by_day.update({(day, name): count for name, count in counts_of(result).items()})
    for (group, is_reviewed), result in found.by_group.items():
        names = (group.reader, group.rules, group.model, group.prompt, group.kind, group.form_kind, is_reviewed)
        by_group.update({(*names, name): count for name, count in counts_of(result).items()})
    return by_day, by_group


def counts_of(result: quality.Result) -> dict[str, int]:
    own = {name: getattr(result, name) for name in ("pages", "day_right", "clock_right", "decided", "agreed", "timed")}
    return own | {name: getattr(result.score, name) for name in ("tp", "fp", "fn")}


def test_the_figures_are_those_of_the_single_scores(clinics_work, reviewer):
    rows = PageScore.objects.all()
    assert shown(reviewer) == counted_anew(rows)
    assert rows.count() == 4


def test_what_was_signed_before_the_period_is_not_in_it(clinics_work, reviewer):
    PageScore.objects.filter(run=clinics_work[2]).update(signed_on=since() - timedelta(days=1))
    assert shown(reviewer) == counted_anew(PageScore.objects.exclude(run=clinics_work[2]))


def test_pages_that_are_hidden_from_a_person_are_in_no_figure_of_theirs(clinics_work, reviewer, clinic):
    other = UserFactory(clinic=clinic, role="reviewer")
    hidden = clinics_work[0]
    SecondReview.objects.all().delete()
    SecondReview.objects.create(document=hidden.document, run=hidden, page=1, cause="sample",
                                sign_off=hidden.document.sign_offs.get())  # fmt: skip
    assert shown(other) == counted_anew(PageScore.objects.exclude(run__document=hidden.document))
    assert shown(reviewer) == counted_anew(PageScore.objects.all())


def test_a_kind_that_a_later_run_tells_is_the_kind_of_what_was_scored_before(clinics_work, staff, reviewer):
    document = clinics_work[2].document
    run = RunFactory(document=document, status=Status.QUEUED, finished_at=None)
    claim = claims.take(run.pk)
    for number in range(1, document.page_count + 1):
        claims.store_read(claim, PageRead(number, page_of("Bonjour"), None, 0.1, Kind.PHOTO))
    claims.finish(claim)
    assert dict(quality.split(quality.totals(reviewer, since()), "kind"))["photo"].pages == 1
    assert shown(reviewer) == counted_anew(PageScore.objects.all())


def test_a_kind_that_is_noted_later_is_the_kind_of_what_was_scored(clinics_work, reviewer, monkeypatch):
    command = import_module("extraction.management.commands.note_kinds")
    monkeypatch.setattr(command, "_pages", lambda document: {1: kinds.Kind.DIGITAL})
    call_command("note_kinds", verbosity=0)
    assert dict(quality.split(quality.totals(reviewer, since()), "kind"))["digital"].pages == 1
    assert shown(reviewer) == counted_anew(PageScore.objects.all())


def test_a_run_that_goes_on_by_other_rules_counts_for_those(clinics_work, reviewer):
    Run.objects.filter(pk=clinics_work[1].pk).update(rules_version="r9", without_model=False)
    following.tell(clinics_work[1].document_id)
    assert "r9" in {each.rules for each in quality.configurations(quality.totals(reviewer, since()))}
    assert shown(reviewer) == counted_anew(PageScore.objects.all())


def test_scores_of_another_version_find_their_group_when_somebody_looks(clinics_work, reviewer):
    PageScore.objects.update(group=None)
    scores.catch_up(reviewer)
    assert shown(reviewer) == counted_anew(PageScore.objects.all())


def test_the_migration_gives_scores_of_before_their_groups(clinics_work, reviewer):
    before = set(PageScore.objects.values_list("pk", "group"))
    PageScore.objects.update(group=None)
    MIGRATION.fill(apps, SimpleNamespace(connection=SimpleNamespace(vendor="")))
    assert set(PageScore.objects.values_list("pk", "group")) == before


def test_the_migration_notes_what_is_not_scored_yet(clinics_work, reviewer):
    PageScore.objects.filter(run=clinics_work[0]).update(calibration=None)
    MIGRATION.fill(apps, SimpleNamespace(connection=SimpleNamespace(vendor="")))
    assert ReviewTask.objects.get(scores_due=True).document_id == clinics_work[0].document_id


def test_a_group_is_of_one_clinic(clinics_work, outsider):
    assert not ScoreGroup.objects.filter(clinic=outsider.clinic).exists()
    assert shown(outsider) == (Counter(), Counter())


# --- Runs that come later --------------------------------------------------------------------------------------------


def test_while_nothing_is_due_catching_up_costs_two_queries(clinics_work, reviewer, django_assert_num_queries):
    with django_assert_num_queries(2):
        scores.catch_up(reviewer)


def test_a_run_that_was_over_unheard_is_noted_by_the_scheduler(clinics_work, reviewer, monkeypatch):
    monkeypatch.setattr(following, "run_changed", [])
    later = a_run(clinics_work[1].document, 1, finished_at=timezone.now())
    scores.catch_up(reviewer)
    assert not PageScore.objects.filter(run=later).exists()
    assert scores.note_missed() == 1
    scores.catch_up(reviewer)
    assert PageScore.objects.get(run=later).tp == 1
    assert scores.note_missed() == 0


def test_a_run_of_a_document_without_a_signed_page_is_not_due(staff, reviewer):
    a_run(DocumentFactory(uploaded_by=staff), 1)
    assert not ReviewTask.objects.filter(scores_due=True).exists()


def test_the_sums_are_read_from_the_index_alone(clinics_work, reviewer):
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL reads the table where its few rows are new")
    groups = ScoreGroup.objects.values_list("pk", flat=True)
    rows = score_days.summed(quality.scores(reviewer, since()), groups)
    plan = rows.explain()
    assert "COVERING INDEX page_score_sums" in plan
    assert "TEMP B-TREE" not in plan
