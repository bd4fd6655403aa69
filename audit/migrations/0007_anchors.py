"""The version and the context of an event, and the anchors. What was written before is version 1, and stays so."""

from django.db import migrations, models

from audit import triggers


def set_aside(apps, schema_editor):
    """SQLite makes the table anew, and its triggers would be lost."""
    triggers.remove(schema_editor.connection, [triggers.EVENTS])


def install_events(apps, schema_editor):
    triggers.install(schema_editor.connection, [triggers.EVENTS])


def install(apps, schema_editor):
    triggers.install(schema_editor.connection)


def remove(apps, schema_editor):
    triggers.remove(schema_editor.connection)


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0006_verbs_by_name'),
    ]

    operations = [
        migrations.RunPython(set_aside, install_events),
        migrations.AddField(
            model_name='event',
            name='context',
            field=models.CharField(blank=True, choices=[('care', 'care'), ('administration', 'administration')], max_length=14),
        ),
        migrations.AddField(
            model_name='event',
            name='version',
            field=models.PositiveSmallIntegerField(default=1, editable=False),
        ),
        migrations.AlterField(
            model_name='event',
            name='version',
            field=models.PositiveSmallIntegerField(default=2, editable=False),
        ),
        migrations.CreateModel(
            name='Anchor',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('clinic_id', models.UUIDField(editable=False)),
                ('number', models.PositiveBigIntegerField(editable=False)),
                ('seq', models.PositiveBigIntegerField(editable=False)),
                ('hash', models.BinaryField(max_length=32)),
                ('previous', models.BinaryField(max_length=32)),
                ('at', models.DateTimeField(editable=False)),
                ('key_id', models.CharField(editable=False, max_length=16)),
                ('signature', models.BinaryField(max_length=64)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('clinic_id', 'number'), name='anchor_number_once_a_chain')],
            },
        ),
        migrations.CreateModel(
            name='AnchorMark',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('clinic_id', models.UUIDField()),
                ('place', models.CharField(blank=True, max_length=200)),
                ('number', models.PositiveBigIntegerField(default=0)),
                ('reached_at', models.DateTimeField(null=True)),
                ('tried_at', models.DateTimeField(null=True)),
                ('failing_since', models.DateTimeField(null=True)),
                ('error', models.CharField(blank=True, max_length=20)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('clinic_id', 'place'), name='anchor_mark_once_a_place')],
            },
        ),
        migrations.RunPython(install, remove),
    ]
