"""The checker of the chaos sees what was lost, doubled or left readable. Its own SQL is tried by `make chaos`."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from itertools import chain
from uuid import UUID

import pytest

from tests.chaos import checker
from tests.chaos.__main__ import schedule
from tests.chaos.checker import Found, Outcome, Page
from tests.chaos.driver import Made

FIRST, SECOND = UUID(int=1), UUID(int=2)
NUMBER = Found(1, 0, "aa", (10_000, 10_000, 20_000, 20_000), ("pattern",), (("format", True),), 0.9)
GOOD = Outcome("done", "", 2, (Page(1, "found", "", ""), Page(2, "found", "", "")), (NUMBER,))


def said(there, calm=GOOD):
    return list(checker.outcome_problems(there, calm))


def test_what_is_as_undisturbed_is_no_problem():
    assert said(GOOD) == []


@pytest.mark.parametrize(
    "there",
    [
        replace(GOOD, status="queued"),
        replace(GOOD, status="failed"),
        replace(GOOD, runs=2),
        replace(GOOD, pages=GOOD.pages[:1]),
        replace(GOOD, pages=(*GOOD.pages, GOOD.pages[0])),
        replace(GOOD, pages=(GOOD.pages[0], Page(2, "read", "", ""))),
        replace(GOOD, pages=(GOOD.pages[0], Page(2, "unread", "", ""))),
        replace(GOOD, found=()),
        replace(GOOD, found=(NUMBER, NUMBER)),
        replace(GOOD, found=(NUMBER._replace(confidence=0.8),)),
        replace(GOOD, found=(NUMBER._replace(box=(10_002, 10_000, 20_000, 20_000)),)),
    ],
)
def test_what_is_unfinished_lost_doubled_or_different_is_a_problem(there):
    assert said(there)


def test_a_place_may_be_rounded_to_either_side():
    assert said(replace(GOOD, found=(NUMBER._replace(box=(10_001, 9_999, 20_000, 20_001)),))) == []


@pytest.mark.parametrize(
    "there",
    [
        replace(GOOD, status="failed", error="damaged"),
        replace(GOOD, pages=(GOOD.pages[0], Page(2, "unread", "page_unreadable", ""))),
        replace(
            GOOD,
            pages=(Page(1, "found", "", "model_bad_reply"), GOOD.pages[1]),
            found=(NUMBER._replace(confidence=0.8),),
        ),
    ],
)
def test_what_failed_with_a_reason_is_none(there):
    assert said(there) == []


def test_uploads_and_documents_are_the_same_set():
    lost = list(checker.document_problems({FIRST: "agenda"}, {SECOND: GOOD}, {"agenda": GOOD}))
    assert len(lost) == 2
    assert not list(checker.document_problems({FIRST: "agenda"}, {FIRST: GOOD}, {"agenda": GOOD}))


MADE = Made("decide", FIRST, 1, "reject")
EVENT = Counter({(SECOND, "nam.rejected"): 1})


def judged(made, there, events=EVENT):
    return list(checker.decision_problems(made, there, events))


def test_a_decision_is_there_once_as_it_was_made_with_its_event():
    assert judged({SECOND: MADE}, {SECOND: ("reject", FIRST, 1)}) == []


@pytest.mark.parametrize(
    ("there", "events"),
    [
        ({}, EVENT),
        ({SECOND: ("confirm", FIRST, 1)}, Counter({(SECOND, "nam.confirmed"): 1})),
        ({SECOND: ("reject", FIRST, 2)}, EVENT),
        ({SECOND: ("reject", FIRST, 1)}, Counter()),
        ({SECOND: ("reject", FIRST, 1)}, Counter({(SECOND, "nam.rejected"): 2})),
        ({SECOND: ("reject", FIRST, 1), FIRST: ("reject", FIRST, 1)}, EVENT),
    ],
)
def test_a_decision_that_is_gone_changed_doubled_or_nobodys_is_a_problem(there, events):
    assert judged({SECOND: MADE}, there, events)


def test_a_file_without_its_key_is_a_problem():
    name = str(FIRST)
    assert list(checker.file_problems([FIRST], set(), {name}))
    assert not list(checker.file_problems([FIRST], {name}, {name}))


@pytest.mark.parametrize("text", ["x TREM04121925 y", "trem 0412 1925", "Jeanne Tremblay"])
def test_a_number_or_a_name_is_found_however_it_is_written(tmp_path, text):
    kept, scratch = tmp_path / "kept", tmp_path / "scratch"
    kept.mkdir()
    scratch.mkdir()
    (kept / "log").write_bytes(b"\0\xff" + text.encode())
    (kept / "other").write_text("TREM 0412")
    assert len(list(checker.readable([kept], ["TREM04121925", "Jeanne Tremblay"], scratch=scratch))) == 1


def test_a_seed_is_a_schedule_in_which_every_fault_comes_before_any_comes_twice():
    names = ["a", "b", "c", "d"]

    def planned():
        return list(schedule(random.Random(7), names, rounds=4, faults=2))  # noqa: S311 - repeatable on purpose

    assert planned() == planned()
    assert sorted(chain.from_iterable(planned()[:2])) == names
