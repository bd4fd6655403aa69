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
        ('audit', '0005_reviews'),
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
        migrations.AlterField(
            model_name='event',
            name='verb',
            field=models.CharField(choices=[('auth.login_ok', 'Signed in'), ('auth.login_fail', 'Sign-in failed'), ('auth.logout', 'Signed out'), ('auth.password_changed', 'Password changed'), ('auth.token_created', 'API token created'), ('auth.token_revoked', 'API token revoked'), ('authz.denied', 'Access denied'), ('authz.cross_tenant_denied', 'Access to another clinic denied'), ('authz.role_changed', 'Role changed'), ('admin.clinic_created', 'Clinic created'), ('admin.user_created', 'Person added'), ('admin.user_disabled', 'Person deactivated'), ('admin.user_enabled', 'Person reactivated'), ('admin.invitation_made', 'Invitation link made'), ('admin.price_changed', 'Price changed'), ('admin.alert_acknowledged', 'Alert acknowledged'), ('doc.uploaded', 'Document uploaded'), ('doc.rejected', 'Document refused at upload'), ('doc.duplicate', 'Duplicate announced at upload'), ('doc.viewed', 'Document opened'), ('doc.viewed_page', 'Page image shown'), ('doc.sent_ahead', 'Page sent to the browser ahead of its turn'), ('run.queued', 'Extraction queued'), ('run.started', 'Extraction started'), ('run.resumed', 'Extraction resumed after an interruption'), ('run.waiting', 'Extraction waits for a service'), ('run.done', 'Extraction done'), ('run.failed', 'Extraction failed'), ('run.without_model', 'Extraction goes on without the model'), ('nam.candidate_found', 'NAMs proposed'), ('nam.confirmed', 'NAM confirmed'), ('nam.corrected', 'NAM corrected'), ('nam.rejected', 'Proposal rejected'), ('nam.added', 'NAM added by hand'), ('nam.decision_undone', 'Decision undone'), ('doc.page_signed', 'Page signed off'), ('doc.page_reopened', 'Page reopened'), ('second.asked', 'Second review asked for'), ('second.begun', 'Second review begun'), ('second.decided', 'Second review: answer given'), ('second.undone', 'Second review: answer undone'), ('second.finished', 'Second review finished'), ('second.withdrawn', 'Second review withdrawn'), ('second.settled', 'Disagreement settled'), ('doc.claimed', 'Document taken from the queue'), ('doc.taken_over', 'Document taken over from another reviewer'), ('hssi.list_viewed', 'List shown'), ('hssi.exported', 'Numbers exported to a file'), ('hssi.export_downloaded', 'File of numbers downloaded'), ('hssi.api_read', 'Results read through the API'), ('hssi.decisions_learned', 'Decisions read to fit the confidence'), ('ai.llm_called', "Pages sent to the clinic's model server"), ('ai.ocr_called', 'Pages sent to the reading service'), ('rollout.started', 'Rollout of a model begun'), ('rollout.stepped', 'Rollout: next share'), ('rollout.adopted', 'Model put in service'), ('rollout.rolled_back', 'Model rolled back'), ('rollout.stopped', 'Rollout stopped'), ('audit.viewed', 'Journal shown'), ('audit.searched', 'Journal searched for a patient'), ('audit.verified', 'Journal verified'), ('audit.exported', 'Journal exported'), ('audit.report_viewed', 'Report of the journal shown')], max_length=40),
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
