from django.urls import path

from review import export_views, quality_views, views

app_name = "review"
urlpatterns = [
    path("documents/<uuid:document_id>/", views.document_detail, name="document-detail"),
    path("documents/<uuid:document_id>/pages/<int:number>/add/", views.add, name="add"),
    path("documents/<uuid:document_id>/pages/<int:number>/look/", views.look, name="look"),
    path("documents/<uuid:document_id>/pages/<int:number>/shown/", views.shown, name="shown"),
    path("documents/<uuid:document_id>/pages/<int:number>/sign-off/", views.sign_off, name="sign-off"),
    path("documents/<uuid:document_id>/pages/<int:number>/reopen/", views.reopen, name="reopen"),
    path("documents/<uuid:document_id>/exports/", export_views.export_page, name="exports"),
    path("documents/<uuid:document_id>/exports/make/", export_views.make, name="export"),
    path("quality/", quality_views.quality_page, name="quality"),
    path("quality.csv", quality_views.quality_file, name="quality-file"),
    path("exports/<uuid:export_id>/", export_views.download, name="download"),
    path("findings/<uuid:finding_id>/decide/", views.decide, name="decide"),
    path("decisions/<uuid:decision_id>/undo/", views.undo, name="undo"),
]
