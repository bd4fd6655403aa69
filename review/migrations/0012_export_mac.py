"""A file that was exported is known again by a keyed code. Plain digests, which confirm a guessed file, are dropped.

It also says why it left, as whoever exported it chose; for older files nobody said."""

from django.db import migrations, models

from vault.index import MAC_BYTES, content_mac


def key_digests(apps, schema_editor):
    exports = apps.get_model("review", "Export").objects.filter(mac=None)
    for export in exports.select_related("document").only("sha256", "document__clinic_id").iterator():
        export.mac = content_mac(export.sha256, clinic_id=export.document.clinic_id, purpose="export")
        export.save(update_fields=["mac"])


class Migration(migrations.Migration):

    dependencies = [
        ('review', '0011_score_groups'),
    ]

    operations = [
        migrations.AddField('export', 'mac', models.BinaryField(editable=False, max_length=MAC_BYTES, null=True)),
        migrations.RunPython(key_digests, migrations.RunPython.noop),
        migrations.AlterField('export', 'mac', models.BinaryField(editable=False, max_length=MAC_BYTES)),
        migrations.RemoveField('export', 'sha256'),
        migrations.AddField('export', 'justification', models.CharField(blank=True, choices=[('claim', 'claim of insured services by the clinic'), ('mandate', 'billing entrusted to a provider under a written contract (s. 77)'), ('correction', 'correction of a file that left before'), ('verification', 'verification of what was billed, asked for by the payer'), ('law', 'required by law or by an order')], default='', max_length=20), preserve_default=False),
    ]
