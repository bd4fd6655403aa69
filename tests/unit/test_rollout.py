"""When a newcomer gets more pages and when it gets none: every rule by figures alone."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extraction.llm import rollout
from extraction.llm.rollout import LEAST_QUESTIONS, LEAST_TIMES, STEPS, Figures, gets, trigger, what_now

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
NEWCOMER = UUID(int=7)
GOOD = Figures(asked=200, seconds=(1.0,) * 200, seen=(0.0,) * 200, reviewed=(0.0,) * 60)
SHARES = [0, *(step.share for step in STEPS)]


def documents(count: int) -> list[UUID]:
    return [UUID(int=number << 64 | 0x8000_0000_0000_0000) for number in range(count)]


# --- Who is asked ----------------------------------------------------------------------------------------------------


@given(st.uuids(), st.uuids(), st.sampled_from(SHARES), st.sampled_from(SHARES))
def test_a_document_keeps_its_newcomer_as_the_share_grows(document, newcomer, one, other):
    small, large = sorted((one, other))
    assert gets(document, newcomer, large) or not gets(document, newcomer, small)


@given(st.uuids(), st.uuids())
def test_nobody_is_answered_from_the_shadow_and_everybody_at_a_hundred(document, newcomer):
    assert not gets(document, newcomer, 0)
    assert gets(document, newcomer, 100)


@pytest.mark.parametrize("share", [10, 25, 50, 75])
def test_a_share_is_about_as_large_as_it_says(share):
    taken = sum(gets(document, NEWCOMER, share) for document in documents(4000))
    assert taken == pytest.approx(40 * share, abs=120)


def test_every_newcomer_has_documents_of_its_own():
    first = {document for document in documents(1000) if gets(document, NEWCOMER, 10)}
    second = {document for document in documents(1000) if gets(document, UUID(int=8), 10)}
    assert len(first & second) < len(first) / 2


# --- Steps -----------------------------------------------------------------------------------------------------------


def test_the_steps_are_those_of_the_plan():
    hours = [(step.share, step.wait / timedelta(hours=1)) for step in STEPS]
    assert hours == [(10, 2), (25, 2), (50, 4), (75, 12), (100, 168)]


def test_the_first_step_follows_the_shadow_and_none_the_last():
    assert rollout.following(0) == STEPS[0]
    assert rollout.following(100) is None


def decide(*, share=10, waited=timedelta(hours=2), asked_since=LEAST_QUESTIONS, newcomer=GOOD, baseline=GOOD):
    return what_now(
        share=share, began=NOW - waited, asked_since=asked_since, newcomer=newcomer, baseline=baseline, now=NOW
    )


def test_a_healthy_newcomer_goes_on_when_its_time_has_come():
    assert decide() == ("go_on", None)


def test_no_step_is_taken_before_its_time():
    assert decide(waited=timedelta(hours=2) - timedelta(seconds=1)) == ("stay", None)


def test_waiting_alone_is_no_reason_to_go_on():
    assert decide(waited=timedelta(days=3), asked_since=LEAST_QUESTIONS - 1) == ("stay", None)


def test_a_newcomer_without_a_known_baseline_does_not_go_on():
    assert decide(baseline=Figures(asked=LEAST_QUESTIONS - 1)) == ("stay", None)


def test_only_a_person_ends_the_shadow():
    assert decide(share=0, waited=timedelta(days=3)) == ("stay", None)


def test_a_trigger_goes_before_the_next_step():
    assert decide(newcomer=Figures(asked=60, errors=10)) == ("roll_back", "errors")


# --- Triggers --------------------------------------------------------------------------------------------------------


def test_equal_figures_fire_nothing():
    assert trigger(GOOD, GOOD) is None


@pytest.mark.parametrize(
    ("asked", "errors", "fired"),
    [(2, 2, None), (3, 3, "errors"), (40, 2, None), (40, 3, "errors"), (200, 10, None), (200, 11, "errors")],
)
def test_more_than_one_error_in_twenty_fires_from_the_third_error_on(asked, errors, fired):
    assert trigger(Figures(asked=asked, errors=errors), GOOD) == fired


@given(st.integers(0, 200), st.integers(0, 200))
def test_more_errors_never_make_a_newcomer_better(errors, more):
    before, after = (trigger(Figures(asked=200, errors=min(200, n)), GOOD) == "errors" for n in (errors, errors + more))
    assert after or not before


@pytest.mark.parametrize("measure", ["seen", "reviewed"])
def test_a_newcomer_that_misses_everything_is_known_after_a_few_pages(measure):
    assert trigger(Figures(asked=8, **{measure: (1.0,) * 8}), GOOD) == "accuracy"


@pytest.mark.parametrize("measure", ["seen", "reviewed"])
def test_a_few_bad_pages_convict_nobody(measure):
    assert trigger(Figures(asked=2, **{measure: (1.0, 1.0)}), GOOD) is None


def test_five_points_less_are_allowed_and_six_are_not():
    baseline = Figures(asked=200, seen=(0.1,) * 200)
    assert trigger(Figures(asked=200, seen=(0.15,) * 200), baseline) is None
    assert trigger(Figures(asked=200, seen=(0.16,) * 200), baseline) == "accuracy"


def test_a_drop_that_chance_explains_fires_nothing():
    """A model that misses every third page differs from itself by more than five points in forty pages."""
    baseline = Figures(asked=200, seen=(0.0, 0.0, 1.0) * 66)
    newcomer = Figures(asked=40, seen=(0.0,) * 24 + (1.0,) * 16)
    assert trigger(newcomer, baseline) is None


def looks(newcomer_loss: float, baseline_loss: float, *, pages: int, seed: int) -> list[str | None]:
    """What the figures say after every ten pages of the newcomer, while the baseline has nine times as many."""
    rng = random.Random(seed)  # noqa: S311
    newcomer = [float(rng.random() < newcomer_loss) for _ in range(pages)]
    baseline = [float(rng.random() < baseline_loss) for _ in range(9 * pages)]
    return [
        trigger(
            Figures(asked=n, seen=tuple(newcomer[:n][-rollout.WINDOW :])),
            Figures(asked=9 * n, seen=tuple(baseline[: 9 * n][-rollout.WINDOW :])),
        )
        for n in range(10, pages + 1, 10)
    ]


@pytest.mark.parametrize("loss", [0.02, 0.3])
def test_equal_models_are_hardly_ever_sent_back(loss):
    sent_back = sum(any(looks(loss, loss, pages=300, seed=seed)) for seed in range(20))
    assert sent_back <= 1


def test_a_model_that_loses_a_fifth_of_the_pages_is_always_sent_back():
    assert all("accuracy" in looks(0.2, 0.02, pages=150, seed=seed) for seed in range(20))


def test_a_baseline_that_is_not_known_yet_convicts_nobody():
    assert trigger(Figures(asked=40, seen=(1.0,) * 40), Figures(asked=39, seen=(0.0,) * 39)) is None


def test_an_inaccurate_baseline_is_the_yardstick():
    poor = tuple([0.5] * 200)
    assert trigger(Figures(asked=200, seen=poor), Figures(asked=200, seen=poor)) is None


@pytest.mark.parametrize(("seconds", "fired"), [(2.0, None), (2.1, "slow")])
def test_more_than_twice_the_baselines_time_fires(seconds, fired):
    assert trigger(Figures(asked=40, seconds=(seconds,) * LEAST_TIMES), GOOD) == fired


def test_twice_as_many_milliseconds_fire_nothing():
    quick = replace(GOOD, seconds=(0.01,) * 200)
    assert trigger(Figures(asked=40, seconds=(0.1,) * LEAST_TIMES), quick) is None
    assert trigger(Figures(asked=40, seconds=(0.12,) * LEAST_TIMES), quick) == "slow"


def test_a_few_slow_pages_fire_nothing():
    assert trigger(Figures(asked=40, seconds=(60.0,) * (LEAST_TIMES - 1)), GOOD) is None
    assert trigger(Figures(asked=40, seconds=(1.0,) * 30 + (60.0,) * 10), GOOD) is None


@pytest.mark.parametrize(("minutes", "fired"), [(10, None), (11, "down")])
def test_more_than_ten_minutes_down_fire(minutes, fired):
    down = Figures(asked=200, errors=4, down_for=timedelta(minutes=minutes))
    assert trigger(down, GOOD) == fired


# --- A page's loss ---------------------------------------------------------------------------------------------------


@given(st.integers(0, 50), st.integers(0, 50))
def test_a_loss_is_a_share_and_grows_with_what_is_wrong(right, wrong):
    loss = rollout.loss(right=right, wrong=wrong)
    if loss is None:
        assert (right, wrong) == (0, 0)
    else:
        assert 0 <= loss <= 1
        assert rollout.loss(right=right, wrong=wrong + 1) >= loss


def test_a_page_without_numbers_has_no_loss():
    assert rollout.loss(right=0, wrong=0) is None
