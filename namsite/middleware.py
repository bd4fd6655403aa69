"""What holds for every request: an id, the language, no caching of private pages, one place for domain errors."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _
from whitenoise.middleware import WhiteNoiseMiddleware

from accounts import second_factor, sessions, tenancy
from accounts.limits import TooManyRequests
from accounts.models import User
from audit.origin import origin, well_formed
from audit.record import JournalUnavailable
from audit.registers.actions import Kept
from extraction.actions import CannotRun
from extraction.deployments import CannotRollOut
from extraction.errors import ExtractionError
from review.policy import Conflict
from vault.errors import VaultError

Next = Callable[[HttpRequest], HttpResponseBase]


class OriginMiddleware:
    """Gives the request an id that its log lines, its events, its jobs and its answer carry."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request_id = request_id_of(request)
        request.request_id = request_id  # type: ignore[attr-defined]  # Django logs some answers when this is over.
        component = "api" if request.path.startswith("/api/") else "web"
        with origin(component, request_id=request_id, ip=client_address(request)):
            response = self.get_response(request)
        response["X-Request-Id"] = request_id
        return response


def request_id_of(request: HttpRequest) -> str:
    """Behind our own proxy the id that the proxy gave, so that its lines and ours meet; otherwise a new one."""
    said = request.headers.get("X-Request-Id", "") if settings.SECURE_PROXY_SSL_HEADER else ""
    return well_formed(said) or uuid.uuid4().hex


def client_address(request: HttpRequest) -> str:
    """The peer's address; behind our own proxy, the last address that the proxy wrote down."""
    if settings.SECURE_PROXY_SSL_HEADER and (forwarded := request.headers.get("X-Forwarded-For")):
        return str(forwarded).rsplit(",", 1)[-1].strip()
    return str(request.META.get("REMOTE_ADDR", ""))


class StaticFilesMiddleware(WhiteNoiseMiddleware):  # type: ignore[misc]  # not typed
    """WhiteNoise, answering with whole files: they are small, and ASGI would read a file's stream to its end anyway,
    with a warning for each."""

    @staticmethod
    def serve(static_file: Any, request: HttpRequest) -> HttpResponse:
        found = static_file.get_response(request.method, request.META)
        body = b""
        if found.file is not None:
            with found.file:
                body = found.file.read()
        response = HttpResponse(body, status=int(found.status))
        del response["Content-Type"]
        for name, value in found.headers:
            response[name] = value
        return response


class LanguageMiddleware:
    """French unless the person chose English. Programs may ask by Accept-Language.

    A browser's Accept-Language says what the computer was sold with; a Quebec clinic works in French first.
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
        if request.path.startswith("/api/") and not chosen:
            chosen = translation.get_language_from_request(request) if "Accept-Language" in request.headers else ""
        language = chosen if chosen in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
        translation.activate(language)
        request.LANGUAGE_CODE = language
        response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        return response


class SessionGuardMiddleware:
    """Nothing is reachable in a session that lacks its second step but the way to it; what is done keeps it alive."""

    ALWAYS = frozenset({"account_logout", "set-language", "health"})
    SET_UP = frozenset({"mfa_index", "mfa_activate_totp", "mfa_add_webauthn", "account_reauthenticate"})
    CONFIRM = frozenset({"mfa_reauthenticate", "mfa_reauthenticate_webauthn"})

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with tenancy.scope(tenancy.NONE):  # Until it is known whose rows the request is about.
            response = self.get_response(request)
        here = request.resolver_match
        if request.method == "POST" and here is not None and here.view_name == "account_logout":
            # What the browser keeps of the pages goes too (OWASP ASVS 5.0, 14.3.1).
            # Not "storage": sealed decisions that wait there are found again by the same person (decision 0020).
            response["Clear-Site-Data"] = '"cache"'
        return response

    def process_view(self, request: HttpRequest, _view: Any, _args: Any, _kwargs: Any) -> HttpResponseBase | None:
        user = request.user
        if not isinstance(user, User):
            return None
        tenancy.enter(user.clinic_id)
        if not (request.path.startswith("/api/") or "X-By-Itself" in request.headers):
            sessions.touch(request)  # What a page asks for on its own is nobody's doing.
        return None if second_factor.is_complete(request) else self._lead(request, user)

    def _lead(self, request: HttpRequest, user: User) -> HttpResponseBase | None:
        """Where somebody with half a sign-in may go. Having a second step, they cannot set up another without it."""
        way, start = (
            (self.CONFIRM, "mfa_reauthenticate") if second_factor.has_factor(user) else (self.SET_UP, "mfa_index")
        )
        name = request.resolver_match.view_name if request.resolver_match else ""
        if name in way | self.ALWAYS:
            return None
        if request.path.startswith("/api/") or "application/json" in request.headers.get("Accept", ""):
            # Without a sentence: our scripts then wait for the sign-in to be completed, and lose nothing.
            return JsonResponse({"code": "second_step", "error": ""}, status=403)
        return redirect(start)


class PrivateResponseMiddleware:
    """Nothing that a signed-in person sees may stay in a cache, on a disk or in a proxy."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "no-store, private")
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        return response


class DomainErrorMiddleware:
    """Turns the errors of our own trees into answers, once, for pages."""

    STATUS: tuple[tuple[type[Exception], int], ...] = (
        (CannotRun, 409),
        (CannotRollOut, 409),
        (Conflict, 409),
        (Kept, 409),
        (ExtractionError, 422),
        (JournalUnavailable, 503),
        (VaultError, 503),
    )

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, TooManyRequests):
            return too_many(request, retry_after=exception.retry_after)
        for kind, status in self.STATUS:
            if isinstance(exception, kind):
                return answer(request, status, sentence(exception))
        return None


def sentence(exception: Exception) -> str:
    """What a person may be told. Errors of the vault and the journal say nothing about their inside."""
    if isinstance(exception, ExtractionError):
        return exception.sentence
    if isinstance(exception, CannotRun | CannotRollOut | Conflict | Kept):
        return str(exception)
    return ""


def too_many(request: HttpRequest, *, retry_after: int) -> HttpResponse:
    """429, with the seconds after which it is worth trying again."""
    response = answer(request, HTTPStatus.TOO_MANY_REQUESTS, _("Too many requests. Wait a little, then try again."))
    response["Retry-After"] = str(retry_after)
    return response


def answer(request: HttpRequest, status: int, message: str) -> HttpResponse:
    """An error page, or JSON for our own scripts."""
    if "application/json" in request.headers.get("Accept", ""):
        return JsonResponse({"error": message}, status=status)
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        # Drawn without the request: the database that knows the person may be what is missing.
        return HttpResponse(render_to_string("503.html"), status=status)
    return render(request, "refused.html", {"message": message}, status=status)
