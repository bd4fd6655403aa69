"""A file that was exported is known again by a keyed code. Plain digests, which confirm a guessed file, are dropped."""

from django.db import migrations, models

from vault.index import MAC_BYTES, content_mac


def key_digests(apps, schema_editor):
    exports = apps.get_model("review", "Export").objects.filter(mac=None)
    for export in exports.select_related("document").only("sha256", "document__clinic_id").iterator():
        export.mac = content_mac(export.sha256, clinic_id=export.document.clinic_id, purpose="export")
        export.save(update_fields=["mac"])


class Migration(migrations.Migration):

    dependencies = [
        ('review', '0010_retention'),
    ]

    operations = [
        migrations.AddField('export', 'mac', models.BinaryField(editable=False, max_length=MAC_BYTES, null=True)),
        migrations.RunPython(key_digests, migrations.RunPython.noop),
        migrations.AlterField('export', 'mac', models.BinaryField(editable=False, max_length=MAC_BYTES)),
        migrations.RemoveField('export', 'sha256'),
    ]
