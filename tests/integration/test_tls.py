"""nginx as `deploy/nginx/` sets it up, run for real: what it agrees to, what it refuses, and what it writes down.

nginx is of the machine (Debian: nginx-light); without it these tests are left out.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import proxies
from tests.greetings import SSL3, STRONG, TLS10, TLS11, TLS12, Chosen, offer
from tests.installation import wait_until
from tests.proxies import SITE, Proxy, needs_nginx

pytestmark = needs_nginx
FILES = ("web.conf", "model-server.conf")

WEAK = {
    # key exchange without forward secrecy
    "RSA-AES128-GCM-SHA256": 0x009C,
    "RSA-AES256-GCM-SHA384": 0x009D,
    "RSA-AES128-CCM": 0xC09C,
    "ECDH-ECDSA-AES128-GCM-SHA256": 0xC02D,
    "ECDH-RSA-AES128-GCM-SHA256": 0xC031,
    # CBC
    "ECDHE-ECDSA-AES128-SHA256": 0xC023,
    "ECDHE-ECDSA-AES256-SHA384": 0xC024,
    "ECDHE-RSA-AES128-SHA256": 0xC027,
    "ECDHE-RSA-AES256-SHA": 0xC014,
    "ECDHE-ECDSA-AES128-SHA": 0xC009,
    "DHE-RSA-AES128-SHA256": 0x0067,
    "RSA-AES128-SHA": 0x002F,
    "RSA-CAMELLIA128-SHA": 0x0041,
    "RSA-SEED-SHA": 0x0096,
    "RSA-IDEA-SHA": 0x0007,
    # 64-bit blocks, RC4
    "RSA-3DES-SHA": 0x000A,
    "ECDHE-RSA-3DES-SHA": 0xC012,
    "RSA-DES-SHA": 0x0009,
    "RSA-RC4-128-MD5": 0x0004,
    "RSA-RC4-128-SHA": 0x0005,
    "ECDHE-ECDSA-RC4-SHA": 0xC007,
    # export
    "EXPORT-RSA-RC4-40-MD5": 0x0003,
    "EXPORT-RSA-DES40-SHA": 0x0008,
    "EXPORT-DHE-RSA-DES40-SHA": 0x0014,
    # no encryption
    "NULL-MD5": 0x0001,
    "NULL-SHA": 0x0002,
    "NULL-SHA256": 0x003B,
    "ECDHE-ECDSA-NULL-SHA": 0xC006,
    # nobody signs
    "ADH-AES128-SHA": 0x0034,
    "ADH-AES128-GCM-SHA256": 0x00A6,
    "AECDH-AES128-SHA": 0xC018,
    "PSK-AES128-GCM-SHA256": 0x00A8,
    # finite fields: groups of unknown strength
    "DHE-RSA-AES128-GCM-SHA256": 0x009E,
    "DHE-RSA-CHACHA20-POLY1305": 0xCCAA,
}
WEAK_GROUPS = {
    "sect163k1": 0x0001, "secp160r1": 0x0010, "secp192r1": 0x0013, "secp224r1": 0x0015, "secp256k1": 0x0016,
    "brainpoolP256r1": 0x001A, "ffdhe2048": 0x0100,
}  # fmt: skip


@pytest.fixture(scope="module", params=FILES)
def proxy(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """An nginx with one of our files; nobody is behind it."""
    with proxies.running(request.param, tmp_path_factory.mktemp("proxy")) as found:
        yield found


def greet(port: int, *, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3, name: str = SITE) -> ssl.SSLSocket:
    """A connection of Python's own. Raises SSLError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("DEFAULT:@SECLEVEL=0")  # so that it is nginx who refuses, and not this side
    context.minimum_version, context.maximum_version = ssl.TLSVersion.MINIMUM_SUPPORTED, version
    return context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=5), server_hostname=name)


@pytest.mark.parametrize("name", FILES)
def test_nginx_accepts_the_configuration(tmp_path: Path, name: str) -> None:
    done = proxies.check(name, tmp_path)
    assert (done.returncode, "emerg" in done.stderr) == (0, False), done.stderr


# --- What is agreed on -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suite", STRONG, ids=STRONG.get)
def test_a_suite_with_forward_secrecy_and_authenticated_encryption_is_taken(proxy: Proxy, suite: int) -> None:
    assert offer(proxy.port, name=SITE, suites=[suite]) == Chosen(TLS12, suite, 0)


@pytest.mark.parametrize("version", ["TLSv1.3", "TLSv1.2"])
def test_todays_versions_are_spoken(proxy: Proxy, version: str) -> None:
    with greet(proxy.port, version=ssl.TLSVersion[version.replace(".", "_")]) as secure:
        assert (secure.version(), secure.compression()) == (version, None)
        cipher = secure.cipher()
        assert cipher is not None
        assert re.search("GCM|POLY1305", cipher[0])


# --- What is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("version", "suites"), [
    (SSL3, [0x002F, 0x0035, 0x000A, 0x0005]), (TLS10, [0xC009, 0xC013, 0x002F]), (TLS11, [0xC009, 0xC013, 0x002F]),
    (TLS10, [*STRONG]), (TLS11, [*STRONG]),
])  # fmt: skip
def test_an_older_version_is_refused(proxy: Proxy, version: int, suites: list[int]) -> None:
    assert offer(proxy.port, name=SITE, version=version, suites=suites) is None


@pytest.mark.parametrize("suite", WEAK.values(), ids=WEAK)
def test_a_weak_suite_is_refused(proxy: Proxy, suite: int) -> None:
    assert offer(proxy.port, name=SITE, suites=[suite]) is None


def test_of_a_mixed_offer_a_strong_suite_is_chosen(proxy: Proxy) -> None:
    chosen = offer(proxy.port, name=SITE, suites=[*WEAK.values(), *STRONG])
    assert chosen is not None
    assert chosen.suite in STRONG


@pytest.mark.parametrize("group", WEAK_GROUPS.values(), ids=WEAK_GROUPS)
def test_a_weak_curve_is_refused(proxy: Proxy, group: int) -> None:
    assert offer(proxy.port, name=SITE, suites=[*STRONG], groups=[group]) is None


def test_compression_is_not_taken(proxy: Proxy) -> None:
    chosen = offer(proxy.port, name=SITE, suites=[*STRONG], compressions=[1, 0])
    assert chosen is not None
    assert chosen.compression == 0


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl on this machine")
def test_a_client_may_not_renegotiate(proxy: Proxy) -> None:
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{proxy.port}", "-servername", SITE, "-tls1_2"],
        input="R\n", capture_output=True, text=True, check=False, timeout=20,
    )  # fmt: skip
    assert "Secure Renegotiation IS supported" in done.stdout
    assert "RENEGOTIATING" in done.stderr
    assert "no renegotiation" in done.stderr


@pytest.mark.parametrize(
    ("changes", "weak"),
    [
        ({"ssl_protocols TLSv1.2 TLSv1.3": "ssl_protocols TLSv1.1 TLSv1.2"}, {"version": TLS11, "suites": [0xC009]}),
        ({}, {"suites": [WEAK["ECDHE-ECDSA-AES128-SHA256"]]}),
        ({}, {"suites": [WEAK["RSA-AES128-GCM-SHA256"]]}),
        ({}, {"suites": [WEAK["AECDH-AES128-SHA"]]}),
        ({"X25519:prime256v1:secp384r1": "secp224r1"}, {"suites": [*STRONG], "groups": [WEAK_GROUPS["secp224r1"]]}),
    ],
    ids=["version", "cbc", "no forward secrecy", "anonymous", "curve"],
)
def test_a_weaker_configuration_would_be_noticed(tmp_path: Path, changes: dict[str, str], weak: dict[str, int]) -> None:
    weaker = {"ssl_ciphers ECDHE": "ssl_ciphers ALL:@SECLEVEL=0:ECDHE", **changes}
    with proxies.running("web.conf", tmp_path, changes=weaker) as found:
        assert offer(found.port, name=SITE, **weak) is not None  # type: ignore[arg-type]


# --- The site --------------------------------------------------------------------------------------------------------


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Proxy]:
    """The proxy of the web application; nobody is behind it."""
    with proxies.running("web.conf", tmp_path) as found:
        yield found


def test_another_name_gets_no_certificate(web: Proxy) -> None:
    with pytest.raises(ssl.SSLError, match=r"(?i)unrecognized.name"):
        greet(web.port, name="somebody.else.example")


def head(connection: socket.socket, path: str = "/") -> str:
    """The status line and the headers of an answer."""
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {SITE}\r\nConnection: close\r\n\r\n".encode())
    data = b""
    while piece := connection.recv(65536):
        data += piece
    return data.partition(b"\r\n\r\n")[0].decode()


def test_what_nginx_answers_by_itself_says_to_stay_with_tls(web: Proxy) -> None:
    with greet(web.port) as secure:
        answer = head(secure)
    assert answer.startswith("HTTP/1.1 502")
    assert answer.count("Strict-Transport-Security: max-age=31536000; includeSubDomains; preload") == 1
    assert re.search(r"^Server: nginx\r?$", answer, flags=re.MULTILINE)


def test_without_tls_there_is_a_way_to_it_and_nothing_else(web: Proxy) -> None:
    with socket.create_connection(("127.0.0.1", web.plain), timeout=5) as plain:
        answer = head(plain, "/documents/")
    assert answer.startswith("HTTP/1.1 301")
    assert f"Location: https://{SITE}/documents/" in answer


def test_a_new_certificate_is_taken_while_it_runs(web: Proxy) -> None:
    def served() -> bytes:
        with greet(web.port) as secure:
            return secure.getpeercert(binary_form=True) or b""

    before = served()
    with greet(web.port) as kept:
        proxies.certificate(web.folder, serial=2)
        os.kill(int((web.folder / "pid").read_text()), signal.SIGHUP)
        wait_until(lambda: served() != before, seconds=10)
        assert head(kept).startswith("HTTP/1.1 502")  # A connection that was there is served to its end.


# --- What is asked ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/metrics", "/metrics/", "//metrics", "/%6detrics", "/x/../metrics"])
def test_metrics_are_not_asked_for_from_outside(web: Proxy, path: str) -> None:
    assert b" 404 " in first_line(web, path)


def test_what_is_no_metric_is_handed_on(web: Proxy) -> None:
    assert b" 502 " in first_line(web, "/health/")  # nobody is behind this nginx


def first_line(proxy: Proxy, path: str) -> bytes:
    with greet(proxy.port) as secure:
        secure.sendall(f"GET {path} HTTP/1.1\r\nHost: {SITE}\r\nConnection: close\r\n\r\n".encode())
        return secure.makefile("rb").readline()
