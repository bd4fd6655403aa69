"""The entrance, the language, health, and what is said when something is missing."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST, require_safe

from accounts import limits
from accounts.models import Role, User
from audit.declared import journals_nothing
from namsite.middleware import too_many


@require_safe
@journals_nothing("a redirect")
def home(request: HttpRequest) -> HttpResponse:
    """Everybody's work begins at the documents; an administrator's at the journal."""
    is_admin = isinstance(request.user, User) and request.user.role == Role.ADMIN
    return redirect("review:journal" if is_admin else "extraction:document-list")


@require_POST
@login_not_required
@journals_nothing("a cookie of the browser")
def set_language(request: HttpRequest) -> HttpResponse:
    """Remembers the language in a cookie and returns to the page the person was on."""
    back = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure()):
        back = "/"
    response = redirect(back)
    chosen = request.POST.get("language", "")
    if chosen in dict(settings.LANGUAGES):
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME, chosen, max_age=settings.LANGUAGE_COOKIE_AGE, secure=settings.HTTPS,
            httponly=True, samesite="Lax",
        )  # fmt: skip
    return response


@require_GET
@login_not_required
@journals_nothing("whether the database answers")
def health(_request: HttpRequest) -> JsonResponse:
    """200 when the database answers. For load balancers; says nothing else."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"status": "healthy"})


@require_GET
@login_not_required
@journals_nothing("whether the model server answers")
def llm_health(request: HttpRequest) -> JsonResponse:
    """What the newest samples say of the model server: 200 while it is well or none is asked, else 503.

    Nobody who asks here makes this process ask the server. `state` is a code of `extraction.llm.health.Detail`, "off"
    or "unknown". Only people who are signed in see which server it is, and only an administrator sees its host.
    """
    from extraction import monitoring, traffic

    servers = monitoring.servers()
    seen = monitoring.condition(servers, timezone.now())
    status = "not_configured" if not servers else "healthy" if seen.is_well else "unhealthy"
    body: dict[str, object] = {"status": status, "state": seen.state}
    if seen.seconds is not None:
        body["seconds"] = round(seen.seconds, 3)
    if isinstance(request.user, User) and servers:
        is_admin = request.user.role == Role.ADMIN
        endpoint, model = traffic.in_service()
        body |= {"endpoint": endpoint if is_admin else _masked(endpoint), "model": model}
    return JsonResponse(body, status=200 if seen.is_well else 503)


@require_GET
@login_not_required
@journals_nothing("counts and seconds of the whole installation")
def metrics(request: HttpRequest) -> HttpResponse:
    """For Prometheus, which shows METRICS_TOKEN as its bearer token. Where none is set there is nothing here."""
    from namsite.metrics.exposition import CONTENT_TYPE, exposition

    if not settings.METRICS_TOKEN:
        raise Http404
    scheme, _space, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not constant_time_compare(given, settings.METRICS_TOKEN):
        return HttpResponse(status=HTTPStatus.UNAUTHORIZED, headers={"WWW-Authenticate": "Bearer"})
    return HttpResponse(exposition(), content_type=CONTENT_TYPE)


def _masked(endpoint: str) -> str:
    """The endpoint without its host: what is left tells nobody where to knock."""
    parts = urlsplit(endpoint)
    return f"{parts.scheme}://•••{parts.path}"


@require_safe
@login_not_required
@journals_nothing("invented accounts of a demonstration")
def demo(request: HttpRequest) -> HttpResponse:
    """The demonstration's accounts. Exists only in a demonstration."""
    from namsite import demo as demonstration

    return render(
        request,
        "demo.html",
        {
            "people": demonstration.PEOPLE,
            "colleagues": demonstration.COLLEAGUES,
            "password": demonstration.PASSWORD,
        },
    )


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "refused.html", {"message": ""}, status=400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403 with the sentence of the rule that refused; never more than a sentence of ours."""
    from accounts.policy import NotAllowed

    message = str(exception) if isinstance(exception, NotAllowed) else ""
    if "application/json" in request.headers.get("Accept", ""):
        return JsonResponse({"error": message}, status=403)
    return render(request, "refused.html", {"message": message}, status=403)


def too_many_requests(request: HttpRequest) -> HttpResponse:
    """One of allauth's own limits was reached."""
    page = request.resolver_match.view_name if request.resolver_match else ""
    limits.note_refusal(page, by=request.user if isinstance(request.user, User) else None)
    return too_many(request, retry_after=limits.ALLAUTH_WINDOW)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "404.html", status=404)


def broken(_request: HttpRequest) -> HttpResponse:
    """Drawn without the request: whose page it is may be what cannot be told."""
    return HttpResponse(render_to_string("500.html"), status=500)


@journals_nothing("nothing is here")
def closed(_request: HttpRequest) -> HttpResponse:
    """Pages of allauth that this installation does not offer."""
    raise Http404
