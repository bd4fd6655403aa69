"""Learning weights: what examples say is learned, what they do not say is kept, and nothing turns evidence round."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from extraction.calibration import (
    Example,
    Fitness,
    Sample,
    Trial,
    examples,
    fit,
    measure,
    measure_by_layout,
    reliability,
    split,
)
from extraction.finders.confidence import EVIDENCE, Weights, Witnesses, score, weigh
from extraction.finders.proposal import Checks

FLAT = Weights("flat", 0.0, dict.fromkeys(EVIDENCE, 1.0), {})
TRUE = Weights("true", -4.0, dict.fromkeys(EVIDENCE, 0.0) | {"check_character": 4.0, "name": 1.5, "labelled": 1.0}, {})


def witnesses(rng: np.random.Generator) -> Witnesses:
    checks = Checks(True, rng.random() < 0.8, rng.random() < 0.6, (True, None, False)[rng.integers(3)])
    return Witnesses(checks, rng.uniform(0.5, 1), ("pattern",), labelled=rng.random() < 0.5)


def samples(count: int, *, seed: int = 1, truth: Weights = TRUE, each: int = 5) -> list[Sample]:
    """Documents whose proposals are right as often as `truth` says."""
    rng = np.random.default_rng(seed)

    def example() -> Example:
        seen = witnesses(rng)
        return Example(seen, rng.random() < weigh(seen, truth))

    layouts = ("agenda", "form", "letter", "list")
    return [
        Sample(f"{layouts[number % 4]}-{number}", tuple(example() for _ in range(each)), each)
        for number in range(count)
    ]


def test_confidences_become_the_shares_that_are_right() -> None:
    fitted = fit(samples(600), FLAT)
    fresh = samples(600, seed=2)
    before, after, best = (measure(fresh, weights) for weights in (FLAT, fitted, TRUE))
    assert before.calibration_error > 0.2
    assert after.calibration_error < 0.05
    assert after.log_loss < 1.03 * best.log_loss


def test_no_weight_turns_negative_when_evidence_speaks_the_wrong_way_round() -> None:
    rng = np.random.default_rng(3)
    seen = [witnesses(rng) for _ in range(400)]
    backwards = [Example(each, each.checks.check_character != (rng.random() < 0.9)) for each in seen]
    fitted = fit([Sample("agenda-1", tuple(backwards), 400)], FLAT)
    assert min(fitted.evidence.values()) >= 0
    assert fitted.evidence["check_character"] == 0


def test_the_weight_of_what_never_varies_is_kept() -> None:
    fitted = fit(samples(100), FLAT)
    assert fitted.evidence["second_look_for"] == 1.0
    assert fitted.evidence["format"] == 1.0
    assert fitted.evidence["check_character"] != 1.0


def test_the_harder_the_pull_the_less_few_examples_move_the_weights() -> None:
    few = samples(4)
    gentle, hard = (fit(few, FLAT, pull=pull) for pull in (0.1, 100.0))
    moved = [sum(abs(weight - 1.0) for weight in fitted.evidence.values()) for fitted in (gentle, hard)]
    assert moved[1] < 0.5 * moved[0]


def test_many_examples_move_the_weights_to_what_they_say() -> None:
    fitted = fit(samples(1500), FLAT, pull=1.0)
    assert fitted.evidence["labelled"] == pytest.approx(TRUE.evidence["labelled"], abs=0.3)


@pytest.mark.parametrize("is_true", [True, False])
def test_nothing_is_learned_where_all_are_right_or_all_are_wrong(is_true: bool) -> None:
    seen = Example(witnesses(np.random.default_rng(1)), is_true)
    with pytest.raises(ValueError, match="right and wrong"):
        fit([Sample("agenda-1", (seen,), 1)], FLAT)


def test_the_same_examples_give_the_same_weights() -> None:
    assert fit(samples(50), FLAT) == fit(samples(50), FLAT)


def test_people_are_learned_from_or_measured_on_and_never_both() -> None:
    documents = [Sample(f"{kind}-{seed}", (), 0) for seed in range(200) for kind in ("agenda-scan", "agenda-fax")]
    to_fit, held_out = split(documents)
    assert {each.people for each in to_fit}.isdisjoint(each.people for each in held_out)
    assert 60 < len(held_out) < 140
    assert split(reversed(documents))[1] == held_out[::-1]


def test_a_missed_nam_counts_against_the_share_that_is_sure() -> None:
    documents = samples(300)
    missed = [replace(each, nams=2 * each.nams) for each in documents]
    sure = Weights("sure", -9.0, dict.fromkeys(EVIDENCE, 0.0) | {"check_character": 20.0}, {})
    right = [
        replace(each, examples=tuple(Example(e.witnesses, e.witnesses.checks.check_character) for e in each.examples))
        for each in documents
    ]
    whole, half = measure(right, sure), measure([replace(each, nams=2 * each.nams) for each in right], sure)
    assert whole.share_sure is not None
    assert half.share_sure == pytest.approx(whole.share_sure / 2)
    assert measure(missed, TRUE).log_loss == measure(documents, TRUE).log_loss


def test_a_layout_is_never_weighed_by_what_was_learned_from_it() -> None:
    usual, odd = samples(300), samples(300, seed=5)
    backwards = [
        Sample(f"odd-{number}", tuple(Example(e.witnesses, not e.is_true) for e in each.examples), each.nams)
        for number, each in enumerate(odd)
    ]
    together = [*usual, *backwards]
    assert measure_by_layout(together, FLAT).log_loss > measure(together, fit(together, FLAT)).log_loss + 0.2


@pytest.mark.parametrize(
    ("log_loss", "error", "worse"),
    [(0.02, 0.01, False), (0.0201, 0.01, True), (0.01, 0.0101, True), (0.019, 0.009, False), (0.020001, 0.01, False)],
)
def test_a_fit_is_worse_if_either_loss_is(log_loss: float, error: float, worse: bool) -> None:
    present = Fitness(100, 99, 0.02, 0.01, 0.99, 0.9)
    assert bool(Fitness(100, 99, log_loss, error, 0.99, 0.9).worse_than(present)) is worse


def test_a_fit_is_refused_if_it_is_worse_on_anything_that_is_held_out() -> None:
    good, bad = Fitness(100, 99, 0.02, 0.01, 0.99, 0.9), Fitness(100, 99, 0.03, 0.01, 0.99, 0.9)
    before = {"documents": good, "reviewed documents": good}
    assert Trial(FLAT, before, before).refusal == ""
    said = Trial(FLAT, before, before | {"reviewed documents": bad}).refusal
    assert said.endswith("on held-out reviewed documents: log loss 0.0300 instead of 0.0200")


def test_reviewed_documents_are_one_layout() -> None:
    assert {Sample(name, (), 0, is_reviewed=True).layout for name in ("agenda-scan-7", "0a1b2c")} == {"reviewed"}


def test_the_reliability_table_holds_every_proposal_once() -> None:
    documents = samples(100)
    table = reliability(documents, TRUE)
    assert sum(row.proposals for row in table) == 500
    assert all(row.low <= row.confidence and 0 <= row.right <= 1 for row in table)


def test_nothing_can_be_measured_without_a_proposal() -> None:
    with pytest.raises(ValueError, match="no proposal"):
        measure([Sample("empty-1", (), 0)], FLAT)


def test_only_confidences_with_witnesses_teach() -> None:
    found = score(Checks(True, True, True, None), reading=1.0, found_by=("pattern",))
    assert list(examples([(found, True), (0.5, False)])) == [Example(found.witnesses, True)]
