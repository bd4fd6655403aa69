"""In front of allauth's addresses of the same names: its views, with our events."""

from django.urls import path

from accounts import security_views as views

urlpatterns = [
    path("", views.SecurityPage.as_view(), name="mfa_index"),
    path("totp/activate/", views.SetUpApp.as_view(), name="mfa_activate_totp"),
    path("totp/deactivate/", views.RemoveApp.as_view(), name="mfa_deactivate_totp"),
    path("webauthn/add/", views.AddPasskey.as_view(), name="mfa_add_webauthn"),
    path("webauthn/keys/<int:pk>/remove/", views.RemovePasskey.as_view(), name="mfa_remove_webauthn"),
]
