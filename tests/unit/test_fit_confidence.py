"""`manage.py fit_confidence`: what it learns from, what it refuses, and what it writes down."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from extraction.calibration import Example, Sample, measure
from extraction.finders.confidence import EVIDENCE, Weights, Witnesses, present_weights
from extraction.finders.proposal import Checks
from extraction.management.commands import fit_confidence, make_corpus
from tests.unit.test_calibration import FLAT, TRUE, samples


def run(*arguments: str) -> tuple[int, str, str]:
    """(exit status, standard output, standard error)"""
    out, err = StringIO(), StringIO()
    try:
        call_command(fit_confidence.Command(), *arguments, stdout=out, stderr=err)
    except SystemExit as stop:
        return int(stop.code or 0), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The weights file that the command writes, apart from the real one, whose weights fit nothing here."""
    there = tmp_path / "confidence.json"
    there.write_text("untouched")
    monkeypatch.setattr(fit_confidence, "FILE", there)
    monkeypatch.setattr(fit_confidence, "present_weights", lambda: FLAT)
    monkeypatch.setattr(fit_confidence.Command, "samples", lambda *_, **__: samples(200))
    return there


def test_without_write_the_table_is_all(file: Path) -> None:
    status, out, _ = run("anywhere")
    assert status == 0
    assert "200 documents, 1000 proposals" in out
    assert "held-out documents, present" in out
    assert file.read_text() == "untouched"


def test_what_is_written_can_be_read_and_says_where_it_comes_from(file: Path) -> None:
    status, _, _ = run("anywhere", "--write")
    written = Weights.from_json(json.loads(file.read_text()))
    assert status == 0
    assert written.version.startswith(written.provenance["on"])
    assert written.provenance["nams"] == 5 * written.provenance["documents"]
    assert written.provenance["held_out"]["log_loss"] > 0
    assert written.evidence != FLAT.evidence


def test_a_fit_that_is_worse_on_held_out_documents_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    useless = Weights("useless", -5.0, dict.fromkeys(EVIDENCE, 0.0), {})
    monkeypatch.setattr(fit_confidence, "present_weights", lambda: TRUE)
    monkeypatch.setattr("extraction.calibration.fit", lambda *_: useless)
    status, _, err = run("anywhere", "--write")
    assert status == 1
    assert "worse" in err
    assert file.read_text() == "untouched"


def test_too_little_to_learn_from_is_a_usage_error(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fit_confidence.Command, "samples", lambda *_, **__: [])
    assert run("anywhere", "--write")[0] == 2
    assert file.read_text() == "untouched"


def test_weights_that_cannot_be_written_are_said_in_one_line(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fit_confidence, "FILE", file.parent / "not-there" / "confidence.json")
    status, _, err = run("anywhere", "--write")
    assert status == 3
    assert err.strip().endswith("cannot be written by this user; nothing was written")


def test_names_of_documents_are_not_written_down() -> None:
    seen = Example(Witnesses(Checks(True, True, True, None), 1.0, ("pattern",)), True)
    real = [Sample(name, (seen,), 1) for name in ("Tremblay, Martin", "agenda-fax-7", "agenda-fax-12")]
    fitness = measure(real, present_weights())
    said = fit_confidence.provenance(real, {"documents": fitness}, fitness)
    assert (said["layouts"], said["degradations"], said["seeds"]) == ("agenda", "fax", "7 to 12")
    assert (said["documents"], said["not_synthetic"]) == (3, 1)
    assert "Tremblay" not in json.dumps(said)


def test_proposals_of_documents_with_truth_are_the_examples(tmp_path: Path) -> None:
    call_command(make_corpus.Command(), str(tmp_path), "--kind", "agenda", "--seed", "7", "--misprints", "0.5")
    (truth,) = tmp_path.glob("*.json")
    nams = json.loads(truth.read_text())
    truth.write_text(json.dumps(nams[1:]))
    (sample,) = fit_confidence.Command().samples([tmp_path], finder="pattern", jobs=1)
    assert (sample.name, sample.nams, len(sample.examples)) == ("agenda-7", len(nams) - 1, len(nams))
    assert [example.is_true for example in sample.examples].count(False) == 1
    assert {example.witnesses.checks.check_character for example in sample.examples} == {True, False}
