"""The accuracy report: verdicts against the bars, and figures that hide nothing."""

from __future__ import annotations

import pytest

from extraction.accuracy import CATEGORIES, Measurement, percent, report
from extraction.corpus.documents import KINDS
from extraction.corpus.groups import kinds_in
from extraction.evaluation import Evaluation
from extraction.scoring import Score


def measurement(results, rows=(), together=None):
    return Measurement(
        results, rows, ["Python 3"], "manage.py report_accuracy", "Documents are held out.", together or {}
    )


def verdicts(text, heading):
    """The first and last cells of the rows under a heading."""
    part = text.split(f"## {heading}")[1].split("\n## ")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in part.splitlines() if line.startswith("| ")]
    return {row[0]: row[-1] for row in rows[2:]}


def tool(name, **changes):
    counts = {"scan": {"tp": 8, "fp": 1, "fn": 2}, "empty": {"tp": 0, "fp": 3, "fn": 0}}
    shares = {"precision": 0.9, "recall": 0.8, "f1": 0.847, "precision_interval": None, "recall_interval": None}
    rest = {"hallucinated": 0, "reading": 0.0, "finding": 0.001, "tokens": None, "failed": 0}
    return {"name": name, "missing": "", "pages": 10, "categories": counts} | shares | rest | changes


@pytest.mark.parametrize(
    ("value", "shown"),
    [(1.0, "100 %"), (0.99999, "99.99 %"), (0.995, "99.5 %"), (0.9052, "90.52 %"), (0.0, "0 %"), (None, "–")],
)
def test_a_share_is_never_rounded_up_to_all(value, shown):
    assert percent(value) == shown


def test_a_kind_keeps_or_misses_its_bars():
    results = {
        "scan": {"list-scan": Evaluation(Score(tp=998, fp=1, fn=2), pages=50)},
        "fax": {"list-fax": Evaluation(Score(tp=890, fp=1, fn=110), pages=50)},
    }
    assert verdicts(report(measurement(results)), "By kind of document") == {"scan": "ok", "fax": "**missed**"}


def test_one_proposal_where_there_is_nothing_misses_the_bar():
    results = {
        "empty": {"empty-scan": Evaluation(Score(), pages=200)},
        "decoys only": {"invoice": Evaluation(Score(fp=1), pages=200)},
    }
    shown = verdicts(report(measurement(results)), "By kind of document")
    assert shown == {"empty": "ok", "decoys only": "**missed**"}


def test_too_few_numbers_for_the_bars_are_said_to_be():
    few = {"scan": {"list-scan": Evaluation(Score(tp=499), pages=50)}}
    enough = {"scan": {"list-scan": Evaluation(Score(tp=500), pages=50)}}
    assert "Measured on too little for the bars:** scan." in report(measurement(few))
    assert "Measured on too little" not in report(measurement(enough))


def test_visits_have_bars_on_clean_documents_only():
    right = Evaluation(Score(tp=100), dates_right=99, times_right=97, pages=9)
    shown = verdicts(report(measurement({"scan": {"a": right}, "fax": {"b": right}})), "Visit dates and times")
    assert shown == {"scan": "**missed**", "fax": ""}


def test_calibration_has_one_verdict_for_all():
    sure = Evaluation(Score(tp=100), pages=9, outcomes=((0.99, True),) * 100)
    doubtful = Evaluation(Score(tp=100, fp=100), pages=9, outcomes=((0.99, True), (0.99, False)) * 100)
    assert verdicts(report(measurement({"scan": {"a": sure}})), "Confidence")["all"] == "ok"
    assert verdicts(report(measurement({"scan": {"a": doubtful}})), "Confidence")["all"] == "**missed**"


def test_kinds_of_one_layout_stand_together():
    results = {"decoys only": {"invoice": Evaluation(pages=3), "invoice-fax": Evaluation(pages=4)}}
    assert "| decoys only | invoice | 7 |" in report(measurement(results))


def test_a_tool_that_did_not_run_says_why():
    rows = [tool("strict"), tool("LangExtract", missing="needs a model endpoint")]
    assert "| LangExtract | needs a model endpoint |" in report(measurement({}, rows))


def test_tools_are_compared_by_kind_and_false_proposals_counted_where_there_is_nothing():
    assert "| strict | 88.89 % / 80 % | 3 false |" in report(measurement({}, [tool("strict")]))


def test_without_peers_there_is_no_such_section():
    assert "Side by side" not in report(measurement({}))


def test_every_category_names_documents_that_can_be_made():
    for category in CATEGORIES:
        kinds = kinds_in(category.group, "held-out") if category.group else category.kinds
        assert kinds
        assert set(kinds) <= set(KINDS)


def test_only_categories_with_something_to_find_have_bars():
    for category in CATEGORIES:
        assert (category.precision is None) == (category.recall is None) == (not category.group)


TOGETHER = "The pattern finder and the model together"


def compared(*pairs):
    """The report on some kinds of document, each as the pattern finder alone and with the model: (score, visits)."""
    names = [category.name for category in CATEGORIES][: len(pairs)]
    alone, together = (
        [Evaluation(score, dates_right=visits, pages=50) for score, visits in side] for side in zip(*pairs, strict=True)
    )
    results = {name: {f"list-{name}": each} for name, each in zip(names, alone, strict=True)}
    return report(measurement(results, together=dict(zip(names, together, strict=True))))


def test_numbers_decide_before_visits_whether_the_model_made_it_better():
    text = compared(
        ((Score(tp=9, fn=1), 9), (Score(tp=10), 8)),
        ((Score(tp=10), 8), (Score(tp=10), 9)),
        ((Score(tp=10), 10), (Score(tp=10), 10)),
    )
    assert list(verdicts(text, TOGETHER).values()) == ["better", "better", "same"]
    assert "on 2 at least: ok." in text


def test_one_kind_that_is_worse_with_the_model_misses_the_bar():
    better = ((Score(tp=9, fn=1), 9), (Score(tp=10), 9))
    text = compared(better, better, ((Score(tp=10), 9), (Score(tp=10, fp=1), 9)))
    assert list(verdicts(text, TOGETHER).values()) == ["better", "better", "worse"]
    assert "on 2 at least: **missed**." in text


def test_without_a_model_nothing_is_said_of_both_together():
    assert TOGETHER not in report(measurement({"scan": {"list-scan": Evaluation(Score(tp=500), pages=50)}}))
