"""All of it as Prometheus reads it: text, version 0.0.4 of the format."""

from __future__ import annotations

from django.utils import timezone
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from accounts import tenancy
from namsite.metrics import requests
from namsite.metrics.installation import Installation

CONTENT_TYPE = CONTENT_TYPE_LATEST


def exposition() -> bytes:
    """Raises database errors."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Installation(timezone.now()))
    requests.register_with(registry)
    with tenancy.scope(tenancy.EVERY):  # Sums of every clinic; no metric has a label that tells them apart.
        return generate_latest(registry)
