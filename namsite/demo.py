"""The demonstration: one invented clinic on this computer, every process it needs, one address.

`manage.py demo` only supervises. Whatever needs the demonstration's keys runs in child processes, which read them from
`.demo/demo.env`. Everything it keeps lies in `.demo/` (DATA_DIR); removing that folder makes the next one a new one.
"""

from __future__ import annotations

import base64
import fcntl
import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from extraction.llm import installing, profiles, starting
from extraction.llm.starting import Starting
from namsite import devservers
from namsite.devservers import CannotStart, EmbeddedRedis

ROOT = Path(__file__).resolve().parent.parent
CLINIC = "Clinique de démonstration"
PASSWORD = "demo-clinique-2026"  # noqa: S105  (shown to everybody on purpose; the demonstration listens on loopback)
FIRST_PORT = 8000
FIRST_PAGE_SECONDS = 60.0
RESTART_PAUSE = 2.0
GLANCE = 0.2


class Person(NamedTuple):
    email: str
    name: str
    role: str


PEOPLE = (
    Person("accueil@demo.example", "Camille Accueil", "staff"),
    Person("revision@demo.example", "Dominique Révision", "reviewer"),
    Person("admin@demo.example", "Sacha Administration", "admin"),
)
COLLEAGUES = (
    Person("revision2@demo.example", "Claude Seconde", "reviewer"),
    Person("revision3@demo.example", "Alex Tierce", "reviewer"),
)
"""Who is asked where pages are reviewed a second time, and where two people disagree."""
UPLOADED = "documents-uploaded"  # a file that says the documents need not be made again

PROFILE = "cpu-small"
MODEL_STATE = "model-state"
MODEL_SECONDS = 120.0  # for one question; two cores may have an OCR engine at work beside it

WELCOME = """
  La démonstration est prête :  {url}

    accueil          accueil@demo.example     téléverse des documents
    révision         revision@demo.example    confirme les NAM et signe les pages
    administration   admin@demo.example       gère les comptes, lit le journal, tient les registres
    mot de passe de chacun                    {password}

  Ouvrez une session comme révision, choisissez l’agenda, confirmez chaque NAM avec Entrée, puis signez la page.
  Tout y est inventé : n’y téléversez aucun vrai document. Pour arrêter : Ctrl-C.
{model_fr}
  The demonstration is ready: {url}
  Sign in as revision@demo.example, open the agenda, confirm each NAM with Enter, then sign the page.
  Everything in it is invented: upload no real document. Logs: {folder}/*.log. To stop: Ctrl-C.
{model_en}"""
MODEL_FR = "  Le modèle démarre à côté (quelques minutes la première fois) ; la liste des documents dit où il en est.\n"
MODEL_EN = "  The model starts beside it (a few minutes the first time); the list of documents says how far it is.\n"


class CannotRunDemo(Exception):
    """Its text is one sentence for the person at the terminal."""


# --- What a demonstration holds (runs in child processes) ------------------------------------------------------------


def prepare() -> None:
    """Tables, the key of the anchors, clinic and people. What is there already stays as it is."""
    from django.conf import settings
    from django.core.management import call_command
    from django.db import transaction

    from accounts import actions
    from accounts.models import Clinic, User
    from audit import signing

    call_command("migrate", verbosity=0)
    if settings.AUDIT_ANCHOR_KEY_FILE and not Path(settings.AUDIT_ANCHOR_KEY_FILE).exists():
        signing.make(Path(settings.AUDIT_ANCHOR_KEY_FILE))
    with transaction.atomic():
        clinic = Clinic.objects.filter(name=CLINIC).first()
        if clinic is None:
            clinic = actions.create_clinic(name=CLINIC)
            _uploaded().unlink(missing_ok=True)
        known = set(User.objects.filter(clinic=clinic).values_list("email", flat=True))
        for person in (*PEOPLE, *COLLEAGUES):
            if person.email not in known:
                actions.create_user(clinic=clinic, email=person.email, name=person.name, role=person.role,
                                    password=PASSWORD, by=None)  # fmt: skip


def upload_documents() -> None:
    """The invented documents of the first day, uploaded by the clinic's staff member, and what its registers show,
    once."""
    if _uploaded().exists():
        return
    from accounts.models import User
    from audit.origin import origin
    from extraction.actions import upload
    from extraction.corpus.documents import demo_documents
    from namsite import demo_registers

    staff, admin = (User.objects.get(email=person.email) for person in (PEOPLE[0], PEOPLE[-1]))
    documents = demo_documents()
    with origin("demo"):
        for name, document in documents:
            upload(data=document.pdf, file_name=name, by=staff)
        demo_registers.write(nam=documents[0][1].truth[0].nam, by=admin)
    _uploaded().touch()


def _uploaded() -> Path:
    from django.conf import settings

    return Path(settings.DATA_DIR) / UPLOADED


# --- What the supervisor does ----------------------------------------------------------------------------------------


@dataclass
class Child:
    """One process of the demonstration. `is_vital`: the demonstration ends with it; the others are started again."""

    name: str
    begin: Callable[[], subprocess.Popen[bytes]]
    is_vital: bool = False
    is_task: bool = False  # ends by itself
    process: subprocess.Popen[bytes] | None = None
    died_at: float | None = None


@dataclass
class Demo:
    """Starts and watches the processes; `folder` is DATA_DIR, `say` prints a line."""

    folder: Path
    say: Callable[[str], object]
    children: list[Child] = field(default_factory=list)
    redis: EmbeddedRedis | None = None
    is_stopping: bool = False

    def run(self) -> None:
        """Runs until a signal comes or the web server dies. Raises CannotRunDemo or CannotStart."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _only_one(self.folder) as note, _signals(self.request_stop):
            for log in self.folder.glob("*.log"):
                log.unlink()
            try:
                url = self._start()
                note(url)
                if not self.is_stopping:
                    self.say(self._welcome(url))
                self._watch()
            finally:
                self._stop()

    def _welcome(self, url: str) -> str:
        has_model = any(child.name == "model" for child in self.children)
        model = {"model_fr": MODEL_FR if has_model else "", "model_en": MODEL_EN if has_model else ""}
        return WELCOME.format(url=url, password=PASSWORD, folder=self.folder, **model)

    def request_stop(self) -> None:
        self.is_stopping = True

    def _start(self) -> str:
        """Brings everything up and returns the address, at which the first page answers by then."""
        environment = self._environment()
        port = devservers.free_port(int(os.environ.get("PORT", FIRST_PORT)))
        url = f"http://{devservers.LOOPBACK}:{port}/"
        self.say("Preparing the database and the accounts…")
        web = ["-m", "uvicorn", "namsite.asgi:application", "--host", devservers.LOOPBACK, "--port", str(port),
               "--log-level", "warning", "--no-access-log", "--no-server-header", "--lifespan", "off",
               "--timeout-graceful-shutdown", "2"]  # fmt: skip
        self._add("web", *web, environment=environment, is_vital=True)  # It loads while the tables are made.
        prepare = self._begin("prepare", "manage.py", "demo", "--prepare", environment=environment)
        if prepare.wait() != 0 and not self.is_stopping:
            raise CannotRunDemo(f"The database could not be prepared; see {self.folder / 'prepare.log'}.")
        self._wait_for_first_page(url)
        # The first documents are there to be looked at, and wait for no model.
        first = environment | {"LLM_ENDPOINT": "", "LLM_STATE_FILE": ""}
        self._add("documents", "manage.py", "demo", "--documents", environment=first, is_task=True)
        self._add("worker", "manage.py", "worker", environment=environment)
        self._add("scheduler", "manage.py", "scheduler", environment=environment)
        if environment.get("LLM_STATE_FILE"):
            self._add("model", "manage.py", "demo", "--model", environment=environment)
        return url

    def _environment(self) -> dict[str, str]:
        """What the children see: the demonstration's keys, and an embedded Redis unless REDIS_URL names another."""
        environment = {
            **os.environ,
            "ENV_FILE": str(write_keys(self.folder)),
            "DATA_DIR": str(self.folder),
            "AUDIT_ANCHOR_KEY_FILE": str(self.folder / "anchor.pem"),
            "DJANGO_SETTINGS_MODULE": "namsite.settings",
            "PYTHONUNBUFFERED": "1",
        }
        if not environment.get("REDIS_URL"):
            self.redis = EmbeddedRedis()
            self.children.append(Child("redis", self.redis.start, process=self.redis.start()))
            environment["REDIS_URL"] = self.redis.url
        return environment | self._model_server()

    def _model_server(self) -> dict[str, str]:
        """Where the demonstration's own model server will answer; nothing if DEMO_MODEL=0 or LLM_ENDPOINT is set."""
        if os.environ.get("DEMO_MODEL") == "0" or os.environ.get("LLM_ENDPOINT"):
            return {}
        try:
            profile = profiles.profile(PROFILE)
            prompt = installing.prompt_of(installing.adapter_of(profile))
        except installing.CannotInstall as error:
            self.say(str(error))
            return {}
        state = self.folder / MODEL_STATE
        starting.write(state, Starting("installing"))
        return {
            "LLM_ENDPOINT": f"http://{devservers.LOOPBACK}:{devservers.free_port()}/v1",
            "LLM_MODEL": profile.model,
            "LLM_PROMPT": prompt,
            "LLM_CONCURRENCY": str(profile.sequences),
            "LLM_TIMEOUT": str(MODEL_SECONDS),
            "LLM_STATE_FILE": str(state),
        }

    def _add(
        self, name: str, *arguments: str, environment: dict[str, str], is_vital: bool = False, is_task: bool = False
    ) -> None:
        def begin() -> subprocess.Popen[bytes]:
            return self._begin(name, *arguments, environment=environment)

        self.children.append(Child(name, begin, is_vital=is_vital, is_task=is_task, process=begin()))

    def _begin(self, name: str, *arguments: str, environment: dict[str, str]) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("ab") as log:
            return devservers.start([sys.executable, *arguments], output=log, environment=environment, folder=ROOT)

    def _wait_for_first_page(self, url: str) -> None:
        deadline = time.monotonic() + FIRST_PAGE_SECONDS
        while not self.is_stopping and not answers(url):
            self._look_after_children()
            if time.monotonic() > deadline:
                raise CannotRunDemo(f"The first page does not come; see {self.folder / 'web.log'}.")
            time.sleep(GLANCE)

    def _watch(self) -> None:
        while not self.is_stopping:
            self._look_after_children()
            time.sleep(GLANCE)

    def _look_after_children(self) -> None:
        for child in self.children:
            if child.process is None or child.process.poll() is None or self.is_stopping:
                continue
            status = child.process.returncode
            if child.is_task:
                child.process = None
                if status != 0:
                    self.say(f"{child.name} failed (status {status}); see {self.folder / child.name}.log.")
            elif child.is_vital:
                raise CannotRunDemo(f"{child.name} ended (status {status}); see {self.folder / child.name}.log.")
            elif child.died_at is None:
                child.died_at = time.monotonic()
                self.say(f"{child.name} ended (status {status}) and is started again.")
            elif time.monotonic() - child.died_at > RESTART_PAUSE:
                child.died_at, child.process = None, child.begin()

    def _stop(self) -> None:
        """Ends every child: all are asked, a second time after five seconds, and then killed."""
        running = [child.process for child in self.children if child.process is not None and child.name != "redis"]
        for seconds in (5.0, 3.0):
            for process in running:
                if process.poll() is None:
                    process.terminate()
            deadline = time.monotonic() + seconds
            while any(process.poll() is None for process in running) and time.monotonic() < deadline:
                time.sleep(0.05)
        for process in running:
            devservers.stop(process, seconds=0.1)
        if self.redis is not None:
            self.redis.stop()


def write_keys(folder: Path) -> Path:
    """The demonstration's environment file with keys of its own, made once."""
    path = folder / "demo.env"
    if path.is_file():
        return path

    def key() -> str:
        return base64.b64encode(secrets.token_bytes(32)).decode("ascii")

    lines = ("DEMO=1", f"SECRET_KEY={secrets.token_urlsafe(50)}", f"VAULT_KEYS=k1:{key()}", f"VAULT_INDEX_KEY={key()}")
    fresh = path.with_suffix(".new")
    fresh.touch(mode=0o600)
    fresh.write_text("\n".join(lines) + "\n")
    return fresh.rename(path)


def answers(url: str) -> bool:
    """Whether the page at `url`, or the one it leads to, comes."""
    # No proxy: the address is on this computer, whatever the environment says about the others.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=10) as response:
            return int(response.status) == 200  # noqa: PLR2004
    except (urllib.error.URLError, OSError):
        return False


@contextmanager
def _only_one(folder: Path) -> Iterator[Callable[[str], object]]:
    """Holds the folder's lock; what it yields notes the address for whoever finds the lock taken."""
    with (folder / "demo.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise CannotRunDemo(
                f"A demonstration is running already: {lock.read().strip() or 'it is starting'}"
            ) from None
        lock.truncate(0)

        def note(url: str) -> None:
            lock.write(f"{url} (process {os.getpid()})\n")
            lock.flush()

        yield note


@contextmanager
def _signals(stop: Callable[[], object]) -> Iterator[None]:
    """SIGINT and SIGTERM ask to stop; nothing is interrupted in the middle."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, lambda _number, _frame: stop()) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            with suppress(TypeError):
                signal.signal(number, handler)


def run(folder: Path, say: Callable[[str], object]) -> int:
    """The demonstration, until it is stopped. The exit status: 0 stopped, 1 with a sentence otherwise."""
    try:
        Demo(folder, say).run()
    except (CannotRunDemo, CannotStart) as error:
        say(str(error))
        return 1
    say("La démonstration est arrêtée. / The demonstration has stopped.")
    return 0
