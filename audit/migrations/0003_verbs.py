"""New verbs. Choices are no business of the database, so the table and its triggers stay as they are."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0002_append_only'),
    ]

    operations = [
        migrations.AlterField(
            model_name='event',
            name='verb',
            field=models.CharField(choices=[('auth.login_ok', 'Signed in'), ('auth.login_fail', 'Sign-in failed'), ('auth.logout', 'Signed out'), ('auth.password_changed', 'Password changed'), ('auth.token_created', 'API token created'), ('auth.token_revoked', 'API token revoked'), ('authz.denied', 'Access denied'), ('authz.cross_tenant_denied', 'Access to another clinic denied'), ('authz.role_changed', 'Role changed'), ('admin.clinic_created', 'Clinic created'), ('admin.user_created', 'Person added'), ('admin.user_disabled', 'Person deactivated'), ('admin.user_enabled', 'Person reactivated'), ('admin.invitation_made', 'Invitation link made'), ('admin.price_changed', 'Price changed'), ('doc.uploaded', 'Document uploaded'), ('doc.rejected', 'Document refused at upload'), ('doc.duplicate', 'Duplicate announced at upload'), ('doc.viewed', 'Document opened'), ('doc.viewed_page', 'Page image shown'), ('run.queued', 'Extraction queued'), ('run.started', 'Extraction started'), ('run.resumed', 'Extraction resumed after an interruption'), ('run.waiting', 'Extraction waits for a service'), ('run.done', 'Extraction done'), ('run.failed', 'Extraction failed'), ('run.without_model', 'Extraction goes on without the model'), ('nam.candidate_found', 'NAMs proposed'), ('nam.confirmed', 'NAM confirmed'), ('nam.corrected', 'NAM corrected'), ('nam.rejected', 'Proposal rejected'), ('nam.added', 'NAM added by hand'), ('nam.decision_undone', 'Decision undone'), ('doc.page_signed', 'Page signed off'), ('doc.page_reopened', 'Page reopened'), ('hssi.list_viewed', 'List shown'), ('hssi.api_read', 'Results read through the API'), ('hssi.decisions_learned', 'Decisions read to fit the confidence'), ('ai.llm_called', "Pages sent to the clinic's model server"), ('ai.ocr_called', 'Pages sent to the reading service'), ('rollout.started', 'Rollout of a model begun'), ('rollout.stepped', 'Rollout: next share'), ('rollout.adopted', 'Model put in service'), ('rollout.rolled_back', 'Model rolled back'), ('rollout.stopped', 'Rollout stopped'), ('audit.viewed', 'Journal shown'), ('audit.verified', 'Journal verified')], max_length=40),
        ),
    ]
