"""The accuracy report: what is measured, the bars it is held against, and how it is written. Pure.

`manage.py report_accuracy` makes the documents, measures them and writes `docs/accuracy.md` from here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from textwrap import fill
from typing import Any

from extraction.evaluation import Evaluation
from extraction.scoring import Score, wilson

WIDTH = 120

MOST_CALIBRATION_ERROR = 0.02
LEAST_SHARE_SURE = 0.85
LEAST_DATES, LEAST_TIMES = 0.99, 0.98
LEAST_NAMS = 500
"""NAMs of each category that the bars ask for."""
LEAST_BETTER = 2
"""Kinds of document on which the model has to make the pattern finder better."""
EMPTY_PAGES = 200
"""Pages of each category that holds no NAM."""


@dataclass(frozen=True, slots=True)
class Category:
    """A row of the bars: a group of the corpus (`corpus.groups`), or `kinds` of its own.

    `precision` and `recall` are the least, 0..1, that proposals must reach; None where there is nothing to find and
    not one proposal may be made. `visits` says that dates and times have bars too. `sample` is how many times as many
    NAMs are measured as of others: the finders that miss one in a hundred cannot be told apart on 500.
    """

    name: str
    group: str = ""
    kinds: tuple[str, ...] = ()
    precision: float | None = None
    recall: float | None = None
    visits: bool = False
    sample: int = 1


CATEGORIES = (
    Category("born-digital", "born-digital", precision=1.0, recall=1.0, visits=True),
    Category("scan", "scan", precision=0.998, recall=0.995, visits=True),
    Category("phone photo", "photo", precision=0.998, recall=0.995),
    Category("rotated", "turned", precision=0.998, recall=0.995),
    Category("photocopy with decoys", "photocopy", precision=0.995, recall=0.99),
    Category("half handwritten", "handwritten", precision=0.99, recall=0.97, sample=3),
    Category("fax", "fax", precision=0.99, recall=0.90, sample=3),
    Category("empty", kinds=("empty-scan", "empty-photocopy", "empty-fax", "empty-photo")),
    Category(
        "decoys only",
        kinds=("remittance", "remittance-scan", "remittance-photocopy", "remittance-fax", "remittance-photo"),
    ),
)


@dataclass(frozen=True, slots=True)
class Measurement:
    """Everything the report says. `results` has each category's documents by kind; `rows` are those side by side.

    `software` is names with versions; `command` is what regenerates the report; `split` says where documents come from.
    `together` has each category's documents as pattern finder and model find them; empty without a model.
    """

    results: Mapping[str, Mapping[str, Evaluation]]
    rows: Sequence[Mapping[str, Any]]
    software: Sequence[str]
    command: str
    split: str
    together: Mapping[str, Evaluation] = field(default_factory=dict)


def report(measurement: Measurement) -> str:
    """The report as Markdown."""
    totals = {name: sum(kinds.values(), Evaluation()) for name, kinds in measurement.results.items()}
    parts = [
        _heading(measurement),
        _bars(totals),
        _visits(totals),
        _calibration(totals),
        _together(totals, measurement.together),
        _side_by_side(measurement.rows),
        _kinds(measurement.results),
        LIMITS,
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


LIMITS = """## What these figures do not say

All documents are synthetic: they show that nothing is lost on what the corpus draws, not what a given clinic's paper
looks like. Reviewers' decisions measure that, in the application. Intervals take NAMs as independent, although those of
one page share its print; the true ones are somewhat wider."""


def _heading(measurement: Measurement) -> str:
    return f"""# Accuracy

{fill(f"Written by `{measurement.command}`; do not edit. {measurement.split}", WIDTH)}

A proposal is right if all twelve characters and the page are. A NAM printed twice on a page must be proposed twice.
A hint, a reading too doubtful to be proposed, counts neither as found nor as wrong: what only a hint shows was missed.
Reader: `auto`, that is text layers and local OCR. Finder: the pattern finder{_model_too(measurement.rows)}.
{fill(f"Intervals are Wilson's, 95 %. Software: {', '.join(measurement.software)}.", WIDTH)}{_few(measurement)}"""


def _few(measurement: Measurement) -> str:
    """A warning where the bars ask for more NAMs or pages than were measured."""
    totals = {name: sum(kinds.values(), Evaluation()) for name, kinds in measurement.results.items()}
    few = [each.name for each in CATEGORIES if each.name in totals and not _enough(each, totals[each.name])]
    return "\n\n" + fill(f"**Measured on too little for the bars:** {', '.join(few)}.", WIDTH) if few else ""


def _enough(category: Category, result: Evaluation) -> bool:
    if category.recall is None:
        return result.pages >= EMPTY_PAGES
    return result.score.tp + result.score.fn >= LEAST_NAMS


def _model_too(rows: Sequence[Mapping[str, Any]]) -> str:
    asked = any(row["name"] == "ours: hybrid" and not row["missing"] for row in rows)
    return "; the model takes part where it is named" if asked else ", without a model"


# Our own figures


def _bars(totals: Mapping[str, Evaluation]) -> str:
    header = ("kind", "pages", "NAMs", "TP / FP / FN", "precision", "bar", "recall", "bar", "F1", "")
    known = [category for category in CATEGORIES if category.name in totals]
    return "## By kind of document\n\n" + table(header, [_bar_row(each, totals[each.name]) for each in known])


def _bar_row(category: Category, result: Evaluation) -> Sequence[str]:
    score, pages = result.score, str(result.pages)
    counts = (pages, str(score.tp + score.fn), counts_of(score))
    if category.precision is None:
        return (category.name, *counts, f"{score.fp} proposals", "0", "", "", "", _verdict(score.fp == 0))
    precision = (share(score.precision, score.precision_interval), f"≥ {percent(category.precision)}")
    recall = (share(score.recall, score.recall_interval), f"≥ {percent(category.recall)}")
    kept = reaches(score.precision, category.precision) and reaches(score.recall, category.recall)
    return (category.name, *counts, *precision, *recall, share(score.f1, score.f1_interval), _verdict(kept))


def _visits(totals: Mapping[str, Evaluation]) -> str:
    header = ("kind", "date right", "bar", "time right", "bar", "")
    known = [category for category in CATEGORIES if category.name in totals and category.precision is not None]
    rows = [_visit_row(each, totals[each.name]) for each in known]
    return "## Visit dates and times\n\nOf the NAMs that were found.\n\n" + table(header, rows)


def _visit_row(category: Category, result: Evaluation) -> Sequence[str]:
    found = result.score.tp
    dates = share(result.date_accuracy, wilson(result.dates_right, found))
    times = share(result.time_accuracy, wilson(result.times_right, found))
    if not category.visits:
        return (category.name, dates, "", times, "", "")
    kept = reaches(result.date_accuracy, LEAST_DATES) and reaches(result.time_accuracy, LEAST_TIMES)
    bars = (f"≥ {percent(LEAST_DATES)}", f"≥ {percent(LEAST_TIMES)}")
    return (category.name, dates, bars[0], times, bars[1], _verdict(kept))


def _calibration(totals: Mapping[str, Evaluation]) -> str:
    header = ("kind", "proposals", "calibration error", "99.9 % precise from", "NAMs from there on", "")
    total = sum(totals.values(), Evaluation())
    rows = [_calibration_row(name, result, bars=False) for name, result in totals.items() if result.outcomes]
    rows.append(_calibration_row("all", total, bars=True))
    return f"""## Confidence

The expected calibration error is the mean distance between confidence and the share that is right, over 15 bins of
equal width, each weighing as many proposals as it holds; bar: ≤ {MOST_CALIBRATION_ERROR}. From the lowest confidence at
which the precision of everything at or above it is 99.9 %, a reviewer may skim; bar: ≥ {percent(LEAST_SHARE_SURE)} of
all NAMs, missed ones included.

{table(header, rows)}"""


def _calibration_row(name: str, result: Evaluation, *, bars: bool) -> Sequence[str]:
    error, sure, share_sure = result.calibration_error, result.sure_from, result.share_sure
    kept = error is not None and error <= MOST_CALIBRATION_ERROR and reaches(share_sure, LEAST_SHARE_SURE)
    return (
        name,
        str(len(result.outcomes)),
        "–" if error is None else f"{error:.4f}",
        "–" if sure is None else f"{sure:.4f}",
        percent(share_sure),
        _verdict(kept) if bars else "",
    )


# With the model


def _together(alone: Mapping[str, Evaluation], together: Mapping[str, Evaluation]) -> str:
    """The pattern finder beside the same with the model's opinion; empty without a model."""
    if not together:
        return ""
    header = ("kind", "TP / FP / FN", "with the model", "dates right", "with it", "times right", "with it", "")
    known = [category.name for category in CATEGORIES if category.name in together]
    verdicts = [_compared(alone[name], together[name]) for name in known]
    rows = [
        (name, *_pairs(alone[name], together[name]), verdict) for name, verdict in zip(known, verdicts, strict=True)
    ]
    kept = "worse" not in verdicts and verdicts.count("better") >= LEAST_BETTER
    return f"""## The pattern finder and the model together

The same documents, read once. Better is who has fewer NAMs missed or false, and where these are as many, more dates and
times right. Bar: worse on no kind, and better on {LEAST_BETTER} at least: {_verdict(kept)}.

{table(header, rows)}"""


def _pairs(alone: Evaluation, together: Evaluation) -> Iterator[str]:
    yield from (counts_of(each.score) for each in (alone, together))
    for name in ("dates_right", "times_right"):
        yield from (str(getattr(each, name)) for each in (alone, together))


def _compared(alone: Evaluation, together: Evaluation) -> str:
    before, after = (
        (-(each.score.fp + each.score.fn), each.dates_right + each.times_right) for each in (alone, together)
    )
    return "same" if after == before else "better" if after > before else "worse"


def _kinds(results: Mapping[str, Mapping[str, Evaluation]]) -> str:
    header = ("kind", "layout", "pages", "TP / FP / FN", "precision", "recall", "date", "time", "s/page")
    rows = [_kind_row(name, *each) for name, kinds in results.items() for each in _by_layout(kinds).items()]
    return "## By layout\n\n" + table(header, rows)


def _by_layout(kinds: Mapping[str, Evaluation]) -> dict[str, Evaluation]:
    layouts: dict[str, Evaluation] = defaultdict(Evaluation)
    for kind, result in kinds.items():
        layouts[kind.partition("-")[0]] += result
    return dict(layouts)


def _kind_row(name: str, layout: str, result: Evaluation) -> Sequence[str]:
    score = result.score
    shares = (score.precision, score.recall, result.date_accuracy, result.time_accuracy)
    pace = f"{result.seconds / result.pages:.2f}" if result.pages else "–"
    return (name, layout, str(result.pages), counts_of(score), *map(percent, shares), pace)


# Side by side


def _side_by_side(rows: Sequence[Mapping[str, Any]]) -> str:
    ran = [row for row in rows if not row["missing"]]
    if not ran:
        return ""
    header = (
        "tool",
        "precision",
        "recall",
        "F1",
        "invented",
        "reading s/page",
        "finding s/page",
        "tokens/page",
        "lost",
    )
    names = [category.name for category in CATEGORIES if category.name in ran[0]["categories"]]
    return f"""## Side by side

Every tool in one run on the same {ran[0]["pages"]} pages, the first ones of each kind. Tools that take text get the
words that our reader read; `ocrmypdf` reads by itself (Tesseract, `fra+eng`, `--rotate-pages`). A value is invented if
it is false and does not stand in the text that was searched, look-alike characters counted as equal. An answer is lost
when it is refused, cut short or not what was asked for. Where ours is not the best, the table says so as well.

{table(header, [_tool_row(row) for row in rows])}

Precision and recall by kind; where there is nothing to find, the number of false proposals:

{table(("tool", *names), [(row["name"], *_by_category(row, names)) for row in ran])}"""


def _tool_row(row: Mapping[str, Any]) -> Sequence[str]:
    if row["missing"]:
        return (row["name"], row["missing"], *[""] * 7)
    # What does not read by itself shares our reader, whose time stands in our own rows.
    reading = f"{row['reading']:.3f}" if row["reading"] else "ours"
    tokens = "–" if row["tokens"] is None else f"{row['tokens']:.0f}"
    return (
        row["name"],
        share(row["precision"], row["precision_interval"]),
        share(row["recall"], row["recall_interval"]),
        percent(row["f1"]),
        str(row["hallucinated"]),
        reading,
        f"{row['finding']:.5f}",
        tokens,
        str(row["failed"]),
    )


def _by_category(row: Mapping[str, Any], names: Iterable[str]) -> Iterator[str]:
    for name in names:
        score = Score(**row["categories"][name])
        found = f"{percent(score.precision)} / {percent(score.recall)}"
        yield found if score.tp + score.fn else f"{score.fp} false"


# How figures are written


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def reaches(value: float | None, bar: float | None) -> bool:
    """Whether a share is known and not below its bar."""
    return value is not None and bar is not None and value >= bar


def counts_of(score: Score) -> str:
    """True, false and missed proposals."""
    return f"{score.tp} / {score.fp} / {score.fn}"


def percent(value: float | None) -> str:
    """99.52 %. Never rounded up to 100: one miss in many must stay in sight."""
    if value is None:
        return "–"
    shown = min(round(100 * value, 2), 99.99) if value < 1 else 100.0
    return f"{shown:.2f}".rstrip("0").rstrip(".") + " %"


def share(value: float | None, interval: Sequence[float] | None) -> str:
    """99.52 % (98.61–99.84)."""
    if value is None or interval is None:
        return percent(value)
    return f"{percent(value)} ({100 * interval[0]:.2f}–{100 * interval[1]:.2f})"


def _verdict(kept: bool) -> str:
    return "ok" if kept else "**missed**"
