"""What reviewers decided as examples for the confidence, and the command that fits to them or refuses to."""

from __future__ import annotations

import json
import uuid
from datetime import date, timedelta
from io import StringIO

import numpy as np
import pytest
import time_machine
from django.core.management import call_command
from django.utils import timezone

from accounts.models import Clinic
from audit.models import Event
from audit.record import JournalUnavailable
from audit.verbs import Purpose, Verb
from extraction.calibration import measure, split
from extraction.finders.confidence import EVIDENCE, Weights, Witnesses
from extraction.finders.proposal import Checks
from extraction.management.commands import fit_confidence
from extraction.models import Document, Finding, Run, Status
from review import actions, queries
from review import samples as reviewed
from review.actions import Value
from review.management.commands import fit_confidence_reviewed
from review.models import Decision, SignOff
from review.samples import Period
from tests.factories import DocumentFactory, FindingFactory, RunFactory, some_nam
from tests.unit.test_calibration import FLAT, TRUE, samples

pytestmark = pytest.mark.django_db

SEEN = Witnesses(Checks(True, True, True, None), 0.9, ("pattern",))
ALWAYS = Period()
SURE = Weights("sure", 30.0, dict.fromkeys(EVIDENCE, 0.0), {})
BACKWARDS = Weights("backwards", 3.0, dict.fromkeys(EVIDENCE, 0.0) | {"birth_date": 1.0}, {})


@pytest.fixture
def run(staff):
    return RunFactory(document=DocumentFactory(uploaded_by=staff))


def found(run, **fields):
    return FindingFactory(run=run, **{"witnesses": SEEN.to_json()} | fields)


def confirm(finding, reviewer):
    return actions.decide(finding=finding, value=Value(finding.value, date(2025, 10, 3)), by=reviewer)


def reject(finding, reviewer):
    return actions.decide(finding=finding, value=None, reason="not_a_nam", by=reviewer)


def read(period=ALWAYS):
    return reviewed.read(Clinic.objects.all(), period)


def verdicts(period=ALWAYS):
    """Which of the examples are right, document by document in the order of their findings."""
    return [[example.is_true for example in sample.examples] for sample in read(period).samples]


def store(documents, person, *, first=0):
    """The documents of `samples` as reviewed ones: one page each, signed off, each finding confirmed or rejected."""
    rows = {model: [] for model in (Document, Run, Finding, Decision, SignOff)}
    for number, sample in enumerate(documents, start=first):
        document = DocumentFactory.build(id=uuid.uuid5(uuid.NAMESPACE_OID, str(number)), uploaded_by=person)
        run = RunFactory.build(document=document, requested_by=person)
        for position, example in enumerate(sample.examples):
            finding = FindingFactory.build(run=run, position=position, witnesses=example.witnesses.to_json())
            right = {"verdict": "confirm", "value": finding.value, "value_index": finding.value_index}
            decision = right if example.is_true else {"verdict": "reject", "reason": "not_a_nam"}
            place = {side: getattr(finding, side) for side in ("x0", "y0", "x1", "y1")}
            rows[Decision].append(Decision(document=document, page=1, finding=finding, by=person, **decision, **place))
            rows[Finding].append(finding)
        rows[SignOff].append(SignOff(document=document, page=1, by=person))
        rows[Document].append(document)
        rows[Run].append(run)
    for model, each in rows.items():
        model.objects.bulk_create(each)


# What the decisions teach


def test_what_was_confirmed_is_right_and_what_was_rejected_is_wrong(run, reviewer):
    confirm(found(run), reviewer)
    reject(found(run), reviewer)
    actions.sign_off(run=run, page=1, by=reviewer)
    assert verdicts() == [[True, False]]


def test_another_number_makes_a_proposal_wrong_and_another_visit_does_not(run, reviewer):
    misread, misdated = found(run), found(run)
    actions.decide(finding=misread, value=Value(some_nam(2999)), by=reviewer)
    actions.decide(finding=misdated, value=Value(misdated.value, date(2024, 1, 1)), by=reviewer)
    actions.sign_off(run=run, page=1, by=reviewer)
    assert verdicts() == [[False, True]]


def test_only_signed_off_pages_teach(run, reviewer):
    for page in (1, 2):
        confirm(found(run, page=page), reviewer)
    assert verdicts() == []
    actions.sign_off(run=run, page=2, by=reviewer)
    assert verdicts() == [[True]]
    actions.reopen(document=run.document, page=2, by=reviewer)
    assert verdicts() == []


def test_a_later_run_is_judged_by_the_decisions_on_the_earlier_one_and_takes_its_place(run, reviewer):
    first = found(run)
    confirm(first, reviewer)
    actions.sign_off(run=run, page=1, by=reviewer)
    again = RunFactory(document=run.document)
    found(again, value=first.value)
    found(again)
    assert verdicts() == [[True, False]]


def test_a_run_that_goes_on_does_not_count_yet(run, reviewer):
    confirm(found(run), reviewer)
    actions.sign_off(run=run, page=1, by=reviewer)
    found(RunFactory(document=run.document, status=Status.FINDING))
    assert verdicts() == [[True]]


def test_of_two_proposals_of_one_print_the_one_at_its_place_is_right(run, reviewer):
    elsewhere = found(run, y0=0.5, y1=0.52)
    there = found(run, value=elsewhere.value)
    actions.decide(finding=elsewhere, value=None, reason="duplicate", by=reviewer)
    confirm(there, reviewer)
    actions.sign_off(run=run, page=1, by=reviewer)
    assert verdicts() == [[False, True]]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_as_many_are_right_as_the_score_of_the_run_says(run, reviewer, seed):
    rng = np.random.default_rng(seed)
    for _ in range(12):
        finding = found(run, value=some_nam(rng.integers(4)), page=int(rng.integers(1, 3)), y0=rng.uniform(0, 0.11))
        said = [None, Value(finding.value), Value(some_nam(rng.integers(4)))][rng.integers(3)]
        actions.decide(finding=finding, value=said, reason="" if said else "not_a_nam", by=reviewer)
    actions.add(document=run.document, page=1, value=Value(some_nam(rng.integers(4))), by=reviewer)
    for page in (1, 2):
        actions.sign_off(run=run, page=page, by=reviewer)
    (right,), score = verdicts(), queries.measure(run)
    assert (sum(right), len(right)) == (score.tp, score.tp + score.fp)
    assert read().samples[0].nams == score.tp + score.fn


def test_findings_without_witnesses_are_left_out_and_counted(run, reviewer):
    known, before, strange = found(run), found(run, witnesses=None), found(run, witnesses={"version": 99})
    for finding in (known, before, strange):
        confirm(finding, reviewer)
    actions.add(document=run.document, page=1, value=Value(some_nam(2999)), by=reviewer)
    actions.sign_off(run=run, page=1, by=reviewer)
    result = read()
    (sample,) = result.samples
    assert (len(sample.examples), result.left_out) == (1, 2)
    assert sample.nams == 2  # the one that teaches, and the one that nobody proposed


def test_the_days_of_the_sign_off_bound_what_is_read(run, reviewer):
    confirm(found(run), reviewer)
    day = timezone.localdate() - timedelta(days=10)
    with time_machine.travel(timezone.now() - timedelta(days=10)):
        actions.sign_off(run=run, page=1, by=reviewer)
    assert verdicts(Period(since=day, until=day)) == [[True]]
    assert verdicts(Period(since=day + timedelta(days=1))) == []
    assert verdicts(Period(until=day - timedelta(days=1))) == []


def test_no_sealed_value_is_opened(run, reviewer, monkeypatch):
    confirm(found(run), reviewer)
    actions.sign_off(run=run, page=1, by=reviewer)

    def refuse(*_args, **_kwargs):
        raise AssertionError("opened")

    monkeypatch.setattr("vault.crypto.open", refuse)
    assert verdicts() == [[True]]


def test_each_clinic_finds_the_reading_of_its_documents_in_its_journal(reviewer, outsider):
    store(samples(3), reviewer)
    store(samples(2), outsider, first=3)
    Clinic.objects.create(name="Clinique sans document")
    read()
    events = Event.objects.filter(verb=Verb.DECISIONS_LEARNED)
    told = {(event.clinic_id, event.count, event.details["findings"]) for event in events}
    assert told == {(reviewer.clinic_id, 3, 15), (outsider.clinic_id, 2, 10)}
    assert {(event.purpose, event.actor_id, event.component) for event in events} == {
        (Purpose.QUALITY, None, "command")
    }


# The command


@pytest.fixture
def file(tmp_path, monkeypatch):
    """The weights file that the command writes, apart from the real one; what is in use says nothing true."""
    there = tmp_path / "confidence.json"
    there.write_text("untouched")
    monkeypatch.setattr(fit_confidence, "FILE", there)
    monkeypatch.setattr(fit_confidence, "present_weights", lambda: FLAT)
    monkeypatch.setattr(fit_confidence_reviewed.Command, "samples", labelled)
    return there


def labelled(_command, folders, **_options):
    """What stands in for folders: documents of the name's truth, as many as the name says."""
    kinds = {"true": TRUE, "backwards": BACKWARDS}
    asked = [str(folder).split("-") for folder in folders]
    return [sample for kind, count in asked for sample in samples(int(count), seed=7, truth=kinds[kind])]


def fit(*arguments):
    """(exit status, standard output, standard error)"""
    out, err = StringIO(), StringIO()
    try:
        call_command(fit_confidence_reviewed.Command(), *arguments, stdout=out, stderr=err)
    except SystemExit as stop:
        return int(stop.code or 0), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


def test_weights_that_were_wrong_learn_from_reviewed_pages(file, reviewer):
    store(samples(200), reviewer)
    status, _, _ = fit("--write")
    written = Weights.from_json(json.loads(file.read_text()))
    fresh = samples(300, seed=2)
    assert status == 0
    assert measure(fresh, FLAT).calibration_error > 0.2
    assert measure(fresh, written).calibration_error < 0.06


def test_nothing_is_written_unless_it_is_asked_for(file, reviewer):
    store(samples(120), reviewer)
    status, out, _ = fit()
    assert status == 0
    assert "held-out reviewed documents, fitted" in out
    assert file.read_text() == "untouched"


def test_labelled_documents_are_learned_from_beside_the_reviewed_ones(file, reviewer):
    store(samples(120), reviewer)
    fit("true-80", "--write")
    said = json.loads(file.read_text())["fitted"]
    to_fit, _ = split(samples(80, seed=7))
    assert said["documents"] - said["reviewed"]["documents"] == len(to_fit)
    assert said["held_out"]["proposals"] == 5 * (80 - len(to_fit))


def test_the_file_says_how_much_was_reviewed_and_nothing_of_whom(file, reviewer):
    store(samples(120), reviewer)
    fit("true-40", "--write")
    said = json.loads(file.read_text())["fitted"]
    held_out = said["held_out_reviewed_documents"]["proposals"]
    assert said["reviewed"]["findings"] == 5 * said["reviewed"]["documents"] == 600 - held_out
    assert reviewer.clinic.name not in file.read_text()
    assert str(reviewer.clinic_id) not in file.read_text()


def test_what_is_printed_names_no_number_document_or_clinic(file, reviewer):
    store(samples(120), reviewer)
    _, out, err = fit()
    documents = Document.objects.all()
    secrets = {reviewer.clinic.name, *(form for each in documents for form in (each.pk.hex, str(each.pk)))}
    secrets |= {finding.value for finding in Finding.objects.all()}
    assert not [secret for secret in secrets if secret in out + err]


def test_a_fit_that_is_worse_on_held_out_reviewed_documents_is_refused_with_both_figures(file, reviewer, monkeypatch):
    store(samples(120), reviewer)
    useless = Weights("useless", -5.0, dict.fromkeys(EVIDENCE, 0.0), {})
    monkeypatch.setattr(fit_confidence, "present_weights", lambda: TRUE)
    monkeypatch.setattr("extraction.calibration.fit", lambda *_: useless)
    status, _, err = fit("--write")
    _, held_out = split(read().samples)
    before, after = (f"{measure(held_out, weights).log_loss:.4f}" for weights in (TRUE, useless))
    assert status == 1
    assert f"worse than the present weights on held-out reviewed documents: log loss {after} instead of {before}" in err
    assert file.read_text() == "untouched"


@pytest.mark.parametrize("arguments", [["true-80"], ["--held-out", "true-20"]])
def test_a_fit_that_is_worse_on_labelled_documents_is_refused(file, reviewer, monkeypatch, arguments):
    monkeypatch.setattr(fit_confidence, "present_weights", lambda: TRUE)
    store(samples(200, truth=BACKWARDS), reviewer)
    status, _, err = fit(*arguments, "--write")
    assert status == 1
    assert "on held-out documents: log loss" in err
    assert file.read_text() == "untouched"


def test_too_few_findings_are_refused(file, reviewer):
    store(samples(20), reviewer)
    status, _, err = fit("--write")
    assert (status, file.read_text()) == (1, "untouched")
    assert (
        f"100 reviewed findings are too few to set weights by: it takes {fit_confidence_reviewed.LEAST_FINDINGS}" in err
    )


def test_too_few_wrong_proposals_are_refused(file, reviewer):
    store(samples(120, truth=SURE), reviewer)
    status, _, err = fit("--write")
    assert (status, file.read_text()) == (1, "untouched")
    assert "0 wrong proposals do not show what makes one wrong" in err


def test_held_out_documents_without_a_wrong_proposal_judge_nothing():
    wrong, right = samples(200), samples(100, truth=SURE)
    assert fit_confidence_reviewed.too_few(wrong, right).startswith("0 wrong proposals in the held-out documents")
    assert fit_confidence_reviewed.too_few(wrong, wrong) == ""


def test_findings_without_witnesses_are_told_of(file, reviewer):
    store(samples(120), reviewer)
    Finding.objects.filter(position=0).update(witnesses=None)
    _, out, _ = fit()
    assert "120 reviewed documents; 120 findings without witnesses" in out


def test_a_document_that_is_held_out_stays_so_when_more_are_reviewed(reviewer):
    store(samples(40), reviewer)
    before = [{sample.name for sample in side} for side in split(read().samples)]
    store(samples(40, seed=2), reviewer, first=40)
    after = [{sample.name for sample in side} for side in split(read().samples)]
    assert all(earlier < later for earlier, later in zip(before, after, strict=True))
    assert after[0].isdisjoint(after[1])


def test_one_clinic_can_be_learned_from_alone(file, reviewer, outsider):
    store(samples(120), reviewer)
    store(samples(5, seed=2), outsider, first=120)
    _, out, _ = fit("--clinic", reviewer.clinic.name)
    assert "120 reviewed documents" in out
    assert set(Event.objects.values_list("clinic_id", flat=True)) == {reviewer.clinic_id}


def test_a_clinic_that_does_not_exist_is_a_usage_error(file, reviewer):
    assert fit("--clinic", "Clinique inconnue")[0] == 2


def test_without_a_journal_nothing_is_learned(file, reviewer, monkeypatch):
    def unavailable(*_args, **_kwargs):
        raise JournalUnavailable

    store(samples(120), reviewer)
    monkeypatch.setattr(reviewed, "record", unavailable)
    status, out, err = fit("--write")
    assert (status, out, file.read_text()) == (3, "", "untouched")
    assert "journal" in err
