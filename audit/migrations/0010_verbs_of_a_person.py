from django.db import migrations, models

from audit.indexes import AddIndexUnderTraffic


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ('audit', '0009_registers_are_kept'),
    ]

    operations = [
        AddIndexUnderTraffic(
            model_name='event',
            index=models.Index(fields=['clinic_id', 'actor_id', 'verb', '-seq'], name='event_by_actor_and_verb'),
        ),
    ]
