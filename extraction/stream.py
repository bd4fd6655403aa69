"""Following one run: what to tell a viewer, and when to stop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from extraction.models import Status

POLL_SECONDS = 0.7
KEEP_ALIVE_SECONDS = 15
LONGEST_SECONDS = 3600

Snapshot = Callable[[], Awaitable[tuple[str, dict[str, Any]]]]


async def follow(snapshot: Snapshot) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """Yields (event, body): `connected` at once, `progress` at each change, `completed` or `error` at the end.

    An empty event name is a sign of life for proxies. After an hour it ends without a last event; the browser then
    connects again by itself.
    """
    status, body = await snapshot()
    yield "connected", body
    quiet = 0.0
    for _turn in range(int(LONGEST_SECONDS / POLL_SECONDS)):
        if status == Status.DONE:
            yield "completed", body
            return
        if status == Status.FAILED:
            yield "error", body
            return
        await asyncio.sleep(POLL_SECONDS)
        before = body
        status, body = await snapshot()
        quiet += POLL_SECONDS
        if body != before and status not in (Status.DONE, Status.FAILED):
            yield "progress", body
            quiet = 0.0
        elif quiet >= KEEP_ALIVE_SECONDS:
            yield "", {}
            quiet = 0.0
