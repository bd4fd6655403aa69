"""What templates say of findings and runs, in words and in SVG."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.utils import translation

from extraction.errors import SENTENCES
from extraction.models import Finder, Finding, Run, Status
from extraction.page import Box
from extraction.queries import Progress
from extraction.templatetags.run_text import doubtful, error_sentence, state_of
from review.queries import Item
from review.templatetags import review_text


def progress_of(**changed: object) -> Progress:
    fields = {
        "status": Status.DONE, "page_count": 20, "pages_read": 20, "pages_found": 20, "unread": (), "model_errors": 0,
        "found": 12, "valid": 9, "error_code": "",
    }  # fmt: skip
    return Progress(**{**fields, **changed})  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def in_english():
    with translation.override("en"):
        yield


@pytest.mark.parametrize(
    ("status", "changed", "kind", "words"),
    [
        (Status.QUEUED, {}, "idle", "queued"),
        (Status.READING, {"pages_read": 6}, "working", "reading: page 7 of 20"),
        (Status.READING, {"pages_read": 4, "unread": (2, 3)}, "working", "reading: page 7 of 20"),
        (Status.READING, {"pages_read": 20}, "working", "reading: page 20 of 20"),
        (Status.FINDING, {"pages_found": 2}, "working", "finding NAMs: page 3 of 20"),
        (Status.DONE, {}, "done", "done — 12 NAMs"),
        (Status.DONE, {"unread": (4, 9)}, "partial", "done, 2 pages unread"),
    ],
)
def test_a_run_is_said_in_words(status, changed, kind, words):
    state = state_of(Run(status=status), progress_of(status=status, **changed))
    assert (state.kind, state.words) == (kind, words)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("model_unavailable", "waiting for the model server, next try at 14:05"),
        ("reader_unavailable", "waiting for the reading service, next try at 14:05"),
    ],
)
def test_a_waiting_run_says_for_what_and_until_when_in_the_clinics_time(code, words):
    run = Run(status=Status.WAITING, error_code=code, next_attempt_at=datetime(2025, 10, 3, 18, 5, tzinfo=UTC))
    assert state_of(run, progress_of()).words == words


def test_a_failed_run_says_why():
    run = Run(status=Status.FAILED, error_code="internal", finder=Finder.PATTERN)
    assert state_of(run, progress_of()).words == f"failed: {SENTENCES['internal']}"


def test_an_unknown_error_code_has_no_sentence():
    assert error_sentence("from_an_older_version") == ""


def test_doubtful_proposals_are_those_that_fail_a_check():
    assert doubtful(progress_of()) == 3


def test_a_comparison_marks_only_what_differs():
    assert review_text.compared_with("ABCD12345678", "ABCD12845678") == "ABCD 12<mark>3</mark>4 5678"


def test_a_comparison_escapes_nothing_into_markup():
    assert "<b>" not in review_text.compared_with("<b>D12345678", "ABCD12345678")


def test_an_outline_writes_points_in_a_language_that_writes_commas():
    with translation.override("fr-ca"):
        drawn = review_text.outline(Box(0.1, 0.2, 0.3, 0.25))
    assert drawn == 'x="0.09200" y="0.19600" width="0.21600" height="0.05800"'


@pytest.mark.parametrize(("language", "written"), [("en", "62.0"), ("fr-ca", "62,0")])
def test_a_percentage_is_written_as_the_language_does(language, written):
    with translation.override(language):
        assert review_text.percent(0.62) == written


def test_a_ratio_without_denominator_is_a_dash():
    assert review_text.percent(None) == "—"


@pytest.mark.parametrize(("value", "words"), [(0.95, "high"), (0.94, "medium"), (0.8, "medium"), (0.79, "low")])
def test_confidence_is_said_in_three_words(value, words):
    assert review_text.confidence(value) == f"{words} confidence"


@pytest.mark.parametrize(
    ("found_by", "words"),
    [
        (["pattern"], "found by the pattern"),
        (["model"], "found by the model"),
        (["pattern", "model"], "found by the pattern and by the model"),
    ],
)
def test_finders_are_named(found_by, words):
    assert review_text.finders(found_by) == words


def test_every_doubt_that_an_item_can_have_is_said_in_words():
    codes = {"format", "birth_date", "check_character", "name", "model_only", "repaired"}
    assert {code for code in codes if review_text.doubt(code) == code} == set()


def test_an_item_without_finding_or_decision_stands_open():
    item = Item(finding=None, decision=None)
    assert (review_text.kind(item), review_text.mark(item)) == ("open", "○")


def test_characters_that_another_reading_has_otherwise_are_marked() -> None:
    finding = Finding(value="TREM04121925", repairs=[{"nam": "TREM04121926"}, {"nam": "TRFM04121925"}])
    assert review_text.doubtful_characters(finding) == "TR<mark>E</mark>M 0412 192<mark>5</mark>"
