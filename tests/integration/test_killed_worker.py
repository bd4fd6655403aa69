"""A worker that is killed in the middle, and a queue that forgets everything, lose nothing."""

from __future__ import annotations

import json

import pytest
import redis

from tests.factories import agenda_pdf, some_nam
from tests.installation import PEOPLE, ROOT, installation, wait_until

pytestmark = pytest.mark.queue

PAGES = 40

# The scheduler does this once a worker has been silent for a minute; the test does not wait that long.
RECOVER = """
from datetime import timedelta
from django.utils import timezone
from extraction import claims
claims.recover_orphans(timezone.now() + timedelta(minutes=2))
claims.enqueue_due(timezone.now())
"""

UPLOAD = f"""
from pathlib import Path
from accounts.models import User
from extraction import actions
done = actions.upload(data=Path({{path!r}}).read_bytes(), file_name="agenda.pdf",
                      by=User.objects.get(email={PEOPLE["staff"]!r}))
print(done.run.pk)
"""

STATE = """
import json
from extraction.models import Run
run = Run.objects.get()
print(json.dumps({"status": run.status, "pages": run.pages.count(),
                  "found": sorted([f.page, f.value] for f in run.findings.all())}))
"""

# Every page costs the worker a tenth of a second more, so that there is a middle to be killed in.
SLOW = """
import time
from extraction.finders import pattern
find = pattern.find
pattern.find = lambda page: (time.sleep(0.1), find(page))[1]
"""


@pytest.fixture
def site(tmp_path, redis_server):
    with installation(tmp_path, redis_server) as made:
        document = tmp_path / "agenda.pdf"
        document.write_bytes(agenda_pdf(*([f"Page {n}", f"NAM : {some_nam(n)}"] for n in range(PAGES))))
        made.python(UPLOAD.format(path=str(document)))
        yield made


def state(site):
    return json.loads(site.python(STATE))


EVERYTHING = sorted([n + 1, some_nam(n)] for n in range(PAGES))


def test_a_killed_worker_loses_no_page_and_doubles_none(site, tmp_path):
    slowed = tmp_path / "slowed"
    slowed.mkdir()
    (slowed / "sitecustomize.py").write_text(SLOW)
    site.env["PYTHONPATH"] = f"{slowed}:{ROOT}"
    site.start("worker")
    del site.env["PYTHONPATH"]
    wait_until(lambda: state(site)["pages"] >= 3, seconds=60)
    site.kill("worker")
    assert state(site)["pages"] < PAGES, "the worker was done before it could be killed"

    site.python(RECOVER)
    site.start("worker")
    wait_until(lambda: state(site)["status"] == "done", seconds=60)
    assert state(site)["found"] == EVERYTHING


def test_a_queue_that_forgets_everything_is_reminded(site, redis_server):
    redis.Redis.from_url(redis_server).flushall()
    site.start("worker")
    site.start("scheduler")
    wait_until(lambda: state(site)["status"] == "done", seconds=60)
    assert state(site)["found"] == EVERYTHING
