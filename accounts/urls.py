from django.urls import path

from accounts import security_views, views

app_name = "accounts"
urlpatterns = [
    path("people/", views.people, name="people"),
    path("people/add/", views.add_person, name="add-person"),
    path("people/<uuid:user_id>/invite/", views.invite, name="invite"),
    path("people/<uuid:user_id>/role/", views.change_role, name="change-role"),
    path("people/<uuid:user_id>/active/", views.set_active, name="set-active"),
    path("people/<uuid:user_id>/reset/", views.reset_second_factor, name="reset-second-factor"),
    path("people/<uuid:user_id>/unlock/", views.unlock, name="unlock"),
    path("security/recovery-codes/", security_views.make_recovery_codes, name="make-recovery-codes"),
    path("security/sessions/<uuid:label>/end/", security_views.end_session, name="end-session"),
    path("tokens/", views.token_list, name="tokens"),
    path("tokens/create/", views.create_token, name="create-token"),
    path("tokens/<uuid:token_id>/revoke/", views.revoke_token, name="revoke-token"),
]
