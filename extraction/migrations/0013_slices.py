import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0004_emergency_access'),
        ('extraction', '0012_requests_of_runs'),
    ]

    operations = [
        # The columns stay for processes of the version before, which go on until they are restarted; nothing reads or
        # writes them any more, so a later migration may drop them.
        migrations.AlterField(
            model_name='run',
            name='attempts',
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveField(model_name='run', name='attempts'),
                migrations.RemoveField(model_name='run', name='claim'),
                migrations.RemoveField(model_name='run', name='heartbeat_at'),
            ],
        ),
        migrations.CreateModel(
            name='ClinicTurn',
            fields=[
                ('clinic', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='+', serialize=False, to='accounts.clinic')),
                ('taken_at', models.DateTimeField(null=True)),
                ('round', models.PositiveBigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name='Slice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('first', models.PositiveIntegerField()),
                ('last', models.PositiveIntegerField()),
                ('round', models.PositiveBigIntegerField()),
                ('state', models.CharField(choices=[('free', 'Free'), ('held', 'Held'), ('resting', 'Resting')], default='free', max_length=8)),
                ('claim', models.UUIDField(null=True)),
                ('heartbeat_at', models.DateTimeField(null=True)),
                ('attempts', models.PositiveIntegerField(default=0)),
                ('clinic', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.clinic')),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='slices', to='extraction.run')),
            ],
            options={
                'indexes': [models.Index(fields=['clinic', 'state', 'round', 'id'], name='slice_next'), models.Index(fields=['state', 'id'], name='slice_oldest')],
            },
        ),
    ]
