from django.urls import path

from extraction import views

app_name = "extraction"
urlpatterns = [
    path("documents/", views.document_list, name="document-list"),
    path("documents/upload/", views.upload, name="upload"),
    path("documents/<uuid:document_id>/pages/<int:number>/image/", views.page_image, name="page-image"),
    path("findings/<uuid:finding_id>/crop/", views.finding_crop, name="finding-crop"),
    path("runs/<uuid:run_id>/retry/", views.retry, name="retry"),
    path("runs/<uuid:run_id>/without-model/", views.go_on_without_model, name="without-model"),
    path("availability/", views.model_availability, name="availability"),
    path("costs/", views.cost_page, name="costs"),
    path("costs/prices/", views.change_price, name="change-price"),
]
