"""The web application as a server loads it."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.benchmarks.measure import ROOT

PROGRAM = """
import gc, sys
from namsite.asgi import application
loaded = "review.views" in sys.modules
kept = gc.get_freeze_count()
print(loaded, kept > 10 * len(gc.get_objects()))
"""


def test_what_the_application_is_made_of_is_loaded_and_left_out_of_the_collector_s_account() -> None:
    """Else what requests leave in circles is kept until a quarter of all objects are new."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["True", "True"]
