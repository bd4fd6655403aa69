"""Where the work of this moment comes from: one request, one job or one command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Origin:
    """`component` is web, api, worker or command; `ip` is empty where no network peer is involved."""

    component: str = "command"
    request_id: str = ""
    ip: str = ""


_origin: ContextVar[Origin] = ContextVar("origin", default=Origin())  # noqa: B039  (frozen)


def current_origin() -> Origin:
    return _origin.get()


@contextmanager
def origin(component: str, *, request_id: str = "", ip: str = "") -> Iterator[None]:
    """Everything recorded or logged inside carries this origin."""
    token = _origin.set(Origin(component, request_id, ip))
    try:
        yield
    finally:
        _origin.reset(token)
