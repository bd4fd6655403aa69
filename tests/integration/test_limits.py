"""Limits on requests: 429 with the seconds to wait, one event, and no way in when nothing can be counted."""

from __future__ import annotations

import pytest
import time_machine
from django.core.cache import cache
from django.db import DatabaseError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import actions, limits
from accounts.limits import Limit
from accounts.models import Counter
from audit.models import PLATFORM, Event
from audit.record import JournalUnavailable
from audit.verbs import Verb
from tests.factories import DocumentFactory, RunFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock():
    with time_machine.travel("2026-03-02 09:00:05+00:00", tick=False) as traveller:
        yield traveller


@pytest.fixture
def two(monkeypatch):
    """Two a minute for one person, three for one address, four for one clinic."""
    rates = (Limit("user", 2, 60), Limit("ip", 3, 60), Limit("clinic", 4, 60))
    for action in ("export", "upload", "api"):
        monkeypatch.setitem(limits.LIMITS, action, rates)


def test_the_third_upload_of_a_minute_waits_and_is_told_how_long(clock, two, staff_client, staff):
    answers = [staff_client.post(reverse("extraction:upload")) for _turn in range(4)]
    assert [answer.status_code for answer in answers] == [302, 302, 429, 429]
    assert answers[-1]["Retry-After"] == "60"
    event = Event.objects.get(verb=Verb.LIMIT_REACHED)
    assert (event.actor_id, event.reason_code, event.count) == (staff.pk, "upload.user", 2)
    clock.shift(61)
    assert staff_client.post(reverse("extraction:upload")).status_code == 302


def test_an_export_is_limited(clock, two, staff_client, staff):
    run = RunFactory(document=DocumentFactory(uploaded_by=staff))
    path = reverse("review:export", args=[run.document.pk])
    assert [staff_client.post(path).status_code for _turn in range(3)] == [400, 400, 429]


def test_the_api_answers_429_in_its_own_form(clock, two, staff):
    _token, text = actions.create_token(name="programme", days=30, by=staff)
    client = Client(headers={"Authorization": f"Bearer {text}"})
    answers = [client.get("/api/nam/runs") for _turn in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[-1].json()["code"] == "too_many_requests"
    assert int(answers[-1]["Retry-After"]) > 0


def test_colleagues_share_the_limits_of_their_address_and_clinic(clock, two, clinic):
    codes = []
    for number in range(3):
        client = Client(REMOTE_ADDR=f"10.0.0.{number // 2}")
        client.force_login(UserFactory(clinic=clinic))
        codes += [client.post(reverse("extraction:upload")).status_code for _turn in range(2)]
    # Three of one address, then four of the clinic; what is refused by the address does not reach the clinic's count.
    assert codes == [302, 302, 302, 429, 302, 429]


def test_another_clinic_is_not_held_up(clock, two, staff_client, outsider_client):
    for _turn in range(4):
        staff_client.post(reverse("extraction:upload"))
    elsewhere = outsider_client.post(reverse("extraction:upload"), REMOTE_ADDR="10.9.9.9")
    assert elsewhere.status_code == 302


def test_nothing_is_exported_when_nothing_can_be_counted(two, staff_client, staff, monkeypatch):
    def broken(*_args):
        raise DatabaseError

    monkeypatch.setattr(limits, "_counter", broken)
    staff_client.raise_request_exception = False
    path = reverse("review:export", args=[DocumentFactory(uploaded_by=staff).pk])
    assert staff_client.post(path).status_code == 500


def test_old_counters_are_removed(clock, two, staff_client):
    staff_client.post(reverse("extraction:upload"))
    assert Counter.objects.count() == 3
    clock.shift(limits.KEPT.total_seconds() + 1)
    limits.forget_old(timezone.now())
    assert not Counter.objects.exists()


# --- allauth's own limits ---------------------------------------------------------------------------------------------

PASSKEY, FORGOTTEN = "/accounts/2fa/webauthn/login/", "/accounts/password/reset/"


@pytest.fixture
def allauth_two(clock, settings):
    """Two a minute for one address, counted in an empty cache."""
    settings.MFA_RATE_LIMITS = {"webauthn_login": "2/m/ip"}
    settings.ACCOUNT_RATE_LIMITS = {
        **settings.ACCOUNT_RATE_LIMITS,
        "reset_password": "2/m/ip",
        "reauthenticate": "2/m/user",
    }
    cache.clear()
    yield clock
    cache.clear()


@pytest.mark.attack("requests to every address", "refused")
def test_refused_passkeys_leave_one_event_a_window_and_source(client, allauth_two):
    codes = [client.post(PASSKEY).status_code for _turn in range(5)]
    assert codes[2:] == [429, 429, 429]
    event = Event.objects.get(verb=Verb.LIMIT_REACHED)
    assert (event.clinic_id, event.actor_id, event.ip, event.reason_code) == (
        PLATFORM, None, "127.0.0.1", "mfa_login_webauthn.ip",
    )  # fmt: skip
    assert client.post(PASSKEY, REMOTE_ADDR="127.0.0.2").status_code != 429
    allauth_two.shift(61)
    assert [client.post(PASSKEY).status_code for _turn in range(3)][-1] == 429
    assert Event.objects.filter(verb=Verb.LIMIT_REACHED).count() == 2


@pytest.mark.attack("requests to every address", "refused")
def test_a_refusal_tells_nobody_whether_an_account_exists(allauth_two, staff):
    answers = {}
    for number, email in enumerate((staff.email, "personne@nulle-part.example")):
        cache.clear()
        for _turn in range(3):
            answers[email] = Client().post(FORGOTTEN, {"email": email}, REMOTE_ADDR=f"127.0.1.{number}")
    known, unknown = answers.values()
    assert (known.status_code, known["Retry-After"]) == (unknown.status_code, unknown["Retry-After"]) == (429, "60")
    events = Event.objects.filter(verb=Verb.LIMIT_REACHED)
    assert {(event.clinic_id, event.actor_id, event.reason_code, str(event.details)) for event in events} == {
        (PLATFORM, None, "account_reset_password.ip", "{}")
    }
    assert events.count() == 2


def test_a_person_who_confirms_too_often_is_named_in_their_clinics_journal(allauth_two, staff_client, staff):
    for _turn in range(3):
        answer = staff_client.post(reverse("account_reauthenticate"), {"password": "non"})
    assert answer.status_code == 429
    event = Event.objects.get(verb=Verb.LIMIT_REACHED)
    assert (event.clinic_id, event.actor_id, event.reason_code) == (
        staff.clinic_id, staff.pk, "account_reauthenticate.user",
    )  # fmt: skip


def test_a_refusal_that_cannot_be_journalled_is_answered_503(client, allauth_two, monkeypatch):
    def unavailable(*_args, **_fields):
        raise JournalUnavailable

    monkeypatch.setattr(limits, "record_at_the_door", unavailable)
    assert [client.post(PASSKEY).status_code for _turn in range(4)][2:] == [503, 503]
