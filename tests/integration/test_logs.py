"""Patients go through nginx and the application as they are deployed, and stand in no log of either.

nginx is of the machine (Debian: nginx-light); without it these tests are left out.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

from extraction import nam
from tests import proxies
from tests.installation import PASSWORD, PEOPLE, Installation, installation
from tests.pdfs import agenda_pdf
from tests.proxies import SITE, Proxy, needs_nginx

pytestmark = needs_nginx

NAME, GIVEN = "Quaxbrindle", "Zéphirine"
NUMBER = nam.compose(NAME, GIVEN, date(1961, 4, 12), True, "3")
FILE = f"{NAME} {NUMBER}.pdf"
NEEDLES = (NUMBER, nam.grouped(NUMBER), nam.grouped(NUMBER).replace(" ", "%20"), NUMBER.lower(), NAME, NAME.lower())


class Person:
    """Somebody at a browser, on the other side of the proxy."""

    def __init__(self, proxy: Proxy) -> None:
        trusted = ssl.create_default_context(cafile=str(proxy.folder / "site.pem"))
        trusted.load_verify_locations(proxy.folder / "rsa.pem")
        self._base = f"https://127.0.0.1:{proxy.port}"
        self._client = httpx.Client(
            verify=trusted,
            trust_env=False,
            timeout=30,
            headers={"Host": SITE, "Referer": f"https://{SITE}/", "Accept": "text/html, application/json"},
        )

    def sign_in(self, email: str) -> None:
        self.get("/accounts/login/")
        signed_in = self.post("/accounts/login/", {"login": email, "password": PASSWORD})
        assert signed_in.status_code == 302, signed_in.text

    def __enter__(self) -> Person:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, path: str) -> httpx.Response:
        return self._client.get(self._base + path, extensions={"sni_hostname": SITE})

    def post(self, path: str, data: dict[str, str]) -> httpx.Response:
        return self._post(path, data)

    def upload(self, name: str, pdf: bytes) -> httpx.Response:
        return self._post("/documents/upload/", {}, files={"file": (name, pdf, "application/pdf")})

    def _post(self, path: str, data: dict[str, str], **more: Any) -> httpx.Response:
        sent = {**data, "csrfmiddlewaretoken": self._client.cookies["__Host-csrf"]}
        return self._client.post(self._base + path, data=sent, extensions={"sni_hostname": SITE}, **more)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, redis_server: str) -> Iterator[Installation]:
    """The application as it is behind a proxy."""
    folder = tmp_path_factory.mktemp("site")
    settings = {"HTTPS": "1", "BEHIND_PROXY": "1", "ALLOWED_HOSTS": f"{SITE},127.0.0.1", "LOG_LEVEL": "DEBUG"}
    with installation(folder, redis_server, **settings) as made:
        made.start("web")
        yield made


def written(site: Installation, proxy: Proxy) -> str:
    return proxy.log() + "".join(file.read_text(errors="replace") for file in site.folder.glob("*.log"))


def found(text: str) -> list[str]:
    return [needle for needle in NEEDLES if needle in text]


@pytest.mark.queue
def test_a_number_and_a_name_that_pass_through_stand_in_no_log(site: Installation, tmp_path: Path) -> None:
    with proxies.running("web.conf", tmp_path, web=site.port) as proxy:
        with Person(proxy) as staff:
            staff.sign_in(PEOPLE["staff"])
            assert staff.upload(FILE, agenda_pdf([f"{NAME} {GIVEN}", nam.grouped(NUMBER)])).status_code == 201
            assert NAME in staff.get("/documents/").text
            assert staff.upload(FILE, b"no PDF").status_code == 422
            assert staff.upload(FILE, bytes(53 << 20)).status_code == 413  # nginx answers by itself
            # What a person types where it does not belong.
            assert staff.get(f"/documents/?q={NUMBER}&name={NAME}").status_code == 200
            assert staff.get(f"/{NUMBER}/").status_code == 404
        with Person(proxy) as admin:
            admin.sign_in(PEOPLE["admin"])
            searched = admin.post("/journal/search/", {"nam": nam.grouped(NUMBER)})
            assert searched.status_code == 200
        site.kill("web")
        try:
            with Person(proxy) as anybody:
                assert anybody.get(f"/documents/?q={NUMBER}").status_code == 502
            assert httpx.get(f"http://127.0.0.1:{proxy.plain}/?q={NUMBER}", trust_env=False).status_code == 301
        finally:
            site.start("web")
        log = written(site, proxy)
    assert "HTTP 404 at" in log  # The application does write lines.
    assert found(log) == []


def test_a_log_of_requests_would_be_noticed(site: Installation, tmp_path: Path) -> None:
    changes = {"access_log off;": "access_log /var/log/nginx/access.log;"}
    with proxies.running("web.conf", tmp_path, web=site.port, changes=changes) as proxy:
        httpx.get(f"http://127.0.0.1:{proxy.plain}/?q={NUMBER}", trust_env=False)
    assert found(proxy.log()) == [NUMBER]
