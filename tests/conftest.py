"""What every test stands on: an environment of its own, people, a real Redis on demand, no way out to the network."""

from __future__ import annotations

import atexit
import importlib
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.conf import settings
from django.test import Client, TransactionTestCase, override_settings
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

FOLDER = Path(tempfile.mkdtemp(prefix="namsite-tests-"))
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)

# Port 1 answers nobody: a test that needs Redis asks for it (`redis_server`), and no other can write into one that
# happens to run on this machine. The keys are public and open nothing but what tests seal.
ENVIRONMENT = {
    "ENV_FILE": os.devnull,
    "TESTING": "1",
    "DATA_DIR": str(FOLDER),
    "VAULT_DIR": str(FOLDER / "files"),
    "SECRET_KEY": "for-tests-only-" + "0123456789" * 5,
    "VAULT_KEYS": "k1:dGVzdHMtb25seS10ZXN0cy1vbmx5LXRlc3RzLW9ubHk=",
    "VAULT_INDEX_KEY": "aW5kZXgtdGVzdHMtb25seS1pbmRleC10ZXN0cy1vbmw=",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "OCR_READER": "local",
    "LLM_ENDPOINT": "",
    "LLM_ALLOWED_HOSTS": "",
    "LLM_STATE_FILE": "",
    "DEMO_MODEL": "0",
    "HF_ENDPOINT": "http://127.0.0.1:1",
    "HF_TOKEN": "",
    "VLLM_PYTHON": "",
    "AWS_ENDPOINT_URL": "",
    "AWS_REGION": "ca-central-1",
    "VAULT_KMS_KEY_ID": "",
    "VAULT_S3_BUCKET": "",
    "AUDIT_ANCHOR_KEY_FILE": "",
    "AUDIT_ANCHOR_S3_BUCKET": "",
    "LOG_LEVEL": "INFO",
    # A test that is about second reviews asks for them; in every other one no lot may hide a page.
    "SECOND_REVIEW_SHARE": "0",
    "SECOND_REVIEW_RISKY_SHARE": "0",
    # boto3 must find no real account and ask no metadata service.
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    # Playwright's own loop runs in the thread of the test; the database is used from there all the same.
    "DJANGO_ALLOW_ASYNC_UNSAFE": "1",
}
FOREIGN = (
    "DEBUG",
    "DEMO",
    "HTTPS",
    "MFA_REQUIRED",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
)
for name in FOREIGN:
    os.environ.pop(name, None)
os.environ.update(ENVIRONMENT)
os.environ["DJANGO_SETTINGS_MODULE"] = "namsite.settings"
if settings.configured:
    # pytest-django has read the settings before this file when pyproject.toml or the command line names them.
    fresh = importlib.reload(importlib.import_module("namsite.settings"))
    for name in filter(str.isupper, dir(fresh)):
        setattr(settings, name, getattr(fresh, name))

hypothesis_settings.register_profile(
    "repeatable", derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("repeatable")

from tests.installation import CHROMIUM  # noqa: E402  (after the environment is set)

PASSWORD = "Une-phrase-de-passe-2026"
NO_CHROMIUM = "no Chromium on this machine (set CHROMIUM to one)"


# --- Limits ----------------------------------------------------------------------------------------------------------


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    # pytest-socket reads its options after this: loopback and sockets in the file system, nothing else.
    config.option.allow_hosts = "127.0.0.1,::1,localhost"
    config.option.allow_unix_socket = True


def pytest_unconfigure() -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)  # A process of pytest-xdist ends without its atexit functions.


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skips each browser journey by its own name, so that the summary lists what could not run."""
    for item in items:
        needs_browser = item.get_closest_marker("browser") or "chromium" in getattr(item, "fixturenames", ())
        if needs_browser and CHROMIUM is None:
            item.add_marker(pytest.mark.skip(reason=f"{item.name}: {NO_CHROMIUM}"))


@pytest.fixture(scope="session", autouse=True)
def no_process_left() -> Iterator[None]:
    """Fails the session when a test leaves a child process behind."""
    yield
    left = [child for child in psutil.Process().children(recursive=True) if child.status() != psutil.STATUS_ZOMBIE]
    # Python's own helper for shared memory ends with this process.
    left = [child for child in left if "multiprocessing.resource_tracker" not in " ".join(child.cmdline())]
    assert not left, f"left behind: {[' '.join(child.cmdline())[:120] for child in left]}"


@pytest.fixture(scope="session", autouse=True)
def quick_settings() -> Iterator[None]:
    """A password hash that costs nothing, and a cache that needs no server."""
    quick = override_settings(
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
    )
    with quick:
        yield


# --- Database --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def django_db_modify_db_settings(request: pytest.FixtureRequest) -> None:
    """SQLite in a file of its own (worker processes open it too), not synchronised to the disk."""
    from django.db import connections

    # Not the settings': they were read again above, and the connections may know the first reading.
    database = connections.settings["default"]
    if database["ENGINE"] == "django.db.backends.sqlite3":
        database.setdefault("TEST", {})["NAME"] = str(FOLDER / "tests.sqlite3")
        database["OPTIONS"]["init_command"] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"
    request.getfixturevalue("django_db_modify_db_settings_parallel_suffix")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """On PostgreSQL a thread that ended without closing its connection would keep the database from being removed."""
    yield
    from django.db import connection

    if connection.vendor == "postgresql":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


@pytest.fixture(scope="session", autouse=True)
def journal_can_be_emptied() -> Iterator[None]:
    """Between transactional tests the tables are emptied, which the triggers of the journal and of the registers
    refuse: they step aside."""
    from django.db import connection

    from audit import triggers
    from audit.registers import triggers as registers

    empty = TransactionTestCase._fixture_teardown

    def empty_without_triggers(case: TransactionTestCase) -> None:
        triggers.remove(connection)
        registers.remove(connection)
        try:
            empty(case)
        finally:
            triggers.install(connection)
            registers.install(connection)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", empty_without_triggers)
        yield


@pytest.fixture(scope="session", autouse=True)
def force_login_is_complete() -> Iterator[None]:
    """`force_login` stands for a whole sign-in: its second step passed, just now. Half ones are made by the pages."""
    from accounts import second_factor

    half = Client.force_login

    def whole(client: Client, user: Any, backend: str | None = None) -> None:
        half(client, user, backend)
        session = client.session
        session[second_factor.PROVED_BY] = str(user.pk)
        session[second_factor.PROVED_AT] = time.time()
        session.save()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Client, "force_login", whole)
        yield


# --- Redis and browser -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def redis_server() -> Iterator[str]:
    """The URL of a real server, one per test process, started when the first test asks for it. Give it to processes."""
    from namsite.devservers import EmbeddedRedis

    with EmbeddedRedis() as server:
        yield server.url


@pytest.fixture(autouse=True)
def logging_goes_on() -> Iterator[None]:
    """After commands, which keep their process quiet until it ends."""
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(autouse=True)
def queue_and_cache(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """For a test that asks for `redis_server`, that server is this process's queue and cache too."""
    if "redis_server" not in request.fixturenames:
        yield
        return
    url: str = request.getfixturevalue("redis_server")
    monkeypatch.setenv("REDIS_URL", url)
    queues = {"default": {**settings.RQ_QUEUES["default"], "URL": url}}
    caches = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": url}}
    with override_settings(REDIS_URL=url, RQ_QUEUES=queues, CACHES=caches):
        yield


@pytest.fixture
def empty_redis(redis_server: str) -> str:
    """The server with nothing in it."""
    from redis import Redis

    with Redis.from_url(redis_server) as client:
        client.flushall()
    return redis_server


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the machine's Chromium."""
    if CHROMIUM is None:
        pytest.skip(NO_CHROMIUM)
    return CHROMIUM


# --- People ----------------------------------------------------------------------------------------------------------
# They sign in with PASSWORD. `outsider` is a reviewer of another clinic.


@pytest.fixture
def clinic(db: None) -> Any:
    from tests.factories import ClinicFactory

    return ClinicFactory(name="Clinique des Érables")


def _person(clinic: Any, email: str, name: str, role: str) -> Any:
    from django.contrib.auth.hashers import make_password

    from tests.factories import UserFactory

    return UserFactory(clinic=clinic, email=email, name=name, role=role, password=make_password(PASSWORD))


@pytest.fixture
def staff(clinic: Any) -> Any:
    return _person(clinic, "accueil@erables.example", "Agathe Accueil", "staff")


@pytest.fixture
def reviewer(clinic: Any) -> Any:
    return _person(clinic, "revision@erables.example", "Rémi Révision", "reviewer")


@pytest.fixture
def admin(clinic: Any) -> Any:
    return _person(clinic, "admin@erables.example", "Ada Admin", "admin")


@pytest.fixture
def outsider(db: None) -> Any:
    from tests.factories import ClinicFactory

    return _person(ClinicFactory(name="Clinique des Saules"), "revision@saules.example", "Octave Outsider", "reviewer")


def _signed_in(person: Any) -> Client:
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def staff_client(staff: Any) -> Client:
    return _signed_in(staff)


@pytest.fixture
def reviewer_client(reviewer: Any) -> Client:
    return _signed_in(reviewer)


@pytest.fixture
def admin_client(admin: Any) -> Client:
    return _signed_in(admin)


@pytest.fixture
def outsider_client(outsider: Any) -> Client:
    return _signed_in(outsider)


@pytest.fixture(scope="module")
def moto_endpoint() -> Iterator[str]:
    """The address of a server on loopback that answers for S3, KMS and CloudWatch."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()
