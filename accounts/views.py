"""People and tokens."""

from __future__ import annotations

from uuid import UUID

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts import actions
from accounts.access import get_or_404
from accounts.forms import PersonForm, RoleForm, TokenForm
from accounts.models import ApiToken, User
from accounts.policy import Right, requires
from accounts.reauthentication import freshly_proved
from accounts.requests import person
from audit.declared import journals, journals_nothing
from audit.verbs import Verb


def _colleagues(user: User) -> list[User]:
    return list(User.objects.filter(clinic_id=user.clinic_id).order_by("-is_active", "name"))


@require_safe
@requires(Right.PEOPLE)
@journals_nothing("names and roles of colleagues: no health information")
def people(request: HttpRequest) -> HttpResponse:
    return _people(request, PersonForm())


@require_POST
@requires(Right.PEOPLE)
@journals(Verb.USER_CREATED, Verb.INVITATION_MADE)
def add_person(request: HttpRequest) -> HttpResponse:
    user = person(request)
    form = PersonForm(request.POST)
    if not form.is_valid():
        return _people(request, form, status=400)
    added = actions.create_user(clinic=user.clinic, by=user, **form.cleaned_data)
    return _invite(request, added)


@require_POST
@requires(Right.PEOPLE)
@journals(Verb.INVITATION_MADE)
def invite(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """A new link to set a password, for somebody who lost theirs."""
    return _invite(request, _colleague(request, user_id))


def _invite(request: HttpRequest, invited: User) -> HttpResponse:
    """Shows the administrator, in this answer only, a link that lets `invited` set a password."""
    user = person(request)
    actions.journal_invitation(user=invited, by=user)
    key = f"{user_pk_to_url_str(invited)}-{default_token_generator.make_token(invited)}"
    uid, _separator, token = key.partition("-")
    address = reverse("account_reset_password_from_key", kwargs={"uidb36": uid, "key": token})
    invitation = {"name": invited.name, "url": request.build_absolute_uri(address)}
    return _people(request, PersonForm(), invitation=invitation)


def _people(
    request: HttpRequest, form: PersonForm, *, invitation: dict[str, str] | None = None, status: int = 200
) -> HttpResponse:
    people = _colleagues(person(request))
    context = {"people": people, "form": form, "invitation": invitation, "locked": actions.locked(people)}
    return render(request, "accounts/people.html", context, status=status)


@require_POST
@requires(Right.PEOPLE)
@freshly_proved
@journals(Verb.SECOND_FACTOR_RESET)
def reset_second_factor(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """For somebody who lost their telephone: they begin again with the link that is shown."""
    reset = _colleague(request, user_id)
    actions.reset_second_factor(user=reset, by=person(request))
    return _invite(request, reset)


@require_POST
@requires(Right.PEOPLE)
@journals(Verb.UNLOCKED)
def unlock(request: HttpRequest, user_id: UUID) -> HttpResponse:
    actions.unlock(user=_colleague(request, user_id), by=person(request))
    messages.success(request, _("They can try again now."))
    return redirect("accounts:people")


@require_POST
@requires(Right.PEOPLE)
@freshly_proved
@journals(Verb.ROLE_CHANGED)
def change_role(request: HttpRequest, user_id: UUID) -> HttpResponse:
    form = RoleForm(request.POST)
    if form.is_valid():
        actions.change_role(user=_colleague(request, user_id), role=form.cleaned_data["role"], by=person(request))
        messages.success(request, _("Role changed."))
    return redirect("accounts:people")


@require_POST
@requires(Right.PEOPLE)
@journals(Verb.USER_DISABLED, Verb.USER_ENABLED)
def set_active(request: HttpRequest, user_id: UUID) -> HttpResponse:
    active = request.POST.get("active") == "1"
    actions.set_active(user=_colleague(request, user_id), active=active, by=person(request))
    messages.success(request, _("Person reactivated.") if active else _("Person deactivated."))
    return redirect("accounts:people")


def _colleague(request: HttpRequest, user_id: UUID) -> User:
    user = person(request)
    return get_or_404(User.objects.filter(clinic_id=user.clinic_id), user_id, by=user)


@require_safe
@journals_nothing("the names of the person's own tokens")
def token_list(request: HttpRequest) -> HttpResponse:
    """The person's own tokens."""
    return _tokens(request, TokenForm())


def _tokens(request: HttpRequest, form: TokenForm, *, fresh: str = "") -> HttpResponse:
    tokens = ApiToken.objects.filter(user=person(request)).order_by("-created_at")
    return render(request, "accounts/tokens.html", {"tokens": tokens, "form": form, "fresh": fresh})


@require_POST
@freshly_proved
@journals(Verb.TOKEN_CREATED)
def create_token(request: HttpRequest) -> HttpResponse:
    """Makes a token and shows its text in this answer only; it is kept nowhere."""
    form = TokenForm(request.POST)
    if not form.is_valid():
        return _tokens(request, form)
    _token, text = actions.create_token(by=person(request), **form.cleaned_data)
    return _tokens(request, TokenForm(), fresh=text)


@require_POST
@journals(Verb.TOKEN_REVOKED)
def revoke_token(request: HttpRequest, token_id: UUID) -> HttpResponse:
    user = person(request)
    get_or_404(ApiToken.objects.filter(user=user), token_id, by=user)
    actions.revoke_token(token_id=token_id, by=user)
    messages.success(request, _("Token revoked."))
    return redirect("accounts:tokens")
