"""Where the work of this moment comes from: one request, the job that it asked for, or one command."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

# 32 hexadecimal digits, as uuid4().hex and nginx's $request_id are, or a UUID with its hyphens. Nothing else: no name
# fits in, and nothing of somebody's making.
_REQUEST_ID: Final = re.compile(r"[0-9a-f]{8}(-?)(?:[0-9a-f]{4}\1){3}[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Origin:
    """`component` is web, api, worker or command; `ip` is empty where no network peer is involved.

    `request_id` is the HTTP request's, also in the job that it asked for; `run_id` is empty outside of a job.
    """

    component: str = "command"
    request_id: str = ""
    ip: str = ""
    run_id: str = ""


_origin: ContextVar[Origin] = ContextVar("origin", default=Origin())  # noqa: B039  (frozen)


def current_origin() -> Origin:
    return _origin.get()


@contextmanager
def origin(component: str, *, request_id: str = "", ip: str = "", run_id: str = "") -> Iterator[None]:
    """Everything recorded or logged inside carries this origin."""
    token = _origin.set(Origin(component, request_id, ip, run_id))
    try:
        yield
    finally:
        _origin.reset(token)


def well_formed(said: str) -> str:
    """The id of a request as 32 hexadecimal digits, or "" for anything that is none."""
    return said.replace("-", "") if _REQUEST_ID.fullmatch(said) else ""
