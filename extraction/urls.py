from django.urls import path

from extraction import alert_views, deployment_views, views

app_name = "extraction"
urlpatterns = [
    path("documents/", views.document_list, name="document-list"),
    path("documents/upload/", views.upload, name="upload"),
    path("documents/<uuid:document_id>/pages/<int:number>/image/", views.page_image, name="page-image"),
    path("findings/<uuid:finding_id>/crop/", views.finding_crop, name="finding-crop"),
    path("runs/<uuid:run_id>/retry/", views.retry, name="retry"),
    path("runs/<uuid:run_id>/without-model/", views.go_on_without_model, name="without-model"),
    path("models/", deployment_views.deployment_list, name="deployments"),
    path("models/add/", deployment_views.add, name="add-deployment"),
    path("models/<uuid:deployment_id>/next/", deployment_views.go_on, name="next-step"),
    path("models/<uuid:deployment_id>/roll-back/", deployment_views.roll_back, name="roll-back"),
    path("models/<uuid:deployment_id>/stop/", deployment_views.stop, name="stop-deployment"),
    path("alerts/", alert_views.alert_list, name="alerts"),
    path("alerts/<uuid:alert_id>/acknowledge/", alert_views.acknowledge, name="acknowledge"),
    path("availability/", views.model_availability, name="availability"),
    path("costs/", views.cost_page, name="costs"),
    path("costs/prices/", views.change_price, name="change-price"),
]
