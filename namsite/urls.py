"""Every address. No name, number or file name ever stands in one."""

from __future__ import annotations

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

from namsite import api, views

urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.home, name="home"),
    path("language/", views.set_language, name="set-language"),
    path("health/", views.health, name="health"),
    path("metrics", views.metrics, name="metrics"),
    path("llm/health", views.llm_health, name="llm-health"),
    path("accounts/email/", views.closed),  # addresses are changed by an administrator
    path("accounts/", include("allauth.account.urls")),
    path("accounts/2fa/", include("accounts.security_urls")),
    path("accounts/2fa/", include("allauth.mfa.urls")),
    path("api/", api.urls),
    path("", include("accounts.urls")),
    path("", include("extraction.urls")),
    path("", include("review.urls")),
    path("registers/", include("review.registers.urls")),
]

handler400 = "namsite.views.bad_request"
handler403 = "namsite.views.forbidden"
handler429 = "namsite.views.too_many_requests"  # allauth's limits
handler404 = "namsite.views.not_found"
handler500 = "namsite.views.broken"

if settings.DEMO:
    urlpatterns.append(path("demo/", views.demo, name="demo"))
