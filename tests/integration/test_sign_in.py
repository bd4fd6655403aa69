"""Getting in: the second step, its codes, locks that tell nobody anything, and no way around any of it."""

from __future__ import annotations

import base64
import re
import time

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.hotp import HOTP
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.hashers import MD5PasswordHasher
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts import actions, limits, second_factor
from accounts.models import ApiToken, Counter, Session
from audit.models import Event
from audit.verbs import Verb
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db

MOMENT = "2026-03-02 09:00:05+00:00"
LOGIN, SECOND, SECURITY = "/accounts/login/", "/accounts/2fa/authenticate/", "/accounts/2fa/"


@pytest.fixture
def clock():
    with time_machine.travel(MOMENT, tick=False) as traveller:
        yield traveller


def code_of(secret: str, *, steps: int = 0) -> str:
    step = int(time.time()) // 30 + steps
    return HOTP(base64.b32decode(secret), 6, SHA1()).generate(step).decode()  # noqa: S303


def enter(client: Client, person, password: str = PASSWORD):
    return client.post(LOGIN, {"login": person.email, "password": password})


def set_up_app(client: Client) -> tuple[str, list[str]]:
    """Goes through the page; returns the app's secret and the recovery codes that were shown."""
    page = client.get(reverse("mfa_activate_totp")).content.decode()
    secret = re.search(r'<code class="key">(\w+)</code>', page).group(1)
    answer = client.post(reverse("mfa_activate_totp"), {"code": code_of(secret)})
    return secret, re.findall(r"<code>([a-z2-9-]{14})</code>", answer.content.decode())


@pytest.fixture
def enrolled(client, staff, clock):
    """Staff with an app, signed out. Returns (secret, recovery codes)."""
    enter(client, staff)
    found = set_up_app(client)
    client.post(reverse("account_logout"))
    clock.shift(60)
    return found


def verbs_of(person) -> list[str]:
    return list(Event.objects.filter(actor_id=person.pk).order_by("seq").values_list("verb", flat=True))


# --- Setting up -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["staff", "reviewer", "admin"])
def test_the_first_sign_in_leads_to_the_second_step_and_nowhere_else(client, request, role):
    enter(client, request.getfixturevalue(role))
    for name in ("home", "extraction:document-list", "review:journal", "accounts:tokens", "account_change_password"):
        assert client.get(reverse(name)).headers.get("Location") == SECURITY


def test_after_setting_up_an_app_everything_is_open(client, staff, clock):
    enter(client, staff)
    set_up_app(client)
    assert client.get(reverse("extraction:document-list")).status_code == 200
    assert verbs_of(staff)[:3] == [Verb.LOGIN_OK, Verb.SECOND_FACTOR_ADDED, Verb.RECOVERY_CODES_MADE]


def test_the_apps_secret_and_the_recovery_codes_are_not_stored_in_clear(enrolled):
    secret, codes = enrolled
    stored = "".join(str(row.data) for row in Authenticator.objects.all())
    assert len(codes) == 10
    assert secret not in stored
    assert not any(code in stored or code.replace("-", "") in stored for code in codes)


def test_setting_up_ends_the_persons_other_sessions(client, staff, clock):
    other = Client()
    enter(other, staff)
    enter(client, staff)
    set_up_app(client)
    assert other.get(SECURITY).headers["Location"].startswith(LOGIN)


def half_signed_in(person) -> Client:
    """A session that began with a password alone, as one does that is older than the person's second step."""
    client = Client()
    session = client.session
    session.save()
    client._login(person, "allauth.account.auth_backends.AuthenticationBackend")
    return client


def test_a_session_from_before_the_second_step_cannot_set_up_another_one(enrolled, staff):
    half = half_signed_in(staff)
    for name in ("mfa_index", "mfa_activate_totp", "mfa_add_webauthn", "account_reauthenticate", "home"):
        assert half.get(reverse(name)).headers.get("Location") == reverse("mfa_reauthenticate")
    assert half.post(reverse("mfa_reauthenticate"), {"code": code_of(enrolled[0])}).status_code == 302
    assert half.get(reverse("extraction:document-list")).status_code == 200


def _addresses(patterns, prefix: str = "/"):
    for entry in patterns:
        path = prefix + re.sub(r"[\^$\\]|\(\?P<\w+>.*?\)|<uuid:\w+>|<\w+:\w+>", _sample, str(entry.pattern))
        if isinstance(entry, URLResolver):
            yield from _addresses(entry.url_patterns, path)
        elif isinstance(entry, URLPattern):
            yield path


def _sample(match: re.Match[str]) -> str:
    text = match.group(0)
    return "0b8e1f6e-0000-4000-8000-000000000000" if "uuid" in text else "1" if len(text) > 1 else ""


ADDRESSES = sorted(set(_addresses(get_resolver().url_patterns)))
OPEN_HALFWAY = {SECURITY, "/accounts/2fa/totp/activate/", "/accounts/2fa/webauthn/add/", "/accounts/reauthenticate/",
                "/accounts/logout/", "/language/", "/health/"}  # fmt: skip


@pytest.mark.parametrize("method", ["get", "post"])
def test_no_address_lets_half_a_sign_in_through(client, reviewer, method):
    """Before the second step is set up: each address leads to it, refuses, or is the way to it."""
    enter(client, reviewer)
    passed = []
    for address in ADDRESSES:
        if address in OPEN_HALFWAY or "(" in address:
            continue
        answer = getattr(client, method)(address)
        led = answer.status_code == 302 and answer["Location"] == SECURITY
        if not led and answer.status_code not in (403, 404):
            passed.append((address, answer.status_code))
    assert passed == []
    assert len(ADDRESSES) > 100


@pytest.mark.parametrize("method", ["get", "post"])
def test_no_address_lets_a_password_without_its_code_through(enrolled, client, staff, method):
    """While the code is asked for, the person is nobody: each address leads to the sign-in or is open to strangers."""
    assert enter(client, staff)["Location"] == SECOND
    for address in ADDRESSES:
        if "(" not in address and address != LOGIN:
            getattr(client, method)(address)
            assert SESSION_KEY not in client.session, address
    assert client.get(reverse("extraction:document-list"))["Location"].startswith(LOGIN)


# --- Codes ------------------------------------------------------------------------------------------------------------


def test_a_code_signs_in_once(enrolled, client, staff):
    code = code_of(enrolled[0])
    enter(client, staff)
    assert client.post(SECOND, {"code": code})["Location"] == "/"
    client.post(reverse("account_logout"))
    enter(client, staff)
    assert client.post(SECOND, {"code": code}).status_code == 200
    assert SESSION_KEY not in client.session


def test_the_code_of_the_set_up_does_not_sign_in(client, staff, clock):
    enter(client, staff)
    secret, _codes = set_up_app(client)
    client.post(reverse("account_logout"))
    enter(client, staff)
    assert client.post(SECOND, {"code": code_of(secret)}).status_code == 200


def test_a_telephone_whose_clock_is_half_a_minute_off_still_works_and_its_code_is_used_up(
    enrolled, client, staff, clock
):
    slow = code_of(enrolled[0], steps=-1)
    enter(client, staff)
    assert client.post(SECOND, {"code": slow}).status_code == 302
    client.post(reverse("account_logout"))
    clock.shift(20)
    enter(client, staff)
    assert client.post(SECOND, {"code": slow}).status_code == 200


def test_a_code_of_two_minutes_ago_is_refused(enrolled, client, staff):
    enter(client, staff)
    assert client.post(SECOND, {"code": code_of(enrolled[0], steps=-4)}).status_code == 200


def test_a_recovery_code_opens_once(enrolled, client, staff):
    _secret, codes = enrolled
    for expected in (302, 200):
        enter(client, staff)
        assert client.post(SECOND, {"code": codes[3].upper()}).status_code == expected
        client.post(reverse("account_logout"))
    assert second_factor.recovery_codes_left(staff) == 9
    assert verbs_of(staff).count(Verb.RECOVERY_CODE_USED) == 1


def test_recovery_codes_are_not_shown_again(enrolled, client, staff):
    secret, codes = enrolled
    enter(client, staff)
    client.post(SECOND, {"code": code_of(secret)})
    page = client.get(SECURITY).content.decode()
    assert not any(code in page for code in codes)
    fresh = client.post(reverse("accounts:make-recovery-codes")).content.decode()
    assert len(re.findall(r"<code>[a-z2-9-]{14}</code>", fresh)) == 10
    assert codes[0] not in fresh


def test_wrong_codes_lock_and_then_even_the_right_one_waits(enrolled, client, staff, clock):
    enter(client, staff)
    for _try in range(limits.CODE.free):
        client.post(SECOND, {"code": "000000"})
    assert client.post(SECOND, {"code": code_of(enrolled[0])}).status_code == 200
    assert Verb.LOCKED in verbs_of(staff)
    clock.shift(limits.CODE.first + 1)
    assert client.post(SECOND, {"code": code_of(enrolled[0])}).status_code == 302


def test_a_wrong_code_is_journalled_without_the_code(enrolled, client, staff):
    enter(client, staff)
    client.post(SECOND, {"code": "123456"})
    event = Event.objects.get(verb=Verb.SECOND_FACTOR_FAILED)
    assert event.actor_id == staff.pk
    assert "123456" not in str(event.__dict__)


def test_the_last_second_step_cannot_be_removed(enrolled, client, staff):
    enter(client, staff)
    client.post(SECOND, {"code": code_of(enrolled[0])})
    client.post(reverse("mfa_deactivate_totp"))
    assert second_factor.has_factor(staff)


# --- Reset ------------------------------------------------------------------------------------------------------------


def test_a_reset_ends_sessions_and_the_password_so_that_it_is_no_way_around(enrolled, client, staff, admin_client):
    enter(client, staff)
    client.post(SECOND, {"code": code_of(enrolled[0])})
    page = admin_client.post(reverse("accounts:reset-second-factor", args=[staff.pk])).content.decode()
    assert client.get(reverse("extraction:document-list"))["Location"].startswith(LOGIN)
    assert enter(client, staff).status_code == 200  # The old password alone sets nothing up.
    link = re.search(r"/accounts/password/reset/key/[^\s\"<]+", page).group(0)
    form = client.get(link, follow=True).redirect_chain[-1][0]
    client.post(form, {"password1": "une-autre-longue-phrase", "password2": "une-autre-longue-phrase"})
    enter(client, staff, "une-autre-longue-phrase")
    assert client.get(reverse("extraction:document-list"))["Location"] == SECURITY
    assert Event.objects.get(verb=Verb.SECOND_FACTOR_RESET).object_id == staff.pk


def test_nobody_resets_their_own_second_step(admin, admin_client):
    assert admin_client.post(reverse("accounts:reset-second-factor", args=[admin.pk])).status_code == 403


def test_a_new_password_by_link_does_not_pass_the_second_step(enrolled, client, staff, admin_client):
    page = admin_client.post(reverse("accounts:invite", args=[staff.pk])).content.decode()
    link = re.search(r"/accounts/password/reset/key/[^\s\"<]+", page).group(0)
    form = client.get(link, follow=True).redirect_chain[-1][0]
    client.post(form, {"password1": "une-autre-longue-phrase", "password2": "une-autre-longue-phrase"})
    assert SESSION_KEY not in client.session
    assert enter(client, staff, "une-autre-longue-phrase")["Location"] == SECOND


# --- Tokens -----------------------------------------------------------------------------------------------------------


def test_a_token_works_without_a_second_step_and_half_a_sign_in_makes_none(client, staff):
    _token, text = actions.create_token(name="programme", days=30, by=staff)
    assert Client().get("/api/nam/runs", headers={"Authorization": f"Bearer {text}"}).status_code == 200
    enter(client, staff)
    client.post(reverse("accounts:create-token"), {"name": "autre", "days": "30"})
    assert client.get("/api/nam/runs").status_code == 403
    assert ApiToken.objects.count() == 1


# --- Locks without enumeration ----------------------------------------------------------------------------------------


def sentence(answer) -> str:
    """What the page says, without the token that differs on every page and what was typed."""
    text = re.sub(r'value="[^"]*"', "", answer.content.decode())
    return re.sub(r"\s+", " ", text)


def lock(client: Client, email: str) -> None:
    for _try in range(limits.ADDRESS.free):
        client.post(LOGIN, {"login": email, "password": "non"})


def test_unknown_wrong_and_locked_get_the_same_page(client, staff, reviewer):
    lock(client, reviewer.email)
    unknown = client.post(LOGIN, {"login": "personne@nulle-part.example", "password": "non"})
    wrong = client.post(LOGIN, {"login": staff.email, "password": "non"})
    locked = enter(client, reviewer)  # With the right password.
    assert unknown.status_code == wrong.status_code == locked.status_code == 200
    assert sentence(unknown) == sentence(wrong) == sentence(locked)


def test_unknown_wrong_and_locked_cost_one_password_hash_each(client, staff, reviewer, monkeypatch):
    """The hash is by far the longest part of the answer; docs/sign-in.md has the times."""
    lock(client, reviewer.email)
    hashes: list[str] = []
    encode = MD5PasswordHasher.encode

    def counted(hasher, password, salt, *rest):
        hashes.append(password)
        return encode(hasher, password, salt, *rest)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counted)
    for email in ("personne@nulle-part.example", staff.email, reviewer.email):
        client.post(LOGIN, {"login": email, "password": email})
    assert hashes == ["personne@nulle-part.example", staff.email, reviewer.email]


def test_an_address_that_nobody_has_is_locked_like_any_other(client, clock):
    lock(client, "personne@nulle-part.example")
    client.post(LOGIN, {"login": "Personne@nulle-part.example", "password": "non"})
    assert Event.objects.filter(verb=Verb.LOGIN_FAILED, reason_code="locked").count() == 1
    assert not Counter.objects.filter(key__contains="personne").exists()


def test_the_lock_grows_and_trying_on_does_not_lengthen_it(client, staff, clock):
    lock(client, staff.email)
    first = limits.ADDRESS.until(staff.email)
    for _try in range(10):
        enter(client, staff, "non")
    assert limits.ADDRESS.until(staff.email) == first
    clock.shift(limits.ADDRESS.first + 1)
    enter(client, staff, "non")
    clock.shift(limits.ADDRESS.first + 1)
    assert enter(client, staff).status_code == 200  # Twice as long now.
    clock.shift(limits.ADDRESS.first)
    assert enter(client, staff).status_code == 302


def test_an_administrator_unlocks_a_colleague(client, staff, admin_client):
    lock(client, staff.email)
    assert reverse("accounts:unlock", args=[staff.pk]) in admin_client.get(reverse("accounts:people")).content.decode()
    admin_client.post(reverse("accounts:unlock", args=[staff.pk]))
    assert enter(client, staff).status_code == 302
    assert Event.objects.filter(verb=Verb.UNLOCKED, object_id=staff.pk).exists()


def test_many_addresses_from_one_network_lock_that_network(client, staff):
    for number in range(limits.NETWORK.free):
        client.post(LOGIN, {"login": f"p{number}@nulle-part.example", "password": "non"})
    assert enter(client, staff).status_code == 200
    assert SESSION_KEY not in client.session


def test_a_flood_from_one_network_gets_429_and_one_event(client, clock):
    answers = [
        client.post(LOGIN, {"login": "a@b.example", "password": "non"}) for _try in range(limit_of("sign-in") + 3)
    ]
    assert [answer.status_code for answer in answers[-4:]] == [200, 429, 429, 429]
    assert int(answers[-1]["Retry-After"]) in range(1, 61)
    assert Event.objects.filter(verb=Verb.LIMIT_REACHED).count() == 1


def limit_of(action: str) -> int:
    return limits.LIMITS[action][0].count


def test_nobody_signs_in_when_failures_cannot_be_counted(client, staff, monkeypatch):
    from django.db import DatabaseError

    def broken(*_args):
        raise DatabaseError

    monkeypatch.setattr(limits.Lock, "until", broken)
    client.raise_request_exception = False
    assert enter(client, staff).status_code == 500
    assert not Session.objects.filter(user=staff).exists()
