from django.urls import path

from review import export_views, journal_views, quality_views, queue_views, run_views, second_views, views

app_name = "review"
urlpatterns = [
    path("documents/<uuid:document_id>/", views.document_detail, name="document-detail"),
    path("documents/<uuid:document_id>/pages/<int:number>/add/", views.add, name="add"),
    path("documents/<uuid:document_id>/pages/<int:number>/look/", views.look, name="look"),
    path("documents/<uuid:document_id>/pages/<int:number>/shown/", views.shown, name="shown"),
    path("documents/<uuid:document_id>/pages/<int:number>/sign-off/", views.sign_off, name="sign-off"),
    path("documents/<uuid:document_id>/pages/<int:number>/reopen/", views.reopen, name="reopen"),
    path("documents/<uuid:document_id>/pages/<int:number>/confirm-all/", views.confirm_all, name="confirm-all"),
    path("documents/<uuid:document_id>/pages/<int:number>/undo-all/", views.undo_all, name="undo-all"),
    path("documents/<uuid:document_id>/compare/", run_views.compare, name="compare"),
    path("documents/<uuid:document_id>/rerun/", run_views.rerun, name="rerun"),
    path("documents/<uuid:document_id>/exports/", export_views.export_page, name="exports"),
    path("documents/<uuid:document_id>/exports/make/", export_views.make, name="export"),
    path("journal/", journal_views.journal, name="journal"),
    path("journal/search/", journal_views.search, name="journal-search"),
    path("journal/export/", journal_views.export, name="journal-export"),
    path("queue/", queue_views.queue_page, name="queue"),
    path("queue/claim/", queue_views.claim, name="claim"),
    path("documents/<uuid:document_id>/lease/", queue_views.beat, name="beat"),
    path("documents/<uuid:document_id>/lease/release/", queue_views.release, name="release"),
    path("documents/<uuid:document_id>/lease/take-over/", queue_views.take_over, name="take-over"),
    path("quality/", quality_views.quality_page, name="quality"),
    path("calibration.csv", quality_views.calibration_file, name="calibration-file"),
    path("quality.csv", quality_views.quality_file, name="quality-file"),
    path("quality/agreement.csv", quality_views.agreement_file, name="agreement-file"),
    path("exports/<uuid:export_id>/", export_views.download, name="download"),
    path("findings/<uuid:finding_id>/decide/", views.decide, name="decide"),
    path("decisions/<uuid:decision_id>/undo/", views.undo, name="undo"),
    path("second-reviews/", second_views.second_list, name="second-list"),
    path("second-reviews/<uuid:review_id>/", second_views.second_detail, name="second-detail"),
    path("second-reviews/<uuid:review_id>/begin/", second_views.begin, name="second-begin"),
    path(
        "second-reviews/<uuid:review_id>/findings/<uuid:finding_id>/decide/", second_views.decide, name="second-decide"
    ),
    path("second-reviews/<uuid:review_id>/add/", second_views.add, name="second-add"),
    path("second-reviews/<uuid:review_id>/finish/", second_views.finish, name="second-finish"),
    path("second-decisions/<uuid:decision_id>/undo/", second_views.undo, name="second-undo"),
    path("disagreements/<uuid:disagreement_id>/", second_views.disagreement_detail, name="disagreement"),
    path("disagreements/<uuid:disagreement_id>/settle/", second_views.settle, name="settle"),
]
