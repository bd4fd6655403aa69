from django.db import migrations, models

from audit.indexes import AddIndexUnderTraffic

REPORTED = ["hssi.export_downloaded", "hssi.api_read", "ai.ocr_called", "authz.denied", "authz.cross_tenant_denied",
            "auth.login_fail", "doc.suspect_text"]  # fmt: skip


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("audit", "0011_registers_are_resealed")]

    operations = [
        AddIndexUnderTraffic(
            model_name="event",
            index=models.Index(
                condition=models.Q(("verb__in", REPORTED)), fields=["clinic_id", "verb", "at"], name="event_reported"
            ),
        ),
    ]
