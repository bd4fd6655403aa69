"""Sessions: how they end, who sees them, and what asks again who somebody is."""

from __future__ import annotations

import re

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import actions, sessions
from accounts.models import Session
from audit.models import Event
from audit.verbs import Verb
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db

LIST, LOGIN = "/documents/", "/accounts/login/"


@pytest.fixture
def clock():
    with time_machine.travel("2026-03-02 09:00:05+00:00", tick=False) as traveller:
        yield traveller


def signed_in(person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def is_over(client: Client) -> bool:
    return client.get(LIST).status_code == 302


def test_a_session_that_nobody_uses_is_over_after_a_quarter_of_an_hour(clock, staff):
    client = signed_in(staff)
    clock.shift(14 * 60)
    assert not is_over(client)
    clock.shift(14 * 60)
    assert not is_over(client)
    clock.shift(15 * 60 + 1)
    assert is_over(client)
    assert not Session.objects.filter(user=staff).exists()


def test_what_a_page_asks_for_on_its_own_keeps_no_session_alive(clock, staff):
    client = signed_in(staff)
    for _minute in range(15):
        clock.shift(60)
        client.get(f"{LIST}?rows", headers={"X-By-Itself": "1"})
    clock.shift(1)
    assert is_over(client)


def test_a_session_is_over_twelve_hours_after_the_sign_in_however_busy(clock, staff):
    client = signed_in(staff)
    for _step in range(71):
        clock.shift(10 * 60)
        assert not is_over(client)
    clock.shift(10 * 60 + 1)
    assert is_over(client)


def test_the_scheduler_removes_what_is_over(clock, staff):
    signed_in(staff)
    clock.shift(16 * 60)
    sessions.forget_old(timezone.now())
    assert not Session.objects.exists()


def test_a_new_role_ends_the_persons_sessions(staff, admin):
    client = signed_in(staff)
    actions.change_role(user=staff, role="reviewer", by=admin)
    assert is_over(client)


def test_a_new_password_ends_the_other_sessions(staff):
    here, there = signed_in(staff), signed_in(staff)
    here.post(
        reverse("account_change_password"),
        {"oldpassword": PASSWORD, "password1": "une-phrase-bien-longue", "password2": "une-phrase-bien-longue"},
    )
    assert (is_over(here), is_over(there)) == (False, True)


def test_a_person_sees_their_sessions_and_ends_another_one(staff):
    here, there = signed_in(staff), signed_in(staff)
    page = here.get(reverse("mfa_index")).content.decode()
    assert len(re.findall("/security/sessions/.*?/end/", page)) == 1  # This one ends by signing out.
    label = Session.objects.get(session_key=there.session.session_key).label
    assert there.session.session_key not in page
    here.post(reverse("accounts:end-session", args=[label]))
    assert (is_over(here), is_over(there)) == (False, True)
    assert Event.objects.get(verb=Verb.SESSION_ENDED).object_id == label


def test_nobody_ends_another_persons_session(staff, reviewer):
    theirs = signed_in(reviewer)
    label = Session.objects.get(user=reviewer).label
    assert signed_in(staff).post(reverse("accounts:end-session", args=[label])).status_code == 404
    assert not is_over(theirs)


def test_signing_out_clears_what_the_browser_keeps(staff):
    answer = signed_in(staff).post(reverse("account_logout"))
    assert answer["Clear-Site-Data"] == '"cache"'


def test_a_session_that_ran_out_leaves_what_the_browser_keeps(clock, staff):
    client = signed_in(staff)
    clock.shift(16 * 60)
    assert "Clear-Site-Data" not in client.get(LIST)


@pytest.mark.parametrize(
    ("agent", "said"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0 Safari/537.36", "Chrome, Linux"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/140.0 Safari/537.36 Edg/140.0", "Edge, Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1", "Safari, iPhone"),
        ("curl/8", ""),
    ],
)  # fmt: skip
def test_a_browser_is_named_as_people_know_it(agent, said):
    assert sessions.browser_of(agent) == said


# --- Confirming who one is --------------------------------------------------------------------------------------------


def asks_again(answer) -> bool:
    return answer.status_code == 302 and answer["Location"].startswith("/accounts/reauthenticate/")


@pytest.mark.parametrize("name", ["create-token", "make-recovery-codes"])
def test_what_changes_the_account_asks_again_after_five_minutes(clock, staff, name):
    client = signed_in(staff)
    clock.shift(5 * 60 + 1)
    assert asks_again(client.post(reverse(f"accounts:{name}")))


@pytest.mark.parametrize("name", ["change-role", "reset-second-factor"])
def test_what_changes_a_colleague_asks_again_after_five_minutes(clock, admin, staff, name):
    client = signed_in(admin)
    clock.shift(5 * 60 + 1)
    assert asks_again(client.post(reverse(f"accounts:{name}", args=[staff.pk]), {"role": "reviewer"}))


def test_what_was_asked_for_goes_on_after_the_password(clock, staff):
    client = signed_in(staff)
    clock.shift(5 * 60 + 1)
    asked = client.post(reverse("accounts:create-token"), {"name": "programme", "days": "30"})
    done = client.post(asked["Location"], {"password": PASSWORD})
    assert "nam_" in done.content.decode()
    assert Event.objects.filter(verb=Verb.REAUTHENTICATED, actor_id=staff.pk).count() == 1
    clock.shift(4 * 60)
    assert client.post(reverse("accounts:make-recovery-codes")).status_code == 302  # To the page: no factor, no codes.
    assert not asks_again(client.post(reverse("accounts:create-token"), {"name": "x", "days": "30"}))


def test_a_wrong_password_confirms_nothing(clock, staff):
    client = signed_in(staff)
    clock.shift(5 * 60 + 1)
    client.post(reverse("account_reauthenticate"), {"password": "non"})
    assert asks_again(client.post(reverse("accounts:create-token")))


def test_an_export_asks_again_after_five_minutes(clock, staff):
    from tests.factories import DocumentFactory

    document = DocumentFactory(uploaded_by=staff)
    client = signed_in(staff)
    clock.shift(5 * 60 + 1)
    assert asks_again(client.post(reverse("review:export", args=[document.pk])))
