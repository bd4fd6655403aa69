"""Every probe of `manage.py doctor`, well and not: beside a real Redis, PostgreSQL, file store and reader; AWS, mail
and the model server are stand-ins that are spoken to over the network."""

from __future__ import annotations

import base64
import dataclasses
import json
import os
import shutil
import socketserver
import subprocess
import sys
import threading
import time
import uuid
from collections import namedtuple
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import boto3
import psycopg
import pytest
import time_machine
from django.core.management import call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from audit import anchors as anchoring
from audit import signing
from audit.models import AnchorMark, ChainHead
from audit.record import record_alone
from audit.verbs import Verb
from audit.verify import verified
from extraction import offline, storage
from extraction.models import Deployment, DeploymentState
from extraction.offline import Extraction
from extraction.readers import textract
from extraction.scheduler import LEASE, take_lease
from namsite.devservers import EmbeddedPostgres, EmbeddedRedis, free_port
from namsite.doctor import configuration, host, patches, probes, upkeep
from namsite.doctor.probes import Outcome, State
from tests.factories import AlertFactory, DocumentFactory
from tests.fakes.textract import running_textract
from tests.fakes.vllm import MODEL, running_vllm
from vault import clinic_keys
from vault.files import file_store

ROOT = Path(__file__).resolve().parents[2]
REGION = "ca-central-1"
NOBODY = "http://127.0.0.1:9"
GIB = 1024**3
PROBES = {each.name: each for each in probes.every()}


def look(name: str) -> Outcome:
    said = PROBES[name].look()
    assert isinstance(said, Outcome)
    return said


def state(name: str) -> State:
    return look(name).state


def doctor(*words: str, **environment: str) -> tuple[int, dict[str, Any]]:
    """Exit status and JSON of the command in a process of its own."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "doctor", "--json", *words],
        env={**os.environ, **environment}, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.stderr == ""
    return done.returncode, json.loads(done.stdout)


def states(said: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["state"] for each in said["probes"]}


# --- Settings --------------------------------------------------------------------------------------------------------


def test_errors_of_the_system_checks_are_broken_warnings_to_do_and_the_rest_is_good_to_know(settings):
    settings.OCR_READER, settings.AUDIT_ANCHOR_DIRS = "crystal ball", []
    said = {each.name: each.state for each in PROBES["checks"].look()}
    assert said["namsite.E002"] == State.BROKEN
    assert said["namsite.W110"] == State.TO_DO
    assert said["namsite.I109"] == State.OK


def test_system_checks_with_nothing_to_say_are_well(settings):
    settings.SILENCED_SYSTEM_CHECKS = [each.name for each in PROBES["checks"].look()]
    assert [each.state for each in PROBES["checks"].look()] == [State.OK]


@pytest.mark.parametrize(("mode", "expected"), [(0o600, State.OK), (0o640, State.BROKEN), (0o604, State.BROKEN)])
def test_the_file_of_settings_is_its_owners_alone(monkeypatch, tmp_path, mode, expected):
    file = tmp_path / "env"
    file.touch()
    file.chmod(mode)
    monkeypatch.setattr(configuration.source, "ENV_FILE", str(file))
    assert state("settings-file") == expected


def test_a_file_of_settings_that_is_named_and_not_there_is_broken(monkeypatch, tmp_path):
    monkeypatch.setattr(configuration.source, "ENV_FILE", str(tmp_path / "none"))
    assert state("settings-file") == State.BROKEN
    monkeypatch.delenv("ENV_FILE")
    assert state("settings-file") == State.NOT_USED


@pytest.mark.parametrize(
    ("form", "emf", "expected"),
    [
        ("json", False, State.OK),
        ("json", True, State.OK),
        ("lines", False, State.NOT_USED),
        ("lines", True, State.BROKEN),
    ],
)
def test_metrics_that_go_with_the_log_need_json(settings, form, emf, expected):
    settings.LOG_FORMAT, settings.CLOUDWATCH_EMF = form, emf
    assert state("logs") == expected


def test_metrics_do_not_go_with_a_log_that_leaves_them_out(settings, caplog):
    settings.LOG_FORMAT, settings.CLOUDWATCH_EMF = "json", True
    with caplog.at_level("WARNING", logger="extraction.emf"):
        assert state("logs") == State.BROKEN


@pytest.mark.parametrize(
    ("token", "hosts", "expected"),
    [
        ("", ["*"], State.NOT_USED),
        ("0123456789abcdef" * 2, ["nam.clinique.example", "127.0.0.1"], State.OK),
        ("0123456789abcdef" * 2, ["nam.clinique.example"], State.TO_DO),
        ("0123456789abcdef", ["127.0.0.1"], State.BROKEN),
        ("ab" * 40, ["127.0.0.1"], State.BROKEN),
    ],
)
def test_a_token_of_metrics_that_can_be_guessed_is_broken(settings, token, hosts, expected):
    settings.METRICS_TOKEN, settings.ALLOWED_HOSTS = token, hosts
    assert state("metrics") == expected


@pytest.mark.django_db
def test_an_installation_without_a_clinic_has_one_to_open(clinic):
    assert state("clinics") == State.OK
    clinic.delete()
    assert state("clinics") == State.TO_DO


# --- Services --------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_database_answers():
    assert state("database") == State.OK


@pytest.fixture
def own_redis(settings) -> Iterator[EmbeddedRedis]:
    """A server that a test may kill."""
    with EmbeddedRedis() as server:
        settings.RQ_QUEUES = {"default": {**settings.RQ_QUEUES["default"], "URL": server.url}}
        yield server


@pytest.mark.queue
def test_a_redis_that_is_killed_is_broken(own_redis):
    assert state("redis") == State.OK
    own_redis.process.kill()
    own_redis.process.wait()
    assert state("redis") == State.BROKEN


@pytest.mark.queue
def test_a_redis_that_forgets_jobs_is_told(own_redis):
    from redis import Redis

    with Redis.from_url(own_redis.url) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
    assert state("redis") == State.TO_DO


@pytest.mark.queue
def test_without_a_worker_runs_wait(empty_redis):
    from extraction.worker import make_worker

    assert state("workers") == State.BROKEN
    worker = make_worker()
    worker.register_birth()
    assert state("workers") == State.OK
    worker.register_death()
    assert state("workers") == State.BROKEN


@pytest.mark.django_db
def test_a_scheduler_works_while_its_lease_holds():
    assert state("scheduler") == State.BROKEN
    moment = timezone.now()
    take_lease(LEASE, uuid.uuid4(), moment)
    assert state("scheduler") == State.OK
    with time_machine.travel(moment + timedelta(minutes=1)):
        assert state("scheduler") == State.BROKEN


def test_the_file_store_seals_opens_and_leaves_nothing(settings, tmp_path):
    settings.VAULT_DIR = tmp_path / "files"
    file_store.cache_clear()
    assert state("file-store") == State.OK
    assert list(file_store().names()) == []


def test_a_file_store_that_cannot_be_written_is_broken(settings, tmp_path):
    (tmp_path / "a file").touch()
    settings.VAULT_DIR = tmp_path / "a file"
    file_store.cache_clear()
    assert state("file-store") == State.BROKEN


def test_missing_keys_are_broken(settings):
    settings.VAULT_KEYS = ""
    said = look("file-store")
    assert (said.state, "make_keys" in said.sentence) == (State.BROKEN, True)


def test_the_local_reader_reads_an_invented_page():
    assert state("local-reader") == State.OK


def test_a_reader_that_misses_a_number_is_broken(monkeypatch):
    monkeypatch.setattr(offline, "extract_document", lambda *_: Extraction())
    said = look("local-reader")
    assert (said.state, said.sentence) == (State.BROKEN, "Of 5 numbers on an invented page, 0 were read.")


@pytest.fixture
def with_textract(settings, monkeypatch) -> Any:
    monkeypatch.setattr(textract, "RETRY_MODE", "standard")
    textract._reader.cache_clear()
    settings.OCR_READER = "textract"
    yield settings
    textract._reader.cache_clear()


def test_textract_is_asked_for_nothing_and_that_is_an_answer(with_textract):
    with running_textract(words_for=lambda _image: pytest.fail("a page was read"), buckets=["pages"]) as service:
        with_textract.AWS_ENDPOINT_URL, with_textract.TEXTRACT_BUCKET = service.endpoint_url, "pages"
        assert state("textract") == State.OK
        with_textract.TEXTRACT_BUCKET = "none"
        assert state("textract") == State.BROKEN


def test_textract_without_credentials_or_answer_is_broken(with_textract, monkeypatch):
    with running_textract(words_for=lambda _image: ()) as service:
        with_textract.AWS_ENDPOINT_URL = service.endpoint_url
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
        assert "refuses" in look("textract").sentence
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "synthetic")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "synthetic")
    connect = textract.connect
    monkeypatch.setattr(textract, "connect", lambda config: connect(dataclasses.replace(config, attempts=1)))
    with_textract.AWS_ENDPOINT_URL = NOBODY
    assert look("textract").sentence == "Textract does not answer."


def test_textract_is_not_asked_where_it_is_not_used():
    assert state("textract") == State.NOT_USED


@pytest.mark.django_db
def test_the_model_server_is_asked_whether_it_serves_the_model(settings):
    assert state("model-server") == State.NOT_USED
    settings.LLM_MODEL = MODEL
    with running_vllm() as server:
        settings.LLM_ENDPOINT = server.endpoint
        assert state("model-server") == State.OK
        settings.LLM_MODEL = "another"
        assert look("model-server").sentence == "It does not serve the configured model."
    assert look("model-server").sentence == "It cannot be reached."


class _Mail(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self.wfile.write(b"220 mail.example\r\n")
        for line in self.rfile:
            self.wfile.write(b"221 bye\r\n" if line.upper().startswith(b"QUIT") else b"250 mail.example\r\n")
            if line.upper().startswith(b"QUIT"):
                return


def test_the_mail_server_lets_us_in_or_is_told(settings):
    assert state("mail") == State.TO_DO
    settings.EMAIL_BACKEND, settings.EMAIL_HOST = "django.core.mail.backends.smtp.EmailBackend", "127.0.0.1"
    with socketserver.TCPServer(("127.0.0.1", 0), _Mail) as server:
        settings.EMAIL_PORT = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        assert "nobody is told" in look("mail").sentence
        settings.ALERT_EMAILS = ["ops@example.org"]
        assert state("mail") == State.OK
        server.shutdown()
        thread.join()
    settings.EMAIL_PORT = free_port()
    assert state("mail") == State.BROKEN


# --- Region ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def s3(settings, moto_endpoint) -> Iterator[None]:
    """A bucket in the region and one outside of it."""
    settings.AWS_ENDPOINT_URL = moto_endpoint
    made = {}
    for bucket, region in (("here", REGION), ("elsewhere", "eu-west-1")):
        made[bucket] = boto3.client("s3", region_name=region, endpoint_url=moto_endpoint)
        made[bucket].create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})
    yield
    for bucket, client in made.items():
        client.delete_bucket(Bucket=bucket)


def test_a_bucket_is_asked_where_it_lies(settings, s3):
    assert state("buckets") == State.NOT_USED
    settings.VAULT_S3_BUCKET = "here"
    assert state("buckets") == State.OK
    settings.AUDIT_ANCHOR_S3_BUCKET = "elsewhere"
    assert look("buckets").sentence == f"Outside of {REGION}: AUDIT_ANCHOR_S3_BUCKET."


def test_a_bucket_that_is_not_there_is_broken(settings, s3):
    settings.VAULT_S3_KEY_BUCKET = "nowhere"
    assert state("buckets") == State.BROKEN


def test_a_file_is_sealed_in_a_bucket_too(settings, s3):
    settings.VAULT_S3_BUCKET = "here"
    file_store.cache_clear()
    try:
        assert state("file-store") == State.OK
        settings.VAULT_S3_BUCKET = "nowhere"
        file_store.cache_clear()
        assert state("file-store") == State.BROKEN
    finally:
        file_store.cache_clear()


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("", State.NOT_USED),
        ("alias/namsite", State.OK),
        (f"arn:aws:kms:{REGION}:111122223333:key/1", State.OK),
        ("arn:aws:kms:us-east-1:111122223333:key/1", State.BROKEN),
    ],
)
def test_a_key_of_kms_that_names_another_region_is_broken(settings, key, expected):
    settings.VAULT_KMS_KEY_ID = key
    assert state("kms-keys") == expected


def test_a_kms_that_does_not_answer_is_told_by_the_file_store(settings, moto_endpoint, monkeypatch):
    settings.AWS_ENDPOINT_URL = moto_endpoint
    kms = boto3.client("kms", region_name=REGION, endpoint_url=moto_endpoint)
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    made = subprocess.run(
        [sys.executable, "manage.py", "make_keys", "--kms", key], cwd=ROOT, capture_output=True, text=True, check=True,
        env={**os.environ, "AWS_ENDPOINT_URL": moto_endpoint},
    )  # fmt: skip
    for line in made.stdout.splitlines():
        setattr(settings, *line.split("=", 1))
    settings.VAULT_KMS_KEY_ID = key
    assert state("file-store") == State.OK
    settings.AWS_ENDPOINT_URL = NOBODY
    assert "KMS does not answer" in look("file-store").sentence


# --- Patches ---------------------------------------------------------------------------------------------------------


def test_what_is_installed_is_what_is_locked():
    said = look("packages")
    assert said.state == State.OK, said


@pytest.fixture
def project(settings, tmp_path) -> Path:
    """Another checkout of which the lock may be changed."""
    for name in ("requirements.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    settings.BASE_DIR = tmp_path
    return tmp_path


def test_another_version_than_the_locked_one_is_told_with_both(project):
    import django

    lock = project / "requirements.txt"
    lock.write_text(lock.read_text().replace(f"django=={django.__version__} ", "django==99.0 "))
    said = look("packages")
    assert (said.state, said.sentence) == (
        State.TO_DO, f"Not as locked: django {django.__version__} instead of 99.0."
    )  # fmt: skip


def test_a_package_that_is_asked_for_and_not_installed_is_told(project):
    lock, asked = project / "requirements.txt", project / "pyproject.toml"
    lock.write_text(lock.read_text() + "not-installed==1.0 \\\n    --hash=sha256:00\n")
    asked.write_text(asked.read_text().replace("dependencies = [", 'dependencies = [\n    "not-installed>=1",', 1))
    assert look("packages").sentence == "Not as locked: not-installed missing."


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        (None, State.TO_DO),
        (date(2020, 1, 1), State.BROKEN),
        (timezone.localdate() + timedelta(days=30), State.TO_DO),
        (timezone.localdate() + timedelta(days=400), State.OK),
    ],
)
def test_a_version_is_judged_by_the_end_of_its_security_fixes(end, expected):
    assert patches.maintained("Python 3", end).state == expected


@pytest.mark.parametrize("name", ["python", "database-version"])
@pytest.mark.django_db
def test_the_versions_that_tests_run_on_are_known(name):
    with time_machine.travel("2026-11-01"):
        assert state(name) in (State.OK, State.TO_DO)
        assert "not known" not in look(name).sentence


@pytest.mark.django_db
def test_a_database_behind_or_ahead_of_this_version_is_broken():
    assert state("migrations") == State.OK
    recorder = MigrationRecorder.Migration.objects
    recorder.create(app="audit", name="9999_of_a_later_version")
    assert "ahead" in look("migrations").sentence
    recorder.filter(name="9999_of_a_later_version").delete()
    recorder.filter(app="review").order_by("-pk").first().delete()
    assert "behind" in look("migrations").sentence


@pytest.mark.parametrize(("is_there", "expected"), [(True, State.TO_DO), (False, State.OK)])
def test_a_host_that_wants_a_restart_is_told(monkeypatch, tmp_path, is_there, expected):
    monkeypatch.setattr(patches, "REBOOT", tmp_path / "reboot-required")
    if is_there:
        patches.REBOOT.touch()
    assert state("restart") == expected


# --- Encryption ------------------------------------------------------------------------------------------------------


@pytest.fixture
def sealed(staff, settings, tmp_path) -> Iterator[Any]:
    """A clinic with a document, so with a key."""
    settings.VAULT_DIR, settings.VAULT_KEY_DIR = tmp_path / "bodies", str(tmp_path / "keys")
    file_store.cache_clear()
    clinic_keys.forget()
    storage.put(DocumentFactory(uploaded_by=staff), b"%PDF-1.7")
    yield staff.clinic
    clinic_keys.forget()
    file_store.cache_clear()


@pytest.mark.django_db
def test_keys_of_clinics_open_and_are_not_too_old(sealed, settings):
    assert state("clinic-keys") == State.OK
    with time_machine.travel(timezone.now() + timedelta(days=380)):
        assert state("clinic-keys") == State.TO_DO
    settings.VAULT_KEYS = f"k1:{base64.b64encode(b'another root key, thirty-two byt').decode()}"
    said = look("clinic-keys")
    assert (said.state, said.sentence) == (State.BROKEN, "1 of 1 keys of clinics do not open.")


@pytest.mark.django_db
def test_a_rotation_that_is_not_at_its_end_is_told(sealed):
    assert state("key-rotation") == State.OK
    clinic_keys.renew(sealed.pk)
    assert state("key-rotation") == State.TO_DO


@pytest.mark.parametrize(("folder", "expected"), [("", State.TO_DO), ("/srv/keys", State.OK)])
def test_wrapped_keys_lie_apart(settings, folder, expected):
    settings.VAULT_KEY_DIR = folder
    assert state("key-place") == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://127.0.0.1:6379/0", State.NOT_USED),
        ("unix:///run/redis.sock", State.NOT_USED),
        ("redis://:secret@10.0.3.40:6379/0", State.TO_DO),
        ("rediss://:secret@10.0.3.40:6379/0", State.OK),
        ("rediss://:secret@redis.internal:6379/0?ssl_ca_certs=/etc/namsite/ca.pem", State.OK),
        ("rediss://:secret@10.0.3.40:6379/0?ssl_cert_reqs=none", State.TO_DO),
    ],
)
def test_redis_elsewhere_is_spoken_to_through_tls(settings, url, expected):
    settings.REDIS_URL = url
    assert state("redis-tls") == expected


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        ("", State.NOT_USED),
        ("http://127.0.0.1:8000/v1", State.NOT_USED),
        ("http://10.0.3.50:8000/v1", State.TO_DO),
        ("https://10.0.3.50:8443/v1", State.OK),
        ("sagemaker://nam-finder", State.OK),
    ],
)
def test_a_model_elsewhere_is_spoken_to_through_tls(settings, endpoint, expected):
    settings.LLM_ENDPOINT = endpoint
    assert state("model-tls") == expected


# --- PostgreSQL, in processes of their own ---------------------------------------------------------------------------

APPLICATION = "namsite_app"


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres() as server:
        yield server


def manage(*words: str, url: str) -> None:
    subprocess.run(
        [sys.executable, "manage.py", *words], cwd=ROOT, env={**os.environ, "DATABASE_URL": url}, check=True,
        capture_output=True, timeout=240,
    )  # fmt: skip


def test_a_postgres_is_looked_at_from_empty_to_closed(postgres):
    """One server through its life, because migrating takes seconds: not migrated, migrated, its application's role."""
    url = postgres.url
    status, said = doctor("--section", "patches", DATABASE_URL=url)
    assert (status, states(said)["migrations"]) == (1, "broken")
    assert states(doctor("--section", "upkeep", DATABASE_URL=url)[1])["retention"] == "broken"

    manage("migrate", "--verbosity", "0", url=url)
    assert states(doctor("--section", "patches", DATABASE_URL=url)[1])["migrations"] == "ok"
    owner = {**states(doctor("--section", "encryption", DATABASE_URL=url)[1]),
             **states(doctor("--section", "journal", DATABASE_URL=url)[1])}  # fmt: skip
    assert (owner["database-tls"], owner["row-security"], owner["journal-role"]) == ("not used", "to do", "to do")

    folder = url.split("@/")[1].rpartition("/")[0]
    with psycopg.connect(host=f"/{folder.lstrip('/')}", user="postgres", dbname="postgres", autocommit=True) as admin:
        admin.execute(f"CREATE ROLE {APPLICATION} LOGIN")
    manage("enable_row_security", "--role", APPLICATION, url=url)
    manage("journal_role", APPLICATION, "--apply", url=url)
    theirs = {"DATABASE_URL": url.replace("//postgres@", f"//{APPLICATION}@"), "ROW_SECURITY": "1"}
    role = {**states(doctor("--section", "encryption", **theirs)[1]),
            **states(doctor("--section", "journal", **theirs)[1])}  # fmt: skip
    assert (role["row-security"], role["journal-role"]) == ("ok", "ok")
    assert states(doctor("--section", "encryption", DATABASE_URL=url, ROW_SECURITY="1")[1])["row-security"] == "broken"


def test_a_postgres_that_is_down_is_said_once_and_what_stands_on_it_is_not_looked_at():
    status, said = doctor("--section", "services", DATABASE_URL="postgres://x@127.0.0.1:9/none", OCR_READER="textract")
    found = {each["name"]: each for each in said["probes"]}
    assert (status, found["database"]["sentence"]) == (1, "The look broke off (OperationalError).")
    assert found["scheduler"]["sentence"] == "Could not be looked at: migrations is broken."
    assert found["scheduler"]["next_step"] == ""


# --- Backups ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hours", "expected"), [(1, State.OK), (25.9, State.OK), (26.1, State.BROKEN), (-1, State.BROKEN)]
)
def test_a_backup_is_as_good_as_its_last_verification(settings, tmp_path, hours, expected):
    stamp = tmp_path / "verified"
    stamp.touch()
    moment = time.time() - hours * 3600
    os.utime(stamp, (moment, moment))
    settings.BACKUP_STAMP_FILE = str(stamp)
    assert state("backup") == expected


def test_backups_that_nobody_verifies_are_to_do_and_one_that_never_was_is_broken(settings, tmp_path):
    assert state("backup") == State.TO_DO
    settings.BACKUP_STAMP_FILE = str(tmp_path / "never")
    assert look("backup").sentence == "No backup was ever verified."


# --- Journal ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def chain(staff, settings, tmp_path) -> Any:
    """A clinic's journal, anchored and verified."""
    settings.AUDIT_ANCHOR_KEY_FILE = str(tmp_path / "anchor.pem")
    settings.AUDIT_ANCHOR_DIRS = [str(tmp_path / "anchors")]
    signing.make(tmp_path / "anchor.pem")
    record_alone(Verb.LIST_VIEWED, by=staff)
    for each in ChainHead.objects.values_list("clinic_id", flat=True):
        verified(each, timezone.now())
    anchoring.make_now(timezone.now(), signing.private_key())
    anchoring.deliver(timezone.now())
    return staff.clinic_id


@pytest.mark.django_db
def test_a_journal_that_is_verified_and_anchored_is_well(chain):
    assert [state(name) for name in ("journal", "anchors", "anchor-places")] == [State.OK] * 3
    # SQLite has no roles; on PostgreSQL the tests run as the owner of the tables, who can change them.
    assert state("journal-role") == (State.TO_DO if connection.vendor == "postgresql" else State.NOT_USED)


@pytest.mark.django_db
def test_a_journal_that_nobody_verifies_is_to_do(chain):
    with time_machine.travel(timezone.now() + timedelta(days=3)):
        assert look("journal").state == State.TO_DO


@pytest.mark.django_db
def test_a_journal_that_was_changed_is_broken(chain, staff):
    from audit.verbs import Outcome as Ended

    record_alone(Verb.JOURNAL_VERIFIED, by=None, clinic_id=chain, outcome=Ended.ERROR, reason_code="tampered")
    assert "was changed" in look("journal").sentence


@pytest.mark.django_db
def test_an_anchor_that_is_late_is_broken(chain, staff):
    record_alone(Verb.LIST_VIEWED, by=staff)
    with time_machine.travel(timezone.now() + anchoring.LATE + timedelta(minutes=1)):
        assert "waits too long" in look("anchors").sentence


@pytest.mark.django_db
def test_an_anchor_key_that_is_gone_is_broken_and_none_at_all_is_to_do(chain, staff, settings):
    record_alone(Verb.LIST_VIEWED, by=staff)
    Path(settings.AUDIT_ANCHOR_KEY_FILE).unlink()
    anchoring.make_due(timezone.now() + anchoring.EVERY)
    with time_machine.travel(timezone.now() + anchoring.EVERY):
        assert "without the key" in look("anchors").sentence
    settings.AUDIT_ANCHOR_KEY_FILE = ""
    assert (state("anchors"), state("anchor-places")) == (State.TO_DO, State.NOT_USED)


@pytest.mark.django_db
def test_a_chain_that_does_not_follow_is_broken(chain):
    AnchorMark.objects.update_or_create(
        clinic_id=chain, place="", defaults={"failing_since": timezone.now(), "error": "broken_chain"}
    )
    assert "does not follow" in look("anchors").sentence


@pytest.mark.django_db
def test_a_place_that_takes_no_anchors_is_broken(chain, settings):
    long_ago = timezone.now() - timedelta(hours=1)
    AnchorMark.objects.filter(place=settings.AUDIT_ANCHOR_DIRS[0]).update(failing_since=long_ago, error="unwritable")
    assert look("anchor-places").sentence == "1 of 1 places take no anchors."


# --- Upkeep ----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_what_is_overdue_for_destruction_is_broken(monkeypatch, clinic):
    from review.retention import due
    from review.retention.classes import DataClass

    assert state("retention") == State.OK
    found = [due.Due(clinic.pk, DataClass.FILE, 14, is_held=held) for held in (True, False)]
    monkeypatch.setattr(due, "due", lambda *_: iter(found))
    assert look("retention").sentence == "1 destructions are overdue."


@pytest.mark.django_db
def test_open_alerts_are_to_do():
    assert state("alerts") == State.OK
    alert = AlertFactory()
    assert state("alerts") == State.TO_DO
    alert.ended_at = timezone.now()
    alert.save()
    assert state("alerts") == State.OK


@pytest.mark.django_db
def test_a_rollout_is_told_and_one_that_was_rolled_back_is_to_do(admin):
    assert state("rollout") == State.NOT_USED
    moment = timezone.now()
    tried = Deployment.objects.create(
        model_name="nam-2", prompt_version="nam-v1", share=25, started_by=admin, started_at=moment, step_began_at=moment
    )
    assert "25 per cent" in look("rollout").sentence
    tried.state, tried.ended_at, tried.end_reason = DeploymentState.ROLLED_BACK, moment, "errors"
    tried.save()
    assert state("rollout") == State.TO_DO
    with time_machine.travel(moment + timedelta(days=8)):
        assert state("rollout") == State.NOT_USED


UNITS = """\
Id=namsite-web.service
ActiveState={web}

Id=namsite-verify.timer
ActiveState={timer}
LastTriggerUSec={last}
"""
RAN = "Fri 2026-11-27 03:41:02 EST"


@pytest.mark.parametrize(
    ("web", "timer", "last", "expected"),
    [
        ("active", "active", RAN, State.OK),
        ("failed", "active", RAN, State.BROKEN),
        ("active", "inactive", RAN, State.TO_DO),
        ("active", "active", "n/a", State.TO_DO),
    ],
)
def test_units_and_timers_are_judged_by_what_systemd_says(web, timer, last, expected):
    assert upkeep.units_outcome(UNITS.format(web=web, timer=timer, last=last)).state == expected


def test_a_host_without_systemd_or_without_our_units_has_none(monkeypatch, tmp_path):
    assert upkeep.units_outcome("").state == State.NOT_USED
    monkeypatch.setattr(upkeep, "SYSTEMD", tmp_path / "none")
    assert state("units") == State.NOT_USED


# --- Host ------------------------------------------------------------------------------------------------------------

Usage = namedtuple("Usage", "total used free")


@pytest.mark.parametrize(
    ("free", "expected"),
    [(50 * GIB, State.OK), (14 * GIB, State.TO_DO), (4 * GIB, State.BROKEN), (0, State.BROKEN)],
)
def test_the_fullest_disk_counts(monkeypatch, free, expected):
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: Usage(100 * GIB, 100 * GIB - free, free))
    assert state("disk") == expected


@pytest.mark.parametrize(
    ("synchronised", "ahead", "expected"),
    [
        (True, {"Redis": 0.2}, State.OK),
        (True, {"Redis": 0.2, "the database": -5.0}, State.BROKEN),
        (False, {}, State.TO_DO),
        (None, {"Redis": 0.2}, State.TO_DO),
    ],
)
def test_a_clock_is_set_and_agrees_with_others(synchronised, ahead, expected):
    assert host.clock_outcome(is_synchronised=synchronised, ahead=ahead).state == expected


@pytest.mark.queue
@pytest.mark.django_db
def test_the_clock_of_redis_is_compared(empty_redis):
    assert abs(host._ahead()["Redis"]) < host.SKEW
    with time_machine.travel(timezone.now() - timedelta(minutes=5), tick=True):
        assert "The clock of Redis differs" in look("clock").sentence


# --- The command -----------------------------------------------------------------------------------------------------


def test_usage_is_an_exit_status_of_its_own():
    done = subprocess.run(
        [sys.executable, "manage.py", "doctor", "--section", "moon"], cwd=ROOT, capture_output=True, check=False
    )
    assert done.returncode == 3


def test_a_section_that_is_well_exits_with_nothing_and_one_to_do_with_two(tmp_path):
    database = f"sqlite:///{tmp_path / 'db.sqlite3'}"
    assert doctor("--section", "region", DATABASE_URL=database)[0] == 0
    assert doctor("--section", "backups", DATABASE_URL=database)[0] == 2


@pytest.mark.django_db(transaction=True)
def test_the_page_for_people_ends_with_how_many_are_in_which_state(capsys):
    with pytest.raises(SystemExit):
        call_command("doctor", section="region")
    shown = capsys.readouterr().out.splitlines()
    assert (shown[0], shown[-1]) == ("Where it lies", "0 ok, 0 to do, 0 broken, 3 not used.")


def test_a_checklist_is_answered_item_by_item(tmp_path):
    status, said = doctor("--checklist", "rollback", DATABASE_URL=f"sqlite:///{tmp_path / 'db.sqlite3'}")
    assert status == 1
    assert states(said)["The database fits the version that runs"] == "broken"
    assert states(said)["Complaints of people"] == "to do"


def test_nothing_of_what_is_secret_is_printed(tmp_path):
    """Every service is configured with a canary, and none of them answers."""
    canary = "canary0123456789"
    (tmp_path / "env").write_text(f"HF_TOKEN={canary}\n")
    secrets = {
        "ENV_FILE": str(tmp_path / "env"),
        "SECRET_KEY": canary,
        "VAULT_KEYS": f"k1:{base64.b64encode(canary.encode() * 2).decode()}",
        "VAULT_INDEX_KEY": canary,
        "DATABASE_URL": f"postgres://namsite:{canary}@127.0.0.1:9/none",
        "REDIS_URL": f"redis://:{canary}@127.0.0.1:9/0",
        "LLM_ENDPOINT": f"http://user:{canary}@127.0.0.1:9/v1",
        "LLM_API_KEY": canary,
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": "127.0.0.1",
        "EMAIL_PORT": "9",
        "EMAIL_HOST_PASSWORD": canary,
        "AWS_SECRET_ACCESS_KEY": canary,
        "AWS_ENDPOINT_URL": NOBODY,
    }
    for words in (["--json"], []):
        done = subprocess.run(
            [sys.executable, "manage.py", "doctor", *words], cwd=ROOT, env={**os.environ, **secrets}, check=False,
            capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        assert done.returncode == 1
        assert canary not in done.stdout + done.stderr
        assert base64.b64encode(canary.encode() * 2).decode() not in done.stdout
