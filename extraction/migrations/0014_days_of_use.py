import django.db.models.deletion
from django.db import migrations, models

from audit.indexes import AddIndexUnderTraffic


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("accounts", "0004_emergency_access"),
        ("extraction", "0013_slices"),
    ]

    operations = [
        # Before the table: if they are cut short, the migration is run again from its beginning.
        AddIndexUnderTraffic("run", models.Index(fields=["created_at"], name="run_by_begin")),
        AddIndexUnderTraffic("run", models.Index(fields=["finished_at"], name="run_by_end")),
        AddIndexUnderTraffic("document", models.Index(fields=["uploaded_by", "-created_at"], name="document_of_person")),
        migrations.CreateModel(
            name="DayUse",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField()),
                ("extractions", models.PositiveIntegerField()),
                ("pages", models.PositiveIntegerField()),
                ("textract_pages", models.PositiveIntegerField()),
                ("model_pages", models.PositiveIntegerField()),
                ("clinic", models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.clinic")),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("clinic", "day"), name="use_once_a_day")],
            },
        ),
    ]
