"""How probes are run, and how what they said is shown: never raising, in time, with an exit status for programs."""

from __future__ import annotations

import json
import logging
import re
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from namsite.doctor import checklists, page, probes
from namsite.doctor.checklists import Checklist, answered
from namsite.doctor.probes import Outcome, Probe, Result, Section, State, broken, examine, not_used, ok, to_do

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "doctor.md"
NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)


def looked(outcome: Outcome, name: str = "disk", section: Section = Section.HOST) -> Result:
    return Result(name, section, outcome, 0.1)


WELL, DUE, SHUT, IDLE = ok("Well."), to_do("Due.", "Do it."), broken("Shut.", "Open it."), not_used("Idle.")


def run(look, *, seconds: float = 5.0) -> Outcome:
    (result,) = examine([Probe("one", Section.HOST, look, seconds=seconds)], known=[])
    return result.outcome


# --- Running ---------------------------------------------------------------------------------------------------------


def test_what_a_probe_raises_is_told_by_its_kind_alone():
    def look() -> Outcome:
        raise ValueError("TREM 0412 1925")

    said = run(look)
    assert (said.state, said.sentence) == (State.BROKEN, "The look broke off (ValueError).")


def test_a_probe_that_hangs_is_left_behind_and_broken():
    release = threading.Event()

    def look() -> Outcome:
        release.wait(30)
        return WELL

    began = time.monotonic()
    said = run(look, seconds=0.1)
    release.set()
    assert (said.state, said.sentence) == (State.BROKEN, "No answer within 0 seconds.")
    assert time.monotonic() - began < 10


def test_a_probe_speaks_english_as_every_command_does():
    from django.utils.translation import gettext

    assert run(lambda: ok(gettext("documents"))).sentence == "documents"


def test_log_lines_are_held_back_only_while_probes_run(caplog):
    with probes.quiet():
        logging.getLogger("namsite").error("between the lines")
    logging.getLogger("namsite").error("afterwards")
    assert [record.message for record in caplog.records] == ["afterwards"]


def test_what_stands_on_a_broken_probe_is_not_run():
    below = Probe("database", Section.SERVICES, lambda: SHUT)
    above = Probe("scheduler", Section.SERVICES, lambda: pytest.fail("it was run"), needs=("database",))
    (result,) = examine([above], known=[below, above])
    assert result.outcome == Outcome(State.BROKEN, "Could not be looked at: database is broken.")


def test_what_a_probe_needs_is_run_once_and_not_shown_unasked():
    asked = []
    below = Probe("database", Section.SERVICES, lambda: asked.append(1) or WELL)
    above = [Probe(name, Section.SERVICES, lambda: WELL, needs=("database",)) for name in ("one", "two")]
    assert [result.name for result in examine(above, known=[below, *above])] == ["one", "two"]
    assert asked == [1]


def test_one_probe_may_say_several_things_by_name():
    several = [
        Outcome(State.BROKEN, "One.", "Do.", name="namsite.E101"),
        Outcome(State.OK, "Two.", name="namsite.I109"),
    ]
    results = list(examine([Probe("checks", Section.SETTINGS, lambda: several)], known=[]))
    assert [(result.probe, result.name) for result in results] == [
        ("checks", "namsite.E101"),
        ("checks", "namsite.I109"),
    ]


def test_probes_stand_in_the_order_of_the_page_and_need_only_what_there_is():
    every = probes.every()
    sections = [each.section for each in every]
    assert sections == sorted(sections, key=list(Section).index)
    assert set(sections) == set(Section)
    names = {each.name for each in every}
    assert len(names) == len(every)
    assert {name for each in every for name in each.needs} <= names


def test_every_probe_and_no_other_is_in_the_documentation():
    table = DOCUMENT.read_text(encoding="utf-8").partition("## Probes")[2].partition("## ")[0]
    cells = [line.split("|")[2] for line in table.splitlines() if line.count("|") > 3]
    assert {name for cell in cells for name in re.findall(r"`([a-z-]+)`", cell)} == {
        each.name for each in probes.every()
    }


# --- Showing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcomes", "status"),
    [([], 0), ([WELL, IDLE], 0), ([IDLE], 0), ([WELL, DUE], 2), ([DUE, SHUT, WELL], 1)],
)
def test_the_exit_status_is_that_of_the_worst(outcomes, status):
    assert page.status([looked(outcome) for outcome in outcomes]) == status


def test_the_page_names_sections_states_and_what_to_do_next():
    results = [looked(WELL, "database", Section.SERVICES), looked(DUE), looked(SHUT, "clock"), looked(IDLE, "units")]
    assert page.as_text(results, coloured=False).splitlines() == [
        "What is reachable",
        "  ok        database  Well.",
        "",
        "The host",
        "  to do     disk      Due.",
        "  broken    clock     Shut.",
        "  not used  units     Idle.",
        "",
        "What to do next",
        "   1. clock: Open it.",
        "   2. disk: Do it.",
        "",
        "1 ok, 1 to do, 1 broken, 1 not used.",
    ]


def test_where_all_is_well_there_is_nothing_to_do_next():
    assert "What to do next" not in page.as_text([looked(WELL)], coloured=False)


def test_a_long_sentence_is_wrapped_under_itself(monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    lines = page.as_text([looked(ok("word " * 40))], coloured=False).splitlines()
    assert all(len(line) <= 60 for line in lines)
    assert lines[2].startswith(" " * 18 + "word")


def test_colour_is_for_terminals_only():
    assert "\033[31;1mbroken  \033[0m" in page.as_text([looked(SHUT)], coloured=True)
    assert "\033" not in page.as_text([looked(SHUT)], coloured=False)


def test_json_says_all_of_it():
    said = json.loads(json.dumps(page.as_json([looked(SHUT)], NOON)))
    assert said == {
        "at": "2026-11-27T12:00:00+00:00",
        "status": 1,
        "probes": [
            {
                "section": "host", "name": "disk", "state": "broken", "sentence": "Shut.", "next_step": "Open it.",
                "seconds": 0.1,
            }
        ],
    }  # fmt: skip


# --- Checklists ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("checklist", Checklist)
def test_a_checklist_is_answered_by_probes_that_exist(checklist):
    assert checklists.needed(checklist) <= {each.name for each in probes.every()}


def test_an_item_is_as_bad_as_the_worst_of_its_probes():
    results = [looked(WELL, name) for name in checklists.needed(Checklist.DEPLOYMENT) - {"settings-file"}]
    said = answered(Checklist.DEPLOYMENT, [*results, looked(SHUT, "settings-file")])
    wrong = [(each.name, each.outcome.sentence) for each in said if each.outcome.state is State.BROKEN]
    assert wrong == [("The environment is configured", "settings-file: Shut.")]


def test_what_no_command_can_check_is_a_persons_to_do():
    said = {each.name: each.outcome for each in answered(Checklist.DEPLOYMENT, [])}
    assert said["The tests pass"] == to_do("For a person to say.", "make test")
