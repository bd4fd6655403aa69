"""Confidences: more evidence is never worth less, and the weights are what the reviewed file says."""

from __future__ import annotations

import copy
import json
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extraction.corpus.layouts import HELD_OUT
from extraction.corpus.split import HELD_OUT_SEED
from extraction.finders import confidence
from extraction.finders.confidence import EVIDENCE, Confidence, Weights, Witnesses, present_weights, score, weigh
from extraction.finders.proposal import Checks

ORDER = [False, None, True]
CHECKS = st.builds(Checks, st.booleans(), st.booleans(), st.booleans(), st.sampled_from(ORDER))
PROBABILITY = st.none() | st.floats(0, 1)
WITNESSES = st.builds(
    Witnesses,
    CHECKS,
    reading=st.floats(0, 1),
    found_by=st.sampled_from([("pattern",), ("model",), ("pattern", "model")]),
    labelled=st.booleans(),
    birth_date_nearby=st.booleans(),
    substitutions=st.integers(0, 5),
    regular=st.booleans(),
    second_look=PROBABILITY,
    model_probability=PROBABILITY,
)
ANY_WEIGHTS = st.builds(
    lambda base, each: Weights("any", base, dict(zip(EVIDENCE, each, strict=True)), {}),
    st.floats(-20, 5),
    st.lists(st.floats(0, 8), min_size=len(EVIDENCE), max_size=len(EVIDENCE)),
)
EVERYTHING = Witnesses(Checks(True, True, True, True), 1.0, ("pattern",), labelled=True)


@given(WITNESSES, WITNESSES)
def test_what_two_know_together_is_worth_at_least_what_each_knows(one: Witnesses, other: Witnesses) -> None:
    assert confidence.together(weigh(one), weigh(other)) >= max(weigh(one), weigh(other))


@given(ANY_WEIGHTS, WITNESSES, st.sampled_from(["format", "birth_date", "check_character", "name"]))
def test_one_more_check_never_lowers_the_confidence(weights: Weights, witnesses: Witnesses, check: str) -> None:
    better = witnesses._replace(checks=witnesses.checks._replace(**{check: True}))
    assert weigh(better, weights) >= weigh(witnesses, weights)


@given(ANY_WEIGHTS, WITNESSES, st.sampled_from(["second_look", "model_probability"]), st.floats(0, 1))
def test_a_voice_that_is_surer_never_lowers_the_confidence(
    weights: Weights, witnesses: Witnesses, voice: str, probability: float
) -> None:
    against, silent, unsure, surer, fully = (
        weigh(witnesses._replace(**{voice: each}), weights) for each in (0.0, None, probability / 2, probability, 1.0)
    )
    assert against <= silent <= fully
    assert against <= unsure <= surer <= fully


@given(WITNESSES)
def test_no_confidence_is_certainty(witnesses: Witnesses) -> None:
    assert 0 <= weigh(witnesses) <= confidence.MOST < 1


def test_a_number_with_everything_right_may_be_skimmed() -> None:
    assert weigh(EVERYTHING) >= 0.999


@pytest.mark.parametrize(
    "doubt",
    [
        {"checks": Checks(True, True, False, True)},
        {"checks": Checks(True, True, True, False)},
        {"reading": 0.3, "checks": Checks(True, True, True, None), "substitutions": 3},
        {"second_look": 0.0, "checks": Checks(True, True, False, True)},
    ],
)
def test_a_doubtful_number_is_below_a_plain_one(doubt: dict[str, object]) -> None:
    assert weigh(EVERYTHING._replace(**doubt)) < 0.999


@given(WITNESSES, st.floats(0, 1), st.integers(1, 3))
def test_a_value_that_is_not_printed_is_no_likelier_than_a_second_look_says(
    witnesses: Witnesses, probability: float, substitutions: int
) -> None:
    changed = witnesses._replace(second_look=probability, substitutions=substitutions)
    assert weigh(changed) <= probability + 0.0001


def test_only_the_named_pieces_weigh() -> None:
    nothing = Weights("none", -1.0, dict.fromkeys(EVIDENCE, 0.0), {})
    assert weigh(EVERYTHING, nothing) == pytest.approx(0.2689)


def test_a_score_remembers_its_witnesses() -> None:
    found = score(EVERYTHING.checks, reading=0.9, found_by=("pattern",), substitutions=2, regular=False)
    assert found.witnesses == Witnesses(EVERYTHING.checks, 0.9, ("pattern",), substitutions=2, regular=False)


@given(WITNESSES)
def test_witnesses_come_back_from_json_as_they_were(witnesses: Witnesses) -> None:
    assert Witnesses.from_json(json.loads(json.dumps(witnesses.to_json()))) == witnesses


def test_witnesses_that_numpy_counted_can_be_kept() -> None:
    seen = EVERYTHING._replace(reading=np.float32(0.5), second_look=np.float32(0.25))
    again = Witnesses.from_json(json.loads(json.dumps(seen.to_json())))
    assert again == EVERYTHING._replace(reading=0.5, second_look=0.25)


@given(WITNESSES)
def test_kept_witnesses_hold_no_text_but_the_names_of_finders(witnesses: Witnesses) -> None:
    kept = witnesses.to_json()
    assert set(kept.pop("found_by")) <= {"pattern", "model"}
    values = [*kept.pop("checks").values(), *kept.values()]
    assert all(value is None or isinstance(value, bool | int | float) for value in values)


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"version": None},
        {"watermark": True},
        {"regular": ...},
        {"checks": {"format": True}},
        {"checks": None},
        {"labelled": "yes"},
        {"second_look": ""},
        {"reading": 1.5},
        {"substitutions": None},
    ],
    ids=str,
)
def test_witnesses_of_another_version_are_not_guessed(change: dict[str, object]) -> None:
    body = {name: value for name, value in (EVERYTHING.to_json() | change).items() if value is not ...}
    assert Witnesses.from_json(body) is None


@pytest.mark.parametrize("body", [None, [], "", 1, {}])
def test_what_is_no_object_of_witnesses_is_none(body: object) -> None:
    assert Witnesses.from_json(body) is None


def test_a_copy_of_a_confidence_keeps_its_witnesses() -> None:
    found = weigh(EVERYTHING)
    again = copy.deepcopy(found)
    assert (again, again.witnesses) == (found, EVERYTHING)
    assert json.dumps(found) == json.dumps(float(found))


def test_two_finders_are_remembered_both() -> None:
    one = score(EVERYTHING.checks._replace(name=None), reading=0.5, found_by=("pattern",))
    other = score(EVERYTHING.checks._replace(name=True), reading=0.4, found_by=("model",), model_probability=0.9)
    both = confidence.together(one, other)
    assert isinstance(both, Confidence)
    assert both.witnesses.found_by == ("pattern", "model")
    assert (both.witnesses.checks.name, both.witnesses.reading, both.witnesses.model_probability) == (True, 0.5, 0.9)
    assert both > max(one, other)


@given(st.floats(0, 1), st.floats(0, 1))
def test_two_plain_confidences_together_are_at_least_the_surer_one(one: float, other: float) -> None:
    assert 1 >= confidence.together(one, other) >= max(one, other) - 0.0001


def test_that_no_name_is_near_says_more_than_that_another_is() -> None:
    none, other = (EVERYTHING._replace(checks=EVERYTHING.checks._replace(name=name)) for name in (None, False))
    assert none.joined(other).checks.name is None


def test_the_file_beside_the_module_says_where_its_weights_come_from() -> None:
    weights = present_weights()
    assert min(weights.evidence.values()) >= 0
    assert weights.provenance["nams"] >= 1000
    assert weights.provenance["held_out"]["calibration_error"] <= 0.02
    assert int(weights.provenance["seeds"].split()[-1]) < HELD_OUT_SEED
    assert set(weights.provenance["layouts"].split()).isdisjoint(HELD_OUT)


def test_weights_are_read_as_they_were_written() -> None:
    weights = present_weights()
    assert asdict(Weights.from_json(json.loads(json.dumps(weights.to_json())))) == asdict(weights)


@pytest.mark.parametrize("change", [{"name": -0.1}, {"name": None}, {"horoscope": 1.0}])
def test_other_weights_are_refused(change: dict[str, float | None]) -> None:
    body = present_weights().to_json()
    body["weights"] = {key: value for key, value in (body["weights"] | change).items() if value is not None}
    with pytest.raises(ValueError, match="not the weights"):
        Weights.from_json(body)
