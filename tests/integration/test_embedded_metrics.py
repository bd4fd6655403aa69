"""Metrics in log lines: what CloudWatch Logs takes for metrics, and the same ones as are sent otherwise.

`SCHEMA` and `broken_rules` are AWS's rules, written down from "Specification: Embedded metric format":
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta

import jsonschema
import pytest

from extraction import cloudwatch
from extraction.alerts import Reading
from extraction.models import AlertKind
from namsite.logs import JsonFormatter, LineFormatter, ScrubFilter
from tests.factories import AlertFactory, some_nam

pytestmark = pytest.mark.django_db

SIZES = [
    f"{prefix}{size}".capitalize() for prefix in ("", "kilo", "mega", "giga", "tera") for size in ("bytes", "bits")
]
UNITS = ["Seconds", "Microseconds", "Milliseconds", "Percent", "Count", "Count/Second", "None", *SIZES]
UNITS += [f"{size}/Second" for size in SIZES]
NAME = {"type": "string", "minLength": 1, "maxLength": 1024}
METRIC = {
    "type": "object",
    "required": ["Name"],
    "additionalProperties": False,
    "properties": {"Name": NAME, "Unit": {"enum": UNITS}, "StorageResolution": {"enum": [1, 60]}},
}
DIMENSIONS = {"type": "array", "maxItems": 30, "items": {"type": "string", "minLength": 1, "maxLength": 250}}
DIRECTIVE = {
    "type": "object",
    "required": ["Namespace", "Dimensions", "Metrics"],
    "additionalProperties": False,
    "properties": {
        "Namespace": NAME,
        "Dimensions": {"type": "array", "minItems": 1, "items": DIMENSIONS},
        "Metrics": {"type": "array", "minItems": 1, "maxItems": 100, "items": METRIC},
    },
}
METADATA = {
    "type": "object",
    "required": ["Timestamp", "CloudWatchMetrics"],
    "properties": {
        "Timestamp": {"type": "integer", "minimum": 0},
        "CloudWatchMetrics": {"type": "array", "minItems": 1, "items": DIRECTIVE},
    },
}
SCHEMA = {"type": "object", "required": ["_aws"], "properties": {"_aws": METADATA}}
OLDEST, NEWEST = timedelta(days=14), timedelta(hours=2)
LARGEST = 1024 * 1024

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)


def broken_rules(line, moment):
    """What the specification says beside its schema: what is referred to is there, of its type, and not too old."""
    document = json.loads(line)
    jsonschema.validate(document, SCHEMA)
    written = datetime.fromtimestamp(document["_aws"]["Timestamp"] / 1000, UTC)
    found = [] if moment - OLDEST < written < moment + NEWEST else ["too old or too new"]
    found += [] if len(line.encode()) <= LARGEST else ["too large"]
    for directive in document["_aws"]["CloudWatchMetrics"]:
        for metric in directive["Metrics"]:
            value = document.get(metric["Name"])
            if isinstance(value, bool) or not isinstance(value, int | float):
                found.append(f"{metric['Name']} is no number")
        for name in {name for names in directive["Dimensions"] for name in names}:
            if not isinstance(document.get(name), str) or not 1 <= len(document[name]) <= 1024:
                found.append(f"{name} is no text")
    return found


@pytest.fixture
def lines(settings):
    settings.CLOUDWATCH_NAMESPACE, settings.CLOUDWATCH_EMF = "NAMExtraction", True
    kept: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record):
            kept.append(self.format(record))

    handler = Keep()
    handler.addFilter(ScrubFilter())
    handler.setFormatter(JsonFormatter())
    logging.getLogger().addHandler(handler)
    yield kept
    logging.getLogger().removeHandler(handler)


def readings(clinic):
    return [
        Reading(AlertKind.RECALL, 0.8, True, clinic.pk),
        Reading(AlertKind.RECALL, 0.6, True, subject="another"),
        Reading(AlertKind.TOTAL_TIME, 61.0, True, clinic.pk),
    ]


def test_a_line_is_a_metric_by_the_rules_of_the_specification(lines, clinic):
    assert cloudwatch.publish(readings(clinic), NOON)
    assert len(lines) == len(AlertKind)
    assert [broken_rules(line, NOON) for line in lines] == [[]] * len(lines)


@pytest.mark.parametrize(
    "spoilt",
    [
        lambda document: document.pop("OpenAlerts"),
        lambda document: document.update(Kind=7),
        lambda document: document["_aws"].update(Timestamp=0),
    ],
)
def test_a_line_that_is_none_would_be_noticed(lines, clinic, spoilt):
    cloudwatch.publish(readings(clinic), NOON)
    document = json.loads(lines[0])
    spoilt(document)
    assert broken_rules(json.dumps(document), NOON)


def test_the_metrics_are_those_that_are_sent_otherwise(lines, clinic):
    AlertFactory(clinic=clinic, kind="recall")
    cloudwatch.publish(readings(clinic), NOON)
    sent = {
        (each["MetricName"], each["Dimensions"][0]["Value"], each["Value"], each.get("Unit", "None"))
        for each in cloudwatch._metrics(readings(clinic), NOON)
    }
    logged = {
        (metric["Name"], document["Kind"], document[metric["Name"]], metric["Unit"])
        for document in map(json.loads, lines)
        for metric in document["_aws"]["CloudWatchMetrics"][0]["Metrics"]
    }
    assert logged == sent
    assert ("OpenAlerts", "recall", 1.0, "Count") in logged
    assert ("WorstFigure", "recall", 0.6, "None") in logged


def test_aws_is_not_asked(lines, clinic, monkeypatch):
    monkeypatch.setattr(cloudwatch, "_client", lambda: pytest.fail("asked AWS"))
    assert cloudwatch.publish(readings(clinic), NOON)


def test_no_clinic_is_named(lines, clinic):
    cloudwatch.publish(readings(clinic), NOON)
    assert [line for line in lines if str(clinic.pk) in line or clinic.name in line or "another" in line] == []


def test_only_ours_adds_members_to_a_line():
    record = logging.LogRecord("pikepdf", logging.INFO, __file__, 1, "x", (), None)
    record.emf = {"page": some_nam(1)}
    ScrubFilter().filter(record)
    assert some_nam(1) not in JsonFormatter().format(record)


def test_lines_for_people_hold_no_metrics():
    record = logging.LogRecord(cloudwatch.EMF, logging.INFO, __file__, 1, "metrics of alerts", (), None)
    record.emf = {"_aws": {}}
    assert "_aws" not in LineFormatter().format(record)
