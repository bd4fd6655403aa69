"""A rotation whose process is killed, with the database and the keys of a real installation."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from extraction import rotation
from extraction.models import Finding
from tests.factories import FindingFactory, RunFactory

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import os, signal, sys
import django
django.setup()
from django.conf import settings
from django.db import connection
connection.settings_dict["NAME"] = sys.argv[1]
from vault import rotation
really, left = rotation._reseal_row, 7
def counted(*args):
    global left
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    really(*args)
rotation._reseal_row, rotation.BATCH = counted, 2
from django.core.management import call_command
call_command("rotate_keys")
"""


def test_a_killed_process_leaves_rows_that_open_and_the_next_one_finishes(staff):
    from django.db import connection

    run = RunFactory(document__uploaded_by=staff)
    before = {row.pk: row.value for row in FindingFactory.create_batch(12, run=run)}
    rotation.renew(run.document.clinic)
    name = str(connection.settings_dict["NAME"])
    killed = subprocess.run([sys.executable, "-c", PROGRAM, name], cwd=ROOT, check=False, capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()[-2000:]
    left = rotation.status()["to be moved"]
    assert 0 < left < 13
    assert {row.pk: row.value for row in Finding.objects.all()} == before
    for _step in rotation.move_all(moved := rotation.Moved()):
        pass
    assert (moved.broken, rotation.status()["to be moved"]) == (0, 0)
    assert {row.pk: row.value for row in Finding.objects.all()} == before
