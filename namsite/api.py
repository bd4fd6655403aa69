"""The API: assembled here from what each floor offers, with one way to answer errors."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import NinjaAPI
from ninja.errors import ValidationError

from accounts.api_auth import AUTHENTICATION
from accounts.limits import TooManyRequests
from accounts.policy import NotAllowed
from extraction.actions import CannotRun
from extraction.api import router as extraction_router
from namsite.middleware import DomainErrorMiddleware, sentence
from review.api import router as review_router
from review.policy import Conflict

api = NinjaAPI(
    title="Repérage NAM",
    version="1",
    description="Upload PDFs, follow their extraction, read and export the results. Rights and journal are the pages'.",
    auth=AUTHENTICATION,
    docs_url="/docs",
)
api.add_router("/nam", extraction_router)
api.add_router("/nam", review_router)


@api.exception_handler(NotAllowed)
def not_allowed(request: HttpRequest, error: NotAllowed) -> HttpResponse:
    return _answer(request, 403, "not_allowed", str(error))


@api.exception_handler(TooManyRequests)
def too_many(request: HttpRequest, error: TooManyRequests) -> HttpResponse:
    response = _answer(request, 429, "too_many_requests", _("Too many requests. Wait a little."))
    response["Retry-After"] = str(error.retry_after)
    return response


@api.exception_handler(Http404)
def not_found(request: HttpRequest, _error: Http404) -> HttpResponse:
    return _answer(request, 404, "not_found", _("There is nothing here."))


@api.exception_handler(CannotRun)
def cannot_run(request: HttpRequest, error: CannotRun) -> HttpResponse:
    return _answer(request, 409, "conflict", str(error))


@api.exception_handler(Conflict)
def conflict(request: HttpRequest, error: Conflict) -> HttpResponse:
    return _answer(request, 409, "conflict", str(error))


@api.exception_handler(ValidationError)
def invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """Says which fields are wrong and why, but never repeats what was sent."""
    fields = [{"field": ".".join(str(part) for part in item["loc"]), "problem": item["msg"]} for item in error.errors]
    return api.create_response(
        request, {"code": "invalid", "message": _("Check the fields."), "fields": fields}, status=422
    )


@api.exception_handler(Exception)
def broken(request: HttpRequest, error: Exception) -> HttpResponse:
    """The domain's errors with their status; anything else is Django's to report, without its text."""
    for kind, status in DomainErrorMiddleware.STATUS:
        if isinstance(error, kind):
            return _answer(request, status, getattr(error, "code", "unavailable"), sentence(error))
    raise error


def _answer(request: HttpRequest, status: int, code: str, message: str) -> HttpResponse:
    body: dict[str, Any] = {"code": code, "message": message}
    return api.create_response(request, body, status=status)


urls = api.urls
for pattern in urls[0]:
    # The API authenticates by itself; a redirect to the sign-in page would be no answer to a program.
    pattern.callback.login_required = False  # type: ignore[union-attr]
