from django.urls import path

from accounts import views

app_name = "accounts"
urlpatterns = [
    path("people/", views.people, name="people"),
    path("people/add/", views.add_person, name="add-person"),
    path("people/<uuid:user_id>/invite/", views.invite, name="invite"),
    path("people/<uuid:user_id>/role/", views.change_role, name="change-role"),
    path("people/<uuid:user_id>/active/", views.set_active, name="set-active"),
    path("tokens/", views.token_list, name="tokens"),
    path("tokens/create/", views.create_token, name="create-token"),
    path("tokens/<uuid:token_id>/revoke/", views.revoke_token, name="revoke-token"),
]
