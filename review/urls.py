from django.urls import path

from review import views

app_name = "review"
urlpatterns = [
    path("documents/<uuid:document_id>/", views.document_detail, name="document-detail"),
    path("documents/<uuid:document_id>/pages/<int:number>/add/", views.add, name="add"),
    path("documents/<uuid:document_id>/pages/<int:number>/sign-off/", views.sign_off, name="sign-off"),
    path("documents/<uuid:document_id>/pages/<int:number>/reopen/", views.reopen, name="reopen"),
    path("findings/<uuid:finding_id>/decide/", views.decide, name="decide"),
    path("decisions/<uuid:decision_id>/undo/", views.undo, name="undo"),
]
