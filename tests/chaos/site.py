"""A whole installation on two hosts of one machine: real processes, PostgreSQL, Valkey, and the network between them.

Web and one scheduler are one host, workers and the other scheduler another; each host has wires of its own to every
server, so that one host can be cut off. A supervisor starts again what ended, as systemd does.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from namsite import devservers
from namsite.devservers import free_port
from tests.chaos.proxy import LOOPBACK, Network, Wire
from tests.installation import PASSWORD, ROOT, answers, children, wait_until

HOSTS = ("web", "work")
RESTART_SECONDS = 1.0
START_SECONDS = 300.0  # of a machine that has much else to do
CLINIC = "chaos"
PEOPLE = {"staff": "accueil@chaos.example", "reviewer": "revision@chaos.example", "admin": "admin@chaos.example"}
WRONG_CLOCK = Path(__file__).with_name("clock")
SMALL_DISK = "8m"

SETUP = """
import json
from accounts import actions
people = {}
clinic = actions.create_clinic(name=%r)
for role, address in %r.items():
    user = actions.create_user(clinic=clinic, email=address, name=role.title(), role=role, password=%r, by=None)
    _token, text = actions.create_token(name="chaos", days=2, by=user)
    people[role] = {"address": address, "token": text, "clinic": str(clinic.pk)}
print(json.dumps(people))
"""


@dataclass
class Program:
    """One process that is kept running. `before` is called ahead of each start, by the supervisor."""

    name: str
    command: Callable[[], list[str | Path]]
    env: dict[str, str]
    log: Path
    user: int = devservers.SAME_USER
    before: Callable[[], None] = lambda: None
    after: Callable[[], None] = lambda: None
    is_wanted: bool = True
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0
    died_at: float = 0.0

    def start(self) -> None:
        self.before()
        with self.log.open("ab") as output:
            self.process = devservers.start(
                self.command(), output=output, environment=self.env, folder=ROOT, user=self.user
            )
        self.starts += 1
        self.after()

    @property
    def pids(self) -> list[int]:
        if self.process is None or self.process.poll() is not None:
            return []
        return [self.process.pid, *children(self.process.pid)]

    def send(self, number: int, *, family: bool = False) -> None:
        for pid in self.pids if family else self.pids[:1]:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def kill(self) -> None:
        """With everything it started, as a host that loses its power does."""
        self.send(signal.SIGKILL, family=True)
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)


class Supervisor(threading.Thread):
    """Starts every program, and again what ended. All starts happen here: the kernel ends a child with its thread."""

    def __init__(self) -> None:
        super().__init__(name="supervisor", daemon=True)
        self.programs: dict[str, Program] = {}
        self.is_over = threading.Event()
        self.errors: list[str] = []

    def run(self) -> None:
        while not self.is_over.is_set():
            for program in list(self.programs.values()):
                self._look_after(program)
            self.is_over.wait(0.1)
        for program in reversed(list(self.programs.values())):
            program.kill()
            if program.process is not None:
                program.process.wait()

    def _look_after(self, program: Program) -> None:
        process = program.process
        if process is not None and process.poll() is None:
            return
        if process is not None and not program.died_at:
            program.died_at = time.monotonic()
        if program.is_wanted and time.monotonic() - program.died_at >= (RESTART_SECONDS if process else 0):
            program.died_at = 0.0
            try:
                program.start()
            except Exception as error:  # The chaos goes on; the checker says what came of it.
                self.errors.append(f"{program.name}: {error!r}")


class Cluster(devservers.EmbeddedPostgres):
    """PostgreSQL on a port of loopback, kept running by the supervisor. `options` go to the server."""

    def __init__(self, options: dict[str, str] | None = None) -> None:
        super().__init__(LOOPBACK, settings={"max_connections": "60", "deadlock_timeout": "200ms"} | (options or {}))
        self.port, self.options, self.user = self._port, self._settings, self._user
        self.data, self.folder = self._data, self._folder

    @property
    def binaries(self) -> Path:
        return self._binaries

    def run(self, program: str, *arguments: str | Path) -> None:
        """One of PostgreSQL's own programs, to its end. Raises RuntimeError with what it said."""
        with self._log.open("ab") as output:
            process = devservers.start(
                [self.binaries / program, *arguments], output=output, user=self.user, folder=self.folder
            )
            if process.wait(300):
                raise RuntimeError(f"{program}: {self._log.read_text()[-2000:]}")

    def clear_away(self) -> None:
        """A lock file of a server that was killed names a process that may be somebody else's now."""
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def connect(self, **options: object) -> psycopg.Connection[tuple[object, ...]]:
        """Past every wire."""
        return psycopg.connect(
            host=LOOPBACK, port=self.port, user="postgres", dbname="postgres", connect_timeout=3, autocommit=True
        )

    def is_up(self) -> bool:
        try:
            self.connect().close()
        except psycopg.Error:
            return False
        return True


@dataclass
class Site:
    """One installation under a folder. `people` are addresses, tokens and the clinic by role."""

    folder: Path
    network: Network
    supervisor: Supervisor
    cluster: Cluster
    wires: dict[tuple[str, str], Wire] = field(default_factory=dict)
    envs: dict[str, dict[str, str]] = field(default_factory=dict)
    people: dict[str, dict[str, str]] = field(default_factory=dict)
    web_port: int = 0
    is_small_disk: bool = False

    @property
    def clock(self) -> Path:
        return self.folder / "clock"

    def set_clock(self, seconds: int) -> None:
        """How far the wall clock of the working host is ahead."""
        _write(self.clock, seconds)

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.wires['people', 'web'].port}"

    @property
    def programs(self) -> dict[str, Program]:
        return self.supervisor.programs

    def host_wires(self, host: str) -> list[Wire]:
        return [wire for (of, _server), wire in self.wires.items() if of == host]

    def wires_to(self, server: str) -> list[Wire]:
        return [wire for (_of, to), wire in self.wires.items() if to == server]

    def manage(self, *arguments: str, host: str = "", check: bool = True) -> str:
        """One management command to its end, past every wire unless a host is named."""
        env = self.envs[host or "direct"]
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=env,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        if check and done.returncode:
            raise RuntimeError(done.stderr[-3000:])
        return done.stdout

    def python(self, code: str) -> str:
        return self.manage("shell", "--no-imports", "-c", code).strip()

    def start(self, *names: str) -> None:
        for name in names or tuple(self.programs):
            self.programs[name].is_wanted = True


@contextmanager
def site(folder: Path, originals: bytes, options: dict[str, str] | None = None) -> Iterator[Site]:
    """An installation with people and no documents, all of it running. Nothing is left afterwards but `folder`."""
    for name in ("logs", "tmp", "valkey", "keys", "anchors"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "originals.pdf").write_bytes(originals)
    cluster = Cluster(options)
    is_small = _mount(folder / "keys")
    try:
        cluster.make()
        with Network() as network:
            made = Site(folder, network, Supervisor(), cluster, is_small_disk=is_small)
            try:
                _build(made)
                yield made
            finally:
                made.supervisor.is_over.set()
                if made.supervisor.is_alive():
                    made.supervisor.join()
    finally:
        if is_small:
            subprocess.run(["umount", folder / "keys"], check=False)
        shutil.rmtree(cluster.folder, ignore_errors=True)


def _mount(place: Path) -> bool:
    """A small disk of its own for the vault's keys, where this process may mount one."""
    if os.geteuid():
        return False
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK},mode=0700", "tmpfs", place], capture_output=True, check=False
    )
    return done.returncode == 0


def _build(made: Site) -> None:
    _servers(made)
    made.supervisor.start()
    wait_until(made.cluster.is_up, seconds=START_SECONDS)
    for name in ("vllm", "aws"):
        wait_until(lambda name=name: made.wires["web", name].target, seconds=START_SECONDS)
    made.envs["direct"] = _environment(made, None)
    for host in HOSTS:
        made.envs[host] = _environment(made, host)
    made.manage("make_anchor_key", str(made.folder / "anchor.pem"))
    made.manage("migrate", "--verbosity", "0")
    made.people = json.loads(made.python(SETUP % (CLINIC, PEOPLE, PASSWORD)))
    _application(made)
    wait_until(lambda: answers(made.url), seconds=START_SECONDS)


def _servers(made: Site) -> None:
    folder, programs = made.folder, made.supervisor.programs
    log = folder / "logs"
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "TMPDIR": str(folder / "tmp"), "LANG": "C.UTF-8"}
    valkey_port = free_port()
    (folder / "valkey.conf").write_text(
        f"bind {LOOPBACK}\nport {valkey_port}\nrequirepass chaos\ndir {folder / 'valkey'}\nappendonly yes\n"
        "appendfsync everysec\nmaxmemory 256mb\nmaxmemory-policy noeviction\nloglevel warning\n"
    )
    made.web_port = free_port()
    ports = {"postgres": made.cluster.port, "valkey": valkey_port, "vllm": 0, "aws": 0}
    for host in HOSTS:
        for server, port in ports.items():
            made.wires[host, server] = made.network.lay(f"{host}-{server}", port)
    made.wires["people", "web"] = made.network.lay("people-web", made.web_port)
    programs["postgres"] = Program(
        "postgres", made.cluster.command, env, log / "postgres.log", user=made.cluster.user,
        before=made.cluster.clear_away,
    )  # fmt: skip
    binary = devservers._valkey_binary()
    programs["valkey"] = Program("valkey", lambda: [binary, folder / "valkey.conf"], env, log / "valkey.log")
    for name, rest in (("vllm", []), ("aws", [folder / "originals.pdf"])):
        programs[name] = _stand_in(made, name, rest, env)


def _stand_in(made: Site, name: str, rest: list[Path], env: dict[str, str]) -> Program:
    """It says on which port it is; from then on the wires lead there."""
    said = made.folder / f"{name}.port"

    def follow() -> None:
        while not said.exists():
            if made.supervisor.is_over.wait(0.1):
                return
        for host in HOSTS:
            made.wires[host, name].target = int(said.read_text())

    return Program(
        name, lambda: [sys.executable, "-m", "tests.chaos.services", name, said, *rest],
        {**env, "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"},
        made.folder / "logs" / f"{name}.log",
        before=lambda: said.unlink(missing_ok=True),
        after=lambda: threading.Thread(target=follow, daemon=True).start(),
    )  # fmt: skip


def _environment(made: Site, host: str | None) -> dict[str, str]:
    folder = made.folder

    def port(server: str) -> int:
        wire = made.wires[host or "web", server]
        return wire.port if host else wire.target

    env = {
        "PATH": os.environ["PATH"], "ENV_FILE": os.devnull, "TESTING": "1", "MFA_REQUIRED": "0", "LANG": "C.UTF-8",
        "DJANGO_SETTINGS_MODULE": "namsite.settings", "TMPDIR": str(folder / "tmp"), "DATA_DIR": str(folder),
        "SECRET_KEY": "not-a-secret-only-a-test",
        "VAULT_KEYS": "k1:" + base64.b64encode(bytes(range(32))).decode(),
        "VAULT_INDEX_KEY": base64.b64encode(bytes(range(32, 64))).decode(),
        "VAULT_S3_BUCKET": "documents", "VAULT_KEY_DIR": str(folder / "keys"),
        "DATABASE_URL": f"postgres://postgres@{LOOPBACK}:{port('postgres')}/postgres",
        "REDIS_URL": f"redis://:chaos@{LOOPBACK}:{port('valkey')}/0",
        "LLM_ENDPOINT": f"http://{LOOPBACK}:{port('vllm')}/v1", "LLM_MODEL": "nam-extractor", "LLM_TIMEOUT": "15",
        "OCR_READER": "textract", "TEXTRACT_PAGES_PER_SECOND": "20", "TEXTRACT_ASYNC_PAGES": "1000",
        "AWS_ENDPOINT_URL": f"http://{LOOPBACK}:{port('aws')}", "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing", "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_REGION": "ca-central-1",
        "AUDIT_ANCHOR_KEY_FILE": str(folder / "anchor.pem"), "AUDIT_ANCHOR_DIRS": str(folder / "anchors"),
        "SECOND_REVIEW_SHARE": "0", "SECOND_REVIEW_RISKY_SHARE": "0", "LOG_LEVEL": "INFO",
    }  # fmt: skip
    if host == "work":
        made.set_clock(0)
        env |= {"PYTHONPATH": str(WRONG_CLOCK), "CHAOS_CLOCK": str(made.clock)}
    return env


def _write(clock: Path, seconds: int) -> None:
    part = clock.with_suffix(".part")
    part.write_text(str(seconds))
    part.replace(clock)


def _application(made: Site) -> None:
    log = made.folder / "logs"
    web = [sys.executable, "-m", "uvicorn", "namsite.asgi:application", "--host", LOOPBACK, "--port",
           str(made.web_port), "--log-level", "warning", "--lifespan", "off",
           "--timeout-graceful-shutdown", "10"]  # fmt: skip
    programs = {
        "web": Program("web", lambda: [*web], made.envs["web"] | {"DATABASE_POOL": "1"}, log / "web.log"),
        "scheduler-web": Program(
            "scheduler-web", _management("scheduler"), made.envs["web"], log / "scheduler-web.log"
        ),
        "worker-1": Program("worker-1", _management("worker"), made.envs["work"], log / "worker-1.log"),
        "worker-2": Program("worker-2", _management("worker"), made.envs["work"], log / "worker-2.log"),
        "scheduler-work": Program(
            "scheduler-work", _management("scheduler"), made.envs["work"], log / "scheduler-work.log"
        ),
    }
    made.supervisor.programs.update(programs)


def _management(command: str) -> Callable[[], list[str | Path]]:
    return lambda: [sys.executable, "manage.py", command]
