"""The database itself refuses to change a register's versions, and to remove an entry before its term."""

from django.db import migrations

from audit.registers import triggers


def install(apps, schema_editor):
    triggers.install(schema_editor.connection)


def remove(apps, schema_editor):
    triggers.remove(schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [("audit", "0008_registers")]
    operations = [migrations.RunPython(install, remove)]
