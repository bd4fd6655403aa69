"""The golden cases and functional tests hold what the planning papers before us say they hold."""

from __future__ import annotations

import json
from pathlib import Path

import pypdfium2
import pytest
from django.core.management import call_command

from extraction import nam
from extraction.corpus.documents import build
from extraction.corpus.golden import SEED, GoldenCase, functional_tests, golden_cases
from extraction.corpus.split import is_held_out
from extraction.management.commands import make_corpus

CASES = [*golden_cases(), *functional_tests()]


def test_there_are_eight_golden_cases_and_five_functional_tests_of_different_names() -> None:
    assert (len(golden_cases()), len(functional_tests())) == (8, 5)
    assert len({case.name for case in CASES}) == 13


def test_the_functional_tests_have_the_planned_counts() -> None:
    assert [(case.pages, case.nams) for case in functional_tests()[:3]] == [(20, 100), (10, 50), (5, 20)]
    assert functional_tests()[4].nams == 0


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_holds_as_many_nams_as_it_says(case: GoldenCase) -> None:
    # Degradation does not change who is on a page, and takes its time.
    printed = build(case.kind.partition("-")[0], seed=SEED, pages=case.pages, people=case.people)
    assert len(printed.truth) == case.nams


def test_a_case_makes_its_document() -> None:
    case = golden_cases()[0]
    with pypdfium2.PdfDocument(case.document().pdf) as pdf:
        assert len(pdf) == case.pages


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_golden_cases_may_be_looked_at(case: GoldenCase) -> None:
    assert not is_held_out(case.kind, 0)


def test_edge_cases_hold_look_alikes_a_wrong_check_and_a_number_twice() -> None:
    document = build("edge", seed=1, pages=1)
    values = [item.nam for item in document.truth]
    assert len(values) == len(set(values)) + 1
    assert sum(not all(nam.check(value)) for value in values) == 1
    altered = [item for item in document.truth if nam.normalise(item.text) != item.nam]
    assert len(altered) == 1
    assert sum(one != other for one, other in zip(nam.normalise(altered[0].text), altered[0].nam, strict=True)) == 1


def test_the_command_writes_the_golden_cases_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = [case for case in golden_cases() if case.kind in {"agenda", "invoice"} and case.pages == 3]
    monkeypatch.setattr(make_corpus, "golden_cases", lambda: quick)
    monkeypatch.setattr(make_corpus, "functional_tests", list)
    call_command(make_corpus.Command(), str(tmp_path), "--golden")
    assert sorted(path.stem for path in tmp_path.glob("*.pdf")) == [
        "golden-01-clean-printed",
        "golden-08-empty-no-nams",
    ]
    truth = json.loads((tmp_path / "golden-01-clean-printed.json").read_text(encoding="utf-8"))
    assert len(truth) == 15
