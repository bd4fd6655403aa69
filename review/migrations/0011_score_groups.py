import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Exists, OuterRef, Q, Subquery

NAMES = ("clinic", "reader", "run__finder", "run__without_model", "run__model_name", "run__prompt_version",
         "run__rules_version", "run__document__kind", "run__document__form_kind")  # fmt: skip


def fill(apps, schema_editor):
    """The clinic of each score is its document's, and its group what its run and document say."""
    scores = apps.get_model("review", "PageScore").objects
    documents = apps.get_model("extraction", "Document").objects.filter(runs=OuterRef("run"))
    scores.filter(clinic=None).update(clinic=Subquery(documents.values("clinic")[:1]))
    for each in list(scores.values(*NAMES).distinct()):
        asks_nobody = each["run__without_model"] or each["run__finder"] == "pattern"
        group, _is_new = apps.get_model("review", "ScoreGroup").objects.get_or_create(
            clinic_id=each["clinic"],
            reader=each["reader"],
            rules=each["run__rules_version"],
            model="" if asks_nobody else each["run__model_name"],
            prompt="" if asks_nobody else each["run__prompt_version"],
            kind=each["run__document__kind"],
            form_kind=each["run__document__form_kind"],
        )
        scores.filter(**each).update(group=group)
    note_due(apps)
    if schema_editor.connection.vendor == "postgresql":
        # It changes no table while foreign keys of changed rows are still to be checked.
        schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def note_due(apps):
    """Documents with a run that is over and not scored, or scored before confidences were kept."""
    signed = apps.get_model("review", "SignOff").objects.filter(document=OuterRef("document"), reopened_at=None)
    known = apps.get_model("review", "PageScore").objects.filter(run=OuterRef("pk"), calibration__isnull=False)
    over = apps.get_model("extraction", "Run").objects.filter(status__in=("done", "failed"))
    unscored = over.filter(Exists(signed), ~Exists(known), document__destroyed_at=None)
    tasks = apps.get_model("review", "ReviewTask").objects
    for document_id, clinic_id in unscored.values_list("document", "document__clinic").distinct():
        tasks.update_or_create(
            document_id=document_id, defaults={"scores_due": True}, create_defaults={"clinic_id": clinic_id, "scores_due": True}
        )


class Migration(migrations.Migration):

    dependencies = [
        ("accounts", "0004_emergency_access"),
        ("extraction", "0010_journal_alert"),
        ("review", "0010_retention"),
    ]

    operations = [
        migrations.CreateModel(
            name="ScoreGroup",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reader", models.CharField(blank=True, max_length=12)),
                ("rules", models.CharField(blank=True, max_length=40)),
                ("model", models.CharField(blank=True, max_length=150)),
                ("prompt", models.CharField(blank=True, max_length=40)),
                ("kind", models.CharField(blank=True, max_length=10)),
                ("form_kind", models.CharField(blank=True, max_length=10)),
                ("clinic", models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.clinic")),
            ],
        ),
        migrations.AddConstraint(
            model_name="scoregroup",
            constraint=models.UniqueConstraint(fields=("clinic", "reader", "rules", "model", "prompt", "kind", "form_kind"), name="score_group_once"),
        ),
        migrations.AddField(
            model_name="pagescore",
            name="group",
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.RESTRICT, related_name="+", to="review.scoregroup"),
        ),
        migrations.AddField(
            model_name="reviewtask",
            name="scores_due",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="pagescore",
            name="clinic",
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.clinic"),
        ),
        migrations.AddIndex(
            model_name="pagescore",
            index=models.Index(fields=["clinic", "group", "signed_on", "is_reviewed", "tp", "fp", "fn", "day_right", "clock_right", "decided", "agreed", "timed", "review_seconds", "id"], name="page_score_sums"),
        ),
        migrations.AddIndex(
            model_name="reviewtask",
            index=models.Index(fields=["clinic"], condition=Q(scores_due=True), name="task_scores_due"),
        ),
    ]
