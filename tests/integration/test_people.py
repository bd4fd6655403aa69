"""Clinics and the people of a clinic: opened on the command line, managed by the administrator, told by the journal."""

from __future__ import annotations

import re

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import actions, limits
from accounts.models import ApiToken, Clinic, User
from audit.models import Event
from audit.verbs import Verb
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def test_a_clinic_is_opened_with_an_administrator_who_can_sign_in(client, capsys):
    call_command("create_clinic", "Clinique du Parc", admin="chef@parc.example")
    password = re.search(r"signs in with (\S+),", capsys.readouterr().out).group(1)
    answer = client.post(reverse("account_login"), {"login": "chef@parc.example", "password": password})
    assert answer.status_code == 302
    assert User.objects.get(email="chef@parc.example").clinic == Clinic.objects.get(name="Clinique du Parc")


def test_an_address_belongs_to_one_person(staff):
    with pytest.raises(CommandError):
        call_command("create_clinic", "Autre", admin=staff.email.upper())
    assert not Clinic.objects.filter(name="Autre").exists()


def test_an_added_person_sets_a_password_through_a_link_shown_once(client, admin):
    client.force_login(admin)
    page = client.post(
        reverse("accounts:add-person"), {"name": "Neuve", "email": "neuve@clinique.example", "role": "reviewer"}
    )
    link = re.search(r"/accounts/password/reset/key/[^\s\"<]+", page.content.decode()).group(0)
    assert link not in client.get(reverse("accounts:people")).content.decode()
    client.logout()
    form = client.get(link, follow=True)
    path = form.redirect_chain[-1][0] if form.redirect_chain else link
    client.post(path, {"password1": "une-phrase-bien-longue", "password2": "une-phrase-bien-longue"})
    assert User.objects.get(email="neuve@clinique.example").check_password("une-phrase-bien-longue")


def test_adding_a_person_is_journalled(client, admin):
    client.force_login(admin)
    client.post(reverse("accounts:add-person"), {"name": "N", "email": "n@clinique.example", "role": "staff"})
    verbs = Event.objects.filter(actor_id=admin.pk).order_by("seq").values_list("verb", flat=True)
    assert list(verbs)[-2:] == [Verb.USER_CREATED, Verb.INVITATION_MADE]


def test_an_address_that_is_taken_is_refused_in_the_form(client, admin, staff):
    client.force_login(admin)
    answer = client.post(reverse("accounts:add-person"), {"name": "X", "email": staff.email, "role": "staff"})
    assert answer.status_code == 400


def test_a_role_is_changed_and_the_journal_says_from_what_to_what(client, admin, staff):
    client.force_login(admin)
    client.post(reverse("accounts:change-role", args=[staff.pk]), {"role": "reviewer"})
    staff.refresh_from_db()
    assert staff.role == "reviewer"
    assert Event.objects.get(verb=Verb.ROLE_CHANGED).details == {"before": "staff", "after": "reviewer"}


def test_a_deactivated_persons_tokens_end(client, admin, staff):
    from accounts import actions

    actions.create_token(name="t", days=30, by=staff)
    client.force_login(admin)
    client.post(reverse("accounts:set-active", args=[staff.pk]), {"active": "0"})
    assert ApiToken.objects.get().revoked_at is not None


def test_nobody_signs_up_by_themselves(client):
    answer = client.post(
        reverse("account_signup"),
        {"email": "x@y.example", "password1": "une-phrase-bien-longue", "password2": "une-phrase-bien-longue"},
    )
    assert not User.objects.filter(email="x@y.example").exists()
    assert answer.status_code == 200


def test_a_wrong_password_is_journalled_without_what_was_typed(client, staff):
    client.post(reverse("account_login"), {"login": staff.email, "password": "pas-le-bon"})
    event = Event.objects.get(verb=Verb.LOGIN_FAILED)
    assert event.clinic_id == staff.clinic_id
    assert "pas-le-bon" not in str(event.__dict__)


def test_signing_in_and_out_is_journalled(client, staff):
    staff.set_password("une-phrase-bien-longue")
    staff.save()
    client.post(reverse("account_login"), {"login": staff.email, "password": "une-phrase-bien-longue"})
    client.post(reverse("account_logout"))
    verbs = Event.objects.filter(actor_id=staff.pk).order_by("seq").values_list("verb", flat=True)
    assert list(verbs) == [Verb.LOGIN_OK, Verb.LOGOUT]


def test_a_token_is_shown_once(client, staff):
    client.force_login(staff)
    page = client.post(reverse("accounts:create-token"), {"name": "script", "days": "30"}).content.decode()
    text = re.search(r"nam_[\w-]{40,}", page).group(0)
    assert text not in client.get(reverse("accounts:tokens")).content.decode()


def test_another_persons_token_cannot_be_revoked(client, staff, reviewer):
    from accounts import actions

    token, _text = actions.create_token(name="t", days=30, by=reviewer)
    client.force_login(staff)
    assert client.post(reverse("accounts:revoke-token", args=[token.pk])).status_code == 404


def test_the_page_costs_the_same_however_many_people_there_are(admin, admin_client, clinic, django_assert_num_queries):
    with CaptureQueriesContext(connection) as alone:
        admin_client.get(reverse("accounts:people"))
    UserFactory.create_batch(12, clinic=clinic)
    with django_assert_num_queries(len(alone)):
        admin_client.get(reverse("accounts:people"))


def test_who_is_locked_is_known_of_all_at_once(staff, reviewer, admin, django_assert_num_queries):
    for _failure in range(5):
        limits.ADDRESS.fail(staff.email.lower())
        limits.CODE.fail(str(reviewer.pk))
    with django_assert_num_queries(2):
        assert actions.locked([staff, reviewer, admin]) == {staff.pk, reviewer.pk}
