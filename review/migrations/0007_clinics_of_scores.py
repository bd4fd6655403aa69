from typing import Any

from django.db import migrations
from django.db.models import OuterRef, Subquery


def fill(apps: Any, _schema_editor: Any) -> None:
    """The clinic of each score is its document's."""
    documents = apps.get_model("extraction", "Document").objects.filter(runs=OuterRef("run"))
    scores = apps.get_model("review", "PageScore").objects
    scores.filter(clinic=None).update(clinic=Subquery(documents.values("clinic")[:1]))


class Migration(migrations.Migration):
    """Apart from the columns: PostgreSQL changes no table of which rows were changed in the same transaction."""

    dependencies = [("review", "0006_measures")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
