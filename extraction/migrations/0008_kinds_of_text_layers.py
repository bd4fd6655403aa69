from typing import Any

from django.db import migrations
from django.db.models import Exists, OuterRef, Subquery


def fill(apps: Any, _schema_editor: Any) -> None:
    """A page that was read from its text layer was made by a program, and a document of such pages too.

    What a picture is, a scan, a photograph or a fax, its row does not tell: `manage.py note_kinds` looks at the files.
    """
    pages = apps.get_model("extraction", "RunPage").objects
    pages.filter(reader="text_layer").update(kind="digital")
    newest = apps.get_model("extraction", "Run").objects.filter(document=OuterRef("pk"), status="done")
    run = Subquery(newest.order_by("-created_at").values("pk")[:1])
    documents = apps.get_model("extraction", "Document").objects.filter(kind="").annotate(run=run)
    mine = pages.filter(run=OuterRef("run"))
    only_text = documents.filter(Exists(mine), ~Exists(mine.exclude(reader="text_layer"))).values_list("pk", flat=True)
    apps.get_model("extraction", "Document").objects.filter(pk__in=list(only_text)).update(kind="digital")


class Migration(migrations.Migration):
    """Apart from the columns: PostgreSQL changes no table of which rows were changed in the same transaction."""

    dependencies = [("extraction", "0007_kinds")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
