"""Headers of every address, for every role and for a stranger; cookies; and that no page writes by being read."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator

import pytest
from django.conf import settings as project_settings
from django.test import Client, override_settings
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from tests.conftest import PASSWORD
from tests.factories import DocumentFactory, FindingFactory, RunFactory

pytestmark = pytest.mark.django_db

ROLES = (None, "staff", "reviewer", "admin")
PLACE = re.compile(r"<(?:(?P<kind>\w+):)?\w+>")
VALUES = {"uuid": str(uuid.UUID(int=7)), "uuidstr": str(uuid.UUID(int=7)), "int": "1", "str": "x", "slug": "x"}
STREAMS = ("/stream",)  # answers that do not end


def addresses() -> Iterator[str]:
    """Every address of the URL table, with values that lead nowhere."""
    yield from _below("/", get_resolver().url_patterns)


def _below(start: str, patterns: list[URLPattern | URLResolver]) -> Iterator[str]:
    for pattern in patterns:
        route = getattr(pattern.pattern, "_route", None)
        if route is None:  # a regular expression: allauth's password reset
            route = "password/reset/key/1-x/" if "key" in str(pattern.pattern) else ""
        path = start + _filled(route)
        if isinstance(pattern, URLResolver):
            yield from _below(path, pattern.url_patterns)
        elif not path.endswith(STREAMS):
            yield path


def _filled(route: str) -> str:
    return PLACE.sub(lambda place: VALUES[place["kind"] or "str"], route)


ADDRESSES = sorted(set(addresses()))


@pytest.fixture
def document(staff):
    return FindingFactory(run=RunFactory(document=DocumentFactory(uploaded_by=staff))).run.document


@pytest.fixture
def people(staff, reviewer, admin, document):
    clients = {None: Client(raise_request_exception=False)}
    for role, person in (("staff", staff), ("reviewer", reviewer), ("admin", admin)):
        clients[role] = Client(raise_request_exception=False)
        clients[role].force_login(person)
    return clients


def problems(answer) -> list[str]:
    """What is missing in an answer's headers."""
    policy = answer.headers.get("Content-Security-Policy", "")
    found = [
        f"no {name}"
        for name, value in (
            ("X-Content-Type-Options", "nosniff"),
            ("X-Frame-Options", "DENY"),
            ("Referrer-Policy", "same-origin"),
            ("Cross-Origin-Opener-Policy", "same-origin"),
            ("Cross-Origin-Resource-Policy", "same-origin"),
        )
        if answer.headers.get(name) != value
    ]
    found += [
        f"policy without {part}" for part in ("default-src 'none'", "frame-ancestors 'none'") if part not in policy
    ]
    found += [f"policy with {part}" for part in ("unsafe", "*", "http:", "https:") if part in policy]
    if "no-store" not in answer.headers.get("Cache-Control", ""):
        found.append("may be cached")
    if "Access-Control-Allow-Origin" in answer.headers:
        found.append("open to other origins")
    return found


@pytest.mark.attack("requests to every address", "refused")
@pytest.mark.parametrize("role", ROLES)
def test_every_address_carries_every_header(people, document, role):
    asked = [*ADDRESSES, reverse("review:document-detail", args=[document.pk]), "/nowhere/", "/api/nowhere"]
    wrong = {path: found for path in asked if (found := problems(people[role].get(path)))}
    assert len(asked) > 80
    assert wrong == {}


@pytest.mark.attack("requests to every address", "refused")
@pytest.mark.parametrize("role", ROLES)
def test_no_address_breaks_whatever_is_asked_for(people, role):
    """Nothing answers 500 to an address with made-up values, by any method."""
    broken = [
        (path, method)
        for path in ADDRESSES
        for method in ("get", "post", "head", "options", "delete")
        if getattr(people[role], method)(path).status_code == 500
    ]
    assert broken == []


@pytest.mark.attack("requests to every address", "refused")
def test_a_stranger_gets_nothing_but_sign_in_and_health(people):
    opened = {path for path in ADDRESSES if people[None].get(path).status_code == 200}
    assert opened <= {
        "/health/",
        "/llm/health",
        "/accounts/login/",
        "/accounts/signup/",
        "/accounts/inactive/",
        "/accounts/confirm-email/",
        "/accounts/password/reset/",
        "/accounts/password/reset/done/",
        "/accounts/password/reset/key/done/",
        "/accounts/password/reset/key/1-x/",
        "/api/docs",
        "/api/openapi.json",
    }


@pytest.mark.attack("requests to every address", "refused")
@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1:80@evil.example"])
def test_another_host_s_name_is_refused(client, host):
    assert client.get("/accounts/login/", headers={"Host": host}).status_code == 400


@pytest.mark.attack("requests to every address", "refused")
def test_a_form_without_its_token_is_refused(staff):
    client = Client(enforce_csrf_checks=True)
    client.force_login(staff)
    assert client.post(reverse("extraction:upload")).status_code == 403


def test_cookies_are_for_this_site_over_https_and_not_for_scripts(client, staff):
    answer = client.post(reverse("account_login"), {"login": staff.email, "password": PASSWORD})
    session = answer.cookies[project_settings.SESSION_COOKIE_NAME]
    assert (session["httponly"], session["samesite"], session["domain"]) == (True, "Lax", "")
    secure = {"SESSION_COOKIE_SECURE": True, "CSRF_COOKIE_SECURE": True, "SESSION_COOKIE_NAME": "__Host-session"}
    with override_settings(**secure):
        client.logout()
        answer = client.post(reverse("account_login"), {"login": staff.email, "password": PASSWORD})
    session = answer.cookies["__Host-session"]
    # RFC 6265bis, 4.1.3.2: a __Host- cookie is Secure, has the path / and no domain.
    assert (session["secure"], session["path"], session["domain"]) == (True, "/", "")
