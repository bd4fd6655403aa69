"""HTTP requests: how many, and how long they took, by the name of their address.

A label is the name of an address in the URL table, never the path: names are as many as there are pages, and a path
holds ids or what somebody typed. A stream counts until its first byte.

Each process keeps its own counts. Where several serve one port (`uvicorn --workers`), PROMETHEUS_MULTIPROC_DIR names a
folder in which they keep them in files that any of them adds up; whoever starts them empties it first.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics
from prometheus_client.multiprocess import MultiProcessCollector

NOWHERE: Final = "none"
"""The route of static files, and of requests for what is not there."""
METHODS: Final = frozenset({"GET", "HEAD", "POST", "OPTIONS"})
"""Any other is "other": a method is a word of the client's."""
SECONDS_UP_TO: Final = (0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 5.0, 10.0)

disable_created_metrics()  # type: ignore[no-untyped-call]  # Files that processes share do not hold when they began.

requests = Counter(
    "namsite_http_requests", "HTTP requests answered.", ["route", "method", "status"], registry=None
)  # fmt: skip
seconds = Histogram(
    "namsite_http_request_seconds", "Seconds until the answer began.", ["route", "method"], registry=None,
    buckets=SECONDS_UP_TO,
)  # fmt: skip


class CountingMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        began = time.perf_counter()
        response = self.get_response(request)
        route = (request.resolver_match.view_name if request.resolver_match else "") or NOWHERE
        method = request.method if request.method in METHODS else "other"
        requests.labels(route, method, str(response.status_code)).inc()
        seconds.labels(route, method).observe(time.perf_counter() - began)
        return response


def register_with(registry: CollectorRegistry) -> None:
    """This process's counts, or those of all that share the folder."""
    if settings.PROMETHEUS_MULTIPROC_DIR:
        MultiProcessCollector(registry, settings.PROMETHEUS_MULTIPROC_DIR)  # type: ignore[no-untyped-call]
    else:
        registry.register(requests)
        registry.register(seconds)
