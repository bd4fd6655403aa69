from django.urls import path

from review.registers import explanation_views, policy_views, request_views, views

app_name = "registers"
urlpatterns = [
    path("", views.hub, name="hub"),
    path("entries/<uuid:entry_id>/", views.entry_page, name="entry"),
    path("entries/<uuid:entry_id>/destroy/", views.destroy, name="destroy"),
    path("entries/<uuid:entry_id>/parts/<slug:part>/", views.fill_in, name="fill-in"),
    path("entries/<uuid:entry_id>/letters/<slug:code>/", views.letter, name="letter"),
    path("entries/<uuid:entry_id>/answer/", request_views.answer, name="answer"),
    path("entries/<uuid:entry_id>/look-up/", request_views.look_up, name="look-up"),
    path("findings/<uuid:finding_id>/", explanation_views.explanation, name="explanation"),
    path("policy/<uuid:clinic_id>/", policy_views.policy, name="policy"),
    path("rectifications/", request_views.rectification_list, name="rectifications"),
    path("<slug:register>/export/<slug:suffix>/", views.export, name="export"),
    path("<slug:register>/", views.book_page, name="book"),
    path("<slug:register>/new/", views.new, name="new"),
]
