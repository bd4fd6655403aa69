import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0004_emergency_access'),
        ('review', '0012_export_mac'),
    ]

    operations = [
        migrations.CreateModel(
            name='ScoreDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('scores', models.JSONField(default=list)),
                ('agreement', models.JSONField(default=dict)),
                ('clinic', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.clinic')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('clinic', 'day'), name='scores_once_a_day')],
            },
        ),
        migrations.CreateModel(
            name='TouchedDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('clinic', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.clinic')),
            ],
            options={
                'indexes': [models.Index(fields=['clinic', 'day'], name='touched_day')],
            },
        ),
    ]
