"""Signing in in a real Chromium: setting up an app, a passkey of a virtual authenticator, and its use alone."""

from __future__ import annotations

import base64
import re
import time

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.hotp import HOTP
from django.conf import settings
from playwright.sync_api import Page, expect

from tests.browser.looks import LANGUAGES, PHONE, flaws
from tests.browser.reviewing import DESK, SECONDS
from tests.installation import PASSWORD, PEOPLE, installation

pytestmark = [pytest.mark.browser, pytest.mark.queue]


@pytest.fixture(scope="module")
def site(tmp_path_factory, redis_server):
    with installation(tmp_path_factory.mktemp("sign-in"), redis_server, MFA_REQUIRED="1") as made:
        made.start("web")
        yield made


@pytest.fixture
def page(browser, site):
    # A passkey belongs to a name; an address of numbers has none.
    context = browser.new_context(base_url=site.url.replace("127.0.0.1", "localhost"), locale="fr-CA", viewport=DESK)
    context.set_default_timeout(15 * SECONDS)
    opened = context.new_page()
    violations: list[str] = []
    opened.on(
        "console", lambda message: violations.append(message.text) if "Content Security" in message.text else None
    )
    yield opened
    context.close()
    assert violations == []


def add_authenticator(page: Page) -> None:
    """A passkey holder as a computer with a fingerprint reader has it, whose person always agrees."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
                "isUserVerified": True, "automaticPresenceSimulation": True,
            }
        },
    )  # fmt: skip


def enter(page: Page, role: str) -> None:
    page.goto("/accounts/login/")
    page.locator("input[name=login]").fill(PEOPLE[role])
    page.locator("input[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Se connecter", exact=True).click()


def leave(page: Page) -> None:
    page.get_by_role("banner").get_by_role("button", name="Se déconnecter").click()
    page.wait_for_url(re.compile(r"/accounts/login/"))


def has_no_overflow(page: Page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_a_passkey_is_set_up_at_the_first_sign_in_and_then_opens_alone(page):
    add_authenticator(page)
    enter(page, "reviewer")
    expect(page.get_by_role("heading", name="Protégez votre compte")).to_be_visible()
    page.get_by_role("link", name="Ajouter une clé d’accès").click()
    page.get_by_role("button", name="Ajouter la clé d’accès").click()
    expect(page.get_by_role("heading", name="Gardez ces codes de récupération")).to_be_visible()
    assert page.locator(".codes li").count() == 10
    page.get_by_role("link", name="Je les ai gardés").click()
    page.wait_for_url(re.compile(r"/documents/$"))

    leave(page)
    page.get_by_role("button", name="Se connecter avec une clé d’accès").click()
    page.wait_for_url(re.compile(r"/documents/$"))

    leave(page)
    enter(page, "reviewer")
    page.wait_for_url(re.compile(r"/2fa/authenticate/$"))
    page.get_by_role("button", name="Utiliser une clé d’accès").click()
    page.wait_for_url(re.compile(r"/documents/$"))


def test_an_app_is_set_up_and_its_code_opens(page):
    page.set_viewport_size(PHONE)
    enter(page, "staff")
    assert has_no_overflow(page)
    page.get_by_role("link", name="Configurer").click()
    assert has_no_overflow(page)
    secret = page.locator("code.key").inner_text()
    step = int(time.time()) // 30
    page.locator("input[name=code]").fill(HOTP(base64.b32decode(secret), 6, SHA1()).generate(step).decode())  # noqa: S303
    page.get_by_role("button", name="Activer").click()
    code = page.locator(".codes code").first.inner_text()
    assert has_no_overflow(page)
    page.get_by_role("link", name="Je les ai gardés").click()
    page.goto("/accounts/2fa/")
    expect(page.get_by_text("celle-ci")).to_be_visible()
    assert has_no_overflow(page)
    leave(page)
    enter(page, "staff")
    page.locator("input[name=code]").fill(code)
    page.get_by_role("main").get_by_role("button", name="Se connecter").click()
    page.wait_for_url(re.compile(r"/documents/$"))


def test_a_passkey_that_is_put_away_is_said_on_the_page(page):
    page.goto("/accounts/login/")
    page.evaluate(
        "() => { navigator.credentials.get = () => Promise.reject(new DOMException('', 'NotAllowedError')); }"
    )
    page.get_by_role("button", name="Se connecter avec une clé d’accès").click()
    expect(page.get_by_text("La clé d’accès n’a pas servi.")).to_be_visible()


def flaws_in_both_languages(page: Page, *addresses: str) -> list[str]:
    found = []
    for language in LANGUAGES:
        speak(page, language)
        for address in addresses:
            page.goto(address)
            page.locator(f"html[lang^={language}]").wait_for()
            found += [f"{address} {language}: {flaw}" for flaw in flaws(page)]
    speak(page, "fr")
    return found


def speak(page: Page, language: str) -> None:
    page.context.add_cookies(
        [{"name": settings.LANGUAGE_COOKIE_NAME, "value": language, "domain": "localhost", "path": "/"}]
    )


def test_the_pages_of_the_second_step_pass_axe_and_fit_a_telephone(page):
    """Of somebody who has no second step yet, and then of the same person who has one."""
    page.set_viewport_size(PHONE)
    add_authenticator(page)
    enter(page, "admin")
    page.wait_for_url(re.compile(r"/2fa/$"))
    found = flaws_in_both_languages(
        page, "/accounts/2fa/", "/accounts/2fa/totp/activate/", "/accounts/2fa/webauthn/add/"
    )
    page.goto("/accounts/2fa/webauthn/add/")
    page.get_by_role("button", name="Ajouter la clé d’accès").click()
    page.locator(".codes li").first.wait_for()
    found += flaws(page)
    found += flaws_in_both_languages(page, "/accounts/2fa/", "/accounts/2fa/webauthn/add/")
    page.goto("/")
    leave(page)
    enter(page, "admin")
    page.wait_for_url(re.compile(r"/2fa/authenticate/$"))
    found += flaws_in_both_languages(page, "/accounts/2fa/authenticate/")
    assert found == []
