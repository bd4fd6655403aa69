"""nginx with a file of `deploy/nginx/` on loopback, as any user: for tests of what it does."""

from __future__ import annotations

import contextlib
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from namsite import devservers
from namsite.devservers import free_port
from tests.installation import wait_until

ROOT = Path(__file__).resolve().parents[1]
SITE = "nam.clinique.example"
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
NOBODY = 9
"""A port that nothing listens at."""

needs_nginx = pytest.mark.skipif(NGINX is None, reason="no nginx on this machine (Debian: nginx-light)")


@dataclass
class Proxy:
    """An nginx that runs: `port` is that of TLS, `plain` the other one."""

    folder: Path
    port: int
    plain: int
    process: subprocess.Popen[bytes] | None = None

    def log(self) -> str:
        return "".join(file.read_text(encoding="utf-8", errors="replace") for file in self.folder.glob("*.log"))


def certificate(folder: Path, serial: int = 1) -> None:
    """Keys and certificates of the site, signed by themselves: on a curve (site.pem) and RSA (rsa.pem)."""
    sign(folder / "site", SITE, serial=serial)
    sign(folder / "rsa", SITE, serial=serial, key=rsa.generate_private_key(65537, 2048))


def sign(
    place: Path, site: str, *, serial: int = 1, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | None = None
) -> None:
    """A key, on a curve unless it is given, and a certificate for a name that it signs itself: PLACE.key, PLACE.pem."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, site)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(serial).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(site)]), critical=False).sign(key, hashes.SHA256())
    )  # fmt: skip
    place.with_suffix(".pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    place.with_suffix(".key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )  # fmt: skip


def configuration(name: str, proxy: Proxy, *, web: int, more: str = "", changes: dict[str, str] | None = None) -> Path:
    """A whole configuration around a file of ours, with the ports and places of a test, and an RSA certificate besides.

    `changes` are pairs of what is replaced in the file and by what: for tests of the tests.
    """
    folder = proxy.folder
    text = (ROOT / "deploy" / "nginx" / name).read_text(encoding="utf-8")
    for before, after in (changes or {}).items():
        assert before in text
        text = text.replace(before, after)
    text = re.sub(r"/etc/nginx/[\w-]+\.(pem|key)", lambda found: str(folder / f"site.{found[1]}"), text)
    text = re.sub(r"(ssl_certificate.* )(\S+)/site\.(pem|key);", r"\g<0>\1\2/rsa.\3;", text)
    text = text.replace("/var/log/nginx/", f"{folder}/").replace("10.0.3.50:8443", f"127.0.0.1:{proxy.port}")
    text = re.sub(r"    listen \[::\]:.*\n", "", text)
    text = text.replace("listen 80;", f"listen 127.0.0.1:{proxy.plain};")
    text = text.replace("listen 443 ", f"listen 127.0.0.1:{proxy.port} ").replace("127.0.0.1:8000", f"127.0.0.1:{web}")
    places = "".join(
        f"{each}_temp_path {folder}/{each};\n" for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    file = folder / "nginx.conf"
    file.write_text(
        f"daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;\n"
        f"events {{}}\nhttp {{\n{places}{more}{text}}}\n"
    )
    return file


def check(name: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """What nginx itself says of a file of ours."""
    certificate(folder)
    file = configuration(name, Proxy(folder, free_port(), free_port()), web=NOBODY)
    return subprocess.run(
        [str(NGINX), "-t", "-p", folder, "-e", folder / "error.log", "-c", file], capture_output=True, text=True,
        check=False, timeout=30,
    )  # fmt: skip


@contextlib.contextmanager
def running(name: str, folder: Path, *, web: int = NOBODY, **changes: str | dict[str, str]) -> Iterator[Proxy]:
    """nginx with that file before whatever listens at `web`, until the block ends."""
    certificate(folder)
    proxy = Proxy(folder, free_port(), free_port())
    file = configuration(name, proxy, web=web, **changes)  # type: ignore[arg-type]
    proxy.process = devservers.start([str(NGINX), "-p", folder, "-e", folder / "error.log", "-c", file])
    try:
        wait_until(lambda: _listens(proxy.port), seconds=10)
        yield proxy
    finally:
        devservers.stop(proxy.process)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
