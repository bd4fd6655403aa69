"""How well the machine does, as signed-off pages tell it: a page to look at, and the same as a file."""

from __future__ import annotations

import csv
from itertools import product
from typing import Any

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.models import User
from accounts.policy import Right, has_right, requires
from accounts.requests import person
from audit.declared import journals_nothing
from extraction import usage
from extraction.monitoring import month_uptime
from review import agreement, quality, scores, second_queries
from review.agreement import Category
from review.quality import PERIODS

HOUR = 3600
_COLUMNS = ("pages", "nams", "tp", "fp", "fn", "precision", "recall", "f1", "f1_low", "f1_high", "day_right",
            "clock_right")  # fmt: skip
_AGREEMENT_COLUMNS = ("week", "pages", "items", "same", "same_share", "kappa", "kappa_low", "kappa_high")
_EFFORT_COLUMNS = ("week", "action", "items", "keys_median", "keys_p90", "presses_median", "presses_p90")
_BIN_COLUMNS = ("from", "to", "proposals", "right", "mean_confidence", "share_right", "low", "high")


@require_safe
@requires(Right.QUALITY)
@journals_nothing("figures only: no number, no person, no document")
def quality_page(request: HttpRequest) -> HttpResponse:
    """Of a month, a quarter or a year (`?period=`): figures, F1 by week, configurations, kinds, confusions, seconds."""
    user, today = person(request), timezone.localdate()
    period = _period(request)
    since = today - PERIODS[period]
    scores.catch_up(user)
    hidden = quality.hidden_scores(user)
    totals = quality.totals(user, since, hidden=hidden)
    reviewed = quality.reviewed(quality.scores(user, since, hidden=hidden))
    pages, runs = quality.newest_pages(reviewed), quality.newest_runs(user, since)
    weeks, handling = quality.weeks(totals, since, today), quality.handling(pages)
    context = {
        "period": period,
        "periods": list(PERIODS),
        "overall": quality.overall(weeks),
        "weeks": weeks,
        "chart": quality.chart(weeks),
        "configurations": quality.configurations(totals),
        "splits": {by: quality.split(totals, by) for by in ("kind", "form_kind")},
        "confusions": quality.confusions(reviewed),
        "paces": quality.paces(runs),
        "agreement": agreement.total(second_queries.agreement_by_week(user, since).values()),
        "standing": second_queries.standing(user),
        "handling": handling,
        "handled": quality.handled(handling.values()),
        "speed": quality.speed(runs),
        "calibration": quality.calibration(pages),
    }
    return render(request, "review/quality.html", context | _of_the_month(user))


def _of_the_month(user: User) -> dict[str, Any]:
    """For who may see them: uptime and the cost of a document, which take long to count, once an hour."""
    moment, found = timezone.now(), {}
    if has_right(user, Right.AVAILABILITY):
        found["month_uptime"] = cache.get_or_set("month-uptime", lambda: month_uptime(moment), HOUR)
    if has_right(user, Right.COSTS):
        key = f"month-cost-{user.clinic_id}"
        found["month_cost"] = cache.get_or_set(
            key, lambda: usage.this_month(user.clinic_id, moment).per_extraction, HOUR
        )
    return found


@require_safe
@requires(Right.QUALITY)
@journals_nothing("figures only: no number, no person, no document")
def calibration_file(request: HttpRequest) -> HttpResponse:
    """The bins of the calibration plot as CSV."""
    user = person(request)
    scores.catch_up(user)
    found = quality.reviewed(quality.scores(user, timezone.localdate() - PERIODS[_period(request)]))
    answer, writer = _csv("calibration.csv")
    writer.writerow(_BIN_COLUMNS)
    for each in quality.calibration(quality.newest_pages(found)).bins:
        ratios = (each.mean, each.share, *(each.interval or (None, None)))
        writer.writerow([f"{each.low:.4f}", f"{each.high:.4f}", each.count, each.right, *map(_decimals, ratios)])
    return answer


def _csv(name: str) -> tuple[HttpResponse, Any]:
    """An answer that is saved under this name, and what writes its rows."""
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer, csv.writer(answer)


def _decimals(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.4f}"


@require_safe
@requires(Right.QUALITY)
@journals_nothing("figures only: no number, no person, no document")
def quality_file(request: HttpRequest) -> HttpResponse:
    """The figures as CSV: by week as the chart has them, or by another name (`?by=`, one of SPLITS)."""
    user, today = person(request), timezone.localdate()
    since = today - PERIODS[_period(request)]
    scores.catch_up(user)
    by = next((each for each in quality.SPLITS if each == request.GET.get("by")), None)
    answer, writer = _csv(f"quality-{by}.csv" if by else "quality.csv")
    writer.writerow([by or "week", *_COLUMNS])
    totals = quality.totals(user, since)
    if by:
        rows = quality.split(totals, by)
    else:
        rows = [(week.begins.isoformat(), week.result) for week in quality.weeks(totals, since, today)]
    for name, result in rows:
        writer.writerow([name, *_figures(result)])
    return answer


def _figures(result: quality.Result) -> list[str | int]:
    """The columns of a result."""
    score = result.score
    ratios = (score.precision, score.recall, score.f1, *(score.f1_interval or (None, None)))
    counts = (result.pages, result.nams, score.tp, score.fp, score.fn)
    return [*counts, *map(_decimals, ratios), result.day_right, result.clock_right]


@require_safe
@requires(Right.QUALITY)
@journals_nothing("figures only: no number, no person, no document")
def agreement_file(request: HttpRequest) -> HttpResponse:
    """How far two reviewers agree, by week, as CSV: every pair of categories is a column."""
    user, today = person(request), timezone.localdate()
    weeks = second_queries.agreement_by_week(user, today - PERIODS[_period(request)])
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="agreement.csv"'
    writer = csv.writer(answer)
    pairs = list(product(Category, repeat=2))
    writer.writerow([*_AGREEMENT_COLUMNS, *(f"{one}/{other}" for one, other in pairs)])
    for begins, found in sorted(weeks.items()):
        ratios = (found.share, found.kappa, *(found.kappa_interval or (None, None)))
        shown = ("" if ratio is None else f"{ratio:.4f}" for ratio in ratios)
        counts = (found.table.get((one, other), 0) for one, other in pairs)
        writer.writerow([begins.isoformat(), found.pages, found.items, found.same, *shown, *counts])
    return answer


@require_safe
@requires(Right.QUALITY)
@journals_nothing("figures only: no number, no person, no document")
def effort_file(request: HttpRequest) -> HttpResponse:
    """Keys and pointer presses of an item as CSV, by week and action, and of all actions."""
    user = person(request)
    scores.catch_up(user)
    found = quality.reviewed(quality.scores(user, timezone.localdate() - PERIODS[_period(request)]))
    answer, writer = _csv("effort.csv")
    writer.writerow(_EFFORT_COLUMNS)
    for begins, week in quality.handling(quality.newest_pages(found)).items():
        for action, tally in {**week.by_action, "all": week.all}.items():
            spreads = (*(tally.keys or ("", "")), *(tally.presses or ("", "")))
            writer.writerow([begins.isoformat(), action, tally.items, *spreads])
    return answer


def _period(request: HttpRequest) -> str:
    asked = request.GET.get("period", "")
    return asked if asked in PERIODS else next(iter(PERIODS))
