"""Queue, runs, pages, model servers, journal and alerts, as the tables and Redis say at the moment of the scrape.

A scrape costs the same number of queries however much there is, and looks at runs that are at work or ended within
`WITHIN`, so that it does not grow with the years. Labels are closed lists: states, codes, kinds, and the names of the
servers that pages go to.
"""

from __future__ import annotations

import platform
import tomllib
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

from django.conf import settings
from django.db.models import Count, F, Max, Q, Sum
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector
from redis.exceptions import RedisError

from audit import anchors
from audit.models import AnchorMark, ChainHead, Event
from audit.verbs import Verb
from extraction import monitoring, queue, traffic
from extraction.availability import UP, percentile
from extraction.errors import SENTENCES
from extraction.finders.pattern import RULES_VERSION
from extraction.models import ACTIVE, Alert, AlertKind, Lease, PageState, Run, RunPage, Sample, Status
from extraction.monitoring import UNKNOWN
from extraction.scheduler import LEASE

WITHIN: Final = timedelta(hours=1)
NEWEST_RUNS, NEWEST_PAGES = 1_000, 5_000
"""How many of them seconds are taken from."""
QUANTILES: Final = (0.5, 0.95, 1.0)
UNTRIED: Final = "untried"
"""The state of a page that has no row yet."""


class Installation(Collector):
    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def collect(self) -> Iterator[Metric]:
        """Raises database errors: without a database there is nothing to say."""
        yield InfoMetricFamily("namsite_build", "What runs here.", value=_build())
        yield from _queues(self.moment)
        yield from _runs(self.moment - WITHIN)
        yield from _stages(self.moment - WITHIN)
        yield from _models(self.moment)
        yield from _journal(self.moment)
        yield from _upkeep(self.moment)


def gauge(name: str, about: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"namsite_{name}", about, labels=labels)


@cache
def _build() -> dict[str, str]:
    with (settings.BASE_DIR / "pyproject.toml").open("rb") as file:
        version = tomllib.load(file)["project"]["version"]
    return {"version": version, "rules": RULES_VERSION, "python": platform.python_version()}


def _queues(moment: datetime) -> Iterator[Metric]:
    """Nothing of the queues while Redis is away: 0 would look as if nobody waited."""
    reachable = gauge("queue_reachable", "1 while Redis answers.")
    jobs = gauge("queue_jobs", "Jobs that wait for a worker.", "queue")
    oldest = gauge("queue_oldest_seconds", "How long the first job has waited; 0 without one.", "queue")
    workers = gauge("workers", "Workers that gave a sign of life in time.")
    try:
        for each in queue.every():
            jobs.add_metric([each.name], each.count)
            oldest.add_metric([each.name], queue.oldest_wait(each, moment).total_seconds())
        workers.add_metric([], queue.workers_alive(moment))
        reachable.add_metric([], 1)
    except RedisError:
        reachable.add_metric([], 0)
        yield reachable
        return
    yield from (reachable, jobs, oldest, workers)


def _runs(since: datetime) -> Iterator[Metric]:
    """Of runs that are at work or ended since then: their states, their pages', and what went wrong."""
    runs = gauge("runs", "Runs at work, and those that ended within the last hour.", "status")
    pages = gauge("pages", "Pages of these runs; untried ones of active runs only.", "status", "state")
    errors = gauge("errors", "Errors of these runs, and refused uploads, by code.", "where", "code")
    counts, states, codes = Counter[str](), Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    seen = Q(status__in=ACTIVE) | Q(finished_at__gte=since)
    by_code = Run.objects.filter(seen).values_list("status", "error_code")
    for status, code, count, total in by_code.annotate(count=Count("pk"), total=Sum("document__page_count")).order_by():
        counts[status] += count
        codes["run", code] += count
        states[status, UNTRIED] += total if status in ACTIVE else 0
    of_seen = RunPage.objects.filter(Q(run__status__in=ACTIVE) | Q(run__finished_at__gte=since))
    by_state = of_seen.values_list("run__status", "state", "error_code", "model_error_code")
    for status, state, code, model_code, count in by_state.annotate(count=Count("pk")).order_by():
        states[status, state] += count
        states[status, UNTRIED] -= count if status in ACTIVE else 0
        codes["page", code] += count
        codes["model", model_code] += count
    chains = ChainHead.objects.values("clinic_id")  # Events are found by their chain and time.
    refused = Event.objects.filter(clinic_id__in=chains, at__gte=since, verb=Verb.DOCUMENT_REJECTED)
    for code, count in refused.values_list("reason_code").annotate(count=Count("pk")).order_by():
        codes["upload", code] += count
    for status in Status:
        runs.add_metric([status.value], counts[status])
        for state in (UNTRIED, *PageState):
            pages.add_metric([status.value, str(state)], max(0, states[status, state]))
    for where, code in sorted(codes):
        if code:
            errors.add_metric([where, code if code in SENTENCES else "other"], codes[where, code])
    yield from (runs, pages, errors)


def _stages(since: datetime) -> Iterator[Metric]:
    """Runs that went through in one go, as on the page of availability: what waited for a service says nothing."""
    done = Run.objects.filter(status=Status.DONE, turn=0, finished_at__gte=since).order_by("-finished_at")
    times = done.values_list("created_at", "started_at", "finished_at")[:NEWEST_RUNS]
    runs = [(created, began, ended) for created, began, ended in times if began is not None and ended is not None]
    read = RunPage.objects.filter(run__status=Status.DONE, run__turn=0, run__finished_at__gte=since)
    pages = list(read.order_by("-run__finished_at").values_list("read_seconds", "find_seconds")[:NEWEST_PAGES])
    measured = {
        "waiting": [(began - created).total_seconds() for created, began, _ended in runs],
        "run": [(ended - began).total_seconds() for _created, began, ended in runs],
        "reading": [reading for reading, _finding in pages],
        "finding": [finding for _reading, finding in pages],
    }
    took = gauge("stage_seconds", "Seconds of a stage: waiting and run of a run, the others of a page.", "stage",
                 "quantile")  # fmt: skip
    count = gauge("stage_measured", "How many runs or pages these seconds are of.", "stage")
    for stage, values in measured.items():
        count.add_metric([stage], len(values))
        ordered = sorted(values)
        for share in QUANTILES if ordered else ():
            took.add_metric([stage, str(share)], percentile(ordered, share))
    yield from (took, count)


def _models(moment: datetime) -> Iterator[Metric]:
    """The newest fresh sample of each server (`docs/availability.md`): nobody who scrapes makes us ask a server."""
    up = gauge("model_up", "1 while the newest look found the server well.", "server", "role")
    state = gauge("model_state", "1 for what the newest look found, or unknown.", "server", "state")
    values = {
        "seconds": gauge("model_look_seconds", "Seconds of the newest look.", "server"),
        "age": gauge("model_look_age_seconds", "Seconds since the newest look.", "server"),
        "running": gauge("model_requests_running", "Requests that the server works on.", "server"),
        "waiting": gauge("model_requests_waiting", "Requests that wait at the server.", "server"),
        "cache_use": gauge("model_cache_use_ratio", "Share of the KV cache in use.", "server"),
        "prefix_hits": gauge(
            "model_prefix_hit_ratio", "Share of prompt tokens that the prefix cache spared.", "server"
        ),
    }
    roles = _roles()
    fresh = Sample.objects.filter(server__in=roles, minute__gt=moment - monitoring.STALE).order_by("minute")
    newest = {sample.server: sample for sample in fresh}
    for server, role in roles.items():
        sample = newest.get(server)
        said = sample.state if sample is not None else UNKNOWN
        up.add_metric([server, role], said == UP)
        state.add_metric([server, said], 1)
        numbers: dict[str, Any] = vars(sample) | {"age": (moment - sample.minute).total_seconds()} if sample else {}
        for name, family in values.items():
            if (value := numbers.get(name)) is not None:
                family.add_metric([server], value)
    yield from (up, state, *values.values())


def _roles() -> dict[str, str]:
    """The servers that pages go to. Settings with which none can be asked are the doctor's to tell."""
    try:
        return {each.name: "tried" if each.is_tried else "in_service" for each in traffic.watched()}
    except ValueError:
        return {}


def _journal(moment: datetime) -> Iterator[Metric]:
    """Of all chains together: a chain is a clinic's."""
    heads = ChainHead.objects.aggregate(chains=Count("pk"), events=Sum("seq"))
    behind = anchors.lagging().aggregate(events=Sum(F("seq") - F("anchored")))
    reached = AnchorMark.objects.filter(place=anchors.HERE).aggregate(at=Max("reached_at"))["at"]
    for name, about, value in (
        ("journal_chains", "Chains of the journal: one a clinic, and the platform's.", heads["chains"]),
        ("journal_events", "Events of all chains.", heads["events"] or 0),
        ("journal_unanchored_events", "Events behind their chain's newest anchor.", behind["events"] or 0),
    ):
        family = gauge(name, about)
        family.add_metric([], value)
        yield family
    age = gauge("journal_anchor_age_seconds", "Seconds since the newest anchor of any chain; absent without one.")
    if reached is not None:
        age.add_metric([], (moment - reached).total_seconds())
    yield age


def _upkeep(moment: datetime) -> Iterator[Metric]:
    alerts = gauge("alerts_open", "Alerts that last.", "kind")
    counted = dict(Alert.objects.filter(ended_at=None).values_list("kind").annotate(count=Count("pk")).order_by())
    for kind in AlertKind:
        alerts.add_metric([kind.value], counted.get(kind, 0))
    scheduler = gauge("scheduler_up", "1 while a scheduler holds the lease.")
    scheduler.add_metric([], Lease.objects.filter(name=LEASE, until__gt=moment).exists())
    yield from (alerts, scheduler)
