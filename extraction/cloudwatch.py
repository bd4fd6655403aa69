"""Alerts in AWS CloudWatch: how many of each kind are open and the worst figure, and an alarm for each kind.

Off unless CLOUDWATCH_NAMESPACE is set, and refused outside ca-central-1. What is sent are counts and figures of the
installation; no clinic, person, document or server is named. Metrics that cannot be sent are lost: the next minute has
newer ones. https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.db.models import Count

from extraction.alerts import EVERY, LOW_IS_WRONG, Reading
from extraction.models import Alert, AlertKind

logger = logging.getLogger(__name__)

EMF = "extraction.emf"
"""The logger of metrics that go with the log."""
REGION = "ca-central-1"
OPEN, FIGURE = "OpenAlerts", "WorstFigure"
# The scheduler waits for it, and its lease is half a minute.
_CONFIG = Config(connect_timeout=3, read_timeout=5, retries={"total_max_attempts": 1})


class Refused(Exception):
    """CloudWatch is not asked or says no. Its text is a sentence for whoever runs the installation."""


def publish(readings: Iterable[Reading], moment: datetime) -> bool:
    """Sends the metrics of this moment, if there is a namespace. False where CloudWatch does not take them.

    With CLOUDWATCH_EMF they are log lines, and whoever takes the log to CloudWatch takes them along.
    """
    if not settings.CLOUDWATCH_NAMESPACE:
        return True
    if settings.CLOUDWATCH_EMF:
        for document in embedded(_metrics(readings, moment), moment):
            logging.getLogger(EMF).info("metrics of alerts", extra={"emf": document})
        return True
    try:
        with _refusals_explained():
            _client().put_metric_data(
                Namespace=settings.CLOUDWATCH_NAMESPACE, MetricData=list(_metrics(readings, moment))
            )
    except Refused as error:
        logger.warning("the metrics could not be sent: %s", error)
        return False
    return True


def _metrics(readings: Iterable[Reading], moment: datetime) -> Iterator[dict[str, Any]]:
    counted = Alert.objects.filter(ended_at=None).order_by().values_list("kind").annotate(count=Count("pk"))
    open_ones = dict(counted)
    figures: dict[AlertKind, list[float]] = {}
    for reading in readings:
        figures.setdefault(reading.kind, []).append(reading.figure)
    for kind in AlertKind:
        about = {"Dimensions": _dimensions(kind), "Timestamp": moment}
        yield {"MetricName": OPEN, "Unit": "Count", "Value": float(open_ones.get(kind, 0)), **about}
        if kind in figures:
            worst = min(figures[kind]) if kind in LOW_IS_WRONG else max(figures[kind])
            yield {"MetricName": FIGURE, "Value": worst, **about}


def embedded(metrics: Iterable[dict[str, Any]], moment: datetime) -> Iterator[dict[str, Any]]:
    """The same metrics in the embedded metric format, a document for each set of dimensions that stand together.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """
    for dimensions, found in groupby(metrics, key=itemgetter("Dimensions")):
        together = list(found)
        directive = {
            "Namespace": settings.CLOUDWATCH_NAMESPACE,
            "Dimensions": [[each["Name"] for each in dimensions]],
            "Metrics": [{"Name": each["MetricName"], "Unit": each.get("Unit", "None")} for each in together],
        }
        yield {
            "_aws": {"Timestamp": int(moment.timestamp() * 1000), "CloudWatchMetrics": [directive]},
            **{each["Name"]: each["Value"] for each in dimensions},
            **{each["MetricName"]: each["Value"] for each in together},
        }


def put_alarms() -> list[str]:
    """Makes or renews an alarm for each kind; their names. Raises Refused.

    An alarm goes off while an alert of its kind is open, so one rule decides everywhere. That of the model server's
    health also goes off when nothing is heard: then nobody looks.
    """
    if not settings.CLOUDWATCH_NAMESPACE:
        raise Refused("CLOUDWATCH_NAMESPACE is not set.")
    with _refusals_explained():
        client = _client()
        for kind in AlertKind:
            client.put_metric_alarm(
                AlarmName=_alarm(kind),
                AlarmDescription=f"An alert of the NAM finder is open: {kind}",
                AlarmActions=list(settings.CLOUDWATCH_ALARM_ACTIONS),
                Namespace=settings.CLOUDWATCH_NAMESPACE,
                MetricName=OPEN,
                Dimensions=_dimensions(kind),
                Statistic="Maximum",
                Period=int(EVERY.total_seconds()),
                EvaluationPeriods=5,
                DatapointsToAlarm=1 if kind != AlertKind.HEALTH else 3,
                Threshold=0,
                ComparisonOperator="GreaterThanThreshold",
                TreatMissingData="breaching" if kind == AlertKind.HEALTH else "ignore",
            )
    return [_alarm(kind) for kind in AlertKind]


def _alarm(kind: AlertKind) -> str:
    return f"{settings.CLOUDWATCH_ALARM_PREFIX}{kind.value.replace('_', '-')}"


def _dimensions(kind: AlertKind) -> list[dict[str, str]]:
    return [{"Name": "Kind", "Value": kind.value}]


def _client() -> Any:
    if settings.AWS_REGION != REGION:
        raise Refused(f"AWS_REGION is not {REGION}.")
    return boto3.client("cloudwatch", region_name=REGION, endpoint_url=settings.AWS_ENDPOINT_URL, config=_CONFIG)


@contextmanager
def _refusals_explained() -> Iterator[None]:
    """Turns what boto3 raises into a sentence. AWS error codes are safe to show; they hold no data."""
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "unknown")
        raise Refused(f"CloudWatch refuses ({code}).") from error
    except (BotoCoreError, ValueError) as error:  # The latter for an address that is none.
        raise Refused(f"CloudWatch cannot be called ({type(error).__name__}).") from error
