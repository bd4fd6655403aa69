"""What goes wrong, by name. A fault begins, lasts for some seconds, and ends; what it killed is started again by the
supervisor, as systemd does.

    @fault("name")
    def name(site: Site, chance: random.Random, hold: Hold) -> None
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import psycopg

from tests.chaos.proxy import Mode, Wire
from tests.chaos.site import HOSTS, Site

if TYPE_CHECKING:
    from collections.abc import Iterator

Hold = Callable[[float], None]
"""Waits so many seconds while the fault stands."""
Act = Callable[[Site, random.Random, Hold], None]
FAULTS: dict[str, Act] = {}

WORKERS = ("worker-1", "worker-2")
SCHEDULERS = ("scheduler-web", "scheduler-work")
LATE_MIGRATION = ("audit", "0009", "0012")
LONGEST_LOCK = 1.0
"""Seconds for which a statement may wait while a migration runs."""


def fault(name: str) -> Callable[[Act], Act]:
    def enter(act: Act) -> Act:
        FAULTS[name] = act
        return act

    return enter


# --- Killed ----------------------------------------------------------------------------------------------------------


@fault("worker-kill")
def kill_worker(site: Site, chance: random.Random, _hold: Hold) -> None:
    site.programs[chance.choice(WORKERS)].kill()


@fault("horse-kill")
def kill_horse(site: Site, chance: random.Random, hold: Hold) -> None:
    """The process of one run alone; its worker lives. Waits a little for one to be at work."""
    for _ in range(20):
        for name in chance.sample(WORKERS, 2):
            pids = site.programs[name].pids
            if len(pids) > 1:
                _signal(pids[1], signal.SIGKILL)
                return
        hold(0.1)


@fault("web-kill")
def kill_web(site: Site, _chance: random.Random, _hold: Hold) -> None:
    site.programs["web"].kill()


@fault("scheduler-kill")
def kill_scheduler(site: Site, chance: random.Random, _hold: Hold) -> None:
    for name in SCHEDULERS if chance.random() < 0.5 else (chance.choice(SCHEDULERS),):
        site.programs[name].kill()


@fault("valkey-kill")
def kill_valkey(site: Site, _chance: random.Random, _hold: Hold) -> None:
    """It comes back with its file."""
    site.programs["valkey"].kill()


@fault("valkey-forget")
def forget_valkey(site: Site, _chance: random.Random, _hold: Hold) -> None:
    """It comes back with nothing."""
    valkey = site.programs["valkey"]
    valkey.is_wanted = False
    try:
        valkey.kill()
        if valkey.process is not None:
            valkey.process.wait(10)
        for each in (site.folder / "valkey").iterdir():
            shutil.rmtree(each) if each.is_dir() else each.unlink()
    finally:
        valkey.is_wanted = True


@fault("postgres-restart")
def restart_postgres(site: Site, _chance: random.Random, _hold: Hold) -> None:
    """Its immediate shutdown: no checkpoint, every connection cut, recovery from the log."""
    site.programs["postgres"].send(signal.SIGQUIT)


@fault("postgres-kill")
def kill_postgres(site: Site, _chance: random.Random, _hold: Hold) -> None:
    site.programs["postgres"].kill()


@fault("backend-kill")
def kill_backends(site: Site, _chance: random.Random, _hold: Hold) -> None:
    """Every connection, by an administrator."""
    with suppress(psycopg.Error), site.cluster.connect() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )


@fault("vllm-kill")
def kill_vllm(site: Site, _chance: random.Random, _hold: Hold) -> None:
    site.programs["vllm"].kill()


# --- Frozen ----------------------------------------------------------------------------------------------------------


def _freeze(name: str, seconds: tuple[float, float]) -> Act:
    """Its kernel goes on answering for it: connections are taken and stay silent."""

    def act(site: Site, chance: random.Random, hold: Hold) -> None:
        program = site.programs[chance.choice(WORKERS) if name == "worker" else name]
        pids = program.pids
        for pid in pids:
            _signal(pid, signal.SIGSTOP)
        try:
            hold(chance.uniform(*seconds))
        finally:
            for pid in pids:
                _signal(pid, signal.SIGCONT)

    return act


def _signal(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


for _name, _seconds in {
    "vllm": (3, 25), "postgres": (2, 15), "valkey": (2, 20), "web": (2, 10), "worker": (65, 80),
}.items():  # fmt: skip
    FAULTS[f"{_name}-freeze"] = _freeze(_name, _seconds)


# --- Between hosts ---------------------------------------------------------------------------------------------------


@contextmanager
def _wires(site: Site, wires: list[Wire], mode: Mode, answer: Callable[[bytes], bytes] | None = None) -> Iterator[None]:
    for wire in wires:
        site.network.set_mode(wire, mode, answer)
    try:
        yield
    finally:
        for wire in wires:
            site.network.set_mode(wire, Mode.PASS)


@fault("partition")
def partition(site: Site, chance: random.Random, hold: Hold) -> None:
    """One host reaches nothing any more, and afterwards nobody remembers its connections."""
    wires = site.host_wires(chance.choice(HOSTS))
    with _wires(site, wires, Mode.STALL):
        hold(chance.uniform(5, 40))
        for wire in wires:
            site.network.hang_up(wire)


@fault("half-open")
def half_open(site: Site, chance: random.Random, hold: Hold) -> None:
    """A server's connections go silent, then are reset."""
    wires = site.wires_to(chance.choice(("postgres", "valkey", "aws", "vllm")))
    with _wires(site, wires, Mode.STALL):
        hold(chance.uniform(5, 25))
        for wire in wires:
            site.network.hang_up(wire)


@fault("cut")
def cut(site: Site, chance: random.Random, hold: Hold) -> None:
    """Answers end in the middle."""
    server = chance.choice(("postgres", "valkey", "aws", "vllm", "web"))
    for wire in site.wires_to(server):
        wire.cut_after = chance.randrange(1, 2000)
    with _wires(site, site.wires_to(server), Mode.CUT):
        hold(chance.uniform(1, 6))


@fault("reset")
def reset(site: Site, chance: random.Random, hold: Hold) -> None:
    with _wires(site, site.wires_to(chance.choice(("postgres", "valkey", "aws", "vllm", "web"))), Mode.RESET):
        hold(chance.uniform(0.5, 5))


# --- Services that refuse --------------------------------------------------------------------------------------------


def _response(status: str, body: str, kind: str) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return (head + body).encode()


def _aws(s3: tuple[str, str], textract: tuple[str, str]) -> Callable[[bytes], bytes]:
    """S3 speaks XML, Textract JSON; both stand behind one address. Each is (status line, error code)."""

    def answer(head: bytes) -> bytes:
        if b"x-amz-target: textract." in head.lower():
            return _response(textract[0], f'{{"__type": "{textract[1]}"}}', "application/x-amz-json-1.1")
        error = f'<?xml version="1.0"?><Error><Code>{s3[1]}</Code><Message>told to fail</Message></Error>'
        return _response(s3[0], error, "application/xml")

    return answer


@fault("aws-5xx")
def fail_aws(site: Site, chance: random.Random, hold: Hold) -> None:
    said = _aws(("500 Internal Server Error", "InternalError"), ("500 Internal Server Error", "InternalServerError"))
    with _wires(site, site.wires_to("aws"), Mode.ANSWER, said):
        hold(chance.uniform(2, 30))


@fault("aws-throttle")
def throttle_aws(site: Site, chance: random.Random, hold: Hold) -> None:
    said = _aws(("503 Slow Down", "SlowDown"), ("400 Bad Request", "ThrottlingException"))
    with _wires(site, site.wires_to("aws"), Mode.ANSWER, said):
        hold(chance.uniform(2, 30))


@fault("vllm-5xx")
def fail_vllm(site: Site, chance: random.Random, hold: Hold) -> None:
    def said(_head: bytes) -> bytes:
        return _response("503 Service Unavailable", "", "text/plain")

    with _wires(site, site.wires_to("vllm"), Mode.ANSWER, said):
        hold(chance.uniform(2, 20))


# --- The hosts themselves --------------------------------------------------------------------------------------------


@fault("disk-full")
def fill_disk(site: Site, chance: random.Random, hold: Hold) -> None:
    """The disk of the vault's keys, which is a small one of its own where this process may mount it."""
    if not site.is_small_disk:
        return
    filler = site.folder / "keys" / "filler"
    try:
        with suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        hold(chance.uniform(3, 10))
    finally:
        filler.unlink(missing_ok=True)


@fault("clock-jump")
def jump_clock(site: Site, chance: random.Random, hold: Hold) -> None:
    """The working host's wall clock is an hour wrong for a while, and one of its programs dies meanwhile."""
    site.set_clock(chance.choice((3600, -3600)))
    try:
        hold(chance.uniform(4, 10))
        site.programs[chance.choice((*WORKERS, "scheduler-work"))].kill()
        hold(2)
    finally:
        site.set_clock(0)


@fault("deploy")
def deploy(site: Site, _chance: random.Random, _hold: Hold) -> None:
    """A rolling restart of everything of ours, and a migration meanwhile that nobody may wait for."""
    app, before, after = LATE_MIGRATION
    watch = LockWatch(site)
    with suppress(RuntimeError):  # Another fault may take the database away: the next deployment goes on.
        site.manage("migrate", app, before, "--verbosity", "0")
    watch.start()
    try:
        for name in (*WORKERS, *SCHEDULERS, "web"):
            site.programs[name].send(signal.SIGTERM)
            if name == WORKERS[-1]:
                _migrate(site, app, after)
    finally:
        watch.is_over.set()
        watch.join()
    site.supervisor.errors += [f"a statement waited {watch.longest:.1f} s for a migration"] * (
        watch.longest > LONGEST_LOCK
    )


def _migrate(site: Site, app: str, after: str) -> None:
    for _ in range(20):
        try:
            site.manage("migrate", app, after, "--verbosity", "0")
        except RuntimeError:
            time.sleep(1)
        else:
            return
    site.supervisor.errors.append("the migration could not be applied")


class LockWatch(threading.Thread):
    """How long any statement waits for a lock on a table."""

    def __init__(self, site: Site) -> None:
        super().__init__(name="locks", daemon=True)
        self.site, self.is_over, self.longest = site, threading.Event(), 0.0

    def run(self) -> None:
        while not self.is_over.is_set():
            with suppress(psycopg.Error), self.site.cluster.connect() as connection:
                while not self.is_over.wait(0.05):
                    row = connection.execute(
                        "SELECT extract(epoch FROM max(clock_timestamp() - l.waitstart)) FROM pg_locks l"
                        " WHERE NOT l.granted AND l.locktype = 'relation'"
                    ).fetchone()
                    self.longest = max(self.longest, float(row[0] or 0) if row else 0.0)  # type: ignore[arg-type]
            self.is_over.wait(0.2)
