"""A rotation may seal a register's versions anew, and nothing else may change them."""

from django.db import migrations

from audit.registers import triggers


def renew(apps, schema_editor):
    triggers.remove(schema_editor.connection)
    triggers.install(schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [("audit", "0010_verbs_of_a_person")]
    operations = [migrations.RunPython(renew, migrations.RunPython.noop)]
